"""What we have handed over: the list, and one of them with all that its owner needs."""

from typing import Any

from django.db.models import Q, prefetch_related_objects
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from helpline.people.access import may, needs
from helpline.people.paging import page_of
from intake.gate import may_do, person
from intake.models import Case, FollowUp
from referrals.actions.asking import ASKED_OF
from referrals.actions.messages import NONE_YET, no_messages
from referrals.asking import still_asked
from referrals.came_back import came_back
from referrals.disclosed import disclosed
from referrals.forms import owner as forms
from referrals.gate import referral_for
from referrals.happenings import happenings
from referrals.models import Referral
from referrals.rungs import rungs_to_come
from referrals.sight import sight
from referrals.standing import standing
from referrals.states import CAME_BACK, OPEN, TAKEN_ON
from referrals.turns import line, lines
from referrals.views.owner_acts import ANSWERED, FIRST, GROUPS, PHONE, Act, form_of, offered, said_of

# Which lists there are: key -> which rows, of open cases alone, in the order of which time, newest first.
LISTS = {
    "open": (Q(state__in=OPEN), True, "answer_due_at", False),
    "drafts": (Q(state="draft"), True, "created_at", True),
    "ended": (Q(ended_at__isnull=False), False, "ended_at", True),
}
# What a line of them says: no word of a card is read for it.
OF_A_LINE = (
    *("need", "state", "answer_due_at", "created_at", "confirmed_at", "ended_at", "agency__name"),
    *("case__code", "case__protection", "case__is_practice"),
)
WRITTEN = ("text", "handled_by")
Tried = tuple[str, forms.ActForm]


@require_GET
@needs("refer")
def referral_list(request: HttpRequest) -> HttpResponse:
    """The referrals of one's own cases; for a manager those of the unit: what is open by its time, drafts, what has ended."""
    user = person(request)
    which = request.GET.get("which", "")
    which = which if which in LISTS else "open"
    rows, of_open, time, newest_first = LISTS[which]
    found = Referral.objects.visible_to(user).filter(rows)
    if of_open:  # by the cases: the index of what is open leads to them
        found = found.filter(case__in=Case.objects.visible_to(user).open())
    if not may(user, "see_caseload"):
        in_hand = FollowUp.objects.planned().filter(owner=user).exclude(about="").values("case")
        found = found.filter(Q(case__owner=user) | Q(case__in=in_hand))  # also what one stands in for
    mine = found.select_related("case", "agency").only(*OF_A_LINE)
    page = page_of(mine, time, request.GET.get("after", ""), newest_first=newest_first)
    context = {"lines": lines(page.rows, user), "next_key": page.next_key, "which": which}
    return render(request, "referrals/list.html", context)


def show(
    request: HttpRequest, referral: Referral, tried: Tried | None = None, *, late: str = "", status: int = 0
) -> HttpResponse:
    """What was sent, where it stands, and what can be done; with the form that was refused, if one was."""
    user = person(request)
    told = happenings(referral)
    prefetch_related_objects([referral], "comments__by", "comments__answered_by", "agency__hours", "agency__absences")
    values = {
        "referral": referral,
        "case": referral.case,
        "refused": tried[1] if tried else None,
        "late": late,
        "words": written(request) if late else [],
        "line": line(referral, user),
        "sight": sight(referral),
        "is_open": referral.state in OPEN,
        "needs_link": _needs_link(referral),
        "back": came_back([referral]).get(referral.pk),
        "came_back": referral.state in CAME_BACK and referral.case.is_open,
        "asks": referral.state in ASKED_OF,
        "asks_again": referral.state in ASKED_OF and still_asked(referral),
        "rungs": rungs_to_come(referral, user) if referral.is_waiting else [],
        "standing": standing(referral.agency).lines,
        "asked": next((one.text for one in reversed(told) if one.move == "ask"), ""),
        "happenings": told,
        "disclosures": disclosed(referral),
        **_acts(request, referral, tried),
        **_talk(request, referral, tried),
    }
    return render(request, "referrals/sent.html", values, status=status or (422 if tried else 200))


def show_late(request: HttpRequest, referral: Referral, said: str = "") -> HttpResponse:
    """Somebody was first: how it stands now, and what was written, which is not saved (409)."""
    now = referral_for(request, referral.pk)
    last = now.changes.order_by("-at", "-id").first()
    if last and last.by_id == person(request).pk:
        said = _("You were first yourself: the handover is already “%(state)s”.") % {"state": now.state_name}
    return show(request, now, late=said or _("This can no longer be done."), status=409)


def written(request: HttpRequest) -> list[str]:
    """The words of a form that was sent, to be given back; what was chosen is chosen anew."""
    return [text for name in WRITTEN if (text := request.POST.get(name, "").strip())]


def _acts(request: HttpRequest, referral: Referral, tried: Tried | None) -> dict[str, Any]:
    """What can be done: first what the step that waits asks for, then the rest by group."""
    refused = dict([tried] if tried else [])
    seen = seen_of(referral)
    acts = {
        act.code: (said_of(act, referral), refused.get(act.code) or form_of(act, referral, seen=seen))
        for act in offered(referral)
        if may_do(request, referral.case, f"referrals:{act.code}")
    }
    kinds = _kinds_of_steps(referral)
    first = [code for kind in kinds for code in FIRST.get(kind, []) if code in acts]
    rest: dict[str, list[tuple[Act, forms.ActForm]]] = {group: [] for group in GROUPS}
    for code, pair in acts.items():
        if code not in first:
            rest.setdefault(pair[0].group, []).append(pair)
    titles = {**GROUPS, PHONE: GROUPS[PHONE] if referral.state in TAKEN_ON else ANSWERED}
    return {
        "acts": list(acts.values()),
        "steps": kinds,
        "first": [acts[code] for code in first],
        "groups": [(name, titles.get(name, ""), pairs) for name, pairs in rest.items() if pairs],
        "open_group": acts[tried[0]][0].group if tried and tried[0] in acts else None,
    }


def _talk(request: HttpRequest, referral: Referral, tried: Tried | None) -> dict[str, Any]:
    """The messages, and what they say of our handover; with the forms for our part."""
    refused = dict([tried] if tried else [])
    writes = referral.state in OPEN and referral.case.is_open and not referral.case.is_protected
    writes = writes and may_do(request, referral.case, "referrals:message")
    comment, may_answer = referral.comments.first(), may_do(request, referral.case, "referrals:comment-answer")
    said = list(referral.messages.select_related("by").order_by("at", "id"))
    mark = str(said[-1].pk) if said else NONE_YET
    message = forms.MessageForm(referral=referral, seen=mark, auto_id="id_message_%s")
    answer = forms.CommentAnswerForm(referral=referral, auto_id="id_comment_%s")
    return {
        "line_of_messages": said,
        "line_mark": mark,
        "no_messages": no_messages(referral, from_agency=False) if referral.state in OPEN else "",
        "message_form": refused.get("message") or message if writes else None,
        "comment": comment,
        "comment_form": (refused.get("comment") or answer)
        if may_answer and comment and comment.answered_at is None
        else None,
    }


def _needs_link(referral: Referral) -> bool:
    """Whether a link is what they need now: the mail leads to a log-in, and nobody there has an account."""
    waits = referral.is_waiting and referral.case.is_open and bool(referral.agency.mailbox)
    waits = waits and not referral.case.is_protected
    last = referral.looks.last() if waits and not referral.agency.has_accounts else None
    return waits and not referral.agency.has_accounts and (last is None or not (last.used_at or last.waits))


def _kinds_of_steps(referral: Referral) -> list[str]:
    """What waits about it, first due first; an answer to their comment is a step about the comment."""
    about = [str(referral.pk), *(str(comment.pk) for comment in referral.comments.all())]
    steps = referral.case.steps.planned().filter(about__in=about).order_by("due_at")
    return list(steps.values_list("kind", flat=True))


def seen_of(referral: Referral) -> str:
    """The last change that stands on the page: what its forms say that they have seen."""
    return str(referral.changes.order_by("-at", "-id").values_list("pk", flat=True).first() or "")
