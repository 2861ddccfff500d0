"""What is checked again at the moment of sending, whatever was chosen before; and what the page says that will follow."""

import dataclasses
import datetime as dt
import threading

import pytest
from django.db import connection
from django.utils import translation

from helpline.people import clock
from helpline.people.errors import Refused
from helpline.people.models import Municipality
from referrals import actions, deadlines
from referrals.grounds import grounds
from referrals.models import (
    AgencyAbsence,
    AgencyMember,
    Consent,
    Disclosure,
    OpeningHours,
    PartnerAgency,
    Referral,
    SilenceRung,
)
from referrals.sight import sight
from referrals.standing import call_them, on_silence, opens_next, standing
from tests.referrals.conftest import CARD
from tests.referrals.test_compose import filled, fresh, page

POLICE = {"ground": "CRIME_VS_CHILD", "ground_reason": "He has been hit."}


@pytest.fixture
def police(cast) -> PartnerAgency:
    """Police, with a member."""
    agency = PartnerAgency.objects.filter(type="POLICE_LOCAL").order_by("pk").first()
    AgencyMember.objects.filter(user=cast.other_partner).update(agency=agency)
    return agency


def refused(cast, draft, why: str) -> None:
    with pytest.raises(Refused, match=why):
        actions.send(by=cast.caseworker, referral=draft)
    connection.check_constraints()
    assert fresh(draft).state == "draft"
    assert not Disclosure.objects.exists()


# -- the ground --------------------------------------------------------------------------------------------------------

POSSIBLE = "Choose a legal ground that is possible"
CONSENT = "Write down the consent"


def test_a_ground_that_ended_between_draft_and_sending(cast, make_draft, monkeypatch):
    draft = make_draft(ground="DUTY", ground_reason="A child.")
    ends = dataclasses.replace(grounds()["DUTY"], valid_to=clock.today())
    monkeypatch.setitem(grounds(), "DUTY", ends)
    with clock.at(clock.now() + dt.timedelta(days=1)):
        refused(cast, draft, POSSIBLE)
    assert actions.send(by=cast.caseworker, referral=draft).state == "sent"  # on its last day it holds


def test_a_ground_that_was_switched_off_between(cast, make_draft):
    draft = make_draft(ground="DUTY", ground_reason="A child.")
    here = Municipality.objects.get(pk=draft.case.unit.municipality_id)
    actions.switch_ground(by=cast.keeper, municipality=here, code="DUTY", on=False)
    refused(cast, draft, POSSIBLE)
    actions.switch_ground(by=cast.keeper, municipality=here, code="DUTY", on=True)
    assert actions.send(by=cast.caseworker, referral=draft).state == "sent"


def test_a_ground_of_another_kind_of_receiver(cast, make_draft):
    draft = make_draft(ground="DUTY", ground_reason="A child.")
    PartnerAgency.objects.filter(pk=cast.agency.pk).update(receiver_kind="civil_society")  # it went into private hands
    refused(cast, draft, POSSIBLE)


def test_a_ground_that_the_age_does_not_allow(cast, make_draft):
    draft = make_draft(ground="DUTY", ground_reason="A child.")
    Referral.objects.filter(pk=draft.pk).update(age_band="18-19")
    refused(cast, draft, POSSIBLE)


def test_a_ground_without_its_reason_and_one_that_is_none(cast, make_draft):
    draft = make_draft(ground="DUTY", ground_reason="")
    refused(cast, draft, "Write why this ground holds")
    Referral.objects.filter(pk=draft.pk).update(ground="WISH")
    refused(cast, draft, POSSIBLE)


def test_a_consent_that_ran_out_between(cast, make_draft):
    draft = make_draft()
    with clock.at(clock.now() + dt.timedelta(days=31)):
        refused(cast, draft, CONSENT)


def test_a_consent_that_was_withdrawn_between(cast, make_draft):
    draft = make_draft()
    Consent.objects.filter(pk=draft.consent_id).update(withdrawn_at=clock.now(), withdrawn_to=cast.caseworker)
    refused(cast, draft, CONSENT)


def test_a_consent_to_another_agency(cast, make_draft):
    draft = make_draft()
    Consent.objects.filter(pk=draft.consent_id).update(agency=cast.other_agency)
    refused(cast, draft, CONSENT)


def test_a_consent_of_the_wrong_person(cast, make_draft):
    draft = make_draft()
    Consent.objects.filter(pk=draft.consent_id).update(given_by="self")
    refused(cast, draft, CONSENT)


def test_a_consent_that_does_not_cover_all_that_is_shared(cast, make_draft):
    draft = make_draft()
    Consent.objects.filter(pk=draft.consent_id).update(scope=["ask", "happened"])
    refused(cast, draft, "does not cover all")


def test_the_page_says_what_the_consent_covers_and_what_not_yet(client_of, cast, make_draft):
    draft = make_draft(fears="")
    html = client_of(cast.caseworker).get(page(draft)).content.decode()
    covers = html[html.index("The consent covers:") :].split("</p>")[0]
    assert "What has happened" in covers and "Is afraid of" not in covers and "Not yet" not in covers
    client_of(cast.caseworker).post(page(draft), filled(draft, fears="That he learns.", approved=""))
    answer = client_of(cast.caseworker).get(page(draft))
    covers = answer.content.decode()
    covers = covers[covers.index("The consent covers:") :].split("</p>")[0]
    assert (
        "Is afraid of" in covers.split("Not read aloud yet:")[1] and "Is afraid of" not in covers.split("Not read")[0]
    )
    assert any("does not cover all" in part for part in answer.context["missing"])


# -- alongside ---------------------------------------------------------------------------------------------------------


def test_a_second_leading_handover_of_a_need_is_refused_until_it_stands_alongside(
    client_of, cast, make_referral, make_draft
):
    first = make_referral("accepted")
    second = make_draft(case=first.case, agency=cast.other_agency, ground="DEIDENT", safe_contact="")
    client = client_of(cast.caseworker)
    html = client.get(page(second)).content.decode()
    assert f"{cast.agency} has this need already" in html
    answer = client.post(page(second, "send/"), filled(second))
    assert answer.status_code == 422 and "Let this one stand alongside it" in answer.content.decode()
    assert client.post(page(second, "send/"), filled(second, alongside="on")).status_code == 302
    connection.check_constraints()
    assert (fresh(second).state, fresh(second).leads, fresh(first).leads) == ("sent", False, True)


def test_what_is_ticked_stays_ticked_and_can_be_unticked(client_of, cast, make_draft):
    draft = make_draft()
    client = client_of(cast.caseworker)
    client.post(page(draft), filled(draft, alongside="on"))
    assert fresh(draft).leads is False
    assert 'name="alongside"' in client.get(page(draft)).content.decode()
    assert client.get(page(draft)).context["form"]["alongside"].value() is True
    client.post(page(draft), filled(draft))
    assert fresh(draft).leads is True


# -- the police --------------------------------------------------------------------------------------------------------


def test_to_the_police_it_is_said_what_is_not_shared_and_they_never_see_it(client_of, cast, make_draft, police):
    secret = "The name of the mother, since it serves nothing."
    draft = make_draft(agency=police, need="crime_prevention", **POLICE)
    client = client_of(cast.caseworker)
    answer = client.post(page(draft, "send/"), filled(draft))
    assert answer.status_code == 422 and "Write what is not shared with the police" in answer.content.decode()
    assert client.post(page(draft, "send/"), filled(draft, kept_back=secret)).status_code == 302
    sent = fresh(draft)
    assert (sent.state, sent.kept_back) == ("sent", secret)
    assert Disclosure.objects.get(referral=sent).words == secret
    assert not any(secret in words for _field, _label, words in sight(sent).parts)
    theirs = client_of(cast.other_partner)
    assert secret not in theirs.get(f"/portal/{draft.pk}/").content.decode()
    assert "kept_back" not in sent.shared


def test_the_preview_does_not_hold_what_is_kept_back(client_of, cast, make_draft, police):
    draft = make_draft(agency=police, need="crime_prevention", kept_back="Nothing of the mother.", **POLICE)
    html = client_of(cast.caseworker).get(page(draft)).content.decode()
    assert html.count("Nothing of the mother.") == 1  # in its field alone
    assert "Nothing of the mother." not in html[html.index('id="preview"') :]


def test_nobody_else_is_asked_what_is_kept_back(client_of, cast, make_draft):
    draft = make_draft()
    client = client_of(cast.caseworker)
    assert "kept_back" not in client.get(page(draft)).content.decode()
    client.post(page(draft), filled(draft, kept_back="Slipped in."))
    assert fresh(draft).kept_back == ""


# -- what follows ------------------------------------------------------------------------------------------------------


def hours_of(agency, *, opens="08:00", closes="16:00") -> None:
    OpeningHours.objects.filter(agency=agency).delete()
    for day in range(5):
        OpeningHours.objects.create(agency=agency, weekday=day, opens=opens, closes=closes)


def test_what_happens_on_silence_is_said_with_its_times(client_of, cast, make_draft, at):
    hours_of(cast.agency)
    with at("2026-11-25 10:00"):
        draft = make_draft()  # prompt: two working days, twelve o'clock
        said = on_silence(draft, cast.caseworker)
        times = deadlines.ladder(
            urgency=draft.urgency,
            agency=cast.agency,
            sent=clock.now(),
            due=deadlines.answer_due(draft.urgency, clock.now(), cast.agency),
        )
        shown = [
            *("If they do not answer they are reminded tomorrow 08:00, and again tomorrow 14:00.",),
            *("Fri 27 Nov 12:00 it is you who calls them.",),
            *("Then the unit manager is told Mon 30 Nov 09:00, and Tue 1 Dec 09:00 the handover comes back.",),
        ]
        assert said == shown, {rung: clock.local_time(moment) for rung, moment in times.items()}
        html = client_of(cast.caseworker).get(page(draft)).content.decode()
        assert " ".join(shown) in html
        sent = actions.send(by=cast.caseworker, referral=draft)
        assert dict(sent.rungs.values_list("rung", "due_at")) == times  # what was said is what is stored


def test_in_swedish_as_it_is_said(cast, make_draft, at):
    hours_of(cast.agency)
    PartnerAgency.objects.filter(pk=cast.agency.pk).update(deputy_mailbox="deputy@example.com")
    with at("2026-11-25 10:00"), translation.override("sv"):
        said = on_silence(fresh(make_draft()), cast.caseworker)
    assert said[:2] == [
        "Svarar de inte påminns de i morgon 08.00, sedan deras ersättare i morgon 14.00.",
        "Fre 27 nov 12.00 är det du som ringer dem.",
    ]


def test_a_colleague_is_told_who_calls(cast, make_draft, at):
    hours_of(cast.agency)
    with at("2026-11-25 10:00"):
        draft = fresh(make_draft())
        cast.caseworker.first_name = "100%s"
        cast.caseworker.save()
        assert on_silence(fresh(draft), cast.colleague)[1] == "Fri 27 Nov 12:00 it is 100%s who calls them."


def test_acute_to_an_agency_that_sleeps_says_that_one_calls(client_of, cast, make_case, make_draft, at):
    hours_of(cast.agency)
    with at("2026-11-27 18:00"):  # a Friday
        draft = make_draft(case=make_case(urgency="AKUT"))
        line = f"They do not open before Mon 30 Nov 08:00. Call them: {cast.agency.phone}."
        assert call_them(draft) == line
        assert line in client_of(cast.caseworker).get(page(draft)).content.decode()
        assert on_silence(draft, cast.caseworker)[0] == "If they do not answer: today 19:00 it is you who calls them."
        assert "when they open" in on_silence(draft, cast.caseworker)[1]
    with at("2026-11-27 10:00"):
        assert call_them(draft) == ""


def test_what_is_not_acute_waits_for_them_without_that_line(cast, make_draft, at):
    hours_of(cast.agency)
    with at("2026-11-27 18:00"):
        assert call_them(make_draft()) == ""


def test_how_the_agency_stands_is_said(client_of, cast, make_draft, at):
    hours_of(cast.agency)
    with at("2026-11-27 18:00"):
        AgencyAbsence.objects.create(agency=cast.agency, first_day=clock.today(), last_day=dt.date(2026, 12, 1))
        PartnerAgency.objects.filter(pk=cast.agency.pk).update(room=0, room_week=dt.date(2026, 11, 23))
        draft = make_draft()
        html = client_of(cast.caseworker).get(page(draft)).content.decode()
    assert "Away until Tue 1 Dec. Closed now, opens Wed 2 Dec 08:00." in html
    assert "They have said that they cannot take any more this week." in html


def test_an_agency_that_never_opens_does_not_say_when(cast, at):
    OpeningHours.objects.filter(agency=cast.agency).delete()
    with at("2026-11-25 10:00"):
        now = clock.now()
        AgencyAbsence.objects.create(agency=cast.agency, first_day=clock.today(), last_day=dt.date(9000, 1, 1))
        assert opens_next(cast.agency, now) is not None or standing(cast.agency).lines[-1] == "Closed now."
        assert standing(cast.agency).is_away and not standing(cast.agency).is_open


def test_the_time_to_answer_in_the_preview_is_the_one_that_is_stored(client_of, cast, make_draft, at):
    hours_of(cast.agency, opens="08:00", closes="11:00")
    with at("2026-11-25 10:00"):
        draft = make_draft()
        previewed = client_of(cast.caseworker).get(page(draft)).context["sight"]
        sent = actions.send(by=cast.caseworker, referral=draft)
        assert previewed.answer_by == sent.answer_due_at
        assert previewed.access_until == sent.access_until


# -- two at once -------------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("again", range(3))
def test_two_presses_at_once_begin_one_draft(make_case, cast, again):
    case = make_case()
    barrier, made = threading.Barrier(2), []

    def begin() -> None:
        try:
            barrier.wait(timeout=10)
            draft = actions.draft_referral(by=cast.caseworker, case=case, agency=cast.agency, need="child_protection")
            made.append(draft.pk)
        finally:
            connection.close()

    threads = [threading.Thread(target=begin) for _press in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert len(made) == 2 and len(set(made)) == 1
    assert Referral.objects.count() == 1


def test_what_was_written_in_a_draft_stays_when_it_is_begun_again(cast, make_draft, make_referral):
    draft = make_draft(fears="Written before.")
    again = actions.draft_referral(
        by=cast.caseworker, case=draft.case, agency=cast.agency, need=draft.need, instead=draft
    )
    assert (again.pk, again.fears) == (draft.pk, "Written before.")
    assert Referral.objects.count() == 1


def test_a_draft_of_another_need_or_after_it_was_sent_is_another(cast, make_referral):
    sent = make_referral("declined")
    same = {"by": cast.caseworker, "case": sent.case, "agency": cast.agency}
    first = actions.draft_referral(**same, need=sent.need)
    second = actions.draft_referral(**same, need="family_support")
    assert len({sent.pk, first.pk, second.pk}) == 3
    assert not SilenceRung.objects.filter(referral__in=[first, second]).exists()
    assert CARD["ask"] not in {first.ask, second.ask}
