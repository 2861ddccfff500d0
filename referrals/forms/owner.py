"""What our side writes about a handover that is sent."""

from django import forms
from django.utils.translation import gettext_lazy as _

from referrals.forms.words import words_field


class AnswerForm(forms.Form):
    """Our answer to an agency's question."""

    text = words_field(
        _("Our answer"), required=True, help_text=_("The agency reads this. It is shared on the same legal ground.")
    )


class PhoneForm(forms.Form):
    """What an agency told us by phone."""

    text = words_field(_("What they told us"), 2)


class TakeBackForm(forms.Form):
    """Why we wait no longer."""

    text = words_field(_("Why, for our own record"), 2)
