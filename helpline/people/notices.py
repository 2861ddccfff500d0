"""Notices: a row on a person's first page, and a mail that says that something waits and where to log in.

The row is written in the transaction of what caused it; the mail goes out after commit. Mail cannot be sent exactly once,
so a row is claimed before sending, and one whose sender died is marked `unknown` and not sent again by itself.
"""

import datetime as dt
import logging
import uuid
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import connection, transaction
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext

from helpline.people import clock
from helpline.people.models import Notice, User

KINDS: dict[str, Any] = {}  # code -> a translated text; each floor adds its own at start
LEASE = dt.timedelta(minutes=2)
BATCH = 50
TRIES = 28  # with an hour between the later ones: about a day
logger = logging.getLogger(__name__)


def notify(
    *,
    user: User | None = None,
    address: str = "",
    kind: str,
    source: str,
    case: uuid.UUID | None = None,
    about: str = "",
) -> bool:
    """Write one notice for a person or a mailbox. False where `source` has made one already: then nothing happens."""
    mail = Notice.Mail.READY if address or (user and user.email and user.is_active) else Notice.Mail.NONE
    notice = Notice(
        user=user, address=address, kind=kind, source=source, case=case, about=about, mail=mail, created_at=clock.now()
    )
    made = Notice.objects.bulk_create([notice], ignore_conflicts=True)
    if not any(waiting[1] is _kick for waiting in connection.run_on_commit):  # one commit wakes the sender once
        transaction.on_commit(_kick, robust=True)
    return bool(made) and Notice.objects.filter(pk=notice.pk).exists()


def _kick() -> None:
    """Wake the sender now; where the broker is down the next tick does it. Never costs a web request its answer."""
    from helpline.people.tasks import deliver

    try:
        deliver.apply_async(retry=False)
    except Exception as error:  # the broker's own errors are of many kinds, and none may stop a saved page
        logger.warning("broker does not answer: %s; the next tick delivers", type(error).__name__)


def deliver_mail() -> int:
    """Send what is ready. Returns how many were sent. Harmless when run twice or at once."""
    _give_up_expired_leases()
    sent = 0
    for _round in range(BATCH):
        notice = _claim()
        if notice is None:
            break
        sent += _send(notice)
    return sent


def _claim() -> Notice | None:
    """Take the next row that is ready, so that nobody else sends it. One at a time: a slow server holds up no other."""
    with transaction.atomic():
        ready = Notice.objects.filter(mail=Notice.Mail.READY).exclude(next_try_at__gt=clock.now())
        notice = (
            ready.select_related("user")
            .select_for_update(skip_locked=True, of=("self",))
            .order_by("created_at")
            .first()
        )
        if notice is not None:
            notice.attempts += 1
            notice.mail = Notice.Mail.SENDING
            notice.lease_until = clock.now() + LEASE
            notice.save(update_fields=["attempts", "mail", "lease_until"])
    return notice


def _send(notice: Notice) -> bool:
    """Send one claimed row, and write what became of it. A server that is down is tried again for about a day."""
    state, later = Notice.Mail.SENT, None
    try:
        if notice.user and not notice.user.is_active:
            state = Notice.Mail.NONE
        else:
            _message(notice).send()
    except OSError as error:  # SMTP and socket errors: it may go better later
        logger.warning("mail was not sent: %s", type(error).__name__)
        state = Notice.Mail.FAILED if notice.attempts >= TRIES else Notice.Mail.READY
        later = clock.now() + dt.timedelta(minutes=min(2**notice.attempts, 60))
    except Exception as error:  # a message that cannot be sent at all keeps no other waiting
        logger.error("mail cannot be sent: %s", type(error).__name__)
        state = Notice.Mail.FAILED
    claimed = Notice.objects.filter(pk=notice.pk, mail=Notice.Mail.SENDING)
    claimed.update(mail=state, lease_until=None, next_try_at=later)
    return state == Notice.Mail.SENT


def _give_up_expired_leases() -> None:
    expired = Notice.objects.filter(mail=Notice.Mail.SENDING, lease_until__lt=clock.now())
    expired.update(mail=Notice.Mail.UNKNOWN, lease_until=None)


def _message(notice: Notice) -> EmailMessage:
    """Not one word about whom or what; the sender and the subject are neutral too."""
    language = notice.user.language if notice.user else settings.LANGUAGE_CODE
    address = notice.address or (notice.user.email if notice.user else "")
    with translation.override(language):
        return EmailMessage(
            subject=gettext("Something waits for you"),
            body=render_to_string("people/mail.txt", {"url": settings.SITE_URL}),
            to=[address],
            headers={"Message-ID": f"<{notice.message_id}@helpline>", "Auto-Submitted": "auto-generated"},
        )
