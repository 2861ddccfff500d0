"""Somebody is told where to go alone: no data leaves, it is counted, and perhaps asked about later."""

import datetime as dt
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from helpline.people import clock
from helpline.people.audit import log
from helpline.people.errors import Refused
from helpline.people.models import User
from helpline.people.workdays import add_working_days, local
from intake import triage
from intake.actions import plan_step, record_bounce
from intake.actions.calls import hold_call
from intake.actions.timeline import lock, record
from intake.models import Call, Case
from referrals.labels import SIGNPOST_WHYS
from referrals.models import PartnerAgency, Signposting
from referrals.partners import DEIDENTIFIED
from referrals.ranking import handovers
from referrals.states import OPEN

ASKED_AFTER = 7  # days


def could_be_handed_over(thing: Call | Case, need: str) -> bool:
    """Whether an agency that one can be handed to meets this need for this person. Where a handover for it is with an
    agency already, being told of another place is not instead of anything."""
    if isinstance(thing, Case) and thing.referrals.filter(need=need, state__in=OPEN).exists():
        return False
    return bool(handovers(needs=[need], municipality=thing.municipality_id, age_band=thing.age_band))


def tell_where(
    *,
    by: User,
    agency: PartnerAgency,
    need: str,
    call: Call | None = None,
    case: Case | None = None,
    why: str = "",
    asks_later: bool = False,
) -> Signposting:
    """Write that somebody was told where to go alone, in a call that goes on or in a case. Nothing is sent. Where a handover
    was possible, `why` says why there is none instead (labels.SIGNPOST_WHYS); without a good reason it is a bounce. The
    same place for the same need is one telling: in a call, or in a case on one day. Raises Refused or TooLate."""
    if need not in triage.codes("needs"):
        raise Refused(_("Choose which need it is about."))
    if agency.kind.channel == DEIDENTIFIED or not agency.is_active:
        raise Refused(_("%(agency)s is no place where a caller goes alone.") % {"agency": agency})
    with transaction.atomic():
        thing = _held(call, case)
        told = _told_already(call, case, agency, need)
        if told:
            return told
        if why not in SIGNPOST_WHYS and could_be_handed_over(thing, need):
            raise Refused(_("Say why the person goes there alone though somebody could take over."), at="why")
        made = Signposting.objects.create(
            call=call,
            case=case,
            agency=agency,
            need=need,
            wished=why == "wished",
            asks_later=asks_later,
            given_by=by,
            given_at=clock.now(),
        )
        log("signpost.given", by=by, call=call.pk if call else None, row=made.pk, agency=agency.pk, need=need, why=why)
        if why == "instead":
            codes = {"agency": agency.name, "agency_id": agency.pk, "need": need}
            cause, source = "given_number", f"signpost:{made.pk}"
            record_bounce(cause=cause, source=source, case=case, call=call, by=by, about=str(made.pk), **codes)
        if case:
            _write_in_case(by, made, case)
    return made


def _held(call: Call | None, case: Case | None) -> Call | Case:
    """The call or the case, held: two presses come one after the other."""
    if call is not None:
        return hold_call(call)
    assert case is not None  # a call or a case: the caller of this says which
    held = lock(case)
    if not held.is_open:
        raise Refused(_("The case is closed."))
    return held


def _told_already(call: Call | None, case: Case | None, agency: PartnerAgency, need: str) -> Signposting | None:
    told = Signposting.objects.filter(agency=agency, need=need)
    if call is not None:
        return told.filter(call=call).first()
    this_morning = local(clock.today(), dt.time())
    return told.filter(case=case, given_at__gte=this_morning).first()


def follow_signposts(by: User, call: Call) -> None:
    """A call has come to its case: where the caller was told to go stands there, and is asked about where that was
    promised."""
    for told in Signposting.objects.filter(call=call, case=None).select_related("agency").order_by("given_at", "pk"):
        assert call.case is not None  # only then is this called
        Signposting.objects.filter(pk=told.pk).update(case=call.case)
        _write_in_case(by, told, call.case)


def _write_in_case(by: User, told: Signposting, case: Case) -> None:
    codes: dict[str, Any] = {"agency": told.agency.name, "agency_id": told.agency_id, "need": told.need}
    record("signpost.given", by=by, case=case, call=told.call, row=told.pk, **codes)
    if told.asks_later:
        due = local(add_working_days(clock.today() + dt.timedelta(days=ASKED_AFTER), 0), dt.time(10))
        plan_step(
            by=by,
            case=case,
            kind="ask_signposted",
            due_at=due,
            about=str(told.pk),
            quiet=True,
            agency=told.agency.name,
        )
