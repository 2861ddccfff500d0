"""The first floor as a Django app."""

from django.apps import AppConfig


class IntakeConfig(AppConfig):
    """Calls and cases. Works, and is tested, without the floor above."""

    name = "intake"

    def ready(self) -> None:
        """Say what this floor's notices are called, and what somebody has in hand here."""
        from helpline.people.actions import HOLDS
        from helpline.people.notices import KINDS
        from intake.duties import in_hand
        from intake.labels import NOTICES

        KINDS.update(NOTICES)
        HOLDS.append(in_hand)
