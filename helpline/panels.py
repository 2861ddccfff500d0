"""What an upper floor shows on a page of a lower one: slot -> functions (request, object) -> (template, context)."""

PANELS: dict[str, list[str]] = {
    "call.help": ["referrals.panels.who_can_help"],  # right column of a call
    "case.main": [
        "referrals.panels.referrals_of_case",
        "referrals.panels.asked_first_of_case",
    ],  # a case, under its next step
    "case.actions": ["referrals.panels.actions_of_case"],  # a case, beside its heading
    "case.side": ["referrals.panels.consents_of_case"],  # a case, right column
    "step": ["referrals.panels.what_to_do"],  # below a step that a referral left: answer, choose the next agency
}
