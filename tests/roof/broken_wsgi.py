"""The web server with templates that fail (folder BROKEN), for the test of what is said then."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "helpline.settings")

from django.conf import settings

settings.TEMPLATES[0]["DIRS"].insert(0, os.environ["BROKEN"])

from helpline.wsgi import application  # noqa: E402, F401  # after the folder is in its place
