"""A production start refuses what is harmless only in the demo."""

import json
import logging
import os
import subprocess
import sys
from types import SimpleNamespace

import pytest
from django.conf import settings
from django.db import OperationalError, connection

from helpline.people import checks
from helpline.people.checks import production_is_careful, production_is_safe, refuse_unsafe_start
from helpline.people.logs import QuietFormatter
from helpline.people.models import Role, User


@pytest.fixture
def production(monkeypatch):
    """A configuration that may start."""
    made = SimpleNamespace(DEMO=False, DEBUG=False, SECRET_KEY="s" * 60, HELPLINE_KEYS=["one:" + "A" * 43 + "="])
    made.ALLOWED_HOSTS, made.SITE_URL = ["helpline.example.se"], "https://helpline.example.se"
    made.EMAIL_HOST, made.EMAIL_USE_TLS, made.DATABASE_LOG_TRUSTED = "localhost", False, True
    made.REQUIRE_SECOND_FACTOR, made.IDLE_MINUTES, made.OIDC_ISSUER = True, 30, "https://login.example.se"
    made.LOG_HEAD_TO, made.LOG_HEAD_FILE = ["heads@example.se"], ""
    monkeypatch.setattr(checks, "settings", made)
    return made


def found() -> set[str]:
    return {error.id for error in production_is_safe()}


def test_a_whole_configuration_starts(production, db):
    assert found() == set()
    refuse_unsafe_start()


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("DEBUG", True, "helpline.E001"),
        ("SECRET_KEY", "unset-refused-in-production-by-helpline.checks", "helpline.E002"),
        ("HELPLINE_KEYS", [], "helpline.E003"),
        ("HELPLINE_KEYS", ["one:short"], "helpline.E003"),
        ("HELPLINE_KEYS", ["one:not base64!"], "helpline.E003"),
        ("ALLOWED_HOSTS", ["*"], "helpline.E004"),
        ("REQUIRE_SECOND_FACTOR", False, "helpline.E005"),
        ("IDLE_MINUTES", 0, "helpline.E006"),
        ("IDLE_MINUTES", 121, "helpline.E006"),
        ("OIDC_ISSUER", "http://login.example.se", "helpline.E007"),
    ],
)
def test_each_fault_is_refused_alone(name, value, error, production, db):
    setattr(production, name, value)
    assert found() == {error}
    with pytest.raises(SystemExit, match="does not start"):
        refuse_unsafe_start()
    production.DEMO = True
    assert found() == set()


def test_the_default_secret_is_the_one_that_is_refused():
    code = "from helpline import settings; print(settings.SECRET_KEY.startswith('unset-'))"
    bare = {name: value for name, value in os.environ.items() if name != "SECRET_KEY"}
    done = subprocess.run([sys.executable, "-c", code], env=bare, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True"


def test_a_role_that_owns_tables_is_refused(production, db):
    with connection.cursor() as cursor:
        cursor.execute("SET ROLE NONE")  # the owner, as whom the tests log in
        try:
            with pytest.raises(SystemExit, match="owns tables"):
                refuse_unsafe_start()
        finally:
            cursor.execute(f"SET ROLE {settings.APP_ROLE}")
    refuse_unsafe_start()


def test_a_database_that_does_not_answer_is_no_reason_to_trust_it(production, monkeypatch):
    def down() -> list[str]:
        raise OperationalError

    monkeypatch.setattr(checks, "_faults_of_database", down)
    with pytest.raises(SystemExit, match="does not answer"):
        refuse_unsafe_start()


# -- the database's own log ---


def test_the_log_of_the_database_at_hand_is_quiet(production, db):
    """The server of the tests is the one that `make run` starts: the start looks, and finds nothing."""
    if not os.environ.get("HELPLINE_VAR"):
        pytest.skip("the tests run on somebody else's server")
    production.DATABASE_LOG_TRUSTED = False
    refuse_unsafe_start()


@pytest.mark.parametrize("name", [name for name in checks.QUIET_LOG if not name.startswith("auto_explain")])
def test_a_loud_log_is_refused_by_its_name(name, production, db, monkeypatch):
    """The server is asked for each: what it answers is what stands in the refusal."""
    production.DATABASE_LOG_TRUSTED = False
    monkeypatch.setattr(checks, "QUIET_LOG", {name: {"never this"}})
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting(%s, true)", [name])
        is_now = cursor.fetchone()[0]
    if is_now is None:  # this version of the server has it not
        return refuse_unsafe_start()
    with pytest.raises(SystemExit, match="what people type into its log") as refused:
        refuse_unsafe_start()
    assert f"{name} = {is_now} (should be never this)" in str(refused.value.args or refused.value)
    production.DATABASE_LOG_TRUSTED = True
    refuse_unsafe_start()


def test_a_loud_log_is_no_matter_in_the_demo(production, db, monkeypatch):
    monkeypatch.setattr(checks, "QUIET_LOG", {"log_statement": {"never this"}})
    production.DATABASE_LOG_TRUSTED, production.DEMO = False, True
    refuse_unsafe_start()


def test_what_a_statement_needs_to_be_written_is_all_asked_for():
    """`make run` sets the four that matter on its own server, to values that the start takes."""
    from helpline.local.postgres import SETTINGS

    ours = {name: value for name, value in SETTINGS.items() if name in checks.QUIET_LOG}
    assert len(ours) == 4 and all(value in checks.QUIET_LOG[name] for name, value in ours.items())


# -- what check --deploy warns of ---


@pytest.mark.parametrize(
    ("changed", "warning"),
    [
        ({}, set()),
        ({"SITE_URL": "http://helpline.example.se"}, {"helpline.W001"}),
        ({"EMAIL_HOST": "mail.example.se"}, {"helpline.W002"}),
        ({"EMAIL_HOST": "10.0.0.4"}, {"helpline.W002"}),
        ({"EMAIL_HOST": "127.0.0.1"}, set()),
        ({"EMAIL_HOST": "mail.example.se", "EMAIL_USE_TLS": True}, set()),
    ],
)
def test_what_is_in_the_clear_is_warned_of(changed, warning, production):
    vars(production).update(changed)
    assert {found.id for found in production_is_careful()} == warning
    production.DEMO = True
    assert production_is_careful() == []


def test_demo_accounts_are_refused(production, db):
    User.objects.create(username="caseworker", role=Role.KEEPER, is_demo=True)
    with pytest.raises(SystemExit, match="demo accounts"):
        refuse_unsafe_start()
    User.objects.update(is_active=False)
    refuse_unsafe_start()
    User.objects.update(is_active=True)
    production.DEMO = True
    refuse_unsafe_start()


@pytest.mark.parametrize("program", ["helpline.wsgi", "helpline.celery"])
def test_the_programs_ask_before_they_start(program):
    """Each program that serves calls refuse_unsafe_start; the web server refuses at once."""
    code = f"import django, {program}"
    unsafe = {
        **os.environ,
        "DEMO": "",
        "DEBUG": "1",
        "SECRET_KEY": "s" * 60,
        "DJANGO_SETTINGS_MODULE": "helpline.settings",
    }
    if program == "helpline.celery":
        code += "; django.setup(); from celery.signals import worker_init, beat_init; worker_init.send(sender=None)"
    done = subprocess.run([sys.executable, "-c", code], env=unsafe, capture_output=True, text=True, check=False)
    assert done.returncode == 3 and "DEBUG is on outside demo mode." in done.stderr, done.stderr


def test_nowhere_to_publish_the_head_of_the_log_is_warned_of(production):
    assert production_is_careful() == []
    production.LOG_HEAD_TO = []
    assert [one.id for one in production_is_careful()] == ["helpline.W003"]
    production.LOG_HEAD_FILE = "/elsewhere/heads"
    assert production_is_careful() == []


def test_the_cookie_of_the_language_is_bound_to_the_host():
    code = "from helpline import settings; print(settings.LANGUAGE_COOKIE_NAME, settings.SESSION_COOKIE_SECURE)"
    bare = {name: value for name, value in os.environ.items() if name not in ("DEMO", "DEBUG")}
    done = subprocess.run([sys.executable, "-c", code], env=bare, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "__Host-lang True"


def test_the_time_of_a_line_says_its_zone():
    record = logging.LogRecord("x", logging.WARNING, "f", 1, "said", (), None)
    assert json.loads(QuietFormatter().format(record))["at"].endswith("+00:00")
