"""The decision on an extract, and its making."""

import datetime as dt
from collections.abc import Collection, Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from helpline.extract.paper import Extract, gather
from helpline.extract.same import same_as
from helpline.extract.tables import ACCESS_LAW, ASKED_BY, IDENTITY_CHECKED, LAWS, OUTCOMES, PARTS
from helpline.people import clock
from helpline.people.audit import log
from helpline.people.errors import Refused
from helpline.people.models import User
from intake.actions.timeline import lock, record
from intake.models import Person, SecrecyDecision
from intake.personal_numbers import refuse_personal_number

REFUSED, PART = SecrecyDecision.Outcome.REFUSED, SecrecyDecision.Outcome.PART
HOLDS = dt.timedelta(days=30)  # a decision is about what stood there when it was made (GDPR Art. 12.3: one month)


def decide_extract(
    *, by: User, person: Person, facts: Mapping[str, Any], same: Collection[str] = ()
) -> SecrecyDecision:
    """Record a decision on secrecy: who asked, how the identity was checked, what is given out, on which law. `same`: who else
    is the same person. Sent twice, it is one. Raises Refused with its field."""
    _check(facts)
    if not set(same) <= {one.value for one in same_as(by, person)}:
        raise Refused(_("Choose among those that are shown."), at="same")
    covers = {
        "people": [f"person:{person.pk}", *sorted(one for one in same if one.startswith("person:"))],
        "calls": sorted(one for one in same if one.startswith("call:")),
    }
    law = ACCESS_LAW if facts["outcome"] == SecrecyDecision.Outcome.ALL else facts["law"]
    held_back = sorted(facts["held_back"]) if facts["outcome"] == PART else []
    known = {name: facts[name] for name in ("asked_by", "identity_checked", "outcome", "registry_number")}
    known |= {"law": law, "held_back": held_back, "covers": covers}
    with transaction.atomic():
        case = lock(person.case)
        before = SecrecyDecision.objects.filter(person=person, decided_by=by, made_at__isnull=True, **known)
        found = before.filter(decided_at__gt=clock.now() - dt.timedelta(hours=1)).order_by("-decided_at").first()
        if found is not None:
            return found
        made = SecrecyDecision.objects.create(
            case=case, person=person, decided_by=by, decided_at=clock.now(), reason=facts["reason"].strip(), **known
        )
        record("extract.decided", by=by, case=case, row=made.pk, part=person.part, outcome=made.outcome, law=made.law)
    return made


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
        if decision.decided_at < clock.now() - HOLDS:
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
        held = SecrecyDecision.objects.select_for_update(of=("self",)).select_related("case__key", "decided_by")
        decision = held.get(pk=decision.pk)
        found = read_extract(by=by, decision=decision, ticked=ticked, words=words)
        if found.is_protected:
            raise Refused(_("The personal data are protected. No file is made: read it together with the person."))
        if found.digest != seen:
            raise Refused(_("It is not what you have looked through. Look through it again, as it is given now."))
        made = found.as_pdf(str(decision.pk)) if form == "pdf" else found.as_text()
        SecrecyDecision.objects.filter(pk=decision.pk, made_at__isnull=True).update(made_at=clock.now())
        for case in found.cases:
            record("extract.made", by=by, case=case, row=decision.pk, part=decision.person.part, form=form)
        for call in found.calls:
            log("extract.made", by=by, call=call.pk, row=decision.pk, form=form)
    return made
