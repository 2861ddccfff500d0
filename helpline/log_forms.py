"""What a reviewer asks the log for: whose rows, of which case, from when to when."""

import datetime as dt
from typing import Any

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from helpline.keeper import in_order
from helpline.log_shown import case_by_number
from helpline.people.models import User
from helpline.people.words import WordsField

NOBODY = "nobody"


def _day_field(label: Any) -> forms.DateField:
    """A day of which there can be a log: not one that the calendar has no day after."""
    said = gettext_lazy("Choose a day between 2000 and 2999.")
    validators = [MinValueValidator(dt.date(2000, 1, 1), said), MaxValueValidator(dt.date(2999, 12, 31), said)]
    widget = forms.DateInput(attrs={"type": "date"})
    return forms.DateField(label=label, required=False, widget=widget, validators=validators)


class AskForm(forms.Form):
    """Whose rows, of which case, from when to when. Nothing chosen: everything, the newest first."""

    who = forms.ChoiceField(label=gettext_lazy("Person"), required=False)
    number = WordsField(label=gettext_lazy("Case number"), max_length=60, required=False)
    first = _day_field(gettext_lazy("From"))
    last = _day_field(gettext_lazy("To and with"))

    def __init__(self, *args: Any, **rest: Any) -> None:
        super().__init__(*args, **rest)
        people = [(str(user.pk), str(user)) for user in in_order(User.objects.all())]
        who = self.fields["who"]
        assert isinstance(who, forms.ChoiceField)
        who.choices = [("", _("Everybody")), *people, (NOBODY, _("Nobody logged in, or the system"))]

    def clean_number(self) -> Any:
        """The case; a number that no case has is said."""
        typed = self.cleaned_data["number"]
        found = case_by_number(typed) if typed else None
        if typed and found is None:
            raise forms.ValidationError(_("No case has that number. Write it whole."))
        return found
