"""Who may not come in, or not to a case: applied anew in a database that came out of a backup. Harmless when run twice."""

import datetime as dt
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, transaction

from helpline.backup.forgotten import List
from helpline.people import clock
from helpline.people.audit import log
from helpline.people.models import LogEntry, User
from intake.models import Case, FollowUp, LockedOut


def again(told: List) -> dict[str, int]:
    """Last days of accounts, log-ins that were reset and lock-outs, as the list has them: never more is let in than before.
    Returns how many of each; `not_locked` are those that the database refused, for a person to look at."""
    locks = [_lock(row) for row in told.get("locks", []) if _is_missing(row)]
    return {
        "last_days": sum(_last_day(row) for row in told.get("last_days", [])),
        "resets": sum(_reset(row) for row in told.get("resets", [])),
        "locks": sum(locks),
        "not_locked": len(locks) - sum(locks),
    }


def _last_day(row: dict[str, Any]) -> int:
    until = dt.date.fromisoformat(row["until"])
    return User.objects.filter(pk=row["id"]).exclude(access_until=until).update(access_until=until)


def _reset(row: dict[str, Any]) -> bool:
    """Take every way in that was taken away after the backup: they begin again by an invitation."""
    user = User.objects.filter(pk=row["id"]).first()
    is_known = LogEntry.objects.filter(event="second_factor.reset", row=str(row["id"]), at__gte=row["at"]).exists()
    if user is None or is_known:
        return False
    with transaction.atomic():
        User.objects.filter(pk=user.pk).update(password=make_password(None))
        factors, _rows = Authenticator.objects.filter(user=user).delete()
        SocialAccount.objects.filter(user=user).delete()
        log("second_factor.reset", by=None, row=user.pk, many=factors)
    return True


def _is_missing(row: dict[str, Any]) -> bool:
    """Whether case and colleague are there, and the colleague is not locked out as long as the list says."""
    if not Case.objects.filter(pk=row["case"]).exists() or not User.objects.filter(pk=row["user"]).exists():
        return False
    until = row["until"] and dt.date.fromisoformat(row["until"])
    return not LockedOut.objects.filter(case=row["case"], user=row["user"], ended_at=None, until=until).exists()


def _lock(row: dict[str, Any]) -> bool:
    """Lock out, and give what was in these hands then to whom it was given since. The reason is gone with the rows of that
    time. False where the database refuses."""
    by = User.objects.filter(pk=row["by"]).first() or User(pk=row["user"])
    try:
        with transaction.atomic():
            case = Case.objects.select_for_update(of=("self",)).select_related("key").get(pk=row["case"])
            to = _taker(case, row)
            Case.objects.filter(pk=case.pk, owner=row["user"]).update(owner=to)
            FollowUp.objects.planned().filter(case=case, owner=row["user"]).update(owner=to)
            held = LockedOut.objects.filter(case=case, user=row["user"], ended_at=None)
            held.update(ended_at=clock.now(), ended_by=by)
            facts = {"at": row["at"], "until": row["until"]}
            made = LockedOut.objects.create(case=case, user_id=row["user"], by=by, reason="", **facts)
            codes = {"of": row["user"], "until": row["until"] or "", "to": to}
            log("staff.locked_out", by=None, case=case.pk, row=made.pk, **codes)
    except IntegrityError:
        return False
    return True


def _taker(case: Case, row: dict[str, Any]) -> int | None:
    """Who has the case: its owner since, its owner here, or the manager who locked out; never who is locked out."""
    there = set(User.objects.filter(pk__in=[row["owner"], row["by"]], is_active=True).values_list("pk", flat=True))
    asked = [row["owner"] if row["owner"] in there else None, case.owner_id, row["by"] if row["by"] in there else None]
    return next((one for one in asked if one and one != row["user"]), None)
