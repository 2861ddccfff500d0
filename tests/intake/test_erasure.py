"""The words of advice go when the board's term has passed; what is coded remains, and no page fails."""

import datetime as dt

import pytest
from django.core.management import call_command
from django.db import connection
from django.urls import reverse

from helpline.people.models import LogEntry, Municipality
from intake import actions
from intake.actions import erasure
from intake.actions.erasure import NO_ENTRY, months_later, words_go_on
from intake.actions.timeline import record
from intake.models import BoardDecision, Call, Case, Event, Note
from intake.models.calls import Answer

WORDS = "Hon såg en kniv"


def done(make_call, cast, **facts) -> Call:
    call = make_call(urgency="NORMAL", notes={"seen": WORDS}, answers={"greet": "said"}, caller_type="other", **facts)
    return actions.complete_call(by=cast.caseworker, call=call)


def closed(make_case, cast, **facts) -> Case:
    case = make_case(notes={"seen": WORDS}, safe_contact='{"other": "Text."}', **facts)
    actions.add_note(by=cast.caseworker, case=case, kind="told", text=WORDS)
    actions.finish_step(by=cast.caseworker, step=case.steps.get(), outcome=WORDS, close="needs_met")
    connection.check_constraints()
    return Case.objects.select_related("key", "unit").get(pk=case.pk)


def decide(months: int, day: dt.date, place: str = "1496") -> None:
    BoardDecision.objects.create(
        municipality=Municipality.objects.get(pk=place),
        kind="advice_words_months",
        value=months,
        valid_from=day,
        registry_number="SN 1",
    )


@pytest.mark.parametrize(
    ("day", "months", "later"),
    [
        ("2026-11-22", 6, "2027-05-22"),
        ("2026-08-31", 6, "2027-02-28"),
        ("2027-08-31", 6, "2028-02-29"),
        ("2026-12-31", 1, "2027-01-31"),
        ("2027-03-31", -1, "2027-02-28"),
        ("2026-01-15", -12, "2025-01-15"),
    ],
)
def test_months_end_on_the_same_day_or_the_last(day, months, later):
    assert months_later(dt.date.fromisoformat(day), months) == dt.date.fromisoformat(later)


@pytest.mark.parametrize("ended", ["2026-08-28", "2026-08-29", "2026-08-31", "2026-11-22", "2026-11-30"])
@pytest.mark.parametrize("ahead", [-1, 0, 1])
def test_the_day_that_is_said_is_the_day_it_happens(ended, ahead, at, make_call, cast):
    """Whatever day it is: the night before nothing goes, on the day it does."""
    with at(f"{ended} 23:30"):
        call = done(make_call, cast)
        said = words_go_on(call)
    day = said + dt.timedelta(days=ahead)
    with at(f"{day} 03:10"):
        assert actions.erase_words() == (0 if ahead < 0 else 1)


def test_a_call_and_a_case_with_its_calls_are_forgotten_once(at, make_call, make_case, cast):
    with at("2026-01-10 12:00"):
        call, case = done(make_call, cast), closed(make_case, cast)
    with at("2026-07-09 03:10"):
        assert actions.erase_words() == 0
    with at("2026-07-10 03:10"):
        assert actions.erase_words() == 3  # the call, the case and its call
        assert actions.erase_words() == 0
    connection.check_constraints()
    assert LogEntry.objects.filter(event="words.erased", user=None).count() == 3
    assert Event.objects.filter(case=case, kind="words.erased").count() == 1
    call = Call.objects.get(pk=call.pk)
    assert call.is_forgotten and call.key.wrapped is None and call.caller_type == "other"
    # nothing opens any more, wherever it was written
    texts = [note.text for note in Note.objects.all()] + [event.text for event in Event.objects.all()]
    texts += [answer.value for answer in Answer.objects.all()]
    assert not any(texts)
    assert Case.objects.get(pk=case.pk).safe_contact == ""


@pytest.mark.parametrize("track", ["B", "C"])
def test_other_tracks_are_kept(track, at, make_call, make_case, cast):
    with at("2020-01-10 12:00"):
        done(make_call, cast, track=track)
        closed(make_case, cast, track=track)
    assert actions.erase_words() == 0


def test_what_is_open_or_going_on_is_kept(at, make_call, make_case, cast):
    with at("2020-01-10 12:00"):
        make_call(notes={"seen": WORDS})
        make_case(notes={"seen": WORDS})
    assert actions.erase_words() == 0


def test_the_last_entry_counts(at, make_case, cast):
    with at("2026-01-10 12:00"):
        case = closed(make_case, cast)
    with at("2026-05-10 12:00"):
        actions.add_note(by=cast.caseworker, case=case, kind="told", text=WORDS)
        assert words_go_on(case) == dt.date(2026, 11, 10)
    with at("2026-07-10 03:10"):
        assert actions.erase_words() == 0


def test_a_look_is_no_entry(at, make_case, cast):
    with at("2026-01-10 12:00"):
        case = closed(make_case, cast)
    with at("2026-05-10 12:00"):
        actions.open_with_reason(by=cast.colleague, case=case, reason="supervision")
        assert words_go_on(case) == dt.date(2026, 7, 10)


def test_the_boards_term_holds_in_its_municipality_from_its_day(at, make_call, cast):
    with at("2026-01-10 12:00"):
        ours = done(make_call, cast)
        theirs = done(make_call, cast, by=cast.stranger)
    decide(1, dt.date(2026, 2, 1))
    decide(24, dt.date(2026, 3, 1))
    with at("2026-02-09 03:10"):
        assert actions.erase_words() == 0
    with at("2026-02-10 03:10"):
        assert actions.erase_words() == 1
        assert Call.objects.get(pk=ours.pk).is_forgotten and not Call.objects.get(pk=theirs.pk).is_forgotten
    with at("2026-03-02 03:10"):
        assert words_go_on(theirs) == dt.date(2026, 7, 10)


def test_many_go_in_batches_and_one_that_cannot_keeps_no_other(at, make_call, cast, monkeypatch):
    with at("2026-01-10 12:00"):
        calls = [done(make_call, cast) for _ in range(5)]
    monkeypatch.setattr(erasure, "BATCH", 2)
    real = erasure._forget

    def fails(rows):
        rows = list(rows)
        if rows[0].pk == calls[2].pk:
            raise OSError
        return real(rows)

    monkeypatch.setattr(erasure, "_forget", fails)
    with at("2026-08-01 03:10"):
        assert actions.erase_words() == 4
        monkeypatch.setattr(erasure, "_forget", real)
        assert actions.erase_words() == 1


def test_a_crash_leaves_the_words_or_takes_them_whole(at, make_case, cast, monkeypatch):
    with at("2026-01-10 12:00"):
        case = closed(make_case, cast)
    monkeypatch.setattr(erasure, "record", lambda *a, **k: 1 / 0)
    with at("2026-08-01 03:10"):
        assert actions.erase_words() == 0
    case = Case.objects.get(pk=case.pk)
    assert not case.is_forgotten and not case.calls.get().is_forgotten


def test_the_command_does_it_without_celery(at, make_call, cast, capsys):
    with at("2026-01-10 12:00"):
        done(make_call, cast)
    with at("2026-08-01 12:00"):
        call_command("erase_words")
    assert capsys.readouterr().out == "1 erased\n"


def test_the_pages_say_beforehand_and_afterwards(at, make_call, make_case, cast, client_of):
    mine = client_of(cast.caseworker)
    with at("2026-01-10 12:00"):
        call, case = done(make_call, cast), closed(make_case, cast)
    case_url = reverse("intake:case", args=[case.slug])
    with at("2026-01-11 12:00"):
        assert "erased 10 July 2026" in mine.get(case_url).content.decode()
        assert "erased 10 July 2026" in mine.get(reverse("intake:call", args=[call.pk]), follow=True).content.decode()
    with at("2026-07-10 03:10"):
        actions.erase_words()
    with at("2026-07-11 12:00"):
        html = mine.get(case_url).content.decode()
        assert "were erased 10 July 2026" in html and WORDS not in html and "note/" not in html
        html = mine.get(reverse("intake:call", args=[call.pk]), follow=True).content.decode()
        assert "were erased 10 July 2026" in html
        # whoever writes all the same is told, and it is no fault page
        answer = mine.post(reverse("intake:note-add", args=[case.slug]), {"kind": "told", "text": "More words"})
        assert answer.status_code == 302
        assert "nothing more can be written" in mine.get(answer.url).content.decode()


def test_an_open_case_of_advice_says_how_long(make_case, cast, client_of):
    url = reverse("intake:case", args=[make_case().slug])
    assert "6 months after the last entry" in client_of(cast.caseworker).get(url).content.decode()


def test_what_a_call_documented_on_track_b_is_kept_though_the_case_went_down(at, make_case, cast):
    with at("2026-01-10 12:00"):
        case = make_case(track="B")
        actions.change_track(by=cast.caseworker, case=case, track="A", identity="anonymous", why="Wants no more.")
        step = case.steps.planned().get()
        actions.finish_step(by=cast.caseworker, step=step, close="needs_met")
    with at("2026-08-01 03:10"):
        assert actions.erase_words() == 0
    assert not Case.objects.get(pk=case.pk).is_forgotten


# -- what is documented is kept, whatever the track is in the end ------------------------------------------------------


def end(cast, case) -> Case:
    """Everything that waits in a case is done, and it is closed."""
    *others, last = case.steps.planned().in_order()
    for step in others:
        actions.finish_step(by=cast.caseworker, step=step)
    actions.finish_step(by=cast.caseworker, step=last, close="needs_met")
    connection.check_constraints()
    return Case.objects.select_related("key", "unit").get(pk=case.pk)


def says_it_goes(client, case) -> bool:
    page = client.get(reverse("intake:case", args=[case.slug])).content.decode()
    return "erased" in page


def test_a_case_with_a_report_of_concern_is_kept(at, make_case, cast, client_of):
    with at("2020-01-10 12:00"):
        case = make_case(notes={"seen": WORDS})
        actions.register_concern(by=cast.caseworker, case=case, child_age_band="26+")
        assert not says_it_goes(client_of(cast.caseworker), case)
        case = end(cast, case)
        assert case.track == "A" and words_go_on(case) is None and words_go_on(case.calls.get()) is None
    assert actions.erase_words() == 0


def test_what_was_on_another_track_meanwhile_is_kept(at, make_case, cast, client_of):
    with at("2020-01-10 12:00"):
        case = make_case(notes={"seen": WORDS})
        for track in "BA":
            actions.change_track(by=cast.caseworker, case=case, track=track, identity="anonymous", why="Why", told=True)
        assert not says_it_goes(client_of(cast.caseworker), case)
        case = end(cast, case)
        assert case.track == "A" and words_go_on(case) is None
    assert actions.erase_words() == 0


def test_advice_says_that_its_words_go(make_case, cast, client_of):
    assert says_it_goes(client_of(cast.caseworker), make_case())


@pytest.mark.parametrize("kind", sorted({*NO_ENTRY} - {"case.opened_by_other", "words.erased"}))
def test_what_says_nothing_of_the_person_is_no_entry(kind, at, make_case, cast):
    with at("2026-01-10 12:00"):
        case = closed(make_case, cast)
    with at("2026-05-10 12:00"):
        record(kind, by=cast.caseworker, case=case)
        assert words_go_on(case) == dt.date(2026, 7, 10)


def test_a_call_that_joins_while_the_words_are_being_erased_keeps_them(at, make_case, make_call, cast):
    with at("2026-01-10 12:00"):
        case = closed(make_case, cast)
    with at("2026-07-10 03:10"):
        call = make_call()

        def join_meanwhile(execute, sql, params, many, context):
            answer = execute(sql, params, many, context)
            if "SKIP LOCKED" in sql and 'FROM "intake_case"' in sql:  # read, and not yet held
                with connection.cursor() as cursor:
                    cursor.execute("UPDATE intake_call SET case_id = %s WHERE id = %s", [case.pk, call.pk])
            return answer

        with connection.execute_wrapper(join_meanwhile):
            assert actions.erase_words() == 0
    assert not Case.objects.select_related("key").get(pk=case.pk).is_forgotten
