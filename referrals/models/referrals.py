"""Referrals, and every change of their state."""

import datetime as dt
from typing import Any, Self

import pgtrigger
from django.db import models
from django.db.models import Q, Subquery

from helpline.people import clock
from helpline.people.ids import uuid7
from helpline.people.models import Unit, User, in_use, never_changed_in, only_by_disposal
from helpline.people.sealed import DataKey, SealedModel, SealedTextField
from intake import triage
from intake.models import Case
from intake.models.cases import in_locked
from intake.models.sums import marks_days
from referrals import states
from referrals.grounds import Ground, consent_grounds, grounds
from referrals.labels import CARD, REASONS, SHARED, STATES
from referrals.models.agencies import AgencyMember, PartnerAgency
from referrals.models.consents import Consent

CASE_OF_REFERRAL = "(SELECT r.case_id FROM referrals_referral r WHERE r.id = OLD.referral_id)"
LATELY = dt.timedelta(days=14)  # so long an agency sees that something ended
ENDED_BY_OTHERS = ["expired", "failed", "withdrawn"]  # by us, by the caller or by silence: said so long in their inbox
LEFT_TO_READ = sorted({*states.STATES} - states.SEEN_BY_AGENCY - {"draft", "withdrawn"})  # where our answer may be
TO_CONFIRM = Q(state="withdrawn", confirmed_at__isnull=True)
# Said by the database, whoever writes the row: so a unit's list of what has ended is read in its order, however much there is.
UNIT_OF = """
    NEW.unit_id = (SELECT c.unit_id FROM intake_case c WHERE c.id = NEW.case_id);
    RETURN NEW;
"""
# Whoever wrote it: a referral begins as a draft and changes state as MOVES says (states.py), and in no other way.
REFUSE_STATE = """
    RAISE EXCEPTION 'referral %: no move leads to this state', NEW.id USING ERRCODE = 'integrity_constraint_violation';
"""

# A state stands nowhere but where its changes lead: spoken at commit, so that the two are written in any order.
REFUSE_DRIFT = """
    IF EXISTS (
        SELECT 1 FROM referrals_referral r WHERE r.id = {referral} AND
            (SELECT count(*) FROM referrals_statechange c WHERE c.referral_id = r.id AND c.target = r.state)
          - (SELECT count(*) FROM referrals_statechange c WHERE c.referral_id = r.id AND c.source = r.state)
          <> CASE WHEN r.state = 'draft' THEN 0 ELSE 1 END
    ) THEN
        RAISE EXCEPTION 'referral %: its changes do not lead to its state', {referral}
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
"""


def no_drift(name: str, referral: str, operation: Any) -> pgtrigger.Trigger:
    """The deferred trigger that keeps a referral's state what its changes say, whoever wrote either."""
    return pgtrigger.Trigger(
        name=name,
        level=pgtrigger.Row,
        when=pgtrigger.After,
        operation=operation,
        timing=pgtrigger.Deferred,
        func=REFUSE_DRIFT.format(referral=referral),
    )


class ReferralQuerySet(models.QuerySet["Referral"]):
    """Which referrals."""

    def of_agency_of(self, user: User) -> Self:
        """All that was ever with this person's agency, or is drafted to it: asked in the same statement. For the four below."""
        members = AgencyMember.objects.filter(in_use("user__"), user=user, agency__is_active=True)
        return self.filter(agency=Subquery(members.values("agency")))

    def for_agency_of(self, user: User) -> Self:
        """What was handed to this person's agency and is still with it. Nothing before it is sent, after it ended, or after
        the case was closed."""
        theirs = self.of_agency_of(user).filter(case__closed_at__isnull=True, state__in=sorted(states.SEEN_BY_AGENCY))
        return theirs.filter(Q(access_until__isnull=True) | Q(access_until__gte=clock.today()))

    def to_confirm_by(self, user: User) -> Self:
        """What was withdrawn from this person's agency, which has not yet confirmed that it has stopped. No word of it."""
        return self.of_agency_of(user).filter(TO_CONFIRM)

    def answered_for(self, user: User) -> Self:
        """What has left this person's agency after it commented on our handover, and we have answered: to be read as long
        as its access would have lasted, and where a consent is the ground as long as that holds. Not what we took back."""
        ended = self.of_agency_of(user).filter(state__in=LEFT_TO_READ)
        over = Q(consent__withdrawn_at__isnull=False) | Q(consent__valid_until__lt=clock.today())
        ended = ended.exclude(Q(ground__in=consent_grounds()) & over)
        return ended.filter(access_until__gte=clock.today(), comments__answered_at__isnull=False)

    def lately_ended_for(self, user: User) -> Self:
        """What ended in the last fourteen days while it was with this person's agency, by us, by the caller or by silence:
        for a line that says so and nothing of what it held. Never for police, who have no list."""
        ended = self.of_agency_of(user).filter(state__in=ENDED_BY_OTHERS, ended_at__gt=clock.now() - LATELY)
        ended = ended.filter(~Q(state="withdrawn") | Q(confirmed_at__isnull=False))
        return ended.filter(agency__in=PartnerAgency.objects.no_police())

    def visible_to(self, user: User) -> Self:
        """The referrals of one's own unit's cases; none of a case that this person is locked out of."""
        if not user.is_in_use or user.unit_id is None:
            return self.none()
        return self.filter(unit=user.unit_id).exclude(case__in=in_locked(user))

    def within_reach_of(self, user: User) -> Self:
        """Those of cases that this person may come to, an emergency opening included: for the gate alone."""
        return self.filter(case__in=Case.objects.within_reach_of(user))

    def waiting(self) -> Self:
        """Sent, and no answer yet."""
        return self.filter(state__in=states.UNANSWERED)

    def open(self) -> Self:
        """With an agency, and not ended."""
        return self.filter(state__in=states.OPEN)


class Referral(SealedModel):
    """A handover: one agency, one need, one ground, and the card that is all the agency sees. The case stays ours."""

    case = models.ForeignKey(Case, models.PROTECT, related_name="referrals")
    # That of its case: by the trigger of_unit.
    unit = models.ForeignKey(Unit, models.PROTECT, related_name="+", db_index=False)
    agency = models.ForeignKey(PartnerAgency, models.PROTECT, related_name="referrals")
    need = models.CharField(max_length=24)
    state = models.CharField(max_length=16, default="draft")
    urgency = models.CharField(max_length=12)
    # The age of the person whom this referral concerns: in a report the child, though the call was about an adult.
    age_band = models.CharField(max_length=8, default="unknown")
    ground = models.CharField(max_length=24, blank=True)
    ground_reason = SealedTextField()
    consent = models.ForeignKey(Consent, models.PROTECT, null=True, related_name="+")
    ask = SealedTextField()
    about = SealedTextField()
    happened = SealedTextField()
    wants = SealedTextField()
    fears = SealedTextField()
    tried = SealedTextField()
    dont_ask = SealedTextField()
    safe_contact = SealedTextField()
    name = SealedTextField()  # shown to the agency when it has accepted
    phone = SealedTextField()  # the same
    kept_back = SealedTextField()  # what we do not share, and why: our own record, never the agency's
    approved_at = models.DateTimeField(null=True)  # read back to the caller and approved
    created_at = models.DateTimeField(default=clock.now)
    created_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    sent_at = models.DateTimeField(null=True)
    answer_due_at = models.DateTimeField(null=True)
    contact_due_at = models.DateTimeField(null=True)
    handled_by = SealedTextField()
    # One need has one leading handover that is taken on; others may stand alongside (police and a shelter).
    leads = models.BooleanField(default=True)
    contact_kind = models.CharField(max_length=5, blank=True)  # of a booked contact: alone | warm (a three-way call)
    contact_at = models.DateTimeField(null=True)
    agency_spoke_at = models.DateTimeField(null=True)  # of a three-way call, the two ticks
    owner_spoke_at = models.DateTimeField(null=True)
    hold_until = models.DateField(null=True)
    access_until = models.DateField(null=True)
    confirmed_at = models.DateTimeField(null=True)  # the agency has stopped
    ended_at = models.DateTimeField(null=True)

    objects = ReferralQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(
                fields=["agency", "answer_due_at", "id"],
                name="agency_inbox",
                condition=Q(state__in=sorted(states.OPEN)),
            ),
            # What is left to an agency of what has ended: asked for by its pages, in which the past grows.
            models.Index(fields=["agency", "ended_at"], name="agency_to_confirm", condition=TO_CONFIRM),
            models.Index(
                fields=["agency", "ended_at"], name="agency_ended_lately", condition=Q(state__in=ENDED_BY_OTHERS)
            ),
            models.Index(
                fields=["agency", "access_until"], name="agency_left_to_read", condition=Q(state__in=LEFT_TO_READ)
            ),
            models.Index(fields=["answer_due_at"], name="unanswered", condition=Q(state__in=["sent", "opened"])),
            models.Index(fields=["case", "created_at"], name="referrals_of_case"),
            models.Index(
                fields=["case", "answer_due_at"], name="open_of_case", condition=Q(state__in=sorted(states.OPEN))
            ),
            models.Index(fields=["sent_at"], name="referrals_by_time", condition=Q(sent_at__isnull=False)),
            models.Index(
                fields=["unit", "-ended_at", "-id"], name="ended_of_unit", condition=Q(ended_at__isnull=False)
            ),
        ]
        constraints = [
            models.CheckConstraint(name="known_state", condition=Q(state__in=states.STATES)),
            models.CheckConstraint(
                name="sent_has_a_ground",
                condition=Q(state="draft") | (~Q(ground="") & Q(sent_at__isnull=False, answer_due_at__isnull=False)),
            ),
            models.CheckConstraint(
                name="consent_ground_has_one",
                condition=Q(state="draft") | ~Q(ground__in=["CONSENT", "CONSENT_GUARDIAN"]) | Q(consent__isnull=False),
            ),
            models.UniqueConstraint(
                name="one_leading_handover_of_a_need",
                fields=["case", "need"],
                condition=Q(leads=True, state__in=sorted(states.TAKEN_ON)),
            ),
            models.CheckConstraint(
                name="booked_has_a_time",
                condition=~Q(state="contact_booked") | (Q(contact_at__isnull=False) & ~Q(contact_kind="")),
            ),
            models.CheckConstraint(
                name="held_until_a_date", condition=~Q(state="on_hold") | Q(hold_until__isnull=False)
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="born_a_draft",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                condition=pgtrigger.Condition("NEW.state <> 'draft'"),
                func=REFUSE_STATE,
            ),
            pgtrigger.Trigger(
                name="only_moves",
                when=pgtrigger.Before,
                operation=pgtrigger.UpdateOf("state"),
                condition=pgtrigger.Condition(
                    "OLD.state <> NEW.state AND OLD.state || '>' || NEW.state NOT IN "
                    f"({', '.join(repr(pair) for pair in states.steps_between_states())})"
                ),
                func=REFUSE_STATE,
            ),
            no_drift("as_its_changes_say", "NEW.id", pgtrigger.UpdateOf("state")),
            # It follows where the case moves (migration 0008).
            pgtrigger.Trigger(
                name="of_unit",
                level=pgtrigger.Row,
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.UpdateOf("unit_id"),
                func=UNIT_OF,
            ),
            only_by_disposal(case="OLD.case_id", condition=pgtrigger.Condition("OLD.state <> 'draft'")),
            marks_days("marks_day", "{row}.sent_at", "state sent_at answer_due_at agency_id need urgency"),
        ]

    class Privacy:
        personal = {
            *("ground_reason", "ask", "about", "happened", "wants", "fears", "tried", "dont_ask", "safe_contact"),
            *("name", "phone", "handled_by", "kept_back"),
        }
        plain = {
            *("id", "case", "unit", "agency", "need", "state", "urgency", "age_band", "ground", "consent"),
            *("approved_at", "created_at", "created_by", "sent_at", "answer_due_at", "contact_due_at"),
            *("ended_at", "leads"),
            *("contact_kind", "contact_at", "agency_spoke_at", "owner_spoke_at", "hold_until", "access_until"),
            *("confirmed_at",),
        }

    def seal_key(self) -> DataKey:
        return self.case.key

    @property
    def need_name(self) -> str:
        return triage.name_of("needs", self.need)

    @property
    def age_name(self) -> str:
        return triage.name_of("age_bands", self.age_band)

    @property
    def state_name(self) -> str:
        return str(STATES[self.state])

    @property
    def urgency_name(self) -> str:
        return triage.name_of("urgencies", self.urgency)

    def follow_urgency(self) -> None:
        """A draft is never calmer than its case has become since it was begun. It is not saved here."""
        if self.state == "draft":
            self.urgency = triage.more_urgent(self.urgency, self.case.urgency)

    @property
    def legal_ground(self) -> Ground | None:
        return grounds().get(self.ground)

    @property
    def card(self) -> list[tuple[str, str, str]]:
        """What the agency sees, and nothing else: (field, label, words), without what is empty."""
        return [(field, str(label), getattr(self, field)) for field, label in CARD.items() if getattr(self, field)]

    @property
    def shared(self) -> list[str]:
        """The codes of what it holds to share (labels.SHARED)."""
        return [field for field in SHARED if getattr(self, field)]

    @property
    def shown(self) -> list[str]:
        """The codes of what the agency sees of it now: who it is about only once it has accepted."""
        return [field for field in self.shared if field in CARD or self.shows_identity]

    @property
    def shows_identity(self) -> bool:
        """Whether the agency sees the name and the number that are shared: only once it has accepted, and as long as a
        consent holds where that is the ground."""
        ground = self.legal_ground
        may = not (ground and ground.is_consent) or (self.consent is not None and self.consent.holds)
        return may and self.state in states.TAKEN_ON

    @property
    def caller_knows(self) -> bool:
        """Whether the caller was told of this very handover: it was read back, or consented to."""
        consented = self.consent is not None and self.consent.given_by == "self"
        return self.approved_at is not None or consented

    @property
    def is_warm(self) -> bool:
        """Whether a three-way call is booked."""
        return self.state == "contact_booked" and self.contact_kind == "warm"

    @property
    def is_waiting(self) -> bool:
        return self.state in states.UNANSWERED

    @property
    def is_silent(self) -> bool:
        """Sent, and past its answer time."""
        return self.is_waiting and self.answer_due_at is not None and self.answer_due_at < clock.now()


class StateChange(SealedModel):
    """One change of a referral's state: who, when, from, to, why. Never changed."""

    append_only = True  # grants.py: the application's role adds and reads, no more
    disposable = True

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    referral = models.ForeignKey(Referral, models.PROTECT, related_name="changes")
    at = models.DateTimeField(default=clock.now)
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    move = models.CharField(max_length=16)
    source = models.CharField(max_length=16)
    target = models.CharField(max_length=16)
    reason = models.CharField(max_length=20, blank=True)
    text = SealedTextField()
    way = models.CharField(max_length=8, blank=True)  # phone: the agency said it to us; link: without an account
    suggested = models.ForeignKey(PartnerAgency, models.PROTECT, null=True, related_name="+")

    class Meta:
        indexes = [
            models.Index(fields=["referral", "at"], name="changes_in_order"),
            models.Index(fields=["at"], name="contacts_by_time", condition=Q(target="contact_made")),
        ]
        constraints = [
            models.UniqueConstraint(
                name="one_answer_a_referral", fields=["referral"], condition=Q(move__in=["accept", "decline"])
            )
        ]
        triggers = [
            *never_changed_in(case=CASE_OF_REFERRAL),
            no_drift("as_its_referral", "NEW.referral_id", pgtrigger.Insert),
            marks_days("marks_day", "CASE WHEN {row}.target = 'contact_made' THEN {row}.at END"),
        ]

    class Privacy:
        personal = {"text"}
        plain = {"id", "referral", "at", "by", "move", "source", "target", "reason", "way", "suggested"}

    def seal_key(self) -> DataKey:
        return self.referral.case.key

    @property
    def reason_name(self) -> str:
        return str(REASONS[self.reason]) if self.reason in REASONS else ""
