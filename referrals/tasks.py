"""What Celery wakes up on this floor."""

from celery import shared_task

from referrals.actions import sweep


@shared_task
def expire() -> None:
    """Look for what nobody answered in time, and for what should have come about by now."""
    sweep()
