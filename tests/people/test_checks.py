"""A production start refuses what is harmless only in the demo."""

import os
import subprocess
import sys
from types import SimpleNamespace

import pytest

from helpline.people import checks
from helpline.people.checks import production_is_safe, refuse_unsafe_start
from helpline.people.models import Role, User


@pytest.fixture
def production(monkeypatch):
    """A configuration that may start."""
    monkeypatch.setattr(sys, "argv", ["gunicorn"])
    made = SimpleNamespace(DEMO=False, DEBUG=False, SECRET_KEY="s" * 60, HELPLINE_KEYS=["one:" + "A" * 43 + "="])
    made.DATABASES = {"default": {"USER": "app"}, "owner": {"USER": "owner"}}
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


def test_one_role_for_both_is_refused(production, db):
    production.DATABASES["owner"]["USER"] = "app"
    assert found() == {"helpline.E004"}


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
    assert done.returncode == 1 and "DEBUG is on outside demo mode." in done.stderr, done.stderr
