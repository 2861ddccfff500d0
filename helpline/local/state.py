"""Where the services keep their data, their logs and the secrets that were made for them."""

import base64
import errno
import fcntl
import hashlib
import json
import os
import secrets
import shlex
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from helpline.local.accounts import Account, reaches, service_account
from helpline.local.console import Trouble, say

CHECKOUT = Path(__file__).resolve().parents[2]
TEMPORARY = "helpline-with-"
LOG_LIMIT = 5_000_000  # bytes: a larger log is put aside at the next start


class State:
    """One folder: `var` in the checkout for `run`, a temporary one for `with`."""

    def __init__(self, folder: Path, *, lasting: bool) -> None:
        self.folder = folder
        self.lasting = lasting
        folder.mkdir(parents=True, exist_ok=True)
        # Root's services run as another account, which must get through to its own data and no further.
        folder.chmod(0o755 if os.geteuid() == 0 else 0o700)
        self.logs = folder / "log"
        self.logs.mkdir(mode=0o700, exist_ok=True)
        self.secrets = kept_secrets(folder)

    def log(self, name: str) -> Path:
        """The log of one program, with a larger one of an earlier time put aside."""
        path = self.logs / f"{name}.log"
        if path.exists() and path.stat().st_size > LOG_LIMIT:
            path.replace(path.with_suffix(".log.1"))
        return path

    def home_of_services(self) -> tuple[Path, Account | None]:
        """The folder for the services' data, and the account that they run as."""
        account = service_account(self.folder / "postgres")
        if not self.lasting or reaches(account, self.folder):
            return self.folder, account
        shared = shared_folder()
        say(f"PostgreSQL does not run as root, and nobody else gets into {self.folder}: its data is in {shared}.")
        return shared, service_account(shared / "postgres")

    def port(self, name: str) -> int | None:
        """The port of the last start."""
        try:
            return int(json.loads((self.folder / "ports.json").read_text())[name])
        except (OSError, ValueError, KeyError):
            return None

    def keep_ports(self, **ports: int) -> None:
        """For the next start, which takes the same ones if they are free."""
        (self.folder / "ports.json").write_text(json.dumps(ports))

    def keep_environment(self, env: Mapping[str, str]) -> None:
        """For a person who wants manage.py beside a running system: `. var/environment`."""
        lines = [f"export {name}={shlex.quote(value)}\n" for name, value in env.items()]
        write_private(self.folder / "environment", "".join(lines))


def write_private(path: Path, text: str) -> None:
    """The whole file or none of it, readable by its owner alone."""
    new = path.with_name(path.name + ".new")
    new.unlink(missing_ok=True)
    with open(os.open(new, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)


def kept_secrets(folder: Path) -> dict[str, str]:
    """Passwords and keys, made on the first start. Losing this file means losing the data: it holds the master key."""
    path = folder / "secrets.json"
    with locked(folder / "secrets.lock", wait=True):
        if path.exists():
            known: dict[str, str] = json.loads(path.read_text())
            return known
        made = {name: secrets.token_urlsafe(24) for name in ("superuser", "owner", "app", "valkey")}
        made["SECRET_KEY"] = secrets.token_urlsafe(48)
        made["HELPLINE_KEYS"] = "1:" + base64.b64encode(secrets.token_bytes(32)).decode()
        write_private(path, json.dumps(made, indent=1))
        return made


def shared_folder() -> Path:
    """A folder outside the checkout, for root whose checkout the services' account cannot get into.

    Its name is known to everybody, so a folder that somebody else put there is refused.
    """
    mark = hashlib.sha256(os.fsencode(CHECKOUT)).hexdigest()[:12]
    folder = Path("/var/tmp") / f"helpline-{mark}"  # noqa: S108 - owner and kind are checked below
    folder.mkdir(mode=0o755, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise Trouble(f"{folder} exists and is not ours: remove it.")
    folder.chmod(0o755)
    return folder


@contextmanager
def locked(path: Path, *, wait: bool = False) -> Iterator[int]:
    """Holds a file; the lock goes with the process, however it ends. BlockingIOError when somebody else holds it."""
    handle = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        yield handle
    finally:
        os.close(handle)


def var_folder() -> Path:
    """The state that lasts: HELPLINE_VAR, or `var` in the checkout."""
    return Path(os.environ.get("HELPLINE_VAR") or CHECKOUT / "var").resolve()


@contextmanager
def lasting_state() -> Iterator[tuple[State, bool]]:
    """The state of `run`, held against a second one; and whether the last run ended without a word (kill -9)."""
    state = State(var_folder(), lasting=True)
    path = state.folder / "run.lock"
    try:
        with locked(path) as handle:
            unclean = bool(os.read(handle, 32))
            os.truncate(handle, 0)
            os.pwrite(handle, str(os.getpid()).encode(), 0)
            try:
                yield state, unclean
            finally:
                os.truncate(handle, 0)
    except BlockingIOError:
        raise Trouble(
            f"Helpline is running from {state.folder} already (process {path.read_text()}): stop that one first."
        ) from None


@contextmanager
def temporary_state() -> Iterator[State]:
    """A state that is gone afterwards."""
    remove_forgotten()
    folder = Path(tempfile.mkdtemp(prefix=TEMPORARY, dir=temporary_place()))
    try:
        with locked(folder / "run.lock"):
            yield State(folder, lasting=False)
    finally:
        remove(folder)


def temporary_place() -> Path:
    """The folder for temporary files, unless it is one that only root gets into."""
    place = Path(tempfile.gettempdir())
    return place if reaches(service_account(place / "no data yet"), place) else Path("/var/tmp")  # noqa: S108


def remove_forgotten() -> None:
    """Folders of earlier `with` commands that were killed before they could clear up."""
    for folder in temporary_place().glob(f"{TEMPORARY}*"):
        try:
            info = folder.lstat()
            if not stat.S_ISDIR(info.st_mode) or info.st_uid != os.geteuid() or time.time() - info.st_mtime < 60:
                continue
            with locked(folder / "run.lock"):
                remove(folder)
        except OSError:
            continue  # somebody uses it, or was faster


def remove(folder: Path) -> None:
    """Also while a service that was killed still writes its last file."""
    for _ in range(20):
        try:
            shutil.rmtree(folder)
            return
        except FileNotFoundError:
            return
        except OSError as error:
            if error.errno != errno.ENOTEMPTY:
                raise
            time.sleep(0.1)
