"""How a call of the demo is logged: by the actions that the call page uses."""

from typing import Any

from helpline.demo import texts
from helpline.people.models import User
from intake import actions
from intake.models import Call


def _actualisation(facts: dict[str, Any]) -> dict[str, str]:
    """Track C is the track of what may lead to action; the other two are not."""
    answer = "yes" if facts.get("track") == "C" else "no"
    return {"actualisation": answer, "actualisation_reason": texts.read("cases")["actualisation"][answer]}


def write_down(worker: User, story: dict[str, Any], plan: dict[str, Any]) -> Call:
    """The call comes in: what is said is saved, and the urgency confirmed. It is not yet completed."""
    facts = {
        "caller_type": story["caller"],
        "municipality_id": None if plan.get("at", "unknown") == "unknown" else plan["at"],
        "caller_name": story.get("name", ""),
        "phone": story.get("phone", ""),
        "safe_contact": story.get("safe", ""),
        **_actualisation(story["facts"]),
        "urgency": plan.get("urgency", story["urgency"]),
        "urgency_reason": plan.get("because", story.get("because", "")),
        **story["facts"],
        **({"milieu": plan["milieu"]} if "milieu" in plan else {}),
    }
    words = {"seen": story.get("seen", ""), "told": story.get("told", ""), "assessment": story.get("view", "")}
    return actions.save_call(
        by=worker,
        call=actions.start_call(by=worker),
        facts=facts,
        answers=story["answers"],
        remarks=story.get("remarks", {}),
        notes={kind: text for kind, text in words.items() if text},
    )
