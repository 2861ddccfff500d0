"""Two worlds side by side: every URL with what belongs to the other unit and the other agency, and with what is not there."""

import dataclasses
import datetime as dt
import re
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.db import connection
from django.test import Client
from django.urls import reverse

from helpline.people import clock, sealed
from helpline.people.models import Role, User
from intake.models import Case
from referrals.models import AgencyMember, PartnerAgency
from tests.house.conftest import address, made_world
from tests.house.streets import EVERYBODY, MORE_PAGES, STREETS
from tests.house.test_urls import NUMBERED, ask, fits

# Who in the other world does the work of whom in ours.
MIRROR = {"caseworker": "stranger", "manager": "other_manager", "partner": "other_partner"}
MIRROR |= {there: here for here, there in MIRROR.items()} | {"colleague": "stranger"}
FIRST = {"caseworker", "colleague", "manager", "partner"}
SECOND = {"stranger", "other_manager", "other_partner"}
NO_CONTENT = {"keeper", "coordinator", "reviewer"}  # who sees no word of any case
MARKS = {"first": "zebraone", "second": "zebratwo"}
# The sealed fields that hold words; numbers, answers and what is hashed are left as they are.
WORDS = {
    *(
        "what",
        "outcome",
        "urgency_reason",
        "caller_name",
        "safe_contact",
        "step_what",
        "actualisation_reason",
        "remark",
        "text",
    ),
    *(
        "why_not",
        "name",
        "words",
        "review_words",
        "reason",
        "ground_reason",
        "ask",
        "about",
        "happened",
        "wants",
        "fears",
    ),
    *("tried", "dont_ask", "kept_back", "handled_by", "answer"),
}
UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
ANYBODY = {name for name in STREETS if name.startswith(("account_", "portal:look", "portal:pre"))}
ANYBODY |= {"health", "livez", "language"}
NOWHERE = "00000000-0000-7000-8000-000000000000"
NOTHING = {"code": "ingen-alls-99", "key": "nothing", "pk": NOWHERE, "call": NOWHERE, "report": "987654321"}
NOTHING |= {"kind": "nothing", "amendment": "nothing", "token": "nothing", "agency": "987654321", "need": "nothing"}


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


@pytest.fixture
def worlds(cast, make_call, make_case):
    """Ours, and that of the other unit and another agency; with the rows that belong to each."""
    agency = PartnerAgency.objects.filter(type=cast.agency.type).exclude(pk=cast.agency.pk).first()
    AgencyMember.objects.filter(user=cast.other_partner).update(agency=agency)
    theirs = dataclasses.replace(
        cast, caseworker=cast.stranger, manager=cast.other_manager, stranger=cast.caseworker, other_manager=cast.manager,
        partner=cast.other_partner, other_partner=cast.partner, agency=agency, other_agency=cast.agency,
        unit=cast.other_unit, other_unit=cast.unit,
        colleague=User.objects.create(username="lena", role=Role.CASEWORKER, unit=cast.other_unit, language="en"),
    )  # fmt: skip
    made, known = {}, rows()
    for name, team in (("first", cast), ("second", theirs)):
        sealed.KEPT.append(marked(MARKS[name]))
        try:
            world = made_world(
                team,
                lambda by=None, _by=team.caseworker, **facts: make_call(by=by or _by, **facts),
                lambda by=None, _by=team.caseworker, **facts: make_case(by=by or _by, **facts),
            )
        finally:
            sealed.KEPT.pop()
        made[name] = SimpleNamespace(world=world, rows=rows() - known)
        known |= made[name].rows
        # Who opened a protected case of the other unit in an emergency reads it: that one belongs to both.
        made[name].rows -= {world.protected.code, str(world.protected.pk)} if hasattr(world, "protected") else set()
    assert made["first"].rows and made["second"].rows
    return SimpleNamespace(**made)


def foreign(who: str, answer, worlds) -> set[str]:
    """What in this answer belongs to somebody else: words, rows, codes of cases."""
    text = answer.content.decode(errors="replace") if not answer.streaming else ""
    text += answer.headers.get("Location", "")
    others = {name for name, team in (("first", FIRST), ("second", SECOND)) if who not in team}
    found = {MARKS[name] for name in others if MARKS[name] in text}
    if who not in NO_CONTENT:
        theirs = set().union(*(getattr(worlds, name).rows for name in others))
        found |= theirs & (set(UUID.findall(text)) | {code for code in theirs if len(code) < 30 and code in text})
    return found


def nothing_at(name: str, street) -> str:
    """The address of something that is not there."""
    here = {**NOTHING, "pk": "987654321"} if name.startswith(NUMBERED) else NOTHING
    return reverse(name, kwargs={part: here[part] for part in street.where})


def plain(answer) -> tuple[int, bytes, dict[str, str]]:
    """An answer without what is drawn anew each time."""
    page = re.sub(rb'(csrfmiddlewaretoken" value="|X-CSRFToken": "|name="token" value=")[^"]+', rb"\1", answer.content)
    return answer.status_code, page, {name: value for name, value in answer.headers.items() if name != "Set-Cookie"}


def test_the_marks_are_found_where_they_belong(worlds, cast, client_of):
    """So that the tests below find something, if it is there."""
    for world, who, user in (
        (worlds.first, "partner", cast.caseworker),
        (worlds.second, "other_partner", cast.stranger),
    ):
        page = client_of(user).get(reverse("intake:case", args=[world.world.case.slug]))
        assert page.status_code == 200
        assert foreign(who, page, worlds) == set() and foreign("keeper", page, worlds) != set()
        other = "partner" if who == "other_partner" else "other_partner"
        assert len(foreign(other, page, worlds)) > 3
    assert worlds.first.rows.isdisjoint(worlds.second.rows)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_what_belongs_to_the_others(method, worlds, cast, client_of):
    """The table, read from the other side: what is the other unit's or the other agency's is not there, and answers word for
    word like what never was; also to a script of the page. Who belongs there gets what the table says."""
    theirs = {who: client_of(user) for who, user in cast.everybody().items()}
    wrong, refused = {}, 0
    for name, street in STREETS.items():
        if not street.where or (name, method) == ("account_logout", "POST"):
            continue
        url = address(name, street, worlds.second.world)
        for who in EVERYBODY.split():
            expected = street.answer(method, MIRROR.get(who, who))
            if expected == 403 or who == "colleague" and expected != 404:
                continue
            answer = ask(theirs[who], method, url)
            if not fits(expected, answer):
                wrong[name, who] = (expected, answer.status_code, answer.headers.get("Location", ""))
            if found := foreign(who, answer, worlds):
                wrong[name, who, "shows"] = found
            if expected == 404:
                refused += 1
                absent = ask(theirs[who], method, nothing_at(name, street))
                if plain(absent) != plain(answer):
                    wrong[name, who, "tells"] = (plain(absent), plain(answer))
                script = getattr(theirs[who], method.lower())(url, headers={"HX-Request": "true"})
                if script.status_code != 404 or foreign(who, script, worlds):
                    wrong[name, who, "to a script"] = script.status_code
    assert wrong == {}
    assert refused > 50


def test_no_page_shows_what_belongs_to_the_others(worlds, cast, client_of):
    """Every list and every page that somebody is shown, with both worlds beside each other in the database."""
    wrong, seen = {}, 0
    for who in EVERYBODY.split():
        client = client_of(cast.everybody()[who])
        world = worlds.second.world if who in SECOND else worlds.first.world
        for name, street in [*STREETS.items(), *MORE_PAGES]:
            if street.answer("GET", MIRROR[who] if who in SECOND else who) != 200:
                continue
            answer, seen = ask(client, "GET", address(name, street, world)), seen + 1
            if found := foreign(who, answer, worlds):
                wrong[name, who] = found
    assert wrong == {} and seen > 100


# -- other ways of asking ---


def changes(found: list[str]):
    """Notes each statement that changes a row, but of what counts requests and sessions, and of the log."""
    quiet = ('"cache"', '"django_session"', '"people_logentry"', '"usersessions_usersession"')

    def look(execute, sql, params, many, context):
        if sql.lstrip().upper().startswith(("INSERT", "UPDATE", "DELETE")) and not any(table in sql for table in quiet):
            found.append(sql[:120])
        return execute(sql, params, many, context)

    return look


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "PUT", "PATCH", "DELETE"])
def test_other_methods_do_nothing(method, cast, client_of, address_of):
    """HEAD is a look without its page; the others are refused, or lead where a look leads. None of them changes anything."""
    theirs = {who: client_of(user) for who, user in cast.everybody().items()}
    wrong = {}
    for name, street in STREETS.items():
        who = next((one for one in EVERYBODY.split() if street.answer("GET", one) not in (403, 404, 405)), None)
        who = who or next((one for one in EVERYBODY.split() if street.answer("POST", one) not in (403, 404, 405)), None)
        who = who or next(
            one for one in EVERYBODY.split() if 403 not in (street.answer("GET", one), street.answer("POST", one))
        )
        url, found = address_of(name, street), []
        with connection.execute_wrapper(changes(found)):
            answer = ask(theirs[who], method, url)
        look = ask(theirs[who], "GET", url) if method == "HEAD" else None
        if look:
            fine = answer.status_code in (look.status_code, 405) and not answer.content
        elif answer.status_code in (200, 204):  # only to say what is possible
            fine = method == "OPTIONS" and not answer.content and "Allow" in answer
        else:
            fine = answer.status_code in (403, 404, 405) or (
                answer.status_code == 302 and method != "HEAD" and not found
            )
        if not fine or (found and method != "HEAD"):
            wrong[name, who] = (answer.status_code, look and look.status_code, found)
    assert wrong == {}


WITHOUT_KEY = {"portal:pre"}  # no session and no cookie: the link alone is what may be done


@pytest.mark.parametrize("key", ["", "x" * 64])
def test_a_form_from_elsewhere_is_refused_everywhere(key, cast, address_of):
    """Without the key of the form, and with a wrong one: 403 on every address, whoever is logged in."""
    theirs = {}
    for who, user in cast.everybody().items():
        theirs[who] = Client(enforce_csrf_checks=True)
        theirs[who].force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    wrong = {}
    for name, street in STREETS.items():
        who = next(
            (one for one in EVERYBODY.split() if street.answer("POST", one) not in (403, 404, 405)), "caseworker"
        )
        for client in (theirs[who], Client(enforce_csrf_checks=True)):
            for method in ("post",) if key else ("post", "put", "patch", "delete"):
                found: list[str] = []
                with connection.execute_wrapper(changes(found)):
                    answer = getattr(client, method)(
                        address_of(name, street), **({"headers": {"X-CSRFToken": key}} if key else {})
                    )
                if (answer.status_code != 403 or found) and name not in WITHOUT_KEY:
                    wrong[name, method] = (answer.status_code, found)
    assert wrong == {}


def test_a_time_that_has_passed_shuts_every_door(cast, client_of, address_of):
    """Access that was given until a day ends on that day, in the middle of a session."""
    theirs = {who: client_of(user) for who, user in cast.everybody().items()}
    urls = {name: address_of(name, street) for name, street in STREETS.items()}
    User.objects.update(access_until=clock.today() - dt.timedelta(days=1))
    wrong = {}
    for name, street in STREETS.items():
        for method in ("GET", "POST"):
            who = next((one for one in EVERYBODY.split() if street.answer(method, one) not in (403, 404, 405)), None)
            if who is None or name in ANYBODY:
                continue
            answer = ask(theirs[who], method, urls[name])
            to_login = answer.status_code == 302 and answer.url.startswith(reverse("account_login"))
            if not to_login and answer.status_code != 403:
                wrong[name, method] = answer.status_code
    assert wrong == {}
