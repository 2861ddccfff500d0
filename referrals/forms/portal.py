"""What an agency answers: one form a move. Each carries what the page had seen, so that it acts once."""

import datetime as dt
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from helpline.people import clock
from helpline.people.wall import beyond_the_wall
from helpline.people.words import WordsField
from helpline.people.workdays import add_working_days
from referrals import deadlines, hours
from referrals.forms.words import words_field
from referrals.labels import DECLINE_REASONS, FAIL_REASONS
from referrals.models import PartnerAgency, Referral

UNKNOWN = "unknown"  # the agency does not know who could help instead; it says so itself
OURS_ALONE = _("Only the support line reads this.")


def last_change(referral: Referral) -> str:
    """The mark of what a page shows: the newest change of the handover."""
    return str(referral.changes.order_by("-at", "-id").values_list("pk", flat=True).first() or "")


def moment_field(label: Any, **rest: Any) -> forms.DateTimeField:
    """A day and a time in Sweden."""
    widget = forms.DateTimeInput(format="%Y-%m-%dT%H:%M", attrs={"type": "datetime-local"})
    return forms.DateTimeField(label=label, widget=widget, **rest)


class MoveForm(forms.Form):
    """A form by which an agency moves a handover. `seen` is the last change when the page was drawn."""

    seen = WordsField(required=False, max_length=40, widget=forms.HiddenInput)

    def __init__(self, *args: Any, referral: Referral | None = None, reader: str = "", **rest: Any) -> None:
        """`referral` gives the times and the mark to begin with; `reader` is who is logged in."""
        super().__init__(*args, **rest)
        self.referral = referral
        if referral is not None:
            self.initial = {**self.first_values(referral, reader), **self.initial}
            if not self.initial.get("seen"):
                self.initial["seen"] = last_change(referral)

    def first_values(self, referral: Referral, reader: str) -> dict[str, Any]:
        """What stands in it before anybody has written."""
        return {}


class AcceptForm(MoveForm):
    """Who at the agency takes it on, and by when the person has heard from them."""

    handled_by = WordsField(label=_("Who with you"), required=False, max_length=120)
    contact_by = moment_field(_("First contact by"))

    def clean_contact_by(self) -> dt.datetime:
        by: dt.datetime = self.cleaned_data["contact_by"]
        if by <= clock.now():
            raise forms.ValidationError(_("Choose a time that is still to come."))
        return by

    def first_values(self, referral: Referral, reader: str) -> dict[str, Any]:
        return self.initial_for(referral, reader)

    @classmethod
    def initial_for(cls, referral: Referral, name: str) -> dict[str, Any]:
        """The one who is logged in, and the time that the urgency asks for, in the agency's opening hours."""
        due = deadlines.first_contact(referral.urgency, clock.now(), referral.agency)
        return {"handled_by": name, "contact_by": due}


class ReasonForm(MoveForm):
    """Why it comes back to us, and who could help instead: a name of the directory, or that one does not know."""

    reason = forms.ChoiceField(label=_("Reason"), choices=list(DECLINE_REASONS.items()), widget=forms.RadioSelect)
    suggested = forms.ChoiceField(
        label=_("Who can help instead?"),
        error_messages={"required": _("Choose who can help instead, or that you don't know.")},
    )
    text = words_field(_("In your own words"), 2, help_text=OURS_ALONE)
    comment_text = words_field(
        _("About our handover"), 2, help_text=_("If something should have been better. The support line must answer.")
    )

    def __init__(self, *args: Any, **rest: Any) -> None:
        super().__init__(*args, **rest)
        self.agencies = {str(one.pk): one for one in self._others()}
        names = [(pk, one.name) for pk, one in self.agencies.items()]
        field = self.fields["suggested"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", _("Choose")), (UNKNOWN, _("Don't know")), *names]
        written = str(self.data.get("comment_text", "")).strip()  # words that come second are refused, never dropped
        if self.referral is None or (self.referral.comments.exists() and not written):
            del self.fields["comment_text"]

    def _others(self) -> list[PartnerAgency]:
        """Those that a handover can go to, but never who answers, nor one that nobody is to know of."""
        found = PartnerAgency.objects.nameable().only("name")
        with beyond_the_wall():  # of others the name alone, and only of those that may be named
            return list(found.exclude(pk=self.referral.agency_id) if self.referral else found)

    def clean_suggested(self) -> PartnerAgency | None:
        return self.agencies.get(self.cleaned_data["suggested"])


class DeclineForm(ReasonForm):
    """Why an agency says no."""


class ReturnForm(ReasonForm):
    """Why an agency that had taken it on gives it back."""


class AskForm(MoveForm):
    """What an agency needs to know before it answers."""

    text = words_field(_("Your question"), required=True)


class BookForm(MoveForm):
    """A time with the person: the agency alone, or together with us."""

    warm = forms.ChoiceField(
        label=_("Who calls"),
        choices=[
            ("alone", _("You meet or call the person yourselves")),
            ("warm", _("A three-way call: the support line is with you on the line")),
        ],
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose whether the support line is to be with you.")},
    )
    at = moment_field(_("Day and time"))
    text = words_field(_("How and where, in a few words"), 2, help_text=OURS_ALONE)

    def clean_warm(self) -> bool:
        return bool(self.cleaned_data["warm"] == "warm")

    def first_values(self, referral: Referral, reader: str) -> dict[str, Any]:
        """The time that is booked; else the promised one, or the next in which the agency is open."""
        now = clock.now()
        coming = [moment for moment in (referral.contact_at, referral.contact_due_at) if moment and moment > now]
        next_open = hours.within(referral.agency, deadlines.next_working_day(referral.urgency, now), after=now)
        kind = referral.contact_kind if referral.state == "contact_booked" else ""
        return {"at": coming[0] if coming else next_open, "warm": kind}


class ContactForm(MoveForm):
    """That an agency has had contact."""

    text = words_field(_("How it went, in a few words"), 2, help_text=OURS_ALONE)


class TickForm(MoveForm):
    """That they spoke together with us and the person."""


class MissForm(MoveForm):
    """That the contact did not come about."""

    text = words_field(_("What happened, in a few words"), 2, help_text=OURS_ALONE)


class HoldForm(MoveForm):
    """Until which day it rests."""

    until = forms.DateField(label=_("Wait until"), widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}))
    text = words_field(_("Why, in a few words"), 2, help_text=OURS_ALONE)

    def first_values(self, referral: Referral, reader: str) -> dict[str, Any]:
        """In a week, on a working day, or the last day on which they see it."""
        week = add_working_days(clock.today() + dt.timedelta(days=7), 0)
        return {"until": min(week, referral.access_until) if referral.access_until else week}


class ResumeForm(MoveForm):
    """That it goes on."""

    text = words_field(_("In a few words"), 2, help_text=OURS_ALONE)


class FailForm(MoveForm):
    """That it did not lead to help."""

    reason = forms.ChoiceField(label=_("Reason"), choices=list(FAIL_REASONS.items()), widget=forms.RadioSelect)
    text = words_field(_("In your own words"), 2, help_text=OURS_ALONE)


class CompleteForm(MoveForm):
    """That an agency has done what it was asked."""

    text = words_field(_("What came of it, in a few words"), 2, help_text=OURS_ALONE)
