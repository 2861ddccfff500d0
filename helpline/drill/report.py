"""What a drill found: figures for a table and for build/drill.json, and what was asked for and did not happen."""

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from helpline.drill.count import BROKEN, DOUBLED, LOST, Check, total
from helpline.drill.diary import Act
from helpline.drill.found import Found
from helpline.drill.killer import Kill, Killer
from helpline.drill.order import TARGETS, Order
from helpline.local.console import say

MUST_HAPPEN = ("start", "save", "complete", "plan", "note", "send", "move")  # a drill without them shows nothing


def figures(
    order: Order, killer: Killer, acts: list[Act], found: Found, counted: list[Check], faults: list[str]
) -> dict[str, Any]:
    """Everything that is told, as plain values."""
    by_target, in_flight = killer.by_target(), killer.by_target(in_flight=True)
    told = {
        "seed": order.seed,
        "sabotage": order.sabotage,
        "seconds": round(order.seconds),
        "kills": len(killer.kills),
        "kills_with_request_in_flight": killer.in_flight,
        "by_target": {
            target: {"kills": by_target[target], "in_flight": in_flight[target], **_times(killer.kills, target)}
            for target in TARGETS
        },
        "slowest_recovery_s": _times(killer.kills, "database")["slowest_recovery_s"],
        "saved": sum(act.is_confirmed for act in acts),
        "lost": total(counted, LOST),
        "doubled": total(counted, DOUBLED),
        "broken": total(counted, BROKEN),
        "confirmed": dict(Counter(act.do for act in acts if act.is_confirmed)),
        "refused": _refused(acts),
        "requests": dict(killer.traffic.counts),
        "reminders": dict(Counter(rung.state for rung in found.rungs)),
        "silence": dict(Counter(rung.state for rung in found.ladders)),
        "mails": dict(Counter(mail.state for mail in found.mails)),
        "checks": [
            {"name": c.name, "kind": c.kind, "of": c.of, "wrong": len(c.wrong), "which": c.wrong[:20]} for c in counted
        ],
    }
    return told | {"unmet": unmet(order, told) + faults}


def _times(kills: Iterable[Kill], target: str) -> dict[str, float | None]:
    """Seconds, of the kills that no other disturbed."""
    alone = [kill for kill in kills if kill.target == target and not kill.disturbed]
    recovery = [kill.recovery for kill in alone if kill.recovery is not None]
    outage = [kill.outage for kill in alone if kill.outage is not None]
    return {
        "measured": len(recovery),
        "slowest_recovery_s": round(max(recovery), 2) if recovery else None,
        "slowest_outage_s": round(max(outage), 2) if outage else None,
    }


def _refused(acts: list[Act]) -> dict[str, int]:
    said = Counter(
        f"{act.do} {act.facts.get('move', '')}: {act.facts.get('why')}" for act in acts if "why" in act.facts
    )
    return {text.replace(" :", ":"): count for text, count in said.most_common()}


def unmet(order: Order, told: dict[str, Any]) -> list[str]:
    """What was asked for and did not happen, each as a sentence."""
    found = []
    if told["kills"] < order.kills:
        found.append(f"{told['kills']} kills, and {order.kills} were asked for")
    if told["kills_with_request_in_flight"] < order.in_flight:
        found.append(
            f"{told['kills_with_request_in_flight']} kills with a request in flight, and {order.in_flight} were asked for"
        )
    found += [f"{target} was never killed" for target in TARGETS if not told["by_target"][target]["kills"]]
    found += [f"nothing was confirmed of: {do}" for do in MUST_HAPPEN if not told["confirmed"].get(do)]
    if not told["reminders"].get("fired"):
        found.append("no reminder was fired")
    if not told["silence"].get("fired"):
        found.append("no rung of silence was climbed")
    slowest = told["slowest_recovery_s"]
    if slowest is None:
        found.append("no recovery of the database was measured")
    elif slowest > order.recovery:
        found.append(f"{slowest} s from the database's return to a save, and {order.recovery:.0f} were asked for")
    return found


def passed(told: dict[str, Any]) -> bool:
    """Nothing lost, nothing doubled, nothing broken, nothing unmet."""
    return not (told["lost"] or told["doubled"] or told["broken"] or told["unmet"])


def write(told: dict[str, Any], path: Path) -> None:
    """The figures as JSON."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({"passed": passed(told), **told}, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def show(told: dict[str, Any]) -> None:
    """The figures as tables."""
    guard = f", without its guard {told['sabotage']}" if told["sabotage"] else ""
    say(f"\nDrill of {told['seconds']} s, seed {told['seed']}{guard}\n")
    _table(
        ["killed", "times", "request open", "slowest: back to save", "kill to save"],
        [
            [t, row["kills"], row["in_flight"], _seconds(row["slowest_recovery_s"]), _seconds(row["slowest_outage_s"])]
            for t, row in told["by_target"].items()
        ]
        + [["all", told["kills"], told["kills_with_request_in_flight"], "", ""]],
    )
    _table(
        ["counted", "of", "wrong", "is"],
        [[row["name"], row["of"], row["wrong"], row["kind"] if row["wrong"] else ""] for row in told["checks"]],
    )
    for name in ("confirmed", "refused", "requests", "reminders", "silence", "mails"):
        say(f"{name}: " + (", ".join(f"{key} {value}" for key, value in told[name].items()) or "none"))
    for row in told["checks"]:
        for wrong in row["which"][:5]:
            say(f"  {row['kind']}: {row['name']}: {wrong}")
    for sentence in told["unmet"]:
        say(f"  unmet: {sentence}")
    verdict = "passed" if passed(told) else "FAILED"
    say(f"\n{verdict}: saved {told['saved']}, lost {told['lost']}, doubled {told['doubled']}, broken {told['broken']}")


def _seconds(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f} s"


def _table(head: list[str], rows: list[list[object]]) -> None:
    lines = [head, *[[str(cell) for cell in row] for row in rows]]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    for line in lines:
        cells = [
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ]
        say("  " + "  ".join(cells).rstrip())
    say("")
