"""What left the house: one row a disclosure."""

from helpline.people import clock
from helpline.people.audit import log
from helpline.people.models import User
from intake.models import FollowUp
from referrals.labels import SHARED
from referrals.models import Disclosure, Referral
from referrals.states import OPEN


def record_disclosure(*, by: User, referral: Referral, way: str, parts: list[str] | None = None) -> Disclosure:
    """Write down what an agency was given, on which ground, who decided, and what was held back. Never without the act that
    gave it: call it in the same transaction. `parts`: codes of SHARED, where it is other than what the agency sees now."""
    ground = referral.legal_ground
    shared = referral.shown if parts is None else parts
    made = Disclosure.objects.create(
        case=referral.case,
        referral=referral,
        agency=referral.agency,
        way=way,
        shared=shared,
        withheld=[code for code in SHARED if code not in shared],
        ground=referral.ground,
        law=ground.law if ground and ground.law != "-" else "",
        decided_by=by,
        decided_at=clock.now(),
        words=referral.kept_back,
    )
    codes = {"way": way, "ground": referral.ground, "shared": made.shared, "agency": referral.agency_id}
    log("disclosure.recorded", by=by, case=referral.case_id, row=made.pk, **codes)
    return made


def disclosed_by(referral: Referral, *ways: str) -> set[str]:
    """The codes of what the agency was given of it before, by these ways; by any where none is named."""
    rows = referral.disclosures.filter(way__in=ways) if ways else referral.disclosures.all()
    return {code for shared in rows.values_list("shared", flat=True) for code in shared}


def told_by_phone(by: User, step: FollowUp) -> None:
    """Our step of giving an agency what it lacks is done: what it had by no other way, it was told by phone; as our answer
    was. Of a handover that the agency no longer has, nothing was told."""
    held = Referral.objects.select_related("case__key", "agency", "consent").filter(pk=step.about).first()
    if held is None or held.state not in OPEN:
        return
    if step.kind == "bring_answer":
        record_disclosure(by=by, referral=held, way=Disclosure.Way.ANSWER)
    elif told := [code for code in held.shown if code not in disclosed_by(held)]:
        record_disclosure(by=by, referral=held, way=Disclosure.Way.PHONE, parts=told)
