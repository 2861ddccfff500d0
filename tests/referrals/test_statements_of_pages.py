"""How many statements the pages make that a worker reads: as many for many rows as for few, and no more than said here."""

import datetime as dt

import pytest
from django.urls import reverse

from helpline.people import clock
from intake import actions, triage
from intake.labels import BOUNCES
from intake.models import Bounce, Case, LockedOut
from tests.counted import statements


def first_step(case: Case):
    return case.steps.planned().order_by("due_at").first()


def grow(client, url: str, more, most: int) -> list[str]:
    """The statements of a page with more rows, which are as many as those with few, and no more than `most`."""
    few = statements(client, url)
    more()
    many = statements(client, url)
    assert len(many) == len(few) <= most, "\n".join(many)
    return many


@pytest.mark.parametrize("which, most", [("mine", 5), ("unit", 5), ("closed", 4)])
def test_the_list_of_cases(client_of, make_case, cast, which, most):
    def more(number: int = 6) -> None:
        for _ in range(number):
            case = make_case()
            if which == "closed":
                actions.finish_step(by=cast.caseworker, step=case.steps.get(), close="needs_met")

    more(2)
    grow(client_of(cast.caseworker), reverse("intake:case-list") + f"?which={which}", more, most)


def test_the_list_names_the_first_of_several_steps(client_of, make_case, cast):
    case = make_case()
    due = case.steps.get().due_at
    plan = {"by": cast.caseworker, "case": case, "kind": "own"}
    actions.plan_step(**plan, due_at=due + dt.timedelta(days=1), what="The second")
    page = client_of(cast.caseworker).get(reverse("intake:case-list"))
    assert [one.pk for one in page.context["page"].rows] == [case.pk]  # one line, however many steps
    assert "The second" not in page.content.decode()
    actions.plan_step(**plan, due_at=due - dt.timedelta(minutes=1), what="The very first")
    html = client_of(cast.caseworker).get(reverse("intake:case-list")).content.decode()
    assert "The very first" in html


def test_a_case(client_of, make_case, cast):
    case = make_case(answers={"r_own": "yes"}, notes={"seen": "a first one"})

    def more() -> None:
        for number in range(3):
            actions.add_note(by=cast.caseworker, case=case, kind="seen", text=f"note {number}")
            actions.log_contact(by=cast.caseworker, case=case, outcome="no_answer", text="no")
            due = clock.now() + dt.timedelta(days=number + 1)
            actions.plan_step(by=cast.caseworker, case=case, kind="own", due_at=due, what=f"step {number}")

    grow(client_of(cast.caseworker), reverse("intake:case", args=[case.slug]), more, 9)


def test_a_case_with_handovers(client_of, make_referral, cast):
    """What is handed over is one statement more, its consents and its steps included."""
    referral = make_referral("sent")
    needs = iter([need for need in triage.codes("needs") if need != referral.need])

    def more() -> None:
        for _ in range(3):
            make_referral("sent", case=referral.case, need=next(needs))

    many = grow(client_of(cast.caseworker), reverse("intake:case", args=[referral.case.slug]), more, 10)
    assert sum("referrals_referral" in one and "people_logentry" not in one for one in many) >= 1


def test_a_case_in_which_there_is_more_says_so_all_the_same(client_of, make_case, cast):
    """What there is none of is not asked for; what comes is shown at the next look."""
    case, other = make_case(), make_case()
    client, url = client_of(cast.caseworker), reverse("intake:case", args=[case.slug])
    before = client.get(url).content.decode()
    assert "0 bounces" in before and "Belongs together with" not in before and "is away" not in before
    Bounce.objects.create(case=case, cause=next(iter(BOUNCES)), source=f"test:{case.pk}", codes={})
    actions.link_cases(by=cast.manager, one=case.slug, other=other.slug, reason="Brothers")
    cast.caseworker.absences.create(first_day=clock.today(), last_day=clock.today())
    after = client.get(url).content.decode()
    assert "1 bounce" in after and "Belongs together with <" in after and "is away" in after


def test_who_is_locked_out_of_another_case_does_not_read_its_number(client_of, make_case, cast):
    case, other = make_case(), make_case(by=cast.colleague)
    actions.link_cases(by=cast.manager, one=case.slug, other=other.slug, reason="Brothers")
    client, url = client_of(cast.caseworker), reverse("intake:case", args=[case.slug])
    assert str(other) in client.get(url).content.decode()
    lock = {"case": other, "user": cast.caseworker, "by": cast.manager}
    LockedOut.objects.create(**lock)
    assert str(other) not in client.get(url).content.decode()
    assert client.get(reverse("intake:case", args=[other.slug])).status_code == 404


def test_handovers(client_of, make_referral, cast):
    def more(number: int = 4) -> None:
        for _ in range(number):
            make_referral("sent")

    more(2)
    grow(client_of(cast.caseworker), reverse("referrals:list"), more, 5)


def test_my_day(client_of, make_case, cast):
    def more(number: int = 5) -> None:
        for _ in range(number):
            case = make_case(urgency="NORMAL")
            step = first_step(case)
            actions.move_step(by=cast.caseworker, step=step, due_at=clock.now() + dt.timedelta(hours=2))

    more(2)
    grow(client_of(cast.caseworker), reverse("intake:my-day"), more, 5)


def test_the_frame_of_a_case_says_what_it_said_though_it_is_asked_with_the_case(client_of, make_case, cast):
    case = make_case()
    client, url = client_of(cast.caseworker), reverse("intake:case", args=[case.slug])
    call = actions.start_call(by=cast.caseworker)
    asked = statements(client, url)
    page = client.get(url).content.decode()
    assert reverse("intake:call", args=[call.pk]) in page and len(asked) <= 9
    assert reverse("intake:call", args=[call.pk]) in client.get(reverse("intake:my-day")).content.decode()


def test_a_call(client_of, cast):
    call = actions.start_call(by=cast.caseworker)
    actions.save_call(by=cast.caseworker, call=call, facts={"caller_type": "relative"})

    def more() -> None:
        answers = {"r_own": "yes", "weapon": "no", "r_known": ["school"]}
        facts = {"caller_type": "relative", "municipality_id": "1499", "age_band": "15-17"}
        actions.save_call(by=cast.caseworker, call=call, facts=facts, answers=answers, notes={"seen": "a", "told": "b"})

    grow(client_of(cast.caseworker), reverse("intake:call", args=[call.pk]), more, 11)


def test_a_call_that_points_to_no_need_asks_for_no_agency(client_of, cast):
    call = actions.start_call(by=cast.caseworker)
    asked = statements(client_of(cast.caseworker), reverse("intake:call", args=[call.pk]))
    assert len(asked) <= 7 and "referrals_" not in " ".join(asked), "\n".join(asked)
