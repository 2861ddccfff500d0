"""Production as it is set up: `check --deploy` is silent, and what is served says so."""

import base64
import http.client
import os
import secrets
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from helpline.people.outside import HEADERS
from tests.stories.server import Server

ROOT = Path(__file__).resolve().parents[2]
HOST = "stod.example.se"


def production() -> dict[str, str]:
    """The environment of a real installation, behind a proxy that ends https."""
    key = base64.b64encode(secrets.token_bytes(32)).decode()
    return {
        **{"DEMO": "", "DEBUG": "", "SECRET_KEY": secrets.token_urlsafe(60), "HELPLINE_KEYS": f"1:{key}"},
        **{"ALLOWED_HOSTS": HOST, "SITE_URL": f"https://{HOST}", "CSRF_TRUSTED_ORIGINS": f"https://{HOST}"},
        **{"BEHIND_PROXY": "1", "EMAIL_HOST": "mail.example.se", "EMAIL_USE_TLS": "1", "SECURE_SSL_REDIRECT": ""},
        **{"LOG_HEAD_TO": "heads@example.se"},
    }


def check(**changed: str) -> subprocess.CompletedProcess:
    """`manage.py check --deploy`, as an installation runs it."""
    of_tests = ("SECURE_SSL_REDIRECT", "DJANGO_ALLOW_ASYNC_UNSAFE")
    bare = {name: value for name, value in os.environ.items() if name not in of_tests}
    environment = {
        **bare,
        **{name: value for name, value in {**production(), **changed}.items() if value or name == "DEMO"},
    }
    command = [sys.executable, "-W", "error", "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def test_check_deploy_is_silent():
    done = check()
    assert done.returncode == 0, done.stderr
    assert done.stderr == "" and done.stdout.startswith("System check identified no issues")


WRONG = {
    "SECRET_KEY": ("short", "security.W009"),
    "HELPLINE_KEYS": ("1:short", "helpline.E003"),
    "ALLOWED_HOSTS": ("*", "helpline.E004"),
    "DEBUG": ("1", "helpline.E001"),
    "SITE_URL": (f"http://{HOST}", "helpline.W001"),
    "EMAIL_USE_TLS": ("0", "helpline.W002"),
    "LOG_HEAD_TO": ("", "helpline.W003"),
    "REQUIRE_SECOND_FACTOR": ("0", "helpline.E005"),
    "IDLE_MINUTES": ("600", "helpline.E006"),
    "OIDC_ISSUER": ("http://login.example.se", "helpline.E007"),
}


def test_check_deploy_speaks_of_all_that_is_wrong():
    done = check(**{name: value for name, (value, _said) in WRONG.items()})
    assert done.returncode == 1
    assert [name for name, (_value, said) in WRONG.items() if said not in done.stderr] == [], done.stderr


def test_no_secret_is_a_fault(monkeypatch):
    monkeypatch.delenv("SECRET_KEY", raising=False)
    done = check(SECRET_KEY="")
    assert done.returncode == 1 and "helpline.E002" in done.stderr


def test_one_check_is_silenced_and_that_is_a_decision_of_others():
    """Preload (W021) puts a whole domain into the browsers for years: the municipality's to decide."""
    from django.conf import settings

    assert settings.SILENCED_SYSTEM_CHECKS == ["security.W021"]


# -- served in earnest ---


@pytest.fixture
def served(transactional_db, cast, tmp_path, settings):
    """gunicorn with the settings of production, on the test's database."""
    environment = production() | {"SECURE_SSL_REDIRECT": "1", "ALLOWED_HOSTS": f"{HOST},127.0.0.1"}
    settings.HELPLINE_KEYS, settings.SECRET_KEY = [environment["HELPLINE_KEYS"]], environment["SECRET_KEY"]
    server = Server(tmp_path, **environment)
    server.start()
    yield server
    server.kill()
    server.log.close()


def ask(server: Server, path: str, method: str = "GET", body: str = "", **headers: str):
    """One request over the wire, with all that is answered."""
    wire = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    try:
        wire.request(method, path, body, {"Host": HOST, **{name.replace("_", "-"): it for name, it in headers.items()}})
        answer = wire.getresponse()
        return answer.status, answer.headers, answer.read().decode()
    finally:
        wire.close()


SECURE = {"X_Forwarded_Proto": "https"}
HSTS = "max-age=31536000; includeSubDomains"


def test_what_is_served_in_production(served):
    """One start of the server for all: headers, cookies, hosts, and what gunicorn itself refuses."""
    the_headers(served)
    the_cookie(served)
    for host in ("evil.example", f"{HOST}.evil.example", "10.0.0.1", "a b"):
        another_host(served, host)
    what_gunicorn_refuses(served)


def the_headers(served: Server) -> None:
    status, headers, _page = ask(served, "/cases/")
    assert (status, headers["Location"]) == (301, f"https://{HOST}/cases/")
    assert {name: headers[name] for name in HEADERS} == HEADERS and headers["Cache-Control"] == "no-store"
    for path, expected in (("/cases/", 302), ("/login/", 200), ("/nowhere/", 302), ("/static/css/helpline.css", 200)):
        status, headers, page = ask(served, path, **SECURE)
        assert status in (expected, 404), path
        assert headers["Strict-Transport-Security"] == HSTS, path
        assert {name: headers[name] for name in HEADERS} == HEADERS, path
        assert "default-src 'none'" in headers["Content-Security-Policy"], path
        assert ("no-store" in headers["Cache-Control"]) == (not path.startswith("/static/")), path
    assert ask(served, "/demo/mail/", **SECURE)[0] == 404


def the_cookie(served: Server) -> None:
    _status, headers, page = ask(served, "/login/", **SECURE)
    cookie = headers["Set-Cookie"]
    assert cookie.startswith("__Host-sid=")
    told = {part.strip().lower() for part in cookie.split(";")[1:]}
    assert {"secure", "httponly", "path=/"} <= told and not any(part.startswith("domain") for part in told)
    assert "samesite=lax" in told or "samesite=strict" in told
    assert "max-age" not in cookie.lower() and "expires" not in cookie.lower()  # gone with the browser


def another_host(served: Server, host: str) -> None:
    status, headers, page = ask(served, "/login/", Host=host, **SECURE)
    assert status == 400
    assert "evil" not in page and "DisallowedHost" not in page and "ALLOWED_HOSTS" not in page
    assert "evil" not in (served.folder / "gunicorn.log").read_text()


def what_gunicorn_refuses(served: Server) -> None:
    for raw in (b"GET /?q=Ingegerd\x00Malmkvist HTTP/9.9\r\n\r\n", b"Malmkvist\r\n\r\n",
                b"GET / HTTP/1.1\r\nMalm kvist: x\r\n\r\n", b"GET /" + b"Malmkvist" * 2000 + b" HTTP/1.1\r\n\r\n"):  # fmt: skip
        with socket.create_connection(("127.0.0.1", served.port), timeout=10) as wire:
            wire.sendall(raw)
            answer = wire.recv(65536)
        assert answer.split()[1].startswith(b"4") and b"Malm" not in answer, answer
    assert "Malm" not in (served.folder / "gunicorn.log").read_text()
