"""The secrets of second factors at rest: under the master key, and bound to whose they are (associated data), so that one that
is moved into another person's row opens nothing."""

import base64
import logging
import secrets
from collections.abc import Mapping
from typing import Any

from allauth.mfa.models import Authenticator
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.db import transaction
from django.db.models.signals import post_init, pre_save

from helpline.people.sealed import NONCE, current_master, master_keys

LOOSE = b"second factor"  # bound to nobody: between the making of a secret and its row. No row holds one
logger = logging.getLogger(__name__)


class Unreadable(Exception):
    """It does not open: its master key is not configured, it is another person's, or it is no secret at all."""


class Held(str):
    """A sealed secret out of somebody's row. Whose it is the row says, and never the text."""

    bound_to: bytes


def bound_to(row: Authenticator, name: str) -> bytes:
    """What a secret of this row is bound to: the person, and which secret it is."""
    return f"second factor:{row.user_id}:{name}".encode()


def names_in(row: Authenticator) -> set[str]:
    """The names of what is sealed in this row: the key of an app, the seed of recovery codes. A passkey holds no secret."""
    return {"secret", "seed"} & set(row.data)


def masters() -> dict[str, bytes]:
    """Key id -> 32 bytes, the current one first."""
    return master_keys(tuple(settings.HELPLINE_KEYS))


def seal(text: str, bound: bytes = LOOSE) -> str:
    """Under the current master key, with its id before it."""
    nonce = secrets.token_bytes(NONCE)
    sealed = nonce + AESGCM(masters()[current_master()]).encrypt(nonce, text.encode(), bound)
    return f"{current_master()}:{base64.b64encode(sealed).decode()}"


def opened(text: str, keys: Mapping[str, bytes] | None = None) -> str:
    """The secret. Raises Unreadable."""
    key_id, _colon, encoded = str(text).rpartition(":")
    bound = text.bound_to if isinstance(text, Held) else LOOSE
    try:
        key, sealed = AESGCM((masters() if keys is None else keys)[key_id]), base64.b64decode(encoded)
        return key.decrypt(sealed[:NONCE], sealed[NONCE:], bound).decode()
    except (KeyError, ValueError, InvalidTag) as error:
        raise Unreadable(type(error).__name__) from None


def opens(row: Authenticator, keys: Mapping[str, bytes]) -> bool:
    """Whether what is sealed in this row is opened by the master key that it names."""
    try:
        return all(opened(row.data[name], keys) for name in names_in(row))
    except Unreadable:
        return False


# -- in the rows themselves, whatever allauth reads and writes -----------------------------------------------------------


def _hold(row: Authenticator, name: str, text: str) -> None:
    held = Held(text)
    held.bound_to = bound_to(row, name)
    row.data[name] = held


def on_read(sender: Any, instance: Authenticator, **rest: Any) -> None:
    """What comes from the table opens as this person's, or not at all."""
    if instance.pk is None or not {"data", "user_id"} <= set(instance.__dict__):
        return
    for name in names_in(instance):
        _hold(instance, name, instance.data[name])


def on_write(sender: Any, instance: Authenticator, **rest: Any) -> None:
    """A new secret is bound to its owner before it is written. Raises Unreadable where it is another person's."""
    for name in names_in(instance):
        bound, text = bound_to(instance, name), instance.data[name]
        if not isinstance(text, Held) or text.bound_to != bound:
            _hold(instance, name, seal(opened(str(text)), bound))


def listen() -> None:
    """Called at start."""
    post_init.connect(on_read, sender=Authenticator, dispatch_uid="second factor read")
    pre_save.connect(on_write, sender=Authenticator, dispatch_uid="second factor bound")


# -- a new master key ----------------------------------------------------------------------------------------------------


def sealed_under() -> dict[str, list[Authenticator]]:
    """Master key id -> the second factors whose secret is sealed under it."""
    found: dict[str, list[Authenticator]] = {}
    for row in Authenticator.objects.exclude(type=Authenticator.Type.WEBAUTHN).order_by("pk"):
        for name in names_in(row):
            found.setdefault(row.data[name].rpartition(":")[0], []).append(row)
    return found


def seal_again(batch: int | None = None, failed: set[Any] | None = None) -> int:
    """Put secrets under the current master key, when keys are rotated; `batch` of them at most. Returns how many were under
    another. One that cannot be opened is left as it is, keeps no other waiting, and is added to `failed`."""
    current, moved = current_master(), 0
    failed = set() if failed is None else failed
    old = [row.pk for master, rows in sealed_under().items() if master != current for row in rows]
    for pk in [pk for pk in old if pk not in failed][:batch]:
        try:
            moved += _seal_one(pk, current)
        except Unreadable as error:
            logger.error("a second factor could not be sealed anew: %s", error)
            failed.add(pk)
    return moved


def _seal_one(pk: Any, current: str) -> int:
    with transaction.atomic():  # a code that is used at the same moment waits, and stays used
        row, moved = Authenticator.objects.select_for_update().filter(pk=pk).first(), 0
        for name in names_in(row) if row else ():
            if not row.data[name].startswith(f"{current}:"):
                _hold(row, name, seal(opened(row.data[name]), bound_to(row, name)))
                row.save(update_fields=["data"])
                moved += 1
    return moved
