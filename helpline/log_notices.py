"""What the notices of log reviews are called, and where their mail leads."""

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from helpline.people.models import Notice
from intake.labels import Words

NOTICES: Words = {
    "log.review_drawn": _("A log review waits for you"),
    "log.review_late": _("A log review is late"),
    "log.investigate": _("A row of the log is to be investigated"),
}


def way(notice: Notice) -> str:
    """The review itself."""
    return reverse("log:review", args=[int(notice.about)])
