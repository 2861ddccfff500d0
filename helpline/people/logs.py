"""Log lines without personal data: an exception is its type and its place, never its message.

A database error carries the failing row in its text, so messages of exceptions are never written.
"""

import datetime as dt
import json
import logging
import re
import sys
import threading
import traceback
from types import TracebackType
from typing import Any

# gunicorn quotes the line of a request that it could not read.
QUOTED = re.compile(r"(Invalid request from \S+):.*")


def _message(record: logging.LogRecord) -> str:
    """The message, without what a person typed: of a request its status and the name of the view, never its address."""
    request = getattr(record, "request", None)
    if request is not None:
        match = getattr(request, "resolver_match", None)
        return f"{getattr(record, 'status_code', '')} {match.view_name if match else 'no such page'}".strip()
    said = str(record.msg) if record.exc_info else record.getMessage()
    if isinstance(record.msg, BaseException):
        said = type(record.msg).__name__
    return QUOTED.sub(r"\1", said.partition("\n")[0])  # what follows is a traceback, or the detail of a fault


class QuietFormatter(logging.Formatter):
    """One line of JSON. Of an exception only the types and the places are kept."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": dt.datetime.fromtimestamp(record.created, dt.UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": _message(record),
        }
        if record.exc_info and record.exc_info[0]:
            line["exception"] = record.exc_info[0].__name__
            line["places"] = _places(record.exc_info[2])
        return json.dumps(line, ensure_ascii=False)


def _places(trace: TracebackType | None) -> list[str]:
    return [f"{frame.filename}:{frame.lineno}" for frame in traceback.extract_tb(trace)[-6:]]


def keep_quiet() -> None:
    """What ends a process, or a thread of it, is told like everything else, by its type and its places; and a line that
    cannot be written is dropped, where logging itself would print what it was made of."""
    logging.raiseExceptions = False
    sys.excepthook = _tell_end
    threading.excepthook = lambda end: _tell_end(end.exc_type, end.exc_value, end.exc_traceback)


def _tell_end(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
    if not issubclass(kind, KeyboardInterrupt):
        line = {"level": "CRITICAL", "message": "ended", "exception": kind.__name__, "places": _places(trace)}
        print(json.dumps(line), file=sys.stderr, flush=True)


def keep_web_server_quiet() -> None:
    """gunicorn writes with a formatter of its own, and quotes on its own pages what it could not read of a request: in the
    processes that serve, both say no more than our own."""
    for handler in logging.getLogger("gunicorn.error").handlers:
        handler.setFormatter(QuietFormatter())
    server: Any = sys.modules.get("gunicorn.util")
    if server:
        write = server.write_error
        server.write_error = lambda sock, status, reason, _quoted: write(sock, status, reason, "")
