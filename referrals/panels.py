"""What this floor shows on the pages of the floor below: each function returns a template and its context."""

from typing import Any

from django.db.models import prefetch_related_objects
from django.http import HttpRequest

from helpline.people import clock
from helpline.people.models import User
from intake.gate import may_do, person
from intake.models import Call, Case, FollowUp
from intake.there import there_may_be
from referrals.asked_first import questions_of
from referrals.came_back import came_back
from referrals.consents import Given, shown_of
from referrals.deadlines import HOUR
from referrals.labels import ASKING_STEPS, STEP_KINDS
from referrals.models import QualityComment, Referral
from referrals.of_case import handovers_of
from referrals.offers import groups, next_best, words_of
from referrals.standing import standing
from referrals.turns import ANSWER_COMMENT, lines_by

Panel = tuple[str, dict[str, Any]]
NOTHING: Panel = ("referrals/panels/nothing.html", {})
# What a step asks for -> the URL name behind which it is done; of the others on the page of the handover.
WAYS = {"choose_next": "choose", **dict.fromkeys(ASKING_STEPS.values(), "caller-says")}
SHOWN = 3  # agencies a need, before one asks for all


def who_can_help(request: HttpRequest, call: Call) -> Panel:
    """The needs that the answers point to, each with its best agencies and why."""
    found = groups(
        call.assessment.needs,
        municipality=call.municipality_id,
        age_band=call.age_band,
        language=call.language,
    )
    told = list(call.signpostings.values_list("need", "agency")) if found else []
    for group in found:
        group.told = {agency for need, agency in told if need == group.need}
    return "referrals/panels/who_can_help.html", {"call": call, "groups": found, "shown": SHOWN}


def referrals_of_case(request: HttpRequest, case: Case) -> Panel:
    """What is handed over: to whom, where it stands, whose turn it is."""
    lines = lines_by(handovers_of(case), case.open_steps, person(request))
    return "referrals/panels/referrals.html", {"case": case, "lines": lines}


def actions_of_case(request: HttpRequest, case: Case) -> Panel:
    """The way to hand over."""
    return ("referrals/panels/actions.html", {"case": case}) if case.is_open else NOTHING


def consents_of_case(request: HttpRequest, case: Case) -> Panel:
    """Who said yes to what, and the way to take it back."""
    found = [Given(consent) for consent in shown_of(case)]
    return ("referrals/panels/consents.html", {"case": case, "consents": found}) if found else NOTHING


def asked_first_of_case(request: HttpRequest, case: Case) -> Panel:
    """What was asked without a name: who can and from when, who cannot, who has not answered."""
    found = questions_of(case) if there_may_be(case, "questions") else []
    return ("referrals/panels/pre_questions.html", {"case": case, "questions": found}) if found else NOTHING


def what_to_do(request: HttpRequest, step: FollowUp) -> Panel:
    """What a step that a referral left asks for: answer, choose the next, or call and ask. Of several choices the one that
    is due first shows who is next; the others lead there."""
    if step.kind not in STEP_KINDS:
        return NOTHING
    seen = _seen(request, step.case)
    referral = seen.of(step)
    if referral is None:
        return NOTHING
    values = {"referral": referral, "case": referral.case, "step": step, "asks": step.kind in ASKING_STEPS.values()}
    if not may_do(request, step.case, f"referrals:{WAYS.get(step.kind, 'referral')}"):
        return "referrals/panels/about_referral.html", values | {"only_reads": True}
    if step.kind == "choose_next":
        values |= {"back": seen.back.get(referral.pk)}
    if step.kind == "choose_next" and not seen.has_choice:
        seen.has_choice = True
        values |= {"offers": next_best(referral)[:SHOWN], "history": words_of(referral.case)}
        values |= {"is_next": step.pk == next((one.pk for one in step.case.open_steps), None)}
        return "referrals/panels/choose_next.html", values
    if step.kind == "three_way_call":
        values |= {"may_tick": step.due_at <= clock.now() + HOUR}
    if step.kind == "call_agency":
        values |= {"standing": standing(referral.agency).lines}
    return "referrals/panels/about_referral.html", values


class Seen:
    """The handovers of one case as one page shows them: read once, however many steps they have left."""

    def __init__(self, case: Case, reader: User) -> None:
        self.has_choice = False
        # The gate has let the reader in; of what another unit handed over they are shown the lines alone.
        rows = handovers_of(case) if case.unit_id == reader.unit_id else []
        self.rows = {str(row.pk): row for row in rows}
        self.back = came_back(rows)
        kinds = {step.kind for step in case.open_steps}
        if "call_agency" in kinds:
            prefetch_related_objects(rows, "agency__hours", "agency__absences")
        comments = QualityComment.objects.filter(referral__case=case.pk).values_list("pk", "referral")
        about = comments if ANSWER_COMMENT in kinds else []
        self.comments = {str(comment): str(referral) for comment, referral in about}

    def of(self, step: FollowUp) -> Referral | None:
        """The handover that a step is about; an answer to a comment is about the comment. None where nothing says which."""
        return self.rows.get(self.comments.get(step.about, "") if step.kind == ANSWER_COMMENT else step.about)


def _seen(request: HttpRequest, case: Case) -> Seen:
    """What this request has read of the case's handovers."""
    kept: dict[object, Seen] = request.__dict__.setdefault("handovers_of_case", {})
    if case.pk not in kept:
        kept[case.pk] = Seen(case, person(request))
    return kept[case.pk]
