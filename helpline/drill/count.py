"""The count: what clients were told, against what is there. Nothing here asks the database."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from helpline.drill.diary import Act
from helpline.drill.found import Found, FoundReferral, FoundRung

LOST, DOUBLED, BROKEN = "lost", "doubled", "broken"


@dataclass(frozen=True)
class Check:
    """One thing that was counted: of how many, and which of them are not as they should be."""

    name: str
    kind: str  # lost, doubled or broken
    of: int
    wrong: list[str]


def checks(acts: list[Act], found: Found) -> list[Check]:
    """All that is counted."""
    return [
        *_calls(acts, found),
        *_words(acts, found),
        *_saves(acts, found),
        *_cases(acts, found),
        *_referrals(acts, found),
        *_rungs("reminders", found.rungs),
        *_rungs("rungs of silence", found.ladders),
        *_mails(found),
        *_whole(found),
    ]


def total(counted: Iterable[Check], kind: str) -> int:
    """How many are wrong in this way."""
    return sum(len(check.wrong) for check in counted if check.kind == kind)


def of(acts: Iterable[Act], *kinds: str) -> list[Act]:
    """The acts of these kinds."""
    return [act for act in acts if act.do in kinds]


def _confirmed(acts: Iterable[Act], *kinds: str) -> list[Act]:
    return [act for act in of(acts, *kinds) if act.is_confirmed]


def _calls(acts: list[Act], found: Found) -> list[Check]:
    """Each call that was begun is there once, and none that nobody began; each that was finished is finished once."""
    starts, ends = _confirmed(acts, "start"), _confirmed(acts, "complete")
    asked = {act.facts["token"] for act in of(acts, "start")}
    tokens = Counter(call.token for call in found.calls.values())
    doubled = [f"{pk}: token {call.token or '-'}" for pk, call in found.calls.items() if call.token not in asked]
    doubled += [f"token {token}: {count} calls" for token, count in tokens.items() if count > 1 and token in asked]
    gone = [act.facts["call"] for act in starts if act.facts["call"] not in found.calls]
    unfinished = [
        act.facts["call"]
        for act in ends
        if (call := found.calls.get(act.facts["call"])) is None
        or not call.is_completed
        or (act.facts.get("case") and call.case != act.facts["case"])
    ]
    done = [pk for pk, call in found.calls.items() if call.is_completed]
    return [
        Check("calls begun", LOST, len(starts), gone),
        Check("calls begun twice", DOUBLED, len(found.calls), doubled),
        Check("calls finished, with their case", LOST, len(ends), unfinished),
        Check("calls finished twice", DOUBLED, len(done), [pk for pk in done if found.completed[pk] > 1]),
        Check("rows of the log: begun", BROKEN, len(found.calls), [p for p in found.calls if found.started[p] != 1]),
        Check("rows of the log: finished", BROKEN, len(done), [pk for pk in done if not found.completed[pk]]),
    ]


def _words(acts: list[Act], found: Found) -> list[Check]:
    """Word for word: in each field what was confirmed last, or what was sent after that and may have arrived."""
    held: dict[tuple[str, str], list[str]] = {}
    told = 0
    for act in of(acts, "save", "complete"):
        for name, words in act.facts["words"].items():
            place = (act.facts["call"], name)
            if act.is_confirmed:
                held[place] = [words]
                told += 1
            elif place in held:
                held[place].append(words)
    wrong = [
        f"{pk} {name}"
        for (pk, name), possible in held.items()
        if (call := found.calls.get(pk)) is None or call.words.get(name, "") not in possible
    ]
    return [Check(f"words in fields of calls ({told} saves of one)", LOST, len(held), wrong)]


def _saves(acts: list[Act], found: Found) -> list[Check]:
    """A save has one row in the log for each part of the call: as many as were confirmed, and no more than were sent."""
    least: Counter[tuple[str, str]] = Counter()
    most: Counter[tuple[str, str]] = Counter()
    for act in of(acts, "save", "complete"):
        for part in {name.partition(".")[2] for name in act.facts["words"]}:
            least[act.facts["call"], part] += act.is_confirmed
            most[act.facts["call"], part] += 1
    few = [f"{pk} {part}" for (pk, part), rows in least.items() if found.saves[pk, part] < rows]
    many = [f"{pk} {part}" for (pk, part), rows in most.items() if found.saves[pk, part] > rows]
    return [
        Check("rows of the log: saves", BROKEN, sum(least.values()), few),
        Check("saves done twice", DOUBLED, len(most), many),
    ]


def _cases(acts: list[Act], found: Found) -> list[Check]:
    """Each step and each note of a case once."""
    result = []
    for name, kinds, rows in [
        ("steps planned", ("plan", "complete"), "steps"),
        ("notes signed", ("note",), "notes"),
    ]:
        lost, doubled = [], []
        told = [(act, act.facts.get("step") or act.facts["words"]) for act in of(acts, *kinds)]
        told = [(act, words) for act, words in told if act.facts.get("case")]
        for act, words in told:
            case = found.cases.get(act.facts["case"])
            there = getattr(case, rows).count(words) if case else 0
            if act.is_confirmed and not there:
                lost.append(f"{act.facts['case']}: {act.id}")
            if there > 1:
                doubled.append(f"{act.facts['case']}: {act.id}")
        result.append(Check(name, LOST, sum(act.is_confirmed for act, _ in told), lost))
        result.append(Check(f"{name} twice", DOUBLED, len(told), doubled))
    return result


def _referrals(acts: list[Act], found: Found) -> list[Check]:
    """Each handover and each answer once, and no state that its last change does not say."""
    cards, moves = _confirmed(acts, "draft", "card", "send"), of(acts, "send", "move")
    last: dict[str, list[dict[str, str]]] = {}  # the card that was confirmed, and what came after
    for act in of(acts, "card", "send"):
        pk = act.facts["referral"]
        card = {**last.get(pk, [{}])[0], **act.facts["words"]}
        if act.is_confirmed:
            last[pk] = [card]
        elif pk in last:
            last[pk].append(card)
    gone = [act.facts["referral"] for act in cards if act.facts["referral"] not in found.referrals]
    changed = [pk for pk, possible in last.items() if not _has_card(found.referrals.get(pk), possible)]
    done = {act.id: _times(act, found) for act in moves}
    twice = [
        f"{pk}: {count} times {words or move}"
        for pk, referral in found.referrals.items()
        for (move, words), count in Counter((c.move, c.words) for c in referral.changes).items()
        if count > 1 and (words or move == "send")
    ]
    return [
        Check("handovers written", LOST, len(cards), gone),
        Check("words of handovers", LOST, len(last), changed),
        Check(
            "handovers sent, answers given",
            LOST,
            sum(act.is_confirmed for act in moves),
            [_where(act) for act in moves if act.is_confirmed and not done[act.id]],
        ),
        Check("handovers sent or answered twice", DOUBLED, sum(map(len, _changes(found))), twice),
        Check("states as their last change says", BROKEN, len(found.referrals), _unsaid(found)),
        Check("rows of the log: changes of state", BROKEN, sum(map(len, _changes(found))), _unlogged(found)),
        Check("handovers that wait, with a rung before them", LOST, len(found.referrals), found.silent),
    ]


def _changes(found: Found) -> list[list[object]]:
    return [list(referral.changes) for referral in found.referrals.values()]


def _has_card(referral: FoundReferral | None, possible: list[dict[str, str]]) -> bool:
    return referral is not None and any(
        all(referral.words.get(name, "") == words for name, words in card.items()) for card in possible
    )


def _times(act: Act, found: Found) -> int:
    """How often what was told is among the changes of its referral."""
    referral = found.referrals.get(act.facts["referral"])
    if referral is None:
        return 0
    if act.do == "send":
        return sum(change.move == "send" for change in referral.changes)
    words = act.facts["words"]
    of_move = [change for change in referral.changes if change.move == act.facts["move"]]
    with_words = [change for change in of_move if change.words == words]
    if not with_words and referral.words.get("handled_by") in {words, words.replace("\n", " ")}:
        return len(of_move)  # who takes it on stands on the referral itself
    return len(with_words)


def _where(act: Act) -> str:
    return f"{act.facts['referral']}: {act.facts.get('move', 'send')}, {act.id}"


def _unsaid(found: Found) -> list[str]:
    """Referrals whose changes do not follow from each other, or whose state is not where the last one led."""
    wrong = []
    for pk, referral in found.referrals.items():
        state = "draft"
        for change in referral.changes:
            if change.source != state:
                wrong.append(f"{pk}: {change.move} from {change.source}, but it was {state}")
            state = change.target
        if state != referral.state:
            wrong.append(f"{pk}: {referral.state}, but its last change says {state}")
    return wrong


def _unlogged(found: Found) -> list[str]:
    return [
        f"{pk}: {move}"
        for pk, referral in found.referrals.items()
        for move, count in Counter(change.move for change in referral.changes).items()
        if referral.logged[move] != count
    ]


def _rungs(name: str, rungs: list[FoundRung]) -> list[Check]:
    """Each rung whose time has come is fired once, and told to each person once."""
    fired = [rung for rung in rungs if rung.state == "fired"]
    due = [rung for rung in rungs if rung.is_due]
    late = [rung.id for rung in due if rung.state == "scheduled"]
    untold = [rung.id for rung in fired if not rung.notices]
    twice = [rung.id for rung in rungs if rung.logged > 1 or any(n > 1 for n in rung.notices.values())]
    early = [rung.id for rung in rungs if rung.state == "scheduled" and (rung.logged or rung.notices)]
    return [
        Check(f"{name} fired when due", LOST, len(due), late),
        Check(f"{name} told to somebody", LOST, len(fired), untold),
        Check(f"{name} fired twice", DOUBLED, len(fired), twice),
        Check(f"{name} told and not marked", BROKEN, len(rungs), early),
        Check(f"rows of the log: {name}", BROKEN, len(fired), [rung.id for rung in fired if not rung.logged]),
    ]


def _mails(found: Found) -> list[Check]:
    """Mail is never sent twice by itself; what was sent arrived, and what is not known stands as unknown."""
    sent = [mail for mail in found.mails if mail.state == "sent"]
    return [
        Check("mails sent twice", DOUBLED, len(found.mails), [mail.id for mail in found.mails if mail.taken > 1]),
        Check("mails marked as sent that arrived", LOST, len(sent), [mail.id for mail in sent if not mail.taken]),
        Check("mails that nobody takes", LOST, len(found.mails), [mail.id for mail in found.mails if mail.is_late]),
    ]


def _whole(found: Found) -> list[Check]:
    """Every open case is in somebody's hands, and every line of a timeline has its row in the log."""
    unlogged = [f"{case}: {event}" for (case, event), n in found.lines.items() if found.logged[case, event] < n]
    return [
        Check("open cases with an owner and a next step", BROKEN, len(found.cases), found.unheld),
        Check("rows of the log: lines of timelines", BROKEN, sum(found.lines.values()), unlogged),
        Check("links of the log's chain", BROKEN, found.links, found.misfits),
        Check("sums by day", BROKEN, found.sums, found.missums),
    ]
