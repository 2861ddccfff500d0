"""A call: started, shown, saved as it goes, completed, voided."""

import uuid
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from helpline.people.access import needs
from helpline.people.audit import log
from helpline.people.errors import Refused, TooLate
from intake import actions
from intake.forms.calls import MISDIAL, CallForm
from intake.forms.windows import written
from intake.gate import call_for, person, took_or_completed
from intake.models import Call
from intake.views.call_page import CallPage


class SeeOther(HttpResponseRedirect):
    """The page to look at after a form: always by GET, and going back sends nothing again."""

    status_code = 303


def by_the_writer(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """What one person wrote is never saved in the name of another, who has logged in in that browser meanwhile: the words
    are given back (403)."""

    @wraps(view)
    def guarded(request: HttpRequest, pk: Any, **rest: Any) -> HttpResponse:
        user = person(request)
        if request.POST.get("who", str(user.pk)) == str(user.pk):
            return view(request, pk, **rest)
        log("call.refused", by=user, row=pk, why="other_writer")
        return render(request, "intake/call_other_writer.html", {"words": written(request.POST)}, status=403)

    return guarded


def sent_form(request: HttpRequest, pk: Any, *, completing: bool = False) -> CallForm:
    """The form of a call as it was sent. The number to call back is shown to who took the call, who alone writes it."""
    found = call_for(request, pk, to_save=True)
    apart = () if found.taken_by_id == person(request).pk else ("phone",)
    return CallForm(found, request.POST, completing=completing, apart=apart)


@require_POST
@needs("log_call")
def call_start(request: HttpRequest) -> HttpResponse:
    """A new call, whether or not another goes on; pressed twice it is one. With practice=1 it counts nowhere."""
    token, is_practice = _token(request.POST.get("token", "")), request.POST.get("practice") == "1"
    call = actions.start_call(by=person(request), is_practice=is_practice, token=token)
    return SeeOther(reverse("intake:call", args=[call.pk]))


@require_GET
@needs("log_call")
def call(request: HttpRequest, pk: Any) -> HttpResponse:
    """The page to work in while somebody is talking; of a finished call, its case."""
    found = call_for(request, pk)
    return _finished(request, found) if found.is_finished else show_call(request, CallForm(found))


@require_POST
@needs("log_call")
@by_the_writer
def call_save(request: HttpRequest, pk: Any) -> HttpResponse:
    """Save what is right; what is wrong comes back at its place (422). A script gets the page, others are sent to it."""
    form = sent_form(request, pk)
    try:
        saved = form.save(by=person(request))
    except TooLate:
        return too_late(request, form)
    if saved.is_finished:
        return too_late(request, form)
    if form.errors:
        return show_call(request, form, status=422)
    if "HX-Request" in request.headers:
        return show_call(request, CallForm(saved))
    return SeeOther(reverse("intake:call", args=[pk]))


@require_POST
@needs("log_call")
@by_the_writer
def call_complete(request: HttpRequest, pk: Any) -> HttpResponse:
    """Save the words, then complete the call: to its case, or to the page that says that none was needed."""
    form = sent_form(request, pk, completing=True)
    try:
        form.save(by=person(request))
        if not form.errors:
            return _completed(request, form.complete(by=person(request)))
    except TooLate:
        return too_late(request, form)
    except Refused as refused:
        form.refuse(refused)
    return show_call(request, form, status=422)


@require_POST
@needs("log_call")
@by_the_writer
def call_quick(request: HttpRequest, pk: Any) -> HttpResponse:
    """A misdial or a silent call, done with: written down, and no case. Refused once something is written."""
    form = sent_form(request, pk)
    try:
        form.save(by=person(request))
        if form.is_blank and not form.errors:
            facts = {"caller_type": MISDIAL, "urgency": "NORMAL"}
            actions.save_call(by=person(request), call=form.call, facts=facts)
            return _completed(request, actions.complete_call(by=person(request), call=form.call))
        form.add_error(None, _("Something is written about this call. Finish it as usual, so that it is kept."))
    except TooLate:
        return too_late(request, form)
    except Refused as refused:
        form.refuse(refused)
    return show_call(request, form, status=422)


@require_POST
@needs("log_call")
@by_the_writer
def call_void(request: HttpRequest, pk: Any) -> HttpResponse:
    """Take away a call that was opened by mistake, with a reason."""
    form = sent_form(request, pk)
    try:
        form.save(by=person(request))
        actions.void_call(by=person(request), call=form.call, why=form.cleaned_data.get("void_reason", ""))
    except TooLate:
        return too_late(request, form)
    except Refused as refused:
        form.add_error("void_reason", str(refused))
        return show_call(request, form, status=422)
    messages.success(request, _("The call is taken away. The reason is kept."))
    return SeeOther(reverse("intake:my-day"))


def _token(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def show_call(request: HttpRequest, form: CallForm, status: int = 200) -> HttpResponse:
    """The page of a call, with the form as it was written; of one that was finished meanwhile, what came too late."""
    if request.method == "POST" and form.call.is_finished:
        return too_late(request, form)
    page = CallPage(form, turn=request.POST.get("turn", ""))
    return render(request, "intake/call.html", {"page": page, "call": page.call, "form": form}, status=status)


def _completed(request: HttpRequest, call: Call) -> HttpResponse:
    """To what the caller is told now."""
    return SeeOther(reverse("intake:call-after", args=[call.pk]))


def _case_of(call: Call) -> str:
    assert call.case is not None
    return reverse("intake:case", args=[call.case.slug])


def _finished(request: HttpRequest, call: Call) -> HttpResponse:
    """Where a finished call is found."""
    if call.case is not None:
        return HttpResponseRedirect(_case_of(call))
    if call.completed_at is not None:
        return HttpResponseRedirect(reverse("intake:call-after", args=[call.pk]))
    return render(request, "intake/call_done.html", {"call": call, "mine": False})


def too_late(request: HttpRequest, form: CallForm) -> HttpResponse:
    """The call was finished elsewhere: words that came too late are shown once more to who sent them, to be taken to the
    case. Nothing of what is stored is shown."""
    call = Call.objects.select_related("key", "case").get(pk=form.call.pk)  # let in at the beginning of this request
    words = form.unsaved()
    own = took_or_completed(person(request), call)
    if not words and own and "HX-Request" not in request.headers:
        return _completed(request, call) if call.completed_at else SeeOther(reverse("intake:call", args=[call.pk]))
    return render(
        request, "intake/call_done.html", {"call": call, "words": words, "mine": False, "late": True}, status=409
    )
