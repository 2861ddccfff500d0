"""Mail whose fate nobody knows, or that could not be delivered: shown, and never sent again by itself."""

from django.db import transaction
from django.utils.translation import gettext as _

from helpline.people.audit import log
from helpline.people.errors import TooLate
from helpline.people.models import Notice, User
from helpline.people.notices import wake

ADRIFT = (Notice.Mail.UNKNOWN, Notice.Mail.FAILED)


def send_again(*, by: User, notice: Notice) -> None:
    """Send a mail once more, under the same Message-ID: where the first did arrive, a mail program shows one. Raises TooLate
    where somebody has done so already, or it need not be sent."""
    with transaction.atomic():
        adrift = Notice.objects.filter(pk=notice.pk, mail__in=ADRIFT)
        if not adrift.update(mail=Notice.Mail.READY, attempts=0, lease_until=None, next_try_at=None):
            raise TooLate(_("Somebody has sent it again already."))
        log("mail.sent_again", by=by, row=notice.pk)
        wake()
