"""What was forgotten is forgotten again in a database that came out of a backup. Harmless when run twice."""

import datetime as dt
import uuid
from typing import Any

from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db import transaction

from helpline.backup import barred
from helpline.backup.forgotten import List
from helpline.disposals import dispose_again
from helpline.people.models import CalendarAddress, DataKey, Disposal, DisposalItem, Invitation, Unit, User
from intake.actions import erase_numbers, erase_words
from intake.models import SearchMark, ToldPeriod


def again(told: List) -> dict[str, int]:
    """Destroy, remove and switch off what the list says. Returns how much of each was there again. After
    the accounts: nothing is given to one that is switched off."""
    keys = sum(_destroy(row) for row in told["keys"])
    kept = [row for row in told["disposals"] if not _record_again(row)]
    removed = dispose_again(_whose(told, "case"), _whose(told, "call"))
    marks = SearchMark.objects.filter(case__key__wrapped__isnull=True, case__isnull=False).delete()[0]
    marks += SearchMark.objects.filter(call__key__wrapped__isnull=True, call__isnull=False).delete()[0]
    accounts = User.objects.filter(pk__in=[row["id"] for row in told["accounts"]], is_active=True).update(
        is_active=False
    )
    return {
        "keys": keys,
        "removed": removed,
        "marks": marks,
        "accounts": accounts,
        "unrecorded": len(kept),
        **_tell_again(told),
    } | barred.again(told)


def begin_anew() -> dict[str, int]:
    """What a restored database must not go on with: sessions that were alive then, invitations that were open, calendar
    addresses that may have been ended since, and words and numbers whose time has passed. Returns how many."""
    UserSession.objects.all().delete()
    ended = Session.objects.all().delete()[0]
    now = dt.datetime.now(dt.UTC)
    CalendarAddress.objects.all().delete()
    void = Invitation.objects.filter(used_at__isnull=True, until__gt=now).update(until=now)
    return {"sessions": ended, "invitations": void, "words": erase_words(), "numbers": erase_numbers()}


def _destroy(row: dict[str, Any]) -> int:
    """As an erasure does it. Its time is that of the first destruction, where it is known."""
    key = DataKey.objects.filter(pk=row["id"], wrapped__isnull=False).first()
    if key is None:
        return 0
    done = key.destroy()
    if row["at"]:
        DataKey.objects.filter(pk=key.pk).update(destroyed_at=dt.datetime.fromisoformat(row["at"]))
    return int(done)


def _tell_again(told: List) -> dict[str, int]:
    """Freeze what was told after the backup as it was told, before it is counted anew of less. Returns how many; and how many
    stand here otherwise, for a person to look at: a row that is frozen is never changed."""
    made = otherwise = 0
    for row in told.get("told", []):
        facts = {"counts": row["counts"], "told": row["told"], "at": dt.datetime.fromisoformat(row["at"])}
        here, is_new = ToldPeriod.objects.get_or_create(period=row["id"], defaults=facts)
        made += is_new
        otherwise += here.told != row["told"]
    return {"told": made, "told_otherwise": otherwise}


def _whose(told: List, kind: str) -> list[uuid.UUID]:
    found = [item[kind] for row in told["disposals"] for item in row["items"] or []]
    return [uuid.UUID(one) for one in found if one]


def _record_again(row: dict[str, Any]) -> bool:
    """Write the record of a disposal that was carried out after the backup. False where who approved it is not in the backup:
    then its keys are destroyed all the same, and its rows are due, so that they are proposed anew."""
    if not User.objects.filter(pk=row["approved_by"]).exists():
        return False
    proposer = User.objects.filter(pk=row["proposed_by"] or 0).first()
    times = {
        name: dt.datetime.fromisoformat(row[name]) for name in ("proposed_at", "approved_at", "done_at") if row[name]
    }
    facts = {**times, "approved_by_id": row["approved_by"], "proposed_by": proposer, "refused_at": None}
    facts["unit"] = Unit.objects.filter(pk=row["unit"] or 0).first()
    with transaction.atomic():
        disposal = Disposal.objects.filter(proposed_at=times["proposed_at"]).first()  # in the backup it may wait still
        if disposal is None:
            disposal = Disposal.objects.create(**facts)
        Disposal.objects.filter(pk=disposal.pk).update(**facts)
        for item in row["items"]:
            _item_again(disposal, item)
    return True


def _item_again(disposal: Disposal, item: dict[str, Any]) -> None:
    DisposalItem.objects.update_or_create(
        disposal=disposal,
        case=item["case"],
        call=item["call"],
        defaults={
            **{name: item[name] for name in ("number", "rule")},
            "due_on": dt.date.fromisoformat(item["due_on"]),
            "done_at": dt.datetime.fromisoformat(item["done_at"]),
            "left_out_at": None,
            "left_out_why": "",
        },
    )
