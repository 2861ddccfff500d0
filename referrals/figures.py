"""Figures of the second floor, counted by the database."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.db.models import Aggregate, Count, DurationField, F, Min, Q
from django.utils.translation import ngettext

from helpline.people import clock
from helpline.people.wall import stand_also
from referrals.models import PartnerAgency, Referral

ANSWERS = ["accept", "decline", "ask"]
LOOK_BACK = dt.timedelta(days=365)
FEWEST = 3  # with fewer, a median says more about the one than about the agency


class Median(Aggregate):
    """The middle of the values, between the two in the middle where they are even."""

    name = "median"
    template = "percentile_cont(0.5) WITHIN GROUP (ORDER BY %(expressions)s)"


@dataclass(frozen=True)
class AnswerTime:
    """How soon an agency answers: of how many handovers, and the middle of the times; None where they are too few."""

    count: int
    median: dt.timedelta | None

    @property
    def words(self) -> str:
        """The median as people say it: in minutes under two hours, in hours under two days, else in days; "" for none."""
        if self.median is None:
            return ""
        minutes = max(1, round(self.median.total_seconds() / 60))
        if minutes < 120:
            return ngettext("%(count)s minute", "%(count)s minutes", minutes) % {"count": minutes}
        hours = round(minutes / 60)
        if hours < 48:
            return ngettext("%(count)s hour", "%(count)s hours", hours) % {"count": hours}
        days = round(hours / 24)
        return ngettext("%(count)s day", "%(count)s days", days) % {"count": days}


def answer_time(agency: PartnerAgency) -> AnswerTime:
    """From sent to the first answer (yes, no or a question) of the last twelve months, nights and weekends included. One
    query, of this agency alone."""
    stand_also(counts=True)  # behind the wall: also what has left them, for counting
    answered: Any = Referral.objects.filter(agency=agency).annotate(
        first=Min("changes__at", filter=Q(changes__move__in=ANSWERS))
    )
    answered = answered.filter(first__gte=clock.now() - LOOK_BACK, sent_at__isnull=False)
    found = answered.aggregate(
        count=Count("pk"), median=Median(F("first") - F("sent_at"), output_field=DurationField())
    )
    stand_also(counts=False)
    enough = found["count"] >= FEWEST
    return AnswerTime(found["count"], found["median"] if enough else None)
