"""What an upper floor shows on a page of a lower one: slot -> functions (request, object) -> (template, context)."""

PANELS: dict[str, list[str]] = {
    "call.help": ["referrals.panels.who_can_help"],  # right column of a call
    "case.main": [
        "referrals.panels.referrals_of_case",
        "referrals.panels.asked_first_of_case",
    ],  # a case, under its next step
    "case.actions": ["referrals.panels.actions_of_case"],  # a case, beside its heading
    "case.side": [
        "referrals.panels.consents_of_case",
        "helpline.retention_panels.retention_of_case",
    ],  # a case, right column
    "case.close": ["helpline.retention_panels.retention_on_close"],  # where a case is closed, above the form
    "call.done": ["helpline.extract.panels.extract_of_call"],  # a finished call without a case, beside what was said
    "call.found": ["helpline.extract.panels.extract_of_found"],  # such a call in what a search tells
    "person": ["helpline.extract.panels.extract_of_person"],  # somebody on the page of a case's people
    "step": ["referrals.panels.what_to_do"],  # below a step that a referral left: answer, choose the next agency
}
