"""A first look by a link, for an agency without accounts: one handover, once, with a code that is told in another way."""

import datetime as dt
import re
import secrets
from typing import Any

from django.contrib.auth.hashers import check_password, make_password
from django.core import signing
from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from helpline.people import clock
from helpline.people.audit import log
from helpline.people.errors import Refused, TooLate
from helpline.people.models import User
from helpline.people.notices import notify
from helpline.people.templatetags.people import say_time
from helpline.people.wall import as_granted, stand_also
from intake.actions.timeline import record
from referrals import deadlines
from referrals.actions.disclosures import record_disclosure
from referrals.actions.go import already, end_steps_of, hold, leave, ours, tell_one
from referrals.actions.moves import accept, open_referral
from referrals.labels import CARD
from referrals.models import Disclosure, FirstLook, Referral
from referrals.states import UNANSWERED

LOOKED_AT = {*UNANSWERED, "question"}
DIGITS = 8
AT_LEAST, AT_MOST = dt.timedelta(hours=2), dt.timedelta(hours=24)


class NoLook(Exception):
    """The link leads to nothing: forged, used, run out, closed, or the handover is answered. Why is told to nobody."""


# -- made --------------------------------------------------------------------------------------------------------------


def make_look(*, by: User, referral: Referral, after: str | None = None) -> tuple[FirstLook, str]:
    """Make a link and its code; the link goes to the agency's mailbox, the code is given back and kept nowhere. The links of
    before die. `after`: the link that was the newest when the button was shown, so that pressing twice makes one.

    It works until the answer is due, for two hours at least and a day at most. Raises Refused or TooLate.
    """
    with transaction.atomic():
        held = hold(referral)
        _refuse(held, after)
        held.looks.filter(used_at=None, expires_at__gt=clock.now()).update(expires_at=clock.now())
        code = "".join(secrets.choice("0123456789") for _place in range(DIGITS))
        look = FirstLook.objects.create(
            referral=held,
            nonce=secrets.token_hex(16),
            code=make_password(code),
            made_by=by,
            made_at=clock.now(),
            expires_at=works_until(held),
        )
        names: dict[str, Any] = {"agency": held.agency.name, "agency_id": held.agency_id, "look": str(look.pk)}
        record("referral.look_made", by=by, case=held.case, row=held.pk, **names)
        notify(address=held.agency.mailbox, kind="look.made", source=f"look:{look.pk}", about=str(look.pk))
        end_steps_of(held, by=by)
        return look, code


def _refuse(held: Referral, after: str | None) -> None:
    last = newest(held)
    if after is not None and last and str(last.pk) != after:
        raise TooLate(
            _(
                "A link was made at %(time)s already, and its code was shown then. Make a new one if the code was not told."
            )
            % {"time": say_time(last.made_at)}
        )
    if not may_be_looked_at(held):
        raise TooLate(already(held))
    if held.case.is_protected:
        text = _("The data are protected: no link is sent by mail. Call %(agency)s instead.")
        raise Refused(text % {"agency": held.agency})
    if not held.agency.mailbox:
        raise Refused(_("%(agency)s has no mailbox that a link can be sent to.") % {"agency": held.agency})


def works_until(referral: Referral) -> dt.datetime:
    """How long a link that is made now takes its code."""
    due = referral.answer_due_at or clock.now()
    return min(max(due, clock.now() + AT_LEAST), clock.now() + AT_MOST)


def newest(referral: Referral) -> FirstLook | None:
    """The last one that was made for a handover: the only one that can work."""
    return as_granted(referral.looks.order_by("-made_at", "-pk")).first()


def may_be_looked_at(referral: Referral) -> bool:
    """Whether an agency that has no account may see it now: as long as it has not answered."""
    in_time = referral.access_until is None or referral.access_until >= clock.today()
    return referral.state in LOOKED_AT and referral.case.is_open and referral.agency.is_active and in_time


# -- the link ----------------------------------------------------------------------------------------------------------


def _signer() -> signing.Signer:
    return signing.Signer(salt="referrals.look", sep=".")


def token_of(look: FirstLook) -> str:
    """What stands in the link: which look it is, signed. It is stored nowhere."""
    return _signer().sign(f"{look.pk.hex}-{look.nonce}")


def look_behind(token: str) -> FirstLook | None:
    """The look that a link leads to, whatever has become of it; none where the link is not ours."""
    try:
        pk, nonce = _signer().unsign(token).split("-")
    except (signing.BadSignature, ValueError):
        return None
    stand_also(look=pk)
    looks = FirstLook.objects.filter(pk=pk, nonce=nonce)
    return as_granted(looks, "referral", "referral__case", "referral__agency").first()


def takes_code(look: FirstLook) -> bool:
    """Whether its link asks for a code now."""
    return look.waits and may_be_looked_at(look.referral) and newest(look.referral) == look


# -- opened ------------------------------------------------------------------------------------------------------------


def open_look(*, look: FirstLook, code: str) -> FirstLook:
    """Use a link up with its code: its browser sees the card. Each try is counted before the code is looked at, so that
    many at once are no more than five. Raises Refused for a wrong code, NoLook where there is nothing to open."""
    with transaction.atomic():
        tries_left = _try(look, code)
    if tries_left:
        raise Refused(
            _("That is not the code. Hear with the one who called you. Tries left: %(count)s.") % {"count": tries_left}
        )
    look.refresh_from_db()
    if look.used_at is None or tries_left is None:
        raise NoLook
    return look


def accept_by_link(*, by: None = None, referral: Referral, **words: Any) -> Referral:
    """An agency without accounts takes it on. It sees nothing more by the link: that we give it what it needs for the first
    contact, by phone or on paper, is a step of ours, due soon. Raises as accept() does."""
    with transaction.atomic():
        moved = accept(by=by, referral=referral, **words)
        due = deadlines.back_soon(moved, clock.now())
        leave(moved, by=None, kind="give_contact", due=due, of=moved.case.owner)
        return moved


def _try(look: FirstLook, code: str) -> int | None:
    """0 where it is opened, the tries that are left after a wrong code, None where there is nothing to open (any more)."""
    held = hold(look.referral)
    open_ones = FirstLook.objects.filter(
        pk=look.pk, used_at=None, wrong__lt=FirstLook.TRIES, expires_at__gt=clock.now()
    )
    if not may_be_looked_at(held) or newest(held) != look or not open_ones.update(wrong=F("wrong") + 1):
        _log("look.refused", look, why="gone")
        return None
    look.refresh_from_db(fields=["wrong", "code"])
    if not check_password(re.sub(r"[^0-9]", "", code), look.code):
        return _wrong(look, held)
    if not FirstLook.objects.filter(pk=look.pk, used_at=None).update(used_at=clock.now(), wrong=F("wrong") - 1):
        return None
    open_referral(by=None, referral=held, way="link")
    parts = [part for part in held.shared if part in CARD]  # who it is about is not on the card that is not accepted
    record_disclosure(by=look.made_by, referral=held, way=Disclosure.Way.LINK, parts=parts)
    _log("look.opened", look)
    return 0


def _wrong(look: FirstLook, held: Referral) -> int | None:
    _log("look.refused", look, why="code", tries=look.wrong)
    left = FirstLook.TRIES - look.wrong
    if left:
        return left
    for person in ours(held):
        tell_one(person, "look.closed", f"look:{look.pk}:{person.pk}", held)
    return None


def _log(event: str, look: FirstLook, **codes: Any) -> None:
    log(event, by=None, case=look.referral.case_id, row=look.pk, referral=str(look.referral_id), **codes)
