"""The year of the demo: all tales at once, in the order of time, with what Celery would have done meanwhile."""

import datetime as dt
import heapq
import random
from collections import Counter
from collections.abc import Iterator

from django.db import connection
from django.db.models import F, Min

from helpline.demo import texts
from helpline.demo.acts import ACTS
from helpline.demo.days import Calendar
from helpline.demo.staff import Staff
from helpline.demo.tales import Tale, live_without_case
from helpline.people import clock
from helpline.people.models import Notice
from helpline.people.workdays import local
from intake.actions import find_untouched_steps, fire_due_reminders, pass_due_steps
from intake.models import Reminder
from referrals import deadlines
from referrals.actions import sweep
from referrals.models import Referral, SilenceRung

LINGERS = ["referral.question", "referral.declined", "referral.expired", "step.late"]  # not yet read for some days
STILL_TO_MAIL = 6
SEED = 2015  # the year in which Skövde opened its line: the same demo each time
A_SECOND, A_DAY = dt.timedelta(seconds=1), dt.timedelta(days=1)


def live(staff: Staff, now: dt.datetime) -> Iterator[tuple[str, int]]:
    """Live through the year. Yields (month, acts) as each month has passed."""
    queue = [(next(tale), number, tale) for number, tale in enumerate(_tales(staff, now))]
    heapq.heapify(queue)
    month, acts = "", 0
    while queue:
        moment, number, tale = heapq.heappop(queue)
        _meanwhile(moment)
        with clock.at(moment):
            then = next(tale, None)
        acts += 1
        if then is not None:
            heapq.heappush(queue, (then, number, tale))
        if month and month != f"{moment:%Y-%m}":
            connection.check_constraints()
            yield month, acts
            acts = 0
        month = f"{moment:%Y-%m}"
    _meanwhile(now)
    connection.check_constraints()
    yield month, acts


def _tales(staff: Staff, now: dt.datetime) -> Iterator[Iterator[dt.datetime]]:
    calendar, turns = Calendar(now), Counter[str]()
    cases, calls, ended = (texts.read("cases")[what] for what in ("cases", "calls", "ended_long_ago"))
    for number, plan in enumerate([*cases, *calls, *ended]):
        dice = random.Random(f"{SEED} {number}")
        turn = turns[plan["story"]]
        turns[plan["story"]] += 1
        if plan not in calls:
            yield Tale(plan, turn, staff, calendar, dice).live(ACTS)
        else:
            yield live_without_case(plan, turn, staff, calendar, dice)


def _meanwhile(until: dt.datetime) -> None:
    """What beat wakes up: reminders, rungs of silence, contacts that did not come, steps left lying; each at its time."""
    before = None
    while (due := _first_due()) is not None and due + A_SECOND <= until:
        if due == before:  # a row that nothing takes away
            raise RuntimeError(f"what was due {due} is still due")
        before = due
        with clock.at(due + A_SECOND):  # its time is out only after it
            pass_due_steps()
            fire_due_reminders()
            sweep()
            find_untouched_steps()


def _first_due() -> dt.datetime | None:
    """The first time at which something is to be done."""
    taken_on = Referral.objects.filter(state__in=["accepted", "contact_booked"])
    promised = [(one, one.contact_due_at if one.state == "accepted" else one.contact_at) for one in taken_on]
    found = [
        Reminder.objects.filter(state=Reminder.State.SCHEDULED).aggregate(due=Min("due_at"))["due"],
        SilenceRung.objects.filter(state=SilenceRung.State.SCHEDULED).aggregate(due=Min("due_at"))["due"],
        *(deadlines.missed_at(one, moment) for one, moment in promised if moment),
    ]
    return min(filter(None, found), default=None)


def settle(now: dt.datetime) -> None:
    """What was read and mailed before is so; the last mails go out by the normal task."""
    this_morning = local(clock.local_date(now), dt.time(0))
    ready = Notice.objects.filter(mail=Notice.Mail.READY)
    last = list(ready.order_by("-created_at").values_list("pk", flat=True)[:STILL_TO_MAIL])
    ready.exclude(pk__in=last).update(mail=Notice.Mail.SENT, attempts=1)
    read = Notice.objects.filter(user__isnull=False, created_at__lt=this_morning)
    read.exclude(kind__in=LINGERS, created_at__gt=now - 4 * A_DAY).update(seen_at=F("created_at") + A_DAY / 12)
