"""The forms of the keeper's pages: accounts, agencies with their opening hours, the switch of a legal ground."""

import datetime as dt
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from helpline.people import clock
from helpline.people.account_forms import NewAccountForm
from helpline.people.actions import STAFF
from helpline.people.models import Municipality, Role, Unit, User
from helpline.people.words import EmailField, WordsField
from referrals.grounds import grounds
from referrals.models import AgencyMember, PartnerAgency


class UserForm(forms.ModelForm):
    """One account, without its name for log-in and its password."""

    agency = forms.ModelChoiceField(
        PartnerAgency.objects.active(),
        required=False,
        label=gettext_lazy("Partner agency"),
        help_text=gettext_lazy("For a person of a partner agency."),
    )
    leads_agency = forms.BooleanField(
        required=False,
        label=gettext_lazy("Manages the people of the agency"),
        help_text=gettext_lazy("Adds and removes its people, and keeps its hours."),
    )

    class Meta:
        model = User
        fields = ["first_name", "last_name", "email", "phone", "role", "unit", "is_qualified", "access_until"]
        widgets = {"access_until": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")}
        field_classes = {**dict.fromkeys(["first_name", "last_name", "phone"], WordsField), "email": EmailField}
        labels = {
            "first_name": gettext_lazy("First name"),
            "last_name": gettext_lazy("Last name"),
            "email": gettext_lazy("E-mail"),
            "phone": gettext_lazy("Phone"),
            "role": gettext_lazy("Role"),
            "unit": gettext_lazy("Unit"),
            "is_qualified": gettext_lazy("May assess reports and decide on inquiries for children"),
            "access_until": gettext_lazy("Last day of access"),
        }
        help_texts = {
            "email": gettext_lazy("Reminders go here. They say that something waits, never whom or what."),
            "unit": gettext_lazy("For caseworkers and unit managers. They see the cases of this unit alone."),
            "is_qualified": gettext_lazy("Has a degree in social work or the like (SoL 25:1)."),
            "access_until": gettext_lazy(
                "For a substitute or a student. The day after, nobody logs in with it. Empty: no end."
            ),
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
            self.fields["leads_agency"].initial = member.is_manager

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
            cleaned["leads_agency"] = False
        return cleaned

    @property
    def facts(self) -> dict[str, Any]:
        """What the action takes."""
        return {name: self.cleaned_data[name] for name in self.Meta.fields}

    def _post_clean(self) -> None:
        """The row is changed by the action alone, so the form leaves it as it is, and asks the model nothing."""


class NewUserForm(NewAccountForm, UserForm):
    """A new account: the name for log-in too."""

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
        "leads_agency",
        "access_until",
    ]

    def clean_access_until(self) -> dt.date | None:
        """Nobody is invited to an account that is over."""
        last: dt.date | None = self.cleaned_data["access_until"]
        if last and last < clock.today():
            raise forms.ValidationError(_("That day is over. Choose today or a later day."))
        return last


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
