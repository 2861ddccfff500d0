"""What was typed stands in no log, mail, metric, task, address or title, whatever goes wrong: the whole house, searched."""

# ruff: noqa: E501
import email
import email.policy
import os
import re
import signal
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote, quote_plus

import psycopg2
import pytest
import redis
from django.conf import settings
from django.db import connection, connections
from django.urls import reverse
from playwright.sync_api import Error, expect

from helpline.people import clock
from intake import actions as calls
from intake.models import Call, Case, Reminder
from referrals import actions
from referrals.models import PartnerAgency, Referral

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

CANARIES = {
    "name": "Ingegärd Malmkvistsson",
    "personal number": "19850412-2386",
    "phone": "070-174 06 35",
    "note": "Han har rakat huvudet och gömt ett gevär i ladan",
    "reason": "Råd räckte inte den här gången, sa hon",
    "remark": "Svågern har setts med Vitgardet",
    "card": "Träffa mamman hos mormodern på Zebragatan",
    "consent": "Hon sade ja vid köksbordet i tisdags",
    "agency": "Vi ringde henne från trappuppgången",
    "answer": "Hon vill tala med Gunborg på BUP",
    "outcome": "Hon svarade viskande",
    "search": "Torbjörnsdotter Quist",
    "refused": "Utropstecknet i köket\u202e",
    "decision": "Dottern Alfhild far illa om det blir känt",
    "masked": "Grannen med den gröna pumpen",
    "objection": "Det var inte alls på Smörgatan",
    "password": "fel-lösenord-Mandelblom",
    "address": "Kastanjevägen-sjutton",
}


def shapes(text: str) -> set[bytes]:
    """How a text may stand somewhere: as it is, as in an address, in a JSON or Python literal, without spaces, in upper bytes."""
    text = text.replace("\u202e", "")
    digits = re.sub(r"\D", "", text)
    found = {
        text,
        quote(text),
        quote_plus(text),
        text.encode("unicode_escape").decode(),
        ascii(text)[1:-1],
        repr(text)[1:-1],
    }
    found |= {text.encode("utf-8").hex(), text.replace(" ", "")}
    if len(digits) > 7 and len(digits) > len(text) / 2:
        found |= {digits, f"+46{digits[1:]}"}
    whole = {one.encode() for one in found} | {text.encode("latin-1", "ignore"), text.encode("utf-16-le")}
    return {one for one in whole if len(one) > 6}


def leaks(places: dict[str, bytes]) -> list[tuple[str, str]]:
    """Which canary stands in which place."""
    return [
        (place, name)
        for place, data in places.items()
        for name, text in CANARIES.items()
        if any(shape in data for shape in shapes(text))
    ]


@pytest.mark.parametrize("name", CANARIES)
def test_the_search_finds_what_is_there(name):
    """Each canary, in each of its shapes, in the middle of a log; and nothing in an empty one."""
    assert leaks({"a log": b'{"level": "WARNING"}\n' * 50}) == []
    for shape in shapes(CANARIES[name]):
        assert (("a log", name)) in leaks({"a log": b"x" * 1000 + shape + b"\n"}), shape


# -- what goes wrong ---

FAULT_TABLE = "people_notice"


@contextmanager
def owner():
    """A connection of the owner of the tables."""
    made = psycopg2.connect(**{**_dsn(), **_owner()})
    made.autocommit = True
    try:
        with made.cursor() as cursor:
            yield cursor
    finally:
        made.close()


def _dsn() -> dict[str, object]:
    kept = connection.settings_dict
    return {"host": kept["HOST"], "port": kept["PORT"], "dbname": kept["NAME"]}


def _owner() -> dict[str, object]:
    kept = connections.settings["default"]
    return {"user": kept["USER"], "password": kept["PASSWORD"]}


BROKEN = {
    # a row that the database refuses, with the row in what it says of it (SQLSTATE 23514)
    "row": "RAISE EXCEPTION 'new row violates check' USING ERRCODE = '23514', DETAIL = 'Failing row contains (' || {words} || ')'",
    # the database is called away in the middle of it
    "away": "PERFORM pg_terminate_backend(pg_backend_pid())",
}


@contextmanager
def broken(table: str, how: str, words: str):
    """Each row that is written to this table fails, with words that were typed in the detail of the fault."""
    body = BROKEN[how].format(words="'" + words.replace("'", "''") + "'")
    with owner() as cursor:
        cursor.execute(
            f"CREATE FUNCTION test_broken() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body}; RETURN NEW; END $$;"
            f"CREATE TRIGGER test_broken BEFORE INSERT OR UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION test_broken()"
        )
        if how == "away":
            cursor.execute("ALTER FUNCTION test_broken() SECURITY DEFINER")
    try:
        yield
    finally:
        with owner() as cursor:
            cursor.execute(f"DROP TRIGGER test_broken ON {table}; DROP FUNCTION test_broken()")


# -- the story ---


class Watched:
    """Every address, title, cookie and word of the browser's own store that the pages of the story had."""

    def __init__(self, person) -> None:
        self.person, self.found, self.hosts = person, [], set()
        person.page.on("request", self._asked)
        person.page.on("framenavigated", lambda _frame: self.note())
        person.page.on("console", lambda message: self.found.append(message.text))

    def _asked(self, request) -> None:
        self.found.append(request.url)
        self.hosts.add(re.sub(r"^(\w+://[^/]*).*", r"\1", request.url) if "://" in request.url else "data:")
        self.found.append(request.headers.get("referer", ""))

    def note(self) -> None:
        """What the browser keeps now."""
        page = self.person.page
        try:
            self.found.append(page.title())
            self.found.append(
                page.evaluate(
                    "() => JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie, location.href, history.state])"
                )
            )
            self.found.append(str(list(self.person.context.cookies())))
        except Error:  # the page is gone already: what it had was noted when it came
            return

    @property
    def data(self) -> bytes:
        self.note()
        return "\n".join(self.found).encode()


def post(person, path: str, **fields: str):
    """A form of the page at which this one is, sent from their browser; where it led is not followed."""
    key = re.search(r'X-CSRFToken": "(\w+)"', person.page.content().replace("&quot;", '"'))
    assert key, person.page.url
    form = {**fields, "csrfmiddlewaretoken": key[1]}
    return person.context.request.post(f"{person.url}{path}", form=form, max_redirects=0)


def filled(person, path: str, **fields: str) -> dict[str, str]:
    """A form of the page, as it stands there, with these words in it."""
    has = "path => Object.fromEntries(new FormData(document.querySelector(`form[action='${path}']`)))"
    return {**person.page.evaluate(has, path), **fields}


def shows_nothing(page: str) -> None:
    """A page of a fault: nothing of what was sent, of the database, or of the program."""
    assert not any(shape in page.encode() for text in CANARIES.values() for shape in shapes(text))
    assert not re.search(
        r"Traceback|psycopg2|IntegrityError|OperationalError|DETAIL|/helpline/|referrals_|intake_", page
    ), page


def a_call(anna) -> Case:
    """The call, as the page sends it: saved as it goes on, refused at a field, completed."""
    anna.go("/my-day/")
    anna.page.keyboard.press("n")
    anna.page.wait_for_url(re.compile(r"/calls/[0-9a-f-]+/"))
    call = f"/calls/{Call.objects.get().pk}"
    facts = {"caller_type": "relative", "track": "B", "municipality": "1499", "age_band": "15-17", "urgency": "SKYNDSAM",
             "actualisation": "no", "actualisation_reason": CANARIES["reason"], "a.named": "said", "identity": "named",
             "caller_name": CANARIES["name"], "phone": CANARIES["phone"], "safe_contact": CANARIES["outcome"]}  # fmt: skip
    words = {
        "n.seen": f"{CANARIES['note']}. {CANARIES['personal number']}",
        "a.r_event": "yes",
        "r.r_event": CANARIES["remark"],
    }
    assert (
        post(
            anna,
            reverse("intake:call-save", args=[call.split("/")[2]]),
            **facts,
            **words,
            **{"n.told": CANARIES["refused"]},
        ).status
        == 422
    )
    done = post(
        anna,
        reverse("intake:call-complete", args=[call.split("/")[2]]),
        **facts,
        **words,
        **{"n.told": CANARIES["answer"]},
    )
    assert done.status in (302, 303), done.text()[:3000]
    anna.go(done.headers["location"])
    case = Case.objects.get()
    anna.go(f"/cases/{case.slug}/")
    expect(anna.page.locator("main")).to_contain_text(CANARIES["note"])
    return case


def test_nothing_that_was_typed_is_anywhere(enter, line, cast, worker_and_beat, tmp_path):
    anna = enter("anna")
    watched = [Watched(anna)]
    case = a_call(anna)
    pages_and_faults(anna, case, line)
    sent = a_handover(anna, case)
    frida = enter("frida")
    watched.append(Watched(frida))
    the_agency_writes(frida, sent)
    tasks_fail(case, worker_and_beat)
    cecilia = enter("cecilia")
    watched.append(Watched(cecilia))
    extracts(cecilia, case, a_call_without_a_case(case))
    strangers(enter, line, watched)
    everything = places(line, worker_and_beat)
    for person, path in ((anna, f"/handovers/{sent.pk}/"), (anna, "/my-day/"), (frida, "/portal/")):
        person.go(path)
    everything |= {f"browser {at}": one.data for at, one in enumerate(watched)}
    assert leaks(everything) == []
    sees_what_is_there(everything, case, line)
    for one in watched:  # every request of every page went to us
        assert one.hosts <= {line.url, "data:"}, one.hosts
    for person in (anna, frida, cecilia):
        person.faults.clear()  # the browser's own lines about answers of 500 and 404


def pages_and_faults(anna, case: Case, line) -> None:
    """A form that fails in the database with the words in the detail of the fault, and one under which it goes away."""
    add = reverse("intake:note-add", args=[case.slug])
    for how, status in (("row", 500), ("away", 503)):
        with broken("intake_note", how, CANARIES["note"]):
            answer = post(anna, add, kind="told", text=CANARIES["remark"])
        assert answer.status == status, (how, answer.status)
        shows_nothing(answer.text())
        assert answer.headers["cache-control"] == "no-store" and "content-security-policy" in answer.headers
    assert post(anna, add, kind="told", text=CANARIES["remark"]).status in (302, 303)
    assert post(anna, add, kind="no such kind", text=CANARIES["remark"]).status == 422
    anna.go(f"/cases/{case.slug}/")
    expect(anna.page.locator("main")).to_contain_text(CANARIES["remark"])
    # What is far too large, what is no form, and what has a file in it.
    large = too_large(anna, f"{line.url}{add}")
    assert large.status == 400
    shows_nothing(large.text())
    file = {"name": "a.txt", "mimeType": "text/plain", "buffer": CANARIES["note"].encode()}
    sent = anna.context.request.post(f"{line.url}{add}", multipart={"text": CANARIES["remark"], "file": file})
    assert sent.status == 400 and "Filer tas inte emot" in sent.text()
    shows_nothing(sent.text())


def too_large(anna, url: str):
    """The answer to a form that is far too large: the server may hang up before it is sent to its end, and then it is sent again."""
    sent = {"data": "text=" + quote(CANARIES["note"]) * 200_000,
            "headers": {"Content-Type": "application/x-www-form-urlencoded"}}  # fmt: skip
    for _turn in range(20):
        try:
            return anna.context.request.post(url, **sent)
        except Error as error:
            assert "EPIPE" in str(error) or "ECONNRESET" in str(error), error
    raise AssertionError("it never answered")


def a_handover(anna, case: Case) -> Referral:
    """A handover with a card, and the words of its ground: it fails once in the database, and is sent then."""
    agency = PartnerAgency.objects.get(name="Socialtjänst barn och unga, Falköping")
    draft = actions.draft_referral(by=case.owner, case=case, agency=agency, need="child_protection")
    anna.go(f"/handovers/{draft.pk}/")
    has = "() => Object.fromEntries(new FormData(document.querySelector('[name=ask]').form))"
    card = {**anna.page.evaluate(has), "ground": "CARE_U18", "ground_reason": CANARIES["consent"]}
    card |= {"ask": CANARIES["card"], "happened": CANARIES["answer"]}
    save, send = (reverse(f"referrals:{name}", args=[draft.pk]) for name in ("referral", "send"))
    with broken("referrals_referral", "row", CANARIES["card"]):
        answer = post(anna, save, **card)
    assert answer.status == 500
    shows_nothing(answer.text())
    assert post(anna, save, **card).status in (200, 302, 303)
    anna.go(f"/handovers/{draft.pk}/")
    sent = post(anna, send, **{**anna.page.evaluate(has), "ground": "CARE_U18"})
    assert sent.status in (302, 303), sent.text()[:3000]
    anna.go(f"/handovers/{draft.pk}/")
    expect(anna.page.locator("main")).to_contain_text(CANARIES["card"])
    return Referral.objects.get(pk=draft.pk)


def the_agency_writes(frida, sent: Referral) -> None:
    frida.go("/portal/")
    frida.go(f"/portal/{sent.pk}/")
    expect(frida.page.locator("main")).to_contain_text(CANARIES["card"])
    accept, message = (reverse(f"portal:{name}", args=[sent.pk]) for name in ("accept", "message"))
    assert post(frida, accept, **filled(frida, accept, handled_by="Maria")).status in (302, 303)
    frida.go(f"/portal/{sent.pk}/")
    assert post(frida, message, **filled(frida, message, text=CANARIES["agency"])).status in (302, 303)
    frida.go(f"/portal/{sent.pk}/")
    expect(frida.page.locator("main")).to_contain_text(CANARIES["agency"])


def tasks_fail(case: Case, folder: Path) -> None:
    """A reminder is due: its row fails in the database, and the process of the worker that looks is killed."""
    Reminder.objects.filter(step__case=case, state="scheduled").update(due_at=clock.now())
    with broken(FAULT_TABLE, "row", CANARIES["note"]):
        wait_for(lambda: b"ERROR" in (folder / "log").read_bytes(), folder)
    for child in children_of_worker():
        os.kill(child, signal.SIGKILL)
    wait_for(lambda: Reminder.objects.filter(step__case=case, state="fired").exists(), folder)
    wait_for(lambda: any((folder / "mail").glob("*.log")), folder)


def a_call_without_a_case(case: Case) -> Call:
    """The same person called once more, and advice was enough."""
    call = calls.start_call(by=case.owner)
    facts = {"caller_type": "other", "track": "B", "urgency": "NORMAL", "urgency_reason": CANARIES["reason"]}
    facts |= {"identity": "named", "caller_name": CANARIES["name"], "personal_number": CANARIES["personal number"]}
    facts |= {"actualisation": "no", "actualisation_reason": CANARIES["reason"], "municipality_id": "1499"}
    notes, answers = {"told": CANARIES["note"]}, {"named": "said"}
    call = calls.save_call(by=case.owner, call=call, facts=facts, answers=answers, notes=notes)
    return calls.complete_call(by=case.owner, call=call)


def extracts(cecilia, case: Case, call: Call) -> None:
    """The manager gives an extract for who called, from the case and from the call: decided, with a fault of the database and
    a refused form, looked through, made as text and as PDF; then an objection is written beside the call."""
    reason = reverse("intake:case-reason", args=[case.slug])
    cecilia.go(reason)
    assert post(cecilia, reason, reason="other", words=CANARIES["decision"]).status in (302, 303)
    found = post(cecilia, "/search/", term=CANARIES["name"])
    of_call, of_case = (
        reverse("extract-call", args=[call.pk]),
        reverse("extract", args=[case.slug, case.people.get(part="caller").pk]),
    )
    assert of_call in found.text()
    for address, told in ((of_case, CANARIES["remark"]), (of_call, CANARIES["note"])):
        cecilia.go(address)
        facts = {
            "asked_by": "self",
            "identity_checked": "id_card",
            "registry_number": "SN 2026-77",
            "call_part": "caller",
        }
        facts |= {"outcome": "part", "held_back": "safe", "law": "OSL 26:1", "reason": CANARIES["decision"]}
        wrong = post(cecilia, address, **{**facts, "registry_number": f"SN {CANARIES['personal number']}"})
        assert wrong.status == 422
        with broken("intake_secrecydecision", "row", CANARIES["decision"]):
            failed = post(cecilia, address, **facts)
        assert failed.status == 500
        shows_nothing(failed.text())
        done = post(cecilia, address, **facts)
        assert done.status in (302, 303), done.text()[:3000]
        read = done.headers["location"]
        cecilia.go(read)
        expect(cecilia.main).to_contain_text(told)
        expect(cecilia.main).to_contain_text(CANARIES["name"])
        for form in ("text", "pdf"):  # that one was made stands in the next, which is looked through anew
            looked = post(cecilia, read, words=CANARIES["masked"])
            seen = re.search(r'name="seen" value="(\w+)"', looked.text())
            assert looked.status == 200 and seen
            sent = {"seen": seen[1], "read": "on", "words": CANARIES["masked"]}
            made = post(cecilia, f"{read}make/", **sent, form=form)
            assert made.status == 200 and made.body()
            assert not any(shape.decode("latin-1") in str(made.headers) for shape in shapes(CANARIES["name"]))
        assert made.body().startswith(b"%PDF")
    amend = reverse("intake:call-amend", args=[call.pk])
    cecilia.go(amend)
    said = {"about": "fact.milieu", "amendment": "objection", "text": CANARIES["objection"]}
    assert post(cecilia, amend, **said).status in (302, 303)
    cecilia.go(amend)
    expect(cecilia.main).to_contain_text(CANARIES["objection"])


def children_of_worker() -> list[int]:
    """The processes in which the worker of this test does its work."""
    listed = subprocess.run(
        ["ps", "-eo", "pid,ppid,args"], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    rows = [line.split(None, 2) for line in listed[1:]]
    parents = {
        int(pid) for pid, parent, what in rows if int(parent) == os.getpid() and "celery" in what and " worker" in what
    }
    found = [int(pid) for pid, parent, _what in rows if int(parent) in parents]
    assert parents and found
    return found


def strangers(enter, line, watched: list[Watched]) -> None:
    """A wrong password, an address that is not there, a search: typed by somebody whom nobody knows, and by a colleague."""
    nobody = enter()
    watched.append(Watched(nobody))
    nobody.go("/")
    nobody.page.fill("[name=login]", "anna")
    nobody.page.fill("[name=password]", CANARIES["password"])
    nobody.page.locator("main button.btn-primary[type=submit]").click()
    expect(nobody.page.locator("main")).to_contain_text(re.compile("lösenord", re.IGNORECASE))
    nobody.faults.clear()
    bert = enter("bert")
    watched.append(Watched(bert))
    bert.go("/search/")  # where there is a search: with whatever its fields are called
    if fields := bert.page.locator("main form input:not([type=hidden])").evaluate_all(
        "all => all.map(one => one.name)"
    ):
        for words in (CANARIES["search"], CANARIES["personal number"], CANARIES["name"]):
            answer = post(bert, "/search/", **{name: words for name in fields if name})
            assert answer.status in (200, 302, 303, 422)
            bert.go(answer.headers.get("location", "/search/"))
    bert.faults.clear()
    # What somebody types into the line of addresses is in their own browser: it must not come into a log of ours.
    import http.client

    for path in (
        f"/{quote(CANARIES['address'])}/",
        f"/cases/{quote(CANARIES['address'])}/?q={quote(CANARIES['name'])}",
    ):
        wire = http.client.HTTPConnection("127.0.0.1", line.port, timeout=20)
        wire.request("GET", path)
        answer = wire.getresponse()
        assert answer.status in (302, 404)
        page = answer.read()
        if answer.status == 404:
            assert not any(shape in page for shape in shapes(CANARIES["address"]))
        wire.close()


def wait_for(holds, folder: Path, patience: float = 60.0) -> None:
    begun = time.monotonic()
    while not holds():
        assert time.monotonic() - begun < patience, (folder / "log").read_text()[-3000:]
        time.sleep(0.3)


# -- where it is looked for ---


def places(line, folder: Path) -> dict[str, bytes]:
    """Every log, mail, metric and message of a task that there is."""
    import urllib.error
    import urllib.request

    found = {
        "web": (folder / "gunicorn.log").read_bytes(),
        "worker and beat": (folder / "log").read_bytes(),
        **{f"file {path.relative_to(folder)}": path.read_bytes() for path in folder.rglob("*") if path.is_file()},
    }
    for path in (folder / "mail").glob("*.log"):
        for part in path.read_bytes().split(b"-" * 79 + b"\n"):
            mail = email.message_from_bytes(part, policy=email.policy.default)
            found["mails, read"] = found.get("mails, read", b"") + f"{mail['Subject']} {mail.get_content()}".encode()
    try:
        with urllib.request.urlopen(f"{line.url}/health/", timeout=20) as answer:
            found["health"] = answer.read()
    except urllib.error.HTTPError as error:
        found["health"] = error.read()
    found["broker"] = of_broker()
    services = Path(os.environ.get("HELPLINE_VAR", "")) if os.environ.get("HELPLINE_VAR") else None
    if services:
        for path in [*services.rglob("*.log"), *(services / "logs").rglob("*"), *services.rglob("log/*")]:
            if path.is_file() and os.access(path, os.R_OK):
                found[f"service {path.relative_to(services)}"] = path.read_bytes()
    found["task heads"] = tasks_of_beat()
    return found


def of_broker() -> bytes:
    """All that the broker holds, in each of its databases, as it would be written into a dump."""
    found = []
    for number in range(4):
        with redis.Redis.from_url(settings.REDIS_URL.rsplit("/", 1)[0] + f"/{number}") as client:
            found += [key + b" " + (client.dump(key) or b"") for key in client.scan_iter()]
            found += [b" ".join(client.lrange(key, 0, -1)) for key in client.scan_iter() if client.type(key) == b"list"]
    return b"\n".join(found)


def tasks_of_beat() -> bytes:
    """What beat sends: the names of tasks, and never an argument."""
    from helpline.celery import app

    entries = app.conf.beat_schedule.values()
    assert not any(entry.get("args") or entry.get("kwargs") for entry in entries)
    return repr(list(entries)).encode()


def sees_what_is_there(everything: dict[str, bytes], case: Case, line) -> None:
    """The proof: the places were read, faults did stand in them, and a canary that is put there is found."""
    assert b"IntegrityError" in everything["web"] and b"OperationalError" in everything["web"]
    assert b"IntegrityError" in everything["worker and beat"] and b"SIGKILL" in everything["worker and beat"]
    assert everything["mails, read"].strip() and b'"status"' in everything["health"]
    assert case.slug.encode() in everything["browser 0"]  # addresses hold numbers
    postgres = {name: data for name, data in everything.items() if "postgres" in name}
    if os.environ.get("HELPLINE_VAR"):
        assert any(b"new row violates check" in data for data in postgres.values()), list(everything)
    for place in everything:
        spoiled = {**everything, place: everything[place] + CANARIES["note"].encode()}
        assert leaks(spoiled) == [(place, "note")]
    print(CANARIES["note"], file=(log := (line.folder / "gunicorn.log").open("a")))
    log.close()
    assert ("web", "note") in leaks(places(line, line.folder))
