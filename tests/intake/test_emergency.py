"""Break-glass: what is open to named staff alone, or is another unit's, opens for two hours with a reason, and is reviewed."""

import datetime as dt
import re

import pytest
from django.core.cache import cache
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.urls import reverse

from helpline.people import clock
from helpline.people.errors import Refused, TooLate
from helpline.people.models import LogEntry, Notice, User
from helpline.people.templatetags.people import say_time
from intake import actions
from intake.actions.emergency import WITHIN, WRONG, to_review
from intake.models import Case, CaseOpening
from referrals import actions as referrals

FORM = {"reason": "life", "words": "She stands outside his door."}
WRONG_NUMBER = "Tegel-Måne 58"


@pytest.fixture(autouse=True)
def fresh_pace(db):
    cache.clear()


@pytest.fixture
def protected(make_case) -> Case:
    return make_case(protection="secrecy_marking", track="B")


def plain(answer, number: str) -> str:
    """A page without the number that was written, and without what is new each time."""
    text = re.sub(
        r'name="csrfmiddlewaretoken" value="\w+"|name="token" value="[\w-]+"|"X-CSRFToken": "\w+"',
        "",
        answer.content.decode(),
    )
    return text.replace(number, "")


def open_it(case, by, **rest):
    made = actions.open_in_emergency(by=by, number=str(case), **{**FORM, **rest})
    connection.check_constraints()
    return made


def where(case):
    return reverse("intake:case", args=[case.slug])


def test_a_protected_case_of_the_unit_opens_for_two_hours(protected, cast, client_of):
    theirs = client_of(cast.colleague)
    sent = theirs.post(reverse("intake:emergency"), {**FORM, "number": str(protected).upper()})
    assert sent.url == where(protected)
    shown = theirs.get(where(protected)).content.decode()
    assert "Opened in an emergency" in shown and "life or health" in shown
    row = LogEntry.objects.get(event="opening.made")
    assert (row.why, row.codes["reason"], row.case) == ("emergency", "life", protected.pk)
    assert LogEntry.objects.filter(event="case.read", case=protected.pk, why="emergency").count() == 1
    assert Notice.objects.filter(kind="opening.made", user=cast.manager).count() == 1
    with clock.at(clock.now() + dt.timedelta(hours=2, minutes=1)):
        assert client_of(cast.colleague).get(where(protected)).status_code == 302


def test_another_units_case_is_reached_by_the_gate_and_by_no_list(make_case, cast, client_of):
    case = make_case(track="B")
    draft = referrals.draft_referral(by=cast.caseworker, case=case, agency=cast.agency, need="child_protection")
    theirs = client_of(cast.stranger)
    assert theirs.get(where(case)).status_code == 404
    open_it(case, cast.stranger)
    assert theirs.get(where(case)).status_code == 200
    assert theirs.get(reverse("referrals:referral", args=[draft.pk])).status_code == 200
    for page in (reverse("intake:case-list") + "?which=unit", reverse("referrals:list"), reverse("intake:my-day")):
        assert str(case) not in theirs.get(page).content.decode()
    assert client_of(cast.other_manager).get(where(case)).status_code == 404, "for who opened it alone"
    with clock.at(clock.now() + dt.timedelta(hours=3)):
        late = client_of(cast.stranger)
        assert late.get(where(case)).status_code == 404
        given = late.post(reverse("intake:note-add", args=[case.slug]), {"kind": "seen", "text": "He has a knife."})
        assert "He has a knife." in given.content.decode(), "no word is lost"


def test_wrong_absent_and_own_practice_answer_alike_and_are_logged(make_case, cast, client_of):
    gone = make_case()
    Case.objects.filter(pk=gone.pk).update(is_practice=True)
    theirs = client_of(cast.stranger)
    answers = [
        plain(theirs.post(reverse("intake:emergency"), {**FORM, "number": number}), number)
        for number in (WRONG_NUMBER, str(gone), "nothing at all")
    ]
    assert answers[0] == answers[1] == answers[2]
    rows = LogEntry.objects.filter(event="opening.refused")
    assert rows.count() == 3 and set(rows.values_list("why", flat=True)) == {"emergency"}
    assert not CaseOpening.objects.exists()


def test_numbers_cannot_be_guessed(protected, cast):
    for _one in range(WRONG):
        with pytest.raises(Refused, match="nothing with that number"):
            actions.open_in_emergency(by=cast.stranger, number=WRONG_NUMBER, **FORM)
    with pytest.raises(Refused, match="Wait"):
        open_it(protected, cast.stranger)
    open_it(protected, cast.colleague)  # another is not kept out by it
    with clock.at(clock.now() + WITHIN + dt.timedelta(minutes=1)):
        open_it(protected, cast.stranger)


def test_the_page_slows_who_tries_from_one_place(protected, cast, client_of):
    theirs = client_of(cast.stranger)
    answers = [theirs.post(reverse("intake:emergency"), {**FORM, "number": WRONG_NUMBER}) for _one in range(8)]
    assert {answer.status_code for answer in answers} == {422}
    assert theirs.post(reverse("intake:emergency"), {**FORM, "number": str(protected)}).status_code == 422


def test_a_reason_and_words_come_before_the_number(protected, cast):
    for wrong in ({"reason": "curious"}, {"words": "  "}):
        with pytest.raises(Refused) as one:
            open_it(protected, cast.stranger, **wrong)
        with pytest.raises(Refused) as two:
            actions.open_in_emergency(by=cast.stranger, number=WRONG_NUMBER, **{**FORM, **wrong})
        assert str(one.value) == str(two.value)


def test_pressed_twice_it_is_one(protected, cast):
    assert open_it(protected, cast.colleague) == open_it(protected, cast.colleague)
    assert CaseOpening.objects.count() == LogEntry.objects.filter(event="opening.made").count() == 1


def test_the_manager_reviews_it_once(protected, cast, client_of):
    opening = open_it(protected, cast.colleague)
    theirs = client_of(cast.manager)
    page = theirs.get(reverse("intake:review-list")).content.decode()
    assert FORM["words"] in page and str(protected) in page
    assert "Emergency openings (1)" in theirs.get(reverse("intake:my-day")).content.decode()
    review = reverse("intake:review", args=[opening.pk])
    assert theirs.post(review).status_code == 422
    verdict = {f"{opening.pk}-verdict": "justified", f"{opening.pk}-words": "He was in danger."}
    assert theirs.post(review, {f"{opening.pk}-verdict": "justified"}).status_code == 422, "a manager says why"
    assert theirs.post(review, verdict).status_code == 302
    connection.check_constraints()
    assert theirs.post(review, verdict).status_code == 404
    opening.refresh_from_db()
    assert (opening.verdict, opening.reviewed_by, opening.review_words) == (
        "justified",
        cast.manager,
        "He was in danger.",
    )
    assert LogEntry.objects.filter(event="opening.reviewed").count() == 1
    assert "reviewed: justified" in client_of(cast.caseworker).get(where(protected)).content.decode()
    with pytest.raises(TooLate):
        actions.review_opening(by=cast.manager, opening=opening, verdict="justified", words="Again.")


def test_nobody_reviews_their_own_and_then_the_log_reviewer_has_it(protected, cast, client_of):
    opening = open_it(protected, cast.manager)
    assert Notice.objects.filter(kind="opening.made").get().user == cast.reviewer
    assert client_of(cast.manager).post(reverse("intake:review", args=[opening.pk])).status_code == 404
    with pytest.raises(Refused, match="their own"):
        actions.review_opening(by=cast.manager, opening=opening, verdict="justified", words="Mine.")
    with pytest.raises(IntegrityError), transaction.atomic():
        CaseOpening.objects.filter(pk=opening.pk).update(
            verdict="justified", reviewed_by=cast.manager, reviewed_at=clock.now()
        )
    theirs = client_of(cast.reviewer)
    page = theirs.get(reverse("intake:review-list")).content.decode()
    assert str(protected) in page and FORM["words"] not in page, "codes alone"
    done = theirs.post(reverse("intake:review", args=[opening.pk]), {f"{opening.pk}-verdict": "investigate"})
    assert done.status_code == 302
    opening.refresh_from_db()
    assert opening.verdict == "investigate" and opening.review_words == ""


def test_who_may_and_who_may_not(protected, cast, client_of):
    opening = open_it(protected, cast.colleague)
    review = reverse("intake:review", args=[opening.pk])
    for who in (cast.partner, cast.keeper, cast.coordinator):
        assert client_of(who).get(reverse("intake:emergency")).status_code == 403
        assert client_of(who).post(review).status_code == 403
    assert client_of(cast.caseworker).post(review).status_code == 403
    assert client_of(cast.other_manager).post(review).status_code == 404
    assert client_of(cast.reviewer).post(review).status_code == 404, "a manager can still do it"
    assert client_of(cast.reviewer).get(reverse("intake:emergency")).status_code == 403
    assert client_of(cast.manager).get(review).status_code == 405


def test_what_is_late_is_reminded_of_each_working_day(protected, cast, at):
    def told(user):
        return Notice.objects.filter(kind="opening.late", user=user).count()

    with at("2026-11-23 10:00"):  # a Monday
        opening = open_it(protected, cast.colleague)
    for day, managers, reviewers in (
        ("2026-11-25 10:00", 0, 0),
        ("2026-11-26 10:00", 1, 0),
        ("2026-11-26 15:00", 1, 0),
        ("2026-11-27 10:00", 2, 1),
        ("2026-11-28 10:00", 2, 1),  # a Saturday
        ("2026-11-30 10:00", 3, 2),
    ):
        with at(day):
            call_command("sweep")
            assert (told(cast.manager), told(cast.reviewer)) == (managers, reviewers), day
            assert to_review(cast.reviewer).exists() == bool(reviewers), day
    with at("2026-12-01 10:00"):
        actions.review_opening(by=cast.manager, opening=opening, verdict="justified", words="Yes.")
        call_command("sweep")
        assert told(cast.manager) == 3


def test_a_manager_who_is_switched_off_reviews_nothing(protected, cast):
    User.objects.filter(pk=cast.manager.pk).update(is_active=False)
    opening = open_it(protected, cast.colleague)
    assert Notice.objects.get(kind="opening.made").user == cast.reviewer
    assert list(to_review(cast.reviewer)) == [opening]


# -- what it gives no right to ------------------------------------------------------------------------------------------

WORDS = "The window is broken, she says."


@pytest.fixture
def from_afar(make_case, cast, client_of):
    """A case that somebody of another unit has opened in an emergency, and their browser."""
    case = make_case(track="B")
    open_it(case, cast.stranger)
    return case, client_of(cast.stranger)


def test_another_unit_writes_a_note_a_step_and_the_contact(from_afar, cast):
    case, theirs = from_afar
    assert theirs.post(reverse("intake:note-add", args=[case.slug]), {"kind": "told", "text": WORDS}).status_code == 302
    assert WORDS in theirs.get(where(case)).content.decode()
    sent = theirs.post(reverse("intake:contact-log", args=[case.slug]), {"outcome": "no_answer"})
    assert sent.status_code in (302, 303, 422)
    planned = theirs.post(reverse("intake:step-plan", args=[case.slug]), {"what": WORDS})
    assert planned.status_code in (302, 422)
    connection.check_constraints()


@pytest.mark.parametrize(
    "name",
    ["case-close", "case-track", "case-safe", "case-text", "passphrase", "people", "concern-register", "step-done"],
)
def test_another_unit_changes_nothing_else(from_afar, cast, name):
    case, theirs = from_afar
    step = case.steps.planned().first()
    args = [case.slug, step.pk] if name == "step-done" else [case.slug]
    before = LogEntry.objects.filter(case=case.pk).exclude(event="case.refused").count()
    sent = theirs.post(reverse(f"intake:{name}", args=args), {"words": WORDS, "close": "helped", "outcome": WORDS})
    assert sent.status_code == 403
    page = sent.content.decode()
    assert "The rest is for the unit that has it" in page and WORDS in page, "said, and the words given back"
    assert LogEntry.objects.filter(event="case.refused", case=case.pk, user=cast.stranger, why="emergency").count() == 1
    assert LogEntry.objects.filter(case=case.pk).exclude(event="case.refused").count() == before
    case.refresh_from_db()
    assert case.is_open and case.track == "B"


def test_another_unit_refers_nobody_and_asks_nobody(from_afar, cast):
    case, theirs = from_afar
    draft = referrals.draft_referral(by=cast.caseworker, case=case, agency=cast.agency, need="child_protection")
    urls = [
        reverse("referrals:send", args=[draft.pk]),
        reverse("referrals:discard", args=[draft.pk]),
        reverse("referrals:message", args=[draft.pk]),
        reverse("referrals:choose", args=[case.slug]),
        reverse("referrals:ask-first", args=[case.slug]),
    ]
    for url in urls:
        assert theirs.post(url, {"text": WORDS}).status_code in (403, 405), url
    draft.refresh_from_db()
    assert draft.state == "draft"


@pytest.mark.parametrize("name", ["case-close", "case-track", "case-safe", "people", "concern-register"])
def test_a_form_that_would_be_refused_is_not_opened(from_afar, cast, name):
    case, theirs = from_afar
    url = reverse(f"intake:{name}", args=[case.slug])
    shown = theirs.get(url)
    assert shown.status_code == 403 and "The rest is for the unit that has it" in shown.content.decode()
    assert LogEntry.objects.filter(event="case.refused", case=case.pk, user=cast.stranger, why="emergency").count() == 1
    assert url not in theirs.get(where(case)).content.decode()


def test_nobody_is_chosen_for_a_handover_from_afar(from_afar):
    case, theirs = from_afar
    for name in ("choose", "ask-first"):
        url = reverse(f"referrals:{name}", args=[case.slug])
        assert theirs.get(url).status_code == 403 and url not in theirs.get(where(case)).content.decode()


def test_the_case_says_while_it_is_open_in_an_emergency_and_until_when(protected, cast, client_of, at):
    opening, line = open_it(protected, cast.colleague), "Opened in an emergency, until"
    theirs, until = client_of(cast.colleague), say_time(opening.until)
    for _view in range(2):  # not only the first time
        assert f"{line} {until}" in theirs.get(where(protected)).content.decode()
    assert line not in client_of(cast.caseworker).get(where(protected)).content.decode()


def test_in_ones_own_unit_an_emergency_opens_the_whole(protected, cast, client_of):
    open_it(protected, cast.colleague)
    assert client_of(cast.colleague).get(reverse("intake:case-close", args=[protected.slug])).status_code == 200
    sent = client_of(cast.colleague).post(reverse("intake:case-close", args=[protected.slug]), {})
    assert sent.status_code == 422


def test_somebody_else_at_the_same_address_keeps_nobody_out(protected, cast, client_of):
    other = client_of(cast.stranger)
    answers = [other.post(reverse("intake:emergency"), {**FORM, "number": WRONG_NUMBER}) for _turn in range(7)]
    assert answers[-1].status_code == 422
    answer = client_of(cast.colleague).post(reverse("intake:emergency"), {**FORM, "number": str(protected)})
    assert answer.status_code == 302
