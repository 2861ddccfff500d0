"""What is in the database after a drill, as plain data that can be counted, and made up in a test."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class FoundCall:
    """One call: from which token, what stands in its fields (as the page names them), and where it went."""

    token: str
    words: dict[str, str] = field(default_factory=dict)
    is_completed: bool = False
    case: str = ""


@dataclass
class FoundCase:
    """One case: the words of its steps and notes, as often as they stand there."""

    steps: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass
class FoundChange:
    """One change of a referral's state."""

    move: str
    source: str
    target: str
    words: str = ""


@dataclass
class FoundReferral:
    """One referral: its state, the words of its card, its changes in order, and how many rows the log has of each move."""

    state: str
    words: dict[str, str] = field(default_factory=dict)
    changes: list[FoundChange] = field(default_factory=list)
    logged: Counter[str] = field(default_factory=Counter)  # move -> rows


@dataclass
class FoundRung:
    """One rung of reminding about a step, or of an agency's silence: scheduled, fired or cancelled; whether it is past its
    time; notices by person; rows of the log."""

    id: str
    state: str
    is_due: bool
    notices: Counter[str] = field(default_factory=Counter)
    logged: int = 0


@dataclass
class FoundMail:
    """One notice's mail: ready, sending, sent, unknown, failed or none; and how often the mail server took it."""

    id: str
    state: str
    taken: int = 0
    is_late: bool = False  # ready, and nobody has taken it for longer than some ticks


@dataclass
class Found:
    """All of it."""

    calls: dict[str, FoundCall] = field(default_factory=dict)
    cases: dict[str, FoundCase] = field(default_factory=dict)
    referrals: dict[str, FoundReferral] = field(default_factory=dict)
    rungs: list[FoundRung] = field(default_factory=list)  # of reminding
    ladders: list[FoundRung] = field(default_factory=list)  # of silence
    mails: list[FoundMail] = field(default_factory=list)
    unheld: list[str] = field(default_factory=list)  # open cases without an owner or a next step
    silent: list[str] = field(default_factory=list)  # referrals that wait, and have no rung before them
    sums: int = 0  # sums by day
    missums: list[str] = field(default_factory=list)  # those that their rows do not say, and marks that nobody counted
    links: int = 0  # of the log's chain
    misfits: list[str] = field(default_factory=list)  # where it is broken
    saves: Counter[tuple[str, str]] = field(default_factory=Counter)  # (call, part) -> rows of the log
    started: Counter[str] = field(default_factory=Counter)  # call -> rows of the log
    completed: Counter[str] = field(default_factory=Counter)
    lines: Counter[tuple[str, str]] = field(default_factory=Counter)  # (case, event) -> lines of the timeline
    logged: Counter[tuple[str, str]] = field(default_factory=Counter)  # (case, event) -> rows of the log
