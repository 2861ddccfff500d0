"""The rungs of one handover's silence: made when we begin to wait, stopped by any answer."""

from django.db.models import Max

from helpline.people import clock
from referrals import deadlines
from referrals.models import Referral, SilenceRung


def begin_ladder(referral: Referral) -> None:
    """A row a rung, from now until its answer is due and beyond."""
    assert referral.answer_due_at is not None  # set by the move
    last = referral.rungs.aggregate(last=Max("round"))["last"] or 0
    times = deadlines.ladder(
        urgency=referral.urgency, agency=referral.agency, sent=clock.now(), due=referral.answer_due_at
    )
    SilenceRung.objects.bulk_create(
        [SilenceRung(referral=referral, round=last + 1, rung=rung, due_at=due) for rung, due in times.items()]
    )


def stop_ladder(referral: Referral) -> None:
    """Somebody answered: nobody is reminded of it any more."""
    waiting = referral.rungs.filter(state=SilenceRung.State.SCHEDULED)
    waiting.update(state=SilenceRung.State.CANCELLED)


def waits_for_ours(rung: SilenceRung) -> bool:
    """Whether the rung of ours before it could not be climbed: then the owner has not been told yet, and nothing follows."""
    if rung.rung not in deadlines.OURS:
        return False
    before = deadlines.OURS[: deadlines.OURS.index(rung.rung)]
    same = SilenceRung.objects.filter(referral=rung.referral_id, round=rung.round, rung__in=before)
    return same.filter(state=SilenceRung.State.SCHEDULED).exists()


def put_off_later(climbed: SilenceRung, referral: Referral) -> None:
    """After an outage one rung of ours is climbed late: those above it are put off, so that there is time to call before
    it is taken back."""
    now = clock.now()
    if climbed.rung not in deadlines.OURS or now - climbed.due_at <= deadlines.ON_TIME:
        return
    above = deadlines.OURS[deadlines.OURS.index(climbed.rung) + 1 :]
    later = referral.rungs.filter(round=climbed.round, rung__in=above, state=SilenceRung.State.SCHEDULED)
    for rung in later:
        at = deadlines.put_off(referral.urgency, climbed.rung, rung.rung, now)
        later.filter(pk=rung.pk, due_at__lt=at).update(due_at=at)
