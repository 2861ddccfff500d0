"""The door of production; what is asked of the floor goes through the least middleware in the same process."""

from collections.abc import Callable, Iterable
from typing import Any

from helpline.wsgi import application as whole

from django.core.handlers.wsgi import WSGIHandler  # isort: skip  Django is set up by the line above
from django.test.utils import override_settings  # isort: skip
from helpline.bench.settings import FLOOR_MIDDLEWARE  # isort: skip
from intake.views import search  # isort: skip

# Each search is counted as ever; only that the one after the thirtieth of an hour is refused would be no search at all.
search.AN_HOUR = 10**9

with override_settings(MIDDLEWARE=FLOOR_MIDDLEWARE):
    floor = WSGIHandler()


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """The application, or its floor."""
    chosen = floor if environ["PATH_INFO"].startswith("/floor/") else whole
    return chosen(environ, start_response)
