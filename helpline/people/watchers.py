"""Who makes ways in (accounts, invitations, resets) is seen by others: those who would know that nobody asked for it are told."""

from helpline.people import clock
from helpline.people.models import Role, User
from helpline.people.notices import notify


def watchers_of(user: User, *, by: User | None) -> list[User]:
    """The managers of the unit; where there is no unit, or no other manager, the other keepers and the reviewers."""
    others = User.objects.filter(is_active=True).exclude(pk__in=[user.pk, *([by.pk] if by else [])])
    managers = others.filter(role=Role.MANAGER, unit_id=user.unit_id) if user.unit_id else others.none()
    return list(managers or others.filter(role__in=[Role.KEEPER, Role.REVIEWER]))


def tell_watchers(*, about: User, by: User | None, kind: str) -> None:
    """A notice that names nobody: the log has who."""
    at = clock.now().isoformat()
    for watcher in watchers_of(about, by=by):
        notify(user=watcher, kind=kind, source=f"{kind}:{about.pk}:{watcher.pk}:{at}")
