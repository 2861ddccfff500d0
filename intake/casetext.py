"""The text of a case for the municipality's own system (personakt): all that is written, in Swedish, under the stamp of
secrecy. Plain lines, since it is pasted into a field of another program."""

import datetime as dt
from collections.abc import Iterator

from django.conf import settings
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from helpline.people import clock
from intake import triage
from intake.acute import lines_of
from intake.labels import CASE_NOTES
from intake.models import Call, Case, ChildClock, Event, FollowUp, Note

Lines = Iterator[str]
SECRECY_LAW = "26 kap. 1 § offentlighets- och sekretesslagen (2009:400)"  # OSL 26:1; the stamp itself is OSL 5:5
# Events that are decisions about the person; what was decided about a call stands with the call.
DECISIONS = [
    *("child.protection_assessed", "child.inquiry_opened", "child.inquiry_not_opened", "child.inquiry_under_way"),
    *("child.inquiry_finished", "child.clock_extended", "case.reopened", "urgency.raised"),
    *("track.changed", "protection.changed"),
]


def text_of(case: Case) -> str:
    """The whole text. In Swedish whoever asks: it is for a Swedish file."""
    with translation.override("sv"):
        blocks = [
            _stamp(),
            _head(case),
            *(_call(call) for call in case.calls.filter(completed_at__isnull=False).order_by("received_at", "pk")),
            _later_notes(case),
            _steps(case),
            _children(case),
            _decisions(case),
            _end(case),
        ]
        return "\n\n".join(filter(None, ("\n".join(block).strip("\n") for block in blocks))) + "\n"


def _stamp() -> Lines:
    """The mark of secrecy: paragraph, date and authority (OSL 5:5). A warning, not a decision."""
    yield _("SECRECY under %(law)s") % {"law": SECRECY_LAW}
    yield f"{clock.today().isoformat()}, {settings.LINE_BOARD}"


def _head(case: Case) -> Lines:
    yield _("Number: %(number)s") % {"number": case.number}
    if case.is_practice:
        yield _("PRACTICE: not a real case.")
    yield _("Opened: %(time)s") % {"time": _at(case.opened_at)}
    if case.closed_at:
        yield _("Closed: %(time)s. %(reason)s") % {"time": _at(case.closed_at), "reason": case.closing_name}
    yield _("Responsible: %(name)s, %(unit)s") % {"name": case.owner, "unit": case.unit}
    yield _("Track: %(track)s") % {"track": f"{case.track}, {case.track_name}"}
    if case.track == "A":
        yield _("Advice is not documented on a person (SoL 14:4). Do not put this text into anybody’s file.")
    yield _("Needs: %(needs)s") % {"needs": ", ".join(case.need_names) or "–"}


def _call(call: Call) -> Lines:
    late = _(", entered afterwards") if call.entered_late else ""
    yield _("CALL %(time)s, %(minutes)s minutes%(late)s") % {
        "time": _at(call.received_at),
        "minutes": call.minutes,
        "late": late,
    }
    yield _("Taken by: %(name)s") % {"name": call.taken_by}
    yield _("Who called: %(caller)s") % {"caller": call.type_name}
    yield from _facts(call)
    yield from _block(
        _("Answers"), (": ".join(filter(None, [one.label, _joined(one.answer, one.words)])) for one in call.told)
    )
    yield from _block(_("Written beside it afterwards"), _beside(call))
    yield from _block(_("Done at once"), (_measure(line) for line in lines_of(call)))
    notes = call.signed_notes
    for kind, name in CASE_NOTES.items():
        yield from _block(str(name), (line for note in notes if note.kind == kind for line in _note(note)))


def _beside(call: Call) -> Lines:
    """What was added, corrected or objected to in its answers and facts: never in their place (SoL 14:6)."""
    for rows in call.beside.values():
        for one in rows:
            yield f"{one.about_name}: {one.amendment_name} {_at(one.at)}, {one.by}: {one.text}"


def _facts(call: Call) -> Lines:
    named = {
        _("Municipality"): str(call.municipality or _("unknown")),
        _("Milieu"): triage.name_of("milieus", call.milieu),
        _("Age of the person of concern"): triage.name_of("age_bands", call.age_band),
        _("Identity"): triage.name_of("identities", call.identity),
        _("Language"): triage.name_of("languages", call.language),
        _("Interpreter needed"): _("Yes") if call.interpreter else _("No"),
        _("Urgency"): _joined(triage.name_of("urgencies", call.urgency), call.urgency_reason),
        _("Actualisation"): _joined(_answer(call.actualisation), call.actualisation_reason),
    }
    yield from (f"{label}: {value}" for label, value in named.items())


def _later_notes(case: Case) -> Lines:
    notes = list(case.notes.filter(amends__isnull=True).select_related("by", "case__key").order_by("at", "id"))
    for kind, name in CASE_NOTES.items():
        title = _("%(kind)s, after the calls") % {"kind": name}
        yield from _block(title, (line for note in notes if note.kind == kind for line in _note(note)))


def _note(note: Note) -> Lines:
    """A signed note, and under it what was added to it: never in its place (SoL 14:6)."""
    yield _("%(time)s, %(name)s:") % {"time": _at(note.signed_at or note.at), "name": note.by}
    yield note.text
    for one in note.hanging:
        yield f"  {one.amendment_name} {_at(one.at)}, {one.by}: {one.text}"


def _measure(line: object) -> str:
    label, done, reference, why = (getattr(line, name) for name in ("label", "done_at", "reference", "why_not"))
    when = _at(done) if done else _("not done")
    return ". ".join(filter(None, [f"{label}: {when}", reference, why]))


def _steps(case: Case) -> Lines:
    rows = case.steps.exclude(state=FollowUp.State.MOVED).select_related("owner", "case__key").order_by("due_at", "id")
    yield from _block(_("Steps"), (_step(step) for step in rows))


def _step(step: FollowUp) -> str:
    ended = _("ended %(time)s") % {"time": _at(step.ended_at)} if step.ended_at else _("not done yet")
    said = _("%(step)s. %(name)s, at the latest %(time)s, %(ended)s") % {
        "step": step.title,
        "name": step.owner,
        "time": _at(step.due_at),
        "ended": ended,
    }
    return _joined(said, step.outcome)


def _children(case: Case) -> Lines:
    clocks = (
        ChildClock.objects.filter(report__case=case).select_related("report", "done_by").order_by("started_at", "id")
    )
    yield from _block(_("Times of the law for a child"), (_clock(one) for one in clocks))


def _clock(one: ChildClock) -> str:
    said = _("%(name)s, child %(age)s: from %(start)s, aim %(aim)s, last day by law %(last)s") % {
        "name": one.name,
        "age": one.report.age_name,
        "start": _at(one.started_at),
        "aim": one.aim.isoformat(),
        "last": one.last_day.isoformat(),
    }
    return _joined(
        said, _("done %(time)s, %(name)s") % {"time": _at(one.done_at), "name": one.done_by} if one.done_at else ""
    )


def _decisions(case: Case) -> Lines:
    events = Event.objects.filter(case=case, kind__in=DECISIONS).select_related("by", "case__key").order_by("at", "id")
    yield from _block(_("Decisions"), (_decision(event) for event in events))


def _decision(event: Event) -> str:
    return _joined(f"{_at(event.at)}, {event.by}: {_joined(event.title, event.about)}", event.text)


def _end(case: Case) -> Lines:
    yield _("Made %(time)s in %(system)s.") % {"time": _at(clock.now()), "system": settings.LINE_NAME}


def _block(title: str, lines: Lines) -> Lines:
    """A heading and its lines; nothing where there are none."""
    found = list(lines)
    if found:
        yield ""
        yield title.upper()
        yield from found


def _joined(*parts: str) -> str:
    return ". ".join(part for part in parts if part)


def _answer(code: str) -> str:
    return triage.in_language(triage.BOOL3[code]) if code else "–"


def _at(moment: dt.datetime | None) -> str:
    """A moment of Swedish time as a file writes it."""
    return timezone.localtime(moment, timezone.get_default_timezone()).strftime("%Y-%m-%d %H.%M") if moment else "–"
