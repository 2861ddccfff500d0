"""How an account logs in, as the keeper sees and resets it: invitations, second factors, sessions."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from helpline.people import invitations
from helpline.people.access import needs
from helpline.people.errors import Refused
from helpline.people.invitations import link_of
from helpline.people.live_sessions import end_all_of, places_of
from helpline.people.models import User
from helpline.people.second_factor import FACTORS
from intake.gate import person


@dataclass(frozen=True)
class Ways:
    """How somebody can come in, and in how many places they are. Not one secret of it."""

    has_password: bool
    factors: int
    signs_on: bool
    sessions: int
    invited_until: Any = None


def ways_of(user: User) -> Ways:
    """Of one account, the sessions counted now."""
    waiting = invitations.open_ones(user).order_by("-until").first()
    return Ways(
        has_password=user.has_usable_password(),
        factors=Authenticator.objects.filter(user=user, type__in=FACTORS).count(),
        signs_on=SocialAccount.objects.filter(user=user).exists(),
        sessions=len(places_of(user)),
        invited_until=waiting.until if waiting else None,
    )


def ways_of_all(people: Iterable[User]) -> list[tuple[User, Ways]]:
    """Of each account of a list, with as many questions to the database for many as for one."""
    people = list(people)
    factors = Counter(Authenticator.objects.filter(type__in=FACTORS).values_list("user_id", flat=True))
    sign_on = set(SocialAccount.objects.values_list("user_id", flat=True))
    sessions = Counter(UserSession.objects.values_list("user_id", flat=True))
    return [
        (user, Ways(user.has_usable_password(), factors[user.pk], user.pk in sign_on, sessions[user.pk]))
        for user in people
    ]


def invited(request: HttpRequest, user: User) -> HttpResponse:
    """Make an invitation and show its link: this once, and it is kept nowhere. Raises Refused."""
    token = invitations.invite(by=person(request), user=user)
    return _link(request, user, token)


def _link(request: HttpRequest, user: User, token: str) -> HttpResponse:
    context = {"invited": user, "link": link_of(token), "days": settings.INVITATION_DAYS}
    return render(request, "keeper/invited.html", context)


@require_POST
@needs("keep_users")
def invite(request: HttpRequest, pk: int) -> HttpResponse:
    """A new invitation; the earlier ones end. Only where there is no way in yet: who has one is reset."""
    user = get_object_or_404(User, pk=pk)
    try:
        if invitations.has_way_in(user):
            raise Refused(_("%(name)s can log in already. Reset the log-in instead.") % {"name": user})
        return invited(request, user)
    except Refused as refused:
        messages.error(request, str(refused))
    return redirect("keeper:user-edit", pk=pk)


@require_POST
@needs("keep_users")
def reset(request: HttpRequest, pk: int) -> HttpResponse:
    """For who has lost telephone or password: everything begins again, by a new invitation."""
    user = get_object_or_404(User, pk=pk)
    try:
        return _link(request, user, invitations.begin_again(by=person(request), user=user))
    except Refused as refused:
        messages.error(request, str(refused))
    return redirect("keeper:user-edit", pk=pk)


@require_POST
@needs("keep_users")
def end(request: HttpRequest, pk: int) -> HttpResponse:
    """End every session of somebody. They can log in again."""
    user = get_object_or_404(User, pk=pk)
    end_all_of(by=person(request), user=user)
    messages.success(request, _("%(name)s is logged out everywhere.") % {"name": user})
    return redirect("keeper:user-edit", pk=pk)
