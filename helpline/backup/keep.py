"""How long backups are kept. The half with the keys goes first: it could bring back what was forgotten after it."""

import datetime as dt
import shutil
from pathlib import Path

from helpline.backup.contents import time_of

DATA_DAYS, KEYS_DAYS = 35, 7
HALF = ".half"  # what is being written, or was when it was cut off
CUT_OFF = dt.timedelta(days=1)


def remove_older(folder: Path, *, days: int, lists: str, now: dt.datetime) -> list[str]:
    """Remove the backups of a folder that are older than so many days, and what was cut off. `lists` is the file without which
    a folder is no backup of ours. The newest one stays in any case. Returns the names of those that went."""
    kept = sorted(path for path in folder.iterdir() if time_of(path.name) and (path / lists).is_file())
    gone = [path for path in kept[:-1] if _older(path.name, now, dt.timedelta(days=days))]
    gone += [path for path in folder.glob(f".*{HALF}") if _older(path.name[1:].removesuffix(HALF), now, CUT_OFF)]
    for path in gone:
        shutil.rmtree(path)
    return [path.name for path in gone]


def _older(name: str, now: dt.datetime, limit: dt.timedelta) -> bool:
    made = time_of(name)
    return made is not None and now - made > limit
