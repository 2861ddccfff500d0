"""A call goes on in the version of the questions that it began with, across an upgrade that changes them."""

import copy

import pytest
from django.db import connection
from django.urls import reverse

from intake import actions, triage
from intake.models import Call, Case, QuestionSet
from intake.reference import load_questions

GONE, RENAMED, NEW = "r_change", "r_rel", "r_brand_new"  # questions of a relative


def relative(document, key):
    return next(entry for entry in document["sets"]["relative"] if entry["key"] == key)


def upgraded(document):
    """The files as a later release has them: a question less, one more, an option less and one renamed, and codes of the
    lists that are taken away or renamed."""
    new = copy.deepcopy(document)
    asked, lists = new["sets"]["relative"], new["lists"]
    asked.remove(relative(new, GONE))
    asked.append({"key": NEW, "type": "text", "sv": "En ny fråga?", "en": "A brand new question?",
                  "short": {"sv": "Nytt", "en": "Brand new"}})  # fmt: skip
    options = relative(new, RENAMED)["options"]
    first, second = list(options)[:2]
    del options[first]
    options[second] = {"sv": "Omdöpt", "en": "Renamed"}
    for name, code in TAKEN.items():
        del lists[name][code]
    lists["milieus"]["LEFT"] = {"sv": "Nytt namn", "en": "A new name"}
    lists["tracks"]["B"] = {"sv": "Nytt spår", "en": "A new track"}
    new["callers"] = [entry for entry in new["callers"] if entry["code"] != "targeted"]
    return new


TAKEN = {
    "milieus": "ISLAMIST",
    "languages": "prs",
    "needs": "family_support",
    "age_bands": "18-19",
    "identities": "pseudonym",
    "protections": "fictitious_identity",
    "acute_lines": "told_manager",
}


@pytest.fixture
def upgrade(monkeypatch, reference):
    """What happens when a later release starts."""
    before = triage.read_files()
    for cached in (triage.guide_of, triage.guide_today):
        cached.cache_clear()

    def do() -> QuestionSet:
        monkeypatch.setattr(triage, "read_files", lambda: upgraded(before))
        triage.guide_today.cache_clear()
        return load_questions()

    yield do
    monkeypatch.undo()
    for cached in (triage.guide_of, triage.guide_today):
        cached.cache_clear()


@pytest.fixture
def options():
    """The first two options of the question whose options change."""
    return list(relative(triage.read_files(), RENAMED)["options"])[:2]


@pytest.fixture
def begun(make_call, options):
    """A call that goes on while the upgrade comes, with everything that the upgrade takes away."""
    return make_call(
        answers={GONE: "He shouts.", RENAMED: options[0], "weapon": "no"},
        **{"track": "B", "milieu": "ISLAMIST", "language": "prs", "age_band": "18-19", "identity": "pseudonym"},
        protection="fictitious_identity",
    )


def test_the_table_is_such_as_this_test_takes_it_to_be(options):
    document = triage.read_files()
    assert relative(document, GONE)["type"] == "text" and len(options) == 2
    assert all(code in document["lists"][name] for name, code in TAKEN.items())
    assert NEW not in triage.guide_today().questions


def test_the_old_questions_are_still_asked_and_the_old_answers_read(begun, upgrade, options, cast, client_of):
    old_words = triage.guide_of(begun.question_set_id).questions[RENAMED].options
    words = {code: triage.in_language(old_words[code]) for code in options}
    assert upgrade().version == begun.question_set_id + 1
    page = client_of(cast.caseworker).get(reverse("intake:call", args=[begun.pk])).content.decode()
    assert "He shouts." in page and f'name="a.{GONE}"' in page
    assert f'name="a.{NEW}"' not in page and "A brand new question?" not in page
    assert words[options[0]] in page and words[options[1]] in page
    assert "Renamed" not in page and "A new name" not in page and "A new track" not in page
    for code in ("ISLAMIST", "prs", "18-19"):
        assert f'value="{code}"' in page


def test_the_old_answers_can_be_changed_and_what_is_of_the_lists_too(begun, upgrade, options, cast, client_of):
    upgrade()
    data = {
        f"a.{GONE}": "He shouts and runs.",
        f"a.{RENAMED}": options[1],
        **{"milieu": "LEFT", "language": "prs", "age_band": "18-19", "n.seen": "He has left."},
    }
    answer = client_of(cast.caseworker).post(reverse("intake:call-save", args=[begun.pk]), data)
    assert answer.status_code == 303
    call = Call.objects.get(pk=begun.pk)
    assert (call.answered[GONE], call.answered[RENAMED]) == ("He shouts and runs.", options[1])
    assert (call.milieu, call.language) == ("LEFT", "prs")


def test_a_question_of_the_new_version_is_refused_and_the_rest_kept(begun, upgrade, cast, client_of):
    upgrade()
    data = {f"a.{NEW}": "words", "n.seen": "He has left."}
    answer = client_of(cast.caseworker).post(reverse("intake:call-save", args=[begun.pk]), data)
    assert answer.status_code == 422 and "there is no such question" in answer.content.decode()
    assert Call.objects.get(pk=begun.pk).notes.get().text == "He has left."


def test_it_is_completed_and_read_in_its_case(begun, upgrade, cast, client_of):
    upgrade()
    data = {"urgency": "SKYNDSAM", "urgency_reason": "as told", "confirm": "SKYNDSAM", "open_case": "yes"}
    answer = client_of(cast.caseworker).post(reverse("intake:call-complete", args=[begun.pk]), data)
    assert answer.status_code == 303, answer.context["form"].errors
    connection.check_constraints()
    case = Case.objects.get(calls=begun.pk)
    assert (case.milieu, case.age_band, case.language) == ("ISLAMIST", "18-19", "prs")
    assert case.age_name == "18–19 years"  # the words that it last had
    page = client_of(cast.caseworker).get(reverse("intake:case", args=[case.slug])).content.decode()
    assert "He shouts." in page and "18–19 years" in page
    assert triage.certainly_under("18-19", 20)


def test_a_need_and_a_caller_that_are_gone_are_still_told(make_call, upgrade, cast, client_of):
    call = make_call(caller_type="targeted", answers={"weapon": "no"}, urgency="SKYNDSAM", urgency_reason="told")
    name, needs = call.type_name, list(call.assessment.needs)
    upgrade()
    call = Call.objects.get(pk=call.pk)
    assert call.type_name == name and list(call.assessment.needs) == needs
    case = actions.complete_call(by=cast.caseworker, call=call).case
    assert case.caller_name == name
    for url in (reverse("intake:case-list"), reverse("intake:case", args=[case.slug])):
        assert name.lower() in client_of(cast.caseworker).get(url).content.decode().lower()


def test_a_line_that_is_gone_is_still_read(make_call, upgrade, cast, client_of):
    call = make_call(answers={"weapon": "yes"}, urgency="AKUT")
    actions.write_measures(by=cast.caseworker, call=call, done=["told_manager"])
    label = triage.name_of("acute_lines", "told_manager")
    upgrade()
    mine = client_of(cast.caseworker)
    page = mine.get(reverse("intake:call", args=[call.pk]))
    assert page.status_code == 200 and label in page.content.decode()
    case = actions.complete_call(by=cast.caseworker, call=Call.objects.get(pk=call.pk)).case
    assert label in mine.get(reverse("intake:case", args=[case.slug])).content.decode()


def test_a_new_call_gets_the_new_questions(upgrade, cast, client_of, options):
    upgrade()
    call = actions.start_call(by=cast.caseworker)
    actions.save_call(by=cast.caseworker, call=call, facts={"caller_type": "relative"})
    page = client_of(cast.caseworker).get(reverse("intake:call", args=[call.pk])).content.decode()
    assert f'name="a.{NEW}"' in page and "Renamed" in page and "A new name" in page
    assert f'name="a.{GONE}"' not in page and 'value="ISLAMIST"' not in page
    refused = client_of(cast.caseworker).post(
        reverse("intake:call-save", args=[call.pk]), {f"a.{RENAMED}": options[0], "milieu": "ISLAMIST"}
    )
    assert refused.status_code == 422
    assert set(refused.context["form"].errors) == {f"a.{RENAMED}", "milieu"}


def test_the_same_files_make_no_new_version(reference):
    assert load_questions().version == load_questions().version == QuestionSet.objects.latest("version").version
