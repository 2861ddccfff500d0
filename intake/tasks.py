"""What Celery wakes up on this floor."""

from celery import shared_task

from helpline.people.endings import tell_of_endings
from intake.actions import (
    erase_numbers,
    erase_words,
    find_untouched_steps,
    fire_due_reminders,
    pass_due_steps,
    remind_reviews,
)
from intake.actions.staff import keep_steps_to_named


@shared_task
def remind() -> None:
    """Keep what is protected to who is named, pass on what is due of those who are away, tell of those whose access ends, then
    look for due reminders."""
    keep_steps_to_named()
    pass_due_steps()
    tell_of_endings()
    fire_due_reminders()


@shared_task
def review_openings() -> None:
    """Remind of emergency openings that nobody has reviewed in time."""
    remind_reviews()


@shared_task
def erase() -> None:
    """Erase the words of advice whose term has passed."""
    erase_words()


@shared_task
def forget() -> None:
    """Erase the numbers to call back whose time is up."""
    erase_numbers()


@shared_task
def find_untouched() -> None:
    """Look for steps that nobody has touched for three working days past their time."""
    find_untouched_steps()
