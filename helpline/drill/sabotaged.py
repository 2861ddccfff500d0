"""The settings, and the drill as an app: for a drill with one guard taken out."""

from helpline import settings as plain

globals().update({name: getattr(plain, name) for name in dir(plain) if name.isupper()})
INSTALLED_APPS = [*plain.INSTALLED_APPS, "helpline.drill.apps.DrillConfig"]
