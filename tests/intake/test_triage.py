"""The question sets and what they say: every question, every rule, from the table itself."""

import pytest
import yaml

from helpline.people.models import Municipality
from intake import triage
from intake.models import QuestionSet
from intake.reference import load_questions
from intake.triage import BadAnswer, certainly_under, guide_today, read_files

TYPES = {"say", "text", "bool3", "choice", "multi", "age"}
GUIDE = guide_today()
QUESTIONS = list(GUIDE.questions.values())
WITHOUT_CODES = "ett svar med egna ord"


def answers_of(question):
    """Every single answer that a question may have."""
    if question.type == "text":
        return [WITHOUT_CODES]
    return [[code] if question.type == "multi" else code for code in question.options]


def expected(question, rule, value):
    """What the table says that this answer points to, read apart from the code that is tested."""
    says = question.entry.get(rule)
    if isinstance(says, str):
        return {says} if value == "yes" else set()
    given = value if isinstance(value, list) else [value]
    return {says[one] for one in given if one in (says or {})}


SINGLE = [(question, value) for question in QUESTIONS for value in answers_of(question)]
IDS = [f"{question.key}={value}" for question, value in SINGLE]
RULES = [
    (question, rule, option, code)
    for question in QUESTIONS
    for rule in ("raises", "suggests")
    if (says := question.entry.get(rule))
    for option, code in ([("yes", says)] if isinstance(says, str) else says.items())
]


# ---------- The table is whole ----------


def test_no_key_is_asked_twice():
    entries = [question.key for questions in GUIDE.sets.values() for question in questions]
    assert len(entries) == len(set(entries)) == len(QUESTIONS) > 50


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.key)
def test_every_question_is_whole(question):
    entry = question.entry
    assert question.type in TYPES
    assert len(question.key) <= 40
    for text in (entry, entry["short"], *entry.get("options", {}).values()):
        assert text["sv"].strip()
        assert text["en"].strip()
    assert bool(entry.get("options")) == (question.type in ("choice", "multi"))
    assert set(entry) <= {"key", "type", "short", "sv", "en", "options", "raises", "suggests", "when"}
    for key, value in (entry.get("when") or {}).items():  # it depends on an answer that there is
        assert value in GUIDE.questions[key].options


@pytest.mark.parametrize("question, rule, option, code", RULES, ids=lambda value: getattr(value, "key", str(value)))
def test_every_rule_points_to_what_exists(question, rule, option, code):
    assert code in triage.codes("urgencies" if rule == "raises" else "needs")
    assert option in question.options


def test_the_acute_questions_are_eight_and_each_raises():
    acute = GUIDE.sets["acute"]
    assert len(acute) == 8
    for question in acute:
        assert question.type == "bool3"
        assert question.entry["raises"] in ("AKUT", "BRADSKANDE")
        assert question.entry["suggests"]


def test_a_question_that_depends_on_an_answer_is_asked_by_it_and_stays_when_answered():
    depends = [question for question in QUESTIONS if question.entry.get("when")]
    assert depends
    for question in depends:
        when = question.entry["when"]
        assert question not in GUIDE.asked_of("professional")
        assert question in GUIDE.asked_of("professional", when)
        other = {key: next(one for one in GUIDE.questions[key].options if one != value) for key, value in when.items()}
        assert question not in GUIDE.asked_of("professional", other)
        assert question in GUIDE.asked_of("professional", {**other, question.key: answers_of(question)[0]})
    always = [question for question in GUIDE.sets["relative"] if not question.entry.get("when")]
    assert GUIDE.asked_of("relative") == always


def test_every_caller_is_whole():
    assert [caller.code for caller in GUIDE.callers.values() if caller.main] == ["relative", "leaver", "professional"]
    keys = [caller.key for caller in GUIDE.callers.values()]
    assert len(keys) == len(set(keys))
    for caller in GUIDE.callers.values():
        assert caller.entry["case"] in ("always", "when_needed")
        assert not caller.questions or GUIDE.asked_of(caller.code)
        assert not caller.need or caller.need in triage.codes("needs")


@pytest.mark.parametrize("name", list(read_files()["lists"]))
def test_every_list_has_its_words(name):
    for code, entry in read_files()["lists"][name].items():
        assert isinstance(code, str)
        assert entry["sv"].strip()
        assert entry["en"].strip()


def test_yaml_reads_no_code_as_something_else():
    for name in triage.SETS:
        for entry in yaml.safe_load((triage.FOLDER / f"{name}.yaml").read_text(encoding="utf-8")):
            assert all(isinstance(option, str) for option in entry.get("options", {})), entry["key"]


# ---------- Every answer of every question ----------


@pytest.mark.parametrize("question, value", SINGLE, ids=IDS)
def test_every_answer_is_taken_as_it_is(question, value):
    assert GUIDE.clean(question.key, value) == value
    assert question.say(value).strip()


@pytest.mark.parametrize("question, value", SINGLE, ids=IDS)
def test_every_answer_says_what_its_row_says(question, value):
    found = GUIDE.assess("", {question.key: value})
    raised = expected(question, "raises", value)
    assert {reason.code for reason in found.raised_by} == raised
    assert found.urgency == min(raised | {"NORMAL"}, key=triage.rank)
    assert set(found.needs) == expected(question, "suggests", value)
    assert found.needs_a_case == bool(raised or found.needs)
    for reason in [*found.raised_by, *(reason for reasons in found.needs.values() for reason in reasons)]:
        assert (reason.question, reason.value) == (question, value)
        assert question.short in str(reason)


@pytest.mark.parametrize("question", [one for one in QUESTIONS if one.type == "multi"], ids=lambda one: one.key)
def test_several_options_count_all(question):
    value = list(question.options)
    assert set(GUIDE.assess("", {question.key: value}).needs) == expected(question, "suggests", value)
    assert GUIDE.clean(question.key, [*value, value[0]]) == value


@pytest.mark.parametrize("question", [one for one in QUESTIONS if one.type != "text"], ids=lambda one: one.key)
@pytest.mark.parametrize("wrong", ["", "yes please", "YES", None, 1, ["no-such-option"]])
def test_no_other_answer_is_taken(question, wrong):
    with pytest.raises(BadAnswer, match=question.key):
        GUIDE.clean(question.key, wrong)


@pytest.mark.parametrize("question", [one for one in QUESTIONS if one.type == "text"], ids=lambda one: one.key)
def test_free_text_is_text(question):
    assert GUIDE.clean(question.key, "  ord ") == "ord"
    with pytest.raises(BadAnswer):
        GUIDE.clean(question.key, ["ord"])


def test_a_question_that_does_not_exist_is_refused():
    with pytest.raises(BadAnswer, match="shoe_size"):
        GUIDE.clean("shoe_size", "43")


# ---------- Together ----------


@pytest.mark.parametrize("caller", GUIDE.callers.values(), ids=lambda caller: caller.code)
def test_every_caller_alone(caller):
    found = GUIDE.assess(caller.code, {})
    assert (found.urgency, found.raised_by) == ("NORMAL", [])
    assert list(found.needs) == ([caller.need] if caller.need else [])
    assert found.needs_a_case == (caller.always_a_case or bool(caller.need))


def test_an_unknown_caller_and_no_answers_say_nothing():
    found = GUIDE.assess("", {})
    assert (found.urgency, found.needs, found.needs_a_case) == ("NORMAL", {}, False)


@pytest.mark.parametrize("question, rule, option, code", RULES, ids=lambda value: getattr(value, "key", str(value)))
def test_an_answer_never_lowers(question, rule, option, code):
    value = [option] if question.type == "multi" else option
    acute = GUIDE.assess("", {"danger_now": "yes"})
    both = GUIDE.assess("", {"danger_now": "yes", question.key: value})
    assert both.urgency == acute.urgency == "AKUT"
    assert set(acute.needs) <= set(both.needs)


def test_everything_answered_at_its_worst():
    answers = {}
    for question in QUESTIONS:
        code = next(iter(question.options), WITHOUT_CODES)
        answers[question.key] = list(question.options) if question.type == "multi" else code
    found = GUIDE.assess("professional", answers)
    ranks = [triage.rank(reason.code) for reason in found.raised_by]
    assert ranks == sorted(ranks)
    assert list(found.needs) == [need for need in triage.codes("needs") if need in found.needs]
    assert {code for q, rule, option, code in RULES if rule == "suggests"} <= set(found.needs)


def test_what_was_said_counts_whoever_was_thought_to_call():
    assert GUIDE.assess("professional", {"r_violence": "yes"}).urgency == "SKYNDSAM"


def test_an_answer_to_a_question_of_another_version_is_passed_by():
    found = GUIDE.assess("relative", {"no_longer_asked": "yes"})
    assert (found.urgency, list(found.needs)) == ("NORMAL", ["family_support"])


@pytest.mark.django_db  # a band that is not in the list is looked for in older versions
@pytest.mark.parametrize(
    "band, years, under",
    [
        ("0-11", 12, True),
        ("0-11", 11, False),
        ("12-14", 15, True),
        ("15-17", 15, False),
        ("15-17", 18, True),
        ("18-19", 18, False),
        ("20", 21, True),
        ("26+", 120, False),
        ("unknown", 120, False),
        ("no-such-band", 120, False),
    ],
)
def test_certainly_under(band, years, under):
    assert certainly_under(band, years) == under


def test_more_urgent():
    order = triage.codes("urgencies")
    assert order == ["AKUT", "BRADSKANDE", "SKYNDSAM", "NORMAL"]
    for one in order:
        for other in order:
            assert triage.more_urgent(one, other) == order[min(order.index(one), order.index(other))]


# ---------- Versions ----------


def test_the_files_are_stored_as_one_version(reference):
    assert load_questions().version == 1
    assert QuestionSet.objects.count() == 1
    assert Municipality.objects.filter(pk=Municipality.ELSEWHERE).exists()


def test_a_changed_file_is_a_new_version_and_the_old_one_stays(reference, monkeypatch):
    changed = {**read_files(), "sets": {**read_files()["sets"], "acute": read_files()["sets"]["acute"][1:]}}
    monkeypatch.setattr(triage, "read_files", lambda: changed)
    assert load_questions().version == 2
    triage.guide_of.cache_clear()
    assert "danger_now" in triage.guide_of(1).questions
    assert "danger_now" not in triage.guide_of(2).questions
    triage.guide_of.cache_clear()


def test_the_guide_of_a_version_is_the_stored_one(reference):
    stored = triage.guide_of(QuestionSet.objects.get().version)
    assert list(stored.questions) == list(GUIDE.questions)
    assert list(stored.callers) == list(GUIDE.callers)
    for question in QUESTIONS:  # the order of the options is the order on the screen
        assert list(stored.questions[question.key].options) == list(question.options)
