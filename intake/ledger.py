"""The bounces of a case in words: what happened, when, with which agency or step, in whose hands."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.utils.text import capfirst
from django.utils.translation import gettext as _

from helpline.people.models import User
from intake import triage
from intake.labels import BOUNCED_WHY, BOUNCES, STEP_KINDS
from intake.models import Bounce, Case


@dataclass(frozen=True)
class Line:
    """One bounce."""

    cause: str
    at: dt.datetime
    about: str  # the step, the need, from whom to whom
    whose: str  # in whose hands it was


def ledger(case: Case) -> list[Line]:
    """Each bounce of a case, newest first. Two queries, however many they are."""
    rows = list(Bounce.objects.of(case).order_by("-at", "-pk"))
    named = {row.codes[key] for row in rows for key in ("whose", "to") if row.codes.get(key)}
    named |= {row.by_id for row in rows if row.by_id}
    people = {pk: str(user) for pk, user in User.objects.in_bulk(named).items()} if named else {}
    return [_line(row, people) for row in rows]


def _line(row: Bounce, people: dict[int, str]) -> Line:
    codes: dict[str, Any] = row.codes
    whose, to = people.get(codes.get("whose") or 0, ""), people.get(codes.get("to") or 0, "")
    about = ""
    if codes.get("step") in STEP_KINDS:
        about = in_words(STEP_KINDS[codes["step"]], codes)
    elif to:
        about = _("From %(giver)s to %(to)s") % {"giver": whose or "–", "to": to}
    elif "agency" in row.codes and "%(agency)s" not in str(BOUNCES[row.cause]):
        about = codes["agency"]
    if codes.get("need"):
        about = ", ".join(filter(None, [about, triage.name_of("needs", codes["need"]).lower()]))
    by = people.get(row.by_id or 0, "")
    words = BOUNCED_WHY.get(row.codes.get("why", ""), BOUNCES[row.cause])
    return Line(in_words(words, codes), row.at, about, by if to else whose or by)


def in_words(words: object, codes: dict[str, Any]) -> str:
    """A cause with its agency, which is some agency where none is named."""
    return capfirst(str(words) % {"agency": _("an agency"), **codes})
