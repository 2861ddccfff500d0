"""As whom the services run: PostgreSQL refuses root, so root lends them an account that owns nothing else."""

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from helpline.local.console import Trouble


@dataclass(frozen=True)
class Account:
    """Another account of this machine than the one that we run as."""

    name: str
    uid: int
    gid: int

    def as_arguments(self) -> dict[str, Any]:
        """How subprocess is told to change to this account, without root's groups."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []}


def arguments(account: Account | None) -> dict[str, Any]:
    """For subprocess: None is ourselves."""
    return account.as_arguments() if account else {}


def service_account(data: Path) -> Account | None:
    """None, or as root: the owner of the data that is there already, else nobody."""
    if os.geteuid() != 0:
        if data.exists() and data.stat().st_uid != os.geteuid():
            raise Trouble(f"{data} belongs to another user: start as that user, or remove it with `make clean`.")
        return None
    try:
        owner = pwd.getpwuid(data.stat().st_uid) if data.exists() else pwd.getpwnam("nobody")
        owner = owner if owner.pw_uid else pwd.getpwnam("nobody")
    except KeyError:
        raise Trouble("PostgreSQL does not run as root, and this machine has no account `nobody` for it.") from None
    return Account(owner.pw_name, owner.pw_uid, owner.pw_gid)


def succeeds(account: Account | None, *argv: str | Path) -> bool:
    """Whether a command that changes nothing ends well as this account: asking beats reading mode bits."""
    try:
        done = subprocess.run(
            argv, cwd="/", stdin=subprocess.DEVNULL, capture_output=True, check=False, **arguments(account)
        )
    except OSError:
        return False
    return done.returncode == 0


def reaches(account: Account | None, folder: Path) -> bool:
    """Whether this account can get into a folder."""
    return account is None or succeeds(account, "test", "-x", folder)
