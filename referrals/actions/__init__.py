"""What happens on this floor: one function an act, `by=` first, one transaction with its rows in log and timeline."""

from referrals.actions.drafts import discard_draft, draft_referral, save_draft
from referrals.actions.moves import (
    accept,
    answer_question,
    ask_question,
    complete,
    contact_made,
    decline,
    expire_silent,
    open_referral,
    send,
    take_back,
)
from referrals.actions.settings import switch_ground

__all__ = [
    "accept",
    "answer_question",
    "ask_question",
    "complete",
    "contact_made",
    "decline",
    "discard_draft",
    "draft_referral",
    "expire_silent",
    "open_referral",
    "save_draft",
    "send",
    "switch_ground",
    "take_back",
]
