"""One press opens one call: pressed twice, or sent again after a lost answer, it leads to the same."""

import uuid
from collections.abc import Callable

from django.db import IntegrityError, transaction

from helpline.people.models import User
from intake.models import Call

Token = uuid.UUID | None


def open_once(by: User, token: Token, start: Callable[[Token], Call]) -> Call:
    """The unfinished call that this page has opened, or a new one. `token` is that of the page; without it each press is
    one of its own."""
    opened, token = _opened_from(by, token)
    if opened is not None:
        return opened
    try:
        with transaction.atomic():
            return start(token)
    except IntegrityError:
        opened, token = _opened_from(by, token)  # the same press came twice at once, and the other was first
        if opened is None:
            raise
        return opened


def _opened_from(by: User, token: Token) -> tuple[Call | None, Token]:
    """The unfinished call that this page has opened, and the token of the next one that it opens."""
    while token and (call := Call.objects.filter(start_token=token).first()):
        if call.taken_by_id == by.pk and not call.is_finished:
            return call, token
        token = uuid.uuid5(token, str(call.pk))  # a page that one came back to: this press is another
    return None, token
