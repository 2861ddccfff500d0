"""Opening hours as people write them: a line a weekday, several shifts a day."""

import datetime as dt
import re
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from helpline.people.words import WordsField
from referrals.models import PartnerAgency

SHIFT = re.compile(r"(\d{1,2})(?:[.:](\d{2}))?\s*[-–—]\s*(\d{1,2})(?:[.:](\d{2}))?", re.ASCII)
MIDNIGHT = dt.time(
    23, 59, 59
)  # 24.00 is no time of day: an agency that is open to midnight closes at the day's last second
WEEKDAYS = [
    gettext_lazy("Monday"),
    gettext_lazy("Tuesday"),
    gettext_lazy("Wednesday"),
    gettext_lazy("Thursday"),
    gettext_lazy("Friday"),
    gettext_lazy("Saturday"),
    gettext_lazy("Sunday"),
]
Shift = tuple[dt.time, dt.time]


class HoursField(WordsField):
    """The opening hours of one weekday as people write them: 08.00-12.00, 13.00-16.30. Empty is closed."""

    def to_python(self, value: Any) -> list[Shift]:  # type: ignore[override]
        """The shifts in order. Raises ValidationError."""
        if isinstance(value, list):
            return value
        shifts = [_shift(part) for part in re.split(r"[,;]", value or "") if part.strip()]
        for (_opens, closes), (opens, _closes) in zip(shifts, shifts[1:], strict=False):
            if opens < closes:
                raise forms.ValidationError(_("Write the times in order; one shift ends before the next begins."))
        return shifts

    def prepare_value(self, value: Any) -> Any:
        """As it is written: 08.00-12.00, 13.00-16.30."""
        if not isinstance(value, list):
            return value
        return ", ".join(f"{opens:%H.%M}-{_closing(closes)}" for opens, closes in value)


def _closing(closes: dt.time) -> str:
    return "24.00" if closes == MIDNIGHT else f"{closes:%H.%M}"


def _shift(text: str) -> Shift:
    found = SHIFT.fullmatch(text.strip())
    if not found:
        raise forms.ValidationError(_("Write the hours as 08.00-12.00, 13.00-16.30."))
    hour, minute, to_hour, to_minute = (int(part or 0) for part in found.groups())
    try:
        opens = dt.time(hour, minute)
        closes = MIDNIGHT if (to_hour, to_minute) == (24, 0) else dt.time(to_hour, to_minute)
    except ValueError:
        raise forms.ValidationError(_("“%(text)s” is not a time of day.") % {"text": text.strip()}) from None
    if opens >= closes:
        raise forms.ValidationError(
            _("It closes after it opens. Write a night as two days, up to 24.00 and from 00.00.")
        )
    return opens, closes


class WeekForm(forms.BaseForm):
    """The seven lines of a week, for a form that has them beside other fields."""

    def add_week(self, agency: PartnerAgency | None) -> None:
        """A line a weekday, with the hours that the agency has now."""
        rows = list(agency.hours.all()) if agency and agency.pk else []
        for day, name in enumerate(WEEKDAYS):
            self.fields[f"day_{day}"] = HoursField(required=False, label=name, max_length=100)
            if rows:
                shifts = [(row.opens, row.closes) for row in rows if row.weekday == day]
                self.fields[f"day_{day}"].initial = shifts

    @property
    def hours_fields(self) -> list[forms.BoundField]:
        """The seven lines of the week."""
        return [self[f"day_{day}"] for day in range(7)]

    @property
    def hours(self) -> dict[int, list[Shift]]:
        """Weekday -> its shifts."""
        return {day: self.cleaned_data[f"day_{day}"] for day in range(7)}
