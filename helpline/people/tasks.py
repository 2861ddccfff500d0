"""What Celery wakes up on this floor."""

from celery import shared_task

from helpline.people import chain, notices


@shared_task
def deliver() -> None:
    """Send the mail that waits."""
    notices.deliver_mail()


@shared_task
def publish_head() -> None:
    """Publish the day's head of the log outside."""
    chain.publish_head()
