"""What a person sees, and what stands in the log of the machine, when a page of ours fails: in production, over the wire."""

import json
import re
from types import SimpleNamespace
from urllib.parse import urlencode

import pytest
from django.test import Client
from django.urls import reverse

from helpline.people.models import User
from helpline.people.session_store import SessionStore
from intake.models import Note
from tests.roof.test_deploy import HOST, SECURE, ask, production
from tests.stories.server import Server

WORDS, ASKED = "Han gömmer Ingegerds gevär", "Malmkvist"
# Each fails while it is drawn, with words of a case in the message of its exception.
CASE = """{% extends "intake/case.html" %}{% block title %}{{ block.super }}{% if request.COOKIES.broken == "url" %}
{% url "livez" case.notes.last.text %}{% elif request.COOKIES.broken == "tag" %}{% include case.notes.last.text %}{% endif %}
{% endblock %}"""
LOG_IN = """{% extends "account/login.html" %}{% block title %}{{ block.super }}{% if request.GET.q %}
{% url "livez" request.GET.q %}{% endif %}{% endblock %}"""


@pytest.fixture
def served(transactional_db, cast, make_case, tmp_path, settings):
    """gunicorn in production settings, two of whose pages fail when they are told to; and Anna, who is in."""
    environment = production() | {"ALLOWED_HOSTS": f"{HOST},127.0.0.1", "BROKEN": str(tmp_path / "broken")}
    settings.HELPLINE_KEYS, settings.SECRET_KEY = [environment["HELPLINE_KEYS"]], environment["SECRET_KEY"]
    for name, text in (("intake/case.html", CASE), ("account/login.html", LOG_IN)):
        path = tmp_path / "broken" / name
        path.parent.mkdir(parents=True)
        path.write_text(text)
    User.objects.update(language="sv")
    anna = Client()
    anna.force_login(cast.caseworker, backend="django.contrib.auth.backends.ModelBackend")
    session = SessionStore(anna.session.session_key)
    session["factor"] = True
    session.save()
    server = Server(tmp_path, **environment)
    server.application = "tests.roof.broken_wsgi"
    try:
        server.start()
        yield SimpleNamespace(server=server, cookie=f"__Host-sid={session.session_key}", case=make_case())
    finally:
        server.kill()
        server.log.close()


def log_of(server: Server) -> str:
    return (server.folder / "gunicorn.log").read_text()


def is_calm(answer, server: Server) -> None:
    """The page of a fault of ours: in Swedish, without a word of what failed, and told to nobody in words."""
    status, headers, page = answer
    assert status == 500 and '<html lang="sv">' in page
    assert "Något gick fel hos oss" in page and "Inget som var sparat är förlorat." in page and 'href="/"' in page
    for said in (WORDS, "Ingegerd", ASKED, "Traceback", "Exception", "NoReverseMatch", "livez", "TemplateDoesNotExist"):
        assert said not in page, said
    assert headers["Cache-Control"] == "no-store" and "default-src 'none'" in headers["Content-Security-Policy"]
    for said in (WORDS, "Ingegerd", ASKED):
        assert said not in log_of(server), said


def told(server: Server, view: str, exception: str) -> list[dict]:
    lines = [json.loads(line) for line in log_of(server).splitlines() if line.startswith("{")]
    return [one for one in lines if one["message"] == f"500 {view}" and one.get("exception") == exception]


def test_a_page_that_fails_is_calm_and_says_nothing_and_what_was_saved_stands(served):
    server, case = served.server, served.case
    url, add = (reverse(f"intake:{name}", args=[case.slug]) for name in ("case", "note-add"))

    def page(broken: str = ""):
        return ask(server, url, Cookie=f"{served.cookie}; broken={broken}", **SECURE)

    status, _headers, whole = page()
    assert status == 200
    key = re.search(r'csrfmiddlewaretoken" value="([^"]+)', whole)[1]
    note = {"csrfmiddlewaretoken": key, "kind": "told", "text": WORDS, "anyway": "yes"}
    sent = ask(server, add, "POST", urlencode(note), Cookie=f"{served.cookie}; broken=url", Referer=f"https://{HOST}{url}",
               Content_Type="application/x-www-form-urlencoded", **SECURE)  # fmt: skip
    assert sent[0] == 302 and sent[1]["Location"].startswith(url)
    is_calm(page("url"), server)
    is_calm(page("tag"), server)
    status, _headers, whole = page()  # she tries again, once it is mended
    assert status == 200 and WORDS in whole
    assert [one.text for one in Note.objects.filter(case=case)].count(WORDS) == 1
    assert told(server, "intake:case", "NoReverseMatch") and told(server, "intake:case", "TemplateDoesNotExist")
    is_calm(ask(server, f"/login/?{urlencode({'q': ASKED})}", Accept_Language="en", **SECURE), server)
    assert told(server, "account_login", "NoReverseMatch") and ask(server, "/login/", **SECURE)[0] == 200
