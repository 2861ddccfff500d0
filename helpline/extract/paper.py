"""The extract as it is given: gathered, masked, and on paper. Always in Swedish."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from helpline.extract import masks
from helpline.extract.content import Line, Part, Subject, at, left, of_call, of_case, part, shown
from helpline.extract.handovers import of_handovers
from helpline.extract.same import covered
from helpline.extract.tables import CALLER, CONCERN, LAWS, PARTS, in_words
from helpline.people import clock
from helpline.people.errors import Refused
from helpline.people.models import User
from helpline.retention_rows import standing_of
from intake.models import Call, Case, Person, SecrecyDecision
from referrals.papers import LANGUAGE, MARKING, Paper, compiled, in_plain


@dataclass(frozen=True)
class Extract:
    """What is given out, as it stands."""

    paper: Paper
    parts: list[Part]
    subjects: list[Subject]
    calls: list[Call]
    reporter: bool  # somebody else called, who must not be recognised

    @property
    def cases(self) -> list[Case]:
        return [subject.case for subject in self.subjects]

    @property
    def digest(self) -> str:
        """By which it is known that what is made is what was looked through; that somebody reads it meanwhile changes nothing."""
        told = [(part.title, [line.text for line in part.lines]) for part in self.parts if part.code != "readers"]
        return hashlib.sha256(repr((self.paper.head, told)).encode()).hexdigest()

    @property
    def is_protected(self) -> bool:
        return any(case.is_protected for case in self.cases) or any(call.is_protected for call in self.calls)

    def as_text(self) -> str:
        return in_plain(self.paper)

    def as_pdf(self, reference: str) -> bytes:
        """A tagged PDF. Raises Refused where the typeface lacks a sign."""
        return compiled(self.paper, reference)


def gather(user: User, decision: SecrecyDecision, *, ticked: Iterable[str] = (), words: Iterable[str] = ()) -> Extract:
    """Everything that a decision covers, masked. Raises Refused where this user may no longer know of all of it."""
    values = [*decision.covers["people"], *decision.covers["calls"]]
    people, calls = covered(user, values)
    if len(people) + len(calls) != len(values):
        raise Refused(_("What the decision covers is no longer there as it was. Decide anew."))
    subjects = _subjects(people)
    with translation.override(LANGUAGE):
        found = _masks(decision, subjects, calls)
        found.add_words(words)
        parts = shown(left(_parts(decision, subjects, calls), decision.held_back), found, set(ticked))
        paper = Paper(
            title=_("Extract of personal data"),
            marking=MARKING,
            marked=f"{clock.today()}, {settings.LINE_BOARD}",
            head=_head(decision, subjects, calls),
            parts=[(part.title, "\n".join(line.text for line in part.lines)) for part in parts],
            notes=[
                _(
                    "What is about somebody else, and who reported, is masked. What is wrong here is corrected beside it."
                )
            ],
        )
    reporter = any(CALLER not in subject.parts for subject in subjects) or decision.call_part == CONCERN
    return Extract(paper, parts, subjects, calls, reporter)


def _subjects(people: list[Person]) -> list[Subject]:
    found: dict[object, Subject] = {}
    for person in people:
        subject = found.setdefault(person.case_id, Subject(person.case, []))
        person.case = subject.case
        subject.people.append(person)
    return list(found.values())


def _as_whom(decision: SecrecyDecision, call: Call) -> str:
    """As whom the person stands in a call: as who called, unless the decision says otherwise of this one."""
    return decision.call_part if call.pk == decision.call_id else CALLER


def _parts(decision: SecrecyDecision, subjects: list[Subject], calls: list[Call]) -> list[Part]:
    order = list(PARTS)
    found: list[Part] = []
    for subject in subjects:
        kept = part("kept", subject.case.number, [Line("", standing_of(subject.case).words)])
        found += sorted([*of_case(subject), *of_handovers(subject), kept], key=lambda part: order.index(part.code))
    for call in calls:
        kept = part("kept", _("Call %(time)s") % {"time": at(call.received_at)}, [Line("", standing_of(call).words)])
        found += [*of_call(call, _as_whom(decision, call)), kept]
    return found


def _head(decision: SecrecyDecision, subjects: list[Subject], calls: list[Call]) -> list[tuple[str, str]]:
    held = in_words(decision.held_back)
    about = [subject.case.number for subject in subjects]
    about += [_("call %(time)s") % {"time": at(call.received_at)} for call in calls]
    rows: list[Case | Call] = [*(subject.case for subject in subjects), *calls]
    gone = [at(row.key.destroyed_at) for row in rows if row.is_forgotten]
    names = [one.name for subject in subjects for one in subject.people]
    names += [call.caller_name for call in calls if _as_whom(decision, call) != CONCERN]
    names = [] if "person" in decision.held_back else names
    return [
        (
            _("About"),
            ", ".join(dict.fromkeys(name for name in names if name)) or "–",
        ),
        (_("Concerns"), ", ".join(about)),
        *(
            [(_("Erased"), _("The words were erased %(time)s. What is coded remains.") % {"time": ", ".join(gone)})]
            if gone
            else []
        ),
        (_("Registry number"), decision.registry_number),
        (_("Decided"), f"{at(decision.decided_at)}, {decision.decided_by}"),
        *([(_("Held back"), f"{held} ({LAWS.get(decision.law, decision.law)})")] if held else []),
    ]


def _masks(decision: SecrecyDecision, subjects: list[Subject], calls: list[Call]) -> masks.Masks:
    """Everybody else who is known in these cases and calls, also who was taken off the list."""
    own = {person.pk for subject in subjects for person in subject.people}
    made = [call for call in calls if _as_whom(decision, call) != CONCERN]  # by the person
    names = [person.name for subject in subjects for person in subject.people] + [call.caller_name for call in made]
    numbers = [person.personal_number for subject in subjects for person in subject.people]
    numbers += [call.personal_number for call in made]
    found = masks.Masks(names, [number for number in numbers if number])
    for call in calls:
        if call not in made:
            found.add_person(masks.reporter(), name=call.caller_name, phone=call.phone, number=call.personal_number)
    for subject in subjects:
        is_caller = CALLER in subject.parts
        for one in Person.everybody.filter(case=subject.case).exclude(pk__in=own).select_related("case__key"):
            mark = masks.reporter() if one.part == CALLER and not is_caller else masks.other()
            found.add_person(mark, name=one.name, phone=one.phone, number=one.personal_number)
        for call in subject.case.calls.select_related("key") if not is_caller else []:
            found.add_person(masks.reporter(), name=call.caller_name, phone=call.phone, number=call.personal_number)
        for row in subject.case.referrals.select_related("case__key"):
            if row.name not in names:
                found.add_person(masks.other(), name=row.name, phone=row.phone)
    return found
