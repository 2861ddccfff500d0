"""Which agencies of the directory."""

from django import forms
from django.utils.translation import gettext_lazy as _

from helpline.people.models import Municipality
from intake import triage
from referrals.partners import partner_types


class DirectoryForm(forms.Form):
    """Which agencies of the directory."""

    type = forms.ChoiceField(
        label=_("Type of agency"),
        required=False,
        choices=lambda: [("", _("All types")), *((code, kind.name) for code, kind in partner_types().items())],
    )
    need = forms.ChoiceField(
        label=_("Meets"),
        required=False,
        choices=lambda: [
            ("", _("All needs")),
            *((code, triage.name_of("needs", code)) for code in triage.codes("needs")),
        ],
    )
    municipality = forms.ModelChoiceField(
        Municipality.objects.exclude(code=Municipality.ELSEWHERE),
        label=_("Serves"),
        required=False,
        empty_label=_("All municipalities"),
    )
