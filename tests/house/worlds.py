"""Two worlds side by side: ours, and that of the other unit and another agency; built once for all tests of a module."""

import dataclasses
import re
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.db import transaction
from django.http import SimpleCookie
from django.test import Client, override_settings
from django.utils import translation

from helpline.people import sealed
from helpline.people.models import Role, User
from intake.models import Case
from referrals.models import AgencyMember, PartnerAgency
from tests.conftest import call_maker, case_maker, made_cast
from tests.house.conftest import made_world

# Who in the other world does the work of whom in ours.
MIRROR = {"caseworker": "stranger", "manager": "other_manager", "partner": "other_partner"}
MIRROR |= {there: here for here, there in MIRROR.items()} | {"colleague": "stranger"}
FIRST = {"caseworker", "colleague", "manager", "partner"}
SECOND = {"stranger", "other_manager", "other_partner"}
NO_CONTENT = {"keeper", "coordinator", "reviewer"}  # who sees no word of any case
MARKS = {"first": "zebraone", "second": "zebratwo"}
# Who opened the protected case of the other world in an emergency: that one person, that one case.
EMERGENCY = {"first": "stranger", "second": "caseworker"}
# The sealed fields that hold words; numbers, answers and what is hashed are left as they are.
WORDS = {
    "what", "outcome", "urgency_reason", "caller_name", "safe_contact", "step_what", "actualisation_reason", "remark", "text",
    "why_not", "name", "words", "review_words", "reason", "ground_reason", "ask", "about", "happened", "wants", "fears", "tried",
    "dont_ask", "kept_back", "handled_by", "answer",
}  # fmt: skip
UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
HSTS = {"SECURE_HSTS_SECONDS": 31_536_000, "SECURE_SSL_REDIRECT": False}


def marked(mark: str):
    """Every word that is sealed while this holds says of which world it is."""

    def keep(row, field: str, text: str) -> str:
        return f"{text} {mark}" if field in WORDS and mark not in text else text

    return keep


def rows() -> set[str]:
    """The identity of every row of calls, cases and handovers, and the codes of the cases."""
    found = {str(code) for code in Case.objects.values_list("code", flat=True)}
    for model in apps.get_models():
        if model._meta.app_label in ("intake", "referrals") and model._meta.pk.get_internal_type() == "UUIDField":
            found |= {str(pk) for pk in model.objects.values_list("pk", flat=True)}
    return found


class Browser:
    """A client of https in which somebody is logged in, and as it was after the log-in for each request."""

    def __init__(self, user: User | None) -> None:
        self.client = Client()
        if user:
            self.client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        self.kept = {name: morsel.value for name, morsel in self.client.cookies.items()}

    def __getattr__(self, method: str):
        self.client.cookies = SimpleCookie(self.kept)
        return lambda url, *sent, **more: getattr(self.client, method)(url, *sent, secure=True, **more)


@pytest.fixture(scope="module")
def kept(django_db_setup, django_db_blocker):
    """The database, for all tests of a module, in a transaction that is rolled back at its end."""
    whole = transaction.atomic()
    whole._from_testcase = True  # as around Django's own tests: what must be outermost may be inside of it
    with django_db_blocker.unblock(), override_settings(**HSTS), translation.override("en"), whole:
        yield
        transaction.set_rollback(True)


@pytest.fixture(scope="module")
def worlds(kept):
    """Both, who plays in them, their browsers, and the rows that belong to each."""
    cast = made_cast()
    made, known = {}, rows()
    for name, team in (("first", cast), ("second", _other_team(cast))):
        sealed.KEPT.append(marked(MARKS[name]))
        try:
            make_call = call_maker(team)
            world = made_world(team, make_call, case_maker(team, make_call))
        finally:
            sealed.KEPT.pop()
        protected = {world.protected.code, str(world.protected.pk)}
        made[name] = SimpleNamespace(world=world, rows=rows() - known, protected=protected)
        known |= made[name].rows
    assert made["first"].rows and made["second"].rows
    people = cast.everybody()
    return SimpleNamespace(**made, cast=cast, theirs={who: Browser(user) for who, user in people.items()})


def _other_team(cast):
    agency = PartnerAgency.objects.filter(type=cast.agency.type).exclude(pk=cast.agency.pk).first()
    AgencyMember.objects.filter(user=cast.other_partner).update(agency=agency)
    return dataclasses.replace(
        cast, caseworker=cast.stranger, manager=cast.other_manager, stranger=cast.caseworker, other_manager=cast.manager,
        partner=cast.other_partner, other_partner=cast.partner, agency=agency, other_agency=cast.agency,
        unit=cast.other_unit, other_unit=cast.unit,
        colleague=User.objects.create(username="lena", role=Role.CASEWORKER, unit=cast.other_unit, language="en"),
    )  # fmt: skip


@pytest.fixture
def db(worlds):
    """In place of the usual one, which would shut the connection: the worlds, and nothing that a test does in them remains."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def foreign(who: str, answer, worlds) -> set[str]:
    """What in this answer belongs to somebody else: words, rows, codes of cases."""
    text = answer.content.decode(errors="replace") if not answer.streaming else ""
    text += answer.headers.get("Location", "")
    others = {name for name, team in (("first", FIRST), ("second", SECOND)) if who not in team}
    found = {MARKS[name] for name in others if MARKS[name] in text}
    if who not in NO_CONTENT:
        theirs = set().union(*(getattr(worlds, name).rows - _opened(who, name, worlds) for name in others))
        found |= theirs & (set(UUID.findall(text)) | {code for code in theirs if len(code) < 30 and code in text})
    return found


def _opened(who: str, name: str, worlds) -> set[str]:
    """The case of that world that this one opened in an emergency: its number stands in their lists, no word of it."""
    return getattr(worlds, name).protected if EMERGENCY[name] == who else set()
