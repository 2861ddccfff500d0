"""Two windows of one call: what each field was based on when it was written, and what to do where both have written."""

import datetime as dt
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.forms.boundfield import BoundField
from django.http import QueryDict
from django.utils.translation import gettext as _

from helpline.people.models import LogEntry, User
from helpline.people.words import WordsField
from intake.models import Call

BASE = "base."  # + the name of a field: the marks of what it may have been based on, comma separated
PAGE = {"who", "turn"}  # fields that a page of a call always sends
ACTS = {"keep", "take", "both"}  # what is pressed where two windows wrote: one's own, the other's, both


def mark(value: Any) -> str:
    """A short mark by which two values are told apart. The script of the page makes the same of what it has sent
    (call.js), also where the browser lends it no stronger one; it guards against a slip, not against a person."""
    several = value if isinstance(value, list | tuple) else ["on" if value is True else str(value or "")]
    data = "\n".join(sorted(map(str, several))).encode(errors="surrogatepass")
    return f"{len(data):x}-{zlib.crc32(data):08x}"


def plain(field: forms.Field, sent: Iterable[str]) -> Any:
    """What was sent for a field, as it would be stored if nothing is wrong with it."""
    values = [value.replace("\r\n", "\n").strip() for value in sent if value]
    if isinstance(field, forms.MultipleChoiceField):
        return values
    if isinstance(field, forms.BooleanField):
        return field.to_python(values[-1] if values else False)
    return values[-1] if values else ""


@dataclass(frozen=True)
class Conflict:
    """What another window has written in a field, by whom and when."""

    words: str
    mine: str  # what is written in this window
    mark: str
    by: User | None
    at: dt.datetime
    takes_both: bool

    @property
    def is_nothing(self) -> bool:
        return not self.words


class WrittenField(BoundField):
    """A field that knows on which words it is based, and what another window has written meanwhile."""

    form: "TwoWindows"

    @property
    def base(self) -> str:
        """The marks that go with the field, and come back with it."""
        return self.form.base_of(self.name)

    @property
    def conflict(self) -> Conflict | None:
        """What another window has written here, where that keeps this window's words from being saved."""
        self.form.errors  # noqa: B018  checks the form
        return self.form.conflicts.get(self.name)


class TwoWindows(forms.Form):
    """A form of which several windows may be open. A field is saved where what is stored is what it was based on; where it
    is neither that nor the new value, both stand at the field until a person has chosen."""

    bound_field_class = WrittenField
    call: Call
    given: set[str]
    sent: QueryDict | None
    conflicts: dict[str, Conflict]

    def read_bases(self, data: QueryDict) -> None:
        """What was sent about each field: its base, and which act was pressed."""
        self.bases = {name: str(data[BASE + name]).split(",") for name in self.fields if BASE + name in data}
        if PAGE & data.keys():  # its fields say what they are based on: words that do not are based on nothing
            for name, field in self.fields.items():
                if isinstance(field, WordsField):
                    self.bases.setdefault(name, [mark("")])
        self.acts = {act: [value.partition(" ") for value in data.getlist(act)] for act in ACTS}
        for name, _space, seen in self.acts["keep"] + self.acts["both"]:
            if name in self.fields:
                self.bases[name] = [seen]
        self.given -= {name for name, _space, _seen in self.acts["take"]}

    def laid_over(self, name: str, data: QueryDict) -> list[str] | None:
        """What was sent for this field, with both texts where both are kept; None where it was left as it was found."""
        found = data.getlist(name)
        if name in self.confirmed:
            return found
        if len(self.bases.get(name, [])) == 1 and mark(plain(self.fields[name], found)) == self.bases[name][0]:
            return None
        if any(name == kept for kept, _space, _seen in self.acts["both"]):
            return ["\n\n".join(text for text in (str(self.initial[name]), *found) if text)]
        return found

    def find_conflicts(self) -> None:
        """Refuse the fields in which another window has written something else."""
        for name, marks in self.bases.items():
            if name not in self.given or name in self.errors or self.mark_of(name) in marks or self.says_the_same(name):
                continue
            self.conflicts[name] = self._conflict(name)
            self.add_error(name, _("Not saved: something else was written here in another window. Choose what holds."))

    @property
    def confirmed(self) -> set[str]:
        """The fields that a button confirms, also where they are left as they were found."""
        raise NotImplementedError

    def says_the_same(self, name: str) -> bool:
        """Whether the field's value is the one that is stored."""
        raise NotImplementedError

    def part_of(self, name: str) -> str:
        """What a field's part of the call is called in the log."""
        raise NotImplementedError

    def base_of(self, name: str) -> str:
        """The marks of what a field is based on: while its words are not saved, of what they were written upon."""
        if name in self.errors and name in getattr(self, "bases", {}) and name in self.given:
            return ",".join(self.bases[name])
        return self.mark_of(name)

    def mark_of(self, name: str) -> str:
        """The mark of what is stored."""
        return mark(self.initial[name])

    def words_of(self, name: str) -> str:
        """What is stored, as it reads on the screen."""
        value = self.initial[name]
        names = {str(code): str(label) for code, label in getattr(self.fields[name], "choices", [])}
        return ", ".join(names.get(one, one) for one in map(str, value if isinstance(value, list) else [value]) if one)

    def _conflict(self, name: str) -> Conflict:
        both = name.startswith("n.")
        row = last_save(self.call, self.part_of(name))
        by, at = (row.user, row.at) if row else (None, self.call.saved_at)
        mine = self.cleaned_data.get(name)
        return Conflict(self.words_of(name), mine if isinstance(mine, str) else "", self.mark_of(name), by, at, both)


def written(data: QueryDict) -> list[str]:
    """The words that were sent and differ from what they were based on, for whoever may not read the call."""
    texts = {name: str(data[name]).replace("\r\n", "\n").strip() for name in data if BASE + name in data}
    return [text for name, text in texts.items() if text and mark(text) != data[BASE + name]]


def last_save(call: Call, part: str) -> LogEntry | None:
    """The row of the log that tells who saved this part of the call last, and when."""
    rows = LogEntry.objects.filter(call=call.pk, event="call.saved", codes__parts__contains=[part])
    return rows.select_related("user").order_by("-pk").first()
