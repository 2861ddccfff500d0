"""The cast, and a database that is made by its owner and used by the application's role, as in production."""

import datetime as dt
import gc
import os
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from django.conf import settings
from django.db import connection, connections
from django.test import Client, TransactionTestCase
from django.utils import translation

from helpline.people import clock
from helpline.people.models import Municipality, Role, Unit, User
from intake import actions as intake_actions
from intake.models import Call, Case
from intake.reference import load_municipalities, load_questions
from referrals.models import AgencyMember, PartnerAgency
from referrals.reference import load_agencies
from tests.emptying import empty, keep_copies

NO_ACTUALISATION = {"actualisation": "no", "actualisation_reason": "Advice alone."}
gc.set_threshold(100_000, 20, 100)  # a whole system is loaded: to walk through it often cost a seventh of all the time
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"  # Playwright runs a loop in the thread of the tests

# Tests make and empty the database as its owner; while they run they are the application's role.
_default, _owner = connections.settings["default"], connections.settings.pop("owner", None)
APP_LOGIN = {key: _default[key] for key in ("USER", "PASSWORD")}
if _owner:
    _default.update({key: _owner[key] for key in ("USER", "PASSWORD")})
settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
settings.HELPLINE_KEYS = settings.HELPLINE_KEYS or ["test:" + "A" * 43 + "="]
settings.DEMO = True
settings.REQUIRE_SECOND_FACTOR = False
settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock():
        with connection.cursor() as cursor:
            cursor.execute("SELECT tgname, tgrelid::regclass FROM pg_trigger WHERE tgname LIKE '%no_truncate%'")
            for trigger, table in cursor.fetchall():
                cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER {trigger}")
        connection.close()
        _default["OPTIONS"]["options"] += f" -c role={settings.APP_ROLE}"
        load_reference()
        keep_copies()
        TransactionTestCase._fixture_teardown = lambda test: empty()
    yield
    with django_db_blocker.unblock():
        connection.close()
    _default["OPTIONS"]["options"] = _default["OPTIONS"]["options"].removesuffix(f" -c role={settings.APP_ROLE}")


@pytest.fixture(autouse=True)
def swedish_by_default():
    """A test that switched the language leaves none behind."""
    with translation.override("en"):
        yield


def load_reference() -> None:
    """Municipalities, question sets and the standard directory: once for all tests; what a test changes of them is put back."""
    load_municipalities()
    load_questions()
    load_agencies()


@pytest.fixture
def reference(db):
    """A database with the reference data."""


@dataclass
class Cast:
    """Who plays. The others must see nothing."""

    caseworker: User
    colleague: User  # of the same unit
    manager: User
    stranger: User  # a caseworker of another unit
    other_manager: User
    partner: User
    other_partner: User
    keeper: User
    coordinator: User  # sees de-identified numbers
    reviewer: User  # sees logs, no content
    agency: PartnerAgency
    other_agency: PartnerAgency
    unit: Unit
    other_unit: Unit

    def everybody(self) -> dict[str, User]:
        return {name: value for name, value in vars(self).items() if isinstance(value, User)}


@pytest.fixture
def cast(reference) -> Cast:
    return made_cast()


def made_cast() -> Cast:
    """Everybody who plays, in a database with the reference data."""
    unit = Unit.objects.create(name="Helpline Skovde", municipality=Municipality.objects.get(pk="1496"), phone="0500-1")
    other = Unit.objects.create(name="Helpline Mariestad", municipality=Municipality.objects.get(pk="1493"))
    child = PartnerAgency.objects.get(name="Socialtjänst barn och unga, Falköping")
    exit_agency = PartnerAgency.objects.get(name="Avhopparstöd")

    def user(name: str, role: str, where: Unit | None = None) -> User:
        made = User(username=name, role=role, unit=where, email=f"{name}@example.com", first_name=name.title())
        made.language = "en"
        made.set_password("pw")
        made.save()
        return made

    made = Cast(
        caseworker=user("anna", Role.CASEWORKER, unit),
        colleague=user("bert", Role.CASEWORKER, unit),
        manager=user("cecilia", Role.MANAGER, unit),
        stranger=user("doris", Role.CASEWORKER, other),
        other_manager=user("erik", Role.MANAGER, other),
        partner=user("frida", Role.PARTNER),
        other_partner=user("gustav", Role.PARTNER),
        keeper=user("hanna", Role.KEEPER),
        coordinator=user("ingrid", Role.COORDINATOR),
        reviewer=user("jonas", Role.REVIEWER),
        agency=child,
        other_agency=exit_agency,
        unit=unit,
        other_unit=other,
    )
    AgencyMember.objects.create(user=made.partner, agency=child)
    AgencyMember.objects.create(user=made.other_partner, agency=exit_agency)
    return made


@pytest.fixture
def client_of() -> Callable[[User], Client]:
    """A browser without script in which this person is logged in."""

    def login(user: User) -> Client:
        client = Client()
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        return client

    return login


@pytest.fixture
def make_call(cast) -> Callable[..., Call]:
    """A call as it would be logged: facts by name, answers, notes."""
    return call_maker(cast)


def call_maker(cast: Cast) -> Callable[..., Call]:
    def make(by: User | None = None, answers=None, notes=None, **facts) -> Call:
        by = by or cast.caseworker
        call = intake_actions.start_call(by=by)
        facts = {"caller_type": "relative", "municipality_id": "1499", "age_band": "15-17", **NO_ACTUALISATION, **facts}
        if facts.get("caller_name"):  # who is known by name was told what that means
            answers = {"named": "said", **(answers or {})}
            facts = {"identity": "named", **facts}
        return intake_actions.save_call(by=by, call=call, facts=facts, answers=answers or {}, notes=notes or {})

    return make


@pytest.fixture
def make_case(make_call, cast) -> Callable[..., Case]:
    """A case, opened from a completed call."""
    return case_maker(cast, make_call)


def case_maker(cast: Cast, make_call: Callable[..., Call]) -> Callable[..., Case]:
    def make(by: User | None = None, urgency: str = "SKYNDSAM", **rest) -> Case:
        by = by or cast.caseworker
        call = make_call(by=by, urgency=urgency, urgency_reason="as told", **rest)
        call = intake_actions.complete_call(by=by, call=call)
        return Case.objects.select_related("key", "owner", "unit").get(pk=call.case_id)

    return make


@pytest.fixture
def at() -> Callable[[str], object]:
    """`with at("2026-11-23 14:05")`: it is that time in Sweden."""

    def moment(text: str):
        local = dt.datetime.fromisoformat(text)
        from django.utils import timezone

        return clock.at(timezone.make_aware(local, timezone.get_default_timezone()))

    return moment
