"""Write docs/referral-states.md from the table of moves: a diagram, the states and the moves. With --check only look."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import translation

from referrals.labels import STATES as NAMES
from referrals.labels import STEP_KINDS
from referrals.states import MOVES, STATES, Move

FILE = "docs/referral-states.md"
# The status of a FHIR R5 Task that stands for the state, should a referral ever be exchanged as one.
FHIR = {
    "draft": "draft",
    "sent": "requested",
    "opened": "received",
    "question": "on-hold",
    "accepted": "accepted",
    "contact_booked": "accepted",
    "on_hold": "on-hold",
    "contact_made": "in-progress",
    "completed": "completed",
    "declined": "rejected",
    "expired": "cancelled",
    "returned": "rejected",
    "failed": "failed",
    "withdrawn": "cancelled",
}
DUE = {
    "answer_due": "when the agency is to answer",
    "contact_due": "when the agency is to have had contact",
    "next_working_day": "the next working day (acute: within the hour)",
    "contact_at": "the booked time",
    "back_soon": "within the hour (no three-way call, not acute, after hours: the next working morning)",
    "hold_until": "the day that was agreed",
    "ask_week": "five days on, on a working day",
}


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="fail where the file is not what would be drawn")

    def handle(self, *args: Any, check: bool = False, **options: Any) -> None:
        file = Path(settings.BASE_DIR) / FILE
        text = draw()
        if not check:
            file.parent.mkdir(exist_ok=True)
            file.write_text(text, encoding="utf-8")
            self.stdout.write(f"{FILE} is drawn")
        elif not file.exists() or file.read_text(encoding="utf-8") != text:
            raise CommandError(f"{FILE} is not what referrals/states.py says: run manage.py draw_states")


def draw() -> str:
    """The whole document."""
    with translation.override("en"):
        lines = [
            "# The states of a referral",
            "",
            "Drawn from `referrals/states.py` by `manage.py draw_states`: change the table, not this file.",
            "",
            *_diagram(),
            "## States",
            "",
            *_table(["state", "shown as", "moves from it", "FHIR Task status"], map(_state, STATES)),
            "## Moves",
            "",
            *_table(["move", "from", "to", "who", "tells", "next step on the case", "due"], map(_move, MOVES.values())),
        ]
    return "\n".join(lines).rstrip() + "\n"


def _diagram() -> list[str]:
    arrows = [f"    {source} --> {move.target}: {move.name}" for move in MOVES.values() for source in _sources(move)]
    ends = [f"    {state} --> [*]" for state in STATES if not _leaving(state)]
    return ["```mermaid", "stateDiagram-v2", "    [*] --> draft", *arrows, *ends, "```", ""]


def _state(state: str) -> list[str]:
    moves = ", ".join(move.name for move in _leaving(state))
    return [f"`{state}`", str(NAMES[state]), moves or "none: it has ended", f"`{FHIR[state]}`"]


def _move(move: Move) -> list[str]:
    step, due = "as before", ""
    if move.step:
        step = str(STEP_KINDS[move.step.kind]) % {"agency": "the agency"}
        step, due = step[0].upper() + step[1:], DUE[move.step.due]
        step += {"referrals": " (kept by the referral)", "asking": " (kept by the asking)"}.get(move.step.keeper, "")
    states = [", ".join(f"`{source}`" for source in _sources(move)), f"`{move.target}`"]
    return [
        f"`{move.name}`",
        *states,
        ", ".join(sorted(move.who)),
        ", ".join(sorted(move.tells)) or "nobody",
        step,
        due or "as before",
    ]


def _sources(move: Move) -> list[str]:
    return [state for state in STATES if state in move.sources]


def _leaving(state: str) -> list[Move]:
    return [move for move in MOVES.values() if state in move.sources]


def _table(heads: list[str], rows: Any) -> list[str]:
    marks = [heads, ["---"] * len(heads), *rows]
    return [*(f"| {' | '.join(cells)} |" for cells in marks), ""]
