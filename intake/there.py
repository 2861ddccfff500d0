"""What there is in a case besides its own row, asked with it for its page: what there is none of is not asked for."""

import datetime as dt
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery

from helpline.people import clock
from helpline.people.absences import away_on
from helpline.people.counts import Written, frame_asks, written
from helpline.people.models import Unit, User
from intake import triage
from intake.actions.board import MONTHS
from intake.actions.erasure import entry_facts
from intake.models import AcuteMeasure, BoardDecision, Bounce, Call, Case, CaseLink, ConcernReport, Note
from intake.models.cases import CaseQuerySet, locked_cases

OF = OuterRef("pk")
FRAME = "frame:"  # how the names of the frame's part begin
# What a case is asked, each as an expression of its row and of nothing else, neither of the moment nor of who asks; each
# floor adds its own at start. A name that begins with `has_` is one for `there_may_be`.
ASKED: list[Callable[[], dict[str, Any]]] = []


def of_case(day: dt.date) -> dict[str, Any]:
    """This floor's part. Each is asked by its own index: an "or" between a table and the one beside it would read all of
    both."""
    bounces = Bounce.objects.filter(case=None, call__case=OF)
    amendments = Note.objects.exclude(amendment="")
    return {
        "has_away": Exists(away_on(day).filter(pk=OuterRef("owner"))),
        "has_links": Exists(CaseLink.objects.filter(Q(one=OF) | Q(other=OF), ended_at__isnull=True)),
        "has_reports": Exists(ConcernReport.objects.filter(case=OF)),
        "has_acute": Exists(Call.objects.acute_left().filter(case=OF)) | Exists(_without_reference()),
        "has_bounces": Exists(Bounce.objects.filter(case=OF)) | Exists(bounces),
        "has_amended": Exists(amendments.filter(case=OF)) | Exists(amendments.filter(call__case=OF)),
        "months_decided": Subquery(_months(day).values("value")[:1]),
        **entry_facts(),
    }


def _without_reference() -> QuerySet[AcuteMeasure]:
    """Lines that were done, and whose reference is still to be written."""
    lines = triage.read_files()["lists"]["acute_lines"]
    asking = [kind for kind, line in lines.items() if line.get("reference")]
    return AcuteMeasure.objects.filter(call__case=OF, kind__in=asking, done_at__isnull=False, reference=b"")


def _months(day: dt.date) -> QuerySet[BoardDecision]:
    units = Unit.objects.filter(pk=OuterRef(OuterRef("unit")))  # not joined to the row: _of_floors
    return BoardDecision.objects.begun(MONTHS, Subquery(units.values("municipality")), day)


@lru_cache(maxsize=2)
def _of_floors(day: dt.date) -> Written:
    """What all floors ask of a case on a day, whoever reads it, as the SQL that it comes to: Django writes the same long
    statement once, and not for each page."""
    asked = of_case(day) | {name: one for asks in ASKED for name, one in asks().items()}
    return written(Case, asked)


def asked_for_page(cases: CaseQuerySet, user: User) -> CaseQuerySet:
    """Cases with all that their page asks of their row, and with what the frame of the page asks. `has_locked`: whether the
    reader is locked out of any case at all."""
    of_frame = {f"{FRAME}{name}": one for name, one in frame_asks(user).items()}
    return cases.annotate(has_locked=Exists(locked_cases(user)), **_of_floors(clock.today()), **of_frame)


def found_for_frame(case: Case) -> dict[str, Any]:
    """What the frame asked with this row."""
    return {name.removeprefix(FRAME): value for name, value in vars(case).items() if name.startswith(FRAME)}


def there_may_be(case: Case, what: str) -> bool:
    """Whether there may be something of this kind: always where the row was not asked."""
    return bool(vars(case).get(f"has_{what}", True))
