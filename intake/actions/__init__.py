"""What happens on this floor: one function an act, `by=` first, one transaction with its rows in log and timeline."""

from intake.actions.calls import complete_call, save_call, start_call, void_call
from intake.actions.cases import close_case, open_case, open_with_reason, reassign_case
from intake.actions.children import register_concern
from intake.actions.notes import add_note, log_contact
from intake.actions.reminders import fire_due_reminders
from intake.actions.steps import end_kept_step, finish_step, move_step, plan_step

__all__ = [
    "add_note",
    "close_case",
    "complete_call",
    "end_kept_step",
    "finish_step",
    "fire_due_reminders",
    "log_contact",
    "move_step",
    "open_case",
    "open_with_reason",
    "plan_step",
    "reassign_case",
    "register_concern",
    "save_call",
    "start_call",
    "void_call",
]
