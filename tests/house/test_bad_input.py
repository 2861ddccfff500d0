"""Bad input, everywhere: each text field of each form refuses at its place what cannot be kept, and nothing answers 500."""

import importlib
import inspect
import pkgutil
import re
from collections import deque
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest
from django import forms
from django.db import connection, transaction
from django.http import QueryDict
from django.test import Client
from django.urls import resolve, reverse

import helpline
import intake
import referrals
from helpline.people.words import HOSTILE, Checked
from intake.forms.calls import CallForm
from intake.models import Call, Note
from tests.house.streets import EVERYBODY, STREETS

ROOT = Path(__file__).resolve().parents[2]
FORM = "application/x-www-form-urlencoded"
# As it comes over the wire: name -> the bytes, percent-encoded.
HOSTILE_BYTES = {
    "nul": "a%00b",
    "bell": "a%07b",
    "escape": "a%1B%5B31mb",
    "delete": "a%7Fb",
    "c1": "a%C2%85b",
    "high surrogate": "a%ED%A0%80b",
    "low surrogate": "a%ED%B0%80b",
    "no utf-8": "a%FFb",
    "cut off": "a%E2%82",
    "override": "a%E2%80%AEb",
    "isolate": "a%E2%81%A6b",
    "right-to-left mark": "a%E2%80%8Fb",
}
PARTS = ["a%00b", "%ED%A0%80", "%FF", "%E2%80%AE", "a" * 3000, "99999999999999999999", "%0a"]


# -- the fields ---


def all_forms() -> list[type[forms.BaseForm]]:
    """Every form class of ours."""
    for package in (helpline, intake, referrals):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if re.search(r"forms|keeper", module.name):
                importlib.import_module(module.name)
    found: set[type] = set()
    waiting = [forms.BaseForm]
    while waiting:
        for kind in waiting.pop().__subclasses__():
            waiting.append(kind)
            found.add(kind)
    ours = [kind for kind in found if kind.__module__.split(".")[0] in {"helpline", "intake", "referrals"}]
    return sorted(ours, key=lambda kind: (kind.__module__, kind.__qualname__))


def unchecked(fields) -> list[str]:
    """Text fields that take what they are given."""
    return [
        name for name, field in fields.items() if isinstance(field, forms.CharField) and not isinstance(field, Checked)
    ]


# Fields of allauth's own forms for the second factor, which test_hostile.py fills in over HTTP.
OF_ALLAUTH = {"code", "credential"}


def test_there_are_forms():
    assert len(all_forms()) > 30


@pytest.mark.parametrize("kind", all_forms(), ids=lambda kind: kind.__qualname__)
def test_every_text_field_of_every_form_is_checked(kind):
    assert [name for name in unchecked(getattr(kind, "base_fields", {})) if name not in OF_ALLAUTH] == []


def test_no_form_is_written_elsewhere():
    """So that the walk above finds them all."""
    found = [
        path.relative_to(ROOT).as_posix()
        for top in ("helpline", "intake", "referrals")
        for path in sorted((ROOT / top).rglob("*.py"))
        if re.search(r"class \w+\((forms\.Form|forms\.ModelForm|ModelForm|Form)\b", path.read_text(encoding="utf-8"))
    ]
    assert found and [path for path in found if not re.search(r"forms|keeper", path)] == []


# -- every form, by its own page ---


class Watch:
    """The forms that are filled in while a page answers."""

    def __init__(self, monkeypatch):
        self.forms: deque[forms.BaseForm] = deque(maxlen=100)  # of the last answers: nobody asks for more
        clean = forms.BaseForm.full_clean

        def full_clean(form):
            clean(form)
            if form.is_bound and type(form).__module__.split(".")[0] in {"helpline", "intake", "referrals"}:
                self.forms.append(form)

        monkeypatch.setattr(forms.BaseForm, "full_clean", full_clean)

    def filled(self) -> list[forms.BaseForm]:
        found = list({id(form): form for form in self.forms}.values())
        self.forms.clear()
        return found


@pytest.fixture
def watch(monkeypatch):
    return Watch(monkeypatch)


def texts_of(form) -> dict[str, forms.Field]:
    """Name in the request -> field."""
    return {form.add_prefix(name): field for name, field in form.fields.items() if isinstance(field, Checked)}


def send(client, url, body: str, **headers):
    """A form as a browser sends it, of which nothing remains."""
    with transaction.atomic():
        answer = client.post(url, data=body.encode("ascii"), content_type=FORM, **headers)
        if answer.status_code < 500:
            connection.check_constraints()
        transaction.set_rollback(True)
    return answer


@pytest.fixture
def addresses(cast, client_of, address_of):
    """Every URL that takes a form, with somebody whom it lets in: (name, client, address)."""
    theirs = {who: client_of(user) for who, user in cast.everybody().items()}
    found = []
    for name, street in STREETS.items():
        who = next((one for one in EVERYBODY.split() if street.answer("POST", one) in ("in", 200, 302, 303, 422)), None)
        if street.post is not None and who and not name.startswith("account_"):
            found.append((name, theirs[who], address_of(name, street)))
    return found


# Forms of several on one page are told apart by a button.
BUTTONS = [{}, *({"part": part} for part in ("facts", "password", "track", "actualisation", "protection"))]


def buttons_of(url) -> list[dict[str, str]]:
    """The buttons that may choose a form here: none where nothing in the module of the view asks for one."""
    module = inspect.getmodule(inspect.unwrap(resolve(url).func))
    return BUTTONS if 'POST.get("part"' in inspect.getsource(module) else BUTTONS[:1]


@pytest.fixture
def forms_at(watch):
    """The forms that a URL reads: the button that chooses it, what it is called, its text fields, its other fields."""

    def look(name, client, url):
        found, _before = {}, watch.filled()  # of what was sent before nothing is taken for this page's
        for button in buttons_of(url):
            send(client, url, urlencode(button))
            for form in watch.filled():
                assert unchecked(form.fields) == [], (name, type(form))
                for field, one in form.fields.items():
                    one.shown = form.get_initial_for_field(one, field)  # what the page has filled in
                texts = texts_of(form)
                others = {form.add_prefix(field): one for field, one in form.fields.items()}
                others = {field: one for field, one in others.items() if field not in texts}
                # The mark of what the page was drawn from is sent as the page has it: an old one is refused before the words.
                mark = {"drawn": form.get_initial_for_field(form.fields["drawn"], "drawn")} if "drawn" in texts else {}
                found.setdefault(type(form).__qualname__, ({**button, **mark}, type(form).__qualname__, texts, others))
        return found.values()

    return look


def rotated(fields, values: list[str], turn: int) -> str:
    """Each field with another value; by another turn each meets another."""
    return "&".join(f"{quote(field)}={values[(place + turn) % len(values)]}" for place, field in enumerate(fields))


def refusal(field, value: str) -> str | None:
    """What a field says to a value as it comes over the wire, by the code of its refusal; None where it takes it."""
    try:
        field.clean(QueryDict(f"x={value}")["x"])
    except forms.ValidationError as error:
        return str(error.error_list[0].code)
    return None


def faults_of(kind: str, watch) -> set[str]:
    """The fields at which the form that was just sent has something to say."""
    form = next((one for one in watch.filled() if type(one).__qualname__ == kind), None)
    return {form.add_prefix(field) for field in form.errors} if form else set()


WRONG_CHOICES = [HOSTILE_BYTES[kind] for kind in ("nul", "high surrogate", "override")]
WRONG_CHOICES += ["-1", "9" * 20, "9999-12-31T23:59", "0001-01-01T00:00", "9999-12-31", "0001-01-01"]


def test_each_field_of_each_form_refuses_what_cannot_be_kept(addresses, forms_at, watch):
    """Each text field meets each hostile value, and the page of each form says of each of its fields where it is wrong:
    every form once, each of its fields with another value. The same for what is too long, and for wrong choices."""
    tried, turn, endless, wrong = 0, 0, set(), {}
    for name, client, url in addresses:
        for button, form, texts, others in forms_at(name, client, url):
            turn += 1
            for field, one in texts.items():
                taken = [kind for kind, value in HOSTILE_BYTES.items() if refusal(one, value) != "hostile"]
                wrong |= {(name, form, field): taken} if taken else {}
                tried += len(HOSTILE_BYTES)
            for one in others.values():
                for value in WRONG_CHOICES:
                    refusal(one, value)  # refused or taken, and no other error
            limits = {field: one.max_length for field, one in texts.items()}
            too_long = {field: quote("x" * (limit + 1)) for field, limit in limits.items() if limit}
            endless |= set(limits) - set(too_long)
            longest = "&".join(f"{quote(field)}={value}" for field, value in too_long.items())
            for fields, body, said in [
                (set(texts), rotated(texts, list(HOSTILE_BYTES.values()), turn), b"Write that place again."),
                (set(too_long), longest, b"one character too long"),
            ]:
                if fields:
                    answer = send(client, url, f"{body}&{urlencode(button)}")
                    silent = fields - faults_of(form, watch) - set(button)
                    if answer.status_code != 422 or silent or said not in answer.content:
                        wrong[name, form, said] = (answer.status_code, sorted(silent))
            if others:
                body = f"{rotated(others, WRONG_CHOICES, turn)}&{urlencode(button)}"
                assert send(client, url, body).status_code < 500, (name, body)
    assert wrong == {}, wrong
    assert endless <= {"password"}, endless  # whose validators speak of its length
    assert tried > 1000 and turn > 40


# -- the call: what is wrong stays out, the rest is kept ---


@pytest.mark.parametrize("kind", HOSTILE_BYTES)
def test_in_a_call_the_rest_is_saved_and_the_words_come_back(kind, cast, make_call, client_of):
    call = make_call()
    body = f"{urlencode({'n.seen': 'He has left.', 'what': 'Call the school', 'track': 'B'})}&n.told=gone{HOSTILE_BYTES[kind]}"
    answer = client_of(cast.caseworker).post(
        reverse("intake:call-save", args=[call.pk]), body.encode(), content_type=FORM, headers={"HX-Request": "true"}
    )
    page = answer.content.decode()
    assert answer.status_code == 422
    assert set(answer.context["form"].errors) == {"n.told"}
    assert "gonea" in page and 'id="id_n.told_error"' in page
    assert {note.kind: note.text for note in Note.objects.filter(call=call)} == {"seen": "He has left."}
    assert Call.objects.get(pk=call.pk).track == "B"


def test_nothing_hostile_is_stored_in_a_call(cast, make_call, client_of):
    call = make_call()
    before = CallForm(Call.objects.get(pk=call.pk)).stored()
    mine = client_of(cast.caseworker)
    texts = texts_of(CallForm(call))
    kinds = list(HOSTILE_BYTES.values())
    for turn, act in enumerate(("save", "complete", "void", "save")):
        body = "&".join(f"{quote(field)}={kinds[(place + turn * 3) % len(kinds)]}" for place, field in enumerate(texts))
        url = reverse(f"intake:call-{act}", args=[call.pk])
        assert mine.post(url, body.encode(), content_type=FORM).status_code == 422
    after = CallForm(Call.objects.get(pk=call.pk)).stored()
    assert after == before
    assert not any(HOSTILE.search(value) for value in after.values() if isinstance(value, str))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"a.no_such_question": "yes"}, "there is no such question"),
        ({"r.weapon\0": "x"}, "there is no such question"),
        ({"n.gossip": "x"}, "there is no such question"),
        ({"a.weapon": "perhaps"}, "perhaps is not one of the available choices"),
        ({"track": "D"}, "D is not one of the available choices"),
        ({"milieu": "<b>"}, "&lt;b&gt; is not one of the available choices"),
        ({"municipality": "0000"}, "0000 is not one of the available choices"),
        ({"due": "2026-02-30T10:00"}, "Enter a valid date/time"),
        ({"due": "9999-12-31T23:59"}, "Choose a time within a year"),
        ({"due": "0001-01-01T00:00"}, "Choose a time that is still to come"),
    ],
)
def test_unknown_keys_and_codes_are_told_and_the_rest_is_saved(data, said, cast, make_call, client_of):
    call = make_call()
    url = reverse("intake:call-save", args=[call.pk])
    answer = client_of(cast.caseworker).post(url, {**data, "n.seen": "He has left."})
    assert answer.status_code == 422 and said in answer.content.decode()
    assert Note.objects.get(call=call).text == "He has left."


# -- what stands in the address ---


def test_parts_of_an_address_answer_no_500(cast, client_of, address_of, world):
    theirs = {who: client_of(user) for who, user in cast.everybody().items()}
    for name, street in STREETS.items():
        if not street.where:
            continue
        method = "GET" if any(street.answer("GET", one) in (200, 302, "in") for one in EVERYBODY.split()) else "POST"
        let_in = [one for one in EVERYBODY.split() if street.answer(method, one) not in (403, 405, 404)]
        who = next(iter(let_in), "keeper")  # what is there for a link alone answers everybody that there is nothing
        url = address_of(name, street)
        for part in [part for part in url.split("/")[2:] if part]:
            for hostile in PARTS:
                path = url.replace(f"/{part}/", f"/{hostile}/", 1)
                answer = theirs[who].get(path) if method == "GET" else send(theirs[who], path, "")
                assert answer.status_code < 500, path


def names_asked() -> set[str]:
    """What the views read of a request besides their forms, from their source."""
    pattern = r"request\.(?:GET|POST)(?:\.get(?:list)?\(|\[)\"([\w.-]+)\"|\"([\w.-]+)\" in request\.(?:GET|POST)"
    found = set()
    for top in ("helpline", "intake", "referrals"):
        for path in (ROOT / top).rglob("*.py"):
            found |= {one or other for one, other in re.findall(pattern, path.read_text(encoding="utf-8"))}
    return found


ODD = [*HOSTILE_BYTES.values(), "x" * 5000, "-1", "9" * 30, "%2F%2Fevil.example", "9999-12-31T23%3A59%3A59-23%3A59,x"]
ODD += [f"{when},00000000-0000-7000-8000-000000000000" for when in (
    "0001-01-01T00%3A00%3A00%2B23%3A59", "9999-12-31T23%3A59%3A59-23%3A59", "2026-02-30T00%3A00%3A00Z")]  # fmt: skip


def turned(names, turn: int) -> str:
    """Each name with another odd value, and in another turn with the next."""
    return "&".join(f"{quote(name)}={ODD[(place + turn) % len(ODD)]}" for place, name in enumerate(sorted(names)))


def test_questions_in_an_address_answer_no_500(cast, client_of, address_of):
    names = names_asked() | {"owner", "urgency", "caller", "type", "municipality", "need", "instead"}
    assert {"after", "before", "which", "number", "show", "next", "q"} <= names
    theirs = {who: client_of(user) for who, user in cast.everybody().items()}
    for turn, (name, street) in enumerate(STREETS.items()):
        who = next((one for one in EVERYBODY.split() if street.answer("GET", one) in (200, 302)), None)
        if who is None or name == "health":
            continue
        url = address_of(name, street)
        assert theirs[who].get(f"{url}?{turned(names - {'number'}, turn)}").status_code < 500, name
    for place in ("intake:case-list", "intake:case", "caseload-rows", "referrals:list", "keeper:agency-list"):
        street = STREETS[place]
        who = next(one for one in EVERYBODY.split() if street.answer("GET", one) == 200)
        url = address_of(place, street)
        for turn in range(len(ODD)):  # each of these with each odd value
            asked = turned({"after", "before", "number", "which", "show", "owner", "municipality"}, turn)
            assert theirs[who].get(f"{url}?{asked}").status_code < 500, (place, asked)


def test_buttons_with_odd_values_answer_no_500(addresses):
    names = names_asked() | {"present", "clear", "confirm", "acute", "base.n.seen"}
    for turn, (name, client, url) in enumerate(addresses):
        assert send(client, url, turned(names, turn)).status_code < 500, name


@pytest.mark.parametrize("kind", HOSTILE_BYTES)
def test_the_log_in_answers_no_500(kind, cast):
    body = f"login={HOSTILE_BYTES[kind]}&password={HOSTILE_BYTES[kind]}&next={HOSTILE_BYTES[kind]}"
    assert send(Client(), reverse("account_login"), body).status_code < 500
    assert Client().get(f"{reverse('account_login')}?next={HOSTILE_BYTES[kind]}").status_code < 500


# -- too much ---


@pytest.mark.parametrize("checks", [False, True], ids=["", "with the form's key"])
def test_a_form_that_is_far_too_large_gets_a_clear_page(checks, cast, make_call, settings):
    call = make_call()
    client = Client(enforce_csrf_checks=checks)
    client.force_login(cast.caseworker, backend="django.contrib.auth.backends.ModelBackend")
    client.get(reverse("intake:my-day"))
    url = reverse("intake:call-save", args=[call.pk])
    for data in ({"n.seen": "x" * (settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)}, {f"x{n}": "" for n in range(2000)}):
        answer = client.post(url, urlencode(data), content_type=FORM)
        assert answer.status_code == 400
        assert "nothing was changed" in answer.content.decode()


def test_two_million_characters_are_refused_at_their_field(cast, make_call, client_of):
    call = make_call()
    data = {"n.seen": "x" * 2_000_000, "n.told": "He has left."}
    answer = client_of(cast.caseworker).post(reverse("intake:call-save", args=[call.pk]), data)
    assert answer.status_code == 422 and "too long" in str(answer.context["form"].errors["n.seen"])
    assert Note.objects.get(call=call).kind == "told"


def test_a_form_in_another_coating_answers_no_500(cast, make_call, client_of):
    call = make_call()
    mine, url = client_of(cast.caseworker), reverse("intake:call-save", args=[call.pk])
    parts = b'--x\r\nContent-Disposition: form-data; name="n.seen"\r\n\r\na\xed\xa0\x80\x00b\r\n--x--\r\n'
    assert mine.post(url, parts, content_type="multipart/form-data; boundary=x").status_code == 422
    for body, kind in (
        (b'{"n.seen": "\\ud800"}', "application/json"),
        (parts, "multipart/form-data"),
        (b"\xff\xfe", FORM),
    ):
        assert mine.post(url, body, content_type=kind).status_code < 500


# -- scripts that are typed as words ---


def test_scripts_that_are_typed_are_words(cast, make_call, make_case, client_of):
    script = "<script>alert(1)</script><img src=x onerror=alert(1)>"
    notes, words = {"seen": script}, {"safe_contact": script, "caller_name": script, "track": "B"}
    mine = client_of(cast.caseworker)
    call = make_call(notes=notes, **words)
    case = make_case(notes=notes, **words)
    for url in (reverse("intake:call", args=[call.pk]), reverse("intake:case", args=[case.slug])):
        page = mine.get(url).content.decode()
        assert "&lt;script&gt;alert(1)" in page and "<script>alert" not in page and "<img src=x" not in page
    refused = mine.post(reverse("intake:call-save", args=[call.pk]), {"n.told": f"{script}\u202e"}).content.decode()
    assert "&lt;script&gt;alert(1)" in refused and "<script>alert" not in refused
