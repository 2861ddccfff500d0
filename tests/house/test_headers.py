"""What every answer says besides its page: the same headers, whoever made it. Each URL is walked in test_matrix."""

import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.contrib.staticfiles import finders
from django.test import Client, override_settings
from django.urls import reverse

from helpline.people.outside import FEATURES_OWN, HEADERS
from tests.house.worlds import HSTS

ROOT = Path(__file__).resolve().parents[2]
POLICY = {
    **{"default-src": "'none'", "script-src": "'self'", "style-src": "'self'", "img-src": "'self' data:"},
    **{"font-src": "'self'", "connect-src": "'self'", "form-action": "'self'", "base-uri": "'none'"},
    **{"frame-ancestors": "'none'", "object-src": "'none'", "manifest-src": "'self'"},
}
NO_REFERRER = {"portal:pre", "intake:calendar-feed"}  # who came by a secret address tells no page that they did


def policy_of(answer) -> dict[str, str]:
    parts = (part.strip().partition(" ") for part in answer["Content-Security-Policy"].split(";"))
    return {name: value for name, _space, value in parts if name}


def faults(answer, name: str = "", secure: bool = True) -> list[str]:
    """What is missing in the headers of an answer, or too much."""
    expected = HEADERS | ({"Strict-Transport-Security": "max-age=31536000; includeSubDomains"} if secure else {})
    if name in NO_REFERRER:
        expected = expected | {"Referrer-Policy": answer["Referrer-Policy"]}
        assert answer["Referrer-Policy"] in ("no-referrer", "same-origin")
    found = [head for head, value in expected.items() if answer.headers.get(head) != value]
    policy = policy_of(answer) if "Content-Security-Policy" in answer.headers else {}
    found += [] if policy == POLICY else ["Content-Security-Policy"]
    found += [] if "no-store" in answer["Cache-Control"] else ["Cache-Control"]
    found += [
        head for head in ("ETag", "Last-Modified", "Access-Control-Allow-Origin", "X-Powered-By") if head in answer
    ]
    for cookie in answer.cookies.values():
        safe = cookie["httponly"] and cookie["samesite"] in ("Lax", "Strict") and not cookie["domain"]
        if cookie.value and not safe:
            found.append(f"cookie {cookie.key}")
    return found


@override_settings(**HSTS)
@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/nowhere/", 404),
        ("/static/nowhere.css", 404),
        ("/livez", 200),
        ("/health/", 503),
        ("/login", 301),  # without its slash
        ("/%ED%A0%80", 404),
    ],
)
def test_what_is_no_page_has_them_too(path, status, db):
    answer = Client().get(path, secure=True)
    assert answer.status_code == status and faults(answer) == []


@override_settings(SECURE_SSL_REDIRECT=True)
def test_the_way_to_https_has_them_but_one(db):
    answer = Client().get("/cases/")
    assert (answer.status_code, answer["Location"]) == (301, "https://testserver/cases/")
    assert faults(answer, secure=False) == [] and "Strict-Transport-Security" not in answer
    assert Client().get("/livez").status_code == 200


@override_settings(**HSTS)
def test_a_host_that_is_not_ours_gets_them(db):
    answer = Client().get("/login/", secure=True, headers={"Host": "evil.example"})
    assert answer.status_code == 400 and b"evil" not in answer.content
    assert faults(answer, secure="Strict-Transport-Security" in answer) == []


@override_settings(**HSTS)
def test_a_fault_of_ours_has_them(cast, client_of, monkeypatch):
    client = client_of(cast.caseworker)
    client.raise_request_exception = False
    monkeypatch.setattr("helpline.context.may", lambda *_: 1 / 0)
    answer = client.get(reverse("intake:my-day"), secure=True)
    assert answer.status_code == 500 and faults(answer) == []


@override_settings(**HSTS)
def test_static_files_alone_may_be_kept(db):
    for path in ("css/helpline.css", "js/helpline.js", "vendor/bootstrap/bootstrap.min.css"):
        answer = Client().get(f"/static/{path}", secure=True)
        assert answer.status_code == 200 and set(faults(answer)) <= {"Cache-Control", "Last-Modified", "ETag"}
        assert "max-age" in answer["Cache-Control"] and "no-store" not in answer["Cache-Control"]
        assert not answer.cookies and "Cookie" not in answer.get("Vary", "")
        again = Client().get(f"/static/{path}", secure=True, headers={"If-Modified-Since": answer["Last-Modified"]})
        assert again.status_code == 304
    assert "no-store" in Client().get("/static/nowhere.css", secure=True)["Cache-Control"]


def test_nothing_is_asked_of_a_browser_but_a_passkey():
    rights = dict(part.split("=") for part in HEADERS["Permissions-Policy"].split(", "))
    assert {name for name, value in rights.items() if value != "()"} == set(FEATURES_OWN)
    assert {"camera", "microphone", "geolocation", "usb", "serial", "browsing-topics"} <= set(rights)


# -- nothing comes from elsewhere ---

LOADS = {"src", "srcset", "href", "action", "formaction", "poster", "data", "background", "ping", "manifest", "cite"}
HTMX = {f"hx-{method}" for method in ("get", "post", "put", "patch", "delete")}


class Addresses(HTMLParser):
    """Every address that a page loads, sends to or leads to; and what a content policy would refuse."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, str, str]] = []
        self.inline: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs) -> None:
        for name, value in attrs:
            if name in LOADS | HTMX:
                self.found.append((tag, name, value or ""))
            if name == "style" or name.startswith("on"):
                self.inline.append(f"{tag} {name}={value}")
        if tag in ("style", "iframe", "object", "embed", "base") or (tag == "script" and "src" not in dict(attrs)):
            self.inline.append(tag)
        if tag == "meta" and dict(attrs).get("http-equiv", "").lower() == "refresh":
            self.inline.append("meta refresh")


def leads_away(tag: str, name: str, value: str, linked: set[str]) -> bool:
    """Whether this leads to another host. A link that a person follows may be one of `linked`; nothing is loaded from there."""
    if value.startswith(("tel:", "mailto:", "sms:")) and tag == "a":
        return False
    if value == "data:," and tag == "link":
        return False
    parts = urlsplit(value)
    if not parts.scheme and not parts.netloc:
        return value.startswith("//")
    return not (tag == "a" and name == "href" and parts.scheme == "https" and parts.netloc in linked)


def linked_hosts() -> set[str]:
    """The web sites of the agencies in the directory: a person may go there, with no word of whence."""
    from referrals.models import PartnerAgency

    sites = (value for row in PartnerAgency.objects.values() for value in row.values() if isinstance(value, str))
    return {urlsplit(site).netloc for site in sites if site.startswith("https://")}


def test_a_page_that_leads_elsewhere_is_found():
    page = Addresses(
        '<script src="https://cdn.example/x.js"></script><img src="//x.example/1.png"><a href="https://ngo.example/a">a</a>'
        '<a href="/cases/">a</a><form action="http://x.example"><p style="a" onclick="b"><style></style><a href="tel:112">'
    )
    assert [one[2] for one in page.found if leads_away(*one, {"ngo.example"})] == [
        "https://cdn.example/x.js", "//x.example/1.png", "http://x.example"
    ]  # fmt: skip
    assert page.inline == ["p style=a", "p onclick=b", "style"]


def test_no_style_or_script_of_ours_loads_from_another_host():
    wrong = {}
    for folder in ("static", "templates"):
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in (".css", ".js"):
                text = path.read_text(encoding="utf-8")
                loads = (
                    re.findall(r"url\(\s*['\"]?([^'\")]+)|@import\s+['\"]([^'\"]+)", text)
                    if path.suffix == ".css"
                    else []
                )
                found = [one or other for one, other in loads]
                found += re.findall(
                    r"(?:fetch|open|import|EventSource|WebSocket|sendBeacon)\(\s*[`'\"]((?:https?:|wss?:|//)[^`'\"]+)",
                    text,
                )
                found = [one for one in found if not one.startswith(("data:", "#", "../", "./"))]
                if found:
                    wrong[path.name] = found
    assert wrong == {}
    assert finders.find("css/helpline.css")
