"""One number, and nobody is bounced around: what silence, a no, a change of mind and an unhelped caller come to, in Swedish,
in real browsers, with web server, worker and beat as they run in earnest."""

import datetime as dt
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import transaction
from playwright.sync_api import expect

from helpline.people import clock
from helpline.people.workdays import local
from intake.actions.steps import finish_step, set_next_due
from intake.models import Bounce, Case, FollowUp, Reminder
from referrals import actions
from referrals.labels import CARD
from referrals.models import Referral, SilenceRung
from tests.stories.persons import (
    CHILD,
    EXIT,
    ON_DUTY,
    PHONE,
    WORDS,
    Person,
    case_page,
    mails_to,
    open_newest,
    opens_the_notice,
    state_of,
    step_of,
    until,
)

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
SAYS_NO = re.compile(r"\bnej\b|avböj|sagt nej|lämnat tillbaka|inte svarat|tackat", re.IGNORECASE)


@pytest.fixture
def hand_over(make_draft, make_case, cast) -> Callable[..., Referral]:
    """A handover that was read back to the caller, and sent."""

    def send(urgency: str = "SKYNDSAM", **words: str) -> Referral:
        draft = make_draft(case=make_case(urgency=urgency), need="family_support", **{**ON_DUTY, **words})
        sent = actions.send(by=cast.caseworker, referral=draft)
        finish_step(by=cast.caseworker, step=draft.case.steps.get(kind="first_step"))
        return sent

    return send


def offered(owner: Person) -> list[str]:
    """Who can help instead, as the page names them, best first."""
    names = owner.page.locator(".offers li strong")
    expect(names.first).to_be_visible()
    return names.all_inner_texts()


def caller_hears_no_word_of_it(owner: Person, case: Case, *names: str) -> None:
    """What is read aloud, and what is given away on paper."""
    owner.go(f"{case_page(case)}after/")
    owner.sees("Vad som händer nu")
    aloud = owner.page.locator(".aloud").inner_text()
    owner.follow("Visa sidan att skriva ut")
    owner.page.wait_for_url(re.compile("print=1"))
    owner.sees("Det här händer nu")
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
    opens_the_notice(anna, "avböjde överlämningen")
    anna.go(case_page(sent.case))
    expect(anna.page.locator(".step-line")).to_contain_text(f"Välj vem som kan hjälpa i stället för {CHILD}")
    expect(anna.page.locator(".step-line")).to_contain_text("Du")
    offers = anna.page.locator(".offers li")
    expect(offers.first).to_contain_text(f"Föreslagen av {CHILD}")
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
    frida.excuse(422)
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
    opens_the_notice(anna, "har lämnat tillbaka överlämningen")
    anna.go(case_page(sent.case))
    expect(anna.page.locator(".step-line")).to_contain_text(f"Välj vem som kan hjälpa i stället för {CHILD}")
    anna.sees("1 bollning: se varför")
    expect(anna.page.locator(".bounces li")).to_contain_text(CHILD)
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
def test_a_caller_who_was_not_helped_has_the_same_person_again(enter, make_referral, cast, worker_and_beat, closed):
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
    anna.sees("Före varje kontakt", "du väljer vem som kan hjälpa i stället" if not closed else "hos samma person")
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
