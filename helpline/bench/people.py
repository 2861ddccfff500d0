"""Who works at the bench: forty units, the unit that is measured first, and agencies with somebody who answers."""

from dataclasses import dataclass, field

from helpline.people.models import Municipality, Role, Unit, User
from helpline.people.sealed import IndexKey
from intake.models import QuestionSet
from intake.reference import load_municipalities, load_questions
from referrals.models import AgencyMember, PartnerAgency
from referrals.reference import load_agencies

UNITS, WORKERS = 40, 12
AGENCY = "Avhopparstöd"  # the one whose inbox is measured


@dataclass(frozen=True)
class Places:
    """What a row refers to: numbers of rows that are there already. The first unit and the first agency are measured."""

    workers: list[list[int]]  # by unit
    managers: list[int]
    units: list[int]
    agencies: list[int]
    names: list[str]  # of the agencies
    municipalities: list[str]
    partner: int
    version: int
    callers: list[str] = field(default_factory=list)


def make() -> None:
    """Reference data, units, staff, and somebody at the measured agency. They log in nowhere: the bench makes sessions."""
    load_municipalities()
    load_questions()
    load_agencies()
    IndexKey.current()
    codes = list(Municipality.objects.order_by("code").values_list("code", flat=True))
    for number in range(UNITS):
        unit = Unit.objects.create(
            name=f"Enhet {number:02}", municipality_id=codes[number % len(codes)], phone="0500-49 77 82"
        )
        _add(f"chef{number:02}", Role.MANAGER, unit)
        for worker in range(WORKERS):
            _add(f"handlaggare{number:02}-{worker:02}", Role.CASEWORKER, unit)
    partner = _add("partner", Role.PARTNER, None)
    AgencyMember.objects.create(user=partner, agency=PartnerAgency.objects.get(name=AGENCY))


def _add(name: str, role: Role, unit: Unit | None) -> User:
    facts = {"first_name": name.title(), "last_name": "Mätning", "email": f"{name}@example.com"}
    return User.objects.create(username=name, role=role, unit=unit, is_qualified=True, password="!", **facts)  # noqa: S106


def places() -> Places:
    """Where everything is."""
    from intake import triage

    units = list(Unit.objects.order_by("name").values_list("pk", flat=True))
    agencies = sorted(
        (one for one in PartnerAgency.objects.active() if one.kind.channel == "handover"),
        key=lambda one: (one.name != AGENCY, one.pk),
    )
    return Places(
        workers=[_of(unit, Role.CASEWORKER) for unit in units],
        managers=[_of(unit, Role.MANAGER)[0] for unit in units],
        units=units,
        agencies=[one.pk for one in agencies],
        names=[one.name for one in agencies],
        municipalities=list(Municipality.objects.order_by("code").values_list("code", flat=True)),
        partner=User.objects.get(username="partner").pk,
        version=QuestionSet.objects.latest("version").version,
        callers=[code for code, caller in triage.guide_today().callers.items() if caller.main],
    )


def _of(unit: int, role: Role) -> list[int]:
    return list(User.objects.filter(unit=unit, role=role).order_by("username").values_list("pk", flat=True))
