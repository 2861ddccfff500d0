"""What the board has decided for its line, as rows that begin on a day: added, never changed."""

import datetime as dt

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from helpline.people import clock
from helpline.people.audit import log
from helpline.people.errors import Refused
from helpline.people.models import Municipality, User
from intake.models import BoardDecision
from intake.personal_numbers import refuse_personal_number

MONTHS = "advice_words_months"
WITHOUT_IDENTITY = "support_without_identity"
MOST = {MONTHS: range(1, 121), WITHOUT_IDENTITY: range(2)}


def months_of_words(municipality: str, day: dt.date | None = None) -> int:
    """How many months the words of track A are kept in a municipality; the setting where its board has decided nothing."""
    decided = BoardDecision.objects.in_force(MONTHS, municipality, day or clock.today())
    return settings.ADVICE_WORDS_MONTHS if decided is None else decided


def decide(
    *, by: User, municipality: Municipality, kind: str, value: int, valid_from: dt.date, registry_number: str
) -> BoardDecision:
    """Write what the board has decided. The same written twice is one. Raises Refused."""
    if kind not in MOST:
        raise Refused(_("Choose what the board has decided about."), at="kind")
    if value not in MOST[kind]:
        raise Refused(_("Choose from 1 to 120 months."), at="value")
    if not registry_number.strip():
        raise Refused(_("Write the registry number of the decision."), at="registry_number")
    refuse_personal_number(registry_number)
    facts = {"kind": kind, "value": value, "valid_from": valid_from, "registry_number": registry_number.strip()}
    with transaction.atomic():
        Municipality.objects.select_for_update().get(pk=municipality.pk)  # two at once write one after the other
        same = BoardDecision.objects.filter(municipality=municipality, **facts).first()
        if same:
            return same
        made = BoardDecision.objects.create(municipality=municipality, **facts, entered_by=by, entered_at=clock.now())
        log("board.decided", by=by, row=made.pk, kind=kind, value=value, municipality=municipality.pk)
    return made
