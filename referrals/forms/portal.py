"""What an agency answers."""

import datetime as dt
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from helpline.people import clock
from helpline.people.words import WordsField
from referrals import deadlines
from referrals.forms.words import words_field
from referrals.labels import DECLINE_REASONS
from referrals.models import Referral


class AcceptForm(forms.Form):
    """Who at the agency takes it on, and by when the person has heard from them."""

    handled_by = WordsField(label=_("Who with you"), required=False, max_length=120)
    contact_by = forms.DateTimeField(
        label=_("First contact by"),
        widget=forms.DateTimeInput(format="%Y-%m-%dT%H:%M", attrs={"type": "datetime-local"}),
    )

    def clean_contact_by(self) -> dt.datetime:
        by: dt.datetime = self.cleaned_data["contact_by"]
        if by <= clock.now():
            raise forms.ValidationError(_("Choose a time that is still to come."))
        return by

    @classmethod
    def initial_for(cls, referral: Referral, name: str) -> dict[str, Any]:
        """The one who is logged in, and the time that the urgency asks for."""
        return {"handled_by": name, "contact_by": deadlines.answer_due(referral.urgency, clock.now())}


class DeclineForm(forms.Form):
    """Why an agency says no."""

    reason = forms.ChoiceField(label=_("Reason"), choices=list(DECLINE_REASONS.items()), widget=forms.RadioSelect)
    text = words_field(_("In your own words, and who could help instead"), 2)


class AskForm(forms.Form):
    """What an agency needs to know before it answers."""

    text = words_field(_("Your question"), required=True)


class ContactForm(forms.Form):
    """That an agency has had contact."""

    text = words_field(_("How it went, in a few words"), 2, help_text=_("Only the support line reads this."))


class CompleteForm(forms.Form):
    """That an agency has done what it was asked."""

    text = words_field(_("What came of it, in a few words"), 2, help_text=_("Only the support line reads this."))
