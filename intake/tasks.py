"""What Celery wakes up on this floor."""

from celery import shared_task

from intake.actions import fire_due_reminders


@shared_task
def remind() -> None:
    """Look for due reminders."""
    fire_due_reminders()
