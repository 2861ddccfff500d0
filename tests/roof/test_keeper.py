"""The keeper's pages: users, partner agencies, legal grounds. And what a keeper does not see: cases."""

import datetime as dt
import re

import pytest
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.db import connection
from django.urls import reverse

from helpline.keeper_agency_form import AgencyForm
from helpline.people import actions, clock
from helpline.people.errors import Refused
from helpline.people.models import LogEntry, Municipality, Notice, Role, User
from helpline.people.notices import deliver_mail
from intake.actions import reassign_case
from referrals.actions import draft_referral, save_draft, send
from referrals.actions.directory import save_agency, set_membership, verify_agency
from referrals.actions.verifying import ask_to_verify
from referrals.forms.hours import HoursField
from referrals.models import AgencyMember, GroundSetting, PartnerAgency

GOOD = "four-quiet-words-here"
PAGES = ["user-list", "user-add", "agency-list", "agency-add", "grounds"]


@pytest.fixture
def keeper(cast, client_of):
    return client_of(cast.keeper)


def user_facts(user: User, **other):
    facts = {name: getattr(user, name) for name in ("first_name", "last_name", "email", "phone", "role")}
    return {**facts, "last_name": "Andersson", "unit": user.unit_id or "", "agency": "", "part": "facts", **other}


def edit(client, user: User, **data):
    answer = client.post(reverse("keeper:user-edit", args=[user.pk]), data)
    connection.check_constraints()
    return answer


# -- who gets in ---


@pytest.mark.parametrize("name", PAGES)
def test_the_keeper_gets_in_and_nobody_else(name, cast, client_of):
    for who, user in cast.everybody().items():
        expected = 200 if who == "keeper" else 403
        assert client_of(user).get(reverse(f"keeper:{name}")).status_code == expected, who


def test_the_keeper_sees_no_case_and_no_call(keeper, make_case, cast, client_of):
    case = make_case()
    assert client_of(cast.caseworker).get(f"/cases/{case.slug}/").status_code == 200
    for path in (
        f"/cases/{case.slug}/",
        "/cases/",
        "/my-day/",
        f"/calls/{case.calls.get().pk}/",
        "/overview/",
        "/portal/",
    ):
        assert keeper.get(path).status_code == 403, path


# -- users ---


def test_the_list_says_who_and_where(keeper, cast):
    page = keeper.get(reverse("keeper:user-list")).content.decode()
    assert "Anna" in page and cast.unit.name in page and cast.agency.name in page and "System keeper" in page


def test_the_list_is_filtered_by_name_and_role(keeper, cast):
    page = keeper.get(reverse("keeper:user-list"), {"q": "ann", "role": "caseworker"}).content.decode()
    assert "Anna" in page and "Bert" not in page
    page = keeper.get(reverse("keeper:user-list"), {"q": "anna", "role": "partner"}).content.decode()
    assert "Anna" not in page and "Nobody matches" in page


def test_the_lists_ask_the_database_no_more_for_more_rows(
    keeper, cast, django_assert_max_num_queries, django_assert_num_queries
):
    users, agencies = reverse("keeper:user-list"), reverse("keeper:agency-list")
    keeper.get(users)  # the first request of a session writes down when it began
    with django_assert_max_num_queries(10) as of_few:
        before = keeper.get(users).content.decode()
    for number in range(10):
        user = User.objects.create(username=f"p{number}", role=Role.PARTNER, first_name=f"P{number}")
        AgencyMember.objects.create(user=user, agency=cast.agency)
        Authenticator.objects.create(user=user, type="totp", data={})
        UserSession.objects.create(user=user, session_key=f"k{number}", ip="192.0.2.1", user_agent="")
    with django_assert_num_queries(len(of_few)):
        page = keeper.get(users).content.decode()
    assert "P9" in page and page.count(str(cast.agency)) == before.count(str(cast.agency)) + 10
    with django_assert_max_num_queries(8):
        keeper.get(agencies)


def test_a_user_is_added_and_can_log_in(keeper, cast, client):
    data = {"username": "nina", "first_name": "Nina", "last_name": "Berg", "email": "nina@example.com", "phone": "1"}
    data |= {"role": "caseworker", "unit": cast.unit.pk, "agency": ""}
    page = keeper.post(reverse("keeper:user-add"), data)
    assert page.status_code == 200
    nina = User.objects.get(username="nina")
    assert (nina.role, nina.unit, nina.email, nina.is_demo) == ("caseworker", cast.unit, "nina@example.com", False)
    assert not nina.has_usable_password()
    link = re.search(r"/invitation/[\w-]+/", page.content.decode())[0]
    assert client.post(link, {"password": GOOD, "again": GOOD}).status_code == 302
    assert client.get("/my-day/").status_code == 200
    row = LogEntry.objects.get(event="user.added", row=str(nina.pk))
    assert row.user == cast.keeper and "Nina" not in str(row.codes)
    again = keeper.post(reverse("keeper:user-add"), data)
    assert again.status_code == 422 and User.objects.filter(username="nina").count() == 1


def test_nobody_is_invited_to_an_account_whose_last_day_is_over(keeper, cast):
    data = {"username": "nina", "first_name": "Nina", "last_name": "Berg", "email": "nina@example.com", "phone": "1"}
    data |= {"role": "caseworker", "unit": cast.unit.pk, "agency": "", "access_until": "2020-01-31"}
    page = keeper.post(reverse("keeper:user-add"), data)
    assert page.status_code == 422 and "That day is over." in page.content.decode()
    assert not User.objects.filter(username="nina").exists()


def test_a_partner_gets_an_agency_and_no_unit(keeper, cast):
    data = {"username": "olle", "first_name": "Olle", "last_name": "Ek", "email": "o@example.com", "role": "partner"}
    data |= {"unit": cast.unit.pk, "agency": ""}
    page = keeper.post(reverse("keeper:user-add"), data)
    assert page.status_code == 422 and "Choose the agency." in page.content.decode()
    assert keeper.post(reverse("keeper:user-add"), {**data, "agency": cast.agency.pk}).status_code == 200
    olle = User.objects.get(username="olle")
    assert olle.membership.agency == cast.agency and olle.unit is None


def test_what_is_wrong_is_refused_and_what_was_written_stays(keeper, cast):
    data = {"username": "nina", "first_name": "Nina", "last_name": "Berg", "email": "nina"}
    data |= {"role": "keeper", "unit": "", "agency": ""}
    page = keeper.post(reverse("keeper:user-add"), data)
    assert page.status_code == 422 and "Nina" in page.content.decode() and "valid email" in page.content.decode()
    assert not User.objects.filter(username="nina").exists()


def test_a_user_is_changed(keeper, cast):
    answer = edit(
        keeper, cast.colleague, **user_facts(cast.colleague, email="new@example.com", unit=cast.other_unit.pk)
    )
    assert answer.status_code == 302
    cast.colleague.refresh_from_db()
    assert (cast.colleague.email, cast.colleague.unit) == ("new@example.com", cast.other_unit)
    row = LogEntry.objects.get(event="user.changed")
    assert row.codes["parts"] == ["email", "last_name", "unit"] and "example" not in str(row.codes)


def test_saying_the_same_again_leaves_no_row(keeper, cast):
    edit(keeper, cast.colleague, **user_facts(cast.colleague))
    edit(keeper, cast.colleague, **user_facts(cast.colleague))
    assert LogEntry.objects.filter(event="user.changed").count() == 1


def test_a_partner_moves_to_another_agency_and_sees_the_old_ones_no_more(keeper, cast):
    edit(keeper, cast.partner, **user_facts(cast.partner, agency=cast.other_agency.pk))
    assert AgencyMember.objects.get(user=cast.partner).agency == cast.other_agency
    assert LogEntry.objects.filter(event="user.moved", row=str(cast.partner.pk)).count() == 1


def test_a_partner_who_becomes_staff_leaves_the_agency(keeper, cast):
    edit(keeper, cast.partner, **user_facts(cast.partner, role="caseworker", unit=cast.unit.pk, agency=cast.agency.pk))
    cast.partner.refresh_from_db()
    assert cast.partner.unit == cast.unit and not AgencyMember.objects.filter(user=cast.partner).exists()


def test_membership_needs_the_role(cast):
    with pytest.raises(Refused):
        set_membership(by=cast.keeper, user=cast.caseworker, agency=cast.agency)
    with pytest.raises(Refused):
        set_membership(by=cast.keeper, user=cast.partner, agency=None)


@pytest.mark.parametrize("change", ["unit", "role"])
def test_who_has_cases_in_hand_stays_where_they_are(change, keeper, cast, make_case):
    make_case()
    other = {"unit": {"unit": cast.other_unit.pk}, "role": {"role": "manager"}}[change]
    page = edit(keeper, cast.caseworker, **user_facts(cast.caseworker, **other))
    assert page.status_code == 422 and "1 open case and 1 planned step" in page.content.decode()
    cast.caseworker.refresh_from_db()
    assert (cast.caseworker.unit, cast.caseworker.role, cast.caseworker.last_name) == (cast.unit, "caseworker", "")


def test_the_keeper_gives_no_password(keeper, cast):
    """Nobody knows another's: they are invited (tests/people/test_invitations.py)."""
    edit(keeper, cast.caseworker, part="password", password=GOOD)
    assert User.objects.get(pk=cast.caseworker.pk).check_password("pw")


def test_who_is_switched_off_is_out_at_once_and_can_come_back(keeper, cast, client_of):
    theirs = client_of(cast.colleague)
    assert edit(keeper, cast.colleague, part="active", active="no").status_code == 302
    assert "login" in theirs.get(reverse("home")).url
    edit(keeper, cast.colleague, part="active", active="no")
    assert LogEntry.objects.filter(event="user.switched_off").count() == 1
    edit(keeper, cast.colleague, part="active", active="yes")
    cast.colleague.refresh_from_db()
    assert cast.colleague.is_active and LogEntry.objects.filter(event="user.switched_on").count() == 1


def test_who_has_cases_in_hand_is_not_switched_off(keeper, cast, make_case):
    cases = [make_case(), make_case()]
    page = edit(keeper, cast.caseworker, part="active", active="no").content.decode()
    assert "2 open cases and 2 planned steps. A unit manager gives them to a colleague first." in page
    assert User.objects.get(pk=cast.caseworker.pk).is_active
    for case in cases:
        reassign_case(by=cast.manager, case=case, to=cast.colleague)
    edit(keeper, cast.caseworker, part="active", active="no")
    assert not User.objects.get(pk=cast.caseworker.pk).is_active


def test_nobody_shuts_themselves_out(keeper, cast):
    assert edit(keeper, cast.keeper, part="active", active="no").status_code == 200
    assert User.objects.get(pk=cast.keeper.pk).is_active
    page = edit(keeper, cast.keeper, **user_facts(cast.keeper, role="manager", unit=cast.unit.pk))
    assert page.status_code == 422 and "You cannot change your own role." in page.content.decode()


def test_an_action_takes_no_other_facts(cast):
    with pytest.raises(Refused):
        actions.change_user(by=cast.keeper, user=cast.colleague, facts={"is_superuser": True})


def test_an_unknown_part_changes_nothing(keeper, cast):
    before = User.objects.filter(pk=cast.colleague.pk).values().get()
    assert edit(keeper, cast.colleague, part="delete").status_code == 200
    assert User.objects.filter(pk=cast.colleague.pk).values().get() == before


# -- agencies ---


def agency_facts(agency: PartnerAgency, **other):
    facts = {
        "name": agency.name,
        "type": agency.type,
        "receiver_kind": "",
        "phone": "0500-49 80 00",
        "mailbox": "m@example.com",
    }
    facts |= {"municipalities": [one.pk for one in agency.municipalities.all()], "is_active": "on"}
    return {**facts, "day_0": "08.00-12.00, 13.00-16.30", **other}


def save(client, agency: PartnerAgency, **other):
    answer = client.post(reverse("keeper:agency-edit", args=[agency.pk]), agency_facts(agency, **other))
    connection.check_constraints()
    return answer


def test_the_directory_is_filtered(keeper, cast):
    page = keeper.get(reverse("keeper:agency-list"), {"type": "SOC_CHILD", "municipality": "1499"}).content.decode()
    assert cast.agency.name in page and "1 agency" in page
    page = keeper.get(reverse("keeper:agency-list"), {"q": "no such agency"}).content.decode()
    assert "No agency matches" in page


def test_an_agency_of_the_whole_country_serves_each_municipality(keeper, cast):
    assert cast.other_agency.nationwide
    page = keeper.get(reverse("keeper:agency-list"), {"type": "EXIT", "municipality": "1499"}).content.decode()
    assert cast.other_agency.name in page


def test_an_agency_is_added_with_its_hours(keeper, cast, at):
    data = {"name": "Kliniken", "type": "PSYCH", "receiver_kind": "civil_society", "municipalities": ["1496", "1499"]}
    data |= {"phone": "0500-49 80 00", "mailbox": "k@example.com", "is_active": "on", "checked_today": "on"}
    data |= {"day_0": "8-12, 13.00-16:30", "day_6": "20.00-24.00"}
    assert keeper.post(reverse("keeper:agency-add"), data).status_code == 302
    made = PartnerAgency.objects.get(name="Kliniken")
    assert (made.receiver, made.kind.receives) == ("civil_society", "health_care")
    assert made.municipality_codes == {"1496", "1499"} and made.verified_on == clock.today()
    for moment, is_open in {
        "2026-11-23 11:59": 1,
        "2026-11-23 12:30": 0,
        "2026-11-23 16:29": 1,
        "2026-11-22 23:59": 1,
    }.items():
        with at(moment):
            assert made.is_open(clock.now()) == bool(is_open), moment
    assert LogEntry.objects.get(event="agency.added").row == str(made.pk)
    assert keeper.post(reverse("keeper:agency-add"), data).status_code == 422  # the name is taken


def test_an_agency_is_changed_and_shows_its_hours_as_written(keeper, cast):
    assert save(keeper, cast.agency, name="Ny stödenhet", checked_today="on").status_code == 302
    cast.agency.refresh_from_db()
    assert cast.agency.name == "Ny stödenhet" and cast.agency.verified_on == clock.today()
    assert cast.agency.hours.count() == 2  # the five days of before are gone
    page = keeper.get(reverse("keeper:agency-edit", args=[cast.agency.pk])).content.decode()
    assert 'value="08.00-12.00, 13.00-16.30"' in page
    assert LogEntry.objects.get(event="agency.changed").codes["parts"]


def test_an_agency_that_serves_nobody_is_refused_and_what_was_written_stays(keeper, cast):
    page = save(keeper, cast.agency, municipalities=[], day_1="9-17")
    assert page.status_code == 422 and 'value="9-17"' in page.content.decode()
    assert cast.agency.municipality_codes == {"1499"}


def test_what_is_checked_is_not_checked_again_by_saving(keeper, cast):
    PartnerAgency.objects.filter(pk=cast.agency.pk).update(verified_on="2026-01-02")
    save(keeper, cast.agency)
    cast.agency.refresh_from_db()
    assert cast.agency.verified_on == dt.date(2026, 1, 2)


def test_an_agency_with_handovers_stays_in_use(keeper, cast, make_case):
    referral = draft_referral(by=cast.caseworker, case=make_case(), agency=cast.agency, need="family_support")
    words = {"ask": "Ring", "happened": "Det har hänt", "ground": "DUTY", "ground_reason": "oro"}
    save_draft(by=cast.caseworker, referral=referral, words=words)
    send(by=cast.caseworker, referral=referral)
    page = save(keeper, cast.agency, is_active="")
    assert page.status_code == 422 and "1 handover is with" in page.content.decode()
    cast.agency.refresh_from_db()
    assert cast.agency.is_active


def test_all_that_stands_about_an_agency_is_kept_and_shown(keeper, cast):
    said = {"description": "Talar med hela familjen.", "needs": ["housing", "mental_health"], "languages": ["ar", "so"]}
    said |= {"minimum_age": "12", "maximum_age": "25", "sdk_address": "barn@sdk.example", "is_confidential": "on"}
    said |= {"deputy_mailbox": "vikarie@example.com"}
    assert save(keeper, cast.agency, **said).status_code == 302
    agency = PartnerAgency.objects.get(pk=cast.agency.pk)
    assert (agency.minimum_age, agency.maximum_age, agency.meets) == (12, 25, ["housing", "mental_health"])
    assert (agency.languages, agency.sdk_address, agency.is_confidential) == (["ar", "so"], "barn@sdk.example", True)
    assert (agency.deputy_mailbox, agency.description) == ("vikarie@example.com", "Talar med hela familjen.")
    row = LogEntry.objects.get(event="agency.changed")
    assert {"needs", "languages", "minimum_age", "is_confidential"} <= set(row.codes["parts"])
    assert "vikarie" not in str(row.codes) and "familjen" not in str(row.codes)
    page = keeper.get(reverse("keeper:agency-edit", args=[agency.pk])).content.decode()
    assert 'value="12"' in page and "barn@sdk.example" in page and "Confidential" in page


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("minimum_age", {"minimum_age": "-1"}),
        ("maximum_age", {"maximum_age": "121"}),
        ("maximum_age", {"minimum_age": "20", "maximum_age": "19"}),
        ("needs", {"needs": ["money"]}),
        ("languages", {"languages": ["other"]}),
        ("phone", {"phone": "ring oss"}),
        ("phone", {"phone": "0500-1"}),
        ("mailbox", {"mailbox": "nobody"}),
        ("deputy_mailbox", {"deputy_mailbox": "nobody"}),
        ("sdk_address", {"sdk_address": "x" * 121}),
        ("description", {"description": "a\u202eb"}),
        ("receiver_kind", {"receiver_kind": "king"}),
        ("type", {"type": "KING"}),
    ],
)
def test_what_cannot_be_true_of_an_agency_is_refused_at_its_place(field, wrong, keeper, cast):
    before = PartnerAgency.objects.filter(pk=cast.agency.pk).values().get()
    answer = save(keeper, cast.agency, name="Nytt namn", **wrong)
    assert answer.status_code == 422 and list(answer.context["form"].errors) == [field]
    assert 'value="Nytt namn"' in answer.content.decode()
    assert PartnerAgency.objects.filter(pk=cast.agency.pk).values().get() == before


@pytest.mark.parametrize("number", ["", "112", "114 14", "1177", "116 111", "0500-49 80 00", "+46 10 456 30 00"])
def test_numbers_that_can_be_called_are_kept_as_they_are_written(number, keeper, cast):
    assert save(keeper, cast.agency, phone=number).status_code == 302
    assert PartnerAgency.objects.get(pk=cast.agency.pk).phone == number


def test_an_action_refuses_what_a_form_would_have_refused(cast):
    def change(**facts):
        with pytest.raises(Refused) as refused:
            save_agency(
                by=cast.keeper, agency=cast.agency, facts=facts, municipalities=[cast.unit.municipality], hours={}
            )
        return refused.value.at

    assert change(minimum_age=30, maximum_age=20) == "maximum_age"
    assert change(needs=["money"]) == "needs" and change(languages=["klingon"]) == "languages"
    assert change(verified_on=clock.today() + dt.timedelta(days=1)) == "verified_on"
    assert change(phone="x") == "phone" and change(type="KING") == "type"


def test_one_that_is_not_in_use_yet_can_be_added(keeper, cast):
    data = {"name": "Framtiden", "type": "EXIT", "nationwide": "on"}
    assert keeper.post(reverse("keeper:agency-add"), data).status_code == 302
    assert not PartnerAgency.objects.get(name="Framtiden").is_active


# -- is it still true? ---


def test_what_nobody_has_checked_for_a_year_is_listed_and_checked_by_a_button(keeper, cast):
    PartnerAgency.objects.update(verified_on=clock.today() - dt.timedelta(days=364))
    page = reverse("keeper:agency-list")
    assert "not been checked" not in keeper.get(page).content.decode()
    assert keeper.get(page, {"show": "check"}).context["agencies"] == []
    PartnerAgency.objects.filter(pk=cast.agency.pk).update(verified_on=clock.today() - dt.timedelta(days=365))
    PartnerAgency.objects.filter(pk=cast.other_agency.pk).update(verified_on=None)
    PartnerAgency.objects.filter(type="SAPO").update(verified_on=None, is_active=False)
    shown = keeper.get(page, {"show": "check"})
    assert shown.context["agencies"] == [cast.other_agency, cast.agency]  # what was never checked first
    assert "2 agencies have not been checked" in shown.content.decode()
    url = reverse("keeper:agency-verify", args=[cast.agency.pk])
    assert "This is true today" in keeper.get(reverse("keeper:agency-edit", args=[cast.agency.pk])).content.decode()
    for _ in range(2):
        assert keeper.post(url).headers["Location"] == f"{page}?show=check"
    cast.agency.refresh_from_db()
    assert cast.agency.verified_on == clock.today()
    row = LogEntry.objects.get(event="agency.verified")
    assert (row.user, row.row) == (cast.keeper, str(cast.agency.pk))
    assert "This is true today" not in keeper.get(reverse("keeper:agency-edit", args=[cast.agency.pk])).content.decode()


def test_who_may_say_that_it_is_true(cast, client_of):
    url = reverse("keeper:agency-verify", args=[cast.agency.pk])
    for who, user in cast.everybody().items():
        assert client_of(user).get(url).status_code == (405 if who == "keeper" else 403), who
        if who != "keeper":
            assert client_of(user).post(url).status_code == 403, who
    cast.agency.refresh_from_db()
    assert cast.agency.verified_on is None


def asked(keeper):
    return Notice.objects.filter(user=keeper, kind="agency.verify").order_by("created_at", "pk")


def test_a_keeper_is_asked_once_a_year_about_each_and_gets_one_mail_a_day(cast):
    PartnerAgency.objects.update(verified_on=clock.today())
    PartnerAgency.objects.filter(pk__in=[cast.agency.pk, cast.other_agency.pk]).update(
        verified_on=clock.today() - dt.timedelta(days=365)
    )
    assert ask_to_verify() == 2
    assert ask_to_verify() == 0
    connection.check_constraints()
    assert {notice.about for notice in asked(cast.keeper)} == {str(cast.agency.pk), str(cast.other_agency.pk)}
    assert sorted(notice.mail for notice in asked(cast.keeper)) == ["none", "ready"]
    assert not Notice.objects.exclude(user=cast.keeper).filter(kind="agency.verify").exists()
    for days, expected in [(1, 2), (364, 2), (366, 4), (730, 4)]:
        with clock.at(clock.now() + dt.timedelta(days=days)):
            PartnerAgency.objects.exclude(pk__in=[cast.agency.pk, cast.other_agency.pk]).update(
                verified_on=clock.today()
            )
            ask_to_verify()
            assert asked(cast.keeper).count() == (expected if days < 730 else 6), days


def test_what_was_checked_meanwhile_is_not_asked_about(cast):
    PartnerAgency.objects.update(verified_on=clock.today())
    assert ask_to_verify() == 0
    PartnerAgency.objects.filter(pk=cast.agency.pk).update(verified_on=None)
    assert ask_to_verify() == 1 and ask_to_verify() == 0
    verify_agency(by=cast.keeper, agency=cast.agency)
    with clock.at(clock.now() + dt.timedelta(days=200)):
        assert ask_to_verify() == 0


def test_the_mail_of_it_names_no_agency(cast, mailoutbox):
    PartnerAgency.objects.update(verified_on=clock.today())
    PartnerAgency.objects.filter(pk=cast.agency.pk).update(verified_on=None)
    ask_to_verify()
    deliver_mail()
    [mail] = [mail for mail in mailoutbox if mail.to == [cast.keeper.email]]
    assert cast.agency.name not in mail.body + mail.subject


def test_beat_asks_every_day():
    from django.conf import settings

    assert settings.CELERY_BEAT_SCHEDULE["verify"]["task"] == "referrals.tasks.verify"


# -- the file for others ---


def test_the_file_is_taken_by_the_keeper_alone_and_logged(keeper, cast, client_of):
    PartnerAgency.objects.filter(pk=cast.other_agency.pk).update(is_confidential=True)
    url = reverse("keeper:agency-export")
    answer = keeper.post(url)
    assert (
        answer.headers["Content-Disposition"].startswith("attachment") and answer.headers["Cache-Control"] == "no-store"
    )
    names = [one["name"] for one in answer.json()["contents"]]
    assert cast.agency.name in names and cast.other_agency.name not in names
    assert LogEntry.objects.get(event="directory.exported").user == cast.keeper
    for who, user in cast.everybody().items():
        if who != "keeper":
            assert client_of(user).post(url).status_code == 403, who
    assert keeper.get(url).status_code == 405


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("", []),
        ("08.00-12.00, 13.00-16.30", [(8, 0, 12, 0), (13, 0, 16, 30)]),
        ("8-12;13-16:30", [(8, 0, 12, 0), (13, 0, 16, 30)]),
        ("08.00 – 16.30", [(8, 0, 16, 30)]),
        ("00.00-24.00", [(0, 0, 23, 59)]),
    ],
)
def test_hours_are_read_as_people_write_them(written, read):
    shifts = HoursField(required=False).clean(written)
    assert [(opens.hour, opens.minute, closes.hour, closes.minute) for opens, closes in shifts] == read
    if written:
        assert HoursField().to_python(HoursField().prepare_value(shifts)) == shifts


@pytest.mark.parametrize(
    "wrong", ["all day", "25.00-26.00", "16-8", "8-12, 11-13", "13-16, 8-12", "8.75-9", "٨-١٢", "8-12-13"]
)
def test_hours_that_cannot_be_are_refused(wrong, cast):
    form = AgencyForm({**agency_facts(cast.agency), "day_0": wrong}, instance=cast.agency)
    assert list(form.errors) == ["day_0"]


# -- legal grounds ---


def switch(client, code="GENERAL_2025", on="yes", word="switch on", municipality="1496"):
    data = {"municipality": municipality, "code": code, "on": on, "word": word}
    return client.post(reverse("keeper:grounds"), data)


def test_the_whole_table_is_shown_for_the_municipality_of_a_unit(keeper, cast):
    page = keeper.get(reverse("keeper:grounds"), {"municipality": "1493"}).content.decode()
    assert page.count('class="ground"') == 18 and "Mariestad" in page and "OSL 10:18 a" in page
    assert "In force from 2025-12-01." in page and "Default: off." in page
    assert "Falköping" not in page  # no unit there


def test_a_ground_is_switched_on_by_its_word_and_only_there(keeper, cast):
    assert switch(keeper).status_code == 302
    assert "GENERAL_2025" in GroundSetting.switched_on("1496")
    assert "GENERAL_2025" not in GroundSetting.switched_on("1493")
    assert GroundSetting.objects.get().decided_by == cast.keeper
    row = LogEntry.objects.get(event="ground.switched")
    assert (row.user, row.row, row.codes) == (cast.keeper, "GENERAL_2025", {"on": True, "municipality": "1496"})
    switch(keeper)
    assert GroundSetting.objects.count() == 1
    assert switch(keeper, on="no", word=" Switch OFF ").status_code == 302
    assert "GENERAL_2025" not in GroundSetting.switched_on("1496")


@pytest.mark.parametrize(
    "wrong", [{"word": ""}, {"word": "switch off"}, {"code": "NONE"}, {"municipality": "1499"}, {"on": "maybe"}]
)
def test_a_ground_is_not_switched_by_mistake(wrong, keeper, cast):
    assert switch(keeper, **wrong).status_code == 422
    assert not GroundSetting.objects.exists() and not LogEntry.objects.filter(event="ground.switched").exists()


def test_there_may_be_no_unit_yet(keeper, cast):
    cast.everybody()
    User.objects.exclude(unit=None).update(unit=None, role="keeper")
    cast.unit.delete()
    cast.other_unit.delete()
    assert "There is no unit yet." in keeper.get(reverse("keeper:grounds")).content.decode()
    assert Municipality.objects.exists()
