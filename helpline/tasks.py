"""What Celery wakes up on the roof."""

from celery import shared_task

from helpline.disposals import carry_out, remind_managers
from helpline.log_review import draw_reviews, remind_late
from helpline.statistics import settle
from helpline.sums import sum_up


@shared_task
def dispose() -> None:
    """Delete what is approved."""
    carry_out()


@shared_task
def sum_days() -> None:
    """Count anew the days in which something has changed."""
    sum_up()


@shared_task
def freeze_statistics() -> None:
    """Count and freeze what may be told of the quarters and years that have settled."""
    settle()


@shared_task
def remind_of_disposals() -> None:
    """Remind the managers, once a month, of what is due to be deleted."""
    remind_managers()


@shared_task
def review_logs() -> None:
    """Draw the reviews of last month's log, and remind of those that are late."""
    draw_reviews()
    remind_late()
