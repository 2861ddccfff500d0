"""The form on paper has what the page has: each question, each option, each list."""

from html import unescape

import pytest
from django.conf import settings as project
from django.urls import reverse
from django.utils import translation

from helpline.people.models import Municipality, User
from intake import triage
from intake.labels import NOTE_KINDS
from intake.safe import ANSWERS, FIELDS
from intake.triage import guide_today

pytestmark = pytest.mark.django_db
URL = "/paper/"


def page_of(client, **query) -> str:
    answer = client.get(URL, query)
    assert answer.status_code == 200
    return unescape(answer.content.decode())


@pytest.mark.parametrize("language", ["sv", "en"])
def test_every_question_and_every_option_stands_on_it(client_of, cast, language):
    User.objects.filter(pk=cast.caseworker.pk).update(language=language)
    cast.caseworker.refresh_from_db()
    page = page_of(client_of(cast.caseworker))
    count = 0
    with translation.override(language):
        for questions in guide_today().sets.values():
            for question in questions:
                text = question.text.replace("{line_name}", project.LINE_NAME)
                assert text in page, question.key
                part = page[page.index(text) :]
                part = part[: part.index("</div>")] if question.type != "say" else ""
                for _code, name in question.choices if question.type != "say" else []:
                    assert f"<span>{name}</span>" in part, (question.key, name)
                count += 1
    assert count == len(guide_today().questions) > 50


@pytest.mark.parametrize(
    "name", ["tracks", "identities", "protections", "milieus", "age_bands", "languages", "urgencies", "acute_lines"]
)
def test_every_list_stands_on_it(client_of, cast, name):
    page = page_of(client_of(cast.caseworker))
    for _code, label in triage.choices(name):
        assert label in page, label


def test_and_the_rest_of_the_call(client_of, cast):
    page = page_of(client_of(cast.caseworker))
    labels = [
        *NOTE_KINDS.values(),
        *(field.ask for field in FIELDS.values()),
        *(ANSWERS[code] for field in FIELDS.values() for code in field.says),
        *Municipality.objects.values_list("name", flat=True),
        *(caller.name for caller in guide_today().callers.values()),
        *(
            "Date",
            "The call began",
            "It ended",
            "Taken by",
            "Is this an actualisation?",
            "Next step: what, who, by when",
        ),
    ]
    for label in labels:
        assert str(label) in page, label


@pytest.mark.parametrize("caller", ["relative", "leaver", "professional"])
def test_the_form_for_one_caller_has_no_other_questions(client_of, cast, caller):
    page = page_of(client_of(cast.caseworker), caller=caller)
    guide = guide_today()
    for name in ("relative", "leaver", "professional"):
        texts = [question.text for question in guide.sets[guide.callers[name].questions]]
        found = [text for text in texts if f'class="asking">{text}</p>' in page]
        assert (
            (found == texts)
            if name == caller
            else set(found) <= {q.text for q in guide.sets[guide.callers[caller].questions]}
        )


def test_the_heading_says_nothing(client_of, cast, settings):
    page = page_of(client_of(cast.caseworker))
    head = page[: page.index("<h2>")]
    assert "<title>Call form</title>" in page and settings.LINE_NAME not in head and "xtrem" not in head


def test_who_may(client_of, cast):
    for who in ("partner", "keeper"):
        assert client_of(getattr(cast, who)).get(URL).status_code == 403
    assert client_of(cast.caseworker).post(URL).status_code == 405
    assert client_of(cast.manager).get(reverse("intake:paper")).status_code == 200
    assert page_of(client_of(cast.caseworker), caller="nobody")
