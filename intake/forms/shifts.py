"""The forms of those who come and go: a shift that is handed over, and days away."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from helpline.people import clock
from helpline.people.absences import colleagues, faults, present
from helpline.people.models import Absence, User
from intake.actions.shifts import steps_to_give
from intake.models import FollowUp

CHANGED = _("The list has changed meanwhile. Look through it again.")


def day_field(label: Any) -> forms.DateField:
    """A day, as the browser's own field writes it."""
    widget = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
    return forms.DateField(label=label, input_formats=["%Y-%m-%d"], widget=widget)


class ColleagueField(forms.ModelChoiceField):
    """A colleague of the unit."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(User.objects.none(), **kwargs)


class ShiftForm(forms.Form):
    """To whom, and which steps."""

    to = ColleagueField(label=_("To whom"), empty_label=_("Choose a colleague"))
    steps = forms.ModelMultipleChoiceField(
        FollowUp.objects.none(),
        label=_("What is handed over"),
        error_messages={
            "required": _("Tick at least one thing to hand over."),
            "invalid_choice": CHANGED,
            "invalid_pk_value": CHANGED,
        },
    )

    def __init__(self, *args: Any, giver: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["to"].queryset = present(colleagues(giver), clock.today())  # type: ignore[attr-defined]
        self.fields["steps"].queryset = steps_to_give(giver)  # type: ignore[attr-defined]

    @property
    def ticked(self) -> set[str] | None:
        """The ids that were ticked when the form was sent; none yet before that, and then all are."""
        return set(self.data.getlist("steps")) if self.is_bound else None  # type: ignore[attr-defined]


class AbsenceForm(forms.Form):
    """Who is away, on which days, and who stands in. Never why."""

    user = ColleagueField(label=_("Who is away"), empty_label=None)
    first_day = day_field(_("First day away"))
    last_day = day_field(_("Last day away"))
    deputy = ColleagueField(
        label=_("Who stands in"),
        required=False,
        empty_label=_("Nobody in particular: the unit manager"),
        help_text=_("What is due on these days goes to this colleague, who then can open those cases."),
    )

    def __init__(self, *args: Any, by: User, whose: list[User], absence: Absence | None = None, **kwargs: Any) -> None:
        self.absence = absence
        if absence is not None:
            names = ("user", "first_day", "last_day", "deputy")
            kwargs.setdefault("initial", {name: getattr(absence, name) for name in names})
        kwargs.setdefault("initial", {"user": by, "first_day": clock.today(), "last_day": clock.today()})
        super().__init__(*args, **kwargs)
        fields: dict[str, Any] = self.fields
        people = User.objects.filter(pk__in=[one.pk for one in whose]).order_by("first_name", "last_name", "pk")
        fields["user"].queryset = people
        fields["deputy"].queryset = colleagues(by) | User.objects.filter(pk=by.pk)
        if len(whose) == 1:  # one's own, or a row whose person stays
            del fields["user"]
            fields["deputy"].queryset = colleagues(whose[0])
        self.whose = whose

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        data.setdefault("user", self.whose[0] if len(self.whose) == 1 else None)
        if data["user"] and data.get("first_day") and data.get("last_day") and "deputy" in data:
            given = {name: data[name] for name in ("user", "deputy", "first_day", "last_day")}
            for field, text in faults(**given, but=self.absence).items():
                self.add_error(field, text)
        return data
