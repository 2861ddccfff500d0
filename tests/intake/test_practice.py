"""Practice: marked wherever it is seen, in no figure, and reaching nobody."""

import datetime as dt

import pytest
from django.db import connection
from django.urls import reverse

from helpline.caseload import FIGURES, open_by_caller
from helpline.over_time import charts_of
from helpline.people import clock
from helpline.people.errors import Refused
from helpline.people.models import Notice
from helpline.sums import sum_up
from helpline.workload import workers_of
from intake import actions
from intake.models import Call, Case, FollowUp
from referrals import actions as referrals
from referrals.models import Referral
from tests.referrals.conftest import past_the_application

pytestmark = pytest.mark.django_db
MARK = "Practice"


@pytest.fixture
def anna(client_of, cast):
    return client_of(cast.caseworker)


def test_it_is_started_from_my_day_and_marked_all_the_way(anna, cast):
    assert 'name="practice"' in anna.get(reverse("intake:my-day")).content.decode()
    answer = anna.post(reverse("intake:call-start"), {"practice": "1"})
    call = Call.objects.get()
    assert call.is_practice and answer.url == reverse("intake:call", args=[call.pk])
    assert MARK in anna.get(answer.url).content.decode()
    assert MARK in anna.get(reverse("intake:my-day")).content.decode().split("Besides")[0]
    facts = {"caller_type": "relative", "urgency": "NORMAL", "actualisation": "no", "actualisation_reason": "Advice."}
    call = actions.save_call(by=cast.caseworker, call=call, facts=facts)
    anna.post(reverse("intake:call-complete", args=[call.pk]))
    connection.check_constraints()
    case = Case.objects.get()
    assert case.is_practice and "(practice)" in str(case) and "(practice)" not in case.number
    for url in (
        reverse("intake:call-after", args=[call.pk]),
        reverse("intake:case", args=[case.slug]),
        reverse("intake:case-list"),
        reverse("intake:case-list") + "?which=unit",
    ):
        assert "ractice" in anna.get(url).content.decode(), url
    found = anna.post(reverse("intake:search"), {"term": case.number}, follow=True).content.decode()
    assert MARK in found
    assert "Det här är en övning." in anna.get(reverse("intake:call-after", args=[call.pk])).content.decode()


def test_an_ordinary_call_is_not_marked(anna, make_case):
    case = make_case()
    assert not case.is_practice and "(practice)" not in str(case)
    for url in (reverse("intake:case", args=[case.slug]), reverse("intake:call-after", args=[case.calls.get().pk])):
        assert 'class="practice' not in anna.get(url).content.decode()


def test_starting_it_by_get_is_refused_and_not_for_others(client_of, anna, cast):
    assert anna.get(reverse("intake:call-start") + "?practice=1").status_code == 405
    for who in ("partner", "keeper"):
        assert client_of(getattr(cast, who)).post(reverse("intake:call-start"), {"practice": "1"}).status_code == 403
    assert not Call.objects.exists()


def _everything(make_case, make_call, cast, *, is_practice):
    """Something behind every figure: a case whose step is late, an unfinished call, a referral in each state."""
    case = make_case(is_practice=is_practice, urgency="AKUT")
    make_call(is_practice=is_practice)
    for moves in (["send"], ["send", "ask"], ["send", "accept"]):
        draft = referrals.draft_referral(by=cast.caseworker, case=case, agency=cast.agency, need="family_support")
        words = {"ask": "Meet.", "happened": "Much.", "ground": "CARE_U18", "ground_reason": "Worry."}
        referrals.save_draft(by=cast.caseworker, referral=draft, words=words)
        past = clock.now() - dt.timedelta(hours=1)
        past_the_application(draft, *moves, sent_at=past, answer_due_at=past, contact_due_at=past)
    return case


@pytest.fixture
def both(make_case, make_call, cast, at):
    """The same twice: once for real, once as practice."""
    with at("2026-11-23 08:00"):
        return [_everything(make_case, make_call, cast, is_practice=practice) for practice in (False, True)]


# What asks for practice with the rest, and leaves it out by PRACTICE; tests/roof/test_overview.py has practice behind each.
ASKED_FOR = [key for key, figure in FIGURES.items() if figure.shows in {"case", "step", "referral", "call"}]


@pytest.mark.parametrize("key", ASKED_FOR)
def test_it_stays_out_of_every_figure(key, both, cast, at):
    real, practice = both
    with at("2026-11-24 10:00"):
        figure = FIGURES[key]
        rows = list(figure.rows(cast.manager))
        everything = list(figure.asks(cast.manager))
    if key == "no-step":  # the database lets no open case be without
        assert rows == []
        return
    assert rows, "there is something real to count"

    def is_practice(row) -> bool:
        return row.is_practice if isinstance(row, Call | Case) else row.case.is_practice

    assert not any(map(is_practice, rows))
    if key != "open":  # which is without it from the beginning
        assert any(map(is_practice, everything)), "there is practice to leave out"
    assert {isinstance(row, Call | Case | FollowUp | Referral) for row in rows} == {True}


def test_it_stays_out_of_the_tables_and_the_chart(both, cast, at):
    with at("2026-11-24 10:00"):
        assert sum(cell.count for _name, cell in open_by_caller(cast.manager)) == 1
        assert sum(worker.total for worker in workers_of(cast.manager)) == 1
        while sum_up():
            pass
        assert charts_of(cast.manager)["calls"].rows[0][1][-1] == 1
    assert Call.objects.filter(completed_at__isnull=False).count() == 2


def test_the_overview_and_its_rows_do_not_name_it(client_of, both, cast, at):
    client = client_of(cast.manager)
    _real, practice = both
    with at("2026-11-24 10:00"):
        for url in [reverse("caseload"), *(reverse("caseload-rows", args=[key]) for key in FIGURES)]:
            assert practice.number not in client.get(url).content.decode(), url


def test_its_handover_cannot_be_sent(make_case, cast):
    case = make_case(is_practice=True)
    draft = referrals.draft_referral(by=cast.caseworker, case=case, agency=cast.agency, need="child_protection")
    words = {"ask": "Meet.", "happened": "Much.", "ground": "DUTY", "ground_reason": "Worry."}
    draft = referrals.save_draft(by=cast.caseworker, referral=draft, words=words)
    before = Notice.objects.count()
    with pytest.raises(Refused, match="practice"):
        referrals.send(by=cast.caseworker, referral=draft)
    assert Referral.objects.get(pk=draft.pk).state == "draft" and Notice.objects.count() == before


def test_no_manager_hears_of_it(make_case, cast, at):
    with at("2026-11-23 10:00"):
        make_case(is_practice=True, urgency="AKUT")
    with at("2026-11-24 12:00"):
        actions.fire_due_reminders()
    assert {notice.user for notice in Notice.objects.all()} == {cast.caseworker}
    assert set(Notice.objects.values_list("kind", flat=True)) == {"step.due", "step.late"}


def test_a_practice_call_may_be_a_misdial_in_one_press(anna, cast):
    call = actions.start_call(by=cast.caseworker, is_practice=True)
    page = anna.post(reverse("intake:call-quick", args=[call.pk]), follow=True).content.decode()
    assert MARK in page and Call.objects.get().caller_type == "misdial"
