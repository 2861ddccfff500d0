"""What an agency writes about itself, and about the people who work there."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from helpline.people import clock
from helpline.people.account_forms import NewAccountForm
from helpline.people.models import in_use
from helpline.people.wall import as_granted
from helpline.people.words import EmailField, WordsField
from intake.forms.shifts import day_field
from referrals.actions.agency_own import MOST
from referrals.forms.hours import WeekForm
from referrals.models import AgencyMember, PartnerAgency


class RoomForm(forms.Form):
    """How many more it can take, until a day that the page says."""

    room = forms.IntegerField(
        label=_("How many more can you take?"),
        required=False,
        min_value=0,
        max_value=MOST,
        widget=forms.NumberInput(attrs={"inputmode": "numeric", "class": "few-digits"}),
        help_text=_("0 if you are full. Leave it empty to say nothing."),
    )


class AwayForm(forms.Form):
    """Days on which nobody there answers."""

    first_day = day_field(_("First day away"))
    last_day = day_field(_("Last day away"))

    def __init__(self, *args: Any, **rest: Any) -> None:
        rest.setdefault("initial", {"first_day": clock.today(), "last_day": clock.today()})
        super().__init__(*args, **rest)


class OwnHoursForm(WeekForm, forms.Form):
    """When it answers."""

    always_open = forms.BooleanField(required=False, label=_("Open day and night, every day"))

    def __init__(self, *args: Any, agency: PartnerAgency, **rest: Any) -> None:
        rest.setdefault("initial", {"always_open": agency.always_open})
        super().__init__(*args, **rest)
        self.add_week(agency)


class MembersField(forms.ModelMultipleChoiceField):
    """Colleagues, by name."""

    def label_from_instance(self, member: AgencyMember) -> str:
        return str(member.user)


class DeputyForm(forms.Form):
    """Who hears where the others are silent."""

    deputies = MembersField(
        AgencyMember.objects.none(),
        label=_("Colleagues who stand in"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    mailbox = EmailField(
        label=_("A mailbox that stands in"),
        required=False,
        max_length=254,
        help_text=_("Mail says that something waits, never whom or what."),
    )

    def __init__(self, *args: Any, agency: PartnerAgency, **rest: Any) -> None:
        people = as_granted(agency.members.filter(in_use("user__")), "user").order_by("user__first_name", "pk")
        deputies = [one.pk for one in people if one.is_deputy]
        rest.setdefault("initial", {"mailbox": agency.deputy_mailbox, "deputies": deputies})
        super().__init__(*args, **rest)
        self.fields["deputies"].queryset = people  # type: ignore[attr-defined]
        if not people:
            del self.fields["deputies"]


FACTS = ("first_name", "last_name", "email", "phone")


class PersonForm(forms.Form):
    """What stands about a colleague."""

    first_name = WordsField(label=_("First name"), max_length=150)
    last_name = WordsField(label=_("Last name"), max_length=150)
    email = EmailField(
        label=_("E-mail"),
        max_length=254,
        help_text=_("Reminders go here. They say that something waits, never whom or what."),
    )
    phone = WordsField(label=_("Phone"), max_length=40, required=False)
    is_manager = forms.BooleanField(
        label=_("Manages your people"),
        required=False,
        help_text=_("Adds and removes people, and keeps your opening hours and who stands in."),
    )

    @classmethod
    def initial_for(cls, member: AgencyMember) -> dict[str, Any]:
        """As it stands."""
        return {name: getattr(member.user, name) for name in FACTS} | {"is_manager": member.is_manager}

    @property
    def facts(self) -> dict[str, Any]:
        """What the action takes."""
        return {name: self.cleaned_data[name] for name in FACTS}


class NewPersonForm(NewAccountForm, PersonForm):
    """A colleague's new account."""

    field_order = ["first_name", "last_name", "email", "phone", "is_manager", "username"]
