"""The form of one partner agency: what it meets, whom it serves, how it is reached."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from helpline.people.errors import Refused
from helpline.people.models import Municipality
from helpline.people.words import EmailField, WordsField
from intake import triage
from referrals.actions.directory import OLDEST
from referrals.forms.hours import WeekForm
from referrals.hsds.table import languages
from referrals.models import PartnerAgency
from referrals.partners import partner_types, receiver_names
from referrals.phones import check_phone


class AgencyForm(WeekForm, forms.ModelForm):
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
    needs = forms.MultipleChoiceField(
        required=False,
        label=gettext_lazy("What it meets"),
        help_text=gettext_lazy("Tick nothing where it meets what its type usually does."),
        widget=forms.CheckboxSelectMultiple,
        choices=lambda: [(code, triage.name_of("needs", code)) for code in triage.codes("needs")],
    )
    languages = forms.MultipleChoiceField(
        required=False,
        label=gettext_lazy("Languages that are spoken there"),
        help_text=gettext_lazy("Without an interpreter. Tick nothing where it is not known."),
        widget=forms.CheckboxSelectMultiple,
        choices=lambda: [(code, triage.name_of("languages", code)) for code in languages()],
    )
    municipalities = forms.ModelMultipleChoiceField(
        Municipality.objects.exclude(code=Municipality.ELSEWHERE),
        required=False,
        label=gettext_lazy("Municipalities that it serves"),
        widget=forms.CheckboxSelectMultiple,
    )
    description = WordsField(
        required=False,
        max_length=1000,
        label=gettext_lazy("In a few words: what it does"),
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    minimum_age = forms.IntegerField(
        required=False, min_value=0, max_value=OLDEST, label=gettext_lazy("From the age of")
    )
    maximum_age = forms.IntegerField(
        required=False, min_value=0, max_value=OLDEST, label=gettext_lazy("Up to and including the age of")
    )
    checked_today = forms.BooleanField(
        required=False, label=gettext_lazy("I have checked these details with them today")
    )

    class Meta:
        model = PartnerAgency
        fields = [
            *("name", "type", "receiver_kind", "description", "needs", "languages", "minimum_age", "maximum_age"),
            *("nationwide", "phone", "mailbox", "deputy_mailbox", "sdk_address", "always_open", "is_confidential"),
            "is_active",
        ]
        field_classes = {
            **dict.fromkeys(["name", "phone", "sdk_address"], WordsField),
            **dict.fromkeys(["mailbox", "deputy_mailbox"], EmailField),
        }
        labels = {
            "name": gettext_lazy("Name"),
            "nationwide": gettext_lazy("Serves the whole country"),
            "phone": gettext_lazy("Phone"),
            "mailbox": gettext_lazy("Mailbox"),
            "deputy_mailbox": gettext_lazy("The deputy's mailbox"),
            "sdk_address": gettext_lazy("Function address for secure messages (SDK)"),
            "always_open": gettext_lazy("Open day and night, every day"),
            "is_confidential": gettext_lazy("Where it is may not be known"),
            "is_active": gettext_lazy("In use: handovers can be sent to it"),
        }
        help_texts = {
            "phone": gettext_lazy("As it is called from here: 0500-49 80 00, 116 111."),
            "mailbox": gettext_lazy(
                "An address that several people read. Mail says that something waits, never whom or what."
            ),
            "deputy_mailbox": gettext_lazy("Hears when nobody has answered, or when they are away."),
            "sdk_address": gettext_lazy("Of a function, never of a person."),
            "is_confidential": gettext_lazy(
                "Marked wherever staff read it. Other agencies never see its name, and it is never exported."
            ),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.add_week(self.instance)
        kinds = [(code, kind.name) for code, kind in partner_types().items()]
        self.fields["type"].choices = [("", _("Choose")), *kinds]  # type: ignore[attr-defined]
        self.fields["receiver_kind"].choices = [  # type: ignore[attr-defined]
            ("", _("What its type usually is")),
            *receiver_names().items(),
        ]
        if self.instance.pk:
            self.fields["municipalities"].initial = self.instance.municipalities.all()

    def clean(self) -> dict[str, Any]:
        """An agency serves somebody, of ages in their order."""
        cleaned = super().clean() or {}
        if not cleaned.get("nationwide") and not cleaned.get("municipalities"):
            self.add_error("municipalities", _("Choose at least one municipality, or the whole country."))
        low, high = cleaned.get("minimum_age"), cleaned.get("maximum_age")
        if low is not None and high is not None and low > high:
            self.add_error("maximum_age", _("The highest age is lower than the lowest."))
        return cleaned

    def clean_name(self) -> str:
        """One agency a name."""
        name = self.cleaned_data["name"]
        if PartnerAgency.objects.filter(name__iexact=name).exclude(pk=self.instance.pk).exists():
            raise forms.ValidationError(_("There is already an agency with this name."))
        return str(name)

    def clean_phone(self) -> str:
        """A number that can be called; one that stands there already is left as it is."""
        phone = str(self.cleaned_data["phone"])
        if phone == self.instance.phone:
            return phone
        try:
            return check_phone(phone)
        except Refused as refused:
            raise forms.ValidationError(str(refused)) from None

    @property
    def facts(self) -> dict[str, Any]:
        """What the action takes."""
        return {name: self.cleaned_data[name] for name in self.Meta.fields}

    def _post_clean(self) -> None:
        """The row is changed by the action alone, so the form leaves it as it is, and asks the model nothing."""
