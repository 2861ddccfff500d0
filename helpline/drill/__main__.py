"""python -m helpline.drill: runs one drill. The exit code is 1 on a single loss or double, or where too little happened."""

import contextlib
import os
import shutil
import sys
import time
from pathlib import Path

from helpline.drill import count, diary, order, report
from helpline.drill.crowd import Crowd
from helpline.drill.hurry import Hurry
from helpline.drill.killer import Killer
from helpline.drill.order import Order
from helpline.drill.stage import Stage, opened
from helpline.local.console import EAR, Stop, Trouble, say, step, warn
from helpline.local.run import health
from helpline.local.state import CHECKOUT, locked, var_folder

LAST_ACTS = 30.0  # seconds that what is begun has to be answered when the load ends
QUIET_WITHIN = 75.0  # seconds until nothing is due that nobody has looked at
RESULT = CHECKOUT / "build" / "drill.json"


def main() -> int:
    """The exit code: 0 passed, 1 failed or could not be run."""
    EAR.listen()
    try:
        wanted = order.read()
        folder = var_folder() / "drill"
        folder.parent.mkdir(exist_ok=True)
        with locked(folder.with_suffix(".lock")):
            shutil.rmtree(folder, ignore_errors=True)
            (folder / "clients").mkdir(parents=True, mode=0o700)
            return _drill(wanted, folder)
    except BlockingIOError:
        warn("A drill is running from this folder already.")
    except Trouble as trouble:
        warn(str(trouble))
    except Stop as stop:
        return 128 + stop.signum
    return 1


def _drill(wanted: Order, folder: Path) -> int:
    with opened(wanted, folder) as stage:
        crowd = Crowd(stage.port, stage.password, wanted.seed, folder / "clients")
        killer = Killer(stage, crowd.traffic, wanted)
        hurry = Hurry(stage.env["OWNER_DATABASE_URL"], wanted.seed)
        with (folder / "log" / "supervisor.log").open("w") as log, contextlib.redirect_stderr(log):
            with step(f"Working for {wanted.seconds:.0f} s while parts are killed (seed {wanted.seed})"):
                _work(crowd, killer, hurry)
            with step("Waiting until it is quiet", "quiet"):
                faults = _settle(stage, crowd, killer, hurry) + crowd.faults
        with step("Counting"):
            from helpline.drill import store

            acts, found = diary.read(folder / "clients"), store.read(stage.sink.taken())
            counted = count.checks(acts, found)
    told = report.figures(wanted, killer, acts, found, counted, faults) | {"brought_forward": hurry.moved}
    report.show(told)
    report.write(told, RESULT)
    say(f"{RESULT.relative_to(CHECKOUT)} has the figures; the clients' files and the logs are in {folder}.")
    return 0 if report.passed(told) else 1


def _work(crowd: Crowd, killer: Killer, hurry: Hurry) -> None:
    """Everybody works; when the first saves are confirmed, the killing begins."""
    crowd.start()
    began = time.monotonic()
    while crowd.traffic.first_save_after(began) is None and time.monotonic() < began + 60:
        killer.tends(0.1)
    hurry.start()
    killer.begins()
    killer.goes_round()


def _settle(stage: Stage, crowd: Crowd, killer: Killer, hurry: Hurry) -> list[str]:
    """What is begun is answered, and what is due is done. What did not come to rest, as sentences."""
    crowd.traffic.end(LAST_ACTS)
    until = time.monotonic() + LAST_ACTS + 35
    while crowd.is_at_work and time.monotonic() < until:
        killer.tends(0.1)
    hurry.stop()
    os.environ.update(stage.env)
    import django

    django.setup()
    faults = ["a client did not come to an end"] if crowd.is_at_work else []
    if not _is_quiet(killer, hurry):
        faults.append(f"it was not quiet within {QUIET_WITHIN:.0f} s")
    while health(stage.port)[0] != 200 and time.monotonic() < until + QUIET_WITHIN:
        killer.tends(0.5)
    return faults + ([] if health(stage.port)[0] == 200 else [f"not healthy: {health(stage.port)[1]}"])


def _is_quiet(killer: Killer, hurry: Hurry) -> bool:
    from helpline.drill import store

    until = time.monotonic() + QUIET_WITHIN
    while time.monotonic() < until:
        hurry.forward("leases")
        killer.tends(1)
        if store.is_quiet():
            return True
    return False


if __name__ == "__main__":
    sys.exit(main())
