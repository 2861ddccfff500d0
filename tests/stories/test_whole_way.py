"""The whole way, once, in a real browser: call, triage, case, referral, contact, reminder, follow-up, closing, figure."""

import re
import time

import pytest
from playwright.sync_api import Page, expect

from helpline.people import clock
from intake.models import Case, Reminder
from tests.stories.barriers import no_barrier

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
NAME, SEEN = "Ingegerd Malmkvist", "He shaved his head and keeps a rifle in the barn"


def figure(page: Page, live_server, log_in, key: str) -> int:
    """A number of the manager's overview."""
    log_in(page, "cecilia")
    page.goto(f"{live_server.url}/overview/")
    return int(page.locator(f"[data-figure={key}] span").first.inner_text())


def test_the_whole_way(page: Page, live_server, log_in, cast, faults, worker_and_beat):
    no_barrier_at_login(page, live_server)
    before = figure(page, live_server, log_in, "open")
    no_barrier(page)
    closed_case = call_becomes_case(page, live_server, log_in)
    refer(page, live_server, closed_case)
    agency_accepts(page, live_server, log_in)
    reminder_arrives(page, live_server, log_in, closed_case, worker_and_beat)
    assert figure(page, live_server, log_in, "open") == before + 1
    agency_has_had_contact(page, live_server, log_in)
    follow_up_and_close(page, live_server, log_in, closed_case)
    assert figure(page, live_server, log_in, "open") == before
    assert faults == []


def no_barrier_at_login(page: Page, live_server) -> None:
    page.goto(f"{live_server.url}/")
    no_barrier(page)


def call_becomes_case(page: Page, live_server, log_in) -> Case:
    log_in(page, "anna")
    no_barrier(page)
    page.keyboard.press("n")
    page.wait_for_url(re.compile(r"/calls/[0-9a-f-]+/"))
    no_barrier(page)
    page.keyboard.press("1")
    page.locator("label", has_text=re.compile("^B$")).click()
    page.locator("#facts [name='a.named']").check()
    page.locator("[name=caller_name]").fill(NAME)
    page.locator("[name=identity][value=named]").check()
    page.select_option("[name=municipality]", label="Falköping")
    page.select_option("[name=age_band]", value="15-17")
    page.locator("[name='a.weapon'][value=yes]").click()
    expect(page.locator("#acute")).to_contain_text("112")
    for line in ("called_112", "told_manager", "told_caller"):
        page.locator(f"#acute button[name=acute][value={line}]").click()
        expect(page.locator(f"#acute button[name=acute][value={line}]")).to_have_count(0)
    page.locator("[name='n.seen']").fill(SEEN)
    expect(page.locator("#urgency-says")).to_contain_text("Acute")
    expect(page.locator("#help")).to_contain_text("Socialjour")
    page.wait_for_timeout(2500)  # the pause after which a field saves itself
    no_barrier(page)
    page.locator("[name=actualisation][value=no]").click()
    page.locator("[name=actualisation_reason]").fill("Advice alone")
    page.locator(".callbar").get_by_role("button", name="Finish").click()
    page.wait_for_url(re.compile(r"/after/"))
    case = Case.objects.get()
    expect(page.locator(".aloud")).to_contain_text(case.number)
    no_barrier(page)
    page.get_by_role("link", name=f"To {case}").click()
    page.wait_for_url(re.compile(r"/cases/"))
    expect(page.locator("h1")).to_contain_text(str(case))
    expect(page.locator(".step-line")).to_contain_text("first step")
    expect(page.locator("main")).to_contain_text(SEEN)
    no_barrier(page)
    return case


def refer(page: Page, live_server, case: Case) -> None:
    page.get_by_role("link", name="Hand over").first.click()
    page.wait_for_url(re.compile("/refer/"))
    no_barrier(page)
    page.get_by_role("button", name="Socialtjänst barn och unga, Falköping").first.click()
    page.wait_for_url(re.compile("/handovers/"))
    no_barrier(page)
    page.locator("[name=ground][value=CARE_U18]").check()
    page.locator("[name=ground_reason]").fill("The boy needs support now")
    page.locator("[name=ask]").fill("Meet the mother this week")
    page.locator("[name=happened]").fill("Her son has changed in a few months")
    expect(page.locator(".preview")).to_contain_text("Meet the mother this week")
    no_barrier(page)
    page.get_by_role("button", name=re.compile("^Send to")).click()
    expect(page.locator("main")).to_contain_text("Sent")
    no_barrier(page)


def agency_accepts(page: Page, live_server, log_in) -> None:
    log_in(page, "frida")
    no_barrier(page)
    page.locator(".inbox a").first.click()
    expect(page.locator("main")).to_contain_text("Her son has changed in a few months")
    text = page.locator("body").inner_text()
    assert SEEN not in text and NAME not in text and str(Case.objects.get()) not in text
    no_barrier(page)
    page.locator("label.answer-head", has_text="Accept").click()
    page.locator("[name=handled_by]").fill("Maria")
    page.locator(".answer-body").get_by_role("button", name="Accept").click()
    expect(page.locator("main")).to_contain_text("We have had contact")
    no_barrier(page)


def reminder_arrives(page: Page, live_server, log_in, case: Case, folder) -> None:
    """Time passes: the first step is due. Beat wakes the worker, and the mail lands."""
    moved = Reminder.objects.filter(step__case=case, step__kind="first_step", rung="due").update(due_at=clock.now())
    assert moved == 1
    begun = time.monotonic()
    while not Reminder.objects.filter(step__case=case, state="fired").exists():
        assert time.monotonic() - begun < 60, (folder / "log").read_text()[-3000:]
        time.sleep(0.5)
    log_in(page, "anna")
    expect(page.locator("main")).to_contain_text("Reminder: a step is due")
    mine = page.locator(".mail", has_text="anna@example.com")
    for _ in range(40):
        page.goto(f"{live_server.url}/demo/mail/")
        if mine.count() >= 2:  # the handover's answer, and the reminder
            break
        time.sleep(0.5)
    assert mine.count() >= 2, (folder / "log").read_text()[-3000:]
    text = page.locator("main").inner_text()
    assert "Something waits for you" in text
    for word in (NAME, SEEN, str(case), case.slug, "Socialtjänst", "extrem"):
        assert word not in text
    no_barrier(page)


def agency_has_had_contact(page: Page, live_server, log_in) -> None:
    log_in(page, "frida")
    page.locator(".inbox a").first.click()
    page.get_by_role("button", name="We have had contact").click()
    expect(page.locator("main")).to_contain_text("We have finished")
    no_barrier(page)


def follow_up_and_close(page: Page, live_server, log_in, case: Case) -> None:
    log_in(page, "anna")
    page.goto(f"{live_server.url}/cases/{case.slug}/")
    expect(page.locator("main")).to_contain_text("has had contact")
    page.locator(".step-line").get_by_role("link", name="Done").click()
    no_barrier(page)
    page.locator("[name=outcome]").fill("She was called on the same day")
    page.get_by_role("button", name="Done").click()
    for answer, asked, then in [
        ("Partly", "Ask the caller about the contact", "Ask the caller after a month"),
        ("Got help", "Ask the caller after a month", "Ask the caller after three months"),
        ("The caller does not want to be asked again", "Ask the caller after three months", "Decide what comes next"),
    ]:
        caller_answers(page, answer, asked)
        expect(page.locator(".step-line")).to_contain_text(then)
    page.locator(".step-line").get_by_role("link", name="Done").click()
    page.locator("[name=outcome]").fill("She got help")
    page.select_option("[name=close]", value="handed_over")
    page.get_by_role("button", name="Done").click()
    expect(page.locator("main")).to_contain_text("Closed")
    no_barrier(page)
    assert not Case.objects.get(pk=case.pk).is_open


def caller_answers(page: Page, answer: str, asked: str) -> None:
    """A step of asking is ended by what the caller says, and by nothing else; then comes the next."""
    line = page.locator(".step-line")
    expect(line).to_contain_text(asked)
    expect(line.get_by_role("link", name="Done")).to_have_count(0)
    page.get_by_role("link", name="Write down what the caller answers").first.click()
    no_barrier(page)
    page.locator("label.choice", has_text=answer).click()
    page.locator("[name=text]").fill(f"In her words: {answer}")
    page.get_by_role("button", name="Write down the answer").click()
    page.wait_for_url(re.compile(r"/cases/"))
    expect(page.locator("main")).to_contain_text(f"In her words: {answer}")
    no_barrier(page)
