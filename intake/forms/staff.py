"""The forms of who may open a case: a colleague who is named for it, or locked out of it."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from helpline.people.access import STAFF
from helpline.people.models import User, in_use
from helpline.people.words import WordsField
from intake.forms.people import OFF
from intake.forms.shifts import day_field
from intake.models import Case
from intake.whose import locked_out, named


class StaffForm(forms.Form):
    """A colleague of the unit, and until when."""

    user = forms.ModelChoiceField(
        User.objects.none(),
        label=_("Colleague"),
        empty_label=_("Choose"),
        error_messages={"invalid_choice": _("Choose a colleague of the same unit.")},
    )
    until = day_field(_("Last day"))

    def __init__(self, *args: Any, case: Case, by: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["user"]
        staff = User.objects.filter(in_use(), unit=case.unit_id, role__in=STAFF)
        field.queryset = self.without(staff.exclude(pk=by.pk), case).order_by("first_name", "last_name", "pk")
        self.fields["until"].required = False
        self.fields["until"].help_text = _("Leave it empty where no day is set.")

    def without(self, staff: Any, case: Case) -> Any:
        """Those whom it can be about."""
        return staff.exclude(pk__in=locked_out(case.pk))


class NamingForm(StaffForm):
    """Who may open a protected case, besides its owner."""

    def without(self, staff: Any, case: Case) -> Any:
        """Neither the owner, nor who is named already or locked out."""
        known = {case.owner_id or 0, *(one.pk for one in named(case))}
        return super().without(staff, case).exclude(pk__in=known)


class LockForm(StaffForm):
    """For whom the case is not there, and why."""

    reason = WordsField(
        label=_("Why"),
        max_length=500,
        widget=forms.Textarea({"rows": 2, **OFF}),
        help_text=_("Managers of the unit read this, nobody else."),
    )
    field_order = ["user", "reason", "until"]
