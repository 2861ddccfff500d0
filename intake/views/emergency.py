"""Break-glass: opening in an emergency, and the review of each such opening."""

import uuid
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from helpline.people.access import needs
from helpline.people.audit import log
from helpline.people.errors import Refused, TooLate
from helpline.people.models import Role
from helpline.people.pace import too_many
from intake import actions
from intake.actions.emergency import is_late, to_review
from intake.forms.emergency import EmergencyForm, ReviewForm
from intake.gate import person
from intake.labels import EMERGENCIES
from intake.models import CaseOpening
from intake.views.cases import posted, status_of

A_MINUTE = 6  # tries of one person: numbers are not to be guessed
MOST = 50


@needs("break_glass")
@require_http_methods(["GET", "POST"])
def emergency(request: HttpRequest) -> HttpResponse:
    """A number, a reason and what has happened; then the case is open for two hours, and a manager reviews it."""
    form = EmergencyForm(posted(request), initial={"number": request.GET.get("number", "")[:60]})
    if form.is_valid():
        try:
            if too_many(person(request), what="emergency", most=A_MINUTE):
                log("opening.refused", by=person(request), row="too_many", why="emergency")
                raise Refused(_("Wait a minute, and then write the number again."), at="number")
            opening = actions.open_in_emergency(by=person(request), **form.cleaned_data)
        except Refused as refused:
            form.add_error(refused.at or None, str(refused))
        else:
            messages.warning(request, _("It is open to you for two hours. A unit manager reviews it."))
            return redirect("intake:case", opening.case.slug)
    return render(request, "intake/emergency.html", {"form": form}, status=status_of(form))


@needs("review_openings")
@require_GET
def review_list(request: HttpRequest) -> HttpResponse:
    """The openings that wait for this person's review, the oldest first."""
    return _show(request)


@needs("review_openings")
@require_POST
def review(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """What was found of one of them."""
    opening = to_review(person(request)).filter(pk=pk).first()
    if opening is None:
        log("review.refused", by=person(request), row=pk)
        raise Http404
    form = ReviewForm(request.POST, prefix=str(pk))
    if form.is_valid():
        try:
            actions.review_opening(by=person(request), opening=opening, **form.cleaned_data)
        except TooLate as late:
            messages.error(request, str(late))
        except Refused as refused:
            form.add_error(refused.at or None, str(refused))
        else:
            messages.success(request, _("The review is saved."))
        if not form.errors:
            return redirect("intake:review-list")
    return _show(request, (pk, form))


def _show(request: HttpRequest, tried: tuple[uuid.UUID, forms.Form] | None = None) -> HttpResponse:
    """The list; to the log reviewer codes alone, no words. What was read is a row of the log."""
    user = person(request)
    waiting = to_review(user)
    rows = [_row(opening, user.role == Role.MANAGER, tried) for opening in waiting[:MOST]]
    if rows:
        log("openings.listed", by=user, openings=[str(row["opening"].pk) for row in rows])
    context = {"rows": rows, "count": waiting.count(), "is_manager": user.role == Role.MANAGER}
    context["form"] = tried[1] if tried else None
    return render(request, "intake/review_list.html", context, status=422 if tried else 200)


def _row(opening: CaseOpening, is_manager: bool, tried: tuple[uuid.UUID, forms.Form] | None) -> dict[str, Any]:
    form: forms.Form = tried[1] if tried and tried[0] == opening.pk else ReviewForm(prefix=str(opening.pk))
    if not is_manager:
        del form.fields["words"]
    return {
        "opening": opening,
        "form": form,
        "reason": EMERGENCIES[opening.reason],
        "words": opening.words if is_manager else "",
        "is_late": is_late(opening),
    }
