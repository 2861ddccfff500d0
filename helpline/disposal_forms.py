"""Forms of what is deleted by law: which rows are left out and why, and what is kept beyond the rules."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from helpline.people.models import DisposalItem
from helpline.people.words import WordsField
from helpline.retention import KEPT_FOR
from helpline.retention_rows import LEFT_OUT

DELETED = ("", gettext_lazy("Is deleted"))
TAKE_BACK = ("take_back", gettext_lazy("Is deleted: the exemption is taken back"))


class ApproveForm(forms.Form):
    """One choice a row: deleted, or why not; and a tick that it is known to be for good. What was exempted earlier is
    so from the beginning, and must be said to be deleted: an empty answer is none."""

    for_good = forms.BooleanField(
        label=gettext_lazy("I have looked through the list, and know that what is deleted cannot be brought back"),
        error_messages={"required": gettext_lazy("Tick that you have looked through the list.")},
    )

    def __init__(
        self, *args: Any, items: Sequence[DisposalItem], earlier: Mapping[int, DisposalItem], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        reasons = [(code, _("Left out: %(why)s") % {"why": str(why)}) for code, why in LEFT_OUT.items()]
        for item in items:
            label = _("What happens to %(number)s") % {"number": item.number or _("a call without a number")}
            before = earlier.get(item.pk)
            field = forms.ChoiceField(
                choices=[*reasons, TAKE_BACK] if before else [DELETED, *reasons],
                initial=before.left_out_why if before else "",
                required=before is not None,
                label=label,
                error_messages={"required": _("Choose: it was exempted earlier.")},
            )
            field.widget.attrs |= {"class": "form-select", "aria-label": label}
            self.fields[f"item-{item.pk}"] = field

    @property
    def left_out(self) -> dict[int, str]:
        """Item -> why it is not deleted."""
        return {pk: why for pk, why in self._said() if why in LEFT_OUT}

    @property
    def taken_back(self) -> set[int]:
        """The items whose earlier exemption no longer holds."""
        return {pk for pk, why in self._said() if why == TAKE_BACK[0]}

    def _said(self) -> list[tuple[int, str]]:
        rows = self.cleaned_data.items()
        return [(int(name.removeprefix("item-")), why) for name, why in rows if name.startswith("item-")]


class KeepForm(forms.Form):
    """For what a case is kept beyond the rules."""

    reason = forms.ChoiceField(
        label=gettext_lazy("Why it is kept"),
        choices=[(code, words) for code, (words, _law) in KEPT_FOR.items()],
        widget=forms.RadioSelect,
        error_messages={"required": gettext_lazy("Choose why it is kept.")},
    )
    words = WordsField(
        label=gettext_lazy("Which decision or request"),
        help_text=gettext_lazy("For instance a registry number. It stands in the timeline."),
        max_length=200,
    )
