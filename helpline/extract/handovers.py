"""What an extract tells of handovers: the card, the agency, when and on which ground; what was disclosed; who consented."""

from collections.abc import Iterator

from django.utils.translation import gettext as _

from helpline.extract import masks, reporters
from helpline.extract.content import Line, Part, Subject, at, part, said
from helpline.extract.tables import CARD_OF_CALLER, OWN
from referrals.disclosed import disclosed
from referrals.labels import CALLER_ANSWERS
from referrals.models import Consent, Referral


def of_handovers(subject: Subject) -> Iterator[Part]:
    """Handovers, disclosures and consents of one case."""
    case = subject.case
    rows = list(case.referrals.select_related("agency", "consent", "case__key").order_by("created_at", "pk"))
    for row in rows:
        row.case = case
    yield part("handovers", case.number, (line for row in rows for line in _handover(row, subject)))
    yield part("disclosures", case.number, (line for row in rows for line in _disclosed(row, subject)))
    yield part("consents", case.number, _consents(subject))


def _agency(row: Referral, subject: Subject) -> str:
    """The agency; for who did not call, of one that was found for who called, what stands for it."""
    return masks.reporter() if row.agency.name in subject.agencies else str(row.agency)


def _handover(row: Referral, subject: Subject) -> Iterator[Line]:
    ground = row.legal_ground
    sent = _("sent %(time)s") % {"time": at(row.sent_at)} if row.sent_at else _("a draft, never sent")
    need = "" if subject.of_caller != OWN and reporters.tells(row.need) else row.need_name
    yield Line(_("Handover"), said(_agency(row, subject), need, row.state_name, sent), free="")
    if ground:
        of = "consents" if ground.is_consent else ""
        words = said(ground.name, ground.law, row.ground_reason)
        yield Line(_("Legal ground"), words, of=of, free=row.ground_reason)
    for field, label, words in row.card:
        of = "safe" if field == "safe_contact" else ""
        yield Line(label, words, subject.of_caller if field in CARD_OF_CALLER else OWN, of=of)
    names = {one.name for one in subject.people}
    for label, words in ((_("Name"), row.name), (_("Phone number"), row.phone)):
        if words:
            yield Line(label, words, OWN if row.name in names else subject.of_caller, of="person")
    if row.kept_back:
        yield Line(_("What we did not share, and why"), row.kept_back, of="disclosures")
    for change in row.changes.select_related("suggested").order_by("at", "pk"):
        change.referral = row
        if change.text or change.reason_name:
            yield Line(at(change.at), said(change.reason_name, change.text), free=change.text)
    yield from _exchanged(row, subject)


def _exchanged(row: Referral, subject: Subject) -> Iterator[Line]:
    for message in row.messages.order_by("at", "pk"):
        message.referral = row
        who = _agency(row, subject) if message.from_agency else row.case.unit
        yield Line(_("Message from %(who)s, %(time)s") % {"who": who, "time": at(message.at)}, message.text)
    for comment in row.comments.order_by("at", "pk"):
        comment.referral = row
        yield Line(_("Comment of the agency, %(time)s") % {"time": at(comment.at)}, said(comment.text, comment.answer))
    for answer in row.caller_answers.order_by("at", "pk"):
        answer.referral = row
        words = said(CALLER_ANSWERS[answer.answer], answer.text)
        yield Line(_("What the caller said afterwards, %(time)s") % {"time": at(answer.at)}, words, subject.of_caller)


def _disclosed(row: Referral, subject: Subject) -> Iterator[Line]:
    for one in disclosed(row):
        withheld = _("Not shared: %(what)s") % {"what": one.withheld} if one.withheld else ""
        words = said(one.way, one.shared, withheld, one.ground, one.text)
        yield Line(f"{at(one.at)}, {_agency(row, subject)}", words, of="handovers", free=one.text)


def _consents(subject: Subject) -> Iterator[Line]:
    for one in Consent.objects.filter(case=subject.case).select_related("agency").order_by("given_at", "pk"):
        forms = {"spoken": _("spoken"), "written": _("written")}
        who = {"self": _("by the person who called"), "guardian": _("by a guardian")}
        ended = _("withdrawn %(time)s") % {"time": at(one.withdrawn_at)} if one.withdrawn_at else ""
        until = _("valid until %(day)s") % {"day": one.valid_until}
        agency = masks.reporter() if str(one.agency) in subject.agencies else one.agency
        words = said(f"{at(one.given_at)}, {who[one.given_by]}, {forms[one.form]}", agency, until, ended)
        yield Line(_("Consent"), words, subject.of_caller if one.given_by == "self" else OWN, free="")
