"""What our side writes about a handover that is sent."""

import datetime as dt
from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from helpline.people import clock
from helpline.people.words import WordsField
from intake.forms.cases import WhenField
from intake.forms.shifts import day_field
from referrals import deadlines
from referrals.asking import still_asked
from referrals.forms.words import words_field
from referrals.labels import BRINGS_BACK, CALLER_ANSWERS, DECLINE_REASONS, FAIL_REASONS, WITHDRAW_REASONS
from referrals.models import PartnerAgency, Referral

OURS = _("Only the support line reads this.")


class ActForm(forms.Form):
    """A form of one handover's page. It holds what was seen when the page was drawn, so that nothing is done twice."""

    seen = WordsField(required=False, max_length=40, widget=forms.HiddenInput)

    def __init__(self, data: Any = None, *, referral: Referral, seen: str = "", **rest: Any) -> None:
        self.referral = referral
        super().__init__(data, initial={**self.begins(), "seen": seen}, **rest)

    def begins(self) -> dict[str, Any]:
        """What is filled in from the beginning."""
        return {}


class AnswerForm(ActForm):
    """Our answer to an agency's question."""

    text = words_field(
        _("Our answer"), required=True, help_text=_("The agency reads this. It is shared on the same legal ground.")
    )


class PhoneForm(ActForm):
    """What an agency told us by phone."""

    text = words_field(_("What they told us"), 2, help_text=OURS)


class AcceptedForm(PhoneForm):
    """Who there has said yes by phone, and by when the person hears from them."""

    field_order = ["seen", "handled_by", "contact_by", "text"]
    handled_by = WordsField(label=_("Who with them"), required=False, max_length=120)
    contact_by = WhenField(label=_("First contact by"))

    def begins(self) -> dict[str, Any]:
        held = self.referral
        return {"contact_by": deadlines.first_contact(held.urgency, clock.now(), held.agency)}


class AgencyField(forms.ModelChoiceField):
    """An agency that is suggested, or none."""

    def __init__(self, **rest: Any) -> None:
        super().__init__(PartnerAgency.objects.none(), required=False, **rest)


class DeclinedForm(PhoneForm):
    """Why an agency says no or gives back by phone, and who could help instead."""

    field_order = ["seen", "reason", "suggested", "text"]
    reason = forms.ChoiceField(label=_("Reason"), choices=list(DECLINE_REASONS.items()), widget=forms.RadioSelect)
    suggested = AgencyField(label=_("Who could help instead, as they say"), empty_label=_("They do not know"))

    def __init__(self, *args: Any, **rest: Any) -> None:
        super().__init__(*args, **rest)
        field = self.fields["suggested"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = PartnerAgency.objects.nameable().exclude(pk=self.referral.agency_id)


class AskedForm(ActForm):
    """What an agency asks us by phone."""

    text = words_field(_("Their question"), required=True)


class BookedForm(ActForm):
    """A time that was booked with the person."""

    at = WhenField(label=_("When"))
    text = words_field(_("What was agreed"), 2, help_text=OURS)


class HoldForm(ActForm):
    """Until which day it rests."""

    until = day_field(_("Until"))
    text = words_field(_("Why"), 2, help_text=OURS)

    def clean_until(self) -> dt.date:
        until: dt.date = self.cleaned_data["until"]
        if until <= clock.today():
            raise forms.ValidationError(gettext("Choose a day that is still to come."))
        return until


class TickForm(ActForm):
    """That we spoke together."""


class MissedForm(ActForm):
    """That a contact did not come about."""

    text = words_field(_("What happened"), 2, help_text=OURS)


class FailedForm(ActForm):
    """Why it did not lead to help."""

    reason = forms.ChoiceField(label=_("Reason"), choices=list(FAIL_REASONS.items()), widget=forms.RadioSelect)
    text = words_field(_("What happened"), 2, help_text=OURS)


class WithdrawForm(ActForm):
    """Why we take it back."""

    reason = forms.ChoiceField(label=_("Reason"), choices=list(WITHDRAW_REASONS.items()), widget=forms.RadioSelect)
    text = words_field(_("More about why"), 2, help_text=OURS)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if data.get("reason") == "other" and not data.get("text") and "text" not in self.errors:
            self.add_error("text", gettext("Say why you take it back."))
        return data


class SaidForm(ActForm):
    """What the caller says when asked whether the handover helped."""

    answer = forms.ChoiceField(
        label=_("What the caller says"), choices=list(CALLER_ANSWERS.items()), widget=forms.RadioSelect
    )
    text = words_field(_("In the caller’s words"), 3, help_text=OURS)

    def __init__(self, *args: Any, **rest: Any) -> None:
        super().__init__(*args, **rest)
        if not still_asked(self.referral):
            left = [(code, label) for code, label in CALLER_ANSWERS.items() if code in BRINGS_BACK]
            self.fields["answer"].choices = left  # type: ignore[attr-defined]


class MessageForm(ActForm):
    """A line to the agency about this handover."""

    text = words_field(
        _("Write to them"), required=True, help_text=_("The agency reads this. It is shared on the same legal ground.")
    )


class CommentAnswerForm(ActForm):
    """Our answer to what an agency says of our handover."""

    text = words_field(_("Our answer"), required=True, help_text=_("The agency reads this."))


class ConsentForm(forms.Form):
    """That a consent is taken back."""

    text = words_field(
        _("What the person said"), 2, help_text=_("Only the support line reads this. It may be left empty.")
    )
