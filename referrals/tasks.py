"""What Celery wakes up on this floor."""

from celery import shared_task

from referrals.actions import sweep
from referrals.actions.verifying import ask_to_verify


@shared_task
def expire() -> None:
    """Look for what nobody answered in time, and for what should have come about by now."""
    sweep()


@shared_task
def verify() -> None:
    """Ask the keepers about agencies that nobody has checked for a year."""
    ask_to_verify()
