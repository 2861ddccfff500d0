"""The form for telling somebody where to go alone."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from referrals.labels import SIGNPOST_WHYS


class SignpostForm(forms.Form):
    """Why the person goes there alone, where a handover is possible; and whether we ask later."""

    why = forms.ChoiceField(
        label=_("Somebody could take over here. Why does the person go there alone?"),
        choices=lambda: list(SIGNPOST_WHYS.items()),
        widget=forms.RadioSelect,
        help_text=_("“Instead of a handover” is written down as a bounce."),
        error_messages={"required": _("Choose why.")},
    )
    asks_later = forms.BooleanField(label=_("We ask in a week whether the person got there"), required=False)

    def __init__(self, *args: Any, asks_why: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not asks_why:
            del self.fields["why"]
