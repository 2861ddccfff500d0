"""An agency's own manager adds and removes its people, and those of no other; nobody is left with no one."""

import re
import threading

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.urls import reverse

from helpline.people import clock
from helpline.people.actions import switch_off_user, switch_on_user
from helpline.people.errors import Refused
from helpline.people.models import LogEntry, Notice, Role, User
from referrals import actions
from referrals.actions import agency_own as own
from referrals.models import AgencyMember, PartnerAgency, Referral

PEOPLE, ADD = reverse("portal:people"), reverse("portal:person-add")
PASSWORD = "fyra gamla granar sjunger"
NEW = {
    "username": "ida.berg",
    "first_name": "Ida",
    "last_name": "Berg",
    "email": "ida@example.com",
    "phone": "",
}


@pytest.fixture(autouse=True)
def a_wednesday(at):
    with at("2026-11-25 09:00"):
        yield


@pytest.fixture
def manager(cast) -> User:
    AgencyMember.objects.filter(user=cast.partner).update(is_manager=True)
    return cast.partner


@pytest.fixture
def ida(make_colleague) -> AgencyMember:
    return make_colleague("ida")


def page_of(member) -> str:
    return reverse("portal:person", args=[member.user_id])


def facts(**changed) -> dict:
    found = {"part": "facts", "first_name": "Ida", "last_name": "Berg", "email": "ida@example.com", "phone": ""}
    return {**found, **changed}


# -- added ---


def test_a_colleague_is_added_to_ones_own_agency(client_of, cast, manager):
    answer = client_of(manager).post(ADD, NEW)
    link = re.search(r"/invitation/[\w-]+/", answer.content.decode())[0]
    assert answer.status_code == 200
    assert Client().post(link, {"password": PASSWORD, "again": PASSWORD}).status_code == 302
    member = AgencyMember.objects.get(user__username="ida.berg")
    assert (member.agency, member.user.role, member.user.unit, member.is_manager) == (
        cast.agency,
        "partner",
        None,
        False,
    )
    assert member.user.check_password(PASSWORD)
    assert LogEntry.objects.get(event="user.added").user == manager
    connection.check_constraints()


def test_what_is_forged_beside_the_form_changes_nothing(client_of, cast, manager):
    forged = {"role": "keeper", "agency": cast.other_agency.pk, "unit": cast.unit.pk, "is_qualified": "on"}
    forged |= {"is_staff": "on", "is_superuser": "on"}
    client_of(manager).post(ADD, {**NEW, **forged})
    user = User.objects.get(username="ida.berg")
    assert (user.role, user.unit, user.is_qualified, user.is_superuser) == (Role.PARTNER, None, False, False)
    assert user.membership.agency == cast.agency


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"username": "FRIDA"}, "already an account"),
        ({"username": "a b"}, "valid username"),
        ({"email": "x"}, "valid email"),
        ({"first_name": ""}, "required"),
    ],
)
def test_what_is_wrong_comes_back_filled_in(changed, words, client_of, cast, manager):
    answer = client_of(manager).post(ADD, {**NEW, **changed})
    page = answer.content.decode()
    assert answer.status_code == 422 and words in page and 'value="Berg"' in page
    assert not AgencyMember.objects.filter(user__last_name="Berg").exists()


def test_adding_twice_makes_one(client_of, manager):
    assert [client_of(manager).post(ADD, NEW).status_code for _time in range(2)] == [200, 422]
    assert User.objects.filter(username="ida.berg").count() == 1


# -- removed ---


def test_who_is_removed_is_out_at_once_and_their_sessions_end(client_of, cast, manager, ida):
    theirs = client_of(ida.user)
    assert theirs.get(reverse("portal:inbox")).status_code == 200
    before = Session.objects.count()
    answer = client_of(manager).post(page_of(ida), {"part": "active", "active": "no"})
    assert answer.status_code == 302
    assert theirs.get(reverse("portal:inbox")).url.startswith("/login/")
    assert Session.objects.count() == before  # theirs is gone, the manager's has come
    switch_on_user(by=cast.keeper, user=ida.user)
    assert theirs.get(reverse("portal:inbox")).url.startswith("/login/")  # an old session opens nothing again
    assert LogEntry.objects.get(event="user.switched_off").user == manager
    assert AgencyMember.objects.filter(pk=ida.pk).exists()  # what they have done remains


def test_removing_twice_does_it_once_and_they_can_come_back(client_of, manager, ida):
    theirs = client_of(manager)
    for _time in range(2):
        assert theirs.post(page_of(ida), {"part": "active", "active": "no"}).status_code == 302
    assert LogEntry.objects.filter(event="user.switched_off").count() == 1
    assert "Removed" in theirs.get(PEOPLE).content.decode()
    theirs.post(page_of(ida), {"part": "active", "active": "yes"})
    ida.user.refresh_from_db()
    assert ida.user.is_active


def test_nobody_removes_themselves(client_of, cast, manager):
    me = AgencyMember.objects.get(user=manager)
    client_of(manager).post(page_of(me), {"part": "active", "active": "no"})
    manager.refresh_from_db()
    assert manager.is_active
    assert "No longer works with you" not in client_of(manager).get(page_of(me)).content.decode()
    with pytest.raises(Refused):
        own.remove_person(by=manager, member=me)


def test_the_mail_goes_no_more_to_who_is_removed(cast, manager, ida, make_referral):
    own.remove_person(by=manager, member=ida)
    make_referral("sent")
    told = set(Notice.objects.filter(kind="referral.sent").values_list("user_id", flat=True))
    assert manager.pk in told and ida.user_id not in told


# -- changed ---


def test_somebody_is_made_a_manager_and_then_may_what_they_may(client_of, manager, ida):
    assert client_of(ida.user).get(PEOPLE).status_code == 403
    assert client_of(manager).post(page_of(ida), facts(is_manager="on")).status_code == 302
    assert client_of(ida.user).get(PEOPLE).status_code == 200
    row = LogEntry.objects.get(event="user.part_set")
    assert (row.user, row.row, row.codes["manager"]) == (manager, str(ida.user_id), True)
    client_of(manager).post(page_of(ida), facts(is_manager="on"))  # twice is once
    assert LogEntry.objects.filter(event="user.part_set").count() == 1


def test_the_last_manager_stays_one(client_of, cast, manager, ida):
    me = AgencyMember.objects.get(user=manager)
    answer = client_of(manager).post(page_of(me), facts(first_name="Frida"))
    assert answer.status_code == 422 and "Somebody must manage your people" in answer.content.decode()
    me.refresh_from_db()
    assert me.is_manager
    own.change_person(by=manager, member=ida, facts={}, is_manager=True)
    assert client_of(manager).post(page_of(me), facts(first_name="Frida")).status_code == 302
    assert client_of(manager).get(PEOPLE).status_code == 403  # no longer theirs


def test_a_manager_who_is_switched_off_does_not_count(cast, manager, make_colleague):
    gone = make_colleague("ulla", is_manager=True)
    own.remove_person(by=manager, member=gone)
    me = AgencyMember.objects.select_related("agency", "user").get(user=manager)
    with pytest.raises(Refused, match="Somebody must manage"):
        own.change_person(by=manager, member=me, facts={}, is_manager=False)


def test_facts_are_changed_and_no_others(client_of, manager, ida):
    client_of(manager).post(page_of(ida), facts(last_name="Berglund", role="keeper", username="x"))
    ida.user.refresh_from_db()
    assert (ida.user.last_name, ida.user.role, ida.user.username) == ("Berglund", "partner", "ida")


# -- of other agencies nothing ---


@pytest.mark.parametrize("post", [{}, {"part": "active", "active": "no"}, facts(is_manager="on")])
def test_the_people_of_others_are_not_there(post, client_of, cast, manager, make_colleague):
    others = [make_colleague("otto", agency=cast.other_agency).user, cast.other_partner, cast.caseworker, cast.keeper]
    for other in others:
        url = reverse("portal:person", args=[other.pk])
        assert client_of(manager).get(url).status_code == client_of(manager).post(url, post).status_code == 404
        before = (other.is_active, other.last_name)
        other.refresh_from_db()
        assert (other.is_active, other.last_name) == before
    page = client_of(manager).get(PEOPLE).content.decode()
    assert "Otto" not in page and "Gustav" not in page


def test_the_actions_refuse_who_leads_another_agency(cast, manager, ida):
    AgencyMember.objects.filter(user=cast.other_partner).update(is_manager=True)
    for act in (
        lambda: own.remove_person(by=cast.other_partner, member=ida),
        lambda: own.return_person(by=cast.other_partner, member=ida),
        lambda: own.change_person(by=cast.other_partner, member=ida, facts={}, is_manager=True),
        lambda: own.add_person(by=cast.other_partner, agency=cast.agency, username="x", facts={}),
    ):
        with pytest.raises(Refused, match="manages your people"):
            act()


@pytest.mark.parametrize("url", [PEOPLE, ADD])
def test_nobody_else_comes_in(url, client_of, cast):
    for other in (cast.partner, cast.caseworker, cast.manager, cast.keeper):
        assert client_of(other).get(url).status_code == 403
    assert client_of(cast.partner).post(ADD, NEW).status_code == 403
    assert not User.objects.filter(username="ida.berg").exists()


# -- the keeper ---


def test_the_keeper_says_who_manages_an_agency(client_of, cast):
    theirs, url = client_of(cast.keeper), reverse("keeper:user-edit", args=[cast.partner.pk])
    words = {"part": "facts", "first_name": "Frida", "last_name": "Falk", "email": "f@example.com", "role": "partner"}
    words |= {"agency": cast.agency.pk}
    assert theirs.post(url, {**words, "leads_agency": "on"}).status_code == 302
    assert AgencyMember.objects.get(user=cast.partner).is_manager
    assert re.search(r'name="leads_agency"[^>]* checked', theirs.get(url).content.decode())
    assert theirs.post(url, words).status_code == 302
    assert not AgencyMember.objects.get(user=cast.partner).is_manager
    assert [row.codes["manager"] for row in LogEntry.objects.filter(event="user.part_set").order_by("id")] == [
        True,
        False,
    ]


def test_who_moves_to_another_agency_manages_it_only_if_the_keeper_says_so(client_of, cast, manager):
    url = reverse("keeper:user-edit", args=[manager.pk])
    words = {"part": "facts", "first_name": "Frida", "last_name": "Falk", "email": "f@example.com", "role": "partner"}
    client_of(cast.keeper).post(url, {**words, "agency": cast.other_agency.pk})
    member = AgencyMember.objects.get(user=manager)
    assert (member.agency, member.is_manager) == (cast.other_agency, False)


# -- nothing is stuck ---


def test_the_last_one_who_is_reached_can_be_switched_off_and_the_handover_comes_back(cast, make_referral):
    """Of the two ways, the second: the keeper is not held up, and the sweep brings back what nobody there would see."""
    PartnerAgency.objects.filter(pk=cast.agency.pk).update(mailbox="", sdk_address="")
    sent, accepted = make_referral("sent"), make_referral("accepted", need="family_support")
    switch_off_user(by=cast.keeper, user=cast.partner)
    actions.sweep()
    connection.check_constraints()
    for referral in (sent, accepted):
        referral.refresh_from_db()
        assert referral.state == "withdrawn"
        assert referral.changes.get(move="withdraw").reason == "agency_gone"
        step = referral.case.steps.planned().exclude(kind="tell_to_stop").get(about=str(referral.pk))
        assert (step.owner, step.others_turn) == (cast.caseworker, False)
        assert Notice.objects.filter(user=cast.caseworker, about=str(referral.pk), kind="referral.withdrawn").exists()
    assert actions.sweep() == 0


def test_as_long_as_one_is_reached_it_stays(cast, manager, ida, make_referral):
    PartnerAgency.objects.filter(pk=cast.agency.pk).update(mailbox="")
    sent = make_referral("sent")
    own.remove_person(by=manager, member=ida)
    actions.sweep()
    sent.refresh_from_db()
    assert sent.state == "sent"


@pytest.mark.django_db(transaction=True)
def test_two_managers_who_remove_each_other_leave_one(cast, manager, make_colleague):
    for round_ in range(10):
        other = make_colleague(f"ulla{round_}", is_manager=True)
        me = AgencyMember.objects.select_related("user", "agency").get(user=manager)
        other = AgencyMember.objects.select_related("user", "agency").get(pk=other.pk)
        start, now = threading.Barrier(2), clock.now()

        def remove(by, member, start=start, now=now):
            try:
                start.wait(10)
                with clock.at(now):
                    own.remove_person(by=by, member=member)
            except Refused:
                pass
            finally:
                connection.close()

        pairs = [(me.user, other), (other.user, me)]
        threads = [threading.Thread(target=remove, args=pair) for pair in pairs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        left = AgencyMember.objects.filter(agency=cast.agency, is_manager=True, user__is_active=True)
        assert left.count() == 1
        manager = left.get().user
    assert not Referral.objects.exists()


# -- invited again ---


def test_a_lost_link_is_made_anew_until_it_is_used(client_of, manager):
    first = link_in(client_of(manager).post(ADD, NEW))
    member = AgencyMember.objects.get(user__username="ida.berg")
    second = link_in(client_of(manager).post(page_of(member), {"part": "invite"}))
    assert Client().get(first).status_code == 404
    assert Client().post(second, {"password": PASSWORD, "again": PASSWORD}).status_code == 302
    page = client_of(manager).post(page_of(member), {"part": "invite"})
    assert (
        page.status_code == 200 and "/invitation/" not in page.content.decode()
    )  # who has a way in is not let in anew


def link_in(answer) -> str:
    return re.search(r"/invitation/[\w-]+/", answer.content.decode())[0]


def test_nobody_invites_a_person_of_another_agency(client_of, cast, manager):
    assert client_of(manager).post(page_of(cast.other_partner.membership), {"part": "invite"}).status_code == 404
