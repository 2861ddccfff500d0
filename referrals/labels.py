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

STEP_KINDS: Words = {
    "await_answer": _("%(agency)s answers"),
    "await_contact": _("%(agency)s makes contact"),
    "answer_question": _("Answer the question from %(agency)s"),
    "choose_next": _("Choose who can help instead of %(agency)s"),
    "confirm_contact": _("Ask the caller about the contact with %(agency)s"),
}

KEEPERS: Words = {
    "referrals": _("This step is kept by a handover, and ends with it."),
}

CALLING = {"confirm_contact"}

EVENTS: Words = {
    "referral.sent": _("Handed to %(agency)s"),
    "referral.opened": _("%(agency)s has opened the handover"),
    "referral.accepted": _("%(agency)s accepted the handover"),
    "referral.declined": _("%(agency)s declined the handover"),
    "referral.question": _("%(agency)s asks a question"),
    "referral.answered": _("We answered %(agency)s"),
    "referral.contact_made": _("%(agency)s has had contact"),
    "referral.completed": _("%(agency)s has finished"),
    "referral.expired": _("%(agency)s did not answer; it is ours again"),
}

NOTICES: Words = {
    "referral.sent": _("A new handover to answer"),
    "referral.accepted": _("A handover was accepted"),
    "referral.declined": _("A handover was declined"),
    "referral.question": _("An agency asks a question"),
    "referral.answered": _("Your question is answered"),
    "referral.contact_made": _("An agency has had contact"),
    "referral.completed": _("An agency has finished"),
    "referral.expired": _("An agency did not answer"),
    "referral.taken_back": _("A handover was taken back"),
}

STATES: Words = {
    "draft": _("Draft"),
    "sent": _("Sent"),
    "opened": _("Opened"),
    "accepted": _("Accepted"),
    "contact_made": _("Contact made"),
    "completed": _("Completed"),
    "declined": _("Declined"),
    "question": _("Question asked"),
    "expired": _("Unanswered"),
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
