"""The directory of partner agencies, and who belongs to which."""

import datetime as dt
from collections.abc import Collection, Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from helpline.people import clock
from helpline.people.audit import log
from helpline.people.errors import Refused
from helpline.people.models import Municipality, Role, User
from intake import triage
from referrals.models import AgencyMember, OpeningHours, PartnerAgency, Referral
from referrals.partners import partner_types, receiver_names
from referrals.phones import check_phone

FACTS = {
    *("name", "type", "receiver_kind", "nationwide", "phone", "mailbox", "always_open", "is_active", "verified_on"),
    *("description", "needs", "minimum_age", "maximum_age", "languages", "sdk_address", "is_confidential"),
    "deputy_mailbox",
}
OLDEST = 120  # years
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
    way: str = "",
) -> PartnerAgency:
    """Add an agency, or change one. It is not taken away while handovers are with it. `way` says in the log how it came
    (import). Raises Refused, whose `at` names the fact that it is about."""
    with transaction.atomic():
        held = PartnerAgency.objects.select_for_update().get(pk=agency.pk) if agency else PartnerAgency()
        was_active = agency is not None and held.is_active
        changed = _set(held, facts)
        if was_active and not held.is_active:
            _refuse_while_trusted(held)
        if not (held.nationwide or municipalities):
            raise Refused(_("Choose at least one municipality, or the whole country."), at="municipalities")
        if agency is None and "external_id" in facts:
            held.external_id = facts["external_id"]
        held.save()
        held.municipalities.set(municipalities)
        set_hours(held, hours)
        event = "agency.changed" if agency else "agency.added"
        codes: dict[str, Any] = {"way": way} if way else {}
        log(event, by=by, row=held.pk, parts=changed, municipalities=sorted(held.municipality_codes), **codes)
    return held


def verify_agency(*, by: User, agency: PartnerAgency) -> None:
    """Somebody who knows says that all that stands about it is true today: a keeper, or the agency itself. Saying it twice
    a day changes nothing."""
    with transaction.atomic():
        held = PartnerAgency.objects.select_for_update().get(pk=agency.pk)
        if held.verified_on == clock.today():
            return
        held.verified_on = clock.today()
        held.save(update_fields=["verified_on"])
        log("agency.verified", by=by, row=held.pk)


def set_membership(
    *, by: User | None, user: User, agency: PartnerAgency | None, is_manager: bool | None = None
) -> None:
    """Say which agency a person works at, and whether it is they who keep its people (None: as before); a person of
    another role belongs to none. Raises Refused."""
    if (user.role == Role.PARTNER) != (agency is not None):
        raise Refused(_("A person of a partner agency belongs to one agency, others to none."))
    with transaction.atomic():
        before = AgencyMember.objects.select_for_update().filter(user=user).first()
        if (before.agency_id if before else None) != (agency.pk if agency else None):
            AgencyMember.objects.filter(user=user).delete()
            before = AgencyMember.objects.create(user=user, agency=agency) if agency else None
            log("user.moved", by=by, row=user.pk, agency=agency.pk if agency else None)
        if before and is_manager is not None and before.is_manager != is_manager:
            before.is_manager = is_manager
            before.save(update_fields=["is_manager"])
            log("user.part_set", by=by, row=user.pk, agency=before.agency_id, manager=is_manager)


def _set(agency: PartnerAgency, facts: Mapping[str, Any]) -> list[str]:
    changed = []
    for name, value in facts.items():
        if name == "external_id":
            continue
        if name not in FACTS:
            raise Refused(_("An agency has no “%(name)s”.") % {"name": name})
        if getattr(agency, name) != value:
            changed.append(name)
        setattr(agency, name, value)
    _refuse_unknown_codes(agency)
    _refuse_ages(agency)
    if "phone" in changed:
        agency.phone = check_phone(agency.phone)
    if agency.verified_on and agency.verified_on > clock.today():
        raise Refused(_("It was checked on a day that has not come yet."), at="verified_on")
    return sorted(changed)


def _refuse_unknown_codes(agency: PartnerAgency) -> None:
    if agency.type not in partner_types():
        raise Refused(_("Choose what kind of agency it is."), at="type")
    if agency.receiver_kind and agency.receiver_kind not in receiver_names():
        raise Refused(_("Choose what kind of agency it is."), at="receiver_kind")
    for field, words in (
        ("needs", _("There is no need “%(code)s”.")),
        ("languages", _("There is no language “%(code)s”.")),
    ):
        unknown = next((code for code in getattr(agency, field) if code not in triage.codes(field)), None)
        if unknown is not None:
            raise Refused(words % {"code": unknown}, at=field)


def _refuse_ages(agency: PartnerAgency) -> None:
    for field in ("minimum_age", "maximum_age"):
        age = getattr(agency, field)
        if age is not None and not 0 <= age <= OLDEST:
            raise Refused(_("An age is from 0 to %(oldest)s years.") % {"oldest": OLDEST}, at=field)
    low, high = agency.minimum_age, agency.maximum_age
    if low is not None and high is not None and low > high:
        raise Refused(_("The highest age is lower than the lowest."), at="maximum_age")


def set_hours(agency: PartnerAgency, hours: Hours) -> None:
    """Its opening hours, in place of those that it had. The caller holds its row and writes the log."""
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
            % {"count": count, "agency": agency},
            at="is_active",
        )
