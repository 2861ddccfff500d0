"""Ask before you promise: what is asked, by a link that is answered once, in the portal, and what the owner sees of it."""

import datetime as dt
import re
import threading

import pytest
from django.conf import settings
from django.core import mail, signing
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.utils import translation

from helpline.people import clock
from helpline.people.errors import Refused, TooLate
from helpline.people.models import LogEntry, Notice
from helpline.people.notices import deliver_mail
from intake import actions as intake_actions
from intake.models import Event
from intake.spoken import Spoken
from referrals.actions.pre_questions import AT_MOST, answer_behind, answer_first, ask_first, police_areas, token_of
from referrals.models import AgencyMember, OpeningHours, PartnerAgency, PreAnswer, PreQuestion, Referral

NEED = "child_protection"
ASKED = {"need": NEED, "age_band": "15-17", "police_area": "Östra Skaraborg"}


@pytest.fixture(autouse=True)
def no_rate_left(reference):
    cache.clear()


@pytest.fixture
def case(make_case):
    return make_case()


@pytest.fixture
def ask(case, cast):
    """Ask these agencies; without any, cast.agency."""

    def do(*agencies, **rest) -> PreQuestion:
        made = ask_first(by=cast.caseworker, case=case, agencies=agencies or [cast.agency], **{**ASKED, **rest})
        connection.check_constraints()
        return made

    return do


@pytest.fixture
def answer(ask) -> PreAnswer:
    """What cast.agency was asked."""
    return ask().answers.get()


def link(answer) -> str:
    return f"/portal/pre/{token_of(answer)}/"


def fresh(answer) -> PreAnswer:
    return PreAnswer.objects.get(pk=answer.pk)


def page(case) -> str:
    return f"/cases/{case.slug}/ask-first/"


# -- asked -------------------------------------------------------------------------------------------------------------


def test_a_question_holds_codes_alone_and_an_answer_row_an_agency(ask, case, cast):
    question = ask(cast.agency, cast.other_agency)
    assert (question.case_id, question.need, question.age_band, question.police_area, question.asked_by) == (
        *(case.pk, NEED, "15-17", "Östra Skaraborg", cast.caseworker),
    )
    assert {row.agency for row in question.answers.all()} == {cast.agency, cast.other_agency}
    assert len({row.nonce for row in question.answers.all()}) == 2
    assert all(row.answer == "" and row.used_at is None for row in question.answers.all())


def test_asking_is_a_line_in_the_timeline_and_a_row_in_the_log_without_names(ask, case, cast):
    question = ask(cast.agency, cast.other_agency)
    titles = {event.title for event in Event.objects.filter(case=case, kind="pre.asked")}
    assert titles == {f"Asked without a name: {cast.agency}", f"Asked without a name: {cast.other_agency}"}
    rows = LogEntry.objects.filter(event="pre.asked", case=case.pk, user=cast.caseworker)
    assert {row.row for row in rows} == {str(row.pk) for row in question.answers.all()}
    assert not any("agency" in row.codes or str(cast.agency) in str(row.codes) for row in rows)


def test_asking_leaves_the_steps_and_the_owner_as_they_were(ask, case):
    before = (case.next_due_at, case.owner_id, case.steps.planned().count())
    ask()
    case.refresh_from_db()
    assert (case.next_due_at, case.owner_id, case.steps.planned().count()) == before


def test_the_mailbox_and_the_members_are_told_each_once(ask, cast):
    answer = ask().answers.get()
    told = Notice.objects.filter(kind="pre.asked", about=str(answer.pk))
    assert {(row.user_id, row.address) for row in told} == {(None, cast.agency.mailbox), (cast.partner.pk, "")}
    assert all(row.case is None for row in told)


@pytest.mark.parametrize(
    "slip",
    [{"need": "money"}, {"age_band": "16"}, {"police_area": "Storgatan 1"}, {"need": ""}, {"age_band": "He is 16."}],
)
def test_nothing_but_codes_of_the_lists_can_be_asked(ask, slip):
    with pytest.raises(Refused):
        ask(**slip)
    assert not PreQuestion.objects.exists()


def test_the_areas_are_those_of_the_data_and_wider_than_a_municipality(reference):
    assert police_areas() == ["Västra Skaraborg", "Östra Skaraborg"] or set(police_areas()) == {
        "Västra Skaraborg",
        "Östra Skaraborg",
    }


def test_practice_asks_nobody(make_call, cast):
    call = intake_actions.start_call(by=cast.caseworker, is_practice=True)
    facts = {"caller_type": "relative", "urgency": "NORMAL", "urgency_reason": "x", "actualisation": "no"}
    facts |= {"actualisation_reason": "Practice.", "wants_case": True}
    call = intake_actions.save_call(by=cast.caseworker, call=call, facts=facts, answers={}, notes={})
    call = intake_actions.complete_call(by=cast.caseworker, call=call)
    assert call.case is not None and call.case.is_practice
    with pytest.raises(Refused, match="practice"):
        ask_first(by=cast.caseworker, case=call.case, agencies=[cast.agency], **ASKED)
    assert not Notice.objects.filter(kind="pre.asked").exists()


def test_a_closed_case_asks_nobody(ask, case, cast):
    intake_actions.finish_step(by=cast.caseworker, step=case.steps.planned().get(), close="needs_met")
    with pytest.raises(Refused, match="closed"):
        ask()


@pytest.mark.parametrize(
    "facts, why",
    [
        ({"is_active": False}, "takes no questions"),
        ({"mailbox": ""}, "Nobody at"),
        ({"mailbox": "", "sdk_address": "0203:1"}, "Nobody at"),  # a letter by hand is not an anonymous link
        ({"type": "NGO_LINE"}, "takes no questions"),
    ],
)
def test_who_cannot_be_asked(ask, cast, facts, why):
    AgencyMember.objects.filter(agency=cast.agency).delete()
    PartnerAgency.objects.filter(pk=cast.agency.pk).update(**facts)
    with pytest.raises(Refused, match=why):
        ask(PartnerAgency.objects.get(pk=cast.agency.pk))
    assert not PreQuestion.objects.exists()


def test_an_agency_that_is_only_consulted_can_be_asked(ask):
    assert ask(PartnerAgency.objects.get(type="CVE"), need="professional_advice").answers.count() == 1


def test_at_least_one_and_at_most_five(ask, cast, case):
    with pytest.raises(Refused, match="at least one"):
        ask_first(by=cast.caseworker, case=case, agencies=[], **ASKED)
    six = list(PartnerAgency.objects.filter(type="SOC_CHILD").order_by("pk")[: AT_MOST + 1])
    with pytest.raises(Refused, match="at most 5"):
        ask(*six)
    assert ask(*six[:AT_MOST]).answers.count() == AT_MOST


def test_asking_twice_asks_once(ask, cast):
    ask()
    with pytest.raises(TooLate, match="asked already"):
        ask()
    second = ask(cast.agency, cast.other_agency)  # who waits is left out
    assert [row.agency for row in second.answers.all()] == [cast.other_agency]
    assert PreQuestion.objects.count() == 2


def test_who_has_answered_or_let_it_run_out_can_be_asked_again(ask, answer):
    answer_first(by=None, answer=answer, said="no")
    again = ask().answers.get()
    with clock.at(again.expires_at + dt.timedelta(minutes=1)):
        assert ask().answers.count() == 1


@pytest.mark.parametrize(
    "urgency, by, until",
    [
        ("AKUT", "2026-11-25 12:00", "2026-11-26 12:00"),
        ("BRADSKANDE", "2026-11-26 12:00", "2026-11-27 12:00"),
        ("NORMAL", "2026-11-30 16:00", "2026-12-01 16:00"),
    ],
)
def test_the_answer_is_wanted_by_the_urgency_and_the_link_ends_a_day_later(make_case, cast, at, urgency, by, until):
    with at("2026-11-25 10:00"):
        case = make_case(urgency=urgency)
        question = ask_first(by=cast.caseworker, case=case, agencies=[cast.agency], **ASKED)
    said = [
        clock.local_time(moment).strftime("%Y-%m-%d %H:%M")
        for moment in (question.answer_by, question.answers.get().expires_at)
    ]
    assert said == [by, until]


def test_the_link_lives_at_the_longest_a_week_and_never_ends_before_the_answer_is_wanted(make_case, cast, at):
    OpeningHours.objects.filter(agency=cast.agency).delete()
    OpeningHours.objects.create(agency=cast.agency, weekday=1, opens="08:00", closes="09:00")  # an hour a week
    with at("2026-12-22 10:00"):
        case = make_case(urgency="NORMAL")
        question = ask_first(by=cast.caseworker, case=case, agencies=[cast.agency], **ASKED)
        answer = question.answers.get()
        assert answer.expires_at >= question.answer_by
        assert answer.expires_at <= max(question.answer_by, clock.now() + dt.timedelta(days=7))


# -- the mail ----------------------------------------------------------------------------------------------------------


def test_the_mail_holds_a_link_and_not_a_word(ask, cast):
    mail.outbox.clear()
    answer = ask().answers.get()
    deliver_mail()
    sent = [one for one in mail.outbox if cast.agency.mailbox in one.to]
    assert len(sent) == 1
    assert link(answer) in sent[0].body
    text = f"{sent[0].subject} {sent[0].body}".lower()
    for word in (
        "child",
        "barn",
        "15",
        "skydd",
        "skaraborg",
        str(answer.question.case.number).lower(),
        "anna",
        "extrem",
    ):
        assert word not in text.replace(link(answer).lower(), ""), word


def test_the_link_is_stored_nowhere(answer):
    token = token_of(answer)
    for model in (PreAnswer, PreQuestion, Notice, LogEntry, Event):
        for row in model.objects.values():
            assert token not in str(row)
    assert token.rsplit(".", 1)[1] not in str(list(PreAnswer.objects.values()))


# -- the link ----------------------------------------------------------------------------------------------------------


def test_the_page_of_the_link_shows_the_question_and_nothing_that_identifies(answer, case, cast):
    shown = Client().get(link(answer))
    html = shown.content.decode()
    assert shown.status_code == 200
    for word in ("Skydd för barn", "15–17 år", "Östra Skaraborg"):
        assert word in html
    for word in (case.number, case.slug, str(cast.unit), "Falköping", "anna", str(case.pk), "SKYNDSAM", "Skyndsam"):
        assert word not in html, word


@pytest.mark.parametrize("method", ["get", "head", "options"])
def test_opening_uses_nothing_up(answer, method):
    for _again in range(3):
        getattr(Client(), method)(link(answer))
    assert fresh(answer).used_at is None
    assert Client().post(link(answer), {"said": "yes"}).status_code == 200
    assert fresh(answer).answer == "yes"


def test_no_cookie_no_store_no_index_no_referrer(answer):
    for path in (link(answer), "/portal/pre/nothing/"):
        shown = Client().get(path)
        assert not shown.cookies
        assert shown.headers["Cache-Control"] == "no-store"
        assert shown.headers["Referrer-Policy"] == "no-referrer"
        assert "noindex" in shown.headers["X-Robots-Tag"]
        assert "<script" not in shown.content.decode()
    thanks = Client().post(link(answer), {"said": "no"})
    assert not thanks.cookies and thanks.headers["Referrer-Policy"] == "no-referrer"


def test_a_browser_that_checks_forms_answers_without_a_session(answer):
    strict = Client(enforce_csrf_checks=True)
    assert strict.post(link(answer), {"said": "yes"}, headers={"origin": "null"}).status_code == 200
    assert fresh(answer).answer == "yes"


@pytest.mark.parametrize(
    "said, day, kept", [("yes", "2026-12-01", True), ("maybe", "", False), ("no", "2026-12-01", False)]
)
def test_an_answer_and_from_when(answer, cast, at, said, day, kept):
    with at("2026-11-25 10:00"):
        PreAnswer.objects.filter(pk=answer.pk).update(expires_at=clock.now() + dt.timedelta(hours=1))
        assert Client().post(link(answer), {"said": said, "can_from": day}).status_code == 200
        connection.check_constraints()
        row = fresh(answer)
        assert (row.answer, row.can_from, row.answered_by) == (said, dt.date(2026, 12, 1) if kept else None, None)
        assert row.answered_at == row.used_at == clock.now()


@pytest.mark.parametrize(
    "slip",
    [{"said": ""}, {"said": "perhaps"}, {"said": "yes", "can_from": "soon"}, {"said": "yes", "can_from": "2020-01-01"}],
)
def test_an_answer_that_is_none_comes_back_and_uses_nothing_up(answer, slip):
    shown = Client().post(link(answer), slip)
    assert shown.status_code == 422
    assert fresh(answer).used_at is None
    assert Client().get(link(answer)).status_code == 200


def _used(answer):
    answer_first(by=None, answer=answer, said="no")


def _run_out(answer):
    PreAnswer.objects.filter(pk=answer.pk).update(expires_at=clock.now() - dt.timedelta(seconds=1))


def _switched_off(answer):
    PartnerAgency.objects.filter(pk=answer.agency_id).update(is_active=False)


def _closed(answer):
    case = answer.question.case
    intake_actions.finish_step(by=case.owner, step=case.steps.planned().get(), close="needs_met")


def _new_secret(answer):
    PreAnswer.objects.filter(pk=answer.pk).update(nonce="0" * 32)


@pytest.mark.parametrize("spoil", [_used, _run_out, _switched_off, _closed, _new_secret])
def test_a_link_that_is_over_says_the_same_whatever_the_reason(answer, spoil):
    nothing = Client().get("/portal/pre/nothing/")
    spoil(answer)
    before = PreAnswer.objects.values().get(pk=answer.pk)
    for shown in (Client().get(link(answer)), Client().post(link(answer), {"said": "yes"})):
        assert (shown.status_code, shown.content) == (404, nothing.content)
    assert PreAnswer.objects.values().get(pk=answer.pk) == before


def _forged(answer) -> list[str]:
    token = token_of(answer)
    body, signature = token.rsplit(".", 1)
    pk, nonce = body.split("-")
    other = signing.Signer(salt="referrals.look", sep=".").sign(body)
    return [
        *("x", "..", "-", "a" * 3000, "%00", "%F0%9F%98%80", f"{answer.pk}", f"{answer.pk.hex}-{nonce}"),
        *(
            f"{body}.{signature[:-1]}",
            f"{body}.{signature}x",
            f"{body}.",
            f".{signature}",
            f"{pk}-{'0' * 32}.{signature}",
        ),
        *(other, token.upper(), token + "/.."),
        signing.Signer(salt="referrals.pre", sep=".", key="another").sign(body),
        signing.dumps({"pk": pk, "nonce": nonce}),
    ]


def test_hostile_links_lead_nowhere_and_tell_nothing_apart(answer):
    nothing = Client().get("/portal/pre/nothing/").content
    for token in _forged(answer):
        for method in ("get", "post"):
            shown = getattr(Client(), method)(f"/portal/pre/{token}/", {"said": "yes"} if method == "post" else {})
            assert shown.status_code == 404, token
            if "/.." not in token:
                assert shown.content == nothing, token
    # signed by us, but of no row, and no uuid at all
    for body in (f"{'0' * 32}-{answer.nonce}", "no-uuid", "a-b-c", "", "\0-x"):
        token = signing.Signer(salt="referrals.pre", sep=".").sign(body)
        assert answer_behind(token) is None, body
    assert fresh(answer).used_at is None


def test_one_link_answers_its_own_agency_alone(ask, cast):
    question = ask(cast.agency, cast.other_agency)
    mine = question.answers.get(agency=cast.agency)
    Client().post(link(mine), {"said": "yes"})
    assert fresh(question.answers.get(agency=cast.other_agency)).answer == ""


def test_many_openings_from_one_place_are_asked_to_wait_and_use_nothing_up(answer):
    client = Client()
    answers = [client.get(link(answer)).status_code for _again in range(62)]
    assert (set(answers[:60]), answers[-1]) == ({200}, 429), answers
    late = client.post(link(answer), {"said": "yes"})
    assert late.status_code == 429 and late.headers["Retry-After"] == "60"
    assert fresh(answer).used_at is None
    assert Client(REMOTE_ADDR="10.9.8.7").get(link(answer)).status_code == 200


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("times", range(3))
def test_of_two_answers_by_the_same_link_at_once_one_wins(make_case, cast, times):
    case = make_case()
    answer = ask_first(by=cast.caseworker, case=case, agencies=[cast.agency], **ASKED).answers.get()
    barrier, said = threading.Barrier(2), []

    def post(word: str) -> None:
        translation.activate("en")
        try:
            barrier.wait(timeout=10)
            said.append(
                (word, Client(REMOTE_ADDR=f"10.0.0.{len(word)}").post(link(answer), {"said": word}).status_code)
            )
        finally:
            connection.close()

    threads = [threading.Thread(target=post, args=[word]) for word in ("yes", "no")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert sorted(status for _word, status in said) == [200, 404]
    winner = next(word for word, status in said if status == 200)
    assert fresh(answer).answer == winner
    assert Event.objects.filter(case=case, kind="pre.answered").count() == 1
    assert Notice.objects.filter(kind="pre.answered", user=cast.caseworker).count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_that_ask_the_same_at_once_one_asks(make_case, cast):
    case = make_case()
    barrier, said = threading.Barrier(2), []

    def go() -> None:
        translation.activate("en")
        try:
            barrier.wait(timeout=10)
            ask_first(by=cast.caseworker, case=case, agencies=[cast.agency], **ASKED)
            said.append("asked")
        except TooLate:
            said.append("late")
        finally:
            connection.close()

    threads = [threading.Thread(target=go) for _one in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert sorted(said) == ["asked", "late"]
    assert PreAnswer.objects.count() == 1


# -- the portal --------------------------------------------------------------------------------------------------------


def test_the_portal_lists_what_waits_for_ones_own_agency(client_of, cast, answer):
    shown = client_of(cast.partner).get("/portal/questions/")
    assert [row for row, _form in shown.context["rows"]] == [answer]
    assert "Protection of a child" in shown.content.decode()
    assert client_of(cast.other_partner).get("/portal/questions/").context["rows"] == []


def test_an_answer_in_the_portal_says_who_and_ends_the_link(client_of, cast, answer):
    client = client_of(cast.partner)
    sent = client.post(f"/portal/questions/{answer.pk}/", {"said": "maybe", "can_from": ""})
    connection.check_constraints()
    assert sent.headers["Location"] == "/portal/questions/"
    assert (fresh(answer).answer, fresh(answer).answered_by) == ("maybe", cast.partner)
    assert Client().get(link(answer)).status_code == 404
    again = client.post(f"/portal/questions/{answer.pk}/", {"said": "no"}, follow=True)
    assert "answered before" in again.content.decode() and fresh(answer).answer == "maybe"


def test_an_answer_that_is_refused_comes_back_at_its_place(client_of, cast, answer):
    shown = client_of(cast.partner).post(f"/portal/questions/{answer.pk}/", {"said": "yes", "can_from": "2020-01-01"})
    assert shown.status_code == 422
    assert "2020-01-01" in shown.content.decode() and "Choose a day from today on" in shown.content.decode()
    assert fresh(answer).answer == ""


def test_who_may_answer(client_of, cast, answer):
    path = f"/portal/questions/{answer.pk}/"
    expected = {"other_partner": 404, "caseworker": 403, "manager": 403, "keeper": 403, "stranger": 403}
    for name, status in expected.items():
        assert client_of(cast.everybody()[name]).post(path, {"said": "yes"}).status_code == status, name
    assert Client().post(path, {"said": "yes"}).status_code in (302, 403)
    assert client_of(cast.partner).get(path).status_code == 405
    assert fresh(answer).answer == ""


def test_police_have_no_list_and_answer_by_the_link(client_of, cast, ask):
    police = PartnerAgency.objects.filter(type="POLICE_LOCAL").first()
    AgencyMember.objects.filter(user=cast.partner).update(agency=police)
    answer = ask(police, need="crime_prevention").answers.get()
    client = client_of(cast.partner)
    assert client.get("/portal/questions/").status_code == 404
    assert client.post(f"/portal/questions/{answer.pk}/", {"said": "yes"}).status_code == 404
    assert "Brott" not in client.get("/portal/").content.decode()
    assert Client().post(link(answer), {"said": "yes"}).status_code == 200


# -- what the owner sees -----------------------------------------------------------------------------------------------


def test_the_owner_hears_and_the_timeline_and_the_log_say_so(answer, case, cast):
    answer_first(by=None, answer=answer, said="yes", can_from=clock.today() + dt.timedelta(days=2))
    [event] = Event.objects.filter(case=case, kind="pre.answered")
    assert event.title == f"{cast.agency} says Yes" and event.by is None
    assert Notice.objects.get(kind="pre.answered").user == cast.caseworker
    row = LogEntry.objects.get(event="pre.answered")
    assert (row.case, row.row, row.codes) == (case.pk, str(answer.pk), {"agency_id": cast.agency.pk, "said": "can_yes"})


def test_who_stands_in_hears_in_the_owners_place(answer, case, cast):
    from helpline.people.absences import save_absence

    today = clock.today()
    save_absence(by=cast.caseworker, user=cast.caseworker, deputy=cast.colleague, first_day=today, last_day=today)
    answer_first(by=None, answer=answer, said="no")
    assert {row.user for row in Notice.objects.filter(kind="pre.answered")} >= {cast.colleague}


def test_the_case_shows_who_can_and_who_has_not_answered(client_of, cast, ask, case):
    agencies = list(PartnerAgency.objects.filter(type="SOC_CHILD").order_by("pk")[:4])
    question = ask(*agencies)
    rows = list(question.answers.order_by("agency_id"))
    answer_first(by=None, answer=rows[0], said="yes", can_from=clock.today() + dt.timedelta(days=1))
    answer_first(by=None, answer=rows[1], said="no")
    PreAnswer.objects.filter(pk=rows[2].pk).update(expires_at=clock.now() - dt.timedelta(days=1))
    html = client_of(cast.caseworker).get(f"/cases/{case.slug}/").content.decode()
    panel = html[html.index('id="asked-first"') :]
    panel = panel[: panel.index("</section>")]
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", panel))
    assert "says yes from tomorrow" in text and "says no" in text
    assert "has not answered, and no longer can" in text and "has not answered yet, is to by" in text
    assert panel.count('name="agency"') == 1  # only who can is one press away


def test_from_a_yes_it_is_one_press_to_a_draft(client_of, cast, answer, case):
    answer_first(by=None, answer=answer, said="yes")
    sent = client_of(cast.caseworker).post(f"/cases/{case.slug}/refer/", {"agency": cast.agency.pk, "need": NEED})
    draft = Referral.objects.get()
    assert sent.headers["Location"] == f"/handovers/{draft.pk}/"
    assert (draft.agency, draft.need) == (cast.agency, NEED)


def test_the_ranking_says_who_has_said_that_they_can(client_of, cast, answer, case):
    case.needs = [NEED]
    case.save()
    answer_first(by=None, answer=answer, said="no")
    html = client_of(cast.caseworker).get(f"/cases/{case.slug}/refer/").content.decode()
    assert "says that they cannot" in html


@pytest.mark.parametrize("said", ["", "no", "yes"])
def test_the_caller_never_hears_of_it(client_of, cast, ask, case, said):
    call = case.calls.get()
    before = [Spoken(call, language, cast.caseworker).parts for language in ("sv", "en")]
    answer = ask().answers.get()
    if said:
        answer_first(by=None, answer=answer, said=said)
    case.refresh_from_db()
    for printed in (False, True):
        for language in ("sv", "en"):
            text = str(Spoken(call, language, cast.caseworker, printed=printed).parts)
            assert str(cast.agency) not in text and "without a name" not in text and "utan namn" not in text
    assert [Spoken(call, language, cast.caseworker).parts for language in ("sv", "en")] == before
    after = client_of(cast.caseworker).get(f"/calls/{call.pk}/after/").content.decode()
    assert str(cast.agency) not in after


# -- the page that asks ------------------------------------------------------------------------------------------------


def test_the_page_begins_with_what_the_case_knows_and_offers_whom_can_be_asked(client_of, cast, case):
    PartnerAgency.objects.filter(name="Socialjour, Skaraborg").update(mailbox="")
    shown = client_of(cast.caseworker).get(f"{page(case)}?need={NEED}")
    form = shown.context["form"]
    assert (form["need"].value(), form["age_band"].value(), form["police_area"].value()) == tuple(ASKED.values())
    offered = [offer.agency for offer in shown.context["offers"]]
    assert cast.agency in offered
    assert not any(agency.name.startswith("Socialjour") for agency in offered)


def test_another_need_shows_others_and_asks_nobody(client_of, cast, case):
    shown = client_of(cast.caseworker).post(page(case), {**ASKED, "need": "professional_advice", "show": "1"})
    assert shown.status_code == 200
    assert {offer.agency.type for offer in shown.context["offers"]} >= {"CVE", "COORD"}
    assert not PreQuestion.objects.exists()


def test_what_is_previewed_is_what_they_read(client_of, cast, case):
    chosen = {**ASKED, "agencies": [cast.agency.pk, cast.other_agency.pk]}
    client = client_of(cast.caseworker)
    shown = client.post(page(case), chosen)
    assert shown.status_code == 200 and not PreQuestion.objects.exists()
    client.post(page(case), {**chosen, "ask": "1"})
    answer = PreAnswer.objects.get(agency=cast.agency)
    theirs = Client(headers={"cookie": f"{settings.LANGUAGE_COOKIE_NAME}=en"}).get(link(answer))
    previewed = re.search(
        r'<section class="card" aria-label="What they read">(.*?)</section>', shown.content.decode(), re.S
    )[1]
    read = re.search(r'<section class="card" aria-label="[^"]*">(.*?)</section>', theirs.content.decode(), re.S)[1]
    plain = [re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", text)).strip() for text in (previewed, read)]
    assert plain[0] == plain[1], plain
    assert "Protection of a child" in plain[0]


def test_change_leads_back_with_what_was_chosen(client_of, cast, case):
    chosen = {**ASKED, "agencies": [cast.agency.pk], "change": "1"}
    shown = client_of(cast.caseworker).post(page(case), chosen)
    assert shown.status_code == 200
    assert re.search(rf'value="{cast.agency.pk}" checked', shown.content.decode())
    assert not PreQuestion.objects.exists()


def test_pressing_twice_asks_once(client_of, cast, case):
    client = client_of(cast.caseworker)
    chosen = {**ASKED, "agencies": [cast.agency.pk], "ask": "1"}
    assert [client.post(page(case), chosen).status_code for _press in range(2)] == [302, 302]
    connection.check_constraints()
    assert PreAnswer.objects.count() == 1


@pytest.mark.parametrize(
    "slip",
    [{"agencies": []}, {"agencies": ["999999"]}, {"need": "money"}, {"age_band": "x"}, {"police_area": "Storgatan"}],
)
@pytest.mark.parametrize("act", [{}, {"ask": "1"}])
def test_a_choice_that_is_none_comes_back_filled_in(client_of, cast, case, slip, act):
    shown = client_of(cast.caseworker).post(page(case), {**ASKED, "agencies": [cast.agency.pk], **act, **slip})
    assert shown.status_code == 422
    assert not PreQuestion.objects.exists()


def test_six_are_too_many_and_stay_ticked(client_of, cast, case):
    six = [agency.pk for agency in PartnerAgency.objects.filter(type="SOC_CHILD")[:6]]
    shown = client_of(cast.caseworker).post(page(case), {**ASKED, "agencies": six, "ask": "1"})
    assert shown.status_code == 422 and "at most 5" in shown.content.decode()


def test_who_may_ask(client_of, cast, case):
    chosen = {**ASKED, "agencies": [cast.agency.pk], "ask": "1"}
    expected = {"stranger": 404, "other_manager": 404, "partner": 403, "other_partner": 403, "keeper": 403}
    for name, status in expected.items():
        client = client_of(cast.everybody()[name])
        assert (client.get(page(case)).status_code, client.post(page(case), chosen).status_code) == (status, status), (
            name
        )
    for name in ("colleague", "manager"):
        assert client_of(cast.everybody()[name]).post(page(case), chosen).status_code in (302, 403)
    assert not PreQuestion.objects.exists()
