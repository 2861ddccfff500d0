"""The form of a call: every field that its page may hold. A save takes those that were given, are right and have changed."""

import datetime as dt
from collections.abc import Iterable, Iterator
from copy import copy, deepcopy
from functools import lru_cache
from typing import Any

from django import forms
from django.conf import settings
from django.db import transaction
from django.http import QueryDict
from django.utils import timezone, translation
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from helpline.people.errors import Refused, TooLate
from helpline.people.models import User
from intake import actions, triage
from intake.actions.continuity import hash_phrase, plain_phrase
from intake.actions.timeline import lock_call
from intake.forms.cases import WhenField
from intake.forms.fields import WordsField, number_of
from intake.forms.measures import check_references, measure_fields, stored_measures
from intake.forms.naming import check_naming
from intake.forms.safe import safe_fields
from intake.forms.windows import TwoWindows, mark
from intake.labels import NOTE_KINDS
from intake.models import Call
from intake.reference import municipalities
from intake.triage import Guide, Question

MISDIAL = "misdial"
LONGEST = 20_000  # characters of a note
# The prefix of a field's name -> the part of a call; of the last two, words of a line that must be done at once.
PARTS = {"a": "answers", "r": "remarks", "n": "notes", "s": "safe", "ref": "references", "why": "reasons"}
# What is decided about the next step, and where it stands until the call is completed and it becomes the step itself.
DRAFTS = {"what": "step_what", "due": "step_due_at", "open_case": "wants_case"}
HOW_IT_BEGAN = {"is_practice", "entered_late", "lasted_minutes"}  # facts that say nothing about the person
APART = {"void_reason", "again_number", "again_phrase"}  # read by acts of their own, never saved with the rest
WHEN = "%Y-%m-%dT%H:%M"
# Fields with the codes of a list, as the list was when the call began.
CODED = {
    **{"track": "tracks", "identity": "identities", "language": "languages", "milieu": "milieus"},
    **{"age_band": "age_bands", "protection": "protections", "urgency": "urgencies"},
}


def parse_when(text: str) -> dt.datetime:
    """The moment of a time in Sweden as it is kept."""
    return timezone.make_aware(dt.datetime.strptime(text, WHEN))


def field_of(question: Question) -> forms.Field:
    """The field that takes the answer to a question."""
    if question.type == "text":
        return WordsField(label=question.short, max_length=5_000)
    kind = forms.MultipleChoiceField if question.type == "multi" else forms.ChoiceField
    return kind(label=question.short, choices=question.choices, required=False)


class CallForm(TwoWindows):
    """All that can be written about one call."""

    caller_type = forms.ChoiceField(label=_("Who is calling"), required=False)
    track = forms.ChoiceField(label=_("Track"))
    identity = forms.ChoiceField(label=_("Identity"))
    language = forms.ChoiceField(label=_("Language"))
    interpreter = forms.BooleanField(label=_("Interpreter needed"), required=False)
    municipality = forms.ChoiceField(
        label=_("Municipality"),
        required=False,
        choices=lambda: [("", gettext("Unknown / will not say")), *municipalities()],
    )
    milieu = forms.ChoiceField(label=_("Milieu"))
    age_band = forms.ChoiceField(label=_("Age of the person of concern"))
    protection = forms.ChoiceField(label=_("Protected personal data"))
    caller_name = WordsField(label=_("Name of the caller"), max_length=120)
    personal_number = WordsField(label=_("Personal or coordination number"), max_length=30)
    phone = WordsField(label=_("Number to call back"), max_length=40)
    urgency = forms.ChoiceField(label=_("Urgency"), required=False)
    urgency_reason = WordsField(label=_("Why it is lower"), max_length=2_000)
    what = WordsField(label=_("What is to be done"), max_length=500)
    due = WhenField(label=_("At the latest"), required=False)
    open_case = forms.BooleanField(label=_("Open a case"), required=False)
    actualisation = forms.ChoiceField(
        label=_("Is this an actualisation?"), required=False, choices=[("yes", _("Yes")), ("no", _("No"))]
    )
    actualisation_reason = WordsField(label=_("Why"), max_length=2_000)
    void_reason = WordsField(label=_("Why the call is taken away"), max_length=2_000)
    again_number = WordsField(label=_("The number that they got"), max_length=60)
    again_phrase = WordsField(label=_("The passphrase, if they chose one"), max_length=120)
    passphrase = WordsField(label=_("Passphrase if they call again"), max_length=120)

    def __init__(
        self, call: Call, data: QueryDict | None = None, *, completing: bool = False, apart: Iterable[str] = ()
    ) -> None:
        """`apart`: fields that who sent it neither sees nor writes."""
        self.call = call
        self.completing = completing
        self.sent = data
        self.given: set[str] = set()
        self.bases, self.conflicts = {}, {}
        super().__init__()
        self.fields |= fields_of(call.guide, get_language() or settings.LANGUAGE_CODE)
        self.initial = self.stored()
        if data is not None:
            self.given = {*data, *data.getlist("present"), *data.getlist("clear")}
            self.given |= {"urgency"} if "confirm" in data else set()
            self.given -= {*apart}
            self.read_bases(data)
            self.is_bound = True
            self.data = self._whole(data)

    def stored(self) -> dict[str, Any]:
        """What every field holds now. Nobody has confirmed the urgency while it stands at the least."""
        call = self.call
        values: dict[str, Any] = dict.fromkeys(self.fields, "")
        values |= {name: getattr(call, name) for name in self.base_fields if name in actions.calls.FACTS}
        values["municipality"] = call.municipality_id or ""
        values["urgency"] = call.urgency or call.urgency_at_least
        values["passphrase"] = ""  # is kept as a hash, and shown to nobody
        values |= {f"a.{key}": value for key, value in call.answered.items()}
        values |= {f"r.{key}": text for key, text in call.remarks.items()}
        values |= {f"n.{note.kind}": note.text for note in call.note_rows}
        values |= {f"s.{key}": value for key, value in call.safe.values.items()} | stored_measures(call)
        values |= {"what": call.step_what, "open_case": "yes" if call.wants_case else ""}
        values["due"] = timezone.localtime(call.step_due_at).strftime(WHEN) if call.step_due_at else ""
        return values

    def _whole(self, data: QueryDict) -> QueryDict:
        """What was sent, laid over what is stored: the form is checked, and shown again, as a whole."""
        whole = QueryDict(mutable=True)
        for name in self.fields:
            value: Any = self.laid_over(name, data) if name in self.given else None
            value = self.initial[name] if value is None else value
            several = value if isinstance(value, list) else [value]
            whole.setlist(name, [one for one in several if one not in ("", False)])
        for name in data.getlist("clear"):
            whole.setlist(name, [])
        if "confirm" in data:
            whole.setlist("urgency", data.getlist("confirm"))
        return whole

    def full_clean(self) -> None:
        """Check the whole, and keep the faults of what was given: the rest was right when it was stored. To complete, all
        must be right now: a time that was still to come may have passed."""
        super().full_clean()
        if self.completing:
            return
        for name in [name for name in self.errors if name in self.fields and name not in self.given]:
            del self.errors[name]

    def clean_passphrase(self) -> str:
        phrase: str = self.cleaned_data["passphrase"]
        if phrase and not plain_phrase(phrase):
            raise forms.ValidationError(_("The passphrase needs letters or figures."))
        return phrase

    def clean_personal_number(self) -> str:
        return number_of(self.cleaned_data["personal_number"])

    def clean(self) -> dict[str, Any]:
        for name in sorted(self.given - self.fields.keys()):
            part, dot, key = name.partition(".")
            if dot and part in PARTS:
                self.add_error(None, gettext("%(question)s: there is no such question.") % {"question": key[:60]})
        for kind in set(self.ticked) - set(triage.codes("acute_lines")):
            self.add_error(None, gettext("%(question)s: there is no such question.") % {"question": kind[:60]})
        check_naming(self)
        check_references(self)
        self.find_conflicts()
        return self.cleaned_data

    def changes(self) -> Iterator[tuple[str, Any]]:
        """The fields that were given, are right, and say something new."""
        faults = self.errors  # checks the form, also where nothing was given
        for name in self.fields:
            if name not in self.given or name in faults or name in APART:
                continue
            value = self._plain(name)
            if name in self.confirmed and value != self.call.urgency or not self.says_the_same(name):
                yield name, sorted(value) if isinstance(value, list) else value

    @property
    def confirmed(self) -> set[str]:
        return {"urgency"} if self.completing or (self.sent is not None and "confirm" in self.sent) else set()

    def says_the_same(self, name: str) -> bool:
        value, before = self._plain(name), self.initial[name]
        return sorted(value) == sorted(before) if isinstance(value, list) else value == before

    def mark_of(self, name: str) -> str:
        return mark(self.call.passphrase) if name == "passphrase" else super().mark_of(name)  # shown to nobody

    def words_of(self, name: str) -> str:
        if name == "passphrase" and self.call.passphrase:
            return gettext("A passphrase, which is shown to nobody.")
        return super().words_of(name)

    def part_of(self, name: str) -> str:
        apart = {**DRAFTS, "municipality": "municipality_id"}
        return name.partition(".")[2] or apart.get(name, name)

    def _plain(self, name: str) -> Any:
        """A field's value as it is stored."""
        value = self.cleaned_data.get(name)
        if isinstance(value, dt.datetime):
            return timezone.localtime(value).strftime(WHEN)
        if name == "open_case":
            return "yes" if value else ""
        return "" if value is None else value

    @transaction.atomic
    def save(self, *, by: User) -> Call:
        """Save what is right, whatever is wrong with the rest. Raises TooLate."""
        self._hold()
        parts: dict[str, dict[str, Any]] = {part: {} for part in ("facts", *PARTS.values())}
        for name, value in self.changes():
            part, dot, key = name.partition(".")
            if dot:
                parts[PARTS[part]][key] = value
            elif name in DRAFTS:
                parts["facts"][DRAFTS[name]] = self.cleaned_data[name]
            elif name == "municipality":
                parts["facts"]["municipality_id"] = value or None
            elif name == "passphrase":
                parts["facts"][name] = hash_phrase(value)
            else:
                parts["facts"][name] = value
        if self._is_raised(parts):
            parts["facts"]["urgency"] = ""
        if self.sent is not None and "passphrase" in self.sent.getlist("clear"):
            parts["facts"]["passphrase"] = ""
        done = [kind for kind in self.ticked if kind in triage.codes("acute_lines")]
        if done or any(parts.values()):
            self.call = actions.save_call(by=by, call=self._to_change(), done=done, is_held=True, **parts)
            self.initial = self.stored()
            if self.sent is not None:
                self.data = self._whole(self.sent)
        return self.call

    def _hold(self) -> None:
        """Hold the call until it is saved, and see it as another window has left it meanwhile."""
        read, self.call = self.call, lock_call(self.call)
        if self.call.saved_at == read.saved_at:
            self.call.knows(read)
        elif self.sent is not None:
            self.initial = self.stored()
            self.data = self._whole(self.sent)
            self._errors = None
        if self.call.is_finished and self.errors and self.conflicts:
            raise TooLate(gettext("This call is finished. What comes now is added to the case."))

    def _to_change(self) -> Call:
        """The call that is held, for an act to change: what is refused leaves the form's own as it is stored."""
        held = copy(self.call)
        held.knows(self.call)
        return held

    @property
    def ticked(self) -> list[str]:
        """The lines that a button said are done: what must be done at once."""
        return self.sent.getlist("acute") if self.sent is not None else []

    def _is_raised(self, parts: dict[str, dict[str, Any]]) -> bool:
        """Whether the answers now call for more than what was confirmed before they came: then it is confirmed anew."""
        if not self.call.urgency or "urgency" in parts["facts"]:
            return False
        least = self.call.guide.assess("", {**self.call.answered, **parts["answers"]}).urgency
        higher = triage.rank(least) < triage.rank(self.call.urgency_at_least)
        return higher and triage.rank(least) < triage.rank(self.call.urgency)

    @transaction.atomic
    def complete(self, *, by: User) -> Call:
        """Complete the call, with the next step that was decided. Raises Refused or TooLate."""
        self._hold()
        return actions.complete_call(
            by=by,
            call=self._to_change(),
            what=self.cleaned_data["what"],
            due_at=self.cleaned_data["due"],
            open_a_case=self.cleaned_data["open_case"],
            is_held=True,
        )

    def refuse(self, refused: Refused) -> None:
        """Show at its place why the call cannot be completed yet."""
        self.add_error(refused.at or None, str(refused))

    @property
    def is_blank(self) -> bool:
        """Whether nothing is known or written about the call, but perhaps that it is a misdial."""
        fresh = Call()
        facts = actions.calls.FACTS - {"channel", "caller_type", "urgency", "received_at", *HOW_IT_BEGAN}
        known = any((getattr(self.call, name) or "") != (getattr(fresh, name) or "") for name in facts)
        written = any(self.initial[name] for name in self.fields if "." in name)
        written = written or bool(self.call.measure_rows)
        goes_on = self.call.case_id is not None
        return self.call.caller_type in ("", MISDIAL) and not known and not written and not goes_on

    def unsaved(self) -> list[tuple[str, str]]:
        """The words that came too late to be saved, each with the name of its field: as they were sent, also where they
        are wrong, and nothing of what is stored."""
        assert self.sent is not None
        wrong = [name for name in self.errors if name in self.given and name in self.fields]
        late = dict.fromkeys([*(name for name, _value in self.changes()), *wrong])
        words = {name: self.sent.get(name, "") for name in late if isinstance(self.initial[name], str)}
        return [(str(self.fields[name].label), text) for name, text in words.items() if text]


@lru_cache(maxsize=16)
def fields_of(guide: Guide, language: str) -> dict[str, forms.Field]:
    """The fields that depend on nothing but the questions and the language, made once: the forms share them, and change
    none of them."""
    found: dict[str, forms.Field] = {}
    with translation.override(language):
        for name, codes in CODED.items():
            found[name] = _with_choices(name, guide.choices(codes))
        found["caller_type"] = _with_choices("caller_type", [(one.code, one.name) for one in guide.callers.values()])
        for key, question in guide.questions.items():
            found[f"a.{key}"] = field_of(question)
            label = gettext("%(question)s, in their own words") % {"question": question.short}
            found[f"r.{key}"] = WordsField(label=label, max_length=2_000)
        for kind, label in NOTE_KINDS.items():
            found[f"n.{kind}"] = WordsField(label=label, max_length=LONGEST)
        return found | safe_fields() | measure_fields()


def _with_choices(name: str, choices: list[tuple[str, str]]) -> forms.Field:
    """A field of the form, with these choices."""
    field = deepcopy(CallForm.base_fields[name])
    field.choices = choices  # type: ignore[attr-defined]
    return field
