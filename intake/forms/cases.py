"""The forms of a case: a note, a contact, a step, a closing, a reason."""

import datetime as dt
from typing import Any

from django import forms
from django.db.models import Exists, OuterRef
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from helpline.people import clock
from helpline.people.absences import absences_on, away_among
from helpline.people.access import STAFF
from helpline.people.models import Absence, User, in_use
from helpline.people.templatetags.people import say_day
from helpline.people.words import WordsField
from helpline.people.workdays import add_working_days, local
from intake import triage
from intake.actions.steps import LONGEST_PROMISE
from intake.labels import CASE_NOTES
from intake.models import Case
from intake.whose import may_hold

WORDS = {"rows": 4, "autocomplete": "off"}
LONGEST = 20_000  # characters


def check_when(moment: dt.datetime) -> None:
    """Raises ValidationError for a time that has passed, or that is further away than a promise holds."""
    year = clock.today().year
    if moment.year < year or (moment.year <= year + 1 and moment <= clock.now()):
        raise forms.ValidationError(_("Choose a time that is still to come."))
    if moment.year > year + 1 or moment > clock.now() + LONGEST_PROMISE:
        raise forms.ValidationError(_("Choose a time within a year."))


class WhenField(forms.DateTimeField):
    """A time in Sweden, as the browser's own field writes it."""

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
        super().__init__(widget=widget, **kwargs)

    def clean(self, value: Any) -> Any:
        moment = super().clean(value)
        if moment:
            check_when(moment)
        return moment


def next_working_day_at(hour: int) -> dt.datetime:
    """A time that is offered: the next working day at this hour."""
    return local(add_working_days(clock.today(), 1), dt.time(hour))


class NoteForm(forms.Form):
    """A note of one kind, signed when it is saved."""

    kind = forms.ChoiceField(
        label=_("Kind of note"), choices=lambda: list(CASE_NOTES.items()), widget=forms.RadioSelect
    )
    text = WordsField(label=_("Note"), max_length=LONGEST, widget=forms.Textarea(WORDS))


class StepForm(forms.Form):
    """A step that is promised."""

    what = WordsField(label=_("What is to be done"), max_length=500)
    due_at = WhenField(label=_("At the latest"))


class MoveForm(forms.Form):
    """A step at another time."""

    due_at = WhenField(label=_("New time"))
    why = WordsField(label=_("Why it is moved"), max_length=500, required=False)


class DoneForm(forms.Form):
    """A step is done; the last one demands the next, or closes the case."""

    outcome = WordsField(label=_("What came of it"), max_length=LONGEST, required=False, widget=forms.Textarea(WORDS))
    next_what = WordsField(label=_("Next step"), max_length=500, required=False)
    next_due = WhenField(label=_("At the latest"), required=False)
    close = forms.ChoiceField(
        label=_("Or close the case"),
        choices=lambda: [("", _("Do not close")), *triage.choices("closing_reasons")],
        required=False,
    )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("next_what") and data.get("close"):
            self.add_error("close", _("Plan a next step or close the case, not both."))
        elif data.get("next_what") and not data.get("next_due") and "next_due" not in self.errors:
            self.add_error("next_due", _("Say by when."))
        if not data.get("next_what"):
            data["next_due"] = None
        return data


class CloseForm(forms.Form):
    """Why a case is closed."""

    reason = forms.ChoiceField(
        label=_("Why the case is closed"), choices=lambda: triage.choices("closing_reasons"), widget=forms.RadioSelect
    )


class ReasonForm(forms.Form):
    """Why a colleague opens a case."""

    reason = forms.ChoiceField(
        label=_("Why do you open it?"), choices=lambda: triage.choices("opening_reasons"), widget=forms.RadioSelect
    )
    words = WordsField(label=_("More about why"), max_length=500, required=False)


class TakerField(forms.ModelChoiceField):
    """A colleague; who is away today stands last, and it is said until when."""

    gone: dict[int, Absence]

    def label_from_instance(self, obj: User) -> str:
        absence = self.gone.get(obj.pk)
        if absence is None:
            return str(obj)
        return gettext("%(name)s (away to the end of %(day)s)") % {"name": obj, "day": say_day(absence.last_day)}


class ReassignForm(forms.Form):
    """To whom a case is handed."""

    to = TakerField(
        label=_("To"),
        queryset=User.objects.none(),
        empty_label=_("Choose"),
        error_messages={"invalid_choice": _("Choose a colleague of the same unit.")},
    )
    handover = WordsField(
        label=_("What the new owner must know"),
        max_length=LONGEST,
        required=False,
        widget=forms.Textarea(WORDS),
        help_text=_(
            "Where things stand, what is promised and how the person wants to be met. Without it this counts as a bounce: "
            "the person has to begin anew with somebody who knows nothing."
        ),
    )

    def __init__(self, *args: Any, case: Case, by: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        colleagues = User.objects.filter(in_use(), unit=case.unit_id, role__in=STAFF).exclude(cases=case)
        if not may_hold(case, by):
            colleagues = colleagues.exclude(pk=by.pk)
        field = self.fields["to"]
        assert isinstance(field, TakerField)
        gone = absences_on(clock.today()).filter(user=OuterRef("pk"))
        field.queryset = colleagues.annotate(is_away=Exists(gone)).order_by("is_away", "first_name", "last_name", "pk")
        field.gone = away_among(colleagues.values_list("pk", flat=True), clock.today())
