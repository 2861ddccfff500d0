"""Protected personal data: masked in every list, and no address is stored where the level forbids it."""

import pytest
from django.db import connection
from django.urls import reverse
from django.utils import translation

from helpline.caseload import FIGURES
from helpline.people.errors import Refused
from helpline.people.models import LogEntry
from intake import actions, protection
from intake.models import AcuteMeasure, Answer, Call, Case, CaseLink, Event, FollowUp, Note, Person
from referrals import actions as referrals
from referrals.actions.moves import missing_parts
from referrals.models import Referral
from tests.house.streets import STREETS
from tests.people.test_personal_numbers import number

ADDRESS, REST = "Storgatan 12", "Hon är rädd."
TEXT = f"{REST} De bor på {ADDRESS}, 541 30 Skövde."
MARK = "[address taken out]"
LEVELS = ["secrecy_marking", "protected_registration", "fictitious_identity"]
NO_ADDRESS = LEVELS


@pytest.fixture
def mine(cast, client_of):
    return client_of(cast.caseworker)


@pytest.fixture
def protected(make_case, cast) -> Case:
    """A protected case, with what every list would show of it."""
    case = make_case(
        caller_type="targeted",
        municipality_id="1447",
        age_band="18-19",
        milieu="FIXATION",
        protection="secrecy_marking",
        track="C",
        urgency="AKUT",
    )
    late = FollowUp.objects.filter(case=case)
    actions.plan_step(by=cast.caseworker, case=case, what="Ring henne i kvarnen", due_at=late.get().due_at)
    draft = referrals.draft_referral(by=cast.caseworker, case=case, agency=cast.other_agency, need="exit_support")
    words = {"ask": "Meet.", "happened": "This.", "ground": "CONSENT", "age_band": "18-19"}
    referrals.save_draft(by=cast.caseworker, referral=draft, words=words)
    return case


SECRETS = ["kvarnen", "Targeted", "targeted", "Gullspång", "18–19", "Fixation", "Avhopparstöd", "Support to leave"]


def lists(who: str) -> list[str]:
    """Every address of ours that lists rows for this one: those with nothing of one row in them."""
    found = []
    for name, street in STREETS.items():
        if (
            street.answer("GET", who) == 200
            and not street.where
            and name.split(":")[0] in {"intake", "referrals", "caseload"}
        ):
            found.append(reverse(name))
    if who == "manager":
        found += [reverse("caseload-rows", args=[key]) for key in FIGURES]
        found += [reverse("caseload-rows", args=["open"]) + f"?caller={code}" for code in ("targeted", "protected")]
    return found + [reverse("intake:case-list") + f"?which={which}" for which in ("mine", "unit", "closed")]


@pytest.mark.parametrize("who", ["caseworker", "colleague", "manager"])
def test_every_list_is_masked(who, protected, cast, client_of, at):
    shown = 0
    for url in lists(who):
        if url in {reverse("referrals:agency-list"), reverse("intake:paper")}:
            continue  # the directory and the empty form: nobody's
        page = client_of(cast.everybody()[who]).get(url)
        main = page.content.decode().split("<main")[1].split("<aside")[0] if page.status_code == 200 else ""
        row = main if str(protected) in main else ""
        shown += bool(row)
        if row:
            assert "rotected data" in row or "An acute case was opened" in row, url  # that is said, and no more
        for secret in SECRETS:
            wanted = {"Targeted", "targeted"} if "caller=targeted" in url else set()  # what was asked for, and no row
            assert secret not in row or secret in wanted, (url, secret)
    assert shown >= (2 if who == "colleague" else 3) - (who == "colleague")


def test_the_same_lists_do_show_what_is_not_protected(protected, cast, client_of):
    Case.objects.update(protection="none")
    client = client_of(cast.caseworker)
    pages = " ".join(client.get(url).content.decode() for url in lists("caseworker"))
    for secret in ("kvarnen", "targeted", "Support to leave"):
        assert secret in pages, secret


def test_the_overview_counts_it_apart(protected, cast, client_of):
    manager = client_of(cast.manager)
    page = manager.get(reverse("caseload-rows", args=["open"])).content.decode()
    assert "?caller=protected" in page and "?caller=targeted" not in page
    rows = manager.get(reverse("caseload-rows", args=["open"]) + "?caller=protected").content.decode()
    assert str(protected) in rows and "Protected data" in rows
    assert (
        str(protected) not in manager.get(reverse("caseload-rows", args=["open"]) + "?caller=targeted").content.decode()
    )


def test_an_unfinished_call_is_masked(make_call, cast, client_of):
    make_call(caller_type="targeted", protection="secrecy_marking")
    for who, url in (("caseworker", "intake:my-day"), ("manager", None)):
        address = reverse(url) if url else reverse("caseload-rows", args=["unfinished"])
        page = client_of(cast.everybody()[who]).get(address).content.decode()
        assert "rotected data" in page and "argeted" not in page


def test_its_own_page_says_how_it_is_protected(protected, mine):
    assert "Secrecy marking" in mine.get(reverse("intake:case", args=[protected.slug])).content.decode()


# -- no address ---


@pytest.mark.parametrize("level", NO_ADDRESS)
def test_no_address_is_stored_of_a_call(level, mine, make_call):
    call = make_call(protection=level)
    names = ["n.seen", "n.told", "n.assessment", "a.r_event", "r.r_violence", "what", "urgency_reason", "s.other"]
    answer = mine.post(reverse("intake:call-save", args=[call.pk]), dict.fromkeys(names, TEXT))
    assert answer.status_code == 303
    page = mine.get(reverse("intake:call", args=[call.pk])).content.decode()
    assert ADDRESS not in page and "541 30" not in page
    assert page.count(MARK) >= 2 * len(names) - 2 and REST in page
    assert "The rest is saved" in page
    call = Call.objects.get(pk=call.pk)
    assert call.notes.get(kind="seen").text == f"{REST} De bor på {MARK}, {MARK}."
    assert ADDRESS not in str(call.answered) + str(call.safe.values)


def test_what_is_json_stays_json(make_call, cast):
    call = make_call(protection="protected_registration")
    text = f'Sa "hej"\n{ADDRESS}\noch\\eller'
    call = actions.save_call(by=cast.caseworker, call=call, answers={"r_event": text})
    assert Answer.objects.get(call=call, question="r_event").given == f'Sa "hej"\n{MARK}\noch\\eller'


def test_without_protection_the_words_are_kept(make_call, cast):
    call = make_call(notes={"seen": TEXT})
    assert call.notes.get().text == TEXT


@pytest.mark.parametrize("level", NO_ADDRESS)
def test_no_address_is_stored_of_a_case(level, mine, make_case, cast):
    case = make_case(protection=level)
    tomorrow = case.steps.get().due_at
    answer = mine.post(reverse("intake:note-add", args=[case.slug]), {"kind": "told", "text": TEXT, "anyway": "yes"})
    assert "An address was taken out" in mine.get(answer.url).content.decode()
    actions.plan_step(by=cast.caseworker, case=case, what=TEXT, due_at=tomorrow)
    actions.log_contact(by=cast.caseworker, case=case, outcome="no_answer", text=TEXT)
    actions.finish_step(by=cast.caseworker, step=case.steps.order_by("pk").first(), outcome=TEXT)
    draft = referrals.draft_referral(by=cast.caseworker, case=case, agency=cast.agency, need="child_protection")
    draft = referrals.save_draft(by=cast.caseworker, referral=draft, words={"happened": TEXT})
    connection.check_constraints()
    texts = [case.notes.get().text, draft.happened, *(step.what + step.outcome for step in case.steps.all())]
    texts += [event.text for event in Event.objects.filter(case=case)]
    assert not any(ADDRESS in text or "541 30" in text for text in texts)
    assert sum(MARK in text for text in texts) >= 6


def test_raising_the_level_cleans_what_is_not_signed_and_tells_of_the_rest(mine, make_case, cast):
    case = make_case(notes={"seen": TEXT})
    step = actions.plan_step(by=cast.caseworker, case=case, what=TEXT, due_at=case.steps.get().due_at)
    url = reverse("intake:case-track", args=[case.slug])
    data = {"part": "protection", "level": "fictitious_identity", "why": "She has got a new identity."}
    for _ in range(2):
        answer = mine.post(url, data)
        connection.check_constraints()
        assert answer.status_code == 302
    page = mine.get(answer.url).content.decode()
    assert "2 texts that are signed or finished hold" in page  # the note, and the planned step in the timeline
    case.refresh_from_db()
    step.refresh_from_db()
    assert case.protection == "fictitious_identity" and case.calls.get().protection == case.protection
    assert ADDRESS not in FollowUp.objects.get(pk=step.pk).what
    assert Note.objects.get(call__case=case).text == TEXT  # signed is signed
    assert Event.objects.filter(case=case, kind="protection.changed").count() == 1
    assert LogEntry.objects.get(event="protection.changed").codes == {"protection": "fictitious_identity"}


def test_of_a_fictitious_identity_no_number_stays_and_what_is_signed_is_told(make_case, cast):
    """Nothing leads from one identity to the other (lag 1991:483): the timeline never has a number, and an earlier name in
    it, or a name and a number in a note that is signed, are counted for whoever raises the level."""
    mine = number("19700515")
    known = {"track": "C", "caller_name": "Maria Ek", "personal_number": mine, "actualisation": "yes"}
    case = make_case(**known, notes={"seen": "Maria wept.", "told": f"Her number is {mine[2:8]}-{mine[8:]}."})
    actions.change_track(by=cast.caseworker, case=case, track="C", identity="pseudonym", name="Mia", why="She asked.")
    case = Case.objects.select_related("key", "unit").get(pk=case.pk)
    said = " ".join(event.text for event in Event.objects.filter(case=case).select_related("case__key"))
    assert mine[2:8] not in said and "Name until now: Maria Ek" in said
    with translation.override("sv"):  # whatever language it was written in
        signed = actions.change_protection(by=cast.caseworker, case=case, level="fictitious_identity", why="Decision.")
    connection.check_constraints()
    assert signed == 3  # the note with the number, that with the earlier name, and the timeline that keeps it
    assert not any(one.personal_number for one in Person.everybody.filter(case=case).select_related("case__key"))


def test_a_name_in_signed_words_is_counted_at_that_level_alone(make_case, cast):
    case = make_case(track="C", caller_name="Maria Ek", actualisation="yes", notes={"seen": "Maria wept. Ek is tall."})
    for level, count in (("secrecy_marking", 0), ("fictitious_identity", 1)):
        assert actions.change_protection(by=cast.caseworker, case=case, level=level, why="Decision.") == count


def test_a_change_needs_a_reason(mine, make_case):
    url = reverse("intake:case-track", args=[make_case().slug])
    assert mine.post(url, {"part": "protection", "level": "secrecy_marking", "why": ""}).status_code == 422


def test_what_was_taken_out_is_known_in_every_language():
    assert protection.had_address(f"x {MARK} y") and not protection.had_address("x y")


def test_a_line_break_before_an_address_hides_it_from_nobody(make_call, cast):
    call = make_call(protection="fictitious_identity")
    text = "Ring inte.\nRosenbacken 5"
    call = actions.save_call(by=cast.caseworker, call=call, safe={"other": text}, answers={"r_event": text})
    call = Call.objects.get(pk=call.pk)
    assert call.safe.values["other"] == f"Ring inte.\n{MARK}"
    assert call.answered["r_event"] == f"Ring inte.\n{MARK}"


def test_signed_answers_are_counted_as_they_are_read(make_case, cast):
    case = make_case(answers={"r_event": "Ring inte.\nRosenbacken 5"})
    assert actions.change_protection(by=cast.caseworker, case=case, level="fictitious_identity", why="x") == 1


def test_raising_the_level_cleans_every_row_that_can_be_changed(make_case, make_call, cast):
    case, other = make_case(urgency="AKUT", answers={"danger_now": "yes"}), make_case()
    call = case.calls.get()
    actions.write_measures(by=cast.caseworker, call=call, done=["called_112"], references={"called_112": ADDRESS})
    actions.write_measures(by=cast.caseworker, call=call, reasons={"called_112": TEXT})
    actions.open_with_reason(by=cast.colleague, case=case, reason="other", words=TEXT)
    link = actions.link_cases(by=cast.manager, one=case.number, other=other.number, reason=TEXT)
    step = actions.plan_step(by=cast.caseworker, case=case, what=TEXT, due_at=case.steps.get().due_at)
    actions.finish_step(by=cast.caseworker, step=step, outcome=TEXT)
    draft = referrals.draft_referral(by=cast.caseworker, case=case, agency=cast.other_agency, need="exit_support")
    referrals.save_draft(by=cast.caseworker, referral=draft, words={"happened": TEXT, "ask": "Meet."}, approved=True)
    for one in (case, other):
        actions.change_protection(by=cast.caseworker, case=one, level="protected_registration", why="x")
        connection.check_constraints()
        if one == case:
            assert ADDRESS not in CaseLink.objects.get(pk=link.pk).reason
    measure, step = AcuteMeasure.objects.get(call=call), FollowUp.objects.get(pk=step.pk)
    draft = Referral.objects.get(pk=draft.pk)
    texts = [measure.reference, measure.why_not, case.openings.get().words, step.what, step.outcome, draft.happened]
    assert [ADDRESS in text for text in texts] == [False] * len(texts)
    assert all(MARK in text for text in texts)
    assert draft.approved_at is None  # what was read back to the caller is another text now


def test_a_link_is_cleaned_for_the_protection_of_either_case(make_case, cast):
    one, other = sorted([make_case(), make_case()], key=lambda case: case.pk)
    link = actions.link_cases(by=cast.manager, one=one.number, other=other.number, reason=TEXT)
    actions.change_protection(by=cast.caseworker, case=other, level="protected_registration", why="x")
    assert ADDRESS not in CaseLink.objects.get(pk=link.pk).reason


def test_no_handover_with_an_address_is_sent(make_case, cast):
    case = make_case()
    draft = referrals.draft_referral(by=cast.caseworker, case=case, agency=cast.other_agency, need="exit_support")
    draft = referrals.save_draft(by=cast.caseworker, referral=draft, words={"happened": TEXT})
    says = "An address may not be shared"
    assert not any(says in text for text in missing_parts(draft))
    Case.objects.filter(pk=case.pk).update(protection="fictitious_identity")
    draft = Referral.objects.get(pk=draft.pk)
    assert any(says in text for text in missing_parts(draft))
    with pytest.raises(Refused, match=says):
        referrals.send(by=cast.caseworker, referral=draft)
