"""What an extract may hold, whose each thing is, and the words for the codes of its decision."""

from collections.abc import Collection

from django.utils.translation import gettext_lazy as _

from intake.labels import Words
from referrals.labels import STEP_KINDS

# The parts, in their order; each can be held back.
PARTS: Words = {
    "person": _("The person"),
    "facts": _("Coded facts"),
    "calls": _("Calls"),
    "notes": _("Notes"),
    "steps": _("Steps"),
    "events": _("Events"),
    "safe": _("Safe contact"),
    "handovers": _("Handovers"),
    "disclosures": _("What was disclosed"),
    "consents": _("Consents"),
    "readers": _("Who has read it"),
    "kept": _("How long it is kept"),
}
# What is held back with each, in the words of the decision: a part whole, and what belongs to it elsewhere.
HELD_BACK: Words = {
    "person": _("The person: name, number and age, wherever they stand"),
    "facts": _("Coded facts, also of the calls"),
    "calls": _("Calls, with all that was answered and noted in them"),
    "notes": _("Notes, also those of the calls"),
    "steps": _("Steps"),
    "events": _("Events"),
    "safe": _("Safe contact, also where it was asked for"),
    "handovers": _("Handovers, with their steps and events"),
    "disclosures": _("What was disclosed, and what was not"),
    "consents": _("Consents, also as a legal ground"),
    "readers": _("Who has read or opened it"),
    "kept": _("How long it is kept"),
}
# As whom somebody is known from a call without a case.
CALL_PARTS: Words = {
    "caller": _("Who called, about somebody else"),
    "both": _("Who called, about themselves"),
    "concern": _("Whom the call was about"),
}
ASKED_BY: Words = {
    "self": _("The person"),
    "guardian": _("A guardian"),
    "representative": _("A representative with a power of attorney"),
}
IDENTITY_CHECKED: Words = {
    "id_card": _("Identity card, shown to us"),
    "e_id": _("E-identification"),
    "known": _("Known to us"),
}
OUTCOMES: Words = {
    "all": _("All of the person’s own data is given out"),
    "part": _("Parts are held back"),
    "refused": _("Nothing is given out"),
}
# What is held back is held back on one of these.
LAWS: Words = {
    "OSL 26:1": _("OSL 26:1: harm to somebody close to the person"),
    "OSL 26:2": _("OSL 26:2, 25:6: the person’s own care would suffer"),
    "OSL 26:5": _("OSL 26:5: who reported could be harmed"),
    "OSL 21:3": _("OSL 21:3: data with which a threatened person can be found"),
    "OSL 12:3": _("OSL 12:3: a guardian, and the child would be harmed"),
}
ACCESS_LAW = "GDPR Art. 15"

CALLER, CONCERN, BOTH = "caller", "concern", "both"
OWN, OTHERS, REPORTERS = "own", "others", "reporters"  # whose it is: shown, masked as somebody else's, as a reporter's

# Answers that tell of the caller, besides those of the opening and the closing.
ABOUT_CALLER = {
    *("r_rel", "r_own", "r_contact", "r_known", "r_aware", "r_want", "r_children"),
    *("p_role", "p_mode", "p_others", "p_talked", "p_consent", "p_done", "p_want", "p_feedback", "p_they_do"),
}
# Whose a fact of a call is (intake.told.FACTS): the caller’s, the person of concern’s, or, where it is not here, of both.
FACTS_OF_CALLER = {"fact.caller_type", "fact.caller_name", "fact.identity", "fact.language", "fact.interpreter"}
FACTS_OF_CONCERN = {"fact.milieu", "fact.age_band"}
# Facts and answers that belong to a part besides: held back with it.
FACTS_OF_PERSON = {"fact.caller_name": "person", "fact.age_band": "person"}
OF_ANSWER = {
    **{"r_age": "person", "p_age": "person", "l_contactway": "safe", "l_protected": "facts", "p_consent": "consents"},
}
FACTS_OF_BOTH = {
    *("fact.call", "fact.track", "fact.protection", "fact.municipality", "fact.urgency", "fact.actualisation"),
}
# What somebody who called said for themselves: of a case of which they are not the caller it is a reporter's.
CARD_OF_CALLER = {"wants", "fears", "tried", "dont_ask", "safe_contact"}
# Events that are told elsewhere in it, that are our own work with the file, or that name another case.
NOT_TOLD = {
    *("note.signed", "note.amended", "call.completed", "call.consulted", "call.entered_late", "urgency.confirmed"),
    *("actualisation.decided", "step.planned", "step.done", "step.moved", "step.passed", "shift.taken", "text.made"),
    *("case.opened_by_other", "case.linked", "case.unlinked", "person.added", "person.changed", "person.removed"),
    *("number.written", "number.erased", "words.erased", "measure.done", "measure.explained"),
}
# Events that are about who called.
OF_CALLER = {
    *("contact.reached", "contact.no_answer", "contact.message", "safe.changed", "track.changed", "passphrase.set"),
    *("passphrase.removed", "case.called_again", "case.unclaimed"),
    *("child.feedback_asked", "child.feedback_given", "caller.answered", "signpost.given", "pre.asked", "pre.answered"),
}
READINGS = {
    *("case.read", "case.used", "call.read", "call.used", "person.read", "number.shown", "text.made", "after.shown"),
    *("after.printed", "extract.read", "extract.made", "referral.read", "referral.used"),
}
# Events by the part that they belong to besides: the beginning of their kind -> codes of PARTS.
OF_EVENTS = {
    **{"referral.": "handovers", "pre.": "handovers", "signpost.": "handovers", "caller.answered": "handovers"},
    **{"referral.disclosed": "handovers disclosures", "referral.look_made": "handovers disclosures"},
    **{"consent.": "consents", "retention.": "kept", "safe.": "safe", "note.": "notes", "step.": "steps"},
    **{"contact.": "calls", "call.": "calls", "case.called_again": "calls", "measure.": "calls"},
    **{"track.": "facts", "protection.": "facts", "urgency.": "facts", "case.closed": "facts", "child.": "facts"},
    **{"opening.": "readers", "extract.": "readers"},
}
STEPS_OF_HANDOVERS = frozenset(STEP_KINDS)


def in_words(held_back: Collection[str]) -> str:
    """What is held back, as the decision says it."""
    return "; ".join(str(HELD_BACK[code]) for code in PARTS if code in held_back)


def of_event(kind: str) -> str:
    """The parts with which an event is held back, besides the events."""
    return next((OF_EVENTS[one] for one in sorted(OF_EVENTS, key=len, reverse=True) if kind.startswith(one)), "")
