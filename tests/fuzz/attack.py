"""Sends odd values to every field, every question of an address and every part of one; counts what came of it."""

import json
import time
from collections import Counter
from dataclasses import dataclass, field
from urllib.parse import quote, unquote, urlencode, urljoin, urlsplit

from django.db import connection, transaction
from django.http import QueryDict
from django.urls import Resolver404, resolve

from helpline.people.words import HOSTILE
from tests.fuzz.filled import Filled, rotated
from tests.house.streets import EVERYBODY, STREETS
from tests.house.test_bad_input import FORM

# Counters, sessions and the log: what is written of a request whatever becomes of it.
OF_EVERY_REQUEST = ('"cache"', '"django_session"', '"people_logentry"', '"usersessions_usersession"')
OF_EVERY_REQUEST += ('"referrals_firstlook" SET "wrong"',)  # how often a wrong code was tried
REFUSED = {400, 403, 404, 405, 413, 414, 422}
# Forms of a call: what is wrong stays out with 422, the rest of the words is kept. A handover is saved as a draft before it is
# sent: where what was written does not let it be sent, the draft has the words.
KEEP_THE_REST = ("intake:call", "referrals:call-signpost-leave", "referrals:send")
LET_IN = (200, 302, "in")


@dataclass
class Tally:
    """What one run found."""

    area: str
    asked: int = 0
    places: set = field(default_factory=set)
    statuses: Counter = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    closed: set = field(default_factory=set)  # forms that do not take what is valid in each of their fields
    began: float = field(default_factory=time.monotonic)

    def note(self, place: str, answer, wrote: list[str], what: str) -> None:
        """Count an answer; it is a fault where the server failed, or where a refusal changed something."""
        self.asked += 1
        self.places.add(place)
        self.statuses[answer.status_code] += 1
        if answer.status_code >= 500 and place != "health":
            self.faults.append(f"{place}: {answer.status_code} for {what[:300]}")
        if answer.status_code in REFUSED and wrote:
            self.faults.append(f"{place}: {answer.status_code}, and yet {wrote[0][:100]} for {what[:300]}")
        if b"Traceback (most recent" in getattr(answer, "content", b""):
            self.faults.append(f"{place}: a traceback is shown for {what[:300]}")

    def line(self) -> str:
        counted = ", ".join(f"{status}: {count}" for status, count in sorted(self.statuses.items()))
        spent = f"{time.monotonic() - self.began:6.0f} s"
        figures = f"{len(self.places):>4} places  {self.asked:>7} asked  {len(self.faults):>3} faults"
        return f"{self.area:<24} {figures}  {spent}  {counted}"


class Watched:
    """What is written, and which words are sealed, while a request is answered."""

    def __init__(self, monkeypatch) -> None:
        from helpline.people import sealed

        self.wrote: list[str] = []
        self._points: dict[str, int] = {}
        self.sealed: list[tuple[str, str]] = []
        monkeypatch.setattr(sealed, "KEPT", [*sealed.KEPT, self._sealed])

    def _sealed(self, row, name: str, text: str) -> str:
        self.sealed.append((f"{type(row).__name__}.{name}", text))
        return text

    def _execute(self, execute, sql, params, many, context):
        if sql.startswith("SAVEPOINT"):
            self._points[sql.split()[-1]] = len(self.wrote)
        if sql.startswith("ROLLBACK TO SAVEPOINT"):  # an action that was refused half-way has written nothing
            del self.wrote[self._points.get(sql.split()[-1], 0) :]
        changes = sql.lstrip().upper().startswith(("INSERT", "UPDATE", "DELETE"))
        if changes and not any(table in sql for table in OF_EVERY_REQUEST):
            self.wrote.append(f"{sql[:100]} {params}")
        return execute(sql, params, many, context)

    def send(self, client, method: str, url: str, body: str = "", **headers):
        """One request, of which nothing remains. A long address is one that no web server lets through."""
        self.wrote, self.sealed = [], []
        with transaction.atomic(), connection.execute_wrapper(self._execute):
            if method == "GET":
                answer = client.get(url, **headers)
            else:
                answer = client.post(url, data=body.encode("ascii"), content_type=FORM, **headers)
            if answer.status_code < 500:
                connection.check_constraints()
            transaction.set_rollback(True)
        return answer


def urlencoded(sent: dict[str, str]) -> str:
    """Values are as they come over the wire already."""
    return "&".join(f"{quote(name)}={value}" for name, value in sent.items())


def sent_texts(body: str) -> set[str]:
    """What a form may keep of what was sent: each value, with line ends of one kind, with and without its blank ends."""
    found = set()
    for values in QueryDict(body).lists():
        for value in values[1]:
            text = value.replace("\r\n", "\n").replace("\r", "\n")
            found |= {value, text, text.strip()}
    return found


def every_form(addresses, forms_at, watched: Watched, values: list[str]) -> Tally:
    """Each field of each form meets each value: what the fields take together reaches what stands behind the fields, and where
    that refuses it, one of them alone; what they refuse comes with the rest filled in. What is sealed is what was sent, letter
    for letter, or the form's own words."""
    tally = Tally("fields of forms")
    for name, client, url in addresses:
        for button, form, texts, others in forms_at(name, client, url):
            filled = Filled({one: field for one, field in {**texts, **others}.items() if one not in button})

            def post(
                odd: dict[str, str], turn: int, place=(name, client, url, form), button=button, filled=filled
            ) -> int:
                body = filled.body(odd, turn) + ("&" + urlencode(button) if button else "")
                return _posted(tally, watched, *place, body)

            if filled.fields and post({}, 0) >= 400 and post({}, 1) >= 400:
                tally.closed.add((name, form))
            for turn, taken, refused in filled.turns(values):
                if taken and post(taken, turn) == 422 and len(taken) > 1:
                    alone = list(taken)[turn % len(taken)]
                    post({alone: taken[alone]}, turn)
                if refused:
                    post(refused, turn)
    return tally


def _posted(tally: Tally, watched: Watched, name: str, client, url: str, form: str, body: str) -> int:
    """One form sent and looked at: its status."""
    answer = watched.send(client, "POST", url, body)
    tally.note(name, answer, [] if name.startswith(KEEP_THE_REST) else watched.wrote, f"{form}: {body}")
    sent = sent_texts(body)
    for where, kept in watched.sealed:
        if HOSTILE.search(kept):
            tally.faults.append(f"{name}: {where} keeps what cannot be kept: {kept[:80]!r}")
        for text in set() if kept in sent else words_of(kept):
            if odd(text) and text not in sent:
                tally.faults.append(f"{name}: {where} keeps other words than were sent: {text[:80]!r}")
    return answer.status_code


def words_of(kept: str) -> set[str]:
    """The words in what is sealed: a field of several parts, and an answer, are kept as JSON."""
    try:
        waiting = [json.loads(kept)]
    except ValueError:
        return {kept}
    found: set[str] = set()
    while waiting:
        one = waiting.pop()
        waiting += list(one.values()) if isinstance(one, dict) else one if isinstance(one, list) else []
        found |= {one} if isinstance(one, str) else set()
    return found


def odd(text: str) -> bool:
    """Whether this came from us and not from the program: its own sentences are of letters and plain marks."""
    return any(mark in text for mark in ("<", "alert(", "{{", "${", "DROP TABLE", "\u0301", "\ufeff"))


def stays(url: str, location: str) -> bool:
    """Whether a redirect stays with us, as a browser reads it: a word without a slash is a page beside this one, a backslash
    is a slash."""
    there = urlsplit(urljoin(f"https://here.example{url}", location.strip().replace("\\", "/")))
    return (there.scheme, there.netloc) == ("https", "here.example")


class Asked:
    """Finds the questions that a view reads of an address, by reading over its shoulder."""

    def __init__(self, monkeypatch) -> None:
        self.names: set[str] = set()
        for method in ("get", "getlist", "__getitem__", "__contains__"):
            original = getattr(QueryDict, method, None)

            def look(query, name, *rest, _original=original, **more):
                if isinstance(name, str):
                    self.names.add(name)
                return _original(query, name, *rest, **more)

            monkeypatch.setattr(QueryDict, method, look)

    def taken(self) -> set[str]:
        found, self.names = {name for name in self.names if name and name != "csrfmiddlewaretoken"}, set()
        return found


def who_looks(street) -> str | None:
    return next((one for one in EVERYBODY.split() if street.answer("GET", one) in LET_IN), None)


def every_question(clients, address_of, asked: Asked, watched: Watched, values: list[str], streets=None) -> Tally:
    """Each question that a page reads of its address, found by itself, meets each value; and many times over the same name."""
    tally = Tally("questions of addresses")
    for name, street in (streets or STREETS).items():
        who = who_looks(street)
        if who is None or name.startswith("account_"):
            continue
        client, url = clients[who], address_of(name, street)
        asked.taken()
        watched.send(client, "GET", url)
        watched.send(client, "GET", f"{url}?x=1")
        names = sorted(asked.taken())
        for turn in range(len(values)) if names else ():
            one = quote(names[turn % len(names)])
            thrice = "&".join(f"{one}={values[(turn + at) % len(values)]}" for at in range(3))
            for query in (urlencoded(rotated(names, values, turn)), thrice):
                answer = watched.send(client, "GET", f"{url}?{query}")
                tally.note(name, answer, watched.wrote, query)
                if answer.status_code in (301, 302, 303) and not stays(url, answer.url):
                    tally.faults.append(f"{name}: leads to {answer.url[:80]} for {query[:200]}")
    return tally


def every_part(clients, address_of, watched: Watched, values: list[str], streets=None) -> Tally:
    """Each part of each address that is not fixed meets each value, as a look and as a form. What no route takes is answered by
    the same page wherever it stands: each such value is sent once by each method."""
    tally = Tally("parts of addresses")
    nowhere: set[tuple[str, str]] = set()
    for name, street in (streets or STREETS).items():
        for method in ("GET", "POST"):
            who = next((one for one in EVERYBODY.split() if street.answer(method, one) not in (403, 405, 404)), None)
            if not street.where or who is None:
                continue
            url = address_of(name, street)
            for place in open_places(url):
                for value in values:
                    parts = url.split("/")
                    parts[place] = value
                    path = "/".join(parts)
                    if not is_taken(path):
                        if (method, value) in nowhere:
                            continue
                        nowhere.add((method, value))
                    answer = watched.send(clients[who], method, path, "")
                    found = watched.wrote if answer.status_code in REFUSED else []
                    tally.note(name, answer, found, path)
    return tally


def is_taken(path: str) -> bool:
    """Whether a route takes this path, read as a server reads it; what cannot be read is sent on."""
    try:
        resolve(unquote(path.partition("?")[0].partition("#")[0], errors="strict"))
    except Resolver404:
        return False
    except UnicodeDecodeError:
        return True
    return True


def open_places(url: str) -> list[int]:
    """Where in an address stand the parts that are not always the same."""
    held = {str(value) for value in resolve(url).kwargs.values()}
    return [place for place, part in enumerate(url.split("/")) if part in held]
