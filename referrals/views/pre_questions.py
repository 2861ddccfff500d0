"""Ask before you promise: the question without a name, asked from a case and answered by a link or in the portal."""

from functools import partial
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from helpline.people import clock
from helpline.people.access import needs, open_to_anyone
from helpline.people.errors import Refused, TooLate
from helpline.people.pace import too_often
from helpline.people.wall import by_us
from intake import triage
from intake.gate import case_for, person
from intake.models import Case
from referrals import deadlines
from referrals.actions.pre_questions import AT_MOST, answer_behind, answer_first, ask_first, waiting_for
from referrals.forms.pre_questions import AnswerFirstForm, AskFirstForm
from referrals.gate import agency_of
from referrals.models import PreAnswer
from referrals.offers import askable
from referrals.portal_parts import question_for, questions_for

LINKS_A_MINUTE = 60  # a mail gateway opens every link of a whole authority; a guesser wants thousands

# -- ours --------------------------------------------------------------------------------------------------------------


@require_http_methods(["GET", "POST"])
@needs("refer")
def ask(request: HttpRequest, code: str) -> HttpResponse:
    """Choose what is asked and whom; then see exactly what is asked; then ask."""
    case = case_for(request, code)
    if request.method == "GET" or {"show", "change"} & request.POST.keys():
        return _choose(request, case, AskFirstForm(case=case, initial=_standing(request, case)))
    form = AskFirstForm(request.POST, case=case)
    if not form.is_valid():
        return _choose(request, case, form)
    if "ask" not in request.POST:
        return render(request, "referrals/pre_check.html", {"case": case, "form": form, **_asked(case, form)})
    try:
        ask_first(by=person(request), case=case, **form.cleaned_data)
    except TooLate as late:
        messages.warning(request, str(late))
    except Refused as refused:
        form.add_error(refused.at if refused.at in form.fields else None, str(refused))
        return _choose(request, case, form)
    else:
        messages.success(request, _("Asked, without a name. The answers come to the page of the case, and to you."))
    return redirect("intake:case", case.slug)


def _choose(request: HttpRequest, case: Case, form: AskFirstForm) -> HttpResponse:
    need, age_band = form.chosen_need, str(form["age_band"].value() or "")
    values = {
        "case": case,
        "form": form,
        "need_name": triage.name_of("needs", need) if need else "",
        "offers": askable(case, need=need, age_band=age_band) if need else [],
        "waiting": waiting_for(case, need),
        "at_most": AT_MOST,
    }
    return render(request, "referrals/pre_ask.html", values, status=422 if form.is_bound else 200)


def _standing(request: HttpRequest, case: Case) -> dict[str, Any]:
    """What the form begins with: what stands in it already, or what the case knows."""
    chosen = request.POST if request.method == "POST" else request.GET
    known = AskFirstForm.known_of(case)
    stands = {name: chosen[name] for name in known if name in chosen}
    return {**known, **stands, "agencies": request.POST.getlist("agencies")}


def _asked(case: Case, form: AskFirstForm) -> dict[str, Any]:
    """What the agencies will read, as they will read it."""
    data, now = form.cleaned_data, clock.now()
    return {
        "asked": {
            "need_name": triage.name_of("needs", data["need"]),
            "age_name": triage.name_of("age_bands", data["age_band"]),
            "police_area": data["police_area"],
            "answer_by": max(deadlines.answer_due(case.urgency, now, agency) for agency in data["agencies"]),
        }
    }


# -- theirs: in the portal ---------------------------------------------------------------------------------------------


@require_GET
@needs("answer_referral")
def questions(request: HttpRequest) -> HttpResponse:
    """The questions without a name that wait for one's agency. Police have no list."""
    return _questions(request)


@require_POST
@needs("answer_referral")
def question_answer(request: HttpRequest, pk: str) -> HttpResponse:
    """Answer one of them."""
    answer = question_for(person(request), pk)
    if answer is None:
        raise Http404
    form = AnswerFirstForm(request.POST, auto_id=f"id_{answer.pk}_%s")
    if not form.is_valid():
        return _questions(request, answer, form)
    try:
        by_us(answer_first, by=person(request), answer=answer, **form.cleaned_data)
    except TooLate as late:
        messages.error(request, str(late))
    except Refused as refused:
        form.add_error(refused.at or None, str(refused))
        return _questions(request, answer, form)
    else:
        messages.success(request, _("Thank you. The support line knows, and the person never hears of a no."))
    return redirect("portal:questions")


def _questions(
    request: HttpRequest, tried: PreAnswer | None = None, refused: AnswerFirstForm | None = None
) -> HttpResponse:
    user = person(request)
    agency = agency_of(user)
    if agency is None:
        return render(request, "portal/no_agency.html")
    if agency.is_police:
        raise Http404
    rows = [
        (row, refused if row == tried and refused else AnswerFirstForm(auto_id=f"id_{row.pk}_%s"))
        for row in questions_for(agency)
    ]
    values = {"agency": agency, "rows": rows, "refused": refused}
    return render(request, "portal/questions.html", values, status=422 if refused else 200)


# -- theirs: by the link -----------------------------------------------------------------------------------------------


# No session and no cookie: who opens the link is nobody to us, and what may be done stands in the link alone. So a form from
# elsewhere could do nothing that its sender, who would have to know the link, could not do without it.
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
@open_to_anyone
def pre(request: HttpRequest, token: str) -> HttpResponse:
    """The link of a question without a name. Opening it uses nothing up: mail scanners open links; answering does, once."""
    if by_us(partial(too_often, request), what="pre", a_minute=LINKS_A_MINUTE):
        return _bare(request, "busy", status=429)
    answer = answer_behind(token)
    if answer is None:
        return _bare(request, "over", status=404)
    if request.method != "POST":
        return _bare(request, "open", answer=answer, form=AnswerFirstForm())
    form = AnswerFirstForm(request.POST)
    if form.is_valid():
        try:
            by_us(answer_first, by=None, answer=answer, **form.cleaned_data)
        except TooLate:
            return _bare(request, "over", status=404)
        except Refused as refused:
            form.add_error(refused.at or None, str(refused))
        else:
            return _bare(request, "thanks")
    return _bare(request, "open", status=422, answer=answer, form=form)


def _bare(request: HttpRequest, which: str, *, status: int = 200, **values: Any) -> HttpResponse:
    """A page that is found by nobody, kept by nobody, and tells no other page where one came from."""
    page = render(request, "portal/pre.html", {"which": which, **values}, status=status)
    page.headers["Referrer-Policy"] = "no-referrer"
    page.headers["X-Robots-Tag"] = "noindex, nofollow"
    page.headers["Cache-Control"] = "no-store"
    if status == 429:
        page.headers["Retry-After"] = "60"
    return page
