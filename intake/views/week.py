"""The week as a calendar; and the address at which a calendar program learns when there is something to do, never what."""

import datetime as dt

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST, require_safe

from helpline.people import calendar_address, clock
from helpline.people.access import needs, open_to_anyone
from helpline.people.pace import too_often
from intake.feed import feed_of
from intake.gate import log_listed, person
from intake.week import A_WEEK, monday_of, weeks_of

FARTHEST = dt.timedelta(days=366)  # from today
A_MINUTE = 60  # readings from one place: an office behind one address


@needs("work_case")
@require_GET
def week(request: HttpRequest, day: str = "") -> HttpResponse:
    """The week of a day, by itself this one, and the next."""
    user, today = person(request), clock.today()
    monday = monday_of(_day(day, today))
    weeks = weeks_of(user, monday, 2)
    log_listed(user, [case for one in weeks for case in one.cases])
    context = {
        "weeks": weeks,
        "today": today,
        "is_past": monday + A_WEEK <= today,
        "is_now": monday == monday_of(today),
        "before": monday - A_WEEK,
        "after": monday + A_WEEK,
    }
    return render(request, "intake/week.html", context)


def _day(written: str, today: dt.date) -> dt.date:
    """The day of an address. Raises Http404 for what is none, and for one that is more than a year away."""
    try:
        day = parse_date(written) if written else today
    except ValueError:
        day = None
    if day is None or abs(day - today) > FARTHEST:
        raise Http404
    return day


@needs("work_case")
@require_http_methods(["GET", "POST"])
def calendar_own(request: HttpRequest) -> HttpResponse:
    """The address of one's own calendar: switched on or renewed, and shown here and now alone."""
    user = person(request)
    shown = ""
    if request.method == "POST":
        token = calendar_address.make_address(by=user, instead_of=request.POST.get("instead_of", ""))
        if token:
            shown = str(settings.SITE_URL).rstrip("/") + reverse("intake:calendar-feed", args=[token])
        else:
            messages.info(request, _("Nothing was renewed again: an address is shown once. Renew it to see a new one."))
            return redirect("intake:calendar-own")
    address = calendar_address.address_of(user)
    context = {"address": address, "mark": calendar_address.mark_of(address), "shown": shown}
    return render(request, "intake/calendar_own.html", context)


@needs("work_case")
@require_POST
def calendar_end(request: HttpRequest) -> HttpResponse:
    """Switch it off: the address leads nowhere."""
    if calendar_address.end_address(by=person(request), user=person(request)):
        messages.success(request, _("The calendar is switched off. Its address leads nowhere now."))
    return redirect("intake:calendar-own")


@require_safe
@open_to_anyone
def calendar_feed(request: HttpRequest, token: str) -> HttpResponse:
    """The calendar behind a secret address. One that never was, one that was renewed and one whose account has ended are
    alike: not there."""
    if too_often(request, what="calendar", a_minute=A_MINUTE):
        return HttpResponse(status=429, headers={"Retry-After": "60"})
    holder = calendar_address.holder_of(token)
    if holder is None:
        return HttpResponse(status=404, headers={"Referrer-Policy": "no-referrer"})
    headers = {"Referrer-Policy": "no-referrer", "Cache-Control": "no-store"}
    return HttpResponse(feed_of(holder), content_type="text/calendar; charset=utf-8", headers=headers)
