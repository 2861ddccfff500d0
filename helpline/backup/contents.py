"""What a backup says of itself: lists of contents, signed under a master key, so that a changed file is named."""

import datetime as dt
import hashlib
import hmac
import json
import os
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from helpline.backup.server import Trouble
from helpline.people.sealed import current_master, signature

DATA, KEYS = "manifest.json", "keys.json"  # of the two halves
FORGOTTEN = "forgotten.json"
FORMAT = 1
NAMED = "%Y%m%dT%H%M%SZ"  # a backup's name is its time, in UTC
BLOCK = 1 << 20  # bytes


def named(moment: dt.datetime) -> str:
    """The name of a backup that is made now."""
    return moment.astimezone(dt.UTC).strftime(NAMED)


def time_of(name: str) -> dt.datetime | None:
    """When a backup of this name was made; None where it is no such name."""
    try:
        return dt.datetime.strptime(name, NAMED).replace(tzinfo=dt.UTC)
    except ValueError:
        return None


def private(path: str, flags: int) -> int:
    """An opener: readable by its owner alone, and never over a file that is there."""
    return os.open(path, flags | os.O_EXCL, 0o600)


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write(path: Path, told: dict[str, Any]) -> None:
    """Write what is told, signed, and wait until it is on the disk."""
    master = current_master()
    signed = {"master": master, "hmac": signature(_plain(told), master)}
    with open(path, "x", encoding="utf-8", opener=private) as file:
        json.dump({**told, "signed": signed}, file, indent=1, sort_keys=True)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())


def read(path: Path) -> dict[str, Any]:
    """What was written, where it is just that. Raises Trouble where it is missing, changed, or signed by another key."""
    try:
        told: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        signed = told.pop("signed")
        master, mark = str(signed["master"]), str(signed["hmac"])
    except FileNotFoundError:
        raise Trouble(f"{path} is missing: this is no backup, or half of one.") from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise Trouble(f"{path} cannot be read.") from None
    try:
        is_ours = hmac.compare_digest(signature(_plain(told), master), mark)
    except ImproperlyConfigured:
        raise Trouble(f"{path} was signed under the master key {master}, which is not in HELPLINE_KEYS.") from None
    if not is_ours:
        raise Trouble(f"{path} is not as it was written: its signature does not fit.")
    return told


def files_are_whole(folder: Path, told: dict[str, Any]) -> None:
    """Raises Trouble with the name of the first file that is missing or not as it was written."""
    for name, wanted in told["files"].items():
        path = folder / name
        if not path.is_file():
            raise Trouble(f"{path} is missing.")
        if digest(path) != wanted:
            raise Trouble(f"{path} is not the file that was written: its digest differs from the list of contents.")


def on_disk(folder: Path) -> None:
    """Waits until the folder's own entries are on the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _plain(told: dict[str, Any]) -> bytes:
    return json.dumps(told, sort_keys=True, separators=(",", ":")).encode()
