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
    while True:
        try:
            with transaction.atomic():
                return start(token)
        except IntegrityError:
            opened = Call.objects.filter(start_token=token).first() if token else None
            if opened is None or token is None:
                raise
            if opened.taken_by_id == by.pk and not opened.is_finished:
                return opened
            token = uuid.uuid5(token, str(opened.pk))  # a page that one came back to: this press is another
