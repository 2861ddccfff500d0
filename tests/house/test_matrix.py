"""Every URL and method, as everybody: in one's own world, with what is the other unit's or the other agency's, and with what is
not there. Each cell is asked once, and of each answer all is looked at: status, headers, words and rows, where it leads."""

import datetime as dt
import re

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.urls import NoReverseMatch, reverse

from helpline.people import clock
from helpline.people.models import User
from referrals.models import AgencyMember
from tests.house.conftest import address
from tests.house.streets import ASKS_AGAIN, EVERYBODY, MORE_PAGES, OPEN, STREETS
from tests.house.test_headers import Addresses, faults, leads_away, linked_hosts
from tests.house.test_templates import strict  # noqa: F401
from tests.house.test_urls import ask, fits
from tests.house.worlds import EMERGENCY, MIRROR, SECOND, Browser, db, foreign, kept, worlds  # noqa: F401

ANYBODY = {name for name in STREETS if name.startswith(("account_", "portal:look", "portal:pre"))}
ANYBODY |= {"health", "livez", "language"}
NOWHERE = "00000000-0000-7000-8000-000000000000"
NOTHING = {"code": "ingen-alls-99", "key": "nothing", "pk": NOWHERE, "call": NOWHERE, "report": "987654321"}
NOTHING |= {"kind": "nothing", "amendment": "nothing", "token": "nothing", "agency": "987654321"}
NOTHING |= {"need": "nothing", "form": "csv", "day": "nothing"}
# Ways to a case of one's unit without its words: an emergency is no such way.
OF_THE_UNIT = {"intake:case-reason"}
TAKES_WORDS = {
    f"intake:{name}"
    for name in ("note-add", "contact-prepare", "contact-log", "number-show", "number-set", "step-plan")
}
# What was seen must be of every kind, the faults of a server too: /health/ says that parts are missing.
KINDS = {"GET": {200, 302, 403, 404, 405, 503}, "POST": {302, 403, 404, 405, 422}}


def nothing_at(name: str, street) -> str:
    """The address of something that is not there."""
    where = {part: NOTHING[part] for part in street.where}
    try:
        return reverse(name, kwargs=where)
    except NoReverseMatch:  # its rows are told apart by a number
        return reverse(name, kwargs={**where, "pk": "987654321"})


def plain(answer) -> tuple[int, bytes, dict[str, str]]:
    """An answer without what is drawn anew each time."""
    page = re.sub(rb'(csrfmiddlewaretoken" value="|X-CSRFToken": "|name="token" value=")[^"]+', rb"\1", answer.content)
    return answer.status_code, page, {name: value for name, value in answer.headers.items() if name != "Set-Cookie"}


def test_the_marks_are_found_where_they_belong(worlds, db):  # noqa: F811
    """So that the tests below find something, if it is there."""
    for world, who, whose in ((worlds.first, "partner", "caseworker"), (worlds.second, "other_partner", "stranger")):
        page = worlds.theirs[whose].get(reverse("intake:case", args=[world.world.case.slug]))
        assert page.status_code == 200
        assert foreign(who, page, worlds) == set() and foreign("keeper", page, worlds) != set()
        other = "partner" if who == "other_partner" else "other_partner"
        assert len(foreign(other, page, worlds)) > 3
    assert worlds.first.rows.isdisjoint(worlds.second.rows)


class Walk:
    """One person, one method, every address: what is wrong, and of which kinds the answers were."""

    def __init__(self, who: str, method: str, worlds) -> None:  # noqa: F811
        self.who, self.method, self.worlds, self.theirs = who, method, worlds, worlds.theirs[who]
        self.hosts = linked_hosts()
        self.wrong: dict[tuple[str, str], object] = {}
        self.kinds: set[int] = set()

    def look(self, name: str, of: str, url: str, expected: object):
        """One cell of the table, with all that can be said of its answer."""
        try:
            answer = ask(self.theirs, self.method, url)
        except AssertionError as error:  # a variable of a template that is misspelt
            self.wrong[name, of] = error
            return None
        self.kinds.add(answer.status_code)
        said = {
            "status": [] if fits(expected, answer) else [expected, answer.status_code, answer.get("Location")],
            "headers": faults(answer, name),
            "of others": foreign(self.who, answer, self.worlds),
            "leads away": self.leads_away(answer),
        }
        if any(said.values()):
            self.wrong[name, of] = {what: found for what, found in said.items() if found}
        return answer

    def leads_away(self, answer) -> list:
        if answer.status_code != 200 or not answer["Content-Type"].startswith("text/html"):
            return []
        page = Addresses(answer.content.decode())
        return [one for one in page.found if leads_away(*one, self.hosts)] + page.inline

    def own(self, name: str, street) -> None:
        """In one's own world; the other world's people are there what ours are here."""
        mirrored = self.who in SECOND and (street.where or self.who == "other_partner")
        expected = street.answer(self.method, MIRROR[self.who] if mirrored else self.who)
        world = self.worlds.second.world if self.who in SECOND else self.worlds.first.world
        self.look(name, "own", address(name, street, world), expected)

    def due(self, street, who: str):
        """What the table says of this one. Both partners lead their agencies here; one who does not is asked below."""
        answer = street.answer(self.method, who)
        if who == "other_partner" and answer in (403, "unqualified"):
            may = street.answer(self.method, "partner")
            return may if may in (403, 405) else 404
        return answer

    def others(self, name: str, street) -> None:
        """What is the others' is answered like what never was, word for word; also to a script of the page."""
        second = self.who in SECOND
        expected = self.due(street, self.who if second else MIRROR.get(self.who, self.who))
        if self.who == "colleague" and expected != 404:
            return
        url = address(name, street, (self.worlds.first if second else self.worlds.second).world)
        answer = self.look(name, "the others'", url, expected)
        absent = self.absent(name, street)
        if expected == 404 and answer and absent and plain(answer) != plain(absent):
            self.wrong[name, "tells"] = (plain(absent), plain(answer))
        if expected == 404:
            script = ask(self.theirs, self.method, url, headers={"HX-Request": "true"})
            if script.status_code != 404 or foreign(self.who, script, self.worlds):
                self.wrong[name, "to a script"] = script.status_code

    def absent(self, name: str, street):
        """What is not there, for whoever has the act."""
        expected = self.due(street, self.who)
        if expected not in (403, 405):
            expected = 302 if name in ASKS_AGAIN else 404
        return self.look(name, "absent", nothing_at(name, street), expected)


@pytest.mark.parametrize("who", EVERYBODY.split())
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_every_cell(method, who, worlds, db, strict):  # noqa: F811
    walk = Walk(who, method, worlds)
    for name, street in STREETS.items():
        walk.own(name, street)
        if street.where:
            walk.others(name, street)
    for name, street in MORE_PAGES:  # states that the table's own world does not show
        if method == "GET" and street.answer(method, MIRROR[who] if who in SECOND else who) == 200:
            walk.own(name, street)
    assert walk.wrong == {}
    assert walk.kinds >= KINDS[method]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_who_is_not_logged_in_is_sent_to_the_log_in(method, worlds, db):  # noqa: F811
    nobody, wrong = Browser(None), {}
    for name, street in STREETS.items():
        answer = ask(nobody, method, address(name, street, worlds.first.world))
        sent = answer.status_code == 302 and answer.url.startswith(f"{reverse(settings.LOGIN_URL)}?next=")
        if not (sent or name in OPEN) or faults(answer, name):
            wrong[name] = (answer.status_code, faults(answer, name))
    assert wrong == {}


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_who_leads_no_agency_is_refused_what_its_manager_may(method, worlds, db):  # noqa: F811
    """The table of the other agency's partner as it stands: made without the right of a manager."""
    AgencyMember.objects.filter(user=worlds.cast.other_partner).update(is_manager=False)
    wrong, refused = {}, 0
    for name, street in STREETS.items():
        expected = street.answer(method, "other_partner")
        if name.startswith("portal:"):
            answer = ask(worlds.theirs["other_partner"], method, address(name, street, worlds.first.world))
            refused += answer.status_code == 403
            if not fits(expected, answer):
                wrong[name] = (expected, answer.status_code)
    assert wrong == {} and refused > 2


# Pages that have nothing to read: who may not do it does not get the form.
ONLY_FORMS = {f"intake:{one}" for one in ("case-close", "case-safe", "case-track", "people", "concern-register")}
ONLY_FORMS |= {"referrals:choose", "referrals:ask-first"}


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("of", EMERGENCY)
def test_an_emergency_opens_one_case_to_one_person(of, method, worlds, db):  # noqa: F811
    """Whoever opened a protected case of the other unit reads what its owner reads, writes down words and steps, decides
    nothing, and gets nothing that is its manager's; nobody else of the other unit, and no other case."""
    mine, who = getattr(worlds, of), EMERGENCY[of]
    boss, wrong, let_in = {"stranger": "other_manager", "caseworker": "manager"}[who], {}, 0
    for name, street in STREETS.items():
        if street.where != {"code": "case.slug"}:
            continue
        url = reverse(name, kwargs={"code": mine.world.protected.slug})
        expected = street.answer(method, "caseworker") if name not in OF_THE_UNIT else 404
        if (method == "POST" and expected == "in" and name not in TAKES_WORDS) or name in ONLY_FORMS:
            expected = 403
        answer = ask(worlds.theirs[who], method, url)
        let_in += answer.status_code == 200
        if not fits(expected, answer):
            wrong[name, who] = (expected, answer.status_code, answer.get("Location"))
        for other, where in ((boss, url), (who, reverse(name, kwargs={"code": mine.world.case.slug}))):
            unit = street.answer(method, "other_manager" if other == boss else "stranger")
            answer = ask(worlds.theirs[other], method, where)
            if not fits(unit, answer):
                wrong[name, other, where == url] = (unit, answer.status_code)
    assert wrong == {}
    assert let_in > 1 or method == "POST"


# -- other ways of asking ---


def changes(found: list[str]):
    """Notes each statement that changes a row, but of what counts requests and sessions, and of the log."""
    quiet = ('"cache"', '"django_session"', '"people_logentry"', '"usersessions_usersession"')

    def look(execute, sql, params, many, context):
        if sql.lstrip().upper().startswith(("INSERT", "UPDATE", "DELETE")) and not any(table in sql for table in quiet):
            found.append(sql[:120])
        return execute(sql, params, many, context)

    return look


READS_PUT = {
    "account_reauthenticate"
}  # Django's own FormView reads it like POST: a form without words, which is refused


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "PUT", "PATCH", "DELETE"])
def test_other_methods_do_nothing(method, worlds, db):  # noqa: F811
    """HEAD is a look without its page; the others are refused, or lead where a look leads. None of them changes anything."""
    theirs = worlds.theirs
    wrong = {}
    for name, street in STREETS.items():
        who = next((one for one in EVERYBODY.split() if street.answer("GET", one) not in (403, 404, 405)), None)
        who = who or next((one for one in EVERYBODY.split() if street.answer("POST", one) not in (403, 404, 405)), None)
        who = who or next(
            one for one in EVERYBODY.split() if 403 not in (street.answer("GET", one), street.answer("POST", one))
        )
        url, found = address(name, street, worlds.first.world), []
        with connection.execute_wrapper(changes(found)):
            answer = ask(theirs[who], method, url)
        look = ask(theirs[who], "GET", url) if method == "HEAD" else None
        if look:
            fine = answer.status_code in (look.status_code, 405) and not answer.content
        elif name in READS_PUT and method == "PUT":
            fine = answer.status_code == 200 and not found
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
def test_a_form_from_elsewhere_is_refused_everywhere(key, worlds, db):  # noqa: F811
    """Without the key of the form, and with a wrong one: 403 on every address, whoever is logged in."""
    theirs = {}
    for who, user in worlds.cast.everybody().items():
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
                        address(name, street, worlds.first.world), **({"headers": {"X-CSRFToken": key}} if key else {})
                    )
                if (answer.status_code != 403 or found) and name not in WITHOUT_KEY:
                    wrong[name, method] = (answer.status_code, found)
    assert wrong == {}


def test_a_time_that_has_passed_shuts_every_door(worlds, db):  # noqa: F811
    """Access that was given until a day ends on that day, in the middle of a session."""
    theirs = worlds.theirs
    urls = {name: address(name, street, worlds.first.world) for name, street in STREETS.items()}
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
