"""What agencies have said to a question without a name: read for a case, for its page and for the ranking."""

from django.db.models import Prefetch

from intake.models import Case
from intake.there import there_may_be
from referrals.models import PreAnswer, PreQuestion


def questions_of(case: Case) -> list[PreQuestion]:
    """What was asked without a name in a case, newest first, each with its answers: yes first, then who has not answered."""
    order = {"yes": 0, "maybe": 1, "": 2, "no": 3}
    answers = PreAnswer.objects.select_related("agency").order_by("agency__name")
    found = list(
        case.pre_questions.prefetch_related(Prefetch("answers", queryset=answers)).order_by("-asked_at", "-pk")
    )
    for question in found:
        question.told = sorted(question.answers.all(), key=lambda row: order[row.answer])  # type: ignore[attr-defined]
    return found


def said_first(case: Case) -> dict[tuple[int, str], str]:
    """(agency, need) -> the last that it said to a question without a name in this case."""
    if not there_may_be(case, "questions"):
        return {}
    rows = PreAnswer.objects.filter(question__case=case).exclude(answer="").order_by("answered_at", "pk")
    return {(agency, need): said for agency, need, said in rows.values_list("agency", "question__need", "answer")}
