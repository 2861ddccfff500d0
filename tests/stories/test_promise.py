"""One number, and nobody is bounced around: what silence, a no, a change of mind and an unhelped caller come to, in Swedish,
in real browsers, with web server, worker and beat as they run in earnest."""

import datetime as dt
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.db import connection, transaction
from django.utils import timezone
from playwright.sync_api import Browser, expect

from helpline.people import clock
from helpline.people.models import Notice, User
from helpline.people.workdays import local
from intake.actions.steps import finish_step, set_next_due
from intake.models import Bounce, Case, FollowUp, Reminder
from referrals import actions
from referrals.labels import CARD
from referrals.models import PreAnswer, Referral, SilenceRung
from tests.referrals.conftest import make_draft, make_referral  # noqa: F401  # referrals to play with
from tests.stories.persons import DESK, PHONE, Person, until
from tests.stories.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
CHILD, EXIT = "Socialtjänst barn och unga, Falköping", "Avhopparstöd"
WORDS = {
    "ask": "Träffa mamman den här veckan.",
    "about": "En pojke i femtonårsåldern.",
    "happened": "Sonen har mött människor som skrämmer henne.",
    "wants": "Någon som talar med honom.",
    "fears": "Att han får veta att hon ringde.",
    "tried": "Skolan, en gång.",
    "dont_ask": "Vem pappan är.",
    "safe_contact": "Bara sms efter nio.",
}
ON_DUTY = {"ground": "CARE_U18", "ground_reason": "Pojken behöver stöd nu.", **WORDS}
SAYS_NO = re.compile(r"\bnej\b|avböj|sagt no|lämnat tillbaka|inte svarat|tackat", re.IGNORECASE)


@pytest.fixture
def line(cast, tmp_path, worker_and_beat) -> Iterator[Server]:
    """The whole house in Swedish: web server, worker and beat; all in it log in as in production."""
    hasher = Argon2PasswordHasher()
    User.objects.update(language="sv", password=hasher.encode("pw", hasher.salt()))
    server = Server(tmp_path)
    server.start()
    yield server
    server.kill()
    server.log.close()


@pytest.fixture
def enter(browser: Browser, browser_context_args, line) -> Iterator[Callable[..., Person]]:
    """Somebody at a screen of this size, logged in where a name is given. No page of theirs may have complained."""
    came: list[Person] = []

    def person(name: str = "", size: dict[str, int] = DESK, **more: object) -> Person:
        context = browser.new_context(**{**browser_context_args, "viewport": size, **more})
        came.append(Person(context, line.url))
        return came[-1].log_in(name) if name else came[-1]

    yield person
    for one in came:
        one.context.close()
    assert [fault for one in came for fault in one.faults] == []


@pytest.fixture
def hand_over(make_draft, make_case, cast) -> Callable[..., Referral]:  # noqa: F811
    """A handover that was read back to the caller, and sent."""

    def send(urgency: str = "SKYNDSAM", **words: str) -> Referral:
        draft = make_draft(case=make_case(urgency=urgency), need="family_support", **{**ON_DUTY, **words})
        sent = actions.send(by=cast.caseworker, referral=draft)
        finish_step(by=cast.caseworker, step=draft.case.steps.get(kind="first_step"))
        return sent

    return send


def state_of(referral: Referral) -> str:
    connection.check_constraints()
    return Referral.objects.values_list("state", flat=True).get(pk=referral.pk)


def step_of(referral: Referral) -> FollowUp:
    """The one step that waits about a handover."""
    return FollowUp.objects.planned().select_related("owner").get(about=str(referral.pk))


def case_page(case: Case) -> str:
    return f"/cases/{case.slug}/"


def open_newest(partner: Person) -> None:
    partner.go("/portal/")
    partner.page.locator(".inbox a:visible").first.click()
    partner.page.wait_for_url(re.compile(r"/portal/[0-9a-f-]{36}/"))


def opens_the_notice(owner: Person, words: str) -> None:
    """It stands on the first page, and leads where it is to be done."""
    owner.go("/my-day/")
    owner.sees(words)
    owner.page.locator(".row-item", has_text=words).get_by_role("link").click()


def offered(owner: Person) -> list[str]:
    """Who can help instead, as the page names them, best first."""
    names = owner.page.locator(".offers li strong")
    expect(names.first).to_be_visible()
    return names.all_inner_texts()


def caller_hears_no_word_of_it(owner: Person, case: Case, *names: str) -> None:
    """What is read aloud, and what is given away on paper."""
    owner.go(f"{case_page(case)}after/")
    owner.sees("Vad händer nu")
    aloud = owner.page.locator(".aloud").inner_text()
    owner.follow("Visa sidan att skriva ut")
    owner.page.wait_for_url(re.compile("print=1"))
    owner.sees("Vad händer nu")
    paper = owner.text()
    for text in (aloud, paper):
        assert not SAYS_NO.search(text), text
        assert not [name for name in names if name in text]


# -- the decline -------------------------------------------------------------------------------------------------------


def test_a_no_is_a_redirect_and_the_caller_never_hears_of_it(enter, hand_over, cast):
    sent = hand_over()
    frida = enter("frida", PHONE)
    open_newest(frida)
    frida.page.locator("label.answer-head", has_text="Avböj").click()
    form = frida.form("decline")
    form.get_by_label("Har inte plats").check()
    form.get_by_label("Vem kan i stället?").select_option(label=EXIT)
    form.locator("[name=text]").fill("Fullt till nästa vecka.")
    frida.sees("Personen får inte veta att ni har sagt nej")
    form.get_by_role("button", name="Avböj").click()
    frida.sees("Ni har avböjt. Stödlinjen får veta det, personen får det inte.")
    frida.is_refused(f"/portal/{sent.pk}/")
    assert (state_of(sent), step_of(sent).kind, step_of(sent).owner) == ("declined", "choose_next", cast.caseworker)

    anna = enter("anna")
    opens_the_notice(anna, "En överlämning avböjdes")
    anna.go(case_page(sent.case))
    expect(anna.page.locator(".step-line")).to_contain_text(f"Välj vem som kan hjälpa i stället för {CHILD}")
    expect(anna.page.locator(".step-line")).to_contain_text("Du")
    offers = anna.page.locator(".offers li")
    expect(offers.first).to_contain_text(f"föreslagen av {CHILD}")
    names = offered(anna)
    assert names[0] == EXIT
    assert len(names) > 1
    assert CHILD not in names
    anna.sees()
    caller_hears_no_word_of_it(anna, sent.case, CHILD, EXIT)

    anna.go(case_page(sent.case))
    anna.press(f"Välj {EXIT}")
    anna.page.wait_for_url(re.compile("/handovers/"))
    for field in CARD:
        expect(anna.page.locator(f"[name={field}]")).to_have_value(WORDS[field])
    anna.page.locator("[name=ground][value=CONSENT_GUARDIAN]").check()
    anna.page.locator("[name=consent_form][value=spoken]").check()
    anna.page.locator("[name=approved]").check()
    anna.sees(WORDS["happened"])
    anna.press(f"Skicka till {EXIT}")
    anna.sees(f"Överlämnat till {EXIT}")
    next_one = Referral.objects.get(agency=cast.other_agency)
    assert (state_of(next_one), step_of(next_one).kind) == ("sent", "await_answer")
    assert not FollowUp.objects.planned().filter(kind="choose_next").exists()
    caller_hears_no_word_of_it(anna, sent.case, CHILD)

    gustav = enter("gustav", PHONE)
    open_newest(gustav)
    gustav.sees(WORDS["happened"], WORDS["dont_ask"])
    assert CHILD not in gustav.text()
    assert "Fullt till nästa vecka" not in gustav.text()


def test_without_script_the_decline_works(enter, hand_over):
    sent = hand_over()
    frida = enter("frida", PHONE, java_script_enabled=False)
    open_newest(frida)
    frida.page.locator("label.answer-head", has_text="Avböj").click()
    form = frida.form("decline")
    form.get_by_role("button", name="Avböj").click()  # too soon: said what is missing
    expect(frida.main).to_contain_text("Välj vem som kan i stället, eller att ni inte vet.")
    frida.faults.clear()  # the browser's own line of the status 422
    form.get_by_label("Fel ålder").check()
    form.get_by_label("Vem kan i stället?").select_option(label="Vet inte")
    form.get_by_role("button", name="Avböj").click()
    expect(frida.main).to_contain_text("Ni har avböjt.")
    assert (state_of(sent), step_of(sent).kind) == ("declined", "choose_next")


# -- the silence -------------------------------------------------------------------------------------------------------


def climb(folder: Path, referral: Referral, rung: str, at: dt.datetime | None = None) -> None:
    """Time passes: this rung is due. Beat wakes the worker, and it is climbed, once."""
    row = referral.rungs.filter(rung=rung)
    assert row.filter(state="scheduled").update(due_at=at or clock.now()) == 1
    until(lambda: row.filter(state="fired").exists(), folder)


def rungs_of(referral: Referral) -> dict[str, str]:
    return dict(SilenceRung.objects.filter(referral=referral).values_list("rung", "state"))


def mails_to(address: str, folder: Path, count: int) -> list[str]:
    """Wait until so many have come there; what each holds."""

    def come() -> list[str]:
        parts = [part for file in (folder / "mail").glob("*.log") for part in file.read_text().split("-" * 79 + "\n")]
        return [part for part in parts if f"To: {address}" in part]

    until(lambda: len(come()) >= count, folder)
    return come()


def test_silence_climbs_until_somebody_says_yes_by_phone(enter, hand_over, cast, worker_and_beat):
    folder = worker_and_beat
    cast.agency.deputy_mailbox = "jour@example.com"
    cast.agency.save()
    sent = hand_over(urgency="AKUT")
    before = len(mails_to("frida@example.com", folder, 1))  # that there is one
    climb(folder, sent, "nudge")
    mails = mails_to("frida@example.com", folder, before + 1)
    climb(folder, sent, "deputy")
    mails += mails_to("jour@example.com", folder, 1)
    for words in (*WORDS.values(), CHILD, str(sent.case), sent.case.slug, "extrem", "Falköping", "Socialtjänst"):
        assert not [mail for mail in mails if words in mail]

    tonight = local(clock.today(), dt.time(23, 59))
    sent.rungs.filter(rung="manager").update(due_at=min(clock.now() + dt.timedelta(hours=1), tonight))
    climb(folder, sent, "owner")
    anna = enter("anna")
    anna.go("/my-day/")
    anna.sees(f"Ring {CHILD}: de har inte svarat", "En samverkanspart har inte svarat: ring dem")
    anna.page.locator(".row-item", has_text=f"Ring {CHILD}").get_by_role("link", name="Öppna").click()
    expect(anna.page.locator(".step-line")).to_contain_text(f"Ring {CHILD}")
    anna.sees("0500-49 80 00")
    anna.follow("Skriv in vad de säger")
    anna.sees(f"Ring {CHILD}", "De tar emot")
    form = anna.form("accept")
    form.get_by_label("Vem hos dem").fill("Maria")
    form.locator("[name=text]").fill("Maria ringer mamman i kväll.")
    form.get_by_role("button", name="Skriv in att de tar emot").click()
    anna.sees("Accepterad", "Maria", "per telefon")
    assert state_of(sent) == "accepted"
    assert rungs_of(sent) == {
        **dict.fromkeys(("nudge", "deputy", "owner"), "fired"),
        **dict.fromkeys(("manager", "expire"), "cancelled"),
    }
    assert (step_of(sent).kind, step_of(sent).others_turn) == ("await_contact", True)
    anna.go(case_page(sent.case))
    expect(anna.page.locator(".step-line")).to_contain_text(f"{CHILD} tar kontakt")
    anna.sees()


def test_silence_to_the_end_is_the_owners_to_choose_anew(enter, hand_over, cast, worker_and_beat):
    sent = hand_over()
    for rung in ("nudge", "deputy", "owner", "manager"):
        climb(worker_and_beat, sent, rung)
    cecilia = enter("cecilia")
    opens_the_notice(cecilia, "En samverkanspart har inte svarat, och ingen har nått dem")
    cecilia.page.get_by_label("Ledning och kontroll av enheten").check()
    cecilia.press("Öppna stödkontakten")
    cecilia.page.locator("#referrals").get_by_role("link", name=CHILD).click()
    cecilia.sees("enhetschefen fick veta det")
    climb(worker_and_beat, sent, "expire")
    assert (state_of(sent), set(rungs_of(sent).values())) == ("expired", {"fired"})
    assert (step_of(sent).kind, step_of(sent).owner) == ("choose_next", cast.caseworker)

    enter("frida", PHONE).is_refused(f"/portal/{sent.pk}/")
    anna = enter("anna")
    opens_the_notice(anna, "En överlämning blev obesvarad")
    anna.go(case_page(sent.case))
    expect(anna.page.locator(".step-line")).to_contain_text(f"Välj vem som kan hjälpa i stället för {CHILD}")
    name, *others = offered(anna)
    assert CHILD not in {name, *others}
    anna.sees("1 bollning: se varför")
    caller_hears_no_word_of_it(anna, sent.case, CHILD, name)
    anna.go(case_page(sent.case))
    anna.press(f"Välj {name}")
    expect(anna.page.locator("[name=happened]")).to_have_value(WORDS["happened"])
    anna.sees(name)


# -- the un-accept -----------------------------------------------------------------------------------------------------


def test_what_was_accepted_and_given_back_is_the_owners_again(enter, hand_over, cast):
    sent = hand_over()
    frida = enter("frida", PHONE)
    open_newest(frida)
    frida.page.locator("label.answer-head", has_text="Ta emot").click()
    frida.form("accept").get_by_role("button", name="Ta emot").click()
    frida.sees("Ni har tagit emot")
    frida.unfold("Boka en tid")
    frida.form("book").locator("[name=warm][value=alone]").check()
    frida.form("book").get_by_role("button", name="Boka tiden").click()
    frida.sees("Tiden är bokad, och stödlinjen får veta det.")
    assert (state_of(sent), step_of(sent).kind) == ("contact_booked", "booked_contact")
    frida.unfold("Lämna tillbaka")
    form = frida.form("return")
    form.locator("[name=reason][value=conflict]").check()
    form.get_by_label("Vem kan i stället?").select_option(label="Vet inte")
    form.locator("[name=text]").fill("Vår handläggare känner familjen.")
    frida.sees()
    form.get_by_role("button", name="Lämna tillbaka").click()
    frida.sees("Ni har lämnat tillbaka den.")
    frida.is_refused(f"/portal/{sent.pk}/")
    assert (state_of(sent), step_of(sent).kind, step_of(sent).owner) == ("returned", "choose_next", cast.caseworker)
    assert Case.objects.get().owner == cast.caseworker

    anna = enter("anna")
    opens_the_notice(anna, "En samverkanspart har lämnat tillbaka en överlämning")
    anna.go(case_page(sent.case))
    expect(anna.page.locator(".step-line")).to_contain_text(f"Välj vem som kan hjälpa i stället för {CHILD}")
    anna.sees("1 bollning: se varför", f"{CHILD} sa nej eller svarade inte, efter att")
    assert Bounce.objects.of(sent.case).get().cause == "turned_away"
    assert CHILD not in offered(anna)
    anna.go(f"/handovers/{sent.pk}/")
    anna.sees("Tillbakalämnad", "Vår handläggare känner familjen.")


# -- the caller who says no --------------------------------------------------------------------------------------------


def the_day_comes(folder: Path, step: FollowUp) -> None:
    """Time passes until a step is due, and its owner is reminded by worker and beat."""
    due = clock.now()
    with transaction.atomic():
        FollowUp.objects.filter(pk=step.pk).update(due_at=due)
        set_next_due(step.case)
    assert Reminder.objects.filter(step=step, rung="due").update(due_at=due) == 1
    until(lambda: Reminder.objects.filter(step=step, rung="due", state="fired").exists(), folder)


@pytest.mark.parametrize("closed", [False, True], ids=["open", "closed meanwhile"])
def test_a_caller_who_was_not_helped_has_the_same_person_again(enter, make_referral, cast, worker_and_beat, closed):  # noqa: F811
    made = make_referral("contact_made", need="family_support", **ON_DUTY)
    frida = enter("frida", PHONE)
    open_newest(frida)
    frida.sees("När ni är klara")
    frida.press("Vi är klara")
    frida.sees("Ni ser inte längre överlämningen")
    assert (state_of(made), step_of(made).kind, step_of(made).owner) == (
        "completed",
        "confirm_contact",
        cast.caseworker,
    )
    anna = enter("anna")
    if closed:
        close(anna, made)
    else:
        the_day_comes(worker_and_beat, step_of(made))
        anna.go("/my-day/")
        anna.sees(f"Fråga den som ringt om kontakten med {CHILD}")
        anna.page.locator(".row-item", has_text="Fråga den som ringt").get_by_role("link", name="Öppna").click()
        anna.follow("Skriv in vad den som ringt svarar")
    anna.page.locator("label.choice", has_text="Ingen hjälp").click()
    anna.page.locator("[name=text]").fill("De träffades en gång, sedan blev det tyst.")
    anna.sees("Före varje kontakt", "du väljer vem som kan hjälpa i stället" if not closed else "med samma person")
    anna.press("Skriv in svaret")
    anna.page.wait_for_url(re.compile("/cases/"))
    expect(anna.page.locator(".step-line")).to_contain_text(f"Välj vem som kan hjälpa i stället för {CHILD}")
    expect(anna.page.locator("#referrals")).to_contain_text("Hjälpte inte")
    anna.sees("De träffades en gång, sedan blev det tyst.")
    assert CHILD not in offered(anna)
    case = Case.objects.get()
    assert (case.is_open, case.owner) == (True, cast.caseworker)
    assert (state_of(made), step_of(made).kind, step_of(made).owner) == ("failed", "choose_next", cast.caseworker)


def close(owner: Person, referral: Referral) -> None:
    """The caller wants no more questions, and the owner closes; then the caller says after all that it did not help."""
    owner.go(f"/handovers/{referral.pk}/caller/")
    owner.page.locator("label.choice", has_text="vill inte bli frågad igen").click()
    owner.press("Skriv in svaret")
    owner.page.locator(".step-line").get_by_role("link", name="Klart").click()
    owner.page.select_option("[name=close]", value="handed_over")
    owner.press("Klart")
    expect(owner.page.locator(".step-line")).to_contain_text("Avslutat")
    owner.sees("Stödkontakten är avslutad.")
    assert not Case.objects.get().is_open
    owner.go(f"/handovers/{referral.pk}/")
    owner.sees("Den som ringt säger att det inte hjälpte")
    owner.follow("Den som ringt säger att det inte hjälpte")


# -- handed over warmly ------------------------------------------------------------------------------------------------


def test_a_three_way_call_is_contact_when_both_have_said_so(enter, make_referral):  # noqa: F811
    made = make_referral("accepted", need="family_support", **ON_DUTY)
    anna, frida = enter("anna"), enter("frida", PHONE)
    soon = timezone.localtime(clock.now() + dt.timedelta(minutes=30), timezone.get_default_timezone())
    anna.go(f"/handovers/{made.pk}/")
    anna.unfold("En tid, eller en paus", "Boka ett trepartssamtal")
    anna.form("book-warm").locator("[name=at]").fill(f"{soon:%Y-%m-%dT%H:%M}")
    anna.form("book-warm").get_by_role("button", name="Boka trepartssamtalet").click()
    anna.sees("Tid bokad", "Pratade tillsammans")
    assert step_of(made).kind == "three_way_call"
    open_newest(frida)
    frida.sees("Varken ni eller stödlinjen har")
    frida.press("Vi talade tillsammans")
    frida.sees("Stödlinjen har inte gjort det än.")
    assert state_of(made) == "contact_booked"
    anna.go(case_page(made.case))
    expect(anna.page.locator(".step-line")).to_contain_text(f"Trepartssamtal med {CHILD}")
    anna.sees()
    anna.follow("Bocka i att vi pratade tillsammans")
    anna.press("Bocka i att vi pratade tillsammans")
    anna.sees("Kontakt tagen")
    assert (state_of(made), step_of(made).kind) == ("contact_made", "confirm_contact")


# -- asked before it is promised ---------------------------------------------------------------------------------------


def test_a_question_without_a_name_is_answered_once_by_its_link(enter, make_case, line, worker_and_beat):
    case = make_case(track="B", caller_name="Ingegerd Malmkvist")
    anna = enter("anna")
    anna.go(f"{case_page(case)}ask-first/?need=family_support")
    anna.page.locator("label.choice", has_text=CHILD).click()
    anna.sees("Fråga utan namn")
    anna.press("Visa frågan")
    anna.sees("Exakt detta frågas", CHILD)
    anna.press("Fråga 1 samverkanspart")
    anna.sees("Frågat utan namn", "har inte svarat än")
    answer = PreAnswer.objects.select_related("agency").get()
    [mail] = mails_to(answer.agency.mailbox, worker_and_beat, 1)
    found = re.search(r"/portal/pre/\S+", mail.replace("=\n", ""))
    assert found
    link = found.group()

    them = enter(size=PHONE)
    for _scanner in range(2):  # opens every link of a mail, as nobody
        assert them.context.request.get(f"{line.url}{link}").status == 200
    assert them.go(link).status == 200
    them.sees("Kan ni hjälpa till?")
    text = them.text()
    for words in ("Malmkvist", str(case), case.slug, "Falköping", "Anna"):
        assert words not in text
    them.page.locator("[name=said][value=yes]").check()
    them.press("Svara")
    them.sees("Tack. Ert svar har kommit fram")
    them.is_refused(link)
    expect(them.main).to_contain_text("Länken är använd eller har gått ut")
    again = them.context.request.post(f"{line.url}{link}", form={"said": "no"})
    assert again.status == 404
    assert PreAnswer.objects.get().answer == "yes"
    opens_the_notice(anna, "En samverkanspart svarar på en fråga utan namn")
    anna.go(case_page(case))
    anna.sees("säger ja")
    assert Notice.objects.filter(kind="pre.answered").count() == 1
