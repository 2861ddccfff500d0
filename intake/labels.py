"""The words for codes of this floor: kinds of notes, steps, events and notices. Upper floors add theirs at start."""

from typing import Any

from django.utils.translation import gettext_lazy as _

Words = dict[str, Any]  # code -> a translated text, perhaps with %(placeholders)s of the row's codes

NOTE_KINDS: Words = {
    "seen": _("Seen and heard"),
    "told": _("Told or assumed"),
    "assessment": _("My assessment"),
}
# In a case also what the person thinks is wrong, whatever it is about: a fact, an answer, a step (SoL 14:6).
CASE_NOTES: Words = {**NOTE_KINDS, "objection": _("The person’s own objection")}

STEP_KINDS: Words = {
    "first_step": _("Take the first step"),
    "own": _("Planned step"),
    "after_call": _("Take the next step after the call"),
    "call_back": _("Call back"),
    "ask_caller": _("Ask the caller: did you get help?"),
    "decide_next": _("Decide what comes next"),
    "child.protection": _("Make the immediate protection assessment"),
    "child.preliminary": _("Decide whether an inquiry is opened"),
    "child.inquiry": _("Finish the inquiry"),
    "child.feedback": _("Tell the reporter what was decided"),
}

# Steps for which somebody calls the person: their rows lead to how that is done safely. Upper floors add theirs.
CALLING: set[str] = {"call_back", "ask_caller", "after_call"}

# Steps that are done at their time, and not by then: somebody else is there too. Upper floors add theirs.
AT_TIME: set[str] = set()

# Steps that leave somebody without help when they are only ticked off: kind -> what is asked for instead. Upper floors add
# theirs.
NEEDS_WORDS: Words = {}

# Steps that promise the caller nothing: when they are late, nobody waits to be called. Upper floors add theirs.
INSIDE: set[str] = set()

# Events that are contact with the caller, or a try. Upper floors add theirs.
CONTACT: set[str] = {"call.completed", "call.consulted", "contact.reached", "contact.no_answer", "contact.message"}

EVENTS: Words = {
    "call.completed": _("Call, %(minutes)s minutes"),
    "actualisation.decided": _("Is this an actualisation? %(answer)s"),
    "case.opened": _("Case opened"),
    "track.changed": _("Now on track %(track)s, %(identity)s"),
    "protection.changed": _("Protected personal data: %(protection)s"),
    "words.erased": _("The words are erased"),
    "case.closed": _("Case closed"),
    "case.reassigned": _("Handed to %(to)s"),
    "case.opened_by_other": _("Opened by a colleague"),
    "opening.made": _("Opened in an emergency"),
    "opening.reviewed": _("The emergency opening is reviewed: %(verdict)s"),
    "urgency.confirmed": _("Urgency confirmed: %(urgency)s"),
    "note.signed": _("Note"),
    "measure.done": _("%(measure)s, %(done_at)s"),
    "measure.explained": _("Not done: %(measure)s"),
    "measure.corrected": _("Correction: %(measure)s"),
    "measure.referenced": _("Reference: %(measure)s"),
    "safe.changed": _("Safe contact changed"),
    "step.planned": _("Planned step"),
    "step.done": _("Done"),
    "step.moved": _("Moved to another time"),
    "step.passed": _("Passed to %(to)s, who stands in for %(giver)s"),
    "step.given_back": _("Given back to %(to)s by %(giver)s: the data are protected"),
    "shift.taken": _("Taken over from %(giver)s"),
    "contact.reached": _("We reached the person"),
    "contact.no_answer": _("We tried to reach the person, no answer"),
    "contact.message": _("We left a message for the person"),
    "case.called_again": _("Called again; %(to)s goes on with it"),
    "case.reopened": _("Opened again; %(to)s goes on with it"),
    "case.unclaimed": _("The person who is calling is somebody else"),
    "urgency.raised": _("Urgency raised to %(urgency)s"),
    "passphrase.set": _("Passphrase changed"),
    "passphrase.removed": _("Passphrase taken away"),
    "number.written": _("Number to call back written down"),
    "number.erased": _("Number to call back erased"),
    "person.added": _("Added: %(part)s"),
    "person.changed": _("Changed: %(part)s"),
    "person.removed": _("Taken off the list: %(part)s"),
    "case.linked": _("Belongs together with %(to)s"),
    "case.unlinked": _("No longer belongs together with %(to)s"),
    "concern.registered": _("Report of concern registered"),
    "concern.registered_adult": _("Report of concern for an adult registered"),
    "child.protection_assessed": _("Immediate protection assessment made. Protection needed now: %(answer)s"),
    "child.inquiry_opened": _("Decided: an inquiry is opened"),
    "child.inquiry_not_opened": _("Decided: no inquiry is opened"),
    "child.inquiry_under_way": _("An inquiry on the child is already under way"),
    "child.inquiry_finished": _("The inquiry is finished"),
    "child.feedback_asked": _("The reporter wants to know whether an inquiry is opened"),
    "child.feedback_given": _("The reporter has been told"),
    "child.clock_extended": _("More time given, to %(day)s"),
    "note.amended": _("Added to a note"),
    "call.entered_late": _("Entered afterwards: the call took place %(when)s"),
    "text.made": _("Text made for another system"),
    "retention.held": _("Kept beyond the rules of retention"),
    "retention.released": _("The rules of retention hold again"),
    "extract.decided": _("Decision on an extract for: %(part)s"),
    "extract.made": _("Extract made for: %(part)s"),
    "call.consulted": _("Consultation without identity, %(minutes)s minutes"),
}

# What somebody said, in the line of an event. Upper floors add theirs at start.
SAID: Words = {}
# Why a handover came back: each floor above adds its own.
WHYS: Words = {}

NOTICES: Words = {
    "step.due": _("Reminder: a step is due"),
    "step.late": _("Nobody has done this step"),
    "case.assigned": _("A case is now yours"),
    "step.planned": _("Your unit manager has planned a step for you"),
    "step.passed": _("You stand in for a colleague: a step is yours"),
    "shift.given": _("A colleague hands over a shift to you"),
    "shift.taken": _("Your colleague has taken over"),
    "case.acute": _("An acute case was opened"),
    "case.called_again": _("The person called again; a colleague answered"),
    "passphrase.set": _("A new passphrase was chosen in a later call"),
    "opening.made": _("Opened in an emergency: review it"),
    "opening.late": _("An emergency opening is still to be reviewed"),
    "access.ending": _("A colleague’s access ends within a week, and something is still in their hands"),
    "access.ended": _("A colleague’s access ends today or has ended, and something is still in their hands"),
    "search.many": _("A colleague has searched more than 30 times within an hour: ask why"),
    "absence.changed": _("The unit manager has written or changed when you are away"),
}

# Why somebody opens in an emergency what they have no right to otherwise.
EMERGENCIES: Words = {
    "life": _("Somebody’s life or health is in danger now"),
    "child": _("A child needs protection now"),
    "calling": _("The person is calling now, and nobody who has the case can be reached"),
    "other": _("Something else that cannot wait"),
}

# What was found of it afterwards.
VERDICTS: Words = {
    "justified": _("justified"),
    "investigate": _("to be investigated"),
}

# Why a call or a case counts as bounced.
BOUNCES: Words = {
    "given_number": _("Given a number instead of a handover"),
    "turned_away": _("%(agency)s said no, or nothing, after the caller was told of them"),
    "called_again_unanswered": _("The caller had to call again because nobody had called"),
    "nobody_called": _("%(agency)s never called the person"),
    "told_again": _("The caller had to tell %(agency)s again what we had told them"),
    "step_untouched": _("A step stood untouched for three working days past its time"),
    "changed_hands": _("Changed hands without a handover"),
}

# A cause said more closely, by the `why` of a bounce's codes. Upper floors add theirs.
BOUNCED_WHY: Words = {}

PARTS: Words = {
    "caller": _("The caller"),
    "concern": _("The person of concern"),
    "household": _("Somebody in the household"),
}

CLOCKS: Words = {
    "immediate_protection_assessment": _("Immediate protection assessment"),
    "preliminary_assessment": _("Preliminary assessment"),
    "inquiry": _("Inquiry"),
    "feedback": _("Answer to the reporter"),
}

# What was decided on a report of concern (SoL 20:2).
OUTCOMES: Words = {
    "opened": _("An inquiry is opened"),
    "not_opened": _("No inquiry is opened"),
    "under_way": _("An inquiry on the child is already under way"),
}

# For which reasons the law lets a manager give more time.
EXTENSIONS: Words = {
    "extraordinary": _("Only for extraordinary reasons (SoL 20:2)."),
    "special": _("Only for special reasons, and for a certain time (SoL 20:3)."),
}

# Who keeps a step, and says how it ends. Upper floors add theirs at start.
KEEPERS: Words = {
    "child": _("This step is kept by a time of the law for a child, and ends with the decision."),
}

AMENDMENTS: Words = {
    "addition": _("Addition"),
    "correction": _("Correction"),
    "objection": _("The person’s own objection"),
}

# Whose objection it is, beside what stands in a call.
SAID_BY: Words = {"caller": _("Of who called"), "concern": _("Of the person of concern")}

STATUSES: Words = {
    "new": _("New"),
    "active": _("In progress"),
    "waiting": _("Waiting for others"),
    "closed": _("Closed"),
}
