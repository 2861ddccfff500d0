"""Whether what is due is done: what /health/ says, and what a manager and the keeper are shown where it is not."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import BooleanField, Exists, F, Func, Min, OuterRef, Q, QuerySet, UUIDField, Value, When
from django.db.models import Case as If
from django.db.models.functions import Cast, Coalesce

from helpline.people import clock
from helpline.people.adrift import ADRIFT
from helpline.people.counts import Count, by_day, first_of
from helpline.people.models import Notice, Role, User, in_use
from intake.models import Case, Reminder
from intake.models.cases import in_locked
from referrals.models import FirstLook, PreAnswer, Referral, SilenceRung

LATE = dt.timedelta(minutes=3)  # six ticks: nobody looks, or one cannot be done


@dataclass(frozen=True)
class Watch:
    """What this person is shown: how many mails did not arrive or may not have, and since when nobody has looked."""

    adrift: int
    since: dt.datetime | None


def oldest_due() -> dt.datetime | None:
    """The time of the oldest reminder, rung or mail that is due; None where all is done."""
    now = clock.now()
    due = [
        queue.filter(state="scheduled", due_at__lte=now).aggregate(at=Min("due_at"))["at"]
        for queue in (Reminder.objects.all(), SilenceRung.objects.all())
    ]
    mails = Notice.objects.filter(mail=Notice.Mail.READY).annotate(at=Coalesce("next_try_at", "created_at"))
    due.append(mails.filter(at__lte=now).aggregate(oldest=Min("at"))["oldest"])
    return min((moment for moment in due if moment is not None), default=None)


def late_since() -> dt.datetime | None:
    """Since when something due is not done; None where it is not late, or done."""
    oldest = oldest_due()
    return oldest if oldest is not None and oldest < clock.now() - LATE else None


def watch_of(user: User) -> Watch:
    """What a manager or the keeper is shown."""
    return Watch(adrift_of(user).count(), late_since())


def asked_of(user: User) -> dict[str, Any]:
    """The same as a part of a statement that asks for more (counts.asked_once)."""
    now = clock.now()
    mails = Notice.objects.filter(mail=Notice.Mail.READY).annotate(due=Coalesce("next_try_at", "created_at"))
    return {
        **_adrift_asked(user),
        **{
            f"late_{name}": first_of(queue.filter(state="scheduled", due_at__lte=now).order_by("due_at"), "due_at")
            for name, queue in (("reminder", Reminder.objects.all()), ("rung", SilenceRung.objects.all()))
        },
        "late_mail": first_of(mails.filter(due__lte=now).order_by("due"), "due"),
    }


@by_day
def _adrift_asked(user: User) -> dict[str, Count]:
    return {"adrift": Count(adrift_of(user))}


def watch_from(found: Mapping[str, Any]) -> Watch:
    """What was found of it."""
    due = [found[f"late_{name}"] for name in ("reminder", "rung", "mail")]
    oldest = min((moment for moment in due if moment is not None), default=None)
    return Watch(found["adrift"], oldest if oldest is not None and oldest < clock.now() - LATE else None)


def mails_of(user: User) -> QuerySet[Notice]:
    """The mail that this person looks after: a manager that of the own unit's people, handovers, links and
    questions, the keeper all."""
    if user.role == Role.KEEPER:
        return Notice.objects.all()
    handovers = Referral.objects.visible_to(user)
    links = FirstLook.objects.filter(referral__in=handovers)
    asked = PreAnswer.objects.filter(question__case__in=Case.objects.visible_to(user))
    theirs = Q(user__unit=user.unit_id, user__unit__isnull=False)
    for rows in (handovers, links, asked):  # each looked for by its own key: none of them is read through
        theirs |= Q(Exists(rows.filter(pk=OuterRef("about_pk"))))
    not_locked = Q(case__isnull=True) | ~Q(case__in=in_locked(user))
    is_key = Func(F("about"), Value("uuid"), function="pg_input_is_valid", output_field=BooleanField())
    about = If(When(is_key, then=Cast("about", UUIDField())), output_field=UUIDField())
    return Notice.objects.alias(about_pk=about).filter(theirs).filter(not_locked)


def adrift_of(user: User) -> QuerySet[Notice]:
    """Of these, what may not have arrived, the newest first; not what its reader has seen on the first page, and not that of
    who is switched off."""
    adrift = mails_of(user).filter(mail__in=ADRIFT, seen_at__isnull=True).filter(Q(user=None) | in_use("user__"))
    return adrift.select_related("user__membership__agency").order_by("-created_at", "-pk")
