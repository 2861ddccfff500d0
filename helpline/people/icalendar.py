"""A calendar as other programs read it (iCalendar, RFC 5545): events with a beginning, an end and one line, and no more."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

LINE = 75  # octets of a content line, without its line break (RFC 5545 3.1)
FORM = "%Y%m%dT%H%M%SZ"


@dataclass(frozen=True)
class Event:
    """One event. `uid` stays the same as long as it is the same event."""

    uid: str
    begin: dt.datetime
    end: dt.datetime
    summary: str


def calendar_text(events: Iterable[Event], *, name: str, url: str, at: dt.datetime) -> bytes:
    """The whole file, written at a moment. `name` is what a program calls the calendar, `url` where each event leads."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Helpline//Steps//EN", "CALSCALE:GREGORIAN"]
    lines += [f"NAME:{_text(name)}", f"X-WR-CALNAME:{_text(name)}", "REFRESH-INTERVAL;VALUE=DURATION:PT1H"]
    for event in events:
        lines += [
            *("BEGIN:VEVENT", f"UID:{event.uid}", f"DTSTAMP:{_moment(at)}"),
            *(f"DTSTART:{_moment(event.begin)}", f"DTEND:{_moment(event.end)}"),
            *(f"SUMMARY:{_text(event.summary)}", f"URL:{url}", "CLASS:PRIVATE", "TRANSP:TRANSPARENT", "END:VEVENT"),
        ]
    return b"".join(map(_folded, [*lines, "END:VCALENDAR"]))


def _moment(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).strftime(FORM)


def _text(words: str) -> str:
    """Words as a TEXT value (RFC 5545 3.3.11)."""
    for sign in ("\\", ";", ","):
        words = words.replace(sign, f"\\{sign}")
    return words.replace("\r\n", "\n").replace("\n", "\\n")


def _folded(line: str) -> bytes:
    """A content line in pieces of at most 75 octets, none of which ends within a letter; and its line break."""
    pieces, piece = [], b""
    for letter in line:
        octets = letter.encode()
        if len(piece) + len(octets) > LINE:
            pieces.append(piece)
            piece = b" "
        piece += octets
    return b"\r\n".join([*pieces, piece]) + b"\r\n"
