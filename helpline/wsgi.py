"""The door for the web server."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "helpline.settings")
application = get_wsgi_application()

from helpline.people.checks import refuse_unsafe_start  # noqa: E402  Django is set up by the line above
from helpline.people.logs import keep_web_server_quiet  # noqa: E402

keep_web_server_quiet()
refuse_unsafe_start()
