"""Mail that may not have arrived: shown to who can do something about it, and sent again by a person alone."""

import uuid

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from helpline.people.access import needs
from helpline.people.adrift import send_again
from helpline.people.errors import Refused
from helpline.watch import adrift_of, mails_of, watch_of
from intake.gate import person

MOST = 100  # rows; with more than these the mail server is what is broken


@require_GET
@needs("see_mail")
def mail(request: HttpRequest) -> HttpResponse:
    """Which mails may not have arrived: to whom and when, never what about."""
    user = person(request)
    return render(request, "helpline/mail.html", {"watch": watch_of(user), "mails": adrift_of(user)[:MOST]})


@require_POST
@needs("see_mail")
def mail_send(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Send one again."""
    user = person(request)
    notice = get_object_or_404(mails_of(user), pk=pk)
    try:
        send_again(by=user, notice=notice)
        messages.success(request, _("It is sent again. Where it arrives twice, it is the same mail."))
    except Refused as refused:
        messages.error(request, str(refused))
    return redirect("mail")
