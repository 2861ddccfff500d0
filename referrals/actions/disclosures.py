"""What left the house: one row a disclosure."""

from helpline.people import clock
from helpline.people.audit import log
from helpline.people.models import User
from referrals.labels import SHARED
from referrals.models import Disclosure, Referral


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
