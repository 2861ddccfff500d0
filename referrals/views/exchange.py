"""What the owner writes to an agency beside the moves: a message, an answer to its comment."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from helpline.people.access import needs
from helpline.people.errors import Refused, TooLate
from intake.gate import person
from referrals.actions.comments import answer_comment
from referrals.actions.messages import read_message, send_message
from referrals.forms.owner import ActForm, CommentAnswerForm, MessageForm
from referrals.gate import referral_for
from referrals.models import Referral
from referrals.views.owner import show, show_late


@require_POST
@needs("refer")
def message_send(request: HttpRequest, pk: str) -> HttpResponse:
    """Write to the agency about one handover."""
    referral = referral_for(request, pk)
    form = MessageForm(request.POST, referral=referral, auto_id="id_message_%s")
    done = _("The message is sent. It is no answer to what waits.")
    write = partial(send_message, referral=referral, from_agency=False)
    return _write(request, referral, "message", form, write, done)


@require_POST
@needs("refer")
def message_read(request: HttpRequest, pk: str) -> HttpResponse:
    """What the agency wrote is read: the step that waited for it ends."""
    referral = referral_for(request, pk)
    try:
        read_message(by=person(request), referral=referral, seen=request.POST.get("seen", ""))
    except TooLate as late:
        return show_late(request, referral, str(late))
    messages.success(request, _("It is written down."))
    return redirect("referrals:referral", referral.pk)


@require_POST
@needs("refer")
def comment_answer(request: HttpRequest, pk: str) -> HttpResponse:
    """Answer what the agency says of our handover."""
    referral = referral_for(request, pk)
    comment = get_object_or_404(referral.comments.select_related("referral"))
    form = CommentAnswerForm(request.POST, referral=referral, auto_id="id_comment_%s")
    return _write(request, referral, "comment", form, partial(_answer, comment=comment), _("Your answer is sent."))


def _answer(*, seen: str, **rest: Any) -> object:
    return answer_comment(**rest)  # a comment is answered once, whatever was seen


def _write(
    request: HttpRequest,
    referral: Referral,
    what: str,
    form: ActForm,
    do: Callable[..., object],
    done: str,
) -> HttpResponse:
    if not form.is_valid():
        return show(request, referral, (what, form))
    try:
        do(by=person(request), **form.cleaned_data)
    except TooLate as late:
        return show_late(request, referral, str(late))
    except Refused as refused:
        form.add_error(refused.at or None, str(refused))
        return show(request, referral, (what, form))
    messages.success(request, done)
    return redirect("referrals:referral", referral.pk)
