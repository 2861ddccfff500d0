"""A handover by other ways: an accessible PDF, and text for a secure message. It holds what its receiver sees of it (sight.py),
under a secrecy marking, and nothing else. Always in Swedish, and with days that hold when it is read later."""

import json
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

import typst
from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from helpline.people import clock
from helpline.people.errors import Refused
from referrals.models import Referral
from referrals.sight import Sight, footing, sight

# Our own note on it (OSL 5:5): paragraph, date and authority. It warns; whether it may be given out is tried each time.
MARKING = "Sekretess enligt 26 kap. 1 § OSL"
TAGGED: Literal["ua-1"] = "ua-1"  # PDF/UA-1: a PDF that a screen reader can read
LANGUAGE = "sv"

Pair = tuple[str, str]


@dataclass(frozen=True)
class Paper:
    """What stands on it, in its order."""

    title: str
    marking: str
    marked: str
    head: list[Pair]
    parts: list[Pair]
    notes: list[str]


def paper(referral: Referral) -> Paper:
    """A handover as its receiver sees it now."""
    with translation.override(LANGUAGE):
        seen = sight(referral)
        return Paper(
            title=_("Handover from %(line)s") % {"line": referral.case.unit},
            marking=MARKING,
            marked=f"{clock.today()}, {settings.LINE_BOARD}",
            head=[pair for pair in _head(referral, seen) if pair[1]],
            parts=[*((str(label), words) for _field, label, words in seen.parts), *seen.identity],
            notes=_notes(referral, seen),
        )


def shared_on_paper(referral: Referral) -> list[str]:
    """The codes of what stands on it (labels.SHARED)."""
    identity = ["name", "phone"] if sight(referral).identity else []
    return [field for field, _label, _words in referral.card] + [one for one in identity if getattr(referral, one)]


def as_text(referral: Referral) -> str:
    """Plain text; the marking is its first line."""
    return in_plain(paper(referral))


def as_pdf(referral: Referral) -> bytes:
    """A tagged PDF. Raises Refused where the typeface lacks a sign."""
    return compiled(paper(referral), str(referral.pk))


def in_plain(made: Paper) -> str:
    """A paper as plain text; the marking is its first line."""
    head = "\n".join(f"{label}: {words}" for label, words in made.head)
    parts = [f"{label.upper()}\n{words.strip()}" for label, words in made.parts]
    return "\n\n".join([f"{made.marking}\n{made.marked}", made.title, head, *parts, " ".join(made.notes)]) + "\n"


def compiled(made: Paper, reference: str) -> bytes:
    """A paper as a tagged PDF. What was typed goes in as data and is never read as markup. Raises Refused where the typeface
    lacks a sign: nothing that was written is left out without a word."""
    data = {**vars(made), "language": LANGUAGE, "reference": reference}
    try:
        found = typst.compile(
            _source(), sys_inputs={"data": json.dumps(data)}, pdf_standards=[TAGGED], ignore_system_fonts=True
        )
    except typst.TypstError as error:
        missing = re.search(r"the text [`\"]+(.+?)[`\"]+ could not be displayed", str(error))
        sign = f"“{missing[1]}” " if missing else ""
        raise Refused(
            _("The text holds a sign %(sign)sthat a PDF cannot show. Make the text for a secure message instead.")
            % {"sign": sign}
        ) from None
    assert isinstance(found, bytes)  # one file: it is not asked for pages as pictures
    return found


@lru_cache
def _source() -> bytes:
    return (Path(__file__).parent / "paper.typ").read_bytes()


def _head(referral: Referral, seen: Sight) -> list[Pair]:
    unit, agency = referral.case.unit, referral.agency
    ours = ", ".join(part for part in (str(unit), unit.phone, settings.LINE_FUNCTION_ADDRESS) if part)
    theirs = ", ".join(part for part in (str(agency), agency.sdk_address) if part)
    due = clock.local_time(seen.answer_by) if seen.answer_by else None
    return [
        (_("To"), theirs),
        (_("Sender"), ours),
        (_("Need"), seen.title),
        (_("Urgency"), seen.urgency_name),
        (_("Answer by"), f"{due:%Y-%m-%d %H.%M}" if due else ""),
        (_("Reference"), str(referral.pk)),
    ]


def _notes(referral: Referral, seen: Sight) -> list[str]:
    """On what footing they have it, with days that hold when it is read later."""
    waits = [_("Name and number are told when you have accepted.")] if seen.identity_waits else []
    return [*waits, *footing(referral, str)]
