"""The overview: the promise, and that each number counts exactly the rows behind it and nothing that its reader may not know."""

import contextlib
import datetime as dt
import re
from functools import partial
from urllib.parse import quote

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from helpline import caseload_views, promise, sums
from helpline.caseload import BESIDE, FIGURES, TILES, now_of
from helpline.people import clock
from helpline.people.absences import save_absence
from helpline.people.models import LogEntry, LogReview, Notice, Role, User
from helpline.people.paging import page_of
from helpline.silence import silent_by_agency
from helpline.workload import workers_of
from intake import actions
from intake.actions.bounces import record_bounce
from intake.models import Bounce, Case, DaySum, HeavyCall, PastCase
from referrals import actions as referral_actions
from tests.referrals.conftest import past_the_application

MONDAY, TUESDAY = "2026-11-23 08:00", "2026-11-24 18:00"


def summed() -> None:
    while sums.sum_up():
        pass


def _handed(cast, worker, case):
    draft = referral_actions.draft_referral(by=worker, case=case, agency=cast.agency, need="family_support")
    words = {"ask": "Call", "happened": "Much", "ground": "CARE_U18", "ground_reason": "needed"}
    draft = referral_actions.save_draft(by=worker, referral=draft, words=words)
    return referral_actions.send(by=worker, referral=draft)


def _bounce(case=None, call=None, **codes) -> None:
    named = {"agency": "Skolan", "step": "call_back", **codes}
    record_bounce(
        cause="nobody_called", source=f"test:{case or call}:{Bounce.objects.count()}", case=case, call=call, **named
    )


def _fill(worker, cast, make_case, make_call, *, practice=False) -> dict[str, Case]:
    """Something behind every number, all of one worker's."""
    made = {}
    for name in ("waits", "asked", "taken", "said_no", "child", "plain"):
        made[name] = make_case(by=worker, urgency="AKUT" if name == "waits" else "SKYNDSAM", is_practice=practice)
    if not practice:
        handed = {name: _handed(cast, worker, made[name]) for name in ("waits", "asked", "taken", "said_no")}
        referral_actions.ask_question(by=cast.partner, referral=handed["asked"], text="Which school?")
        referral_actions.accept(by=cast.partner, referral=handed["taken"])
        referral_actions.accept(by=cast.partner, referral=handed["said_no"])
        referral_actions.contact_made(by=cast.partner, referral=handed["said_no"])
        referral_actions.caller_says(by=worker, referral=handed["said_no"], answer="nobody_called")
    actions.register_concern(by=worker, case=made["child"], child_age_band="15-17")
    _bounce(made["plain"])
    _bounce(made["plain"])
    alone = make_call(
        by=worker, urgency="NORMAL", caller_type="other", is_practice=practice, notes={"told": "She heard."}
    )
    actions.complete_call(by=worker, call=alone)
    _bounce(call=alone)
    make_call(by=worker, is_practice=practice)
    return made


@pytest.fixture
def boss(cast) -> User:
    """Another manager of the unit, who locks the first one out."""
    return User.objects.create(username="boss", unit=cast.unit, role=Role.MANAGER, first_name="Bo", language="en")


@pytest.fixture
def full(make_case, make_call, cast, boss, at):
    """The same five times: what is to be counted; practice; another unit's; what the manager is locked out of; what is
    closed and of last year. The codes that no list may hold."""
    with at(MONDAY):
        ours = _fill(cast.caseworker, cast, make_case, make_call)
        practice = _fill(cast.caseworker, cast, make_case, make_call, practice=True)
        theirs = _fill(cast.stranger, cast, make_case, make_call)
        hidden = _fill(cast.caseworker, cast, make_case, make_call)
        for case in hidden.values():
            actions.lock_out(by=boss, case=case, user=cast.manager, reason="Her brother.")
        for unit in (cast.unit, cast.other_unit):
            review = LogReview.objects.create(unit=unit, month=clock.today().replace(day=1), due_on=clock.today())
            subject = cast.caseworker if unit == cast.unit else cast.stranger
            entry = LogEntry.objects.filter(user=subject, event="case.opened").first()
            review.rows.create(entry=entry, subject=subject, rules=["sample"])
        HeavyCall.objects.create(unit=cast.unit, month=clock.today().replace(day=1), mark="a" * 64)
    with at("2025-11-24 08:00"):
        old = make_case()
        _bounce(old)
    with at(TUESDAY):
        summed()
        never = [*practice.values(), *theirs.values(), *hidden.values()]
        plain = [cases["plain"] for cases in (ours, practice, theirs, hidden)]
        yield {"ours": ours, "never": never, "old": old, "plain": plain}


@contextlib.contextmanager
def stepless(full):
    """Cases without a step, which no act makes: the trigger would speak when it is checked."""
    Case.objects.filter(pk__in=[case.pk for case in full["plain"]]).update(next_due_at=None)
    yield
    for case in full["plain"]:
        Case.objects.filter(pk=case.pk).update(next_due_at=case.next_due_at)
    connection.check_constraints()


def _listed(client, url: str) -> tuple[int, int, str]:
    """The number that the page says, how many rows there are over all pages, and all that they say."""
    answer = client.get(url)
    assert answer.status_code == 200, url
    count = int(re.search(r"data-count>(\d+)<", answer.content.decode()).group(1))
    rows, text, page = 0, "", answer
    while True:
        rows += page.content.decode().count('<li class="row-item">')
        text += page.content.decode()
        after = page.context["page"].next_key
        if not after:
            return count, rows, text
        page = client.get(url, {"after": after})


def _rows(client, key: str, cases: dict[str, Case]) -> list[str]:
    """Of each row behind a figure which of these cases it names."""
    page = client.get(reverse("caseload-rows", args=[key])).content.decode()
    rows = page.split('<li class="row-item">')[1:]
    return [name for row in rows for name, case in cases.items() if case.number in row]


# -- each number and its rows ------------------------------------------------------------------------------------------


def test_every_figure_of_the_page_counts_exactly_its_rows(client_of, full, cast, monkeypatch):
    monkeypatch.setattr(caseload_views, "page_of", partial(page_of, size=1))  # so that each has a next page
    client = client_of(cast.manager)
    _compare(client, full, but={"no-step"})
    with stepless(full):  # an open case is listed by its next step; who has none is listed apart
        _compare(client, full, but=set(FIGURES) - {"no-step"})


def _compare(client, full, but) -> None:
    page = client.get(reverse("caseload"))
    shown = dict(re.findall(r'data-figure="([\w-]+)"[^>]*><span class="figure[^"]*">(\d+)<', page.content.decode()))
    assert set(shown) == {*TILES, *BESIDE, "heavy"}
    numbers = {key: int(number) for key, number in shown.items() if key != "heavy"}
    numbers |= {"bounced": page.context["promise"].bounced, "bounces": int(page.context["promise"].bounces)}
    assert set(numbers) == set(FIGURES)
    for key in numbers.keys() - but:
        number = numbers[key]
        count, rows, text = _listed(client, reverse("caseload-rows", args=[key]))
        assert number == count == rows > 0, key
        for case in full["never"]:
            assert case.number not in text, key


def test_what_each_figure_counts(client_of, full, cast):
    with stepless(full):
        found = now_of(cast.manager)["found"]
    counts = {key: found[key] for key in FIGURES}
    cases, client = {**full["ours"], "old": full["old"]}, client_of(cast.manager)
    rows = {key: _rows(client, key, cases) for key in ("clocks", "overdue")}
    assert counts == {
        **{"no-step": 1, "waiting": 1, "silent": 1, "questions": 1, "with-agency": 1, "clocks": len(rows["clocks"])},
        **{"said-no": 1, "log-reviews": 1, "open": 7, "unfinished": 2, "bounced": 4, "bounces": 5},
        "overdue": len(rows["overdue"]),
    }  # also the calls of what is hidden: without a case nobody is locked out of them
    assert rows["clocks"] == ["child"] * 2
    assert sorted(rows["overdue"]) == ["asked", "child", "old", "said_no", "waits", "waits"]


def test_the_other_unit_and_another_manager_see_their_own(full, cast, boss):
    with stepless(full):
        theirs, all_of_ours = now_of(cast.other_manager)["found"], now_of(boss)["found"]
    assert theirs["silent"] == 1 and theirs["said-no"] == 1 and theirs["no-step"] == 1
    assert (
        all_of_ours["silent"] == all_of_ours["said-no"] == all_of_ours["no-step"] == 2
    )  # who is locked out of nothing


def test_what_one_is_locked_out_of_meanwhile_is_no_longer_counted(full, cast, boss):
    before = now_of(cast.manager)["found"]
    actions.lock_out(by=boss, case=full["ours"]["waits"], user=cast.manager, reason="Her brother.")
    after = now_of(cast.manager)["found"]
    assert after["open"] == before["open"] - 1 and after["waiting"] == before["waiting"] - 1


def test_heavy_calls_are_a_number_without_rows(client_of, full, cast):
    client = client_of(cast.manager)
    page = client.get(reverse("caseload")).content.decode()
    assert re.search(r'<div class="tile" data-figure="heavy"><span class="figure">1<', page)
    assert client.get(reverse("caseload-rows", args=["heavy"])).status_code == 404


def test_only_what_should_be_none_is_marked(client_of, full, cast):
    with stepless(full):
        page = client_of(cast.manager).get(reverse("caseload")).content.decode()
    late = re.findall(r'data-figure="([\w-]+)"[^>]*><span class="figure late">', page)
    assert set(late) == {key for key, figure in FIGURES.items() if figure.should_be_none and key in TILES}


def test_the_lines_of_context(full, cast):
    says = {tile.key: tile.says for tile in now_of(cast.manager)["tiles"]}
    assert says["silent"].startswith("the oldest since")
    assert says["said-no"] == f"the latest is open with {cast.caseworker.first_name}"
    assert says["overdue"].startswith("the oldest since") and says["clocks"]


def test_a_count_stops_at_a_thousand(cast, make_case, monkeypatch, client_of):
    monkeypatch.setattr("helpline.people.counts.MOST", 2)
    for _ in range(4):
        make_case()
    page = client_of(cast.manager).get(reverse("caseload")).content.decode()
    assert re.search(r'data-figure="open"><span class="figure-small">2\+<', page)


# -- the promise -------------------------------------------------------------------------------------------------------


def test_the_promise_counts_the_year_s_callers(full, cast):
    told = now_of(cast.manager)["promise"]
    # six of ours and the one alone, and the case of last year; those that one is locked out of are in no number
    alone_and_hidden = 2  # a call without a case cannot be locked
    assert (told.callers, told.bounced, told.kept) == (6 + alone_and_hidden, 4, 4)
    assert (told.callers_before, told.kept_before, told.days) == (1, 0, 1)
    assert told.percent == 50


def test_whoever_is_locked_out_of_nothing_counts_them(full, cast, boss):
    told = now_of(boss)["promise"]
    assert told.callers == 6 * 2 + 2 and told.bounced == 2 * 2 + 2


def test_what_is_forgotten_still_counts(full, cast):
    facts = {"unit": cast.unit, "caller_type": "relative", "track": "A", "milieu": "UNKNOWN", "age_band": "unknown"}
    for quarter, bounces in (((2026, 4), 0), ((2026, 7), 2), ((2025, 10), 0), ((2025, 10), 1)):
        PastCase.objects.create(opened_quarter=dt.date(*quarter, 1), urgency="NORMAL", bounces=bounces, **facts)
    told = now_of(cast.manager)["promise"]
    assert (told.callers, told.bounced, told.forgotten, told.kept) == (10, 4, 1, 5)
    assert (told.callers_before, told.kept_before) == (3, 1)


def test_a_new_bounce_is_told_before_it_is_summed_up(full, cast):
    before = now_of(cast.manager)["promise"]
    _bounce(full["ours"]["child"])
    told = now_of(cast.manager)["promise"]
    assert (told.bounced, told.kept) == (before.bounced + 1, before.kept - 1) and told.days == 0
    summed()
    after = now_of(cast.manager)["promise"]
    assert (after.callers, after.kept) == (told.callers, told.kept)


def test_of_what_is_forgotten_a_wrong_number_is_no_caller(full, cast):
    before = now_of(cast.manager)["promise"]
    facts = {"unit": cast.unit, "caller_type": "misdial", "track": "A", "milieu": "UNKNOWN", "age_band": "unknown"}
    for year in (2025, 2026):
        for bounces in (0, 1):
            quarter = dt.date(year, 10, 1)
            PastCase.objects.create(opened_quarter=quarter, is_call=True, calls=1, bounces=bounces, **facts)
    told = now_of(cast.manager)["promise"]
    assert (told.callers, told.kept, told.forgotten) == (before.callers, before.kept, before.forgotten)
    assert (told.callers_before, told.kept_before) == (before.callers_before, before.kept_before)
    # one that led to a case is a caller as any other
    PastCase.objects.create(opened_quarter=dt.date(2026, 10, 1), calls=1, **facts)
    assert now_of(cast.manager)["promise"].callers == before.callers + 1


def test_a_wrong_number_is_no_caller_whatever_was_done_with_it(make_call, cast):
    call = actions.complete_call(by=cast.caseworker, call=make_call(caller_type="misdial", urgency="NORMAL"))
    _bounce(call=call)
    summed()
    now = now_of(cast.manager)
    told = now["promise"]
    assert (told.callers, told.bounced, told.bounces, told.lines, told.days) == (0, 0, "0", [], None)
    assert now["found"]["bounced"] == now["found"]["bounces"] == 0


def test_a_bounce_of_a_call_that_goes_on_or_was_taken_away_is_none_yet(make_call, cast):
    call = make_call()
    _bounce(call=call)
    assert now_of(cast.manager)["promise"].days is None
    actions.void_call(by=cast.caseworker, call=call, why="by mistake")
    told = now_of(cast.manager)["promise"]
    assert (told.bounces, told.days) == ("0", None)


def test_a_bounce_of_the_call_that_came_to_a_case_is_the_case_s(make_case, cast, client_of):
    case = make_case()
    _bounce(call=case.calls.get())
    summed()
    told = now_of(cast.manager)["promise"]
    assert (told.callers, told.bounced, told.kept) == (1, 1, 0) and told.lines[0].case == case
    count, rows, text = _listed(client_of(cast.manager), reverse("caseload-rows", args=["bounced"]))
    assert count == rows == 1 and case.number in text


def test_a_bounce_before_midnight_of_the_new_year(make_call, cast, at):
    with at("2026-12-31 23:50"):
        call = make_call(urgency="SKYNDSAM", urgency_reason="as told")
        _bounce(call=call)
    with at("2027-01-01 00:20"):
        actions.complete_call(by=cast.caseworker, call=call)
    with at("2027-01-02 10:00"):
        summed()
        told = now_of(cast.manager)["promise"]
        assert DaySum.objects.of("case", "promise").get().value == sums.BOUNCED
        assert (told.callers, told.bounced, told.kept, told.bounces) == (1, 1, 0, "1")
        assert (told.callers_before, told.kept_before) == (0, 0)


def test_last_year_s_that_one_is_locked_out_of_are_in_no_number(make_case, cast, boss, at):
    with at("2025-11-24 08:00"):
        shown, kept, bounced = make_case(), make_case(), make_case()
        _bounce(bounced)
    with at(TUESDAY):
        summed()
        assert (now_of(cast.manager)["promise"].callers_before, now_of(cast.manager)["promise"].kept_before) == (3, 2)
        for case in (kept, bounced):
            actions.lock_out(by=boss, case=case, user=cast.manager, reason="Her brother.")
        told, all_of_them = now_of(cast.manager)["promise"], now_of(boss)["promise"]
        assert (told.callers_before, told.kept_before) == (1, 1) and shown
        assert (all_of_them.callers_before, all_of_them.kept_before) == (3, 2)


def test_the_sums_and_the_rows_say_the_same(full, boss):
    told = now_of(boss)["promise"]
    sums_say = DaySum.objects.of("case", "promise") | DaySum.objects.of("call", "promise")
    bounced = sums_say.filter(unit=boss.unit, day__year=2026, value=sums.BOUNCED)
    assert sum(bounced.values_list("count", flat=True)) == told.bounced == promise.bounced_callers(boss).count()


def test_nobody_was_bounced(cast, make_case, client_of):
    make_case()
    summed()
    told = now_of(cast.manager)["promise"]
    assert (told.callers, told.kept, told.percent, told.days, told.lines) == (1, 1, 100, None, [])
    assert "Nobody was bounced this year" in client_of(cast.manager).get(reverse("caseload")).content.decode()


def test_a_hundred_percent_is_all_of_them():
    told = promise.Promise(1000, 1, 0, "1", False, [], 0, 0, 1)
    assert told.percent == 99


def test_of_a_protected_case_neither_agency_nor_way_in(cast, make_case, client_of):
    case = make_case(protection="secrecy_marking", track="B")
    _bounce(case, agency="Skolan i Tibro")
    summed()
    for url in (reverse("caseload"), reverse("caseload-rows", args=["bounced"])):
        page = client_of(cast.manager).get(url).content.decode()
        assert "Tibro" not in page and case.number in page
        assert reverse("intake:case", args=[case.slug]) not in page
    actions.name_staff(by=cast.manager, case=case, user=cast.colleague)
    line = promise.said(promise.lines_of(promise.bounces_of_year(cast.manager), cast.colleague), cast.colleague)[0]
    assert line.may_open and line.where == "Protected data"


def test_how_it_is_counted_is_said(client_of, cast):
    page = client_of(cast.manager).get(reverse("promise")).content.decode()
    assert "Practice counts nowhere" in page
    assert "An agency never called the person" in page and "had to tell an agency again" in page
    assert "A wrong number, or a silent call, that led to no case is no caller" in page
    for who in ("caseworker", "partner", "keeper", "coordinator", "reviewer"):
        assert client_of(getattr(cast, who)).get(reverse("promise")).status_code == 403


# -- who has how much --------------------------------------------------------------------------------------------------


def test_workers_are_weighed_by_urgency(cast, make_case, settings):
    for urgency in ("AKUT", "BRADSKANDE", "SKYNDSAM", "NORMAL", "NORMAL"):
        make_case(urgency=urgency)
    make_case(urgency="AKUT", is_practice=True)
    make_case(by=cast.stranger, urgency="AKUT")
    by = {one.who.pk: one for one in workers_of(cast.manager)}
    anna = by[cast.caseworker.pk]
    assert (anna.total, anna.weight, anna.room) == (5, 12, 4) and by[cast.colleague.pk].room == 10
    assert cast.stranger.pk not in by
    settings.CASELOAD_WEIGHTS = {"AKUT": 20, "SKYNDSAM": 2}
    assert anna.weight == 20 + 1 + 2 + 1 + 1 and anna.room == 0


def test_every_cell_of_the_table_counts_exactly_its_rows(client_of, full, cast):
    client = client_of(cast.manager)
    workers = workers_of(cast.manager)
    cells = [cell for worker in workers for *_words, cell in worker.cells] + [worker.all for worker in workers]
    assert sum(cell.count for cell in cells) == 2 * now_of(cast.manager)["found"]["open"]
    for cell in cells:
        count, rows, _text = _listed(client, cell.url)
        assert count == rows == cell.count, cell.url


def test_who_is_away_says_until_when_and_can_be_spread(cast, make_case, client_of, at):
    with at(MONDAY):
        make_case()
        days = {"first_day": clock.today(), "last_day": dt.date(2026, 12, 4)}
        save_absence(by=cast.caseworker, user=cast.caseworker, deputy=cast.colleague, **days)
        page = client_of(cast.manager).get(reverse("caseload")).content.decode()
    assert "away to the end of Fri 4 Dec" in page and reverse("spread", args=[cast.caseworker.pk]) in page
    assert reverse("spread", args=[cast.colleague.pk]) not in page


# -- who is silent -----------------------------------------------------------------------------------------------------


def test_silent_handovers_by_agency_and_who_acts_next(cast, make_case, at):
    with at(MONDAY):
        first = _handed(cast, cast.caseworker, make_case(urgency="AKUT"))
        masked = _handed(cast, cast.caseworker, make_case(urgency="AKUT", protection="secrecy_marking", track="B"))
    with at("2026-11-23 10:30"):  # its answer was due at ten
        groups, more = silent_by_agency(cast.manager)
        assert [group.name for group in groups] == [str(cast.agency), "Protected data"] and not more
        assert groups[0].rows[0].then.startswith("they are reminded")
        referral_actions.sweep()
        (own, *_), _more = silent_by_agency(cast.manager)
        assert own.rows[0].referral == first and own.rows[0].then.startswith("Anna calls them by")
        assert silent_by_agency(cast.caseworker)[0][0].rows[0].then.startswith("you call them by")
        past_the_application(masked, "withdraw", ended_at=clock.now())
        assert len(silent_by_agency(cast.manager)[0]) == 1


# -- a worker's week, and a step ---------------------------------------------------------------------------------------


def test_a_worker_s_week_has_labels_and_no_words(full, cast, client_of, make_case):
    actions.plan_step(
        by=cast.caseworker, case=full["ours"]["child"], what="Ring Fatima", due_at=clock.now() + dt.timedelta(1)
    )
    page = client_of(cast.manager).get(reverse("worker-week", args=[cast.caseworker.pk])).content.decode()
    assert "Fatima" not in page and "Planned step" in page and "Late steps" in page
    for case in full["never"]:
        assert case.number not in page


def test_who_may_see_a_week(client_of, cast):
    url = reverse("worker-week", args=[cast.caseworker.pk])
    assert client_of(cast.other_manager).get(url).status_code == 404
    for who in ("caseworker", "colleague", "partner", "keeper", "coordinator", "reviewer"):
        assert client_of(getattr(cast, who)).get(url).status_code == 403


def test_a_manager_plans_a_step_for_the_owner(client_of, cast, make_case):
    case = make_case()
    url = reverse("case-step", args=[case.slug])
    client = client_of(cast.manager)
    assert client.get(url).status_code == 200
    assert client.post(url, {"what": "", "due_at": ""}).status_code == 422
    due = (clock.local_time(clock.now()) + dt.timedelta(days=2)).strftime("%Y-%m-%dT%H:%M")
    assert client.post(url, {"what": "Call the school", "due_at": due}).url == reverse("caseload")
    connection.check_constraints()
    step = case.steps.planned().get(kind="own")
    assert step.owner == cast.caseworker and step.what == "Call the school"
    assert LogEntry.objects.filter(event="step.planned", user=cast.manager, case=case.pk).count() == 1
    (told,) = Notice.objects.filter(kind="step.planned")
    assert (told.user, told.case) == (cast.caseworker, case.pk)
    assert client_of(cast.other_manager).get(url).status_code == 404
    assert client_of(cast.colleague).get(url).status_code == 403


@pytest.mark.parametrize("name", ["case-step", "intake:case-reassign"])
def test_what_is_done_from_a_list_leads_back_to_it(client_of, cast, make_case, name):
    case, client = make_case(), client_of(cast.manager)
    rows = reverse("caseload-rows", args=["open"]) + f"?owner={cast.caseworker.pk}"
    page = client.get(rows).content.decode()
    url = f"{reverse(name, args=[case.slug])}?next={quote(rows, safe='')}"
    assert f'href="{url}"' in page
    assert f'href="{rows}"' in client.get(url).content.decode()  # who regrets it comes back too
    due = (clock.local_time(clock.now()) + dt.timedelta(days=2)).strftime("%Y-%m-%dT%H:%M")
    sent = {"what": "Call the school", "due_at": due, "to": cast.colleague.pk}
    away = url.partition("?")[0] + "?next=//evil.example/"
    assert f'href="{reverse("caseload")}"' in client.get(away).content.decode()
    assert client.post(url, sent).url == rows


def test_pressed_twice_it_is_planned_once(client_of, cast, make_case, at):
    case = make_case()
    url, client = reverse("case-step", args=[case.slug]), client_of(cast.manager)
    day = (clock.local_time(clock.now()) + dt.timedelta(days=2)).strftime("%Y-%m-%d")

    def steps(what="Call the school", time="10:00") -> tuple[int, int]:
        assert client.post(url, {"what": what, "due_at": f"{day}T{time}"}).url == reverse("caseload")
        return case.steps.planned().filter(kind="own").count(), Notice.objects.filter(kind="step.planned").count()

    assert [steps(), steps()] == [(1, 1), (1, 1)]
    assert steps(what="Call the mother") == (2, 2) and steps(time="11:00") == (3, 3)
    with clock.at(clock.now() + dt.timedelta(minutes=11)):
        assert steps() == (4, 4)  # that is another thought
    connection.check_constraints()


def test_a_like_step_of_the_owner_is_another(client_of, cast, make_case):
    case = make_case()
    due = clock.local_time(clock.now() + dt.timedelta(days=2)).replace(second=0, microsecond=0)
    actions.plan_step(by=cast.caseworker, case=case, what="Call the school", due_at=due)
    data = {"what": "Call the school", "due_at": due.strftime("%Y-%m-%dT%H:%M")}
    client_of(cast.manager).post(reverse("case-step", args=[case.slug]), data)
    assert case.steps.planned().filter(kind="own").count() == 2


def test_no_step_in_what_one_is_locked_out_of(client_of, cast, make_case, boss):
    case = make_case()
    actions.lock_out(by=boss, case=case, user=cast.manager, reason="Her brother.")
    assert client_of(cast.manager).get(reverse("case-step", args=[case.slug])).status_code == 404


# -- how much it asks --------------------------------------------------------------------------------------------------


def _statements(client, url: str) -> list[str]:
    with CaptureQueriesContext(connection) as queries:
        assert client.get(url).status_code == 200
    return [one["sql"] for one in queries if not one["sql"].startswith(("SAVEPOINT", "RELEASE", "BEGIN", "COMMIT"))]


def test_the_overview_asks_at_most_eight_times_and_two_more_of_who_is_locked_out(client_of, full, cast, boss):
    for manager, most in ((boss, 8), (cast.manager, 10)):
        client = client_of(manager)
        client.get(reverse("caseload"))
        asked = _statements(client, reverse("caseload"))
        assert len(asked) <= most, "\n".join(one[:160] for one in asked)


def test_it_asks_no_more_when_there_is_more(client_of, full, cast, make_case, make_call):
    client = client_of(cast.manager)
    urls = [reverse("caseload"), reverse("worker-week", args=[cast.caseworker.pk])]
    urls += [reverse("caseload-rows", args=[key]) for key in FIGURES]
    before = {url: (len(_statements(client, url)), len(_statements(client, url)))[1] for url in urls}
    with clock.at(clock.now() - dt.timedelta(days=1)):
        _fill(cast.colleague, cast, make_case, make_call)
        _fill(cast.caseworker, cast, make_case, make_call)
    summed()
    assert {url: len(_statements(client, url)) for url in urls} == before
