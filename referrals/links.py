"""Where the mails of this floor lead: a path that says nothing, behind a log-in or a code."""

from django.urls import reverse

from helpline.people.models import Notice, Role
from referrals.actions.looks import token_of
from referrals.actions.pre_questions import token_of as token_of_question
from referrals.labels import NOTICES
from referrals.models import FirstLook, PreAnswer

# What the agency no longer sees when it hears of it: told on its first page. What we took back has a page of its own.
GONE = {"referral.failed", "referral.caller_no", "referral.expired"}


def to_referral(notice: Notice) -> str:
    """The agency's people and its mailbox come to that very handover, once logged in; ours to their first page."""
    if (notice.user and notice.user.role != Role.PARTNER) or not notice.about:
        return ""
    return reverse("portal:inbox") if notice.kind in GONE else reverse("portal:referral", args=[notice.about])


def to_look(notice: Notice) -> str:
    """A first look: the signed link, which asks for the code."""
    return reverse("portal:look", args=[token_of(FirstLook.objects.get(pk=notice.about))])


def to_question(notice: Notice) -> str:
    """A question without a name: the signed link that is answered once."""
    return reverse("portal:pre", args=[token_of_question(PreAnswer.objects.get(pk=notice.about))])


REFERRAL_LINKS = {kind: to_referral for kind in NOTICES if kind.startswith("referral.")} | {
    "look.made": to_look,
    "pre.asked": to_question,
}
