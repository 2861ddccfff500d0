"""What an agency writes beside its answer: a message, a comment, what it had to ask again."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from helpline.people.words import WordsField
from referrals.actions.asked_again import OTHER
from referrals.actions.messages import mark_of_line
from referrals.forms.portal import OURS_ALONE
from referrals.forms.words import words_field
from referrals.labels import CARD
from referrals.models import Referral


class MessageForm(forms.Form):
    """A message to the other side. `seen` is the last message when the page was drawn."""

    seen = WordsField(required=False, max_length=40, widget=forms.HiddenInput)
    text = words_field(_("Your message"), required=True)

    def __init__(self, *args: Any, referral: Referral, **rest: Any) -> None:
        super().__init__(*args, **rest)
        self.initial.setdefault("seen", mark_of_line(referral))


class CommentForm(forms.Form):
    """What an agency says of our handover."""

    text = words_field(_("What should have been better, or was good"), required=True)

    def __init__(self, *args: Any, referral: Referral, **rest: Any) -> None:
        super().__init__(*args, **rest)


class AskedAgainForm(forms.Form):
    """Which parts of the card the person had to tell again."""

    what = forms.MultipleChoiceField(
        label=_("What you had to ask again"),
        choices=[*CARD.items(), (OTHER, _("Other"))],
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose what you had to ask again.")},
    )
    text = words_field(_("In your own words"), 2, help_text=OURS_ALONE)

    def __init__(self, *args: Any, referral: Referral, **rest: Any) -> None:
        super().__init__(*args, **rest)
