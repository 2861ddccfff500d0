"""Takes a guard out when the programs of a drill start: with the settings of sabotaged.py alone."""

import os

from django.apps import AppConfig

from helpline.drill.sabotage import GUARDS


class DrillConfig(AppConfig):
    """An app without models, that is installed where a guard is to be taken out."""

    name = "helpline.drill"

    def ready(self) -> None:
        """The guard that DRILL_SABOTAGE names."""
        GUARDS[os.environ["DRILL_SABOTAGE"]]()
