"""The part of the overview that is renewed while the page stands open: its tiles, and what is said aloud of them."""

import hashlib
from collections.abc import Iterable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from helpline.caseload import Tile, now_of
from helpline.people import asking
from helpline.people.access import needs
from helpline.people.counts import said_count
from intake.gate import person


@asking.asks
@needs("see_caseload")
@require_GET
def caseload_now(request: HttpRequest) -> HttpResponse:
    """The tiles as they are now, for a page that shows `seen`: nothing where they are the same. They are counted anew for whoever
    asks, each time: a stored answer could show what may no longer be seen."""
    seen = request.GET.get("seen", "")
    part = fresh_part(request, now_of(person(request)))
    if part["seen"].partition("~")[0] == seen.partition("~")[0]:
        return asking.unchanged()
    return asking.changed(request, "helpline/_overview_now.html", {**part, "risen": _risen(part["alarms"], seen)})


def fresh_part(request: HttpRequest, now: dict[str, Any]) -> dict[str, Any]:
    """The tiles as they are written, and the mark by which a page says which it shows: a hash of what stands there, and the
    numbers that should be none."""
    written = render_to_string("helpline/_tiles.html", now, request=request)
    alarms = [tile for tile in [*now["tiles"], *now["beside"]] if tile.should_be_none]
    mark = hashlib.sha256(written.encode()).hexdigest()[:16]
    counts = ",".join(f"{tile.key}:{tile.number}" for tile in alarms)
    return {"part": written, "seen": f"{mark}~{counts}", "alarms": alarms, "fresh_seconds": asking.every()}


def _risen(alarms: Iterable[Tile], seen: str) -> list[str]:
    """What should be none and is more than the page shows, in words. A mark that is none says nothing of any."""
    shown = dict(part.split(":", 1) for part in seen.partition("~")[2].split(",") if ":" in part)
    return [
        _("%(what)s: %(count)s") % {"what": tile.label, "count": said_count(tile.number)}
        for tile in alarms
        if (was := shown.get(tile.key, "")).isdecimal() and tile.number > int(was[:9])
    ]
