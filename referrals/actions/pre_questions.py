"""Ask before you promise: a question without a name to one or more agencies, and what they say to it."""

import datetime as dt
import secrets
from collections.abc import Sequence
from typing import Any

from django.core import signing
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from helpline.people import clock
from helpline.people.errors import Refused, TooLate
from helpline.people.models import Municipality, User, in_use
from helpline.people.notices import notify
from helpline.people.wall import as_granted, stand_also
from intake import triage
from intake.actions.timeline import lock, record
from intake.models import Case
from intake.whose import stand_ins_of
from referrals import deadlines
from referrals.labels import PRE_ANSWERS
from referrals.models import PartnerAgency, PreAnswer, PreQuestion
from referrals.partners import DEIDENTIFIED, HANDOVER

AT_MOST = 5  # agencies a question
GRACE = dt.timedelta(days=1)  # how long the link works past the time that the answer is wanted by
LONGEST = dt.timedelta(days=7)  # and how long at the longest, where the answer is not wanted later
FAR_OFF = dt.timedelta(days=365)


# -- asked -------------------------------------------------------------------------------------------------------------


def ask_first(
    *, by: User, case: Case, need: str, age_band: str, police_area: str = "", agencies: Sequence[PartnerAgency]
) -> PreQuestion:
    """Ask agencies whether they can, and when. Codes of lists alone: nothing that is asked tells who it is about. Whom the
    same is asked already is not asked again. Raises Refused, or TooLate where that is all of them."""
    with transaction.atomic():
        case = lock(case)
        _refuse(case, need, age_band, police_area)
        waiting = waiting_for(case, need)
        asked = [agency for agency in dict.fromkeys(agencies) if agency.pk not in waiting]
        if agencies and not asked:
            raise TooLate(_("They are asked already, and have not answered yet."))
        _refuse_agencies(asked)
        now = clock.now()
        due = {agency: deadlines.answer_due(case.urgency, now, agency) for agency in asked}
        question = PreQuestion.objects.create(
            case=case,
            need=need,
            age_band=age_band,
            police_area=police_area,
            asked_by=by,
            asked_at=now,
            answer_by=max(due.values()),
        )
        for agency in asked:
            _ask(by, question, agency, expires=max(due[agency], min(due[agency] + GRACE, now + LONGEST)))
        return question


def _ask(by: User, question: PreQuestion, agency: PartnerAgency, expires: dt.datetime) -> None:
    nonce = secrets.token_hex(16)
    answer = PreAnswer.objects.create(question=question, agency=agency, nonce=nonce, expires_at=expires)
    codes: dict[str, Any] = {"agency": agency.name, "agency_id": agency.pk, "need": question.need}
    record("pre.asked", by=by, case=question.case, row=answer.pk, **codes)
    told: dict[str, Any] = {"kind": "pre.asked", "about": str(answer.pk)}
    if agency.mailbox:
        notify(address=agency.mailbox, source=f"pre:{answer.pk}:mailbox", **told)
    for member in agency.members.filter(in_use("user__")).select_related("user"):
        notify(user=member.user, source=f"pre:{answer.pk}:{member.user_id}", **told)


def _refuse(case: Case, need: str, age_band: str, police_area: str) -> None:
    if case.is_practice:
        raise Refused(_("This is practice: nobody is asked."))
    if not case.is_open:
        raise Refused(_("The case is closed."))
    if need not in triage.codes("needs"):
        raise Refused(_("Choose which need it is about."), at="need")
    if age_band not in triage.codes("age_bands"):
        raise Refused(_("Choose an age from the list."), at="age_band")
    if police_area and police_area not in police_areas():
        raise Refused(_("Choose an area from the list."), at="police_area")


def _refuse_agencies(agencies: Sequence[PartnerAgency]) -> None:
    if not agencies:
        raise Refused(_("Choose at least one agency."), at="agencies")
    if len(agencies) > AT_MOST:
        raise Refused(_("Choose at most %(count)s agencies.") % {"count": AT_MOST}, at="agencies")
    for agency in agencies:
        if not agency.is_active or agency.kind.channel not in {HANDOVER, DEIDENTIFIED}:
            raise Refused(_("%(agency)s takes no questions.") % {"agency": agency}, at="agencies")
        if not agency.gets_mail:
            raise Refused(
                _("Nobody at %(agency)s would get the question: it has no mailbox and no account. Call them.")
                % {"agency": agency},
                at="agencies",
            )


def waiting_for(case: Case, need: str) -> set[int]:
    """The agencies that this is asked already, and that can still answer."""
    rows = PreAnswer.objects.filter(question__case=case, question__need=need, answer="", expires_at__gt=clock.now())
    return set(rows.values_list("agency", flat=True))


def police_areas() -> list[str]:
    """The areas that a question may name: wider than a municipality, so that nobody is known by it."""
    found = Municipality.objects.exclude(police_area="").order_by("police_area")
    return list(found.values_list("police_area", flat=True).distinct())


# -- the link ----------------------------------------------------------------------------------------------------------


def _signer() -> signing.Signer:
    return signing.Signer(salt="referrals.pre", sep=".")


def token_of(answer: PreAnswer) -> str:
    """What stands in the link of the mail: which question to whom, signed. It is stored nowhere."""
    return _signer().sign(f"{answer.pk.hex}-{answer.nonce}")


def answer_behind(token: str) -> PreAnswer | None:
    """What a link leads to while it can be answered. None for one that is forged, used, has run out, or is about what is
    closed: which of them is told to nobody."""
    try:
        pk, nonce = _signer().unsign(token).split("-")
        stand_also(pre_answer=pk)
        return open_answers().filter(pk=pk, nonce=nonce).first()
    except (signing.BadSignature, ValueError, ValidationError):  # no key at all
        return None


def open_answers() -> QuerySet[PreAnswer]:
    """The questions that can be answered now."""
    rows = PreAnswer.objects.filter(
        answer="", used_at=None, expires_at__gt=clock.now(), agency__is_active=True, question__case__closed_at=None
    )
    related = ("question", "question__case", "question__case__unit", "agency")
    return as_granted(rows, *related).order_by("expires_at", "pk")


# -- answered ----------------------------------------------------------------------------------------------------------


def answer_first(*, by: User | None, answer: PreAnswer, said: str, can_from: dt.date | None = None) -> PreAnswer:
    """Say yes, no or perhaps, and from when; `by` is none where it comes by the link. The first answer holds. Raises
    Refused, or TooLate where it was answered before, has run out, or is no longer asked."""
    if said not in PRE_ANSWERS:
        raise Refused(_("Choose an answer."), at="said")
    can_from = None if said == "no" else can_from
    if can_from and not clock.today() <= can_from <= clock.today() + FAR_OFF:
        raise Refused(_("Choose a day from today on, within a year."), at="can_from")
    with transaction.atomic():
        case = lock(answer.question.case)
        now = clock.now()
        taken = open_answers().filter(pk=answer.pk)
        if not PreAnswer.objects.filter(pk__in=taken.values("pk")).update(
            answer=said, can_from=can_from, answered_at=now, answered_by=by, used_at=now
        ):
            raise TooLate(_("The question was answered before, or is no longer asked."))
        answer.refresh_from_db()
        codes: dict[str, Any] = {"agency": answer.agency.name, "agency_id": answer.agency_id, "said": f"can_{said}"}
        record("pre.answered", by=by, case=case, row=answer.pk, **codes)
        _tell_us(case, answer)
    return answer


def _tell_us(case: Case, answer: PreAnswer) -> None:
    """The case's owner, or who stands in."""
    for person in stand_ins_of(case, case.owner, clock.today()) if case.owner else []:
        source = f"pre-answer:{answer.pk}:{person.pk}"
        notify(user=person, kind="pre.answered", source=source, case=case.pk, about=str(answer.pk))
