"""A production start refuses what is harmless only in demo mode. Run by `check --deploy` and at every start."""

import sys
from typing import Any

from django.conf import settings
from django.core.checks import Error, Tags, register
from django.db import DatabaseError

SERVES = {"gunicorn", "celery"}


@register(Tags.security)
def production_is_safe(**_: Any) -> list[Error]:
    """Outside demo mode: no DEBUG, real secrets, a master key, a role that owns nothing."""
    if settings.DEMO or "test" in sys.argv:
        return []
    errors = []
    if settings.DEBUG:
        errors.append(Error("DEBUG is on outside demo mode.", id="helpline.E001"))
    if settings.SECRET_KEY.startswith("unset-"):
        errors.append(Error("SECRET_KEY is not set.", id="helpline.E002"))
    if not settings.HELPLINE_KEYS:
        errors.append(Error("HELPLINE_KEYS is not set: nothing can be written or read.", id="helpline.E003"))
    if settings.DATABASES["default"]["USER"] == settings.DATABASES["owner"]["USER"]:
        errors.append(Error("DATABASE_URL and OWNER_DATABASE_URL name the same role.", id="helpline.E004"))
    return errors


def refuse_unsafe_start() -> None:
    """Called by the web server, the worker and beat when they start. Raises SystemExit with the reasons."""
    from helpline.people.models import User

    reasons = [str(error.msg) for error in production_is_safe()]
    try:
        if not settings.DEMO and User.objects.filter(is_demo=True, is_active=True).exists():
            reasons.append("There are demo accounts in this database, and this is not demo mode.")
    except DatabaseError:
        pass  # the database is not there yet: the health page says so, and no page opens without it
    if reasons:
        raise SystemExit("Helpline does not start:\n  " + "\n  ".join(reasons))
