"""What an agency writes beside its answer: a message, a comment on our handover, what it had to ask again."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from helpline.people.access import needs
from helpline.people.errors import Refused, TooLate
from helpline.people.wall import by_us
from intake.gate import person
from referrals.actions.asked_again import asked_again as write_asked_again
from referrals.actions.comments import comment as write_comment
from referrals.actions.messages import send_message
from referrals.gate import portal_referral_for
from referrals.views.portal_page import BESIDE, gone, show, too_late

# name -> its action, and what is said when it is done; its form stands in BESIDE
WRITTEN: dict[str, tuple[Callable[..., Any], str | Promise]] = {
    "message": (partial(send_message, from_agency=True), _("Your message is sent.")),
    "comment": (write_comment, _("Thank you. The support line must answer your comment.")),
    "asked-again": (write_asked_again, _("Thank you. It helps us to write better handovers.")),
}


@require_POST
@needs("answer_referral")
def message(request: HttpRequest, pk: str) -> HttpResponse:
    """Write to the support line about this handover."""
    return _write(request, pk, "message")


@require_POST
@needs("answer_referral")
def comment(request: HttpRequest, pk: str) -> HttpResponse:
    """Say what was good or bad in the handover."""
    return _write(request, pk, "comment")


@require_POST
@needs("answer_referral")
def asked_again(request: HttpRequest, pk: str) -> HttpResponse:
    """Say what the person had to tell again."""
    return _write(request, pk, "asked-again")


def _write(request: HttpRequest, pk: str, name: str) -> HttpResponse:
    try:
        held = portal_referral_for(request, pk)
    except Http404:
        return gone(request, pk, name)
    write, done = WRITTEN[name]
    form = BESIDE[name](request.POST, referral=held, auto_id=f"id_{name}_%s")
    if not form.is_valid():
        return show(request, held, tried=(name, form))
    try:
        by_us(write, by=person(request), referral=held, **form.cleaned_data)
    except TooLate as late:
        return too_late(request, pk, name, str(late))
    except Refused as refused:
        form.add_error(refused.at if refused.at in form.fields else None, str(refused))
        return show(request, held, tried=(name, form))
    messages.success(request, str(done))
    return redirect("portal:referral", held.pk)
