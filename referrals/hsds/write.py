"""The directory as a page of services of HSDS 3.x. A confidential entry is never in it."""

import json
import uuid
from typing import Any

from django.utils import translation

from referrals.hsds.table import NAMES, TABLE, attribute
from referrals.models import PartnerAgency

LISTS = ["phones", "schedules", "service_areas", "service_at_locations", "languages", "contacts", "attributes"]


def directory() -> dict[str, Any]:
    """Every entry that may be known, those that are switched off too, in the order of their names."""
    found = PartnerAgency.objects.filter(is_confidential=False).prefetch_related("hours", "municipalities")
    services = [service(agency) for agency in found.order_by("name", "pk")]
    count = len(services)
    page = {"total_items": count, "total_pages": 1, "page_number": 1, "size": count}
    return {**page, "first_page": True, "last_page": True, "empty": not count, "contents": services}


def as_json() -> str:
    """The directory as a file."""
    return json.dumps(directory(), ensure_ascii=False, indent=2) + "\n"


def service(agency: PartnerAgency) -> dict[str, Any]:
    """One agency as a service of HSDS, with the organization that gives it. Names of codes are in Swedish, whoever asks.
    Raises ValueError for a confidential one."""
    if agency.is_confidential:
        raise ValueError("a confidential entry is never exported")
    with translation.override("sv"):
        return _service(agency)


def _service(agency: PartnerAgency) -> dict[str, Any]:
    found: dict[str, Any] = {name: [] for name in LISTS}
    for field in TABLE:
        for key, value in field.write(agency).items():
            found[key] = found[key] + value if key in LISTS else value
    found["attributes"].append(attribute(agency, "channel", agency.kind.channel, agency.kind.channel))
    organization = {"id": str(uuid.uuid5(NAMES, f"organization:{agency.external_id}"))}
    organization |= {"name": agency.name, "description": agency.description or agency.kind.name}
    return {**found, "organization_id": organization["id"], "organization": organization}
