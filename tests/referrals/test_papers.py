"""A handover by other ways: as a PDF and as text, each logged as given out, with the card and nothing else."""

import datetime as dt
import io

import pytest
from django.db import connection
from django.urls import reverse
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdf import PdfReader

from helpline.people import clock
from helpline.people.absences import save_absence
from helpline.people.errors import Refused
from helpline.people.models import LogEntry, Notice
from intake import triage
from intake.actions import open_with_reason
from intake.models import Event
from referrals import actions
from referrals.actions.papers import give_out
from referrals.actions.silence import climb
from referrals.models import Disclosure, PartnerAgency, Referral
from referrals.papers import MARKING, as_pdf, as_text, paper
from tests.referrals.conftest import CARD

WAYS = ["pdf", "text"]
REASON = triage.codes("opening_reasons")[0]


def url(referral, way: str) -> str:
    return reverse(f"referrals:paper-{way}", args=[referral.pk])


def words_of(made) -> str:
    """What a paper says, whichever it is, as one line."""
    text = (
        "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(made)).pages)
        if isinstance(made, bytes)
        else made
    )
    return " ".join(text.split())


def tags_of(reader: PdfReader) -> list[str]:
    """The tags of the document's structure, in reading order."""

    def walk(node):
        node = node.get_object()
        if isinstance(node, list):
            return [tag for one in node for tag in walk(one)]
        if not isinstance(node, dict):
            return []
        own = [str(node["/S"])] if "/S" in node else []
        return own + (walk(node["/K"]) if "/K" in node else [])

    return walk(reader.trailer["/Root"]["/StructTreeRoot"]["/K"])


@pytest.fixture
def named(make_referral, make_case):
    """A handover that holds a name and a number, not accepted yet."""

    def make(state="sent"):
        case = make_case(track="C", caller_name="Greta Svensson", phone="0701234567")
        return make_referral(state, case=case, name="Greta Svensson", phone="0701234567")

    return make


# -- it works ---


@pytest.mark.parametrize("way", WAYS)
def test_it_holds_the_card_under_the_marking_and_is_written_down(way, client_of, cast, make_referral):
    referral = make_referral("sent")
    PartnerAgency.objects.filter(pk=cast.agency.pk).update(sdk_address="barn.falkoping@sdk.example")
    answer = client_of(cast.caseworker).post(url(referral, way))
    connection.check_constraints()
    assert answer.status_code == 200 and answer.headers["Cache-Control"] == "no-store"
    words = words_of(answer.content if way == "pdf" else answer.context["text"])
    for part in (
        MARKING,
        str(clock.today()),
        *CARD.values(),
        "barn.falkoping@sdk.example",
        str(cast.unit),
        str(referral.pk),
    ):
        assert part in words, part
    made = Disclosure.objects.get(way=way)
    assert (made.referral, made.agency, made.decided_by) == (referral, cast.agency, cast.caseworker)
    assert made.shared == list(CARD) and made.withheld == ["name", "phone"] and made.ground == "CONSENT_GUARDIAN"
    event = Event.objects.get(kind="referral.disclosed")
    assert event.case == referral.case and event.by == cast.caseworker
    row = LogEntry.objects.get(event="disclosure.recorded", row=str(made.pk))
    assert row.codes["way"] == way and "Meet" not in str(row.codes)


def test_the_file_is_named_by_nothing_but_the_handover(client_of, cast, make_referral):
    referral = make_referral("sent")
    answer = client_of(cast.caseworker).post(url(referral, "pdf"))
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{referral.pk}.pdf"'
    assert answer.headers["Content-Type"] == "application/pdf"


def test_the_text_begins_with_the_marking_and_stands_in_a_field_to_copy(client_of, cast, make_referral):
    referral = make_referral("sent")
    answer = client_of(cast.caseworker).post(url(referral, "text"))
    text = answer.context["text"]
    assert text.startswith(f"{MARKING}\n{clock.today()}, ") and "data-copies" in answer.content.decode()
    assert "readonly" in answer.content.decode()


@pytest.mark.parametrize("way", WAYS)
def test_each_making_is_a_disclosure_of_its_own(way, client_of, cast, make_referral):
    referral = make_referral("accepted")
    for _ in range(2):
        client_of(cast.caseworker).post(url(referral, way))
    assert Disclosure.objects.filter(way=way).count() == 2
    referral.refresh_from_db()
    assert referral.state == "accepted" and referral.case.steps.planned().count() >= 1


@pytest.mark.parametrize("make", [as_pdf, as_text])
def test_name_and_number_only_once_they_have_accepted(make, named, cast):
    referral = named()
    assert "Greta" not in words_of(make(referral)) and "0701234567" not in words_of(make(referral))
    actions.accept(by=cast.partner, referral=referral, handled_by="Frida")
    accepted = Referral.objects.select_related("case__unit", "agency", "consent").get(pk=referral.pk)
    assert "Greta Svensson" in words_of(make(accepted)) and "0701234567" in words_of(make(accepted))
    give_out(by=cast.caseworker, referral=accepted, way="text")
    assert Disclosure.objects.get(way="text").shared == [*CARD, "name", "phone"]


def test_nothing_that_is_ours_alone_is_on_it(make_referral, cast):
    referral = make_referral("sent", kept_back="The brother's name, for his safety.", ground_reason="Because of this.")
    words = words_of(as_text(referral)) + words_of(as_pdf(referral))
    for secret in ("brother", "Because of this", referral.case.number, referral.case.code, "anna", "Anna"):
        assert secret not in words, secret


# -- the PDF ---


def test_it_is_tagged_in_swedish_with_a_title_and_pages(make_referral):
    referral = make_referral("sent", happened="En lång berättelse om vad som har hänt.\n" * 120)
    reader = PdfReader(io.BytesIO(as_pdf(referral)))
    root = reader.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"] and str(root["/Lang"]).startswith("sv")
    assert reader.metadata.title == paper(referral).title and root["/ViewerPreferences"]["/DisplayDocTitle"]
    assert b"pdfuaid" in root["/Metadata"].get_object().get_data()
    assert len(reader.pages) > 1
    for number, page in enumerate(reader.pages, 1):
        text = page.extract_text()
        assert MARKING in text and f"{number} ({len(reader.pages)})" in text and str(referral.pk) in text
    tags = tags_of(reader)
    assert tags.count("/H1") == len(CARD) and "/Title" in tags and "/P" in tags


HOSTILE = [
    '#panic("x")',
    "*stor* _lutad_ `kod` $x^2$",
    '#sys.inputs #read("/etc/passwd") #image("x.png")',
    "// bort\n/* bort */ kvar",
    "= Rubrik\n- punkt\n+ ett\n/ ord: mer",
    "\\ \\u{41} ~ -- --- ... <etikett> @ref [] {}",
    '"] #let x = 1 ["',
    "https://example.com/#frag",
]


@pytest.mark.parametrize("words", HOSTILE)
def test_what_is_typed_is_never_markup(words, make_referral):
    reader = PdfReader(io.BytesIO(as_pdf(make_referral("sent", happened=words))))
    text = " ".join(reader.pages[0].extract_text().split())
    for part in words.split():
        assert part in text, part
    assert tags_of(reader).count("/H1") == len(CARD)


@settings(max_examples=60, deadline=None)
@given(
    words=st.text(
        st.characters(max_codepoint=0x24F, exclude_categories=["Cc", "Cf", "Cs", "Co", "Cn"]), min_size=1, max_size=80
    )
)
def test_any_words_of_a_european_keyboard_come_out_as_they_went_in(django_db_blocker, words):
    """A handover that is not stored: only the making is tried."""
    with django_db_blocker.unblock():
        from helpline.people.models import Unit
        from intake.models import Case

        unit = Unit(name="Line", phone="0500-1")
        agency = PartnerAgency(name="Agency", type="EXIT")
        referral = Referral(case=Case(unit=unit), agency=agency, need="exit_support", urgency="NORMAL", state="opened")
        referral.ask = words
        try:
            text = words_of(as_pdf(referral))
        except Refused as refused:
            assert "cannot show" in str(refused)
            return
    shown = "".join(text.split())
    letters = [one for one in words if one.isascii() and one.isalnum()]
    assert all(one in shown for one in letters)


def test_a_sign_that_the_typeface_lacks_is_said_and_nothing_is_written_down(client_of, cast, make_referral):
    referral = make_referral("sent", happened="Han skrev 😀 till henne.")
    answer = client_of(cast.caseworker).post(url(referral, "pdf"), follow=True)
    assert "😀" in answer.content.decode() and "cannot show" in answer.content.decode()
    assert (
        not Disclosure.objects.filter(way="pdf").exists()
        and not Event.objects.filter(kind="referral.disclosed").exists()
    )
    assert "😀" in client_of(cast.caseworker).post(url(referral, "text")).context["text"]


# -- who may, and when not ---


@pytest.mark.parametrize("way", WAYS)
def test_who_may(way, client_of, cast, make_referral):
    referral = make_referral("sent")
    assert client_of(cast.caseworker).get(url(referral, way)).status_code == 405
    expected = {"stranger": 404, "other_manager": 404, "partner": 403, "other_partner": 403, "keeper": 403}
    for name, status in expected.items():
        assert client_of(cast.everybody()[name]).post(url(referral, way)).status_code == status, name
    assert client_of(cast.colleague).post(url(referral, way)).status_code in {302, 403}  # a reason first
    open_with_reason(by=cast.colleague, case=referral.case, reason=REASON)
    answer = client_of(cast.colleague).post(url(referral, way), follow=True)
    assert "Only the case" in answer.content.decode()
    assert not Disclosure.objects.filter(way=way).exists()


@pytest.mark.parametrize("way", WAYS)
def test_who_stands_in_may(way, client_of, cast, make_referral):
    referral = make_referral("sent")
    today = clock.today()
    save_absence(by=cast.manager, user=cast.caseworker, deputy=cast.colleague, first_day=today, last_day=today)
    open_with_reason(by=cast.colleague, case=referral.case, reason=REASON)
    assert client_of(cast.colleague).post(url(referral, way)).status_code == 200
    assert Disclosure.objects.get(way=way).decided_by == cast.colleague


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("state", ["declined", "expired", "withdrawn", "returned", "failed", "completed", "draft"])
def test_only_while_it_is_with_the_agency(way, state, cast, make_referral):
    referral = make_referral(state)
    with pytest.raises(Refused, match="not with the agency"):
        give_out(by=cast.caseworker, referral=referral, way=way)
    assert not Disclosure.objects.filter(way=way).exists()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("level", ["secrecy_marking", "protected_registration", "fictitious_identity"])
def test_never_of_protected_data(way, level, client_of, cast, make_referral):
    referral = make_referral("sent")
    referral.case.protection = level
    referral.case.save(update_fields=["protection"])
    answer = client_of(cast.caseworker).post(url(referral, way), follow=True)
    assert "The data are protected" in answer.content.decode()
    assert not Disclosure.objects.filter(way=way).exists()
    assert (
        "Make a PDF"
        not in client_of(cast.caseworker).get(reverse("referrals:referral", args=[referral.pk])).content.decode()
    )


@pytest.mark.parametrize("way", WAYS)
def test_never_of_practice(way, cast, make_referral):
    referral = make_referral("sent")
    type(referral.case).objects.filter(pk=referral.case_id).update(is_practice=True)
    with pytest.raises(Refused, match="practice"):
        give_out(by=cast.caseworker, referral=referral, way=way)


@pytest.mark.parametrize("way", WAYS)
def test_not_when_the_consent_no_longer_holds(way, cast, make_referral, at):
    referral = make_referral("sent")
    referral.consent.withdrawn_at = clock.now()
    referral.consent.save(update_fields=["withdrawn_at"])
    with pytest.raises(Refused, match="consent"):
        give_out(by=cast.caseworker, referral=referral, way=way)


@pytest.mark.parametrize("way", WAYS)
def test_not_when_their_time_with_it_is_over(way, cast, make_referral):
    referral = make_referral("accepted")
    Referral.objects.filter(pk=referral.pk).update(access_until=clock.today() - dt.timedelta(days=1))
    with pytest.raises(Refused, match="has ended"):
        give_out(by=cast.caseworker, referral=referral, way=way)


@pytest.mark.parametrize("way", WAYS)
def test_to_the_police_it_is_a_record_of_all(way, cast, make_draft, make_case):
    police = PartnerAgency.objects.filter(type="POLICE_LOCAL").first()
    case = make_case(age_band="15-17")
    draft = make_draft(case=case, agency=police, need="crime_prevention", ground="U21_CRIME", ground_reason="A plan.")
    with pytest.raises(Refused, match="what is not shared with the police"):
        actions.send(by=cast.caseworker, referral=draft)
    words = {"kept_back": "The sister, for her safety."}
    draft = actions.save_draft(by=cast.caseworker, referral=draft, words=words)
    sent = actions.send(by=cast.caseworker, referral=draft)
    give_out(by=cast.caseworker, referral=sent, way=way)
    made = Disclosure.objects.get(way=way)
    assert (made.ground, made.law, made.words) == ("U21_CRIME", "OSL 10:18 a", "The sister, for her safety.")
    assert made.shared and made.withheld and made.decided_by == cast.caseworker


# -- an agency that the system itself does not reach ---


@pytest.fixture
def by_sdk_alone(cast):
    """An agency with a function address, and neither mailbox nor account."""
    agency = PartnerAgency.objects.get(name__startswith="Socialtjänst barn och unga, Skövde")
    agency.mailbox, agency.sdk_address = "", "barn.skovde@sdk.example"
    agency.save()
    return agency


def test_it_can_be_handed_to_and_the_page_says_who_sends_it(by_sdk_alone, client_of, cast, make_referral):
    sent = make_referral("sent", agency=by_sdk_alone)
    page = reverse("referrals:referral", args=[sent.pk])
    client = client_of(cast.caseworker)
    assert "Send it yourself now" in client.get(page).content.decode()
    client.post(url(sent, "text"))
    after = client.get(page).content.decode()
    assert "Send it yourself now" not in after and "Last made" in after


def test_without_an_address_nobody_is_reached(by_sdk_alone, cast, make_draft):
    by_sdk_alone.sdk_address = ""
    by_sdk_alone.save()
    with pytest.raises(Refused, match="Nobody at"):
        actions.send(by=cast.caseworker, referral=make_draft(agency=by_sdk_alone))


def test_its_silence_is_told_to_us_and_it_is_not_taken_back_as_lost(by_sdk_alone, cast, make_referral):
    sent = make_referral("sent", agency=by_sdk_alone)
    nudge = sent.rungs.get(rung="nudge")
    with clock.at(nudge.due_at + dt.timedelta(minutes=1)):
        climb()
        actions.sweep()
    sent.refresh_from_db()
    assert sent.state == "sent"
    told = Notice.objects.filter(about=str(sent.pk), source__startswith=f"rung:{nudge.pk}:")
    assert {notice.user for notice in told} == {cast.caseworker}
