"""A name and a note that were typed are nowhere in the clear: not in a table, not in a file of the database."""

import os
from pathlib import Path

import pytest
from django.apps import apps
from django.db import connection
from django.urls import reverse

from intake.models import Call, Case
from referrals import actions as referral_actions

NAME, NOTE, ASKED = "Ingegerd Malmkvist", "He keeps a rifle in the barn by the lake", "Zebragatan fjorton"
NUMBER, WRITTEN = "198112189876", "811218-9876"  # of the caller, as it is kept and as it was typed


@pytest.fixture
def typed(client_of, cast) -> Case:
    """A call, a case and a referral, typed into the pages."""
    client = client_of(cast.caseworker)
    client.post(reverse("intake:call-start"))
    call = Call.objects.get()
    facts = {
        "caller_type": "relative",
        "track": "B",
        "municipality": "1499",
        "age_band": "15-17",
        "urgency": "SKYNDSAM",
        "actualisation": "no",
        "actualisation_reason": NOTE,
        "a.named": "said",
        "identity": "named",
    }
    client.post(reverse("intake:call-save", args=[call.pk]), facts)
    words = {
        **facts,
        "caller_name": NAME,
        "personal_number": WRITTEN,
        "n.seen": NOTE,
        "a.r_event": NOTE,
        "r.r_violence": NOTE,
        "what": NOTE,
    }
    answer = client.post(reverse("intake:call-complete", args=[call.pk]), words)
    assert answer.status_code == 303, answer.content.decode()[:2000]
    case = Case.objects.get()
    client.post(reverse("intake:note-add", args=[case.slug]), {"kind": "told", "text": NOTE})
    client.post(reverse("intake:contact-log", args=[case.slug]), {"outcome": "no_answer", "text": NOTE, "read": "on"})
    draft = referral_actions.draft_referral(by=cast.caseworker, case=case, agency=cast.agency, need="family_support")
    card = {"ask": ASKED, "happened": NOTE, "name": NAME, "ground": "CARE_U18", "ground_reason": NOTE}
    draft = referral_actions.save_draft(by=cast.caseworker, referral=draft, words=card)
    sent = referral_actions.send(by=cast.caseworker, referral=draft)
    referral_actions.decline(by=cast.partner, referral=sent, reason="no_capacity", text=NOTE)
    page = client.get(reverse("intake:case", args=[case.slug])).content.decode()
    assert NAME in page and NOTE in page  # it was written, and can be read
    caller = case.people.get(part="caller")
    page = client.get(reverse("intake:person-edit", args=[case.slug, caller.pk])).content.decode()
    assert caller.personal_number == NUMBER and "19811218-9876" in page
    assert case.number in client.post(reverse("intake:search"), {"term": WRITTEN}).content.decode()  # and searched for
    return case


def forms_of(text: str) -> list[bytes]:
    """As it would stand in the clear: as text, and as the figures of bytes."""
    return [text.encode(), text.encode().hex().encode(), text.encode("utf-16-le")]


def tables() -> bytes:
    """Every row of every table of ours, as text."""
    found = []
    with connection.cursor() as cursor:
        for model in apps.get_models(include_auto_created=True):
            cursor.execute(f'SELECT t::text FROM "{model._meta.db_table}" t')
            found += [row[0].encode() for row in cursor.fetchall()]
    return b"\n".join(found)


def test_not_in_a_table(typed):
    everything = tables()
    assert typed.code.encode() in everything  # what is plain is found, so the search works
    for text in (NAME, NOTE, ASKED, NUMBER, WRITTEN):
        for form in forms_of(text):
            assert form not in everything


@pytest.mark.django_db(transaction=True)
def test_not_in_a_file_of_the_database(typed):
    folder = Path(os.environ.get("HELPLINE_VAR", "")) / "postgres"
    if not (os.environ.get("HELPLINE_VAR") and os.access(folder / "PG_VERSION", os.R_OK)):
        pytest.skip("the database's files are on another machine; its tables are searched by the test above")
    wanted = {text: forms_of(text) for text in (NAME, NOTE, ASKED, NUMBER, WRITTEN)}
    sees_plain, files = False, 0
    for path in folder.rglob("*"):
        if path.is_file():
            data, files = path.read_bytes(), files + 1
            sees_plain = sees_plain or typed.code.encode() in data
            for text, forms in wanted.items():
                assert not any(form in data for form in forms), (text, path)
    assert files > 100 and sees_plain
