"""The caller is asked whether it helped: safe contact first, then the answer and what follows from it."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from helpline.people import clock
from helpline.people.access import needs
from helpline.people.errors import Refused, TooLate
from intake.gate import person
from intake.hours import is_outside, must_be_read
from referrals import actions
from referrals.actions.asking import ASKED_OF, mark_of_answers
from referrals.asking import follows, still_asked
from referrals.forms.owner import SaidForm
from referrals.gate import referral_for
from referrals.happenings import happenings
from referrals.models import Referral
from referrals.views.owner import written


@require_http_methods(["GET", "POST"])
@needs("refer")
def caller_says(request: HttpRequest, pk: str) -> HttpResponse:
    """Ask the caller, and write down the answer."""
    referral = referral_for(request, pk)
    if request.method == "GET":
        return _page(request, referral, SaidForm(referral=referral, seen=mark_of_answers(referral)))
    form = SaidForm(request.POST, referral=referral)
    if not form.is_valid():
        return _page(request, referral, form, status=422)
    then = follows(referral, person(request))[form.cleaned_data["answer"]]
    try:
        actions.caller_says(by=person(request), referral=referral, **form.cleaned_data)
    except TooLate as late:
        return _page(request, referral_for(request, pk), form, late=str(late), status=409)
    except Refused as refused:
        form.add_error(refused.at or None, str(refused))
        return _page(request, referral, form, status=422)
    messages.success(request, _("It is written down. %(then)s") % {"then": then})
    return redirect("intake:case", referral.case.slug)


def _page(
    request: HttpRequest, referral: Referral, form: SaidForm, *, late: str = "", status: int = 200
) -> HttpResponse:
    safe, said = referral.case.safe, follows(referral, person(request))
    hours = safe.values.get("hours", "")
    values = {
        "referral": referral,
        "case": referral.case,
        "form": form,
        "late": late,
        "words": written(request) if late else [],
        "asked": referral.state in ASKED_OF,
        "goes_on": still_asked(referral),
        "safe": safe,
        "now": clock.now(),
        "is_outside": is_outside(hours, clock.now()),
        "must_read_hours": must_be_read(hours),
        "answers": [(code, label, said[code]) for code, label in form.fields["answer"].choices],  # type: ignore[attr-defined]
        "chosen": form["answer"].value() or "",
        "told": [one for one in happenings(referral) if one.is_answer],
    }
    return render(request, "referrals/caller_says.html", values, status=status)
