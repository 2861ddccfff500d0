"""What somebody of another unit may do in a case that is open to them in an emergency: one table."""

from django.http import HttpRequest

from helpline.people.models import User
from intake.models import Case

# URL names that take words: a note, a step, the contact, what is done at once. To close it, hand it on, refer, decide or change
# what holds for it is for the unit that has it.
MAY_WRITE = {
    "intake:note-add",
    "intake:note-amend",
    "intake:call-note-amend",
    "intake:call-amend",
    "intake:contact-prepare",
    "intake:number-show",
    "intake:number-set",
    "intake:contact-log",
    "intake:step-plan",
    "intake:step-done",
    "intake:step-move",
    "intake:acute-write",
}
# Pages of a case that only have what would be refused: a form, and no more to read.
FORMS = {
    "intake:case-close",
    "intake:case-safe",
    "intake:case-track",
    "intake:people",
    "intake:person-edit",
    "intake:concern-register",
    "referrals:choose",
    "referrals:ask-first",
    "referrals:case-signpost",
    "referrals:caller-says",
    "referrals:consent-withdraw",
}
CLOSE = "intake:case-close"
CLOSES = "close"  # the field by which a step that is done closes the case


def may_change(name: str, case: Case, user: User, why: str) -> bool:
    """Whether the right `why` goes as far as what is done behind this URL name. What a page offers asks here, and so does the
    gate when it is pressed."""
    return why != "emergency" or case.unit_id == user.unit_id or name in MAY_WRITE


def goes_too_far(request: HttpRequest, case: Case, user: User, why: str) -> bool:
    """Whether a request changes more than an emergency opening from another unit gives the right to, or asks for a form by
    which it would."""
    name = request.resolver_match.view_name if request.resolver_match else ""
    if request.method == "GET" and name not in FORMS:
        return False
    asked = {name, *([CLOSE] if request.POST.get(CLOSES) else [])}
    return not all(may_change(name, case, user, why) for name in asked)
