"""A referral before it is sent: written, saved, thrown away. Nobody outside the unit sees it."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from helpline.people import clock
from helpline.people.audit import log
from helpline.people.errors import Refused, TooLate
from helpline.people.models import User
from helpline.people.sealed import SealedTextField
from intake import triage
from intake.actions.timeline import lock, record
from intake.actions.tracks import no_identity
from intake.models import Case
from referrals.drawn import mark_of
from referrals.grounds import grounds
from referrals.labels import CARD
from referrals.models import Consent, PartnerAgency, Referral
from referrals.partners import HANDOVER, SIGNPOST
from referrals.states import OPEN

IDENTITY = {"name", "phone"}
SEALED = [field.attname for field in Referral._meta.concrete_fields if isinstance(field, SealedTextField)]
WRITTEN = {*CARD, *IDENTITY, "ground", "ground_reason", "age_band", "need", "kept_back"}


class DraftMoved(TooLate):
    """The draft was changed since the page was drawn, or its consent was withdrawn: nothing is saved."""


def draft_referral(
    *, by: User, case: Case, agency: PartnerAgency, need: str, instead: Referral | None = None
) -> Referral:
    """Begin a referral to an agency, or go on with the one that is begun: pressing twice, or two at once, makes one. What
    the case knows that may be shared is filled in; what was told once for the referral that it stands in for is carried
    over, and that one thrown away if it was a draft. Nothing is sent."""
    if agency.kind.channel == SIGNPOST:
        raise Refused(_("The caller goes to %(agency)s alone; no data is sent.") % {"agency": agency})
    if need not in triage.codes("needs"):
        raise Refused(_("Choose which need it is about."))
    with transaction.atomic():
        case = lock(case)
        if not case.is_open:
            raise Refused(_("The case is closed."))
        begun = Referral.objects.select_related("case__key", "agency", "consent")
        if in_place := begun.filter(case=case, agency=agency, need=need, state="draft").order_by("pk").first():
            return in_place
        referral = Referral.objects.create(
            case=case,
            unit_id=case.unit_id,
            agency=agency,
            need=need,
            urgency=case.urgency,
            age_band=case.age_band,
            safe_contact=case.safe.text if agency.kind.channel == HANDOVER else "",
            about=case.age_name,
            created_by=by,
            created_at=clock.now(),
        )
        log("referral.drafted", by=by, case=case.pk, row=referral.pk, agency=agency.pk, need=need)
        return _carry_over(by, referral, instead) if instead else referral


def _carry_over(by: User, referral: Referral, instead: Referral) -> Referral:
    told = {field: getattr(instead, field) for field in CARD}
    saved = save_draft(by=by, referral=referral, words={**told, "age_band": instead.age_band})
    if instead.state == "draft":
        discard_draft(by=by, referral=instead)
    return saved


def save_draft(
    *,
    by: User,
    referral: Referral,
    words: Mapping[str, str],
    approved: bool | None = None,
    consent: Mapping[str, Any] | None = None,
    leads: bool | None = None,
    drawn: str | None = None,
) -> Referral:
    """Save what is given. A card that changes is no longer approved; `approved` says that it was read back as it stands.
    `consent` is {form, valid_until}: who said yes, how, until when; what it covers is the text that was read back. `leads`
    says whether it is the need's leading handover or stands alongside another. `drawn` is the mark of what the page was
    drawn from: an old page saves nothing, unless it says what stands there. Raises Refused, TooLate or DraftMoved."""
    with transaction.atomic():
        referral = _draft(referral)
        if _is_old(referral, drawn, words, approved, consent, leads):
            return referral
        changed = {field for field, text in words.items() if getattr(referral, field) != text}
        for field in changed:
            if field not in WRITTEN:
                raise Refused(_("A handover has no “%(name)s”.") % {"name": field})
            if field in IDENTITY and words[field] and not referral.case.takes_identity:
                raise Refused(no_identity(referral.case.track))
            setattr(referral, field, words[field])
        if changed & {*CARD, *IDENTITY}:
            referral.approved_at = None
        if approved is not None:
            referral.approved_at = (referral.approved_at or clock.now()) if approved else None
        if consent:
            referral.consent = _consent(by, referral, **consent)
        if leads is not None:
            referral.leads = leads
        if referral.consent and referral.approved_at and referral.consent.scope != referral.shared:
            referral.consent.scope = referral.shared
            referral.consent.save(update_fields=["scope"])
        referral.save()
        log("referral.saved", by=by, case=referral.case_id, row=referral.pk, parts=sorted(changed))
    return referral


def _is_old(draft: Referral, drawn: str | None, *says: Any) -> bool:
    """Whether a page is old that says what stands there. Raises DraftMoved for an old page that says anything else."""
    if drawn is None or drawn == mark_of(draft):
        return False
    if not _says_the_same(draft, *says):
        raise DraftMoved(has_moved())
    return True


def _says_the_same(
    draft: Referral,
    words: Mapping[str, str],
    approved: bool | None,
    consent: Mapping[str, Any] | None,
    leads: bool | None,
) -> bool:
    """Whether a page says what stands there now, as when a button was pressed twice."""
    ground, held = grounds().get(words.get("ground", "")), draft.consent
    given = {"form": held.form, "valid_until": held.valid_until} if held and ground and ground.is_consent else None
    return (
        all(getattr(draft, field) == text for field, text in words.items())
        and approved in (None, draft.approved_at is not None)
        and leads in (None, draft.leads)
        and (dict(consent) if consent else None) == given
        and (held is None or held.withdrawn_at is None)
    )


def has_moved() -> str:
    """Why an old page saves and sends nothing."""
    return _("The draft has changed since this page was opened. Nothing was saved or sent just now.")


def clean_sent_and_drafts(case: Case) -> None:
    """Take the addresses out of what is not sent yet and of what an agency reads now, where the case's level has come to
    forbid them. A draft whose card is another text now was not read back."""
    found = Referral.objects.filter(case=case, state__in={"draft", *OPEN}).select_related("case__key", "agency")
    for each in found.order_by("pk"):
        before = {field: getattr(each, field) for field in SEALED}
        each.save(update_fields=SEALED)
        changed = sorted(field for field, text in before.items() if getattr(each, field) != text)
        if changed and each.state == "draft" and set(changed) & set(CARD):
            Referral.objects.filter(pk=each.pk).update(approved_at=None)
        elif changed and each.state != "draft":
            names: dict[str, Any] = {"agency": each.agency.name, "agency_id": each.agency_id}
            record("referral.cleaned", by=None, case=case, row=each.pk, parts=changed, **names)


def discard_draft(*, by: User, referral: Referral, drawn: str | None = None) -> None:
    """Throw a draft away, as it was seen (`drawn`). What was sent is never thrown away. Raises TooLate or DraftMoved."""
    with transaction.atomic():
        referral = _draft(referral)
        if drawn and drawn != mark_of(referral):
            raise DraftMoved(_("The draft has changed since this page was opened. It is not thrown away."))
        log("referral.discarded", by=by, case=referral.case_id, row=referral.pk)
        referral.delete()


def _draft(referral: Referral) -> Referral:
    lock(Case(pk=referral.case_id))  # the case first, as every move does: so two never wait for each other
    held = (
        Referral.objects.select_for_update(of=("self",))
        .select_related("case__key", "agency", "consent")
        .get(pk=referral.pk)
    )
    if held.state != "draft":
        raise TooLate(_("This handover is already sent."))
    held.follow_urgency()
    return held


def _consent(by: User, referral: Referral, form: str, valid_until: dt.date) -> Consent:
    given_by = "guardian" if referral.legal_ground and referral.legal_ground.needs == "guardian_consent" else "self"
    old = referral.consent
    if old and old.withdrawn_at is None and (old.form, old.valid_until, old.given_by) == (form, valid_until, given_by):
        return old
    return Consent.objects.create(
        case=referral.case,
        agency=referral.agency,
        given_by=given_by,
        form=form,
        given_at=clock.now(),
        valid_until=valid_until,
        taken_by=by,
    )
