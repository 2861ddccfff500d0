"""The floor: for each page that is measured the smallest Django page that fetches and renders as many rows, with session and
log-in, and for each post the smallest that writes the same rows. No gate, no form, no frame, no words of a language. It shows
codes and times; the words that it writes are sealed, since the tables take no others."""

import uuid
from typing import Any

from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.db.models import Count
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template import Context, Engine

from helpline.people import clock
from helpline.people.models import LogEntry, Municipality, User
from helpline.people.paging import SIZE
from helpline.people.sealed import DataKey
from intake.models import Call, Case, Event, FollowUp, Note, Person, QuestionSet, Reminder
from referrals.models import AgencyMember, Referral
from referrals.states import OPEN

PAGE = Engine().from_string("""<!doctype html><title>Floor</title><table>{% for row in rows %}
<tr>{% for cell in row %}<td>{{ cell }}</td>{% endfor %}</tr>{% endfor %}</table>""")
MOST = 50


def _page(rows: Any) -> HttpResponse:
    return HttpResponse(PAGE.render(Context({"rows": rows})))


def _who(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user


@login_required
def steps(request: HttpRequest) -> HttpResponse:
    """My day: one's planned steps, with their cases."""
    rows = FollowUp.objects.filter(owner=_who(request), state="planned").select_related("case").order_by("due_at", "id")
    return _page([(row.kind, row.case.code, row.case.urgency, row.due_at) for row in rows[:MOST]])


@login_required
def cases(request: HttpRequest) -> HttpResponse:
    """The list of cases: one's open ones, with owner and place."""
    rows = Case.objects.filter(owner=_who(request), closed_at=None).select_related("owner", "municipality")
    rows = rows.order_by("next_due_at", "id")[: SIZE + 1]
    return _page([(row.code, row.urgency, row.owner.username, row.municipality, row.next_due_at) for row in rows])  # type: ignore[union-attr]


@login_required
def case(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """A case: it, its steps, its people, the first page of its timeline."""
    found = Case.objects.select_related("owner", "municipality").get(pk=pk)
    rows: list[Any] = [(found.code, found.urgency, found.owner, found.municipality)]
    rows += [(step.kind, step.due_at) for step in found.steps.filter(state="planned").order_by("due_at")]
    rows += [(one.part, one.age_band) for one in found.people.all()]
    events = found.events.select_related("by").order_by("-at", "-id")[: SIZE + 1]
    return _page([*rows, *((event.kind, event.at, event.by) for event in events)])


@login_required
def call(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """A call: it, its answers and notes, and the places to choose from."""
    return _page(_of_call(Call.objects.select_related("taken_by").get(pk=pk)))


def _of_call(found: Call) -> list[Any]:
    rows: list[Any] = [(found.caller_type, found.received_at, found.taken_by)]
    rows += [(one.question, one.answered_at) for one in found.answers.all()]
    rows += [(one.kind, one.at) for one in found.notes.all()]
    return rows + [(one.code, one.name) for one in Municipality.objects.all()]


@login_required
def overview(request: HttpRequest) -> HttpResponse:
    """The overview: the unit's open cases by worker and urgency, and its colleagues."""
    unit = _who(request).unit_id
    load = Case.objects.filter(unit=unit, closed_at=None).values_list("owner_id", "urgency").annotate(n=Count("*"))
    people = {row.pk: row.username for row in User.objects.filter(unit=unit)}
    return _page([(people.get(owner), urgency, count) for owner, urgency, count in load.order_by()])


@login_required
def referrals(request: HttpRequest) -> HttpResponse:
    """The list of handovers: a page of the unit's open ones, by the time of their answer."""
    rows = Referral.objects.filter(case__unit=_who(request).unit_id, state__in=OPEN).select_related(
        "case__owner", "agency"
    )
    rows = rows.order_by("answer_due_at", "id")[: SIZE + 1]
    return _page([(row.need, row.agency.name, row.case.code, row.case.owner, row.answer_due_at) for row in rows])


@login_required
def inbox(request: HttpRequest) -> HttpResponse:
    """An agency's inbox: all that is with it."""
    member = AgencyMember.objects.get(user=_who(request))
    rows = Referral.objects.filter(agency=member.agency_id, state__in=OPEN).select_related("case")
    rows = rows.order_by("answer_due_at", "id")
    return _page([(row.need, row.state, row.case.code, row.answer_due_at) for row in rows])


@login_required
def search(request: HttpRequest) -> HttpResponse:
    """Search by number: the case, and a row of the log."""
    found = Case.objects.get(code=request.POST["term"])
    _logged(request, "search.made", case=found.pk)
    return HttpResponseRedirect(f"/floor/case/{found.pk}/")


@login_required
@transaction.atomic
def start(request: HttpRequest) -> HttpResponse:
    """A new call."""
    user, latest = _who(request), QuestionSet.objects.only("version").latest("version")
    unit = user.unit_id
    assert unit is not None
    made = Call(key=DataKey.new(), unit_id=unit, taken_by=user, question_set=latest)
    Call.objects.bulk_create([made])
    _logged(request, "call.started", call=made.pk)
    return HttpResponseRedirect(f"/floor/call/{made.pk}/")


@login_required
@transaction.atomic
def save(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """A note of a call, saved; and the call shown anew."""
    found = Call.objects.select_related("key", "taken_by").get(pk=pk)
    row = Note.objects.filter(call=found, kind="told").first() or Note(call=found, kind="told", by=_who(request))
    row.call, row.text = found, request.POST["text"]
    row.save()
    Call.objects.filter(pk=pk).update(saved_at=clock.now())
    _logged(request, "call.saved", call=pk)
    return _page(_of_call(found))


@login_required
@transaction.atomic
def complete(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """A call completed: its case with two people, a step with its reminders, a line of the timeline."""
    held, user, due = Call.objects.select_related("key").get(pk=pk), _who(request), clock.now()
    facts = {"caller_type": "relative", "urgency": "NORMAL", "opened_by": user}
    code = f"bench-bench-{uuid.uuid4()}"[:40]  # one that no case has: it draws no other
    made = Case(key=DataKey.new(), code=code, unit_id=held.unit_id, owner=user, next_due_at=due, **facts)
    Case.objects.bulk_create([made])
    Person.objects.bulk_create([Person(case=made, part=part) for part in ("caller", "concern")])
    promised = FollowUp(case=made, owner=user, kind="first_step", what=request.POST["what"], due_at=due)
    FollowUp.objects.bulk_create([promised])
    Reminder.objects.bulk_create([Reminder(step=promised, rung=rung, due_at=due) for rung in ("due", "late")])
    Event.objects.bulk_create([Event(case=made, by=user, kind="case.opened")])
    now = clock.now()
    Call.objects.filter(pk=pk).update(case=made, completed_at=now, caller_type="relative", urgency="NORMAL")
    _logged(request, "case.opened", case=made.pk, call=pk)
    return HttpResponseRedirect(f"/floor/case/{made.pk}/")


@login_required
@transaction.atomic
def note(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """A note of a case, signed; a line of the timeline."""
    found, now = Case.objects.select_related("key").get(pk=pk), clock.now()
    row = Note(case=found, kind="seen", text=request.POST["text"], by=_who(request), signed_at=now)
    Note.objects.bulk_create([row])
    Event.objects.bulk_create([Event(case=found, by=_who(request), kind="note.signed", note=row)])
    _logged(request, "note.signed", case=pk)
    return HttpResponseRedirect(f"/floor/case/{pk}/")


def _logged(request: HttpRequest, event: str, **about: Any) -> None:
    LogEntry.objects.create(user=_who(request), role=_who(request).role, event=event, **about)
