"""The standard directory: an agency for each partner type, and for each municipality where the type says so.

Contacts are invented for the demo; a real line enters and verifies its own (the keeper's pages).
"""

import datetime as dt

from django.utils.text import slugify

from helpline.people.models import Municipality
from referrals.models import OpeningHours, PartnerAgency
from referrals.partners import SIGNPOST, PartnerType, partner_types

POLICE_AREAS = "POLICE_LOCAL"
ALWAYS_OPEN = {"SOC_JOUR", "POLICE_LOCAL", "SAPO"}
HOURS = (dt.time(8), dt.time(16, 30))


def load_agencies() -> int:
    """Make what is missing of the standard directory. Returns how many were made. Harmless when run again."""
    made = 0
    region = list(Municipality.objects.exclude(code=Municipality.ELSEWHERE))
    for kind in partner_types().values():
        for name, served in _wanted(kind, region):
            made += _make(kind, name, served)
    return made


def _wanted(kind: PartnerType, region: list[Municipality]) -> list[tuple[str, list[Municipality]]]:
    """The names and areas of one type's agencies: by municipality, by police area, for the region, or for the country."""
    name = kind.entry["sv"]
    if kind.per_municipality:
        return [(f"{name}, {municipality.name}", [municipality]) for municipality in region]
    if kind.code == POLICE_AREAS:
        areas = sorted({municipality.police_area for municipality in region})
        return [(f"{name}, {area}", [one for one in region if one.police_area == area]) for area in areas]
    return [(f"{name}, Skaraborg", region) if kind.is_local else (name, [])]


def _make(kind: PartnerType, name: str, served: list[Municipality]) -> bool:
    agency, new = PartnerAgency.objects.get_or_create(
        name=name,
        defaults={
            "type": kind.code,
            "nationwide": not served,
            "phone": "0500-49 80 00",
            "mailbox": f"{slugify(name)[:50]}@example.com" if kind.channel != SIGNPOST else "",
            "always_open": kind.code in ALWAYS_OPEN,
        },
    )
    if new:
        agency.municipalities.set(served)
        OpeningHours.objects.bulk_create(
            [OpeningHours(agency=agency, weekday=day, opens=HOURS[0], closes=HOURS[1]) for day in range(5)]
        )
    return new
