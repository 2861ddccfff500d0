"""The point of the second wall: a fault in a view shows nothing of another agency. And without the wall it would."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from helpline.people import wall
from helpline.people.models import LogEntry
from referrals import gate, portal_parts
from referrals.actions.pre_questions import ask_first, open_answers
from referrals.models import AgencyMember, Referral
from referrals.models.referrals import ReferralQuerySet
from referrals.views import agency_people, portal, portal_page, pre_questions

pytestmark = pytest.mark.django_db
WALLS = [True, False]


@pytest.fixture(params=WALLS, ids=["with the wall", "with the wall taken out"])
def stands(request, monkeypatch) -> bool:
    if not request.param:
        monkeypatch.setattr(wall, "stands", lambda: False)
    return bool(request.param)


@pytest.fixture
def theirs(cast, make_referral, make_case) -> Referral:
    """A handover to another agency."""
    made = {"agency": cast.other_agency, "need": "exit_support", "about": "Secret of the other agency."}
    return make_referral("accepted", by=cast.stranger, case=make_case(by=cast.stranger), **made)


@pytest.fixture
def faulty(monkeypatch) -> None:
    """Somebody has broken the querysets: every handover is everybody's."""
    for name in ("for_agency_of", "lately_ended_for"):
        monkeypatch.setattr(ReferralQuerySet, name, lambda self, user: self.all())
    answered = {"comments__answered_at__isnull": False}
    monkeypatch.setattr(ReferralQuerySet, "answered_for", lambda self, user: self.filter(**answered))
    monkeypatch.setattr(ReferralQuerySet, "to_confirm_by", lambda self, user: self.filter(state="withdrawn"))


def body(answer) -> str:
    return answer.content.decode()


def test_a_gate_that_lets_everything_through(stands, faulty, theirs, make_referral, client_of, cast):
    own, client = make_referral("accepted"), client_of(cast.partner)
    assert client.get(f"/portal/{own.pk}/").status_code == 200
    answer = client.get(f"/portal/{theirs.pk}/")
    assert answer.status_code == (404 if stands else 200)
    assert ("Secret of the other agency." in body(answer)) is not stands
    inbox = body(client.get("/portal/"))
    assert str(own.pk) in inbox and (str(theirs.pk) in inbox) is not stands


def test_what_is_not_theirs_and_what_is_not_there_answer_alike(faulty, theirs, client_of, cast):
    client = client_of(cast.partner)
    absent = str(theirs.pk)[:-4] + ("0000" if str(theirs.pk)[-4:] != "0000" else "1111")
    pages = [client.get(f"/portal/{pk}/") for pk in (theirs.pk, absent)]
    assert [page.status_code for page in pages] == [404, 404]
    assert body(pages[0]).replace(str(theirs.pk), "x") == body(pages[1]).replace(absent, "x")


def test_a_gate_that_reads_what_it_is_asked_for(stands, monkeypatch, theirs, client_of, cast):
    """Not even a queryset: the row, by the number of the address."""

    def anything(request, pk):
        return wall.as_granted(Referral.objects.filter(pk=pk), "case", "case__key", "case__unit", "agency").first()

    monkeypatch.setattr(gate, "handed", anything)
    answer = client_of(cast.partner).get(f"/portal/{theirs.pk}/")
    assert answer.status_code == (404 if stands else 200)


@pytest.mark.parametrize("act", ["accept", "decline", "message", "comment", "fail"])
def test_nothing_is_done_to_anothers_handover(stands, faulty, act, theirs, client_of, cast):
    data = {"text": "Mine now.", "reason": "did_not_help", "handled_by": "F", "suggested": "unknown"}
    before = (theirs.changes.count(), theirs.messages.count(), theirs.comments.count())
    answer = client_of(cast.partner).post(f"/portal/{theirs.pk}/{act}/", data)
    after = (theirs.changes.count(), theirs.messages.count(), theirs.comments.count())
    if stands:
        assert answer.status_code == 404 and after == before
    else:
        assert answer.status_code != 404


def test_who_was_first_is_not_told_of_anothers(stands, monkeypatch, theirs, client_of, cast):
    """The door for words that came too late, broken: it forgets whose it was."""
    monkeypatch.setattr(gate, "agency_of", lambda user: cast.other_agency)
    answer = client_of(cast.partner).post(f"/portal/{theirs.pk}/decline/", {"text": "No."})
    assert answer.status_code == (404 if stands else 409)


def test_a_list_of_questions_that_forgets_whose_they_are(stands, monkeypatch, make_case, client_of, cast):
    case = make_case()
    asked = {"need": "child_protection", "age_band": "15-17", "by": cast.caseworker, "case": case}
    ask_first(agencies=[cast.agency], **asked)
    ask_first(agencies=[cast.other_agency], **asked)
    for module in (portal_parts, pre_questions, portal_page):
        monkeypatch.setattr(module, "questions_for", lambda agency: list(open_answers()))
    page = body(client_of(cast.partner).get("/portal/questions/"))
    assert page.count('id="question-') == (1 if stands else 2)


def test_a_page_of_people_that_forgets_whose_they_are(stands, monkeypatch, client_of, cast):
    AgencyMember.objects.filter(user=cast.partner).update(is_manager=True)

    class Everybody:
        @staticmethod
        def all():
            return AgencyMember.objects.all()

    real = agency_people.own_member

    def broken(request, **rest):
        me = real(request, **rest)
        monkeypatch.setattr(type(me.agency), "members", Everybody, raising=False)
        return me

    monkeypatch.setattr(agency_people, "own_member", broken)
    page = body(client_of(cast.partner).get("/portal/people/"))
    assert cast.partner.first_name in page and (cast.other_partner.first_name in page) is not stands


def test_an_action_of_ours_that_a_faulty_view_calls_shows_nothing(monkeypatch, theirs, client_of, cast):
    """The gate is left out altogether: the act is done beyond the wall, but what is shown is read behind it."""
    monkeypatch.setattr(
        portal, "portal_referral_for", lambda request, pk: Referral(pk=theirs.pk, case_id=theirs.case_id)
    )
    answer = client_of(cast.partner).get(f"/portal/{theirs.pk}/", follow=False)
    assert "Secret of the other agency." not in body(answer)


# -- what is lost by it: nothing ---------------------------------------------------------------------------------------


def test_a_reading_is_logged_once_and_the_page_is_whole(make_referral, client_of, cast):
    own = make_referral("accepted", about="A pupil.")
    page = client_of(cast.partner).get(f"/portal/{own.pk}/")
    assert page.status_code == 200 and "A pupil." in body(page)
    assert LogEntry.objects.filter(event="referral.read", row=str(own.pk), user=cast.partner).count() == 1


def test_names_of_others_stand_where_one_says_who_could_help_instead(make_referral, client_of, cast):
    own = make_referral("opened")
    assert cast.other_agency.name in body(client_of(cast.partner).get(f"/portal/{own.pk}/"))


def test_a_name_that_somebody_elsewhere_has_is_taken(client_of, cast):
    AgencyMember.objects.filter(user=cast.partner).update(is_manager=True)
    facts = {"first_name": "A", "last_name": "B", "email": "a@example.com", "username": cast.keeper.username.upper()}
    answer = client_of(cast.partner).post("/portal/people/add/", facts)
    assert answer.status_code == 422 and "already an account" in body(answer)


def queries(client, url: str) -> list[str]:
    with CaptureQueriesContext(connection) as caught:
        assert client.get(url).status_code == 200
    return [row["sql"] for row in caught]


def test_the_wall_costs_a_page_its_steps_in_and_out_and_no_other_query(monkeypatch, make_referral, client_of, cast):
    own, client = make_referral("accepted"), client_of(cast.partner)
    wall.stands()
    for url, most in {"/portal/": 2, f"/portal/{own.pk}/": 8, "/portal/agency/": 4}.items():
        client.get(url)
        inside = queries(client, url)
        with monkeypatch.context() as without:
            without.setattr(wall, "stands", lambda: False)
            outside = queries(client, url)
        steps = [sql for sql in inside if "set_config" in sql]
        savepoints = [sql for sql in inside if "SAVEPOINT" in sql]
        assert len(steps) <= most, url
        assert len(inside) - len(steps) - len(savepoints) <= len(outside), url


def test_a_member_of_an_agency_that_is_switched_off_stands_nowhere(client_of, cast, make_referral, faulty):
    own = make_referral("opened")
    cast.agency.is_active = False
    cast.agency.save()
    assert client_of(cast.partner).get(f"/portal/{own.pk}/").status_code == 404
