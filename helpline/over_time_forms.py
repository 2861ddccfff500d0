"""What the page over time is asked."""

import datetime as dt
from calendar import monthrange
from typing import Any

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from helpline.over_time import months_back
from helpline.over_time_page import BY, MOST_COLUMNS, MOST_ROWS, OF_HANDOVERS, SHOWN, STEPS, Asked
from helpline.people import clock


def _day_field(label: Any) -> forms.DateField:
    said = gettext_lazy("Choose a day between 2000 and 2999.")
    validators = [MinValueValidator(dt.date(2000, 1, 1), said), MaxValueValidator(dt.date(2999, 12, 31), said)]
    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    told = gettext_lazy("The whole month of that day is counted.")
    return forms.DateField(label=label, required=False, widget=widget, validators=validators, help_text=told)


def _end_of_month(day: dt.date) -> dt.date:
    return day.replace(day=monthrange(day.year, day.month)[1])


class OverTimeForm(forms.Form):
    """What is shown, told apart by what, by which periods, from when to when, in whole months: a single day would tell the
    facts of its one call. What is not chosen: calls of the last twelve months, all together."""

    show = forms.ChoiceField(label=gettext_lazy("Show"), required=False, choices=list(SHOWN.items()))
    by = forms.ChoiceField(label=gettext_lazy("Told apart by"), required=False, choices=list(BY.items()))
    step = forms.ChoiceField(label=gettext_lazy("Period"), required=False, choices=list(STEPS.items()))
    first = _day_field(gettext_lazy("From"))
    last = _day_field(gettext_lazy("To and with"))

    def clean(self) -> dict[str, Any]:
        """What is asked as one, where it can be answered."""
        found: dict[str, Any] = super().clean() or {}
        if self.errors:
            return found
        last = found.get("last") or clock.today()
        first = found.get("first") or months_back(last, 11)
        first, last = first.replace(day=1), _end_of_month(last)
        now = _end_of_month(clock.today())
        if last >= first > now:
            self.add_error("first", _("That month is still to come."))
            return found
        kind = (found.get("show") or "calls", found.get("by") or "", found.get("step") or "month")
        asked = Asked(*kind, first, min(last, now))
        self._check(asked)
        return {**found, "asked": asked, "is_cut": last > now}

    def _check(self, asked: Asked) -> None:
        if asked.first > asked.last:
            self.add_error("last", _("The last day comes before the first."))
            return
        if asked.by in OF_HANDOVERS and asked.show in {"calls", "cases"}:
            self.add_error("by", _("Only handovers, and what follows from them, have an agency."))
        most = MOST_COLUMNS if asked.by and asked.show not in {"contact", "answered"} else MOST_ROWS
        if len(asked.begins) > most:
            self.add_error(
                "step", _("That is more than %(most)s periods. Choose longer ones, or fewer days.") % {"most": most}
            )
