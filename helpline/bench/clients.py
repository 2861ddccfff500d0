"""Browsers of the bench: a session that is made in the database, a connection that is kept, and the time of each answer."""

import http.client
import secrets
import time
from dataclasses import dataclass, field
from urllib.parse import urlencode

from helpline.bench.counting import ASKED, GUARD, MILLISECONDS, QUERIES
from helpline.local.ports import HOST

PATIENCE = 60.0  # seconds for one answer


@dataclass(frozen=True)
class Ask:
    """One request."""

    path: str
    form: dict[str, str] | None = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Answer:
    """What came back, and what it took. Milliseconds."""

    status: int
    location: str
    body: bytes
    took: float
    queries: int
    database: float
    guard: tuple[int, float]  # statements of the guard, and what they and the commits took


class Client:
    """One person who is logged in."""

    def __init__(self, port: int, user: int) -> None:
        self.port, self.user = port, user
        self.cookie, self.csrf = _session(user)
        self._connection: http.client.HTTPConnection | None = None

    def ask(self, ask: Ask, *, counted: bool = False) -> Answer:
        """Send it, and read the whole answer. `counted`: with the statements that it made."""
        headers = {"X-Forwarded-Proto": "https", "Accept": "text/html", "Accept-Language": "sv", "Cookie": self.cookie}
        body = None
        if ask.form is not None:
            body = urlencode({"csrfmiddlewaretoken": self.csrf, **ask.form})
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            headers["Origin"] = f"https://{HOST}:{self.port}"
        headers |= ask.headers | ({ASKED: "1"} if counted else {})
        began = time.perf_counter()
        answer = self._sent("GET" if body is None else "POST", ask.path, body, headers)
        content = answer.read()
        took = 1000 * (time.perf_counter() - began)
        said = answer.headers
        queries, database = int(said.get(QUERIES, 0)), float(said.get(MILLISECONDS, 0))
        statements, _space, guarded = said.get(GUARD, "0 0").partition(" ")
        guard = int(statements), float(guarded)
        return Answer(answer.status, said.get("Location", ""), content, took, queries, database, guard)

    def _sent(self, method: str, path: str, body: str | None, headers: dict[str, str]) -> http.client.HTTPResponse:
        if self._connection is not None:
            try:
                self._connection.request(method, path, body, headers)
                return self._connection.getresponse()
            except (ConnectionError, http.client.HTTPException):  # it was closed while nothing was asked
                self.close()
        self._connection = http.client.HTTPConnection(HOST, self.port, timeout=PATIENCE)
        self._connection.request(method, path, body, headers)
        return self._connection.getresponse()

    def close(self) -> None:
        """Let the connection go."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _session(user: int) -> tuple[str, str]:
    """A log-in of this person with a second factor: its cookie, and the token of its forms."""
    from django.conf import settings
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.middleware.csrf import CSRF_SESSION_KEY

    from helpline.people.models import User
    from helpline.people.second_factor import FACTOR
    from helpline.people.session_store import SessionStore
    from helpline.people.sessions import ACTIVE, BEGAN

    session, csrf, now = SessionStore(), secrets.token_hex(16), int(time.time())
    person = User.objects.get(pk=user)
    session[SESSION_KEY], session[HASH_SESSION_KEY] = str(user), person.get_session_auth_hash()
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[BEGAN] = session[ACTIVE] = now
    session[FACTOR], session[CSRF_SESSION_KEY] = True, csrf
    session.create()
    return f"{settings.SESSION_COOKIE_NAME}={session.session_key}", csrf
