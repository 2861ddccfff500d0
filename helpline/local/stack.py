"""What runs together, and the environment in which it does."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from helpline.local import postgres, valkey
from helpline.local.children import Household
from helpline.local.console import Step, Trouble
from helpline.local.ports import HOST
from helpline.local.state import State

URLS = ("DATABASE_URL", "OWNER_DATABASE_URL", "REDIS_URL")


def servers_are_given(environ: Mapping[str, str]) -> bool:
    """Whether all three URLs name servers of somebody else. Some of them would be a mixture that nobody wants."""
    missing = [name for name in URLS if not environ.get(name)]
    if missing and len(missing) < len(URLS):
        given = [name for name in URLS if name not in missing]
        raise Trouble(
            f"{' and '.join(given)} set, but not {' and '.join(missing)}: "
            "set all three to use your own servers, or none to have private ones started."
        )
    return not missing


def start_services(state: State, household: Household, step: Step) -> dict[str, str]:
    """Starts the two servers unless they are given. Their URLs."""
    if servers_are_given(os.environ):
        return {name: os.environ[name] for name in URLS}
    database_port = postgres.start(state, household, step)
    account = household.children[0].program.account
    with step("Starting Valkey", "ready"):
        broker_port = valkey.start(state, household, account)
    state.keep_ports(postgres=database_port, valkey=broker_port)
    kept = state.secrets
    return {
        "DATABASE_URL": f"postgres://helpline_app:{kept['app']}@{HOST}:{database_port}/helpline",
        "OWNER_DATABASE_URL": f"postgres://helpline_owner:{kept['owner']}@{HOST}:{database_port}/helpline",
        "REDIS_URL": f"redis://:{kept['valkey']}@{HOST}:{broker_port}/0",
    }


def environment(state: State, urls: Mapping[str, str]) -> dict[str, str]:
    """What is laid over the environment for everything that we start: what a person has set wins."""
    made = {name: state.secrets[name] for name in ("SECRET_KEY", "HELPLINE_KEYS")}
    made["ALLOWED_HOSTS"] = f"localhost,{HOST}"
    chosen = {name: os.environ.get(name) or value for name, value in made.items()}
    return {**chosen, **urls, "HELPLINE_VAR": str(state.folder)}


def whole_environment(ours: Mapping[str, str]) -> dict[str, str]:
    """The environment of a child: ours over the person's, and this Python's programs first."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    return {**os.environ, **ours, "PATH": path, "PYTHONUNBUFFERED": "1"}
