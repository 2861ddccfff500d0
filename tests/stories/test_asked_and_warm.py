"""Asked before it is promised, and handed over on the line together: in Swedish, in real browsers."""

import datetime as dt
import re

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from helpline.people import clock
from helpline.people.models import Notice
from referrals.models import PreAnswer
from tests.stories.persons import (
    CHILD,
    ON_DUTY,
    PHONE,
    case_page,
    mails_to,
    open_newest,
    opens_the_notice,
    state_of,
    step_of,
)

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


# -- handed over warmly ------------------------------------------------------------------------------------------------


def test_a_three_way_call_is_contact_when_both_have_said_so(enter, make_referral):
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
    them.sees("Tack. Vi har fått ert svar.")
    them.is_refused(link)
    expect(them.main).to_contain_text("Länken är använd eller har gått ut")
    again = them.context.request.post(f"{line.url}{link}", form={"said": "no"})
    assert again.status == 404
    assert PreAnswer.objects.get().answer == "yes"
    opens_the_notice(anna, "En samverkanspart svarar på en fråga utan namn")
    anna.go(case_page(case))
    anna.sees("säger ja")
    assert Notice.objects.filter(kind="pre.answered").count() == 1
