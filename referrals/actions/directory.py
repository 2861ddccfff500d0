"""The directory of partner agencies, and who belongs to which."""

import datetime as dt
from collections.abc import Collection, Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from helpline.people.audit import log
from helpline.people.errors import Refused
from helpline.people.models import Municipality, Role, User
from referrals.models import AgencyMember, OpeningHours, PartnerAgency, Referral
from referrals.partners import partner_types, receiver_names

FACTS = {
    *("name", "type", "receiver_kind", "nationwide", "phone", "mailbox", "always_open", "is_active", "verified_on"),
}
Hours = Mapping[
    int, Collection[tuple[dt.time, dt.time]]
]  # weekday (0 is Monday) -> (opens, closes), several for a split shift


def save_agency(
    *,
    by: User | None,
    agency: PartnerAgency | None = None,
    facts: Mapping[str, Any],
    municipalities: Collection[Municipality],
    hours: Hours,
) -> PartnerAgency:
    """Add an agency, or change one. It is not taken away while handovers are with it. Raises Refused."""
    with transaction.atomic():
        held = PartnerAgency.objects.select_for_update().get(pk=agency.pk) if agency else PartnerAgency()
        was_active = held.is_active
        changed = _set(held, facts)
        if was_active and not held.is_active:
            _refuse_while_trusted(held)
        if not (held.nationwide or municipalities):
            raise Refused(_("Choose at least one municipality, or the whole country."))
        held.save()
        held.municipalities.set(municipalities)
        _set_hours(held, hours)
        event = "agency.changed" if agency else "agency.added"
        log(event, by=by, row=held.pk, parts=changed, municipalities=sorted(held.municipality_codes))
    return held


def set_membership(*, by: User | None, user: User, agency: PartnerAgency | None) -> None:
    """Say which agency a person works at; a person of another role belongs to none. Raises Refused."""
    if (user.role == Role.PARTNER) != (agency is not None):
        raise Refused(_("A person of a partner agency belongs to one agency, others to none."))
    with transaction.atomic():
        before = AgencyMember.objects.select_for_update().filter(user=user).first()
        if (before.agency_id if before else None) == (agency.pk if agency else None):
            return
        AgencyMember.objects.filter(user=user).delete()
        if agency:
            AgencyMember.objects.create(user=user, agency=agency)
        log("user.moved", by=by, row=user.pk, agency=agency.pk if agency else None)


def _set(agency: PartnerAgency, facts: Mapping[str, Any]) -> list[str]:
    changed = []
    for name, value in facts.items():
        if name not in FACTS:
            raise Refused(_("An agency has no “%(name)s”.") % {"name": name})
        if getattr(agency, name) != value:
            changed.append(name)
        setattr(agency, name, value)
    if agency.type not in partner_types() or (agency.receiver_kind and agency.receiver_kind not in receiver_names()):
        raise Refused(_("Choose what kind of agency it is."))
    return sorted(changed)


def _set_hours(agency: PartnerAgency, hours: Hours) -> None:
    agency.hours.all().delete()
    OpeningHours.objects.bulk_create(
        [
            OpeningHours(agency=agency, weekday=day, opens=opens, closes=closes)
            for day, shifts in hours.items()
            for opens, closes in shifts
        ]
    )


def _refuse_while_trusted(agency: PartnerAgency) -> None:
    """A handover with an agency that nobody reaches would be in nobody's hands."""
    count = Referral.objects.open().filter(agency=agency).count()
    if count:
        raise Refused(
            ngettext(
                "%(count)s handover is with %(agency)s. It is ended or taken back first.",
                "%(count)s handovers are with %(agency)s. They are ended or taken back first.",
                count,
            )
            % {"count": count, "agency": agency}
        )
