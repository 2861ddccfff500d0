"""The runner of scenarios: what passes, what fails with which line, what is malformed, and that nothing is left behind."""

from io import StringIO

import pytest
import yaml
from django.apps import apps
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import IntegrityError

from helpline import scenarios

GOOD = {
    "id": "good",
    "received_at": "2026-11-24T10:20:00+01:00",
    "caller_type": "professional",
    "municipality": "1496",
    "milieu": "FIXATION",
    "age_band": "12-14",
    "track": "C",
    "answers": {"plan_attack": "yes", "p_others": ["sip", "police"], "p_trend": "same"},
    "registers": "concern_report",
    "expect": {
        "urgency_at_least": "AKUT",
        "needs": ["professional_advice", "immediate_danger"],
        "offers": ["SOC_JOUR", "POLICE_LOCAL", "SAPO", "EXIT"],
        "offers_include": ["SAPO"],
        "signposts": ["NGO_LINE"],
        "signposts_include": ["NGO_LINE"],
        "deidentified_only": ["CVE", "COORD"],
        "grounds": {"EXIT": ["CONSENT", "CONSENT_GUARDIAN", "DEIDENT"]},
        "deadlines": {"immediate_protection_assessment": "2026-11-24", "preliminary_assessment": "2026-12-08"},
        "case": "opened",
    },
}
# expectation -> a wrong value, and what the line must say of it
WRONG = {
    "urgency_at_least": ("NORMAL", "expected NORMAL, got AKUT"),
    "needs": (["housing"], "expected ['housing'], got ['immediate_danger', 'professional_advice']"),
    "offers": (["EXIT"], "expected ['EXIT'], got ['EXIT', 'POLICE_LOCAL', 'SAPO', 'SOC_JOUR']"),
    "offers_include": (["WORK"], "expected ['WORK'], got []"),
    "signposts": ([], "expected [], got ['NGO_LINE']"),
    "signposts_include": (["NGO_CHILD"], "expected ['NGO_CHILD'], got []"),
    "deidentified_only": (["CVE"], "expected ['CVE'], got ['COORD', 'CVE']"),
    "grounds": (
        {"EXIT": ["CONSENT"]},
        "expected {'EXIT': ['CONSENT']}, got {'EXIT': ['CONSENT', 'CONSENT_GUARDIAN', 'DEIDENT']}",
    ),
    "deadlines": (
        {"preliminary_assessment": "2026-12-09"},
        "expected {'preliminary_assessment': '2026-12-09'}, got {'immediate_protection_assessment': '2026-11-24', "
        "'preliminary_assessment': '2026-12-08'}",
    ),
    "case": ("none", "expected none, got opened"),
    "continues": ("s99", "expected s99, got none"),
    "same_owner": (True, "expected True, got False"),
    "bounce": ("told_again", "expected told_again, got none"),
    "bounces": (["told_again"], "expected ['told_again'], got []"),
    "masked_in_lists": (True, "expected True, got False"),
    "address_stored": (False, "expected False, got True"),
}
# name -> changes of GOOD (None takes a key away), and how the line begins
MALFORMED = {
    "unknown_key": ({"colour": "blue"}, "malformed: there is no “colour”"),
    "no_caller_type": ({"caller_type": None}, "malformed: caller_type: missing"),
    "no_time": ({"received_at": None}, "malformed: received_at: missing"),
    "no_expect": ({"expect": None}, "malformed: expect: missing"),
    "wrong_caller": ({"caller_type": "robot"}, "malformed: caller_type: “robot” is not one of "),
    "wrong_milieu": ({"milieu": "GREEN"}, "malformed: milieu: “GREEN” is not one of "),
    "wrong_age": ({"age_band": "99"}, "malformed: age_band: “99” is not one of "),
    "wrong_municipality": ({"municipality": "0180"}, "malformed: municipality: “0180” is not one of "),
    "wrong_track": ({"track": "D"}, "malformed: track: “D” is not one of "),
    "wrong_protection": ({"protection": "high"}, "malformed: protection: “high” is not one of "),
    "wrong_hands": ({"hands_on": "later"}, "malformed: hands_on: “later” is not one of "),
    "wrong_bounce": ({"expect": {"bounce": "tired"}}, "malformed: expect: bounce: “tired” is no cause"),
    "wrong_bounces": ({"expect": {"bounces": ["tired"]}}, "malformed: expect: bounces: there is no “tired”"),
    "wrong_tells": ({"tells": ["NGO_LINE"]}, "malformed: tells: must be a list of tables"),
    "wrong_place": ({"tells": [{"type": "MOON"}]}, "malformed: tells: type: there is no “MOON”"),
    "wrong_why": ({"tells": [{"type": "NGO_LINE", "why": "so"}]}, "malformed: tells: why: there is no “so”"),
    "nowhere": ({"tells": [{"type": "NGO_CHILD"}]}, "malformed: tells: no NGO_CHILD meets a need of this call"),
    "wrong_registers": ({"registers": "tax"}, "malformed: registers: “tax” is not one of "),
    "wrong_answer": ({"answers": {"plan_attack": "maybe"}}, "malformed: answers: plan_attack: “maybe” is not one of "),
    "wrong_multi": ({"answers": {"p_others": ["sip", "dog"]}}, "malformed: answers: p_others: “dog” is not one of "),
    "wrong_question": ({"answers": {"shoe_size": "43"}}, "malformed: answers: shoe_size: there is no such question."),
    "wrong_answers": ({"answers": ["yes"]}, "malformed: answers: must be a table"),
    "wrong_date": (
        {"received_at": "2026-13-45T10:00:00+01:00"},
        "malformed: received_at: “2026-13-45T10:00:00+01:00” is no time",
    ),
    "no_zone": (
        {"received_at": "2026-11-24T10:20:00"},
        "malformed: received_at: “2026-11-24T10:20:00” is not a time with its zone",
    ),
    "not_a_date": ({"received_at": "in spring"}, "malformed: received_at: “in spring” is not a time with its zone"),
    "wrong_ground": ({"grounds_switched_on": ["MAGIC"]}, "malformed: grounds_switched_on: there is no ground “MAGIC”"),
    "wrong_expectation": ({"expect": {"colour": "blue"}}, "malformed: expect: there is no “colour”"),
    "wrong_expected": ({"expect": {"offers": ["NASA"]}}, "malformed: expect: offers: there is no “NASA”"),
    "wrong_urgency": (
        {"expect": {"urgency_at_least": "HIGH"}},
        "malformed: expect: urgency_at_least: “HIGH” is no urgency",
    ),
}


@pytest.fixture
def run(reference, tmp_path):
    """Run the files of a folder, given as name -> scenario or text. Returns (exit code, lines)."""

    def run(files):
        for name, content in files.items():
            text = content if isinstance(content, str) else yaml.safe_dump(content, allow_unicode=True)
            (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
        out, code = StringIO(), 0
        try:
            call_command("try_scenarios", str(tmp_path), stdout=out)
        except SystemExit as stop:
            code = stop.code
        return code, out.getvalue().splitlines()

    return run


def changed(changes):
    return {key: value for key, value in {**GOOD, **changes}.items() if value is not None}


def test_the_scenarios_of_the_project_pass(db):
    out = StringIO()
    call_command("try_scenarios", str(settings.BASE_DIR / "scenarios"), stdout=out)
    assert "28 passed, 0 failed" in out.getvalue()


def test_the_scenarios_of_the_project_have_every_caller_type():
    files = (settings.BASE_DIR / "scenarios").glob("*.yaml")
    types = {yaml.safe_load(path.read_text(encoding="utf-8"))["caller_type"] for path in files}
    assert types == set(scenarios.triage.guide_today().callers)


def test_a_good_one_passes(run):
    assert run({"good": GOOD}) == (0, ["1 passed, 0 failed"])


def test_the_order_of_a_list_carries_no_meaning(run):
    expect = {**GOOD["expect"], "offers": ["EXIT", "SAPO", "SOC_JOUR", "POLICE_LOCAL"]}
    assert run({"good": changed({"expect": expect})}) == (0, ["1 passed, 0 failed"])


def test_each_expectation_can_fail_and_says_what_was_expected_and_what_came(run):
    assert set(WRONG) == set(scenarios.EXPECTATIONS)
    files = {key: changed({"expect": {key: wrong}}) for key, (wrong, _) in WRONG.items()}
    code, lines = run(files)
    assert code == 1
    assert lines == [
        *(f"{key}: {key}: {said}" for key, (_, said) in sorted(WRONG.items())),
        f"0 passed, {len(WRONG)} failed",
    ]


def test_each_malformed_file_names_itself_and_the_key_and_the_others_still_run(run):
    files = {name: changed(changes) for name, (changes, _) in MALFORMED.items()}
    code, lines = run({**files, "not_yaml": "id: [\n", "not_a_table": "- id\n", "zz_good": GOOD})
    assert code == 1
    said = dict(line.split(": ", 1) for line in lines[:-1])
    for name, (_, wanted) in MALFORMED.items():
        assert said[name].startswith(wanted), name
    assert said["not_yaml"] == "malformed: not YAML, line 2"
    assert said["not_a_table"] == "malformed: the file is not a table of keys"
    assert lines[-1] == f"1 passed, {len(MALFORMED) + 2} failed"


AGAIN = {"received_at": "2026-12-24T23:20:00+01:00", "registers": None}


def again(**changes):
    expect = {"continues": "good", "same_owner": True, **changes.pop("expect", {})}
    return changed({**AGAIN, "id": "again", "expect": expect, **changes})


def test_a_call_goes_on_in_an_earlier_case_by_its_number(run):
    assert run({"a": GOOD, "b": again()}) == (0, ["2 passed, 0 failed"])


def test_the_passphrase_that_was_chosen_is_asked_for(run):
    first = changed({"passphrase": "Blå häst"})
    right, wrong, none = again(passphrase="blåhäst"), again(passphrase="bla hast", id="w"), again(id="n")
    code, lines = run({"a": first, "b": right, "c": wrong, "d": none})
    said = ["continues: expected good, got none", "same_owner: expected True, got False"]
    assert (code, lines) == (1, [f"{name}: {line}" for name in "cd" for line in said] + ["2 passed, 2 failed"])


def test_a_closed_case_is_opened_again_with_the_same_owner(run):
    calm = {"answers": {"p_trend": "same"}, "expect": {"case": "opened"}}
    first = changed({**calm, "registers": None, "closes": "needs_met"})
    assert run({"a": first, "b": again()}) == (0, ["2 passed, 0 failed"])
    code, lines = run({"a": changed({"closes": "bored"})})
    assert code == 1 and lines[0].startswith("a: malformed: closes: “bored” is not one of ")


def test_a_number_of_no_earlier_file_is_malformed(run):
    code, lines = run({"a": changed({"says": "s99"})})
    assert (code, lines[0]) == (1, "a: malformed: says: no earlier file “s99” has a case")


MOTHER = {
    "received_at": "2026-11-23T14:05:00+01:00",
    "caller_type": "relative",
    "municipality": "1499",
    "age_band": "15-17",
    "answers": {"danger_now": "no", "r_violence": "yes"},
    "expect": {"case": "opened", "bounce": "none", "bounces": []},
}
CALLS_AGAIN = {**MOTHER, "received_at": "2026-11-30T14:00:00+01:00", "says": "a"}


def test_calling_again_in_vain_is_a_bounce(run):
    again = {**CALLS_AGAIN, "expect": {"bounce": "called_again_unanswered"}}
    assert run({"a": MOTHER, "b": again}) == (0, ["2 passed, 0 failed"])


def test_calling_again_in_time_or_after_we_have_called_is_none(run):
    early = {**CALLS_AGAIN, "received_at": "2026-11-24T14:00:00+01:00"}
    assert run({"a": MOTHER, "b": early}) == (0, ["2 passed, 0 failed"])
    called = {**MOTHER, "called_back": "2026-11-25T09:00:00+01:00"}
    assert run({"a": called, "b": CALLS_AGAIN}) == (0, ["2 passed, 0 failed"])


def test_a_step_left_lying_is_found_meanwhile(run):
    late = {**CALLS_AGAIN, "received_at": "2026-12-02T14:00:00+01:00"}
    late["expect"] = {"bounces": ["step_untouched", "called_again_unanswered"]}
    assert run({"a": MOTHER, "b": late}) == (0, ["2 passed, 0 failed"])


@pytest.mark.parametrize(("words", "causes"), [("with_words", []), ("without_words", ["changed_hands"])])
def test_a_case_that_is_handed_on(run, words, causes):
    handed = {**MOTHER, "hands_on": words, "expect": {"bounces": causes, "bounce": "none"}}
    assert run({"a": handed}) == (0, ["1 passed, 0 failed"])


@pytest.mark.parametrize(("why", "cause"), [("wished", "none"), ("besides", "none"), ("instead", "given_number")])
def test_a_caller_who_is_told_where_to_go(run, why, cause):
    told = {**MOTHER, "tells": [{"type": "NGO_LINE", "why": why}], "expect": {"bounce": cause}}
    assert run({"a": told}) == (0, ["1 passed, 0 failed"])


def test_what_one_file_switched_on_is_off_in_the_next(run):
    expect = {"grounds": {"EXIT": ["CONSENT", "CONSENT_GUARDIAN", "DEIDENT", "PROVISO"]}}
    files = {"a": changed({"expect": expect, "grounds_switched_on": ["PROVISO"]}), "b": GOOD}
    assert run(files) == (0, ["2 passed, 0 failed"])


def test_a_broken_constraint_at_the_end_is_a_failure(run, monkeypatch):
    def broken():
        raise IntegrityError("an open case has an owner")

    with monkeypatch.context() as patch:
        patch.setattr(scenarios.connection, "check_constraints", broken)
        assert run({"good": GOOD}) == (1, ["constraints: at the end: IntegrityError", "1 passed, 1 failed"])


def test_nothing_is_left_in_the_database(run):
    def counts():
        return {model: model.objects.count() for model in apps.get_models()}

    before = counts()
    run({"good": GOOD, "bad": changed({"track": "D"})})
    assert counts() == before


def test_a_folder_without_files_is_an_error(tmp_path):
    with pytest.raises(CommandError, match="is not a folder with YAML files"):
        call_command("try_scenarios", str(tmp_path))
