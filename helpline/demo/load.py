"""Loading the demo: all of it or nothing, in one transaction."""

import datetime as dt
from calendar import monthrange
from collections.abc import Callable

from django.db import connection, transaction

from helpline.demo import past, year
from helpline.demo.staff import Staff
from helpline.log_review import draw_reviews
from helpline.people import clock
from helpline.people.models import User
from helpline.people.workdays import add_working_days, local
from helpline.sums import recount
from intake.models import Call, Case, DayMark
from intake.reference import load_municipalities, load_questions
from referrals.models import Referral
from referrals.reference import load_agencies

Say = Callable[[str], None]
A_YEAR = dt.timedelta(days=375)
LONG_AGO = dt.timedelta(days=6 * 365)  # before what ended long ago


def load(say: Say) -> bool:
    """Make the demo. False, and nothing is changed, where there is a case already."""
    if Case.objects.exists():
        return False
    with transaction.atomic():
        now = clock.now()
        with clock.at(now - A_YEAR):
            load_municipalities()
            load_questions()
            load_agencies()
            say("reference data and agencies")
        with clock.at(now - LONG_AGO):
            staff = Staff()
        say(f"{User.objects.filter(is_demo=True).count()} people in {len(staff.units)} units and at agencies")
        say(f"{past.write(list(staff.units.values()), now - A_YEAR)} cases of the years before, without a name")
        for month, acts in year.live(staff, now):
            say(f"{month}: {acts} things happened")
        staff.settle()
        with clock.at(_first_morning(now)):
            drawn = draw_reviews()
        say(f"{drawn} reviews of the log")
        year.settle(now)
        _count_the_sums()
        say("the sums by day are counted")
        connection.check_constraints()
        # A kick of the mail task for every notice of a year would wait in the broker: the next tick finds what is left.
        connection.run_on_commit.clear()
    say(f"{Case.objects.count()} cases, {Call.objects.count()} calls, {Referral.objects.count()} referrals")
    return True


def _count_the_sums() -> None:
    """Count the months in which anything happened: it happened years apart, and nobody else sees it yet."""
    for first in sorted({day.replace(day=1) for day in DayMark.objects.values_list("day", flat=True)}):
        recount(first, first.replace(day=monthrange(first.year, first.month)[1]))
    DayMark.objects.all().delete()


def _first_morning(now: dt.datetime) -> dt.datetime:
    """When the reviews of last month's log were drawn: the first working day of this month, or now where that is to come."""
    first = clock.local_date(now).replace(day=1)
    return min(local(add_working_days(first - dt.timedelta(days=1), 1), dt.time(7, 45)), now)
