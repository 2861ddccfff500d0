"""My day: what must be done now, and by when."""

import datetime as dt
import uuid
from collections import Counter
from typing import Any

from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET

from helpline.people import clock
from helpline.people.access import needs
from helpline.people.models import Notice, User
from helpline.people.notices import KINDS
from helpline.people.workdays import add_working_days
from intake.acute import left_for
from intake.gate import log_listed, person
from intake.models import Call, Case, FollowUp
from intake.standing_in import calls_in_hand, say_for_whom
from intake.views.shifts import waiting

# Notices that are about no case: where they lead.
PLACES = dict.fromkeys(("absence.changed", "access.ending", "access.ended"), "intake:absence-list")
MOST = 50  # rows of one list; a worker with more than this has other trouble than paging


@needs("work_case")
@require_GET
def my_day(request: HttpRequest) -> HttpResponse:
    """The worker's first page."""
    user = person(request)
    mine = FollowUp.objects.visible_to(user).planned().filter(owner=user)
    steps = list(mine.select_related("case__key", "case__owner").in_order()[:MOST])
    say_for_whom(steps, user)
    own = [step for step in steps if not step.others_turn]
    today = [step for step in own if clock.local_date(step.due_at) <= clock.today()]
    log_listed(user, [step.case for step in steps])
    calls = calls_in_hand(user)[:MOST]
    acute = left_for(user, calls)
    calls = [call for call in calls if call not in acute]
    notices = _notices(user)
    context = {
        "today": clock.today(),
        "acute": acute,
        "sentence": _sentence([step for step in own if step.is_late], [*today, *calls], notices, acute),
        "begin": today[0] if today else None,
        "steps": today[1:],
        "calls": calls,
        "notices": notices,
        "to_take": waiting(given_to=user),
        "given": waiting(given_by=user),
        "waiting": [step for step in steps if step.others_turn],
        "week": _week(own),
        "open_cases": Case.objects.visible_to(user).of(user).counted().open().count(),
    }
    return render(request, "intake/my_day.html", context)


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


def _notices(user: User) -> list[dict[str, Any]]:
    """What is new, newest first, each with its case's number."""
    shown = Q(case__isnull=False) | Q(kind__in=PLACES)  # a change of shift has a place of its own
    rows = list(user.notices.filter(shown, seen_at__isnull=True).order_by("-created_at")[:MOST])
    cases = Case.objects.visible_to(user).in_bulk([row.case for row in rows if row.case])
    rows = [row for row in rows if row.case is None or row.case in cases]  # not of what is no longer there for this one
    return [{"row": row, "text": _said(row, cases.get(row.case)), "case": cases.get(row.case)} for row in rows]


def _said(row: Notice, case: Case | None) -> str:
    """What is new; of a protected case no more than that it is acute."""
    masked = case is not None and case.is_protected and row.kind != "case.acute"
    return _("Protected data") if masked else str(KINDS[row.kind])


def _sentence(late: list[FollowUp], today: list[FollowUp | Call], news: list[dict[str, Any]], acute: list[Call]) -> str:
    """The day in one sentence or two."""
    parts = [_("Something acute is left to do.")] if acute else []
    if late:
        parts.append(ngettext("One thing is late.", "%(count)s things are late.", len(late)) % {"count": len(late)})
    rest = len(today) - len(late)
    if rest:
        parts.append(ngettext("One thing is due today.", "%(count)s things are due today.", rest) % {"count": rest})
    if news:
        parts.append(ngettext("One thing is new.", "%(count)s things are new.", len(news)) % {"count": len(news)})
    return " ".join(parts) or _("Nothing waits for you today.")


def _week(own: list[FollowUp]) -> list[tuple[dt.date, int]]:
    """The next four working days, each with how many steps."""
    count = Counter(clock.local_date(step.due_at) for step in own)
    days = [add_working_days(clock.today(), ahead) for ahead in range(1, 5)]
    return [(day, count[day]) for day in days]
