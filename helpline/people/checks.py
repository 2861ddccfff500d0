"""A production start refuses what is harmless only in demo mode. Run by `check --deploy` and at every start."""

import sys
from typing import Any

from django.conf import settings
from django.core.checks import Error, Tags, register
from django.core.exceptions import ImproperlyConfigured
from django.db import Error as DatabaseFault
from django.db import connection

OWNS = """
    SELECT rolsuper OR EXISTS (SELECT 1 FROM pg_class WHERE relowner = r.oid AND relnamespace = 'public'::regnamespace)
    FROM pg_roles r WHERE rolname = current_user
"""


class UnsafeStart(SystemExit):
    """Says why, and ends with the code at which gunicorn stops instead of trying again for ever."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.code = 3
        print(why, file=sys.stderr, flush=True)


@register(Tags.security)
def production_is_safe(**_: Any) -> list[Error]:
    """Outside demo mode: no DEBUG, a real secret, master keys that can be used."""
    if settings.DEMO:
        return []
    errors = []
    if settings.DEBUG:
        errors.append(Error("DEBUG is on outside demo mode.", id="helpline.E001"))
    if settings.SECRET_KEY.startswith("unset-"):
        errors.append(Error("SECRET_KEY is not set.", id="helpline.E002"))
    if fault := _fault_of_keys():
        errors.append(Error(fault, id="helpline.E003"))
    return errors


def _fault_of_keys() -> str:
    from helpline.people.sealed import master_keys

    try:
        master_keys(tuple(settings.HELPLINE_KEYS))
    except (ImproperlyConfigured, ValueError) as error:
        return (
            str(error)
            if isinstance(error, ImproperlyConfigured)
            else "HELPLINE_KEYS: each entry is id:base64 of 32 bytes"
        )
    return ""


def refuse_unsafe_start() -> None:
    """Called by the web server, the worker and beat when they start. Raises SystemExit with the reasons; where the database
    does not answer, nobody knows whether it is safe, so that is one."""
    if settings.DEMO:
        return
    reasons = [str(error.msg) for error in production_is_safe()]
    try:
        reasons += _faults_of_database()
    except DatabaseFault:
        reasons.append("The database does not answer, or is not migrated yet.")
    if reasons:
        raise UnsafeStart("Helpline does not start:\n  " + "\n  ".join(reasons))


def _faults_of_database() -> list[str]:
    from helpline.people.models import User

    found = []
    if User.objects.filter(is_demo=True, is_active=True).exists():
        found.append("There are demo accounts in this database, and this is not demo mode.")
    with connection.cursor() as cursor:
        cursor.execute(OWNS)
        row = cursor.fetchone()
    if row and row[0]:
        found.append("DATABASE_URL names a role that owns tables. The application's role runs and owns nothing.")
    return found
