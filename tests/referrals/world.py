"""A small town for the machine that drives everything: people, agencies, cases, and a clock that never says the same twice."""

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

from django.utils import timezone

from helpline.people import clock
from helpline.people.models import Role as UserRole
from helpline.people.models import User
from intake.models import Case
from referrals.models import AgencyMember, PartnerAgency

BEGINS = timezone.make_aware(dt.datetime(2026, 11, 23, 9, 0), timezone.get_default_timezone())  # a Monday
TICK = dt.timedelta(microseconds=1)


class Ticking:
    """A clock that stands still between acts but never gives a moment twice, so that what came first is known."""

    def __init__(self) -> None:
        self.moment = BEGINS

    def now(self) -> dt.datetime:
        self.moment += TICK
        return self.moment


@dataclass
class Town:
    """Who and what there is. People by the names that the machine draws."""

    cast: Any
    cases: list[Case]
    people: dict[str, User]
    agencies: dict[str, PartnerAgency]
    partners: dict[str, str]  # name of a person -> name of the agency
    time: Ticking = field(default_factory=Ticking)

    def agency_of(self, name: str) -> PartnerAgency:
        return self.agencies[self.partners[name]]


# agency -> the need that it meets, and grounds on which it can be sent to for somebody of fifteen to seventeen
NEEDS = {"child": "child_protection", "exit": "exit_support", "police": "exit_support"}
GROUNDS = {
    "child": ["CONSENT_GUARDIAN", "CARE_U18", "CONSENT"],
    "exit": ["CONSENT", "CONSENT_GUARDIAN"],
    "police": ["U21_CRIME", "CONSENT"],
}


def build(cast, make_case) -> Town:
    """Two agencies and the police alongside; three cases of one owner, one of them acute. An agency without a mailbox is
    reached through its one account alone."""
    police = PartnerAgency.objects.filter(type="POLICE_LOCAL").order_by("pk").first()
    extra = {"ingrid": "child", "polis": "police"}
    agencies = {"child": cast.agency, "exit": cast.other_agency, "police": police}
    PartnerAgency.objects.filter(pk=cast.other_agency.pk).update(mailbox="")
    PartnerAgency.objects.filter(pk=cast.agency.pk).update(room=3, room_week=BEGINS.date())
    people = {name: getattr(cast, name) for name in ("caseworker", "colleague", "manager", "partner", "other_partner")}
    for name, where in extra.items():
        made = User.objects.create(
            username=f"town-{name}", role=UserRole.PARTNER, email=f"{name}@example.com", first_name=name
        )
        AgencyMember.objects.create(user=made, agency=agencies[where], is_deputy=name == "ingrid")
        people[name] = made
    facts = {"track": "B", "caller_name": "Mary Hill", "phone": "0701234567"}
    with clock.at(BEGINS - dt.timedelta(hours=1)):
        cases = [
            make_case(by=cast.caseworker, urgency=urgency, **facts) for urgency in ("AKUT", "BRADSKANDE", "NORMAL")
        ]
    return Town(
        cast=cast,
        cases=cases,
        people=people,
        agencies=agencies,
        partners={"partner": "child", "ingrid": "child", "other_partner": "exit", "polis": "police"},
    )
