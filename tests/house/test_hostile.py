"""A fixed sample of odd values, in every field, question and part of an address, and in what surrounds a form. The full run of
several hundred is `make fuzz`."""

# ruff: noqa: E501
from urllib.parse import urlencode

import pytest
from django.test import Client
from django.urls import reverse

from intake.forms.calls import CallForm
from intake.models import Call, Note
from tests.fuzz.attack import Asked, Watched, every_form, every_part, every_question, stays
from tests.fuzz.values import ENDS, MEGABYTE, SAMPLE, SCRIPTS, VALUES
from tests.house.streets import STREETS
from tests.house.test_bad_input import FORM, addresses, forms_at, watch  # noqa: F401


@pytest.fixture
def watched(monkeypatch):
    return Watched(monkeypatch)


@pytest.fixture
def clients(cast, client_of):
    return {who: client_of(user) for who, user in cast.everybody().items()}


def test_the_sample_is_of_the_whole():
    assert (
        set(ENDS) <= set(SAMPLE) <= set(VALUES)
        and len(VALUES) >= 500
        and 25 <= len(SAMPLE) <= 60
        and len(SCRIPTS) >= 40
    )


def test_fields(addresses, forms_at, watched):  # noqa: F811
    tally = every_form(addresses, forms_at, watched, [*SAMPLE[::9], *ENDS])
    assert tally.faults == [], "\n".join(tally.faults[:20])
    assert len(tally.places) > 40
    assert tally.statuses[422] > 50  # they are refused at their place, not passed over
    assert tally.statuses[302] > 50  # and what stands behind the fields is reached
    assert len(tally.closed) < 20, tally.closed


def test_questions_are_found_by_themselves(clients, address_of, watched, monkeypatch):
    asked = Asked(monkeypatch)
    tally = every_question(clients, address_of, asked, watched, [*SAMPLE[::3], *ENDS])
    assert tally.faults == [], "\n".join(tally.faults[:20])
    assert {"caseload-rows", "intake:case-list", "intake:case", "referrals:list"} <= tally.places


def test_a_redirect_that_leads_away_is_seen():
    away = (
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "https://evil.example/",
        "javascript:alert(1)",
        " //evil.example/",
    )
    assert [one for one in away if stays("/login/", one)] == []
    assert all(stays("/login/", one) for one in ("/cases/", "a", "%5Cevil.example", "?next=//evil.example", ""))


def test_parts(clients, address_of, watched):
    tally = every_part(clients, address_of, watched, [*SAMPLE[::5], *ENDS])
    assert tally.faults == [], "\n".join(tally.faults[:20])
    assert len(tally.places) > 60
    assert set(tally.statuses) <= {200, 301, 302, 303, 400, 403, 404, 405, 409, 414, 422}


# -- what surrounds a form ---


@pytest.mark.parametrize("kind", ["text/plain", "application/json", "application/xml", "multipart/form-data", "multipart/mixed; boundary=x",
                                  "application/x-www-form-urlencoded; charset=utf-16", "application/x-www-form-urlencoded; charset=no-such",
                                  "multipart/form-data; boundary=" + "x" * 300, "a", "", "\u00e5/b"])  # fmt: skip
def test_a_form_of_another_kind_changes_nothing(kind, cast, make_call, clients, watched):
    call = make_call()
    url = reverse("intake:call-save", args=[call.pk])
    answer = clients["caseworker"].generic("POST", url, b"n.seen=He+has+left.", content_type=kind)
    assert answer.status_code in (200, 302, 303, 400, 415, 422)
    assert [note.text for note in Note.objects.filter(call=call)] in ([], ["He has left."])


def test_a_megabyte_in_each_place_is_refused_with_a_page(cast, make_call, clients):
    call = make_call()
    url = reverse("intake:call-save", args=[call.pk])
    answer = clients["caseworker"].post(url, {"n.seen": MEGABYTE, "n.told": "He has left."})
    assert answer.status_code == 422 and [note.kind for note in Note.objects.filter(call=call)] == ["told"]
    for wrong in ({"caller_type": MEGABYTE}, {"municipality": MEGABYTE}, {"due": MEGABYTE}):
        assert clients["caseworker"].post(url, urlencode(wrong).encode(), content_type=FORM).status_code in (
            400,
            413,
            422,
        )
    before = CallForm(Call.objects.get(pk=call.pk)).stored()
    answer = clients["caseworker"].post(url, urlencode({MEGABYTE: "x"}).encode(), content_type=FORM)
    assert answer.status_code in (303, 400, 422)  # no field is called so: it is read by nobody
    assert CallForm(Call.objects.get(pk=call.pk)).stored() == before and b"xxxxxxxx" not in answer.content


def test_ten_thousand_fields_are_refused_with_a_page(cast, make_call, clients):
    url = reverse("intake:call-save", args=[make_call().pk])
    for body in ("&".join(f"f{n}=x" for n in range(10_001)), "n.seen=x&" * 10_001):
        answer = clients["caseworker"].post(url, body.encode(), content_type=FORM)
        assert answer.status_code == 400 and b"<h1>" in answer.content and b"f1000" not in answer.content


def test_the_same_name_twice_is_read_once_and_never_fails(addresses, forms_at, watched):  # noqa: F811
    for name, client, url in addresses:
        for button, form, texts, others in forms_at(name, client, url):
            names = [one for one in [*texts, *others] if one not in button]
            body = "&".join(f"{urlencode({one: 'x'})}&{urlencode({one: 'y'})}" for one in names)
            assert watched.send(client, "POST", url, body + "&" + urlencode(button)).status_code < 500, (name, form)


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Forwarded-Host": "evil.example"},
        {"X-Forwarded-For": "<script>", "X-Real-Ip": "' OR 1=1", "Forwarded": "for=evil"},
        {"X-Forwarded-For": "1.2.3.4, " * 500},
        {"X-Forwarded-For": "::ffff:999.1.1.1"},
        {"X-Forwarded-Proto": "https, http"},
        {"X-HTTP-Method-Override": "DELETE"},
        {"X-Original-URL": "/keeper/users/", "X-Rewrite-URL": "/keeper/users/"},
        {"Accept-Language": "../../etc,sv;q=9,\u0000" + "x" * 600},
        {"Accept-Language": "zz-" * 200},
        {"Cookie": "lang=../../x; sid=' OR 1=1; messages=x"},
        {"Cookie": "sid=" + "x" * 5000},
        {"Referer": "javascript:alert(1)"},
        {"User-Agent": "<script>alert(1)</script>" * 50},
        {"If-Modified-Since": "x" * 500, "If-None-Match": "*", "Range": "bytes=0-9999999999999"},
        {"HX-Request": "true", "HX-Current-URL": "javascript:alert(1)", "HX-Target": "<script>"},
        {"HX-Request": "x", "HX-Current-URL-URI-AutoEncoded": "true", "HX-Current-URL": "%ED%A0%80"},
        {"Accept": "x/" * 1000},
        {"Content-Length": "abc"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
    ids=lambda headers: " ".join(headers),
)
def test_odd_headers_lead_nowhere(headers, cast, make_case, client_of):
    """For who is logged in and for who is not; nothing of them stands in a page or an address."""
    case = make_case()
    sent = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()}
    sent = {
        name.removeprefix("HTTP_") if name == "HTTP_CONTENT_LENGTH" else name: value for name, value in sent.items()
    }
    for client in (client_of(cast.caseworker), Client()):
        for url in (
            reverse("intake:case", args=[case.slug]),
            reverse("account_login"),
            reverse("livez"),
            "/static/css/helpline.css",
        ):
            answer = client.get(url, **sent)
            page = b"".join(answer.streaming_content) if answer.streaming else answer.content
            assert answer.status_code < 500, url
            assert b"evil" not in page and "evil" not in str(answer.headers), url
            assert b"<script>alert(1)" not in page and b"javascript:" not in page, url


@pytest.mark.parametrize("path", ["/" + "a" * 8000, "/cases/" + "../" * 200, "//", "/%2e%2e/%2e%2e/", "/cases//", "/cases/%00/", "/static/../helpline/settings.py",
                                  "/static/..%2f..%2fhelpline/settings.py", "/static/%2e%2e/%2e%2e/manage.py", "/static/", "/static/css/", "/.env", "/.git/config",
                                  "/cases/%D9%A3/", "/portal/%EF%BC%91/", "/calls/\u00e5/", "/\u202e/", "/%ED%A0%80/", "/cases/x;y=1/", "/cases/x?%ED%A0%80=%FF"])  # fmt: skip
def test_odd_paths_are_not_there(path, cast, clients):
    for client in (clients["caseworker"], Client()):
        answer = client.get(path)
        page = b"".join(answer.streaming_content) if answer.streaming else answer.content
        assert answer.status_code in (301, 302, 400, 404), path
        assert b"SECRET_KEY" not in page and b"DJANGO" not in page
        if answer.status_code in (301, 302):
            assert answer.headers["Location"].startswith("/") and not answer.headers["Location"].startswith("//"), path


def test_figures_of_other_scripts_are_no_numbers(cast, clients, address_of):
    """An address with a number in another script leads to nothing, and never to the row of that number."""
    other = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")
    for name, street in STREETS.items():
        if not street.where:
            continue
        for who, client in clients.items():
            if street.answer("GET", who) != 200:
                continue
            url = address_of(name, street)
            parts = url.split("/")
            digits = [place for place, part in enumerate(parts) if part.isdigit()]
            for place in digits:
                moved = [part.translate(other) if at == place else part for at, part in enumerate(parts)]
                assert client.get("/".join(moved)).status_code == 404, name
            break
