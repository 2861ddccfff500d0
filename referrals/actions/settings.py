"""What a municipality decides for itself."""

from django.db import transaction
from django.utils.translation import gettext as _

from helpline.people import clock
from helpline.people.audit import log
from helpline.people.errors import Refused
from helpline.people.models import Municipality, User
from referrals.grounds import grounds
from referrals.models import GroundSetting


def switch_ground(*, by: User | None, municipality: Municipality, code: str, on: bool) -> None:
    """Switch a legal ground on or off in a municipality. What is already sent stands as it was sent."""
    if code not in grounds():
        raise Refused(_("There is no such legal ground."))
    with transaction.atomic():
        GroundSetting.objects.update_or_create(
            municipality=municipality, code=code, defaults={"on": on, "decided_by": by, "decided_at": clock.now()}
        )
        log("ground.switched", by=by, row=code, on=on, municipality=municipality.pk)
