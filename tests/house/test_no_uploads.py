"""Nothing takes files: a form with one is refused on every address, before anything of it is kept."""

import tempfile
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import translation

from helpline.people.models import LogEntry
from intake.models import Note
from tests.house.streets import EVERYBODY, STREETS

CANARY = b"Ingegerd Malmkvist"
KIND = "multipart/form-data; boundary=x"


def part(disposition: bytes, content: bytes = CANARY, kind: bytes = b"text/plain") -> bytes:
    head = b"--x\r\nContent-Disposition: form-data; " + disposition + b"\r\nContent-Type: " + kind
    return head + b"\r\n\r\n" + content + b"\r\n"


FILES = {
    "plain": part(b'name="n.seen"; filename="a.txt"'),
    "odd name": part(b'name="n.seen"; filename=".."'),
    "slashes": part(b'name="n.seen"; filename="../../etc/passwd"'),
    "encoded name": part(b"name=\"n.seen\"; filename*=UTF-8''a%2Epng"),
    "no field": part(b'name=""; filename="a.txt"'),
    "capitals": part(b'NAME="n.seen"; FILENAME="a.txt"'),
    "after words": part(b'name="n.told"') + part(b'name="n.seen"; filename="a.exe"'),
    "many": part(b'name="n.seen"; filename="a.txt"') * 200,
    "large": part(b'name="n.seen"; filename="a.txt"', CANARY + b"x" * 6_000_000),
    "script": part(b'name="n.seen"; filename="a.svg"', b"<svg onload=alert(1)>", b"image/svg+xml"),
    "cut off": part(b'name="n.seen"; filename="a.txt"')[:-10],
}


@pytest.fixture
def writes(monkeypatch):
    """The statements that change a row, and the files that are begun."""
    found: list[str] = []

    def look(execute, sql, params, many, context):
        if sql.lstrip().upper().startswith(("INSERT", "UPDATE", "DELETE")):
            found.append(sql)
        return execute(sql, params, many, context)

    for name in ("NamedTemporaryFile", "TemporaryFile", "mkstemp"):
        monkeypatch.setattr(tempfile, name, lambda *_, **__: found.append("a file"))
    with connection.execute_wrapper(look):
        yield found


def test_a_file_is_refused_on_every_address(cast, client_of, address_of, writes):
    theirs = {who: client_of(user) for who, user in cast.everybody().items()}
    found = [(name, address_of(name, street), street) for name, street in STREETS.items()]
    logged = LogEntry.objects.latest("pk").pk
    writes.clear()
    wrong = {}
    for name, url, street in found:
        who = next(
            (one for one in EVERYBODY.split() if street.answer("POST", one) not in (403, 404, 405)), "caseworker"
        )
        for client in (theirs[who], Client()):
            for method in ("post", "put"):
                answer = getattr(client, method)(url, FILES["plain"] + b"--x--\r\n", content_type=KIND)
                if method == "post" and answer.status_code != 400 or CANARY in answer.content:
                    wrong[name, method] = answer.status_code
    assert wrong == {}
    # How often somebody asks, that somebody is there, and that an act was refused.
    counted = ('"cache"', '"django_session"', '"people_logentry"')
    assert {one[:150] for one in writes if not any(table in one for table in counted)} == set()
    events = set(LogEntry.objects.filter(pk__gt=logged).values_list("event", flat=True))
    assert events <= {"access.refused"}


@pytest.mark.parametrize("csrf", [False, True], ids=["", "with the form's key"])
@pytest.mark.parametrize("kind", FILES)
def test_every_way_of_sending_one_is_refused(kind, csrf, cast, make_call, writes):
    call = make_call()
    client = Client(enforce_csrf_checks=csrf)
    client.force_login(cast.caseworker, backend="django.contrib.auth.backends.ModelBackend")
    client.get(reverse("intake:my-day"))
    writes.clear()
    url = reverse("intake:call-save", args=[call.pk])
    answer = client.post(url, FILES[kind] + b"--x--\r\n", content_type=KIND)
    assert answer.status_code == 400 and CANARY not in answer.content
    assert writes == [] and not Note.objects.filter(call=call).exists()


def test_it_says_so_in_plain_swedish(cast, make_call, client_of):
    cast.caseworker.language = "sv"
    cast.caseworker.save()
    body = FILES["plain"] + b"--x--\r\n"
    with translation.override("sv"):
        answer = client_of(cast.caseworker).post(reverse("intake:shift"), body, content_type=KIND)
        page = answer.content.decode()
        assert 'lang="sv"' in page and translation.gettext("Files are not received here. Nothing was saved.") in page
        assert "Files are not received" not in page


def test_a_form_of_that_kind_without_a_file_works(cast, make_call, client_of):
    call = make_call()
    url = reverse("intake:call-save", args=[call.pk])
    answer = client_of(cast.caseworker).post(url, {"n.seen": "He has left."})  # Django's client sends it as multipart
    assert answer.status_code in (200, 302, 303)
    assert Note.objects.get(call=call).text == "He has left."


def test_an_empty_field_for_a_file_is_no_file(cast, make_call, client_of):
    """What a browser sends where nothing was chosen."""
    call = make_call()
    body = part(b'name="n.seen"', b"He has left.") + part(b'name="file"; filename=""', b"") + b"--x--\r\n"
    answer = client_of(cast.caseworker).post(reverse("intake:call-save", args=[call.pk]), body, content_type=KIND)
    assert answer.status_code in (200, 302, 303) and Note.objects.get(call=call).text == "He has left."


def test_the_handler_alone_would_refuse_it_too(cast, make_call, client_of, settings):
    """Two locks: with the middleware taken out the only handler of files takes none."""
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if not name.endswith("NoFilesMiddleware")]
    call = make_call()
    upload = SimpleUploadedFile("a.txt", CANARY)
    answer = client_of(cast.caseworker).post(reverse("intake:call-save", args=[call.pk]), {"n.seen": upload})
    assert answer.status_code == 400 and CANARY not in answer.content


def test_no_page_and_no_model_has_a_place_for_files():
    from django.apps import apps
    from django.db.models import FileField

    root = Path(__file__).resolve().parents[2]
    held = [
        str(field) for model in apps.get_models() for field in model._meta.get_fields() if isinstance(field, FileField)
    ]
    assert held == []
    for top in ("helpline", "intake", "referrals", "templates"):
        for path in (root / top).rglob("*"):
            if path.suffix in (".py", ".html"):
                text = path.read_text(encoding="utf-8")
                assert 'type="file"' not in text and "request.FILES" not in text and "FileField" not in text, path
