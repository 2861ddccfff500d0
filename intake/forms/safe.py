"""How a person can be reached safely: one field for each line of the table in intake/safe.py."""

from typing import Any

from django import forms
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from intake.forms.fields import WordsField
from intake.safe import ANSWERS, FIELDS

LONG = 200  # characters: what may be longer gets a larger field


def safe_fields() -> dict[str, forms.Field]:
    """Name of a field -> the field, for each line of safe contact."""
    found: dict[str, forms.Field] = {}
    for key, row in FIELDS.items():
        codes = [(code, ANSWERS[code]) for code in row.says]
        choice = forms.ChoiceField(label=row.ask, choices=codes, required=False)
        found[f"s.{key}"] = choice if codes else WordsField(label=row.ask, max_length=row.longest)
    return found


class SafeForm(forms.Form):
    """What is agreed, changed later in the case. The page brings back what it was opened with: only what was changed on it
    is a change."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in safe_fields().items():
            if isinstance(field, forms.ChoiceField):
                chosen = [
                    ("", gettext("Not asked")),
                    *((code, ANSWERS[code]) for code in FIELDS[name.removeprefix("s.")].says),
                ]
                field.choices, field.widget = chosen, forms.RadioSelect(choices=chosen)
            elif FIELDS[name.removeprefix("s.")].longest > LONG:
                field.widget = forms.Textarea({"rows": 4, "autocomplete": "off"})
            field.show_hidden_initial = True
            self.fields[name] = field

    @property
    def opened_with(self) -> SafeString:
        """The hidden fields with what the page was opened with."""
        return format_html_join("", "{}", ((field.as_hidden(only_initial=True),) for field in self))

    @property
    def changes(self) -> dict[str, str]:
        """Key of the table -> what is agreed now, where it was changed on this page."""
        return {name.removeprefix("s."): self.cleaned_data[name] for name in self.changed_data}
