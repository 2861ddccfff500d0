"""A browser without script: it keeps its cookies, and sends the same again until there is an answer."""

import http.client
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.cookies import SimpleCookie
from urllib.parse import urlsplit

from helpline.drill import forms, phones
from helpline.drill.forms import Control, Form, Page
from helpline.drill.traffic import Traffic
from helpline.local.ports import HOST

PATIENCE = 30.0  # seconds for one answer
PAUSE = (0.15, 0.45)  # seconds before the same is sent again: not all at once
AGAIN = 0.25
CODE = "/login/code/"
MOVED = {301, 302, 303}


class Over(Exception):
    """The drill has ended, and this request has had its time."""


class LoggedOut(Exception):
    """The server does not know who this is any more."""


@dataclass(frozen=True)
class Sent:
    """What the server said to a form: the status, where it led to, the page, and how often it was sent."""

    status: int
    location: str
    page: Page | None
    tries: int

    @property
    def is_confirmed(self) -> bool:
        """Whether the server said that it is done."""
        return self.status in MOVED


class Browser:
    """One person at one browser."""

    def __init__(self, port: int, traffic: Traffic) -> None:
        self.port, self.traffic = port, traffic
        self.cookies: dict[str, str] = {}
        self.page = Page("/", 0, "", [], [], [])

    def log_in(self, name: str, password: str) -> None:
        """As a person does."""
        self.cookies.clear()
        form = self.get("/login/").form("/login/")
        assert form is not None, "no form to log in"
        form.put("login", name)
        form.put("password", password)
        sent = self.send(form)
        assert sent.is_confirmed, f"{name} could not log in: {sent.status}"
        self._show_code(phones.secret_of(name, password), sent.location)
        self.traffic.tally("logged in")

    def _show_code(self, secret: str, path: str) -> None:
        """The second step: what the app of this person shows. A code is taken once, so the next is waited for."""
        for _try in range(4):
            form = self.get(path).form(CODE)
            assert form is not None, f"no form for a code at {path}"
            form.put("code", phones.code_of(secret))
            if self.send(form).is_confirmed:
                return
            self.traffic.tally("waited for a code")
            time.sleep(phones.seconds_left())
        raise AssertionError("no code was taken")

    def get(self, path: str) -> Page:
        """The page that an address leads to. Raises LoggedOut, Over."""
        for _hop in range(6):
            status, location, html, _tries = self._until_answered("GET", path, None)
            if status not in MOVED:
                self.page = forms.read(path, status, html)
                return self.page
            if location.startswith("/login/") and not path.startswith("/login/"):
                raise LoggedOut
            path = location
        raise AssertionError(f"{path} leads round in a ring")

    def send(self, form: Form, button: Control | None = None, *, seen: Callable[[], bool] | None = None) -> Sent:
        """Send a form until there is an answer: the same again; or, with `seen`, only where a look shows that the first
        did not arrive, as a person does with a form that has no mark of its own. Raises LoggedOut, Over."""
        path, body = form.target(button), form.body(button)
        status, location, html, tries = self._until_answered("POST", path, body, seen)
        if location.startswith("/login/") and not path.startswith("/login/"):
            raise LoggedOut
        page = forms.read(path, status, html) if status and status not in MOVED else None
        return Sent(status or 302, location, page, tries)

    def again(self, form: Form, button: Control | None = None) -> None:
        """Now and then, what was answered is sent once more, as by a second press. It must change nothing."""
        if random.random() > AGAIN:
            return
        status, location, _html, _tries = self._until_answered("POST", form.target(button), form.body(button))
        self.traffic.tally("sent again")
        if status in MOVED:
            self.get(location)  # what is said there is of this press, and not of the next

    def _until_answered(
        self, method: str, path: str, body: str | None, seen: Callable[[], bool] | None = None
    ) -> tuple[int, str, str, int]:
        tries = 0
        while True:
            tries += 1
            try:
                status, location, html = self._once(method, path, body)
            except ConnectionRefusedError:
                status, location, html = 0, "not there", ""
            except (OSError, http.client.HTTPException):
                status, location, html = 0, "cut off", ""
            if 0 < status < 500:
                self.traffic.tally("answered" if status < 400 else "refused")
                return status, location, html, tries
            self.traffic.tally("failed" if status else location)
            if self.traffic.over.is_set() and time.monotonic() > self.traffic.give_up_at:
                raise Over
            time.sleep(random.uniform(*PAUSE))
            if seen is not None and seen():
                return 0, path, "", tries

    def _once(self, method: str, path: str, body: str | None) -> tuple[int, str, str]:
        connection = http.client.HTTPConnection(HOST, self.port, timeout=PATIENCE)
        try:
            connection.connect()
            connection.request(method, path, body, self._headers(body))
            ticket = self.traffic.enter(f"{method} {path}")
            try:
                answer = connection.getresponse()
                html = answer.read().decode()
            finally:
                self.traffic.leave(ticket)
            self._keep(answer.headers.get_all("Set-Cookie") or [])
            where = urlsplit(answer.headers.get("Location", ""))
            return answer.status, where.path + (f"?{where.query}" if where.query else ""), html
        finally:
            connection.close()

    def _headers(self, body: str | None) -> dict[str, str]:
        """As the proxy in front hands it on: the person came by https."""
        headers = {"X-Forwarded-Proto": "https", "Accept": "text/html", "Accept-Language": "sv", "Connection": "close"}
        headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        if body is not None:
            headers |= {"Content-Type": "application/x-www-form-urlencoded", "Origin": f"https://{HOST}:{self.port}"}
        return headers

    def _keep(self, lines: list[str]) -> None:
        for line in lines:
            for name, morsel in SimpleCookie(line).items():
                self.cookies[name] = morsel.value
