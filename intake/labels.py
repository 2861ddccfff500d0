"""The words for codes of this floor: kinds of notes, steps, events and notices. Upper floors add theirs at start."""

from typing import Any

from django.utils.translation import gettext_lazy as _

Words = dict[str, Any]  # code -> a translated text, perhaps with %(placeholders)s of the row's codes

NOTE_KINDS: Words = {
    "seen": _("Seen and heard"),
    "told": _("Told or assumed"),
    "assessment": _("My assessment"),
}

STEP_KINDS: Words = {
    "first_step": _("Take the first step"),
    "own": _("Planned step"),
    "call_back": _("Call back"),
    "ask_caller": _("Ask the caller: did you get help?"),
}

EVENTS: Words = {
    "call.completed": _("Call, %(minutes)s minutes"),
    "actualisation.decided": _("Is this an actualisation? %(answer)s"),
    "case.opened": _("Case opened"),
    "case.closed": _("Case closed"),
    "case.reassigned": _("Handed to %(to)s"),
    "case.opened_by_other": _("Opened by a colleague"),
    "urgency.confirmed": _("Urgency confirmed: %(urgency)s"),
    "note.signed": _("Note"),
    "step.planned": _("Planned step"),
    "step.done": _("Done"),
    "step.moved": _("Moved to another time"),
    "contact.reached": _("We reached the person"),
    "contact.no_answer": _("We tried to reach the person, no answer"),
    "concern.registered": _("Report of concern registered"),
}

NOTICES: Words = {
    "step.due": _("Reminder: a step is due"),
    "step.late": _("Nobody has done this step"),
    "case.assigned": _("A case is now yours"),
    "case.acute": _("An acute case was opened"),
}

PARTS: Words = {
    "caller": _("The caller"),
    "concern": _("The person of concern"),
}

CLOCKS: Words = {
    "immediate_protection_assessment": _("Immediate protection assessment"),
    "preliminary_assessment": _("Preliminary assessment"),
}

STATUSES: Words = {
    "new": _("New"),
    "active": _("In progress"),
    "waiting": _("Waiting for others"),
    "closed": _("Closed"),
}
