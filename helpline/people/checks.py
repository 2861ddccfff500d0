"""A production start refuses what is harmless only in demo mode. Run by `check --deploy` and at every start."""

import ipaddress
import sys
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.core.exceptions import ImproperlyConfigured
from django.db import Error as DatabaseFault
from django.db import connection

OWNS = """
    SELECT rolsuper OR EXISTS (SELECT 1 FROM pg_class WHERE relowner = r.oid AND relnamespace = 'public'::regnamespace)
    FROM pg_roles r WHERE rolname = current_user
"""
# A statement, a row that failed and a plan of a query hold what a person typed: a server that writes one of them into its log
# keeps a second, open copy of the cases. Name -> what it may be; a setting that the server does not know is no danger.
QUIET_LOG = {
    "log_error_verbosity": {"terse"},
    "log_min_error_statement": {"panic"},
    "log_statement": {"none", "ddl"},
    "log_min_duration_statement": {"-1"},
    "log_min_duration_sample": {"-1"},
    "log_transaction_sample_rate": {"0"},
    "log_parameter_max_length_on_error": {"0"},
    "debug_print_parse": {"off"},
    "debug_print_raw_parse": {"off"},
    "debug_print_rewritten": {"off"},
    "debug_print_plan": {"off"},
    "auto_explain.log_min_duration": {"-1"},
}
MOST_IDLE = 120  # minutes


class UnsafeStart(SystemExit):
    """Says why, and ends with the code at which gunicorn stops instead of trying again for ever."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.code = 3
        print(why, file=sys.stderr, flush=True)


@register(Tags.security)
def production_is_safe(**_: Any) -> list[Error]:
    """Outside demo mode: no DEBUG, a real secret, master keys that can be used, log-ins that are what they say."""
    if settings.DEMO:
        return []
    errors: list[Error] = []
    if settings.DEBUG:
        errors.append(Error("DEBUG is on outside demo mode.", id="helpline.E001"))
    if settings.SECRET_KEY.startswith("unset-"):
        errors.append(Error("SECRET_KEY is not set.", id="helpline.E002"))
    if fault := _fault_of_keys():
        errors.append(Error(fault, id="helpline.E003"))
    if any("*" in host for host in settings.ALLOWED_HOSTS):
        errors.append(Error("ALLOWED_HOSTS lets any name in.", id="helpline.E004"))
    if not settings.REQUIRE_SECOND_FACTOR:
        errors.append(Error("REQUIRE_SECOND_FACTOR is off outside demo mode.", id="helpline.E005"))
    if not 1 <= settings.IDLE_MINUTES <= MOST_IDLE:
        errors.append(Error(f"IDLE_MINUTES is not from 1 to {MOST_IDLE}.", id="helpline.E006"))
    issuer = urlsplit(settings.OIDC_ISSUER)
    if settings.OIDC_ISSUER and issuer.scheme != "https" and not _is_here(issuer.hostname or ""):
        errors.append(Error("OIDC_ISSUER is not https: who is on the way logs in as anyone.", id="helpline.E007"))
    return errors


@register(Tags.security, deploy=True)
def production_is_careful(**_: Any) -> list[CheckMessage]:
    """What `check --deploy` warns of besides: a start is not refused for it, since a proxy or a tunnel may answer for it."""
    if settings.DEMO:
        return []
    found: list[CheckMessage] = []
    if urlsplit(settings.SITE_URL).scheme != "https":
        found.append(Warning("SITE_URL is not https: the links of the mail begin in the clear.", id="helpline.W001"))
    if not settings.EMAIL_USE_TLS and not _is_here(settings.EMAIL_HOST):
        found.append(Warning("Mail goes to another machine without EMAIL_USE_TLS.", id="helpline.W002"))
    if not (settings.LOG_HEAD_TO or settings.LOG_HEAD_FILE):
        told = "Neither LOG_HEAD_TO nor LOG_HEAD_FILE is set: nobody would find a log that was rewritten."
        found.append(Warning(told, id="helpline.W003"))
    return found


def _is_here(host: str) -> bool:
    """Whether this is the same machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


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
        _refuse_while_restoring()
        return
    reasons = [str(error.msg) for error in production_is_safe()]
    try:
        reasons += _faults_of_database()
    except DatabaseFault:
        reasons.append("The database does not answer, or is not migrated yet.")
    if reasons:
        raise UnsafeStart("Helpline does not start:\n  " + "\n  ".join(reasons))


def _refuse_while_restoring() -> None:
    """In demo mode too. Where the database does not answer there is nothing to serve from."""
    from helpline.people.restoring import WHY, is_restoring

    with suppress(DatabaseFault):
        if is_restoring():
            raise UnsafeStart(f"Helpline does not start:\n  {WHY}")


def _faults_of_database() -> list[str]:
    from helpline.people.models import User
    from helpline.people.restoring import WHY, is_restoring
    from helpline.people.rotation import faults
    from helpline.people.sealed import master_keys
    from helpline.people.wall_sql import faults_of_wall

    if is_restoring():
        return [WHY]
    found = [] if _fault_of_keys() else faults(master_keys(tuple(settings.HELPLINE_KEYS)))
    if User.objects.filter(is_demo=True, is_active=True).exists():
        found.append("There are demo accounts in this database, and this is not demo mode.")
    with connection.cursor() as cursor:
        cursor.execute(OWNS)
        row = cursor.fetchone()
    if row and row[0]:
        found.append("DATABASE_URL names a role that owns tables. The application's role runs and owns nothing.")
    return found + _faults_of_log() + faults_of_wall()


def _faults_of_log() -> list[str]:
    """What the server would write into its log of our statements, as the server itself says for our role."""
    if settings.DATABASE_LOG_TRUSTED:
        return []
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, current_setting(name, true) FROM unnest(%s) name", [list(QUIET_LOG)])
        loud = {name: value for name, value in cursor.fetchall() if value and value not in QUIET_LOG[name]}
    if not loud:
        return []
    wanted = ", ".join(f"{name} = {value} (should be {min(QUIET_LOG[name])})" for name, value in loud.items())
    return [f"The database would write what people type into its log: {wanted}. See docs/settings.md."]
