"""Bad input, everywhere: each text field of each form refuses at its place what cannot be kept, and nothing answers 500."""

import importlib
import pkgutil
import re
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest
from django import forms
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse

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


def test_there_are_forms():
    assert len(all_forms()) > 30


@pytest.mark.parametrize("kind", all_forms(), ids=lambda kind: kind.__qualname__)
def test_every_text_field_of_every_form_is_checked(kind):
    assert unchecked(getattr(kind, "base_fields", {})) == []


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
        self.forms: list[forms.BaseForm] = []
        clean = forms.BaseForm.full_clean

        def full_clean(form):
            clean(form)
            if form.is_bound and type(form).__module__.split(".")[0] in {"helpline", "intake", "referrals"}:
                self.forms.append(form)

        monkeypatch.setattr(forms.BaseForm, "full_clean", full_clean)

    def filled(self) -> list[forms.BaseForm]:
        found, self.forms = list({id(form): form for form in self.forms}.values()), []
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
        answer = client.post(url, body.encode("ascii"), content_type=FORM, **headers)
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


READ: dict[str, list[tuple[dict[str, str], str, dict[str, int | None], list[str]]]] = {}


def forms_at(name, client, url, watch):
    """The forms that this URL reads, looked for once: the button that chooses it, what it is called, its text fields with
    their limits, its other fields."""
    if name not in READ:
        found = {}
        for button in BUTTONS:
            send(client, url, urlencode(button))
            for form in watch.filled():
                assert unchecked(form.fields) == [], (name, type(form))
                texts = {field: one.max_length for field, one in texts_of(form).items()}
                others = [form.add_prefix(field) for field in form.fields if form.add_prefix(field) not in texts]
                found.setdefault(type(form).__qualname__, (button, type(form).__qualname__, texts, others))
        READ[name] = list(found.values())
    return READ[name]


def faults_of(kind: str, watch) -> set[str]:
    """The fields at which the form that was just sent has something to say."""
    form = next((one for one in watch.filled() if type(one).__qualname__ == kind), None)
    return {form.add_prefix(field) for field in form.errors} if form else set()


def test_each_text_field_refuses_what_cannot_be_kept_at_its_place(addresses, watch):
    tried, wrong = 0, {}
    for name, client, url in addresses:
        for button, form, texts, _others in forms_at(name, client, url, watch):
            for kind, value in HOSTILE_BYTES.items() if texts else ():
                fields = [f"{quote(field)}={value}" for field in texts]
                answer = send(client, url, "&".join([*fields, urlencode(button)]))
                silent = set(texts) - faults_of(form, watch)
                if answer.status_code != 422 or silent or b"Write that place again." not in answer.content:
                    wrong[name, form, kind] = (answer.status_code, sorted(silent))
                tried += len(texts)
    assert wrong == {}, wrong
    assert tried > 1000


def test_each_text_field_refuses_what_is_too_long(addresses, watch):
    wrong, endless = {}, set()
    for name, client, url in addresses:
        for button, form, texts, _others in forms_at(name, client, url, watch):
            data = {field: "x" * (limit + 1) for field, limit in texts.items() if limit}
            endless |= set(texts) - set(data)
            if data:
                answer = send(client, url, urlencode({**data, **button}))
                silent = set(data) - faults_of(form, watch)
                if answer.status_code != 422 or silent or b"one character too long" not in answer.content:
                    wrong[name, form] = (answer.status_code, sorted(silent))
    assert wrong == {}, wrong
    assert endless <= {"password"}  # whose validators speak of its length


def test_choices_dates_and_boxes_answer_no_500(addresses, watch):
    values = [HOSTILE_BYTES[kind] for kind in ("nul", "high surrogate", "override")]
    values += ["-1", "99999999999999999999", "9999-12-31T23:59", "0001-01-01T00:00", "9999-12-31", "0001-01-01"]
    for name, client, url in addresses:
        for button, _form, _texts, others in forms_at(name, client, url, watch):
            for value in values if others else ():
                body = "&".join([*(f"{quote(field)}={value}" for field in others), urlencode(button)])
                assert send(client, url, body).status_code < 500, (name, value)


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
        who = next(one for one in EVERYBODY.split() if street.answer(method, one) not in (403, 405, 404))
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
    for name, street in STREETS.items():
        who = next((one for one in EVERYBODY.split() if street.answer("GET", one) in (200, 302)), None)
        if who is None or name == "health":
            continue
        url = address_of(name, street)
        for turn in (0, 5, 11):
            assert theirs[who].get(f"{url}?{turned(names - {'number'}, turn)}").status_code < 500, name
    for place in ("intake:case-list", "intake:case", "caseload-rows", "referrals:list", "keeper:agency-list"):
        street = STREETS[place]
        who = next(one for one in EVERYBODY.split() if street.answer("GET", one) == 200)
        url = address_of(place, street)
        for value in ODD:
            for one in ("after", "before", "number", "which", "show", "owner", "municipality"):
                assert theirs[who].get(f"{url}?{one}={value}").status_code < 500, (place, one, value)


def test_buttons_with_odd_values_answer_no_500(addresses):
    names = names_asked() | {"present", "clear", "confirm", "acute", "base.n.seen"}
    for name, client, url in addresses:
        for turn in (0, 5, 11):
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
