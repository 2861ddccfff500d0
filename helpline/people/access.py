"""Who may do what: one table of acts and roles, and the gate that every view stands behind.

Which rows a person may see is a method of each queryset (`visible_to`); this table says which acts a role has at all.
What a role may not do answers 403; a row that a person may not see answers 404.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse

from helpline.people.models import Role, User

ANYONE = "anyone"

STAFF = {Role.CASEWORKER, Role.MANAGER}
EVERYBODY = set(Role)

# act -> the roles that have it. The acts of all floors stand here as strings.
MAY: dict[str, set[Role]] = {
    "log_call": STAFF,
    "see_cases": STAFF,  # own cases, and those of the unit after giving a reason
    "work_case": STAFF,
    "close_case": STAFF,
    "give_shift": STAFF,
    "keep_absences": STAFF,  # one's own; a manager those of the unit
    "decide_child": STAFF,  # of them, those who are marked as qualified (SoL 25:1)
    "extend_child_clock": {Role.MANAGER},
    "reassign_case": {Role.MANAGER},
    "plan_in_unit": {Role.MANAGER},  # a step in a case of the unit, for its owner: nothing of it is read
    "link_cases": {Role.MANAGER},
    "see_caseload": {Role.MANAGER},
    "refer": STAFF,
    "see_agencies": STAFF,
    "answer_referral": {Role.PARTNER},
    "keep_own_agency": {Role.PARTNER},  # its people, hours and deputy: of them, those who manage it
    "keep_users": {Role.KEEPER},
    "keep_agencies": {Role.KEEPER},
    "keep_grounds": {Role.KEEPER},
    "keep_board": {Role.KEEPER},
    "see_mail": {Role.MANAGER, Role.KEEPER},  # that a mail did not arrive, never what about; and send it again
    "use_account": EVERYBODY,
    "search_person": STAFF,  # by name, personal number or case number, exactly (förordning 2001:637 15 §)
    "break_glass": STAFF,
    "review_openings": {
        Role.MANAGER,
        Role.REVIEWER,
    },  # never one's own; the reviewer what no manager can, without words
    "name_staff": {Role.MANAGER},  # who opens a protected case, who is locked out of one
    "give_extract": {Role.MANAGER},
    "see_statistics": {Role.MANAGER, Role.COORDINATOR},
    "read_log": {Role.REVIEWER},
    "review_log": {Role.MANAGER, Role.REVIEWER},  # never one's own rows
    "propose_disposal": {Role.MANAGER},
    "approve_disposal": {Role.MANAGER, Role.REVIEWER},  # another than who proposed
    "read_demo_mail": EVERYBODY,
}

View = Callable[..., HttpResponse]


def may(user: User | AnonymousUser, act: str) -> bool:
    """Whether the role of this person has this act. A person who is switched off has none."""
    return isinstance(user, User) and user.is_in_use and user.role in MAY[act]


def needs(act: str) -> Callable[[View], View]:
    """Guard a view: nobody without the act gets in. Raises PermissionDenied (403)."""
    if act not in MAY:
        raise KeyError(f"{act} is not an act of access.MAY")

    def guard(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not may(request.user, act):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        guarded.act = act  # type: ignore[attr-defined]  # read by the middleware and by the test of the house
        return guarded

    return guard


def open_to_anyone(view: View) -> View:
    """A view that needs no log-in. There are few, and each is read by the test of the house."""
    view.act = ANYONE  # type: ignore[attr-defined]
    return view
