"""Notices: a row on a person's first page, and a mail that says that something waits and where to log in.

The row is written in the transaction of what caused it; the mail goes out after commit. Mail cannot be sent exactly once,
so a row is claimed before sending, and one whose sender died is marked `unknown` and not sent again by itself.
"""

import datetime as dt
import logging
import threading
import uuid
from collections.abc import Callable
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
# code -> where its mail leads, as a path; "" and kinds without one: the first page. A path holds uuids and signed tokens
# alone, never a word. Each floor adds its own at start.
LINKS: dict[str, Callable[[Notice], str]] = {}
# (user, case) -> whether this person may know nothing of that case: no notice is written. Each floor adds its own at start.
KEPT_FROM: list[Callable[[User, uuid.UUID], bool]] = []
LEASE = dt.timedelta(minutes=2)
BATCH = 50
WOKEN_WITHIN = 25  # seconds; later the tick has looked
TRIES = 28  # with an hour between the later ones: about a day
logger = logging.getLogger(__name__)
_kicking = threading.Lock()


def notify(
    *,
    user: User | None = None,
    address: str = "",
    kind: str,
    source: str,
    case: uuid.UUID | None = None,
    about: str = "",
    mails: bool = True,
    mail_at: dt.datetime | None = None,
) -> bool:
    """Write one notice for a person or a mailbox; a row alone where it `mails` not. False where `source` has made one
    already, or this person may know nothing of the case: then nothing happens. `mail_at`: the mail waits until then, so
    that nobody is woken for what can wait."""
    if user is not None and case is not None and any(is_kept(user, case) for is_kept in KEPT_FROM):
        return False
    can = mails and bool(address or (user and user.email and user.is_in_use))
    mail = Notice.Mail.READY if can else Notice.Mail.NONE
    now = clock.now()
    notice = Notice(
        user=user, address=address, kind=kind, source=source, case=case, about=about, mail=mail, created_at=now
    )
    notice.next_try_at = mail_at if mail_at and mail_at > now else None
    made = Notice.objects.bulk_create([notice], ignore_conflicts=True)
    wake()
    return bool(made) and Notice.objects.filter(pk=notice.pk).exists()


def wake() -> None:
    """Wake the sender when this is committed; one commit wakes it once."""
    if not any(waiting[1] is _kick for waiting in connection.run_on_commit):
        transaction.on_commit(_kick, robust=True)


def _kick() -> None:
    """Beside the request, so that a broker that is down or hangs never costs a save a moment; and one at a time, so that a
    hung one holds one thread and no more. Where it does not come through, the next tick delivers."""
    if not _kicking.acquire(blocking=False):
        return
    try:
        threading.Thread(target=_publish, name="wake the sender", daemon=True).start()
    except RuntimeError:  # no more threads
        _kicking.release()


def _publish() -> None:
    from helpline.people.tasks import deliver

    try:
        deliver.apply_async(retry=False, expires=WOKEN_WITHIN)
    except Exception as error:  # the broker's own errors are of many kinds, and none may stop a saved page
        logger.warning("broker does not answer: %s; the next tick delivers", type(error).__name__)
    finally:
        _kicking.release()


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
        if notice.user and not notice.user.is_in_use:
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
            body=render_to_string("people/mail.txt", {"url": settings.SITE_URL + _path(notice)}),
            to=[address],
            headers={"Message-ID": f"<{notice.message_id}@helpline>", "Auto-Submitted": "auto-generated"},
        )


def _path(notice: Notice) -> str:
    """Where the mail leads. A kind whose way cannot be told leads to the first page: the mail goes all the same."""
    try:
        return LINKS[notice.kind](notice) if notice.kind in LINKS else ""
    except Exception as error:
        logger.error("a mail has no way of its own: %s", type(error).__name__)
        return ""
