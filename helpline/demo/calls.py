"""How a call of the demo is logged: by the actions that the call page uses."""

import datetime as dt
from typing import Any

from django.utils import timezone

from helpline.demo import texts
from helpline.people import clock
from helpline.people.models import User
from intake import actions, triage
from intake.models import Call

AT_ONCE = dt.timedelta(minutes=4)  # from the first words to 112


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
        "identity": "named" if story.get("name") else "anonymous",
        "phone": story.get("phone", ""),
        "safe_contact": texts.safe_of(story).write(),
        **_actualisation(story["facts"]),
        "urgency": plan.get("urgency", story["urgency"]),
        "urgency_reason": plan.get("because", story.get("because", "")),
        **story["facts"],
        **({"milieu": plan["milieu"]} if "milieu" in plan else {}),
    }
    words = {"seen": story.get("seen", ""), "told": story.get("told", ""), "assessment": story.get("view", "")}
    call = actions.save_call(
        by=worker,
        call=actions.start_call(by=worker),
        facts=facts,
        answers={**({"named": "said"} if story.get("name") else {}), **story["answers"]},
        remarks=story.get("remarks", {}),
        notes={kind: text for kind, text in words.items() if text},
    )
    if call.urgency_at_least == triage.ACUTE:
        _do_at_once(worker, call)
    return call


def _do_at_once(worker: User, call: Call) -> None:
    """What an acute answer demands is done while the caller is still there."""
    reference = {"called_112": timezone.localtime(call.received_at).strftime("SOS %d%m-%H%M")}
    with clock.at(call.received_at + AT_ONCE):
        actions.write_measures(by=worker, call=call, done=triage.codes("acute_lines"), references=reference)
