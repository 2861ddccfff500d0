"""Words sealed for COPY: the cipher and the binding of people/sealed.py, without a row of the ORM for each word."""

import os
import random

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.db import models

from helpline.bench.rows import NOTHING, binary
from helpline.people import sealed

VERSION, VARIANT = 0x7 << 76, 0x2 << 62
BITS = (1 << 80) - 1 & ~(0xF << 76) & ~(0x3 << 62)


def new_id(seconds: float, dice: random.Random) -> str:
    """A version 7 UUID of that moment, as people/ids.py makes one of now."""
    value = f"{int(seconds * 1000) << 80 | dice.getrandbits(80) & BITS | VERSION | VARIANT:032x}"
    return f"{value[:8]}-{value[8:12]}-{value[12:16]}-{value[16:20]}-{value[20:]}"


class Master:
    """The current master key, for a process that seals very many."""

    def __init__(self) -> None:
        self.name = sealed.current_master()
        self._cipher = AESGCM(sealed.master_keys(tuple(sealed.settings.HELPLINE_KEYS))[self.name])

    def new_key(self, pk: str) -> tuple["Key", str]:
        """A fresh key of a call or a case, and how it is stored: wrapped."""
        secret, nonce = os.urandom(32), os.urandom(sealed.NONCE)
        return Key(secret), binary(nonce + self._cipher.encrypt(nonce, secret, f"key:{pk}".encode()))


class Key:
    """The key of one call or case."""

    def __init__(self, secret: bytes) -> None:
        self._cipher = AESGCM(secret)

    def seal(self, field: "Place", pk: str, text: str) -> str:
        """The text, sealed for this field of this row, as COPY reads it."""
        if not text:
            return NOTHING
        nonce = os.urandom(sealed.NONCE)
        return binary(nonce + self._cipher.encrypt(nonce, text.encode(), field.bound_to(pk)))


class Place:
    """A sealed field: what its words are bound to."""

    def __init__(self, model: type[models.Model], name: str) -> None:
        field = model._meta.get_field(name)
        assert isinstance(field, sealed.SealedTextField)
        self._prefix = f"{model._meta.db_table}.{field.column}:"

    def bound_to(self, pk: str) -> bytes:
        """The associated data of a row."""
        return (self._prefix + pk).encode()
