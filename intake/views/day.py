"""My day: what must be done now, and by when."""

import datetime as dt
import uuid
from collections import Counter as Tally
from dataclasses import dataclass

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET

from helpline.people import asking, clock
from helpline.people.access import needs
from helpline.people.counts import said_count
from helpline.people.models import Notice
from helpline.people.workdays import AT_WORK, add_working_days, is_working_day, local
from intake.actions.shifts import last_day
from intake.acute import left_for
from intake.clocks import KEPT_BY
from intake.first_page import asked_again, mark_of, steps_of, there_for
from intake.gate import log_listed, person
from intake.models import Call, Case, FollowUp
from intake.news import MOST, PLACES, News, news_of
from intake.standing_in import calls_in_hand, say_for_whom
from intake.triage import ACUTE
from intake.views.shifts import waiting_both


@needs("work_case")
@require_GET
def my_day(request: HttpRequest) -> HttpResponse:
    """The worker's first page."""
    user = person(request)
    steps = list(steps_of(user).select_related("case__key", "case__owner")[:MOST])
    say_for_whom(steps, user)
    own = [step for step in steps if not step.others_turn]
    today = [step for step in own if clock.local_date(step.due_at) <= clock.today()]
    there = there_for(request, user)
    in_hand = calls_in_hand(user)[:MOST] if there.calls else []
    acute = (
        left_for(user, in_hand) if there.has_acute or any(call.urgency_at_least == ACUTE for call in in_hand) else []
    )
    calls = [call for call in in_hand if call not in acute]
    news = news_of(user, {step.case_id: step.case for step in steps}) if there.has_news else []
    log_listed(user, [*(step.case for step in steps), *(one.case for one in news if one.is_answer and one.case)])
    to_take, given = waiting_both(user) if there.shifts else ([], [])
    context = {
        "today": clock.today(),
        "now": clock.now(),
        "acute": acute,
        "sentence": _sentence([step for step in own if step.is_late], [*today, *calls], news, acute),
        "begin": today[0] if today else None,
        "steps": today[1:],
        "calls": calls,
        "answers": [one for one in news if one.is_answer],
        "notices": [one for one in news if not one.is_answer],
        "to_take": to_take,
        "given": given,
        "to_give": _to_give(own),
        "at_work": [local(clock.today(), at) for at in AT_WORK] if is_working_day(clock.today()) else [],
        "waiting": [step for step in steps if step.others_turn],
        "week": _week(own),
        "open_cases": said_count(there.open),
        "open_count": there.open,
        "seen": mark_of(there, steps, news),
        "fresh_seconds": asking.every(),
    }
    return render(request, "intake/my_day.html", context)


@asking.asks
@needs("work_case")
@require_GET
def my_day_now(request: HttpRequest) -> HttpResponse:
    """Whether the page still says what is true: where not, a line says so, and nothing on the page moves."""
    try:
        changed = asked_again(person(request), request.GET.get("seen", ""))
    except ValueError:
        return asking.unknown()
    if not changed:
        return asking.unchanged()
    return asking.changed(request, "intake/_something_new.html", {"changed": changed}, last=True)


@needs("work_case")
@require_GET
def notice_open(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Go to what a notice is about; it is no longer new."""
    notice = get_object_or_404(Notice, pk=pk, user=person(request))
    Notice.objects.filter(pk=pk, seen_at__isnull=True).update(seen_at=clock.now())
    case = Case.objects.visible_to(person(request)).filter(pk__in=[notice.case]).first()
    if notice.case and case is None:
        raise Http404
    return redirect("intake:case", case.slug) if case else redirect(PLACES.get(notice.kind, "intake:my-day"))


def _sentence(late: list[FollowUp], today: list[FollowUp | Call], news: list[News], acute: list[Call]) -> str:
    """The day in one sentence or two."""
    parts = [_("Something acute is left to do.")] if acute else []
    if late:
        parts.append(ngettext("One thing is late.", "%(count)s things are late.", len(late)) % {"count": len(late)})
    rest = len(today) - len(late)
    if rest:
        parts.append(ngettext("One thing is due today.", "%(count)s things are due today.", rest) % {"count": rest})
    answers = sum(one.is_answer for one in news)
    if answers:
        said = ngettext("One answer has come.", "%(count)s answers have come.", answers)
        parts.append(said % {"count": answers})
    others = len(news) - answers
    if others:
        parts.append(ngettext("One thing is new.", "%(count)s things are new.", others) % {"count": others})
    return " ".join(parts) or _("Nothing waits for you today.")


def _to_give(own: list[FollowUp]) -> int:
    """In how many cases something is due before the end of the next working day: what a colleague would have to know."""
    return len({step.case_id for step in own if clock.local_date(step.due_at) <= last_day()})


@dataclass(frozen=True)
class InWeek:
    """A working day to come: how many steps, and whether a time of the law for a child is one of them."""

    date: dt.date
    count: int
    for_child: bool


def _week(own: list[FollowUp]) -> list[InWeek]:
    """The next four working days."""
    count = Tally(clock.local_date(step.due_at) for step in own)
    children = {clock.local_date(step.due_at) for step in own if step.kept_by == KEPT_BY}
    days = [add_working_days(clock.today(), ahead) for ahead in range(1, 5)]
    return [InWeek(day, count[day], day in children) for day in days]
