"""Rotation of the master key while everything runs: each key of a call or a case, that of the index, and the second factors."""

import logging
import time
from collections.abc import Iterator, Mapping
from typing import Any

from allauth.mfa.models import Authenticator
from cryptography.exceptions import InvalidTag
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction
from django.db.models import Count, QuerySet

from helpline.people.factor_seals import opens, seal_again, sealed_under
from helpline.people.sealed import DataKey, IndexKey, current_master, unwraps

BATCH = 200
PATIENCE = 30.0  # seconds without a step forward after which what others hold is left for the next run
REST = 0.2  # seconds
logger = logging.getLogger(__name__)
Keys = QuerySet[DataKey] | QuerySet[IndexKey]


def kinds() -> tuple[Keys, Keys]:
    """The keys that there are. One that is destroyed needs no master key any more."""
    return DataKey.objects.filter(wrapped__isnull=False), IndexKey.objects.all()


def by_master() -> dict[str, int]:
    """Master key id -> how many keys are wrapped under it; the secrets of second factors are sealed like keys."""
    found: dict[str, int] = {}
    for rows in kinds():
        for master, count in rows.order_by().values_list("master").annotate(Count("pk")):
            found[master] = found.get(master, 0) + count
    for master, factors in sealed_under().items():
        found[master] = found.get(master, 0) + len(factors)
    return found


def left() -> dict[str, int]:
    """The same of all masters but the current one: what still needs an old key."""
    return {master: count for master, count in by_master().items() if master != current_master()}


def rotate(*, batch: int = BATCH, patience: float = PATIENCE) -> Iterator[int]:
    """Wrap what is under an old master key anew, a batch in each transaction. Yields how many a batch was.

    Two at once never hold the same row, a key that is destroyed meanwhile stays destroyed, and a run that is killed loses
    its last batch alone. What cannot be opened is left as it is, and counted by `left`.
    """
    failed: dict[str, set[Any]] = {"DataKey": set(), "IndexKey": set(), "factors": set()}
    last = time.monotonic()
    while True:
        done = sum(_batch(rows, batch, failed[rows.model.__name__]) for rows in kinds())
        done += seal_again(batch, failed["factors"])
        if done:
            last = time.monotonic()
            yield done
        elif sum(left().values()) <= sum(map(len, failed.values())) or time.monotonic() - last > patience:
            return
        else:
            time.sleep(REST)  # another run, or an erasure, holds them


def _batch(rows: Keys, batch: int, failed: set[Any]) -> int:
    with transaction.atomic():
        old = rows.exclude(master=current_master()).exclude(pk__in=failed).order_by("pk")
        done = 0
        for key in old.select_for_update(skip_locked=True, no_key=True)[:batch]:
            try:
                done += key.wrap_anew()
            except (InvalidTag, ImproperlyConfigured) as error:  # one that cannot be opened keeps no other waiting
                logger.error("a key could not be wrapped anew: %s", type(error).__name__)
                failed.add(key.pk)
        return done


def faults(masters: Mapping[str, bytes]) -> list[str]:
    """Why these master keys do not open what is in the database: one that is missing, or another one under its id."""
    found, factors = [], sealed_under()
    for master in sorted(by_master()):
        sample = [key for rows in kinds() if (key := rows.filter(master=master).first())]
        held = factors.get(master, [])
        if master not in masters:
            found.append(f"There are keys under the master key {master}, which is not in HELPLINE_KEYS.")
        elif not all(unwraps(key, masters[master]) for key in sample) or not _opens_any(held, masters):
            found.append(f"The master key {master} in HELPLINE_KEYS does not open the keys that were wrapped under it.")
    return found


def _opens_any(held: list[Authenticator], masters: Mapping[str, bytes]) -> bool:
    """One that was moved into another person's row opens under no key, and says nothing of this one."""
    return not held or any(opens(one, masters) for one in held)
