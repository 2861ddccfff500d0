"""What was posted of cases that are no longer there to be spread: each is named, and its words are given back."""

import re
import uuid
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from django.utils.translation import gettext as _

from helpline.people.models import User
from intake.codes import normalise, spoken
from intake.models import Case, Event

FIELD = re.compile(r"(?:to|note)-(?P<slug>.{1,60})", re.DOTALL)  # as long as a number may be typed


@dataclass(frozen=True)
class Posted:
    """What the page that was sent said of one case: to whom it was to go, and its own words."""

    slug: str
    to: str
    note: str

    @property
    def code(self) -> str:
        return normalise(self.slug)

    @property
    def number(self) -> str:
        return spoken(self.code) if self.code else self.slug


@dataclass(frozen=True)
class Gone:
    """One case that cannot be spread any more: why in a whole sentence, and who was chosen for it. Without a case there is
    none that this reader may know of."""

    posted: Posted
    why: str
    chosen: User | None
    case: Case | None


def posted_of(data: Mapping[str, str] | None) -> list[Posted]:
    """What was sent of each case, in the order of the page."""
    sent = data or {}
    slugs = dict.fromkeys(match["slug"] for name in sent if (match := FIELD.fullmatch(name)))
    return [Posted(slug, sent.get(f"to-{slug}", "").strip(), sent.get(f"note-{slug}", "").strip()) for slug in slugs]


def gone_of(posted: Iterable[Posted], common: str, *, by: User, chosen: Mapping[str, User]) -> tuple[list[Gone], int]:
    """Which of these, that are no longer the worker's, had something to say, and how many of them this page has handed over
    already, to whom it says and in its words, because it was sent twice. Of what is not there for its reader no more is said
    than that it is not. Three statements at most."""
    rows = [one for one in posted if one.to or one.note]
    found = Case.objects.visible_to(by).select_related("owner", "key", "unit")
    cases = {case.code: case for case in found.filter(code__in={one.code for one in rows if one.code})} if rows else {}
    told = _told(cases.values(), by)
    gone, done = [], 0
    for one in rows:
        case = cases.get(one.code)
        if case and str(case.owner_id) == one.to and _plain(one.note or common) in told.get(case.pk, ()):
            done += 1
        else:
            gone.append(Gone(one, _why(case), chosen.get(one.to), case))
    return gone, done


def _told(cases: Collection[Case], by: User) -> dict[uuid.UUID, set[str]]:
    """In which words this person has handed each over."""
    told: dict[uuid.UUID, set[str]] = {}
    if cases:
        rows = Event.objects.filter(case__in=cases, kind="case.reassigned", by=by).select_related("case__key")
        for event in rows:
            told.setdefault(event.case_id, set()).add(_plain(event.text))
    return told


def _plain(text: str) -> str:
    """Words whatever the line ends and the room around them."""
    return "\n".join(text.split("\r\n")).strip()


def _why(case: Case | None) -> str:
    if case is None:
        return _("It is no longer here to be handed over.")
    return _("%(name)s has it already.") % {"name": case.owner} if case.is_open else _("It is closed.")
