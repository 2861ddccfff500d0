"""What happens on this floor: one function an act, `by=` first, one transaction with its rows in log and timeline."""

from intake.actions.acute import write_measures
from intake.actions.board import decide
from intake.actions.bounces import find_untouched_steps, record_bounce
from intake.actions.calls import complete_call, save_call, start_call, void_call
from intake.actions.cases import close_case, open_case, open_with_reason, reassign_case
from intake.actions.child_clocks import extend_clock
from intake.actions.child_decisions import assess_protection, decide_inquiry, finish_inquiry, give_feedback
from intake.actions.children import ask_feedback, register_concern
from intake.actions.claims import claim_case, unclaim_case
from intake.actions.contact import erase_numbers, log_contact, prepare_contact, set_number, show_numbers
from intake.actions.continuity import reopen_case, set_passphrase
from intake.actions.deputies import pass_due_steps
from intake.actions.emergency import open_in_emergency, remind_reviews, review_opening
from intake.actions.erasure import erase_words
from intake.actions.links import link_cases, unlink_cases
from intake.actions.notes import add_note, amend_call, amend_note
from intake.actions.people import add_person, change_person, remove_person
from intake.actions.reminders import fire_due_reminders
from intake.actions.safe import change_safe_contact
from intake.actions.search import search
from intake.actions.shifts import give_shift, take_shift, withdraw_shift
from intake.actions.staff import end_lock, end_naming, lock_out, name_staff
from intake.actions.steps import (
    end_kept_step,
    end_steps_about,
    finish_step,
    move_step,
    plan_for_owner,
    plan_once,
    plan_step,
)
from intake.actions.tracks import change_protection, change_track, decide_actualisation

__all__ = [
    "remove_person",
    "change_person",
    "add_person",
    "unlink_cases",
    "link_cases",
    "set_passphrase",
    "record_bounce",
    "reopen_case",
    "show_numbers",
    "set_number",
    "prepare_contact",
    "erase_numbers",
    "unclaim_case",
    "claim_case",
    "add_note",
    "amend_call",
    "amend_note",
    "ask_feedback",
    "assess_protection",
    "change_safe_contact",
    "change_protection",
    "change_track",
    "close_case",
    "complete_call",
    "decide",
    "decide_actualisation",
    "decide_inquiry",
    "end_kept_step",
    "end_lock",
    "end_naming",
    "end_steps_about",
    "erase_words",
    "extend_clock",
    "find_untouched_steps",
    "finish_inquiry",
    "finish_step",
    "fire_due_reminders",
    "give_feedback",
    "give_shift",
    "lock_out",
    "log_contact",
    "move_step",
    "name_staff",
    "open_in_emergency",
    "open_case",
    "open_with_reason",
    "pass_due_steps",
    "plan_for_owner",
    "plan_once",
    "plan_step",
    "reassign_case",
    "register_concern",
    "remind_reviews",
    "review_opening",
    "save_call",
    "search",
    "start_call",
    "take_shift",
    "void_call",
    "withdraw_shift",
    "write_measures",
]
