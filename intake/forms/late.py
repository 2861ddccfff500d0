"""The form of a call that was taken on paper and is entered afterwards."""

from django import forms
from django.utils.translation import gettext_lazy as _

from helpline.people.errors import Refused
from intake.forms.children import PastField


class LateForm(forms.Form):
    """When it took place, and how long it took. What can be is said by the action."""

    received_at = PastField(label=_("When the call began"))
    minutes = forms.IntegerField(
        label=_("How many minutes it took"),
        widget=forms.NumberInput(attrs={"inputmode": "numeric", "class": "short"}),
    )

    def refuse(self, refused: Refused) -> None:
        """Show at its place why it cannot be so."""
        self.add_error(refused.at or None, str(refused))
