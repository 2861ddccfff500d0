"""MAY: which role has which act, and that the table and the views know the same acts."""

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.urls import URLPattern, get_resolver

from helpline.people.access import ANYONE, MAY, may, needs
from helpline.people.models import Role, User

STAFF = (
    "log_call see_cases work_case close_case give_shift keep_absences decide_child refer see_agencies use_account"
    " read_demo_mail search_person break_glass"
)
ACTS = {
    "caseworker": STAFF,
    "manager": f"{STAFF} reassign_case see_caseload link_cases extend_child_clock see_mail review_openings name_staff"
    " plan_in_unit give_extract see_statistics review_log propose_disposal approve_disposal",
    "partner": "answer_referral keep_own_agency use_account read_demo_mail",
    "keeper": "keep_users keep_agencies keep_grounds keep_board see_mail use_account read_demo_mail",
    "coordinator": "see_statistics use_account read_demo_mail",
    "reviewer": "review_openings read_log review_log approve_disposal use_account read_demo_mail",
}


def views(patterns=None):
    for pattern in patterns if patterns is not None else get_resolver().url_patterns:
        if isinstance(pattern, URLPattern):
            yield pattern.callback
        else:
            yield from views(pattern.url_patterns)


def test_every_act_is_used_by_a_view():
    used = {getattr(view, "act", None) for view in views()} - {None, ANYONE}
    assert used == set(MAY)


@pytest.mark.parametrize("role", Role.values)
def test_what_each_role_may(role):
    user = User(role=role)
    assert {act for act in MAY if may(user, act)} == set(ACTS[role].split())


@pytest.mark.parametrize("role", Role.values)
def test_who_is_switched_off_may_nothing(role):
    assert [act for act in MAY if may(User(role=role, is_active=False), act)] == []


def test_who_is_not_logged_in_may_nothing():
    assert [act for act in MAY if may(AnonymousUser(), act)] == []


def test_a_role_that_nobody_has_may_nothing():
    assert [act for act in MAY if may(User(role="superuser", is_superuser=True, is_staff=True), act)] == []


def test_a_view_cannot_need_an_act_that_is_not_in_the_table():
    with pytest.raises(KeyError):
        needs("fly")


def test_the_guard_lets_in_who_may_and_nobody_else(rf):
    @needs("close_case")
    def view(request):
        return HttpResponse("in")

    request = rf.get("/")
    request.user = User(role=Role.CASEWORKER)
    assert view(request).content == b"in"
    for other in (User(role=Role.KEEPER), User(role=Role.PARTNER), AnonymousUser()):
        request.user = other
        with pytest.raises(PermissionDenied):
            view(request)


def test_a_view_that_declares_nothing_is_shut(client_of, cast, settings):
    settings.ROOT_URLCONF = "tests_people_bare_urls"
    import sys
    import types

    from django.urls import path

    bare = types.ModuleType("tests_people_bare_urls")
    bare.urlpatterns = [path("bare/", lambda request: HttpResponse("in"))]
    for handler in ("handler403",):
        setattr(bare, handler, lambda request, exception: HttpResponse(status=403))
    sys.modules[bare.__name__] = bare
    try:
        for user in cast.everybody().values():
            assert client_of(user).get("/bare/").status_code == 403
    finally:
        del sys.modules[bare.__name__]
