"""Reads what is in the database after a drill. Sealed words are opened as the pages open them, through the ORM."""

import datetime as dt
from collections import Counter, defaultdict

from django.db import connection, transaction

from helpline.drill.found import Found, FoundCall, FoundCase, FoundChange, FoundMail, FoundReferral, FoundRung
from helpline.people import clock
from helpline.people.chain import verify
from helpline.people.models import LogEntry, Notice
from helpline.sums import COLUMNS, recount_all
from intake.gate import COMPLETED
from intake.models import Answer, Call, Case, DayMark, DaySum, Event, FollowUp, Note, Reminder
from referrals.labels import CLIMBED, NUDGED_AGAIN
from referrals.models import Referral, SilenceRung, StateChange
from referrals.states import MOVES

GRACE = dt.timedelta(seconds=20)  # past its time by this much, and nobody looked: some ticks
# Whatever the trigger says: asked of the tables themselves.
UNHELD = """
    SELECT c.code FROM intake_case c WHERE c.closed_at IS NULL AND (c.owner_id IS NULL OR NOT EXISTS (
        SELECT 1 FROM intake_followup f WHERE f.case_id = c.id AND f.state = 'planned' AND f.due_at IS NOT NULL))
"""


def read(taken: Counter[str]) -> Found:
    """Everything that is counted; `taken` is what the mail server took, by Message-ID."""
    found = Found()
    _calls(found)
    _cases(found)
    _referrals(found)
    _rungs(found)
    _ladders(found)
    _mails(found, taken)
    _log(found)
    _chain(found)
    _sums(found)
    with connection.cursor() as cursor:
        cursor.execute(UNHELD)
        found.unheld = [row[0] for row in cursor.fetchall()]
    return found


def is_quiet() -> bool:
    """Whether nothing is due that nobody has looked at: no reminder, no rung of silence, no pause that is over, no
    mail, no day to be counted anew."""
    now = clock.now()
    waiting = [
        Reminder.objects.filter(state=Reminder.State.SCHEDULED, due_at__lte=now),
        SilenceRung.objects.filter(state=SilenceRung.State.SCHEDULED, due_at__lte=now),
        Referral.objects.filter(state="on_hold", hold_until__lte=clock.today()),
        Notice.objects.filter(mail=Notice.Mail.READY).exclude(next_try_at__gt=now),
        Notice.objects.filter(mail=Notice.Mail.SENDING),
        DayMark.objects.all(),
    ]
    return not any(rows.exists() for rows in waiting)


def _calls(found: Found) -> None:
    for call in Call.objects.select_related("case"):
        found.calls[str(call.pk)] = FoundCall(
            str(call.start_token or ""), {}, call.completed_at is not None, call.case.slug if call.case else ""
        )
    for answer in Answer.objects.select_related("call__key"):
        words = found.calls[str(answer.call_id)].words
        words[f"a.{answer.question}"], words[f"r.{answer.question}"] = str(answer.given), answer.remark
    for note in Note.objects.filter(call__isnull=False, amends__isnull=True, about="").select_related("call__key"):
        found.calls[str(note.call_id)].words[f"n.{note.kind}"] = note.text


def _cases(found: Found) -> None:
    slugs = {case.pk: case.slug for case in Case.objects.all()}
    found.cases = {slug: FoundCase() for slug in slugs.values()}
    for step in FollowUp.objects.select_related("case__key"):
        if step.state != FollowUp.State.MOVED:
            found.cases[slugs[step.case_id]].steps.append(step.what)
    for note in Note.objects.filter(case__isnull=False).select_related("case__key"):
        assert note.case_id is not None  # asked for above
        found.cases[slugs[note.case_id]].notes.append(note.text)


def _referrals(found: Found) -> None:
    changes: dict[str, list[FoundChange]] = defaultdict(list)
    rows = StateChange.objects.select_related("referral__case__key").order_by("at", "id")
    for row in rows:
        changes[str(row.referral_id)].append(FoundChange(row.move, row.source, row.target, row.text))
    logged = Counter(LogEntry.objects.filter(event__startswith="referral.").values_list("row", "event"))
    for referral in Referral.objects.select_related("case__key"):
        pk = str(referral.pk)
        of_events = Counter(change.move for change in changes[pk])
        words = {name: getattr(referral, name) for name in Referral.Privacy.personal}
        found.referrals[pk] = FoundReferral(referral.state, words, changes[pk], _by_move(pk, of_events, logged))
    before_it = SilenceRung.objects.filter(state=SilenceRung.State.SCHEDULED).values("referral")
    found.silent = [str(row.pk) for row in Referral.objects.waiting().exclude(pk__in=before_it)]


def _by_move(pk: str, moves: Counter[str], logged: Counter[tuple[str, str]]) -> Counter[str]:
    """The log knows events; two moves may be one event, and then the rows are enough for both or for neither."""
    events: Counter[str] = Counter()
    for move, count in moves.items():
        events[MOVES[move].event] += count
    return Counter({m: n if logged[pk, MOVES[m].event] == events[MOVES[m].event] else 0 for m, n in moves.items()})


def _rungs(found: Found) -> None:
    notices: dict[str, Counter[str]] = defaultdict(Counter)
    for source, user in Notice.objects.filter(source__startswith="reminder:").values_list("source", "user_id"):
        notices[source.split(":")[1]][str(user)] += 1
    fired = LogEntry.objects.filter(event="reminder.fired").values_list("row", "codes__rung")
    logged = Counter((str(row), str(rung)) for row, rung in fired)
    now = clock.now()
    for rung in Reminder.objects.all():
        found.rungs.append(
            FoundRung(
                f"{rung.pk} ({rung.rung} of {rung.step_id})",
                rung.state,
                rung.due_at < now - GRACE,
                notices[str(rung.pk)],
                logged[str(rung.step_id), rung.rung],
            )
        )


def _ladders(found: Found) -> None:
    """The rungs of silence. The last one takes the handover back: then it is the change of state that tells."""
    notices: dict[str, Counter[str]] = defaultdict(Counter)
    for source, user in Notice.objects.filter(source__startswith="rung:").values_list("source", "user_id"):
        notices[source.split(":")[1]][str(user or source.split(":")[2])] += 1
    expired = Counter(map(str, StateChange.objects.filter(move="expire").values_list("referral", flat=True)))
    events = {event: rung for rung, event in (*CLIMBED.items(), ("expire", "referral.expired"))} | {
        NUDGED_AGAIN: "deputy"
    }
    rows = LogEntry.objects.filter(event__in=events).values_list("row", "event")
    logged = Counter((str(row), events[event]) for row, event in rows)
    now = clock.now()
    for rung in SilenceRung.objects.order_by("round"):
        of, told = (str(rung.referral_id), rung.rung), notices[str(rung.pk)]
        if rung.rung == "expire":
            told = +Counter({"change": expired[of[0]]}) if rung.state == SilenceRung.State.FIRED else Counter()
        name, due = f"{rung.pk} ({rung.rung} {rung.round} of {of[0]})", rung.due_at < now - GRACE
        found.ladders.append(FoundRung(name, rung.state, due, told, _of_round(rung, logged, of)))


def _of_round(rung: SilenceRung, logged: Counter[tuple[str, str]], of: tuple[str, str]) -> int:
    """The log knows handover and rung, not the round: a row for each that was fired, and what is left over is the last's."""
    if rung.state != SilenceRung.State.FIRED:
        return 0
    later = SilenceRung.objects.filter(
        referral=rung.referral_id, rung=rung.rung, round__gt=rung.round, state=rung.state
    )
    rows = min(logged[of], 1) if later.exists() else logged[of]
    logged[of] -= rows
    return rows


def _mails(found: Found, taken: Counter[str]) -> None:
    late = clock.now() - GRACE
    for notice in Notice.objects.exclude(mail=Notice.Mail.NONE):
        waits = notice.mail == Notice.Mail.READY and notice.created_at < late and notice.next_try_at is None
        mark = taken[f"<{notice.message_id}@helpline>"]
        found.mails.append(FoundMail(f"{notice.pk} ({notice.mail})", notice.mail, mark, waits))


def _log(found: Found) -> None:
    for call, parts in LogEntry.objects.filter(event="call.saved").values_list("call", "codes__parts"):
        found.saves.update((str(call), part) for part in parts)
    started = LogEntry.objects.filter(event="call.started")
    completed = LogEntry.objects.filter(event__in=COMPLETED)
    found.started.update(map(str, started.values_list("call", flat=True)))
    found.completed.update(map(str, completed.values_list("call", flat=True)))
    of_cases = LogEntry.objects.filter(case__isnull=False)
    found.logged = Counter((str(case), event) for case, event in of_cases.values_list("case", "event"))
    found.lines = Counter((str(case), kind) for case, kind in Event.objects.values_list("case_id", "kind"))


def _chain(found: Found) -> None:
    found.links, findings = verify()
    found.misfits = [str(finding) for finding in findings]


def _sums(found: Found) -> None:
    """The sums as they stand, against a count of everything; of which nothing remains."""
    with transaction.atomic():
        kept = set(DaySum.objects.values_list(*COLUMNS))
        recount_all()
        right = set(DaySum.objects.values_list(*COLUMNS))
        transaction.set_rollback(True)
    found.sums = len(right)
    found.missums = [f"{'has' if row in kept else 'lacks'} {row}" for row in sorted(kept ^ right, key=str)]
    found.missums += [f"{DayMark.objects.count()} marks are left"] * DayMark.objects.exists()
