"""The words for codes of this floor: what a referral's card holds, what follows on the case, what was answered."""

from django.utils.translation import gettext_lazy as _

from intake.labels import Words

# The card: what the agency sees, in the order in which it is written, previewed and read.
CARD: Words = {
    "ask": _("What you are asked to do"),
    "about": _("Whom it concerns"),
    "happened": _("What has happened"),
    "wants": _("Wants"),
    "fears": _("Is afraid of"),
    "tried": _("Already tried"),
    "dont_ask": _("Do not ask again about"),
    "safe_contact": _("Safe contact"),
}

# Everything of a referral that can leave the house: the card, and who it is about.
SHARED: Words = {**CARD, "name": _("Name"), "phone": _("Phone number")}

STEP_KINDS: Words = {
    "await_answer": _("%(agency)s answers"),
    "call_agency": _("Call %(agency)s: they have not answered"),
    "await_contact": _("%(agency)s makes contact"),
    "give_contact": _("Give %(agency)s what they need to make contact: they do not see it in the system"),
    "booked_contact": _("%(agency)s has a time with the caller"),
    "three_way_call": _("Three-way call with %(agency)s and the caller"),
    "missed_contact": _("See to it that the contact with %(agency)s comes about"),
    "held_until": _("%(agency)s waits until the day that was agreed"),
    "answer_question": _("Answer the question from %(agency)s"),
    "answer_comment": _("Answer the comment from %(agency)s"),
    "read_message": _("Read the message from %(agency)s"),
    "bring_handover": _("Bring %(agency)s the handover: by a link, on paper, or call them"),
    "bring_answer": _("Bring %(agency)s our answer: by a new link, on paper, or call them"),
    "tell_to_stop": _("Call %(agency)s: they must stop"),
    "choose_next": _("Choose who can help instead of %(agency)s"),
    "confirm_contact": _("Ask the caller about the contact with %(agency)s"),
    "ask_month": _("Ask the caller after a month: did %(agency)s help?"),
    "ask_quarter": _("Ask the caller after three months: did %(agency)s help?"),
    "ask_signposted": _("Ask the caller: did you reach %(agency)s?"),
}

KEEPERS: Words = {
    "referrals": _("This step is kept by a handover, and ends with it."),
    "asking": _("This step ends when you write down what the caller answers."),
    "comments": _("This step ends when the agency's comment is answered."),
    "stopping": _("This step ends when you write down that they have stopped."),
    "messages": _("This step ends when the message is answered or marked as read."),
}

CALLING = {"confirm_contact", "ask_month", "ask_quarter", "ask_signposted", "three_way_call"}
# A time that is booked with others.
AT_TIME = {"three_way_call", "booked_contact"}
# Between us and an agency: when they are late, no caller waits for a call.
INSIDE = {"answer_question", "answer_comment", "read_message", "held_until", "tell_to_stop"}
# A need is not dropped by two presses: who chooses nobody says why.
NEEDS_WORDS: Words = {
    "choose_next": _(
        "Choose who can help instead. If nobody is to be chosen, write why: what the person says, or what comes instead."
    ),
}
# How an agency turned somebody away, by the state that its handover came to.
BOUNCED_WHY: Words = {
    "declined": _("%(agency)s said no after the caller was told of them"),
    "expired": _("%(agency)s did not answer after the caller was told of them"),
    "returned": _("%(agency)s gave the handover back after the caller was told of them"),
}
# Events that are contact with the caller.
CONTACT = {"referral.contact_made", "referral.ticked", "caller.answered"}
ASKING_STEPS = {"week": "confirm_contact", "month": "ask_month", "quarter": "ask_quarter"}

EVENTS: Words = {
    "referral.sent": _("Handed to %(agency)s"),
    "referral.opened": _("%(agency)s has opened the handover"),
    "referral.accepted": _("%(agency)s accepted the handover"),
    "referral.declined": _("%(agency)s declined the handover"),
    "referral.question": _("%(agency)s asks a question"),
    "referral.answered": _("We answered %(agency)s"),
    "referral.booked": _("A time is booked with %(agency)s"),
    "referral.booked_warm": _("A three-way call is booked with %(agency)s"),
    "referral.ticked": _("Ticked: we spoke together with %(agency)s"),
    "referral.missed": _("The contact with %(agency)s did not come about; it is ours again"),
    "referral.held": _("The handover to %(agency)s waits until %(until)s"),
    "referral.resumed": _("The handover to %(agency)s goes on"),
    "referral.contact_made": _("%(agency)s has had contact"),
    "referral.completed": _("%(agency)s has finished"),
    "referral.returned": _("%(agency)s has given the handover back; it is ours again"),
    "referral.failed": _("The handover to %(agency)s did not lead to help; it is ours again"),
    "referral.caller_no": _("The caller says that %(agency)s did not help; it is ours again"),
    "referral.expired": _("%(agency)s did not answer; it is ours again"),
    "referral.withdrawn": _("We took the handover to %(agency)s back"),
    "referral.confirmed": _("%(agency)s confirms that they have stopped"),
    "referral.nudged": _("%(agency)s was reminded"),
    "referral.deputy_told": _("The deputy at %(agency)s was told"),
    "referral.nudged_again": _("%(agency)s was reminded once more"),
    "referral.owner_told": _("%(agency)s has not answered: it is for us to call them"),
    "referral.manager_told": _("%(agency)s has not answered: the unit manager was told"),
    "referral.message": _("Message with %(agency)s"),
    "referral.message_read": _("Message from %(agency)s read"),
    "referral.hurried": _("The handover to %(agency)s is more urgent now: %(urgency)s"),
    "referral.asked_again": _("%(agency)s had to ask again"),
    "referral.commented": _("%(agency)s comments on our handover"),
    "referral.comment_answered": _("We answered the comment from %(agency)s"),
    "referral.cleaned": _("An address was taken out of the handover to %(agency)s: the data are protected"),
    "referral.disclosed": _("Shared with %(agency)s in another way"),
    "referral.look_made": _("A link for a first look was made for %(agency)s"),
    "caller.answered": _("Asked whether %(agency)s helped: %(said)s"),
    "consent.withdrawn": _("The consent to %(agency)s was withdrawn"),
    "pre.asked": _("Asked without a name: %(agency)s"),
    "pre.answered": _("%(agency)s says %(said)s"),
    "signpost.given": _("Told where to go alone: %(agency)s"),
}

# A rung of an agency's silence that was climbed -> its event; the last rung is a move.
NUDGED_AGAIN = "referral.nudged_again"  # where nobody is named who stands in
CLIMBED = {
    "nudge": "referral.nudged",
    "deputy": "referral.deputy_told",
    "owner": "referral.owner_told",
    "manager": "referral.manager_told",
}

NOTICES: Words = {
    "referral.sent": _("A new handover to answer"),
    "referral.accepted": _("A handover was accepted"),
    "referral.declined": _("A handover was declined"),
    "referral.question": _("An agency asks a question"),
    "referral.answered": _("Your question is answered"),
    "referral.booked": _("A time is booked"),
    "referral.booked_warm": _("A three-way call is booked"),
    "referral.missed": _("A contact did not come about"),
    "referral.held": _("A handover waits until a day"),
    "referral.resumed": _("A handover goes on"),
    "referral.contact_made": _("An agency has had contact"),
    "referral.completed": _("An agency has finished"),
    "referral.returned": _("An agency has given a handover back"),
    "referral.failed": _("A handover did not lead to help"),
    "referral.caller_no": _("The person did not get help"),
    "referral.expired": _("A handover was not answered"),
    "referral.withdrawn": _("A handover was taken back"),
    "referral.confirmed": _("An agency confirms that it has stopped"),
    "referral.tick": _("Did you speak together? Your tick is missing"),
    "referral.nudge": _("A handover waits for your answer"),
    "referral.deputy": _("You stand in: a handover waits for an answer"),
    "referral.owner": _("An agency has not answered: call them"),
    "referral.manager": _("An agency has not answered, and nobody has reached them"),
    "referral.message": _("A message about a handover"),
    "referral.hurried": _("A handover is more urgent now"),
    "referral.commented": _("An agency comments on a handover"),
    "referral.comment_answered": _("Your comment is answered"),
    "pre.asked": _("A question without a name: can you help?"),
    "pre.answered": _("An agency answers a question without a name"),
    "look.made": _("A handover to look at"),
    "look.closed": _("A link for a first look was closed: too many wrong codes"),
    "agency.verify": _("Check whether what we know of an agency is still true"),
}

# The notices to us that are an agency's answer: a first page says who it is.
ANSWERS = {
    *("referral.accepted", "referral.declined", "referral.question", "referral.booked", "referral.booked_warm"),
    *("referral.missed", "referral.held", "referral.resumed", "referral.contact_made", "referral.completed"),
    *("referral.returned", "referral.confirmed", "referral.commented", "referral.message"),
}

STATES: Words = {
    "draft": _("Draft"),
    "sent": _("Sent"),
    "opened": _("Opened"),
    "question": _("Question asked"),
    "accepted": _("Accepted"),
    "contact_booked": _("Time booked"),
    "on_hold": _("Waits until a day"),
    "contact_made": _("Contact made"),
    "completed": _("Completed"),
    "declined": _("Declined"),
    "expired": _("Unanswered"),
    "returned": _("Given back"),
    "failed": _("Did not help"),
    "withdrawn": _("Taken back"),
}

DECLINE_REASONS: Words = {
    "no_capacity": _("No capacity"),
    "not_our_area": _("Not our area"),
    "not_eligible": _("Not eligible"),
    "wrong_age": _("Wrong age"),
    "conflict": _("Conflict of interest"),
    "unsafe": _("Unsafe for us"),
    "other": _("Other"),
}

FAIL_REASONS: Words = {
    "no_contact": _("There was no contact"),
    "withdrew": _("The person did not want it any more"),
    "did_not_help": _("It did not help"),
}

# Why we take a handover back; those of the system are not chosen by anybody.
WITHDRAW_REASONS: Words = {
    "changed_mind": _("The person has changed their mind"),
    "other_help": _("The person gets help from somebody else"),
    "no_answer": _("We cannot wait any longer"),
    "sent_wrong": _("It should not have been sent"),
    "other": _("Other"),
}
SYSTEM_REASONS: Words = {
    "consent_withdrawn": _("The consent was withdrawn"),
    "access_ended": _("The time in which they see it has ended"),
    "agency_gone": _("The agency can no longer be reached"),
}
# Where it came back since the person did not want it: whether they want anybody at all is asked before anybody is chosen.
UNWANTED = {"changed_mind", "withdrew", "consent_withdrawn"}
# What leads to why it came back: by its state, or by a reason that was not the agency's.
WHY_BACK: Words = {
    "declined": _("Why %(agency)s said no"),
    "expired": _("%(agency)s did not answer: see what was done"),
    "returned": _("Why %(agency)s gave it back"),
    "failed": _("Why %(agency)s did not help"),
    "withdrawn": _("Why we took it back from %(agency)s"),
}
CAME_BACK_FROM: Words = dict.fromkeys(("withdrew", *SYSTEM_REASONS), _("Why it came back from %(agency)s"))
REASONS: Words = {**DECLINE_REASONS, **FAIL_REASONS, **WITHDRAW_REASONS, **SYSTEM_REASONS}

# What the caller says when we ask. Two of them bring the handover back; "not reached" is asked again.
CALLER_ANSWERS: Words = {
    "helped": _("Got help"),
    "partly": _("Partly"),
    "no": _("No help"),
    "nobody_called": _("Nobody called"),
    "not_reached": _("We did not reach the caller"),
    "enough": _("The caller does not want to be asked again"),
}
BRINGS_BACK = {"no": "did_not_help", "nobody_called": "no_contact"}

# Why somebody is told where to go alone though a handover is possible. The last of them is a bounce.
SIGNPOST_WHYS: Words = {
    "wished": _("The person wants to go there alone"),
    "besides": _("Besides a handover: we hand over as well"),
    "instead": _("Instead of a handover"),
}

# By which way something was disclosed.
DISCLOSURE_WAYS: Words = {
    "portal": _("The handover itself"),
    "link": _("A first look by a link"),
    "pdf": _("As a PDF"),
    "text": _("As text for a secure message"),
    "answer": _("Our answer to a question"),
    "message": _("A message"),
    "phone": _("By phone"),
}

PRE_ANSWERS: Words = {"yes": _("Yes"), "maybe": _("Maybe"), "no": _("No")}
SAID: Words = {**CALLER_ANSWERS, **{f"can_{code}": words for code, words in PRE_ANSWERS.items()}}
