"""A calendar as others read it: what our writer makes is what a reader that others wrote understands."""

import datetime as dt

import icalendar
import pytest

from helpline.people.icalendar import LINE, Event, calendar_text

AT = dt.datetime(2026, 11, 23, 8, 0, tzinfo=dt.UTC)
LATER = AT + dt.timedelta(minutes=30)
AWKWARD = "Stödlinjen; åäö, \\ och " + "ö" * 120 + "\nny rad"


def written(*events: Event, name: str = "Stödlinjen") -> bytes:
    return calendar_text(events, name=name, url="https://example.org/my-day/", at=AT)


def test_another_reads_what_was_written():
    [calendar] = icalendar.Calendar.from_ical(written(Event("a1", AT, LATER, AWKWARD)), multiple=True)
    assert calendar.errors == []
    [event] = calendar.walk("VEVENT")
    assert event.errors == []
    assert str(event["summary"]) == AWKWARD
    assert (event.start, event.end, str(event["uid"])) == (AT, LATER, "a1")


def test_it_has_what_the_standard_requires():
    calendar = icalendar.Calendar.from_ical(written(Event("a1", AT, LATER, "x")))
    assert {"VERSION", "PRODID"} <= set(calendar)
    assert {"UID", "DTSTAMP", "DTSTART", "DTEND"} <= set(calendar.walk("VEVENT")[0])


@pytest.mark.parametrize("words", [AWKWARD, "å" * 75, "a" * 74 + "å", "a" * 200, ""])
def test_no_line_is_longer_than_the_standard_allows_and_no_letter_is_cut(words):
    text = written(Event("a1", AT, LATER, words))
    assert text.endswith(b"\r\n") and b"\n" not in text.replace(b"\r\n", b"")
    for line in text.split(b"\r\n"):
        assert len(line) <= LINE
        line.decode()  # a letter that is cut is no UTF-8
    assert str(icalendar.Calendar.from_ical(text).walk("VEVENT")[0]["summary"]) == words


def test_words_cannot_begin_a_line_of_their_own():
    text = written(Event("a1", AT, LATER, "x\r\nATTENDEE:mailto:a@example.org"), name="y\nX-EVIL:1")
    calendar = icalendar.Calendar.from_ical(text)
    assert "ATTENDEE" not in calendar.walk("VEVENT")[0] and "X-EVIL" not in calendar


def test_without_events_it_is_a_calendar_all_the_same():
    assert icalendar.Calendar.from_ical(written()).walk("VEVENT") == []
