"""When an agency is to answer, what comes back is due, and the caller is asked; and the ladder of its silence.

Times that wait for an agency fall in its opening hours; ours fall on Swedish working days. Where life may be at stake our
own run by the clock.
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from helpline.people import clock
from helpline.people.workdays import (
    MORNING,
    add_working_days,
    at_work,
    is_at_work,
    is_working_day,
    local,
    next_working_morning,
)
from referrals import hours

if TYPE_CHECKING:
    from referrals.models import PartnerAgency, Referral

ACUTE, URGENT = "AKUT", "BRADSKANDE"
END_OF_DAY = dt.time(16, 30)
HOUR = dt.timedelta(hours=1)

# How soon an agency is to answer, and to have had contact: working days and the time of day; none: two hours, at any hour.
ANSWER_IN: dict[str, tuple[int, dt.time] | None] = {
    "AKUT": None,
    "BRADSKANDE": (1, dt.time(12)),
    "SKYNDSAM": (2, dt.time(12)),
    "NORMAL": (3, dt.time(16)),
}
ANSWER_ACUTE = dt.timedelta(hours=2)
CONTACT_WITHIN = 10  # working days that an agency may promise its first contact for; where acute, a day
ASKED = {"week": 5, "month": 30, "quarter": 90}  # days after the contact; the first on the third to the seventh
NEXT_ASKED = {"week": "month", "month": "quarter"}
ACCESS_DAYS = 90  # how long an agency has a handover, where no consent ends sooner
MISSED_AFTER = dt.timedelta(minutes=30)  # past the booked time, where nobody has said that it came about
TICK_WAITS = dt.timedelta(hours=2)  # where one side of a three-way call has ticked: so long for the other
STOPPED_WITHIN = 2  # working days in which an agency confirms that it has stopped; then we call


# -- the ladder of silence ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Rung:
    """One rung: who hears that a handover is not answered, and when. `share`: of the agency's open time until its answer is
    due; `minutes`: after it was sent, of the agency's open time where it is for the agency; `mornings`: working mornings
    after it was for us to call them; none of them: when the answer was due, while we are at work."""

    name: str
    share: float = 0
    minutes: int = 0
    mornings: int = 0


_CALM = [
    Rung("nudge", share=1 / 3),  # the agency
    Rung("deputy", share=2 / 3),  # who stands in there
    Rung("owner"),  # we call them
    Rung("manager", mornings=1),  # our unit's managers
    Rung("expire", mornings=2),  # it is taken back
]
LADDER: dict[str, list[Rung]] = {
    "AKUT": [
        Rung("nudge", minutes=20),
        Rung("deputy", minutes=40),
        Rung("owner", minutes=60),
        Rung("manager", minutes=120),
        Rung("expire", minutes=180),
    ],
    "BRADSKANDE": _CALM,
    "SKYNDSAM": _CALM,
    "NORMAL": _CALM,
}
TO_AGENCY = {"nudge", "deputy"}
RUNGS = ["nudge", "deputy", "owner", "manager", "expire"]
OURS = ["owner", "manager", "expire"]  # each leaves the next its time, however late it is climbed
ON_TIME = dt.timedelta(minutes=5)  # what is climbed so soon after its time is not late


def ladder(*, urgency: str, agency: "PartnerAgency", sent: dt.datetime, due: dt.datetime) -> dict[str, dt.datetime]:
    """Rung -> its moment, of a handover that is sent at `sent` and to be answered by `due`. What goes to the agency falls
    in its opening hours; what goes to us and can wait while we are at work, and does not wait for them."""
    sent, due = sent.astimezone(dt.UTC), max(sent, due).astimezone(dt.UTC)
    return {rung.name: _moment(rung, agency, sent, due) for rung in LADDER[urgency]}


def _moment(rung: Rung, agency: "PartnerAgency", sent: dt.datetime, due: dt.datetime) -> dt.datetime:
    if rung.share:  # overdue already, or closed until then: one after the other as soon as it is open
        return hours.share(agency, sent, due, rung.share) or hours.passed(agency, sent, HOUR * rung.share)
    if rung.minutes:
        minutes = dt.timedelta(minutes=rung.minutes)
        return hours.passed(agency, sent, minutes) if rung.name in TO_AGENCY else sent + minutes
    ours = at_work(due)
    return next_working_morning(ours, rung.mornings) if rung.mornings else ours


def put_off(urgency: str, climbed: str, later: str, moment: dt.datetime) -> dt.datetime:
    """The earliest moment of a later rung of ours, where one was climbed only at `moment`: as far off as the ladder says."""
    rungs = {rung.name: rung for rung in LADDER[urgency]}
    minutes, mornings = (
        getattr(rungs[later], part) - getattr(rungs[climbed], part) for part in ("minutes", "mornings")
    )
    if minutes:
        return moment + dt.timedelta(minutes=minutes)
    return next_working_morning(at_work(moment), mornings)


# -- single times ------------------------------------------------------------------------------------------------------


def mail_to_us(urgency: str, moment: dt.datetime) -> dt.datetime:
    """When a mail to one of us goes out about what nobody did just now: while we are at work; acute at once."""
    return moment if urgency == ACUTE else at_work(moment)


def mail_to_agency(urgency: str, moment: dt.datetime, agency: "PartnerAgency") -> dt.datetime:
    """When a mail to an agency goes out about what nobody did just now: while it is open; acute at once."""
    return moment if urgency == ACUTE else hours.next_open(agency, moment)


def answer_due(urgency: str, moment: dt.datetime, agency: "PartnerAgency | None" = None) -> dt.datetime:
    """When an answer is due that is asked for at `moment`: within the agency's opening hours; acute: in two hours."""
    rule = ANSWER_IN[urgency]
    if rule is None:
        return moment.astimezone(dt.UTC) + ANSWER_ACUTE
    due = local(add_working_days(clock.local_date(moment), rule[0]), rule[1])
    return hours.within(agency, due, after=moment) if agency else due


def first_contact(urgency: str, moment: dt.datetime, agency: "PartnerAgency | None" = None) -> dt.datetime:
    """Which time is offered for the first contact: that of the answer; where urgent the end of that day, since who answers
    at the last moment has not called yet."""
    due = answer_due(urgency, moment, agency)
    if urgency != URGENT:
        return due
    day = clock.local_date(due)
    closes = [end for _start, end in hours.shifts_on(agency, day)] if agency else []
    return max(due, min([local(day, END_OF_DAY), *closes[-1:]]))


def latest_contact(urgency: str, moment: dt.datetime) -> dt.datetime:
    """The latest time that an agency may promise its first contact for: a day where acute, else ten working days."""
    if urgency == ACUTE:
        return moment.astimezone(dt.UTC) + dt.timedelta(days=1)
    return local(add_working_days(clock.local_date(moment), CONTACT_WITHIN), dt.time(23, 59))


def next_working_day(urgency: str, moment: dt.datetime) -> dt.datetime:
    """When what came back to us is due: the next working morning; within the hour where life may be at stake."""
    if urgency == ACUTE:
        return moment.astimezone(dt.UTC) + HOUR
    return local(add_working_days(clock.local_date(moment), 1), dt.time(9))


def ask_caller_due(contact: dt.datetime, mark: str = "week") -> dt.datetime:
    """When the caller is asked: three to seven, 30 and 90 days after the contact, on a working day where there is one."""
    day = clock.local_date(contact)
    asked = add_working_days(day + dt.timedelta(days=ASKED[mark]), 0)
    if mark == "week":
        asked = min(asked, day + dt.timedelta(days=7))
    return local(asked, dt.time(10))


def missed_at(referral: "Referral", promised: dt.datetime) -> dt.datetime:
    """When a contact that was promised for a moment is taken for missed, unless somebody says before that it came about: a
    three-way call and what is acute half an hour later, all else then or when one of us is at work. Where one side has
    ticked that they spoke, the other is asked first, and given time."""
    if lacks_one_tick(referral):
        return promised.astimezone(dt.UTC) + TICK_WAITS
    late = promised.astimezone(dt.UTC) + MISSED_AFTER
    return late if referral.is_warm or referral.urgency == ACUTE else at_work(late)


def lacks_one_tick(referral: "Referral") -> bool:
    """Whether one side of a three-way call has ticked that they spoke, and the other has not."""
    return referral.is_warm and (referral.agency_spoke_at is None) != (referral.owner_spoke_at is None)


def back_soon(referral: "Referral", moment: dt.datetime) -> dt.datetime:
    """When we look after a contact that did not come: within the hour where it was a three-way call or acute, or while we
    are at work; else the next working morning, so that nobody is woken for what can wait."""
    at = clock.local_time(moment)
    if referral.contact_kind == "warm" or referral.urgency == ACUTE or is_at_work(moment):
        return moment + HOUR
    return next_working_morning(moment, 0 if is_working_day(at.date()) and at.time() < MORNING else 1)


def access_until(referral: "Referral") -> dt.date:
    """The last day on which an agency that gets it today sees a handover: 90 days, or as long as the consent holds."""
    last = clock.today() + dt.timedelta(days=ACCESS_DAYS)
    ground, consent = referral.legal_ground, referral.consent
    return min(last, consent.valid_until) if ground and ground.is_consent and consent else last


# What Step.due says -> the moment.
DUE: dict[str, Callable[["Referral"], dt.datetime | None]] = {
    "answer_due": lambda referral: referral.answer_due_at,
    "contact_due": lambda referral: referral.contact_due_at,
    "contact_at": lambda referral: referral.contact_at,
    "hold_until": lambda referral: local(referral.hold_until, MORNING) if referral.hold_until else None,
    "next_working_day": lambda referral: next_working_day(referral.urgency, clock.now()),
    "back_soon": lambda referral: back_soon(referral, clock.now()),
    "ask_week": lambda referral: ask_caller_due(clock.now()),
}
