"""What happens on this floor: one function an act, `by=` first, one transaction with its rows in log and timeline."""

from referrals.actions.asking import caller_says
from referrals.actions.consents import withdraw_consent
from referrals.actions.drafts import discard_draft, draft_referral, save_draft
from referrals.actions.moves import (
    accept,
    answer_question,
    ask_question,
    book,
    bring_back,
    complete,
    confirm_withdrawal,
    contact_made,
    contact_missed,
    decline,
    fail,
    open_referral,
    put_on_hold,
    resume,
    return_referral,
    send,
    tick_spoke,
    withdraw,
)
from referrals.actions.settings import switch_ground
from referrals.actions.signposts import tell_where
from referrals.actions.silence import sweep

__all__ = [
    "accept",
    "answer_question",
    "ask_question",
    "book",
    "bring_back",
    "caller_says",
    "complete",
    "confirm_withdrawal",
    "contact_made",
    "contact_missed",
    "decline",
    "discard_draft",
    "draft_referral",
    "fail",
    "open_referral",
    "put_on_hold",
    "resume",
    "return_referral",
    "save_draft",
    "send",
    "sweep",
    "switch_ground",
    "tell_where",
    "tick_spoke",
    "withdraw",
    "withdraw_consent",
]
