"""After the call: what the caller is told, in three languages, on paper without the topic; the text for another system."""

import datetime as dt
import re
import string
from html import unescape

import pytest
from django.db import connection
from django.urls import reverse
from django.utils import translation

from helpline.people import clock
from helpline.people.errors import Refused
from helpline.people.models import LogEntry
from intake import actions, spoken, triage
from intake.actions.after import make_text
from intake.labels import NOTE_KINDS
from intake.models import Call, Event
from intake.spoken import Spoken, table
from referrals import actions as referrals
from referrals.labels import STEP_KINDS as REFERRAL_STEPS

pytestmark = pytest.mark.django_db
LANGUAGES = ["sv", "en", "fi"]


@pytest.fixture
def anna(client_of, cast):
    return client_of(cast.caseworker)


def after(call, **query) -> str:
    return reverse("intake:call-after", args=[call.pk]) + (
        "?" + "&".join(f"{k}={v}" for k, v in query.items()) if query else ""
    )


def read(client, url: str) -> str:
    answer = client.get(url)
    assert answer.status_code == 200
    return unescape(answer.content.decode())


def entries():
    """Every entry of the table that is said: (where, its languages)."""
    for name in ("formats", "texts", "steps"):
        yield from ((f"{name}.{key}", entry) for key, entry in table()[name].items())
    for name, codes in table()["codes"].items():
        yield from ((f"codes.{name}.{key}", entry) for key, entry in codes.items())


# ---------- The table ----------


def test_every_text_is_there_in_each_language_with_the_same_gaps():
    found = dict(entries())
    assert len(found) > 60
    for where, entry in found.items():
        assert list(entry) == LANGUAGES and all(entry.values()), where
        gaps = {
            language: {gap for _t, gap, _f, _c in string.Formatter().parse(text) if gap}
            for language, text in entry.items()
        }
        assert gaps["sv"] == gaps["en"] == gaps["fi"], where
    assert list(table()["languages"]) == LANGUAGES


def test_no_two_languages_say_the_same_sentence():
    """A text that was copied and never translated."""
    copied = [
        where for where, entry in entries() if where.startswith(("texts", "steps")) and len(set(entry.values())) < 3
    ]
    assert copied == []


def test_every_code_of_a_call_can_be_said():
    codes = table()["codes"]
    assert set(codes["callers"]) == set(triage.guide_today().callers)
    for name in ("age_bands", "milieus", "urgencies"):
        assert list(codes[name]) == triage.codes(name)
    assert {f"note_{kind}" for kind in NOTE_KINDS} <= set(table()["texts"])
    assert {f"track_{track}" for track in triage.codes("tracks")} <= set(table()["texts"])


def test_every_text_is_used():
    source = (triage.FOLDER.parent / "spoken.py").read_text(encoding="utf-8")
    said = set(re.findall(r'"([a-z_0-9]+)"', source))
    patterns = ("note_", "track_")
    unused = [key for key in table()["texts"] if key not in said and not key.startswith(patterns)]
    assert unused == []


@pytest.mark.parametrize(
    ("language", "words", "sunday"),
    [
        ("sv", "tisdag 24 november klockan 14.05", "söndag 22 november 2026"),
        ("en", "Tuesday 24 November at 14:05", "Sunday 22 November 2026"),
        ("fi", "tiistaina 24. marraskuuta kello 14.05", "sunnuntaina 22. marraskuuta 2026"),
    ],
)
def test_a_time_is_said_as_that_language_says_it(make_call, language, words, sunday):
    said = Spoken(make_call(), language)
    assert said.when(dt.datetime(2026, 11, 24, 13, 5, tzinfo=dt.UTC)) == words
    assert said.day(dt.date(2026, 11, 22)) == sunday
    assert {name: len(days) for name, days in table()["weekdays"].items()} == dict.fromkeys(LANGUAGES, 7)


# ---------- The page ----------


def test_completing_leads_to_what_is_said_and_it_is_logged(anna, make_call, cast, at):
    with at("2026-11-23 14:05"):
        call = make_call(urgency="SKYNDSAM", urgency_reason="as told", notes={"seen": "Hon såg honom."})
        answer = anna.post(reverse("intake:call-complete", args=[call.pk]))
        assert (answer.status_code, answer.url) == (303, after(call))
        page = read(anna, answer.url)
    connection.check_constraints()
    case = Call.objects.get(pk=call.pk).case
    for words in (
        "Vi tar nästa steg i det som vi har pratat om. Det är jag, Anna, som gör det.",
        "Det är gjort senast torsdag 26 november klockan 16.00.",
        "Det du själv har sett och hört.",
        "Kommun: Falköping.",
        "Vem som har ringt: anhörig eller närstående.",
        f"Numret är {case.number}.",
        "Det du har fått är råd.",
        "om det blir akut: ring 112".capitalize(),
    ):
        assert words in page, words
    assert "Hon såg honom" not in page  # what was written is not read aloud: only that it was
    row = LogEntry.objects.get(event="after.shown")
    assert (row.call, row.case, row.user, row.codes) == (call.pk, case.pk, cast.caseworker, {"language": "sv"})


def test_without_a_case_it_is_said_that_nothing_is_agreed(anna, make_call, cast):
    call = actions.complete_call(by=cast.caseworker, call=make_call(caller_type="other", urgency="NORMAL"))
    assert call.case is None
    page = read(anna, after(call))
    assert "Vi har inte bestämt något mer." in page and "Numret är" not in page
    assert "No case was needed" in page


def test_the_callers_language_where_there_is_one_and_another_on_request(anna, make_case):
    case = make_case(language="fi")
    call = case.calls.get()
    assert "Otamme seuraavan askeleen" in read(anna, after(call))
    assert "We take the next step" in read(anna, after(call, language="en"))
    assert "Otamme seuraavan askeleen" in read(anna, after(call, language="xx"))
    somali = make_case(language="so").calls.get()
    page = read(anna, after(somali))
    assert "Vi tar nästa steg" in page and "Somali" in page and "for the interpreter" in page
    assert "for the interpreter" not in read(anna, after(call))


@pytest.mark.parametrize(("track", "words"), [("B", "stöd utan utredning"), ("C", "Det här är ett ärende")])
def test_who_may_read_it_by_track(anna, make_case, track, words):
    call = make_case(track=track).calls.get()
    page = read(anna, after(call))
    assert words in page and "Orden från samtalet" not in page
    assert ("ärende" in page) == (track == "C")  # the word stands on track C alone


def test_when_words_of_advice_are_erased(anna, make_case, cast, settings):
    settings.ADVICE_WORDS_MONTHS = 12
    case = make_case()
    assert "när det har gått 12 månader sedan" in read(anna, after(case.calls.get()))
    assert "on kulunut 12 kuukautta" in read(anna, after(case.calls.get(), language="fi"))
    actions.finish_step(by=cast.caseworker, step=case.steps.get(), close="needs_met")
    page = read(anna, after(case.calls.get()))
    assert "Orden från samtalet tas bort senast" in page and "Vår kontakt är avslutad" in page


def test_a_passphrase_is_spoken_of_and_never_shown(anna, make_case):
    case = make_case()
    assert "lösenfras" not in read(anna, after(case.calls.get()))
    case.passphrase = "a-hash-of-it"
    case.save()
    page = read(anna, after(case.calls.get()))
    assert "Du har också valt en lösenfras." in page and "a-hash-of-it" not in page


def test_the_workers_own_words_are_for_the_worker(anna, make_call, cast):
    call = make_call(urgency="NORMAL")
    call = actions.complete_call(by=cast.caseworker, call=call, what="Ring modern om skolan")
    assert "Ring modern om skolan" in read(anna, after(call))
    assert "Ring modern" not in read(anna, after(call, print=1))


def _handed(cast, case, agency, ground):
    draft = referrals.draft_referral(by=cast.caseworker, case=case, agency=agency, need="family_support")
    words = {"ask": "Meet", "happened": "Much", "ground": ground, "ground_reason": "Worry"}
    consent = {}
    if ground == "CONSENT":
        consent = {
            "consent": {"form": "spoken", "valid_until": clock.today() + dt.timedelta(days=90)},
            "approved": True,
        }
    draft = referrals.save_draft(by=cast.caseworker, referral=draft, words=words, **consent)
    return referrals.send(by=cast.caseworker, referral=draft)


def test_whom_we_have_asked_without_consent_is_not_told(anna, make_case, cast):
    case = make_case()
    sent = _handed(cast, case, cast.agency, "DUTY")
    actions.finish_step(by=cast.caseworker, step=case.steps.get(kind="first_step"))
    assert [step.kind for step in case.steps.planned()] == ["await_answer"]
    for language in LANGUAGES:
        for query in ({}, {"print": 1}):
            page = read(anna, after(case.calls.get(), language=language, **query))
            assert sent.agency.name not in page
    assert "Vi följer upp det som vi har pratat om." in page or language == "fi"


def test_the_agency_that_the_caller_agreed_to_is_named_but_not_on_paper(anna, make_case, cast):
    case = make_case()
    sent = _handed(cast, case, cast.other_agency, "CONSENT")
    page = read(anna, after(case.calls.get()))
    assert f"Vi har frågat {sent.agency.name}, som du har sagt ja till." in page
    assert sent.agency.name not in read(anna, after(case.calls.get(), print=1))


def test_no_step_of_an_upper_floor_is_said_in_its_own_words():
    assert set(REFERRAL_STEPS) & set(table()["steps"]) == set()


# ---------- Printed ----------

TOPIC = [
    *("extrem", "ekstrem", "ääri", "radikal", "våldsbejak", "väkival", "violen", "terror", "ideolog", "islam", "höger"),
    *(
        "vänster",
        "right-wing",
        "left-wing",
        "white power",
        "vit makt",
        "miljö",
        "milieu",
        "avhopp",
        "lämna en",
        "leave a",
    ),
    *(
        "irtautua",
        "stödlinje",
        "stödnummer",
        "support line",
        "helpline",
        "tukilinja",
        "polis",
        "police",
        "poliisi",
        "säpo",
    ),
]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("caller", ["relative", "leaver", "professional", "child_self", "targeted"])
def test_the_paper_does_not_say_what_it_is_about(anna, make_call, cast, settings, language, caller):
    call = make_call(
        caller_type=caller,
        urgency="AKUT",
        milieu="RIGHT",
        protection="secrecy_marking",
        answers={"weapon": "yes"},
        notes={"seen": "x", "told": "x", "assessment": "x"},
    )
    call = actions.complete_call(by=cast.caseworker, call=call, what="Ring Exit om avhoppet")
    with translation.override("sv"):
        names = [
            name
            for code in triage.codes("milieus")
            if code not in ("OTHER", "UNKNOWN")
            for name in _said("milieus", code)
        ]
    answer = anna.get(after(call, language=language, print=1))
    page = unescape(answer.content.decode())
    text = re.sub(r"<[^>]+>", " ", page)
    for word in (*TOPIC, *names, settings.LINE_NAME, settings.LINE_PHONE, str(cast.unit), caller):
        assert word.casefold() not in text.casefold(), word
    title = re.search("<title>(.*?)</title>", page).group(1)
    assert title == table()["texts"]["next"][language]
    assert "Content-Disposition" not in answer.headers
    assert call.case.number in text and "112" in text and "Anna" in text
    assert LogEntry.objects.get(event="after.printed").codes == {"language": language}


def _said(name, code):
    listed = triage.read_files()["lists"][name][code]
    return [*listed.values(), *table()["codes"][name][code].values()]


def test_the_sender_is_by_setting(anna, make_case, settings):
    call = make_case().calls.get()
    assert "Socialtjänsten" in read(anna, after(call, print=1))
    settings.PRINT_SENDER = ""
    assert "ocialtjänst" not in read(anna, after(call, print=1))


# ---------- Who may ----------


def test_later_from_the_case_the_latest_call(anna, client_of, make_case, cast):
    case = make_case()
    url = reverse("intake:case-after", args=[case.slug])
    assert url in read(anna, reverse("intake:case", args=[case.slug]))
    answer = anna.get(url)
    assert (answer.status_code, answer.url) == (302, after(case.calls.get()))
    for who, status in [("partner", 403), ("keeper", 403), ("stranger", 404), ("other_manager", 404)]:
        for there in (url, after(case.calls.get())):
            assert client_of(getattr(cast, who)).get(there).status_code == status, who
    assert "/reason/" in client_of(cast.colleague).get(after(case.calls.get())).url


def test_who_took_or_finished_the_call_reads_it_while_it_is_fresh(client_of, make_call, cast, at):
    with at("2026-11-23 14:00"):
        call = actions.complete_call(by=cast.colleague, call=make_call(urgency="NORMAL"))
        actions.reassign_case(by=cast.manager, case=call.case, to=cast.manager)
        bert, anna = client_of(cast.colleague), client_of(cast.caseworker)
        assert bert.get(after(call)).status_code == anna.get(after(call)).status_code == 200
    with at("2026-11-24 14:00"):
        assert "/reason/" in anna.get(after(call)).url and "/reason/" in bert.get(after(call)).url


def test_of_a_call_without_a_case_only_who_took_it_reads(client_of, make_call, cast):
    call = actions.complete_call(by=cast.caseworker, call=make_call(caller_type="other", urgency="NORMAL"))
    assert client_of(cast.colleague).get(after(call)).status_code == 404
    assert client_of(cast.manager).get(after(call)).status_code == 404
    assert LogEntry.objects.filter(event="call.refused", row=str(call.pk)).count() == 2


def test_nothing_is_told_of_a_call_that_goes_on(anna, make_call):
    assert anna.get(after(make_call())).status_code == 404


# ---------- The text for another system ----------


def text_url(case):
    return reverse("intake:case-text", args=[case.slug])


@pytest.fixture
def told(make_case, cast, at):
    """A case with something under every heading."""
    with at("2026-11-23 14:05"):
        case = make_case(
            urgency="AKUT",
            track="C",
            actualisation="yes",
            actualisation_reason="Something may lead to action.",
            answers={"weapon": "yes", "r_event": "Skolan ringde"},
            notes={"seen": "Hon såg en kniv.", "told": "Grannen sa det.", "assessment": "Jag tror henne."},
            milieu="RIGHT",
        )
    with at("2026-11-24 09:00"):
        actions.add_note(by=cast.caseworker, case=case, kind="seen", text="Hon ringde igen.")
        actions.register_concern(by=cast.caseworker, case=case, child_age_band="15-17")
    return case


def test_the_text_holds_everything_under_the_stamp(anna, told, cast, settings, at):
    with at("2026-11-24 10:00"):
        page = read_post(anna, text_url(told))
    connection.check_constraints()
    text = re.search(r"<textarea[^>]*>\n(.*?)</textarea>", page, re.DOTALL).group(1)
    first = text.splitlines()[:2]
    assert "26 kap. 1 §" in first[0] and first[1] == f"2026-11-24, {settings.LINE_BOARD}"
    for words in (
        told.number,
        "2026-11-23 14.05",
        "C, Ärende",
        "Something may lead to action.",
        "Anhörig",
        "Falköping",
        "Våldsbejakande högerextremism",
        "15–17 år",
        "Vapen eller sprängämnen: Ja",
        "Skolan ringde",
        "Hon såg en kniv.",
        "Grannen sa det.",
        "Jag tror henne.",
        "Hon ringde igen.",
        "2026-12-08",  # the aim of the preliminary assessment
    ):
        assert words in text, words
    assert (
        text.index("Hon såg en kniv")
        < text.index("Grannen sa det")
        < text.index("Jag tror henne")
        < text.index("Hon ringde igen")
    )


def read_post(client, url):
    answer = client.post(url)
    assert answer.status_code == 200
    return unescape(answer.content.decode())


def test_what_was_added_to_a_note_stands_under_it(anna, told, cast):
    note = told.calls.get().notes.get(kind="seen")
    actions.notes.amend_note(by=cast.caseworker, note=note, amendment="objection", text="Det var en sax.")
    text = make_text(by=cast.caseworker, case=told)
    assert text.index("Hon såg en kniv.") < text.index("Det var en sax.") < text.index("Grannen sa det.")


def test_making_it_is_in_the_log_and_the_timeline_and_the_words_are_not(anna, told, cast):
    read_post(anna, text_url(told))
    row = LogEntry.objects.get(event="text.made")
    assert (row.case, row.user, row.codes) == (told.pk, cast.caseworker, {})
    assert Event.objects.get(case=told, kind="text.made").text == ""


def test_of_a_protected_person_no_text_is_made(anna, make_case, cast):
    case = make_case(protection="secrecy_marking", notes={"seen": "Hon bor i Hjo."})
    answer = anna.post(text_url(case), follow=True)
    page = unescape(answer.content.decode())
    assert (
        "The personal data of this person are protected. No text is made of it." in page
        and 'textarea class="form-control case-text' not in page
    )
    assert not LogEntry.objects.filter(event="text.made").exists()
    with pytest.raises(Refused):
        make_text(by=cast.caseworker, case=case)


def test_who_may_not_make_it(client_of, told, cast):
    assert client_of(cast.caseworker).get(text_url(told)).status_code == 405
    for who, status in [("partner", 403), ("keeper", 403), ("stranger", 404), ("other_manager", 404)]:
        assert client_of(getattr(cast, who)).post(text_url(told)).status_code == status, who
    assert "/reason/" in client_of(cast.colleague).post(text_url(told)).url
    assert not LogEntry.objects.filter(event="text.made").exists()


def test_erased_words_are_not_made_into_a_text(make_case, cast):
    case = make_case()
    case.key.destroy()
    with pytest.raises(Refused, match="erased"):
        make_text(by=cast.caseworker, case=case)


def test_each_floor_adds_who_may_be_named():
    assert [one.__module__ for one in spoken.AGREED] == ["referrals.agreed"]
