"""Server programs out of wheels, where the account that shall run them can get at them."""

import importlib.util
import os
import shutil
from importlib.metadata import version
from pathlib import Path

from helpline.local.accounts import Account, succeeds
from helpline.local.state import shared_folder


def wheel_folder(package: str) -> Path | None:
    """Where a package lies, without importing it: what its own code would do to this machine is not wanted."""
    spec = importlib.util.find_spec(package)
    return Path(spec.origin).parent if spec and spec.origin else None


def plain_environment() -> dict[str, str]:
    """For servers: no secret of ours, and messages that do not change with the machine's language."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}


def runnable(program: Path, account: Account | None, package: str, *needed: Path) -> Path | None:
    """The program, or its place in a copy of the needed folders if the account cannot run it where it is.

    The folders keep their places to each other, as a program finds its libraries by the way from itself to them.
    """
    if succeeds(account, program, "--version"):
        return program
    if account is None:
        return None
    site = needed[0].parent
    while not all(folder.is_relative_to(site) for folder in needed):
        site = site.parent
    copy = copied(package, site, needed) / program.relative_to(site)
    return copy if succeeds(account, copy, "--version") else None


def copied(package: str, site: Path, folders: tuple[Path, ...]) -> Path:
    """A copy that everybody may read and run, made once for each version of the package."""
    target = shared_folder() / f"{package}-{version(package)}"
    if target.exists():
        return target
    new = target.with_name(f"{target.name}.{os.getpid()}")
    shutil.rmtree(new, ignore_errors=True)
    for folder in folders:
        shutil.copytree(folder, new / folder.relative_to(site), symlinks=True)
    for path in (new, *new.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
    try:
        new.rename(target)
    except OSError:  # another start was faster
        shutil.rmtree(new)
    return target
