"""What must be done at once: the fields of its lines, on the page of a call and on that of a case."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from intake import triage
from intake.acute import AcuteLine, lists_of
from intake.forms.fields import WordsField
from intake.models import Call, Case


def measure_fields() -> dict[str, forms.Field]:
    """Name of a field -> the field: the reference of each line, and its words: why it cannot be done, or what is wrong."""
    found: dict[str, forms.Field] = {}
    for kind in triage.codes("acute_lines"):
        line = triage.name_of("acute_lines", kind)
        found[f"ref.{kind}"] = WordsField(label=gettext("%(line)s: reference") % {"line": line}, max_length=80)
        found[f"why.{kind}"] = WordsField(label=gettext("%(line)s: in words") % {"line": line}, max_length=2_000)
    return found


def stored_measures(call: Call) -> dict[str, str]:
    """What these fields hold now."""
    rows = call.measure_rows
    return {f"ref.{row.kind}": row.reference for row in rows} | {f"why.{row.kind}": row.why_not for row in rows}


def check_references(form: Any) -> None:
    """Refuse the reference of a line that is not ticked, at its place: the rest is saved."""
    rows = {row.kind for row in form.call.measure_rows}
    for kind in sorted(set(triage.codes("acute_lines")) - rows - {*form.ticked}):
        if f"ref.{kind}" in form.given and form.cleaned_data.get(f"ref.{kind}"):
            form.add_error(f"ref.{kind}", gettext("Tick the line before you write its reference."))


@dataclass(frozen=True)
class ShownLine:
    """A line with its fields; without, where the table has it no longer."""

    line: AcuteLine
    reference: forms.BoundField | None
    reason: forms.BoundField | None


def with_fields(lines: Iterable[AcuteLine], form: forms.Form) -> list[ShownLine]:
    """Each line with its fields of a form."""

    def field(name: str) -> forms.BoundField | None:
        return form[name] if name in form.fields else None

    return [ShownLine(line, field(f"ref.{line.kind}"), field(f"why.{line.kind}")) for line in lines]


class MeasuresForm(forms.Form):
    """The list of a finished call, on the page of its case: lines that are ticked, and words that are added."""

    acute = forms.MultipleChoiceField(
        label=_("What must be done at once"), required=False, choices=lambda: triage.choices("acute_lines")
    )

    def __init__(self, data: QueryDict | None = None, *, call: Call) -> None:
        super().__init__(data, auto_id=f"id_{call.pk}_%s")
        self.call = call
        self.fields |= measure_fields()

    @property
    def given(self) -> dict[str, Any]:
        """As the action takes it."""
        found: dict[str, dict[str, str]] = {"ref": {}, "why": {}}
        for name, text in self.cleaned_data.items():
            part, dot, kind = name.partition(".")
            if dot and text:
                found[part][kind] = text
        return {"done": self.cleaned_data["acute"], "references": found["ref"], "reasons": found["why"]}


@dataclass(frozen=True)
class AcuteList:
    """The list of one call, as the page of its case shows it."""

    call: Call
    form: MeasuresForm
    lines: list[ShownLine]
    left: int

    @property
    def scope(self) -> str:
        """What its ids begin with, so that two lists stand on one page."""
        return f"{self.call.pk}-"


def acute_lists(case: Case, refused: forms.Form | None = None) -> list[AcuteList]:
    """The lists that a case shows, each with its form; one that was refused comes as it was written."""
    found = []
    for call, lines in lists_of(case):
        form = refused if isinstance(refused, MeasuresForm) and refused.call == call else MeasuresForm(call=call)
        found.append(AcuteList(call, form, with_fields(lines, form), sum(line.is_open for line in lines)))
    return found
