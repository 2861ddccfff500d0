"""The forms of a report of concern: registered, decided on, given more time."""

import datetime as dt
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_lazy as _

from helpline.people import clock
from helpline.people.errors import Refused
from helpline.people.words import WordsField
from intake import triage
from intake.forms.cases import LONGEST, WORDS
from intake.labels import OUTCOMES
from intake.models import Call, Case

WHEN = "%Y-%m-%dT%H:%M"
RECENT = dt.timedelta(days=1)
YES_NO = [("yes", _("Yes")), ("no", _("No"))]


class PastField(WordsField):
    """A time in Sweden that has been, as the browser's own field writes it. In the hour that comes twice the first is
    meant: the day is the same."""

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format=WHEN)
        super().__init__(widget=widget, max_length=40, **kwargs)

    def clean(self, value: Any) -> Any:
        """The moment; None where nothing was written. Raises ValidationError."""
        text = super().clean(value)
        if not text:
            return None
        try:
            found = parse_datetime(text)
        except ValueError:
            found = None
        if found is None or found.year < 2000:
            raise forms.ValidationError(_("Write the day and the time, like 2026-11-22 14:05."))
        moment = timezone.make_aware(found.replace(tzinfo=None), timezone.get_default_timezone())
        if moment > clock.now():
            raise forms.ValidationError(_("Choose a time that has been."))
        return moment


class RefusingForm(forms.Form):
    """A form that shows at its place why an action was refused."""

    def refuse(self, refused: Refused) -> None:
        self.add_error(refused.at if refused.at in self.fields else None, str(refused))


class ConcernForm(RefusingForm):
    """A report of concern for a child or a young person."""

    age_band = forms.ChoiceField(
        label=_("About how old is the person?"),
        choices=lambda: triage.choices("age_bands"),
        widget=forms.RadioSelect,
        help_text=_(
            "An estimate is enough. It is the age of whom the report is about, though the call was about an adult."
        ),
    )
    received_at = PastField(label=_("When the report came in"))
    under_way = forms.ChoiceField(
        label=_("Is there already an inquiry on the child?"),
        choices=[*YES_NO, ("unknown", _("Don't know"))],
        widget=forms.RadioSelect,
        help_text=_("If there is one, it need not be decided whether to open one. If you do not know, that time runs."),
    )
    feedback_asked = forms.BooleanField(
        label=_("The reporter has a duty to report, and wants to know whether an inquiry is opened"), required=False
    )
    seen = forms.IntegerField(widget=forms.HiddenInput, min_value=0, required=False)

    @property
    def facts(self) -> dict[str, Any]:
        """What the action takes."""
        given = self.cleaned_data
        return {
            "child_age_band": given["age_band"],
            "received_at": given["received_at"],
            "under_way": given["under_way"] == "yes",
            "feedback_asked": given["feedback_asked"],
            "seen": given["seen"],
        }


def _written_at(call: Call) -> dt.datetime:
    """When a call came to our knowledge here: one that is entered afterwards, when it was entered."""
    return call.completed_at if call.entered_late and call.completed_at else call.received_at


def offered(case: Case) -> dict[str, Any]:
    """What the form says at first: the report came with the call of the last day, and the caller may have asked for an
    answer."""
    call = case.calls.select_related("key").filter(completed_at__isnull=False).order_by("-received_at").first()
    fresh = call is not None and _written_at(call) > clock.now() - RECENT
    moment = call.received_at if call is not None and fresh else clock.now()
    return {
        "received_at": timezone.localtime(moment, timezone.get_default_timezone()).strftime(WHEN),
        "feedback_asked": call is not None and wants_feedback(call),
        "seen": case.concern_reports.count(),
    }


def wants_feedback(call: Call) -> bool:
    """Whether a professional who makes a report said so."""
    return call.answered.get("p_mode") == "report" and call.answered.get("p_feedback") == "yes"


class WordsForm(RefusingForm):
    """What a decision rests on."""

    words = WordsField(label=_("What it rests on"), max_length=LONGEST, widget=forms.Textarea(WORDS))


class ProtectionForm(WordsForm):
    """The immediate protection assessment."""

    needed = forms.ChoiceField(label=_("Does the child need protection now?"), choices=YES_NO, widget=forms.RadioSelect)
    field_order = ["needed", "words"]


class InquiryForm(WordsForm):
    """Whether an inquiry is opened."""

    outcome = forms.ChoiceField(
        label=_("What is decided"), choices=lambda: list(OUTCOMES.items()), widget=forms.RadioSelect
    )
    field_order = ["outcome", "words"]


class FinishedForm(WordsForm):
    """What the inquiry came to."""

    words = WordsField(label=_("What it came to"), max_length=LONGEST, widget=forms.Textarea(WORDS))


class FeedbackForm(RefusingForm):
    """The reporter has been told."""

    words = WordsField(
        label=_("How and to whom, without names"),
        max_length=LONGEST,
        required=False,
        widget=forms.Textarea({**WORDS, "rows": 2}),
    )


class ExtendForm(RefusingForm):
    """More time, to a day."""

    to = forms.DateField(label=_("New day to aim at"), widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"))
    why = WordsField(label=_("Why more time is needed"), max_length=2_000, widget=forms.Textarea({**WORDS, "rows": 2}))
