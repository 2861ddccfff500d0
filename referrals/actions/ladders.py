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
