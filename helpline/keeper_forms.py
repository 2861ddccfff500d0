"""The forms of the keeper's pages: accounts, agencies with their opening hours, the switch of a legal ground."""

import datetime as dt
import re
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from helpline.people.actions import STAFF
from helpline.people.models import Municipality, Role, Unit, User
from helpline.people.words import EmailField, WordsField
from referrals.grounds import grounds
from referrals.models import AgencyMember, PartnerAgency
from referrals.partners import partner_types, receiver_names

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


class UserForm(forms.ModelForm):
    """One account, without its name for log-in and its password."""

    agency = forms.ModelChoiceField(
        PartnerAgency.objects.active(),
        required=False,
        label=gettext_lazy("Partner agency"),
        help_text=gettext_lazy("For a person of a partner agency."),
    )

    class Meta:
        model = User
        fields = ["first_name", "last_name", "email", "phone", "role", "unit", "is_qualified"]
        field_classes = {**dict.fromkeys(["first_name", "last_name", "phone"], WordsField), "email": EmailField}
        labels = {
            "first_name": gettext_lazy("First name"),
            "last_name": gettext_lazy("Last name"),
            "email": gettext_lazy("E-mail"),
            "phone": gettext_lazy("Phone"),
            "role": gettext_lazy("Role"),
            "unit": gettext_lazy("Unit"),
            "is_qualified": gettext_lazy("May assess reports and decide on inquiries for children"),
        }
        help_texts = {
            "email": gettext_lazy("Reminders go here. They say that something waits, never whom or what."),
            "unit": gettext_lazy("For caseworkers and unit managers. They see the cases of this unit alone."),
            "is_qualified": gettext_lazy("Has a degree in social work or the like (SoL 25:1)."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("first_name", "last_name", "email"):
            self.fields[name].required = True
        self.fields["unit"].queryset = Unit.objects.order_by("name")  # type: ignore[attr-defined]
        member = AgencyMember.objects.filter(user=self.instance.pk).first() if self.instance.pk else None
        if member:
            self.fields["agency"].queryset = PartnerAgency.objects.all()  # type: ignore[attr-defined]  # one switched off too
            self.fields["agency"].initial = member.agency_id

    def clean(self) -> dict[str, Any]:
        """Staff have a unit, people of agencies an agency; what does not fit the role is left out."""
        cleaned = super().clean() or {}
        role = cleaned.get("role")
        if role in STAFF and not cleaned.get("unit"):
            self.add_error("unit", _("Choose the unit."))
        if role == Role.PARTNER and not cleaned.get("agency"):
            self.add_error("agency", _("Choose the agency."))
        if role not in STAFF:
            cleaned["unit"] = None
            cleaned["is_qualified"] = False
        if role != Role.PARTNER:
            cleaned["agency"] = None
        return cleaned

    @property
    def facts(self) -> dict[str, Any]:
        """What the action takes."""
        return {name: self.cleaned_data[name] for name in self.Meta.fields}

    def _post_clean(self) -> None:
        """The row is changed by the action alone, so the form leaves it as it is, and asks the model nothing."""


class NewPasswordForm(forms.Form):
    """A password that the keeper gives; the validators of the settings speak when it is set."""

    password = WordsField(
        label=gettext_lazy("New password"),
        strip=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text=gettext_lazy("At least 15 characters; four words make a good one. Give it in person or by phone."),
    )


class NewUserForm(NewPasswordForm, UserForm):
    """A new account: the name for log-in and the first password too."""

    username = WordsField(
        label=gettext_lazy("User name"),
        max_length=150,
        validators=[User.username_validator],
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none"}),
        help_text=gettext_lazy("For logging in. It is not changed later."),
    )
    field_order = [
        "username",
        "first_name",
        "last_name",
        "email",
        "phone",
        "role",
        "unit",
        "is_qualified",
        "agency",
        "password",
    ]

    def clean_username(self) -> str:
        """Whoever is called Anna is not told apart from anna."""
        name = self.cleaned_data["username"]
        if User.objects.filter(username__iexact=name).exists():
            raise forms.ValidationError(_("There is already an account with this name."))
        return str(name)


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


class AgencyForm(forms.ModelForm):
    """One partner agency, its area and its opening hours."""

    type = forms.ChoiceField(label=gettext_lazy("Type of agency"))
    receiver_kind = forms.ChoiceField(
        required=False,
        label=gettext_lazy("Receiver to the secrecy rules"),
        help_text=gettext_lazy(
            "Decides which legal grounds are possible. A clinic or school that is run privately is a private body, "
            "whatever its type."
        ),
    )
    municipalities = forms.ModelMultipleChoiceField(
        Municipality.objects.exclude(code=Municipality.ELSEWHERE),
        required=False,
        label=gettext_lazy("Municipalities that it serves"),
        widget=forms.CheckboxSelectMultiple,
    )
    checked_today = forms.BooleanField(
        required=False, label=gettext_lazy("I have checked these details with them today")
    )

    class Meta:
        model = PartnerAgency
        fields = ["name", "type", "receiver_kind", "nationwide", "phone", "mailbox", "always_open", "is_active"]
        field_classes = {"name": WordsField, "phone": WordsField, "mailbox": EmailField}
        labels = {
            "name": gettext_lazy("Name"),
            "nationwide": gettext_lazy("Serves the whole country"),
            "phone": gettext_lazy("Phone"),
            "mailbox": gettext_lazy("Mailbox"),
            "always_open": gettext_lazy("Open day and night, every day"),
            "is_active": gettext_lazy("In use: handovers can be sent to it"),
        }
        help_texts = {
            "mailbox": gettext_lazy(
                "An address that several people read. Mail says that something waits, never whom or what."
            ),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for day, name in enumerate(WEEKDAYS):
            self.fields[f"day_{day}"] = HoursField(required=False, label=name, max_length=100)
            if self.instance.pk:
                shifts = [(row.opens, row.closes) for row in self.instance.hours.all() if row.weekday == day]
                self.fields[f"day_{day}"].initial = shifts
        kinds = [(code, kind.name) for code, kind in partner_types().items()]
        self.fields["type"].choices = [("", _("Choose")), *kinds]  # type: ignore[attr-defined]
        self.fields["receiver_kind"].choices = [  # type: ignore[attr-defined]
            ("", _("What its type usually is")),
            *receiver_names().items(),
        ]
        if self.instance.pk:
            self.fields["municipalities"].initial = self.instance.municipalities.all()

    def clean(self) -> dict[str, Any]:
        """An agency serves somebody."""
        cleaned = super().clean() or {}
        if not cleaned.get("nationwide") and not cleaned.get("municipalities"):
            self.add_error("municipalities", _("Choose at least one municipality, or the whole country."))
        return cleaned

    def clean_name(self) -> str:
        """One agency a name."""
        name = self.cleaned_data["name"]
        if PartnerAgency.objects.filter(name__iexact=name).exclude(pk=self.instance.pk).exists():
            raise forms.ValidationError(_("There is already an agency with this name."))
        return str(name)

    @property
    def hours_fields(self) -> list[forms.BoundField]:
        """The seven lines of the week."""
        return [self[f"day_{day}"] for day in range(7)]

    @property
    def facts(self) -> dict[str, Any]:
        """What the action takes."""
        return {name: self.cleaned_data[name] for name in self.Meta.fields}

    @property
    def hours(self) -> dict[int, list[Shift]]:
        """Weekday -> shifts."""
        return {day: self.cleaned_data[f"day_{day}"] for day in range(7)}

    def _post_clean(self) -> None:
        """The row is changed by the action alone, so the form leaves it as it is, and asks the model nothing."""


class GroundForm(forms.Form):
    """Switching one legal ground in one municipality: confirmed by a word, since it changes what may be told."""

    municipality = forms.ModelChoiceField(Municipality.objects.filter(unit__isnull=False).distinct())
    code = forms.ChoiceField(choices=lambda: [(code, ground.name) for code, ground in grounds().items()])
    on = forms.TypedChoiceField(choices=[("yes", "yes"), ("no", "no")], coerce=lambda value: value == "yes")
    word = WordsField(required=False, max_length=40)

    def clean(self) -> dict[str, Any]:
        """The word says which way."""
        cleaned = super().clean() or {}
        if "on" in cleaned and cleaned.get("word", "").strip().casefold() != confirm_word(cleaned["on"]).casefold():
            self.add_error("word", _("Write “%(word)s” to confirm.") % {"word": confirm_word(cleaned["on"])})
        return cleaned


def confirm_word(on: bool) -> str:
    """What is to be written to switch a ground on or off."""
    return _("switch on") if on else _("switch off")
