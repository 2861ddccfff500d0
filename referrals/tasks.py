"""What Celery wakes up on this floor."""

from celery import shared_task

from referrals.actions import expire_silent


@shared_task
def expire() -> None:
    """Look for handovers that nobody answered in time."""
    expire_silent()
