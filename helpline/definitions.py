"""What is told outside of the line, and what each number means: one table for the page, the files and the documents."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from helpline.people.models import Municipality
from helpline.sums import ACCEPTED, DECLINED, IN_TIME, LATE, OTHERWISE, OVERDUE, WAITING
from intake import triage
from referrals.labels import CALLER_ANSWERS
from referrals.models import PartnerAgency
from referrals.partners import partner_types

REST = ""  # what is in no list of today, or is not known
MET: dict[str, Promise] = {
    ACCEPTED: _("Accepted"),
    DECLINED: _("Declined"),
    OVERDUE: _("Not answered in time, and taken back"),
    OTHERWISE: _("Still waits, or was withdrawn"),
}
# Two, not three: what was never answered was neither taken on nor declined, and would be bounded by how many were.
ANSWERED: dict[str, Promise] = {IN_TIME: _("In time"), LATE: _("Late or not at all")}
PLACED = _("Other municipality, or not known")


@dataclass(frozen=True)
class Definition:
    """One number or one table: what it is called, and what it counts. `what` and `part` as in sums.MEASURES."""

    key: str
    label: Promise
    says: Promise
    what: str
    part: str = ""
    words: Callable[[], Mapping[str, str | Promise]] = dict  # of a table: code -> words, in order
    past: str = ""  # the field of PastCase that has it
    rest: Promise = _("Other or not known")
    has_rest: bool = True  # False: nothing is in it but what is forgotten, so the table has the line only then
    read_as: Callable[[], Mapping[str, str]] = dict  # a value of the sums -> its code, where it is another


def callers() -> dict[str, str]:
    """The caller types of today."""
    return {code: caller.name for code, caller in triage.guide_today().callers.items()}


def places() -> dict[str, str]:
    """The municipalities that are told by name."""
    return {one.pk: one.name for one in Municipality.objects.order_by("name") if one.pk != Municipality.ELSEWHERE}


def kinds() -> dict[str, str]:
    """The types of partner agencies."""
    return {code: kind.name for code, kind in partner_types().items()}


def kind_by_agency() -> dict[str, str]:
    """Agency -> its type, as the sums name agencies."""
    return {str(pk): kind for pk, kind in PartnerAgency.objects.values_list("pk", "type")}


def listed(name: str) -> Callable[[], dict[str, str]]:
    """A list of questions/lists.yaml."""
    return lambda: dict(triage.choices(name))


# In the order in which they are read.
NUMBERS: tuple[Definition, ...] = (
    Definition(
        "calls",
        _("Calls"),
        _(
            "Finished calls of all units, on the Swedish day on which they came in. Practice, calls that go on, and "
            "wrong numbers and silent calls that led to no case are not counted. A person who calls three times is "
            "three calls."
        ),
        "call",
    ),
    Definition(
        "hours",
        _("Hours in calls"),
        _(
            "How long those calls lasted together, in whole hours. Not told where the length of some of them is "
            "forgotten."
        ),
        "call",
    ),
    Definition("length", _("Mean length, minutes"), _("Those hours divided by the calls, in whole minutes."), "call"),
    Definition(
        "cases",
        _("Contacts begun"),
        _(
            "Cases of advice, support and investigation that began, however often the person called. Practice "
            "is not counted."
        ),
        "case",
    ),
    Definition(
        "closed",
        _("Contacts ended"),
        _("Those that were closed, on the day of closing. One that was opened again is not closed."),
        "closed",
    ),
    Definition(
        "handovers",
        _("Handovers"),
        _("Handovers to a partner agency, on the day on which they were sent. Drafts are not counted."),
        "handover",
    ),
    Definition(
        "per_case",
        _("Handovers per contact"),
        _("Handovers divided by contacts begun, both of the same time. The aim is one."),
        "handover",
    ),
    Definition(
        "contacts",
        _("First contacts"),
        _("Persons with whom an agency had its first contact, on the day of that contact."),
        "contact",
    ),
    Definition(
        "median",
        _("Hours to first contact, half of them"),
        _(
            "Begun hours from the beginning of the contact with us to the first contact with an agency: half "
            "had it within these, nights and weekends included. Told of ten or more."
        ),
        "contact",
    ),
    Definition(
        "reports",
        _("Reports of concern"),
        _("Reports of concern for a child that the line wrote down (SoL 19:1), on the day of the report."),
        "report",
    ),
    Definition(
        "asked",
        _("Follow-ups done"),
        _("Times that we asked a caller whether the handover had helped, or tried to."),
        "asked",
    ),
)
TABLES: tuple[Definition, ...] = (
    Definition(
        "places",
        _("Calls by municipality"),
        _("The municipality that the call concerned."),
        "call",
        "place",
        places,
        "municipality_id",
        PLACED,
    ),
    Definition(
        "callers",
        _("Calls by who called"),
        _("Who called, as the worker chose it from the list. A silent call is here only where it led to a case."),
        "call",
        "caller",
        callers,
        "caller_type",
    ),
    Definition(
        "milieus",
        _("Calls by milieu"),
        _("The milieu that the call was about, as far as it was known."),
        "call",
        "milieu",
        listed("milieus"),
        "milieu",
    ),
    Definition(
        "ages",
        _("Calls by age"),
        _("The age of the person whom the call was about."),
        "call",
        "age",
        listed("age_bands"),
        "age_band",
    ),
    Definition(
        "urgencies",
        _("Calls by urgency"),
        _("The urgency that the worker confirmed."),
        "call",
        "urgency",
        listed("urgencies"),
        "urgency",
    ),
    Definition(
        "reasons",
        _("Contacts by how they ended"),
        _("The reason that was given at the closing."),
        "closed",
        "reason",
        listed("closing_reasons"),
        "closing_reason",
    ),
    Definition(
        "kinds",
        _("Handovers by type of agency"),
        _("The type of the agency that the handover was sent to."),
        "handover",
        "agency",
        kinds,
        has_rest=False,
        read_as=kind_by_agency,
    ),
    Definition(
        "met",
        _("Handovers by how they were met"),
        _("The answer of the agency. A question from it is no answer."),
        "handover",
        "met",
        lambda: MET,
        has_rest=False,
    ),
    Definition(
        "answered",
        _("Handovers by when they were answered"),
        _(
            "Whether the first answer (yes, no or a question) came within the time that the urgency allows. One "
            "that we took back unanswered had none."
        ),
        "handover",
        "answered",
        lambda: ANSWERED,
        has_rest=False,
        read_as=lambda: {WAITING: LATE},
    ),
    Definition(
        "said",
        _("Follow-ups by what was said"),
        _("What the caller said when we asked whether the handover had helped."),
        "asked",
        "said",
        lambda: CALLER_ANSWERS,
        has_rest=False,
    ),
)
DEFINITIONS: tuple[Definition, ...] = (*NUMBERS, *TABLES)
RULES: tuple[Promise, ...] = (
    _(
        "Only whole quarters and years are told, the earliest a month after their end, and for the whole "
        "line alone: never for a unit. Tables are told of years alone."
    ),
    _(
        "What was told of a quarter or a year is kept and never changes, also where something is corrected "
        "or deleted by law afterwards."
    ),
    _("Nothing is told of two things at once: never municipality by milieu by age, nor any other two."),
    _(
        "A number under five is not told, nor one from which it could be counted back: from a total, from "
        "the quarters of a year, or from what one unit knows of itself. Those of a table are told together, as "
        "one number."
    ),
    _(
        "A total of five or more is told. Who knows one unit's own number can take it from the total, and then "
        "knows how many the other units had together, even where that is one. Where it is one to four, nothing "
        "else is told of them: no table, no length, no median."
    ),
    _(
        "What the law has let us forget is counted with its quarter, as far as its coded facts remain; the "
        "calls of a contact then count in the quarter in which it began."
    ),
    _(
        "What was never said, or stands in no list of today, is under “Other or not known”. Where that line is "
        "not there, nothing could be in it."
    ),
    _("The line does not hold the calls that nobody answered, so the share of calls answered is not told here."),
)


def codes_of(table: Definition) -> list[str]:
    """The codes that a table tells apart; what is in none of them is REST."""
    return [code for code in table.words() if code != REST] + [REST]
