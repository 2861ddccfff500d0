"""No address is stored where the level of protection forbids it: taken out on the one way that all words go to the store."""

import contextlib
import contextvars
import json
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext

from helpline.people.sealed import SealedModel
from intake import hints

NO_ADDRESS = {"secrecy_marking", "protected_registration", "fictitious_identity"}
FICTITIOUS = "fictitious_identity"  # lag (1991:483): nothing may lead from one identity to the other
# (case) -> nothing: what an upper floor does when a case's level rises. It saves anew what can still be changed; each adds
# its own at start.
RAISED: list[Callable[[Any], None]] = []
_taken_out: contextvars.ContextVar[list[str] | None] = contextvars.ContextVar("taken_out", default=None)


@contextlib.contextmanager
def watch() -> Iterator[list[str]]:
    """Within the block, the names of the fields that an address was taken out of."""
    noticed: list[str] = []
    token = _taken_out.set(noticed)
    try:
        yield noticed
    finally:
        _taken_out.reset(token)


def forbids_address(row: SealedModel) -> bool:
    """Whether the call or case that a row belongs to, whatever floor it is of, lets no address be stored."""
    return any(getattr(owner, "protection", "none") in NO_ADDRESS for owner in _owners(row))


def _owners(row: Any) -> Iterator[Any]:
    """The row, then what it hangs under: call, case, referral, each of two linked cases."""
    yield row
    for name in ("call", "case", "referral", "one", "other"):
        if name in row._meta._forward_fields_map and getattr(row, f"{name}_id", None):
            yield from _owners(getattr(row, name))


def as_kept(row: SealedModel, field: str, text: str) -> str:
    """The text as it may be kept: without addresses where the level forbids them, and no personal number of who lives under
    another identity. What is JSON is searched as it is read, where a line break is one, and stays JSON."""
    if field == "personal_number" and any(getattr(owner, "protection", "") == FICTITIOUS for owner in _owners(row)):
        return ""
    if not has_address(text) or not forbids_address(row):
        return text
    noticed = _taken_out.get()
    if noticed is not None:
        noticed.append(field)
    held = _decoded(text)
    return without_addresses(text) if held is None else json.dumps(_within(held), ensure_ascii=False)


def has_address(text: str) -> bool:
    """Whether an address stands in a text as it is kept."""
    held = _decoded(text)
    return bool(hints.addresses_in(text)) if held is None else _within(held) != held


def _decoded(text: str) -> Any:
    """What a text that is JSON holds; None of any other."""
    try:
        return json.loads(text) if text[:1] in tuple('{["') else None
    except ValueError:
        return None


def _within(held: Any) -> Any:
    if isinstance(held, dict):
        return {key: _within(value) for key, value in held.items()}
    if isinstance(held, list):
        return [_within(value) for value in held]
    return without_addresses(held) if isinstance(held, str) else held


def without_addresses(text: str) -> str:
    """The text with each address replaced by a mark that says so."""
    return hints.without(text, hints.addresses_in(text), _mark())


def had_address(text: str) -> bool:
    """Whether an address was taken out of a text, in whatever language the page was then."""
    return any(mark in text for mark in _marks())


def _mark() -> str:
    return gettext("[address taken out]")


@lru_cache
def _marks() -> frozenset[str]:
    found = set()
    for code, _name in settings.LANGUAGES:
        with translation.override(code):
            found.add(_mark())
    return frozenset(found)
