"""What Celery wakes up on this floor."""

from celery import shared_task

from helpline.people import notices


@shared_task
def deliver() -> None:
    """Send the mail that waits."""
    notices.deliver_mail()
