"""A handover by other ways: its owner makes a PDF, or text for a secure message."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from helpline.people.access import needs
from helpline.people.errors import Refused
from intake.gate import person
from referrals.actions.papers import give_out
from referrals.gate import referral_for
from referrals.models import Disclosure, Referral


@require_POST
@needs("refer")
def paper_pdf(request: HttpRequest, pk: str) -> HttpResponse:
    """The handover as an accessible PDF. Its name says nothing but which handover it is."""
    referral = referral_for(request, pk)
    made = _made(request, referral, Disclosure.Way.PDF)
    if made is None:
        return redirect("referrals:referral", referral.pk)
    name = f'attachment; filename="{referral.pk}.pdf"'
    return HttpResponse(made, content_type="application/pdf", headers={"Content-Disposition": name})


@require_POST
@needs("refer")
def paper_text(request: HttpRequest, pk: str) -> HttpResponse:
    """The handover as text to copy into a secure message, with the address that it goes to."""
    referral = referral_for(request, pk)
    made = _made(request, referral, Disclosure.Way.TEXT)
    if made is None:
        return redirect("referrals:referral", referral.pk)
    return render(request, "referrals/paper_text.html", {"referral": referral, "text": made})


def _made(request: HttpRequest, referral: Referral, way: str) -> Any:
    """What was asked for; None, and a word of why, where it is refused."""
    try:
        return give_out(by=person(request), referral=referral, way=way)
    except Refused as refused:
        messages.error(request, str(refused))
        return None
