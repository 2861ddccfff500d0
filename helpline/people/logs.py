"""Log lines without personal data: an exception is its type and its place, never its message.

A database error carries the failing row in its text, so messages of exceptions are never written.
"""

import json
import logging
import traceback


def _message(record: logging.LogRecord) -> str:
    """The message, without what a person typed: of a request its status and the name of the view, never its address."""
    request = getattr(record, "request", None)
    if request is not None:
        match = getattr(request, "resolver_match", None)
        return f"{getattr(record, 'status_code', '')} {match.view_name if match else 'no such page'}".strip()
    return str(record.msg) if record.exc_info else record.getMessage()


class QuietFormatter(logging.Formatter):
    """One line of JSON. Of an exception only the types and the places are kept."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": self.formatTime(record),
            "level": record.levelname,
            "logger": record.name,
            "message": _message(record),
        }
        if record.exc_info and record.exc_info[0]:
            line["exception"] = record.exc_info[0].__name__
            line["places"] = [
                f"{frame.filename}:{frame.lineno}" for frame in traceback.extract_tb(record.exc_info[2])[-6:]
            ]
        return json.dumps(line, ensure_ascii=False)
