"""What the notices of log reviews are called, and where their mail leads."""

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from helpline.people.access import may
from helpline.people.models import Notice
from intake.labels import Words

NOTICES: Words = {
    "log.review_drawn": _("A log review waits for you"),
    "log.review_late": _("A log review is late"),
    "log.investigate": _("A row of the log is to be investigated"),
}


def way_of_searches(notice: Notice) -> str:
    """The log, for who reads it; a manager finds it on their first page."""
    return reverse("log:list") if notice.user and may(notice.user, "read_log") else reverse("home")


def way(notice: Notice) -> str:
    """The review itself."""
    return reverse("log:review", args=[int(notice.about)])
