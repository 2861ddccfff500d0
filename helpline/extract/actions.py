"""The decision on an extract, and its making."""

import datetime as dt
from collections.abc import Collection, Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from helpline.extract.paper import Extract, gather
from helpline.extract.same import same_as
from helpline.extract.tables import ACCESS_LAW, ASKED_BY, CALL_PARTS, CONCERN, IDENTITY_CHECKED, LAWS, OUTCOMES, PARTS
from helpline.people import clock
from helpline.people.audit import log
from helpline.people.errors import Refused
from helpline.people.models import User
from intake.actions.timeline import lock, record
from intake.models import Call, Person, SecrecyDecision
from intake.personal_numbers import refuse_personal_number

REFUSED, PART = SecrecyDecision.Outcome.REFUSED, SecrecyDecision.Outcome.PART


def decide_extract(
    *, by: User, whose: Person | Call, facts: Mapping[str, Any], same: Collection[str] = ()
) -> SecrecyDecision:
    """Record a decision on secrecy: who asked, how the identity was checked, what is given out, on which law. `whose`: a person
    of a case; or a call without one, with the `call_part` that the person has in it. `same`: who else is the same person.
    Sent twice, it is one. Raises Refused with its field."""
    _check(facts)
    of = _whose(whose, facts.get("call_part", ""), same)
    if not set(same) <= {one.value for one in same_as(by, whose)}:
        raise Refused(_("Choose among those that are shown."), at="same")
    values = [_value(whose), *sorted(same)]
    covers = {
        "people": [one for one in values if one.startswith("person:")],
        "calls": [one for one in values if one.startswith("call:")],
    }
    law = ACCESS_LAW if facts["outcome"] == SecrecyDecision.Outcome.ALL else facts["law"]
    held_back = sorted(facts["held_back"]) if facts["outcome"] == PART else []
    known = {name: facts[name] for name in ("asked_by", "identity_checked", "outcome", "registry_number")}
    known |= {"law": law, "held_back": held_back, "covers": covers}
    with transaction.atomic():
        _held(of, reason=facts["reason"])
        before = SecrecyDecision.objects.filter(**of, decided_by=by, made_at__isnull=True, **known)
        found = before.filter(decided_at__gt=clock.now() - dt.timedelta(hours=1)).order_by("-decided_at").first()
        if found is not None:
            return found
        made = SecrecyDecision.objects.create(
            **of, decided_by=by, decided_at=clock.now(), reason=facts["reason"].strip(), **known
        )
        _tell_decided(by, made)
    return made


def _value(whose: Person | Call) -> str:
    return f"person:{whose.pk}" if isinstance(whose, Person) else f"call:{whose.pk}"


def _whose(whose: Person | Call, call_part: str, same: Collection[str]) -> dict[str, Any]:
    """The fields that say whom a decision is about. Raises Refused: the others that a name or a number leads to from a call
    are who called, and not whom it was about."""
    if isinstance(whose, Person):
        return {"case": whose.case, "person": whose}
    if call_part not in CALL_PARTS:
        raise Refused(_("Choose one of these."), at="call_part")
    if call_part == CONCERN and same:
        raise Refused(_("These have the name or number of who called, not of whom the call was about."), at="same")
    return {"call": whose, "call_part": call_part}


def _held(of: dict[str, Any], *, reason: str) -> None:
    """Hold the case or the call until the transaction ends. Raises Refused where a reason can no longer be kept there."""
    if "case" in of:
        of["case"] = lock(of["case"])
    else:
        calls = Call.objects.select_for_update(of=("self", "key")).select_related("key")
        of["call"] = calls.get(pk=of["call"].pk)
    if reason.strip() and (of.get("case") or of["call"]).is_forgotten:
        raise Refused(
            _("The words here are erased, and no reason can be written. What is coded is all that is left."),
            at="reason",
        )


def _tell_decided(by: User, made: SecrecyDecision) -> None:
    """In the timeline of the case; of a call without one, in the log."""
    codes: dict[str, Any] = {"part": made.part, "outcome": made.outcome, "law": made.law}
    if made.case is not None:
        record("extract.decided", by=by, case=made.case, row=made.pk, **codes)
    else:
        log("extract.decided", by=by, call=made.call_id, row=made.pk, **codes)


def _check(facts: Mapping[str, Any]) -> None:
    """Each is one of its table, and what is held back has its reason. Raises Refused."""
    for name, table in (("asked_by", ASKED_BY), ("identity_checked", IDENTITY_CHECKED), ("outcome", OUTCOMES)):
        if facts[name] not in table:
            raise Refused(_("Choose one of these."), at=name)
    if not facts["registry_number"].strip():
        raise Refused(_("Write the registry number of the request."), at="registry_number")
    refuse_personal_number(facts["registry_number"])
    if not set(facts["held_back"]) <= PARTS.keys():
        raise Refused(_("Choose one of these."), at="held_back")
    if facts["outcome"] == PART and not facts["held_back"]:
        raise Refused(_("Tick what is held back."), at="held_back")
    if facts["outcome"] != SecrecyDecision.Outcome.ALL and facts["law"] not in LAWS:
        raise Refused(_("Choose the law that it is held back on."), at="law")
    if facts["outcome"] != SecrecyDecision.Outcome.ALL and not facts["reason"].strip():
        raise Refused(_("Say why it is held back."), at="reason")


def read_extract(
    *, by: User, decision: SecrecyDecision, ticked: Collection[str] = (), words: Collection[str] = ()
) -> Extract:
    """The extract as it would be given now; each case and call of it is a reading. Raises Refused where none is given."""
    with transaction.atomic():
        if decision.outcome == REFUSED:
            raise Refused(_("It was decided that nothing is given out."))
        if decision.decided_at < clock.now() - SecrecyDecision.HOLDS:
            raise Refused(_("The decision is older than a month. Decide anew."))
        found = gather(by, decision, ticked=ticked, words=words)
        for case in found.cases:
            log("extract.read", by=by, case=case.pk, row=decision.pk, why="extract")
        for call in found.calls:
            log("extract.read", by=by, call=call.pk, row=decision.pk, why="extract")
    return found


def make_extract(
    *,
    by: User,
    decision: SecrecyDecision,
    form: str,
    seen: str,
    ticked: Collection[str] = (),
    words: Collection[str] = (),
) -> bytes | str:
    """The extract to give out, as a PDF or as text: that which was looked through (`seen` is its digest), or none. Raises
    Refused; of protected personal data no file is made."""
    with transaction.atomic():
        held = SecrecyDecision.objects.select_for_update(of=("self",)).select_related(
            "case__key", "call__key", "decided_by"
        )
        decision = held.get(pk=decision.pk)
        found = read_extract(by=by, decision=decision, ticked=ticked, words=words)
        if found.is_protected:
            raise Refused(_("The personal data are protected. No file is made: read it together with the person."))
        if found.digest != seen:
            raise Refused(_("It is not what you have looked through. Look through it again, as it is given now."))
        made = found.as_pdf(str(decision.pk)) if form == "pdf" else found.as_text()
        SecrecyDecision.objects.filter(pk=decision.pk, made_at__isnull=True).update(made_at=clock.now())
        for subject in found.subjects:
            part = subject.people[0].part
            record("extract.made", by=by, case=subject.case, row=decision.pk, part=part, form=form)
        for call in found.calls:
            log("extract.made", by=by, call=call.pk, row=decision.pk, form=form)
    return made
