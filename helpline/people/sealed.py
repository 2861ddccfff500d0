"""Encryption at rest: a field that is sealed under the key of its call or case, and opened when it is read.

AES-256-GCM (NIST SP 800-38D) with a random nonce. Each call and each case has a data key of its own, wrapped by a master
key; destroying the data key forgets every word of that call or case, in old backups too. The table, the field and the row
are bound to the text (associated data), so a moved text does not open.
"""

import base64
import hmac
import secrets
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import models, transaction

from helpline.people import clock
from helpline.people.ids import uuid7

NONCE = 12  # bytes
# (row, field, text) -> the text as it may be kept; each floor adds its own at start. What must never be stored is taken
# out here, on the one way that all words go.
KEPT: list[Callable[[Any, str, str], str]] = []
# (row, is_new) -> nothing, when a row with words was written; and (key) -> nothing, when all words under a key are forgotten:
# both in the same transaction. What is kept beside the words (the marks of the search index) follows them here.
WRITTEN: list[Callable[[Any, bool], None]] = []
FORGOTTEN: list[Callable[[Any], None]] = []


class Forgotten(Exception):
    """The key of this call or case is destroyed: its words are gone for good, and no new ones can be written under it."""


@lru_cache
def master_keys(configured: tuple[str, ...]) -> dict[str, bytes]:
    """Key id -> 32 bytes, the current one first. Raises ImproperlyConfigured where one is malformed or none is set."""
    keys = {}
    for entry in configured:
        key_id, _, encoded = entry.partition(":")
        key = base64.b64decode(encoded)
        if len(key) != 32 or not key_id:
            raise ImproperlyConfigured("HELPLINE_KEYS: each entry is id:base64 of 32 bytes")
        if key_id in keys:
            raise ImproperlyConfigured(f"HELPLINE_KEYS: {key_id} stands there twice")
        keys[key_id] = key
    if not keys:
        raise ImproperlyConfigured("HELPLINE_KEYS is not set: nothing can be written or read")
    return keys


def _masters() -> dict[str, bytes]:
    return master_keys(tuple(settings.HELPLINE_KEYS))


def _master(key_id: str) -> bytes:
    if key_id not in _masters():
        raise ImproperlyConfigured(f"the master key {key_id} is not in HELPLINE_KEYS")
    return _masters()[key_id]


def current_master() -> str:
    """The id of the master key that new keys are wrapped under."""
    return next(iter(_masters()))


def signature(text: bytes, master: str) -> str:
    """HMAC-SHA256 of a text under a key that is drawn from this master key, as hexadecimal digits: whoever does not have the
    master key can neither make nor mend a backup's list of contents."""
    drawn = hmac.new(_master(master), b"helpline signature", "sha256").digest()
    return hmac.new(drawn, text, "sha256").hexdigest()


def _encrypt(key: bytes, text: bytes, bound_to: str) -> bytes:
    nonce = secrets.token_bytes(NONCE)
    return nonce + AESGCM(key).encrypt(nonce, text, bound_to.encode())


def _decrypt(key: bytes, sealed: bytes, bound_to: str) -> bytes:
    return AESGCM(key).decrypt(sealed[:NONCE], sealed[NONCE:], bound_to.encode())


class DataKey(models.Model):
    """The key of one call or one case, wrapped by a master key."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    master = models.CharField(max_length=32)
    wrapped = models.BinaryField(null=True)  # null: destroyed, so forgotten
    destroyed_at = models.DateTimeField(null=True)

    class Meta:
        app_label = "people"
        constraints = [
            models.CheckConstraint(
                name="destroyed_key_is_gone",
                condition=models.Q(destroyed_at__isnull=True) | models.Q(wrapped__isnull=True),
            )
        ]

    class Privacy:
        plain = {"id", "master", "wrapped", "destroyed_at"}

    @classmethod
    def new(cls) -> "DataKey":
        """A fresh key, saved."""
        made = cls(master=current_master())
        made.wrapped = _encrypt(_master(made.master), secrets.token_bytes(32), f"key:{made.pk}")
        made.save(force_insert=True)
        return made

    @property
    def is_destroyed(self) -> bool:
        return self.wrapped is None

    def destroy(self) -> bool:
        """Destroy the key: every word under it is gone for good. False where it was destroyed before."""
        with transaction.atomic(savepoint=False):
            alive = DataKey.objects.filter(pk=self.pk, wrapped__isnull=False)
            destroyed = alive.update(wrapped=None, destroyed_at=clock.now())
            for follow in FORGOTTEN:
                follow(self)
        self.wrapped = None
        self.__dict__.pop("_secret", None)
        return bool(destroyed)

    def wrap_anew(self) -> bool:
        """Wrap the key under the current master key. False where somebody was first, or it is destroyed and stays so."""
        if self.wrapped is None:
            return False
        alive = DataKey.objects.filter(pk=self.pk, master=self.master, wrapped__isnull=False)
        fresh = _encrypt(_master(current_master()), self.secret, f"key:{self.pk}")
        return bool(alive.update(master=current_master(), wrapped=fresh))

    @property
    def secret(self) -> bytes:
        """The 32 bytes. Raises Forgotten when destroyed."""
        if "_secret" not in self.__dict__:
            if self.wrapped is None:
                raise Forgotten
            self._secret = _decrypt(_master(self.master), bytes(self.wrapped), f"key:{self.pk}")
        return self._secret


class IndexKey(models.Model):
    """The key of the search index, wrapped by a master key: a name is looked up by its keyed hash (HMAC-SHA256), so that
    the index alone tells nothing. There is one, made when it is first needed."""

    ONE = 1

    id = models.SmallIntegerField(primary_key=True, default=ONE)
    master = models.CharField(max_length=32)
    wrapped = models.BinaryField()

    class Meta:
        app_label = "people"
        constraints = [models.CheckConstraint(name="one_index_key", condition=models.Q(id=1))]

    class Privacy:
        plain = {"id", "master", "wrapped"}

    @classmethod
    def current(cls) -> "IndexKey":
        """The one that there is; made where there is none yet. Two at once make one."""
        found = cls.objects.filter(pk=cls.ONE).first()
        if found is None:
            made = cls(master=current_master())
            made.wrapped = _encrypt(_master(made.master), secrets.token_bytes(32), "index")
            IndexKey.objects.bulk_create([made], ignore_conflicts=True)
            found = cls.objects.get(pk=cls.ONE)
        return found

    def wrap_anew(self) -> bool:
        """Wrap the key under the current master key. False where somebody was first."""
        found = IndexKey.objects.filter(pk=self.pk, master=self.master)
        fresh = _encrypt(_master(current_master()), self.secret, "index")
        return bool(found.update(master=current_master(), wrapped=fresh))

    @property
    def secret(self) -> bytes:
        """The 32 bytes."""
        return _decrypt(_master(self.master), bytes(self.wrapped), "index")

    def mark(self, kind: str, text: str) -> str:
        """The keyed hash of a text of this kind, as 64 hexadecimal digits."""
        return hmac.new(self.secret, f"{kind}:{text}".encode(), "sha256").hexdigest()


def unwraps(key: DataKey | IndexKey, master: bytes) -> bool:
    """Whether this master key opens this key."""
    try:
        _decrypt(master, bytes(key.wrapped or b""), f"key:{key.pk}" if isinstance(key, DataKey) else "index")
    except InvalidTag:
        return False
    return True


class _Opener:
    """Reads and sets a sealed field of one row: what comes from the database is opened at the first look."""

    def __init__(self, field: "SealedTextField") -> None:
        self.field = field

    def __get__(self, row: "SealedModel | None", owner: type | None = None) -> Any:
        if row is None:
            return self
        if self.field.attname not in row.__dict__:
            row.refresh_from_db(fields=[self.field.attname])  # deferred by .only()
        value = row.__dict__[self.field.attname]
        if isinstance(value, memoryview | bytes):
            value = self.field.open(row, bytes(value))
            row.__dict__[self.field.attname] = value
        return value

    def __set__(self, row: "SealedModel", value: Any) -> None:
        row.__dict__[self.field.attname] = value


class SealedTextField(models.BinaryField):
    """Text that stands encrypted in the database. The model must be a SealedModel. Empty text is stored as such."""

    description = "Text sealed under the key of its call or case"
    # For the type checker: what is set and read is text, whatever the column holds.
    _pyi_private_set_type: str
    _pyi_private_get_type: str  # type: ignore[assignment]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("default", b"")
        kwargs.setdefault("blank", True)
        kwargs["editable"] = True
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        kwargs.pop("editable", None)
        return name, path, args, kwargs

    def contribute_to_class(self, cls: Any, name: str, private_only: bool = False) -> None:
        super().contribute_to_class(cls, name, private_only)
        setattr(cls, self.attname, _Opener(self))

    def get_default(self) -> Any:
        return ""

    def _bound_to(self, row: "SealedModel") -> str:
        return f"{row._meta.db_table}.{self.column}:{row.pk}"

    def open(self, row: "SealedModel", sealed: bytes) -> str:
        """The text of a sealed value of this row; nothing where its key is destroyed."""
        if not sealed or row.seal_key().is_destroyed:
            return ""
        return _decrypt(row.seal_key().secret, sealed, self._bound_to(row)).decode()

    def pre_save(self, model_instance: Any, add: bool) -> bytes:
        """Seal the text. Raises Forgotten where the key is destroyed."""
        text = getattr(model_instance, self.attname)
        if not text:
            return b""
        for kept in KEPT:
            text = kept(model_instance, self.attname, text)
        setattr(model_instance, self.attname, text)  # the row says what is stored
        if not text:
            return b""
        return _encrypt(model_instance.seal_key().secret, text.encode(), self._bound_to(model_instance))

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        if isinstance(value, str) and value:
            raise TypeError("a sealed field is written by saving its row, never by update() or a filter")
        return super().get_db_prep_value(value or b"", connection, prepared)

    def value_to_string(self, obj: Any) -> str:
        raise TypeError("a sealed field is not serialised")


class SealedModel(models.Model):
    """A row with sealed fields. Its identity is known before it is written, since the text is bound to it."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Write the row, and what follows its words."""
        is_new = self._state.adding
        with transaction.atomic(savepoint=False):
            super().save(*args, **kwargs)
            for follow in WRITTEN:
                follow(self, is_new)

    def seal_key(self) -> DataKey:
        """The key of the call or case that this row belongs to."""
        raise TypeError(f"{type(self).__name__} must say whose key seals it")


def write_new(rows: Sequence[SealedModel]) -> None:
    """Write new rows of one kind by one statement, in their order, and what follows their words."""
    if not rows:
        return
    with transaction.atomic(savepoint=False):
        type(rows[0])._base_manager.bulk_create(rows)
        for row in rows:
            for follow in WRITTEN:
                follow(row, True)
