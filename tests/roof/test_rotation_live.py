"""The master key is changed while a web server reads and writes: nobody notices, and the old key opens nothing afterwards."""

import os
import re
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlencode

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.urls import reverse

from helpline.people.models import DataKey, IndexKey
from helpline.people.rotation import by_master, left
from intake.models import Call
from tests.stories.server import ROOT, Server, app_url

OLD, NEW = "old:" + "A" * 43 + "=", "new:" + "B" * 43 + "="
pytestmark = pytest.mark.django_db(transaction=True)
MANY = 600  # keys: some batches, so that there is a while to read and write in


class Browser:
    """A caseworker's browser at a real server: reads pages, and begins calls."""

    def __init__(self, url: str, sid: str) -> None:
        self.url, self.sid = url, sid

    def read(self, path: str, **posted: str) -> str:
        body = urlencode(posted).encode() if posted else None
        asked = urllib.request.Request(self.url + path, body, {"Cookie": f"{settings.SESSION_COOKIE_NAME}={self.sid}"})
        with urllib.request.urlopen(asked, timeout=20) as answer:
            return answer.read().decode()

    def begin_call(self) -> None:
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', self.read(reverse("home")))[1]
        self.read(reverse("intake:call-start"), csrfmiddlewaretoken=token)


@pytest.fixture
def opened_server(tmp_path):
    """Starts the server with these keys, in place of the one before."""
    server = Server(tmp_path)

    def start(*keys: str) -> Server:
        server.kill()
        settings.HELPLINE_KEYS = list(keys)
        server.start()
        return server

    before = settings.HELPLINE_KEYS
    yield start
    server.kill()
    settings.HELPLINE_KEYS = before


def rotate(folder: Path, *keys: str) -> subprocess.Popen:
    env = {**os.environ, "DATABASE_URL": app_url(), "HELPLINE_KEYS": ",".join(keys)}
    with (folder / "rotate.log").open("ab") as log:
        return subprocess.Popen([sys.executable, "manage.py", "rotate_keys"], cwd=ROOT, env=env, stdout=log, stderr=log)


def test_the_key_is_changed_while_a_server_reads_and_writes(opened_server, tmp_path, make_call, client_of, cast):
    settings.HELPLINE_KEYS = [OLD]
    call = make_call(track="B", notes={"seen": "Ord som ska stå kvar"})
    for _ in range(MANY):
        DataKey.new()
    IndexKey.current()
    page = reverse("intake:call", args=[call.pk])
    # Every process knows both keys before one is made current: this one still wraps under the old one.
    server = opened_server(OLD, NEW)
    browser = Browser(server.url, client_of(cast.caseworker).cookies[settings.SESSION_COOKIE_NAME].value)
    assert "Ord som ska stå kvar" in browser.read(page)
    seen, faults, over = [], [], threading.Event()

    def work() -> None:
        while not over.is_set():
            try:
                seen.append("Ord som ska stå kvar" in browser.read(page))
                if len(seen) % 3 == 0:
                    browser.begin_call()
            except (urllib.error.URLError, OSError, TypeError) as error:
                faults.append(repr(error))

    worker = threading.Thread(target=work)
    worker.start()
    at_once = [rotate(tmp_path, NEW, OLD) for _ in range(2)]
    codes = [process.wait(60) for process in at_once]
    over.set()
    worker.join()
    assert faults == [] and len(seen) > 3 and all(seen)
    assert by_master()["new"] >= MANY, (codes, (tmp_path / "rotate.log").read_text())

    server.kill()  # now the new one is current everywhere; what came meanwhile is wrapped anew
    settings.HELPLINE_KEYS = [NEW, OLD]
    assert rotate(tmp_path, NEW, OLD).wait(60) == 0
    call_command("rotate_keys", check=True)
    assert left() == {}
    started = Call.objects.count()
    opened_server(NEW)  # and the old one is taken away
    assert "Ord som ska stå kvar" in browser.read(page)
    browser.begin_call()
    assert Call.objects.count() == started + 1 and by_master().keys() == {"new"}
    settings.HELPLINE_KEYS = [OLD]  # which opens nothing any more
    with pytest.raises(ImproperlyConfigured, match="the master key new is not in HELPLINE_KEYS"):
        Call.objects.get(pk=call.pk).notes.get().text  # noqa: B018  reading it is the act
