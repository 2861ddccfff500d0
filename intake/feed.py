"""What a calendar program learns of a worker's steps: when there is one, and not a word of what, whose or where."""

import datetime as dt

from django.conf import settings
from django.urls import reverse
from django.utils import translation
from django.utils.crypto import salted_hmac
from django.utils.translation import ngettext

from helpline.people import clock
from helpline.people.icalendar import Event, calendar_text
from helpline.people.models import User
from intake.models import FollowUp

AHEAD = dt.timedelta(weeks=8)
LASTS = dt.timedelta(minutes=30)  # each event alike: how long something takes would tell what it is
MOST = 500  # events


def feed_of(user: User) -> bytes:
    """The calendar of this person: what is planned and not done, a week back and eight ahead. Practice is none of it. No
    sealed word is opened for it, and nothing is read of a step but when it is due."""
    now = clock.now()
    steps = FollowUp.objects.visible_to(user).planned().filter(owner=user, case__is_practice=False)
    steps = steps.filter(due_at__range=(now - dt.timedelta(weeks=1), now + AHEAD)).in_order()
    with translation.override(user.language):
        said = ngettext("%(line)s: %(count)s step", "%(line)s: %(count)s steps", 1)
        summary = said % {"line": settings.LINE_NAME, "count": 1}
    events = [
        Event(uid=_uid(user, pk), begin=due_at, end=due_at + LASTS, summary=summary)
        for pk, due_at in steps.values_list("pk", "due_at")[:MOST]
    ]
    url = str(settings.SITE_URL).rstrip("/") + reverse("intake:my-day")
    return calendar_text(events, name=str(settings.LINE_NAME), url=url, at=now)


def _uid(user: User, step: object) -> str:
    """The same for the same step as long as it is planned; without our secret it leads to no row."""
    return salted_hmac("helpline calendar", f"{user.pk}:{step}", algorithm="sha256").hexdigest()[:40]
