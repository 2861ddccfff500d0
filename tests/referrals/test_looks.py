"""A first look by a link: a code that is told by phone, once, for half an hour, in one browser; and nothing else."""

import datetime as dt
import re
import threading

import pytest
from django.conf import settings
from django.contrib.auth.hashers import check_password
from django.core import mail, signing
from django.db import connection
from django.test import Client
from django.urls import reverse

from helpline.people import clock
from helpline.people.errors import Refused, TooLate
from helpline.people.models import LogEntry, Notice
from helpline.people.notices import deliver_mail
from referrals import actions
from referrals.actions.looks import LOOKED_AT, NoLook, look_behind, make_look, open_look, token_of
from referrals.models import AgencyMember, Disclosure, FirstLook, Referral
from referrals.states import STATES

SOON = {"contact_by": "2026-11-24T10:00", "handled_by": "Lena"}
CARD = reverse("portal:look-card")


@pytest.fixture(autouse=True)
def a_monday(at):
    with at("2026-11-23 09:00"):
        yield


@pytest.fixture
def sent(make_referral, make_case, cast) -> Referral:
    """Sent to an agency that has a mailbox and not one account."""
    cast.agency.mailbox, cast.agency.phone = "box@example.com", "0515-88 50 00"
    cast.agency.save()
    AgencyMember.objects.filter(agency=cast.agency).delete()
    case = make_case(track="B", identity="named", caller_name="Maja Lind", phone="070-1234567")
    return make_referral("sent", case=case, name="Maja Lind", phone="070-1234567")


@pytest.fixture
def made(sent, cast) -> tuple[FirstLook, str]:
    return make_look(by=cast.caseworker, referral=sent)


def browser() -> Client:
    """Somebody without a log-in, who reads English."""
    client = Client()
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
    return client


def link_of(look) -> str:
    return reverse("portal:look", args=[token_of(look)])


def open_in(client, look, code):
    return client.post(link_of(look), {"code": code})


@pytest.fixture
def opened(made) -> Client:
    """The browser that gave the code."""
    client = browser()
    assert open_in(client, *made).status_code == 302
    return client


def codes_logged(event: str) -> list[dict]:
    return [row.codes for row in LogEntry.objects.filter(event=event).order_by("id")]


# -- the link is made ---


def test_the_owner_makes_a_link_and_reads_the_code_once(client_of, cast, sent):
    page = client_of(cast.caseworker).post(reverse("referrals:look", args=[sent.pk]), {"after": ""})
    look = FirstLook.objects.get()
    said = re.search(r'class="said-code">(\d{4} \d{4})<', page.content.decode())[1]
    assert check_password(said.replace(" ", ""), look.code) and "0515-88 50 00" in page.content.decode()
    again = client_of(cast.caseworker).get(reverse("referrals:referral", args=[sent.pk])).content.decode()
    assert said not in again and said.replace(" ", "") not in again
    assert "not opened yet" in again
    entry = LogEntry.objects.get(event="referral.look_made")
    assert (entry.user, entry.codes["look"]) == (cast.caseworker, str(look.pk))
    assert sent.case.events.get(kind="referral.look_made").codes["agency"] == sent.agency.name
    connection.check_constraints()


def test_the_code_is_written_nowhere(made, sent):
    """Not in a row, not in the log, not in the mail: hashed alone."""
    look, code = made
    deliver_mail()
    assert code not in f"{look.code} {look.nonce} {list(LogEntry.objects.values_list('codes', flat=True))}"
    assert code not in "".join(message.body for message in mail.outbox)
    assert all(code not in str(event.codes) + event.text for event in sent.case.events.all())


def test_the_mail_holds_the_link_and_not_a_word_more(made, settings):
    settings.SITE_URL = "https://portal.example.org"
    deliver_mail()
    message = next(one for one in mail.outbox if token_of(made[0]) in one.body)
    assert message.to == ["box@example.com"]
    assert f"https://portal.example.org{link_of(made[0])}" in message.body
    assert re.fullmatch(r"[0-9a-f]{32}-[0-9a-f]{32}\.[\w-]+", token_of(made[0]))


def test_pressing_twice_makes_one(client_of, cast, sent):
    theirs = client_of(cast.caseworker)
    first = theirs.post(reverse("referrals:look", args=[sent.pk]), {"after": ""})
    second = theirs.post(reverse("referrals:look", args=[sent.pk]), {"after": ""})
    assert (first.status_code, second.status_code) == (200, 422)
    assert FirstLook.objects.count() == 1 and "said-code" not in second.content.decode()
    newest = str(FirstLook.objects.get().pk)
    assert theirs.post(reverse("referrals:look", args=[sent.pk]), {"after": newest}).status_code == 200


def test_a_new_link_kills_the_ones_of_before(made, sent, cast):
    other, code = make_look(by=cast.caseworker, referral=sent)
    client = browser()
    assert client.get(link_of(made[0])).status_code == 404
    assert open_in(client, *made).status_code == 404
    assert open_in(client, other, code).status_code == 302


def test_a_new_link_ends_the_look_of_the_one_before(opened, sent, cast):
    assert opened.get(CARD).status_code == 200
    make_look(by=cast.caseworker, referral=sent)
    assert opened.get(CARD).status_code == 404


@pytest.mark.parametrize(("urgency", "hours"), [("AKUT", 2), ("BRADSKANDE", 24), ("SKYNDSAM", 24), ("NORMAL", 24)])
def test_it_works_until_the_answer_is_due_two_hours_at_least_and_a_day_at_most(urgency, hours, sent, cast, at):
    due = {"AKUT": 1, "BRADSKANDE": 27, "SKYNDSAM": 60, "NORMAL": 90}[urgency]
    Referral.objects.filter(pk=sent.pk).update(urgency=urgency, answer_due_at=clock.now() + dt.timedelta(hours=due))
    look, _code = make_look(by=cast.caseworker, referral=sent)
    assert look.expires_at == clock.now() + dt.timedelta(hours=hours)


def test_between_the_two_it_is_the_answer_time(sent, cast):
    Referral.objects.filter(pk=sent.pk).update(answer_due_at=clock.now() + dt.timedelta(hours=5))
    look, _code = make_look(by=cast.caseworker, referral=sent)
    assert look.expires_at == clock.now() + dt.timedelta(hours=5)


@pytest.mark.parametrize("state", sorted(set(STATES) - LOOKED_AT - {"draft"}))
def test_what_is_answered_has_no_link(state, make_referral, cast):
    cast.agency.mailbox = "box@example.com"
    cast.agency.save()
    with pytest.raises(TooLate):
        make_look(by=cast.caseworker, referral=make_referral(state))
    assert not FirstLook.objects.exists()


def test_without_a_mailbox_there_is_none(client_of, cast, make_referral):
    cast.agency.mailbox = ""
    cast.agency.save()
    sent = make_referral("sent")
    page = client_of(cast.caseworker).post(reverse("referrals:look", args=[sent.pk]), {"after": ""})
    assert page.status_code == 422 and "no mailbox" in page.content.decode()
    assert not FirstLook.objects.exists()


def test_who_may_make_one(client_of, cast, sent):
    url = reverse("referrals:look", args=[sent.pk])
    assert client_of(cast.caseworker).get(url).status_code == 405
    assert client_of(cast.stranger).post(url).status_code == 404
    assert "/reason/" in client_of(cast.colleague).post(url).url
    for other in (cast.partner, cast.keeper):
        assert client_of(other).post(url).status_code == 403
    assert not FirstLook.objects.exists()


# -- the link is opened ---


def test_opening_the_link_uses_nothing_up_and_shows_nothing(made, sent):
    for _time in range(7):
        scanner = browser()
        assert scanner.head(link_of(made[0])).status_code == 200
        page = scanner.get(link_of(made[0])).content.decode()
        for word in (
            "Maja",
            "070",
            "The son",
            "police",
            sent.agency.name,
            sent.need_name,
            str(sent.pk),
            sent.case.slug,
        ):
            assert word not in page, word
    made[0].refresh_from_db()
    assert (made[0].used_at, made[0].wrong) == (None, 0)
    sent.refresh_from_db()
    assert sent.state == "sent"
    assert open_in(browser(), *made).status_code == 302


def test_the_right_code_shows_the_card_without_who(opened, sent, made):
    page = opened.get(CARD)
    text = page.content.decode()
    assert "He learns" in text or "That he learns she called." in text
    assert "Maja" not in text and "070-1234567" not in text and "We give you them when you have accepted" in text
    assert "no-store" in page["Cache-Control"] and token_of(made[0]) not in text
    sent.refresh_from_db()
    assert sent.state == "opened" and sent.changes.get(move="open").way == "link"
    connection.check_constraints()


def test_the_code_is_read_as_it_is_said(made):
    look, code = made
    assert open_in(browser(), look, f" {code[:4]}-{code[4:]} ").status_code == 302


def test_opening_is_a_disclosure_of_what_was_shown(opened, sent, cast):
    row = Disclosure.objects.get(referral=sent, way="link")
    assert row.decided_by == cast.caseworker and "ask" in row.shared
    assert {"name", "phone"} <= set(row.withheld) and not {"name", "phone"} & set(row.shared)
    assert LogEntry.objects.get(event="look.opened").user is None
    opened.get(CARD)
    assert Disclosure.objects.filter(way="link").count() == 1
    assert LogEntry.objects.filter(event="referral.read", row=str(sent.pk), user=None).exists()


def test_it_is_good_once(opened, made):
    assert open_in(browser(), *made).status_code == 404
    with pytest.raises(NoLook):
        open_look(look=look_behind(token_of(made[0])), code=made[1])


def test_the_browser_that_gave_the_code_may_press_the_link_again(opened, made):
    assert opened.get(link_of(made[0])).url == CARD


def test_no_other_browser_sees_the_card(opened, client_of, cast):
    assert browser().get(CARD).status_code == 404
    for person in cast.everybody().values():
        assert client_of(person).get(CARD).status_code == 404


def test_a_session_that_was_there_before_is_not_kept(made):
    """Whoever planted a cookie in the browser does not see the card with it."""
    client, planted = browser(), browser()
    client.get(link_of(made[0]))
    planted.cookies = client.cookies.copy()
    open_in(client, *made)
    assert client.get(CARD).status_code == 200 and planted.get(CARD).status_code == 404


def test_after_half_an_hour_nothing_is_seen(opened, at):
    with at("2026-11-23 09:29"):
        assert opened.get(CARD).status_code == 200
    with at("2026-11-23 09:30"):
        assert opened.get(CARD).status_code == 404
        answer = opened.post(reverse("portal:look-decline"), {"reason": "other", "text": "Vi har tyvärr inget rum."})
        assert answer.status_code == 404 and "Vi har tyvärr inget rum." in answer.content.decode()  # given back
    assert not Referral.objects.filter(state="declined").exists()


def test_a_link_runs_out(made, at):
    with at("2026-11-24 09:00"):
        assert browser().get(link_of(made[0])).status_code == 404
        assert open_in(browser(), *made).status_code == 404


# -- wrong codes ---


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 10**8:08d}"


def test_five_wrong_codes_close_it_and_the_owner_is_told(made, cast, sent):
    look, code = made
    for left in (4, 3, 2, 1):
        page = open_in(browser(), look, wrong(code))
        assert page.status_code == 422 and f"Tries left: {left}" in page.content.decode()
    assert not Notice.objects.filter(kind="look.closed").exists()
    assert open_in(browser(), look, wrong(code)).status_code == 404
    notice = Notice.objects.get(kind="look.closed")
    assert (notice.user, notice.case, notice.about) == (cast.caseworker, sent.case_id, str(sent.pk))
    assert open_in(browser(), look, code).status_code == 404  # the right one comes too late
    look.refresh_from_db()
    assert (look.wrong, look.used_at) == (5, None)
    assert [row.get("tries") for row in codes_logged("look.refused")][:5] == [1, 2, 3, 4, 5]
    assert Disclosure.objects.filter(way="link").count() == 0
    sent.refresh_from_db()
    assert sent.state == "sent"


def test_the_right_code_at_the_fifth_try_opens_it(made):
    look, code = made
    for _time in range(4):
        open_in(browser(), look, wrong(code))
    assert open_in(browser(), look, code).status_code == 302


def test_an_empty_code_is_no_try(made):
    page = open_in(browser(), made[0], "")
    made[0].refresh_from_db()
    assert page.status_code == 422 and made[0].wrong == 0


@pytest.mark.parametrize("code", ["x", "' OR 1=1 --", "٤٨٢١١١٧٧", "0" * 20, "<script>", "%00"])
def test_a_hostile_code_is_a_wrong_one(code, made):
    assert open_in(browser(), made[0], code).status_code == 422


# -- links that lead to nothing answer alike ---


def hostile_tokens(look) -> dict[str, str]:
    real = token_of(look)
    signer = signing.Signer(salt="referrals.look", sep=".")
    return {
        "a letter changed": ("b" if real[0] == "a" else "a") + real[1:],
        "the end cut off": real[:-1],
        "no signature": real.split(".")[0],
        "another salt": signing.Signer(salt="other", sep=".").sign(real.split(".")[0]),
        "another nonce": signer.sign(f"{look.pk.hex}-{'0' * 32}"),
        "another look": signer.sign(f"{'0' * 32}-{look.nonce}"),
        "no parts": signer.sign("x"),
        "nothing": ".",
        "long": "a" * 3000,
        "letters": "ü\u202eå",
        "quotes": "';--",
    }


@pytest.mark.parametrize("kind", list(hostile_tokens(FirstLook())))
def test_a_forged_link_is_answered_as_one_that_ran_out(kind, made, at):
    url = reverse("portal:look", args=[hostile_tokens(made[0])[kind]])
    with at("2026-11-25 09:00"):
        expired = browser().get(link_of(made[0]))
    strip = re.compile(r'(name="(csrfmiddlewaretoken|next)" value=")[^"]*|"X-CSRFToken": "[^"]*|&quot;X-CSRFToken[^}]*')
    for answer in (browser().get(url), browser().post(url, {"code": made[1]})):
        assert answer.status_code == expired.status_code == 404
        assert strip.sub("", answer.content.decode()) == strip.sub("", expired.content.decode())
    made[0].refresh_from_db()
    assert (made[0].wrong, made[0].used_at) == (0, None)


def test_the_page_says_whom_to_call(db):
    page = browser().get(reverse("portal:look", args=["x.y"])).content.decode()
    assert settings.LINE_PHONE in page and settings.LINE_NAME in page


def test_one_session_opens_one_referral_alone(opened, make_referral, client_of, cast):
    other = make_referral("sent", need="family_support")
    assert opened.get(reverse("portal:referral", args=[other.pk])).url.startswith("/login/")
    assert other.need_name not in opened.get(CARD).content.decode()


# -- answered ---


@pytest.mark.parametrize(
    ("move", "words", "state"),
    [
        ("accept", SOON, "accepted"),
        ("decline", {"reason": "no_capacity", "suggested": "unknown"}, "declined"),
        ("ask", {"text": "Hur gammal är han?"}, "question"),
    ],
)
def test_an_answer_by_the_link_is_the_agencys_and_closes_it(move, words, state, opened, sent, cast):
    answer = opened.post(reverse(f"portal:look-{move}"), words)
    assert answer.status_code == 302 and answer.url == reverse("portal:look-said")
    connection.check_constraints()
    sent.refresh_from_db()
    change = sent.changes.get(move=move)
    assert (sent.state, change.by, change.way) == (state, None, "link")
    assert Notice.objects.filter(user=cast.caseworker, about=str(sent.pk)).exists()
    page = opened.get(answer.url).content.decode()
    assert "Maja" not in page and sent.need_name not in page
    assert opened.get(CARD).status_code == 404
    other = "ask" if move == "decline" else "decline"
    again = opened.post(reverse(f"portal:look-{move}"), words)  # a second press leads to where the first led
    assert again.status_code == 302 and again.url == answer.url
    assert opened.post(reverse(f"portal:look-{other}"), words).status_code == 404
    assert sent.changes.filter(move__in=["accept", "decline", "ask"]).count() == 1


def test_an_answer_that_lacks_something_comes_back_filled_in(opened, sent):
    page = opened.post(reverse("portal:look-decline"), {"text": "Vi är fulla."})
    assert page.status_code == 422 and "Vi är fulla." in page.content.decode()
    assert opened.get(CARD).status_code == 200
    sent.refresh_from_db()
    assert sent.state == "opened"


def test_what_was_withdrawn_is_seen_no_more_and_the_words_are_given_back(opened, sent, cast):
    actions.withdraw(by=cast.caseworker, referral=sent, reason="changed_mind")
    assert opened.get(CARD).status_code == 404
    answer = opened.post(reverse("portal:look-ask"), {"text": "Hur gammal är han?"})
    assert answer.status_code == 404 and "Hur gammal är han?" in answer.content.decode()


def test_a_link_to_what_was_answered_by_phone_opens_nothing(made, sent, cast):
    actions.decline(by=cast.caseworker, referral=sent, reason="no_capacity", who="owner", way="phone")
    assert browser().get(link_of(made[0])).status_code == 404
    assert open_in(browser(), *made).status_code == 404


def test_an_agency_that_is_switched_off_sees_nothing(opened, made, cast):
    cast.agency.is_active = False
    cast.agency.save()
    assert opened.get(CARD).status_code == 404


def test_when_the_time_of_access_is_over_nothing_is_seen(opened, sent):
    Referral.objects.filter(pk=sent.pk).update(access_until=clock.today() - dt.timedelta(days=1))
    assert opened.get(CARD).status_code == 404


def test_after_a_question_a_new_link_shows_our_answer(opened, sent, cast):
    opened.post(reverse("portal:look-ask"), {"text": "Hur gammal är han?"})
    actions.answer_question(by=cast.caseworker, referral=sent, text="Sexton.")
    client = browser()
    assert open_in(client, *make_look(by=cast.caseworker, referral=sent)).status_code == 302
    assert "Sexton." in client.get(CARD).content.decode()


def test_the_police_look_by_a_link_too(make_referral, cast):
    from referrals.models import PartnerAgency

    police = PartnerAgency.objects.filter(type="POLICE_LOCAL").first()
    police.mailbox = "police@example.com"
    police.save()
    sent = make_referral("sent", agency=police, ground="CONSENT_GUARDIAN", kept_back="The name.")
    client = browser()
    assert open_in(client, *make_look(by=cast.caseworker, referral=sent)).status_code == 302
    assert client.get(CARD).status_code == 200
    assert Disclosure.objects.filter(agency=police, way="link").count() == 1


@pytest.mark.parametrize("name", ["look-accept", "look-decline", "look-ask"])
def test_a_look_answers_nothing(name, opened):
    assert opened.get(reverse(f"portal:{name}")).status_code == 405


def test_nothing_is_said_to_who_has_answered_nothing(db):
    assert browser().get(reverse("portal:look-said")).status_code == 404


def test_who_accepts_by_a_link_is_given_what_they_need_by_us(opened, sent, cast):
    """They see nothing more, so the name and the number are for us to give: a step with a time, in our owner's hands."""
    opened.post(reverse("portal:look-accept"), SOON)
    connection.check_constraints()
    steps = {step.kind: step for step in sent.case.steps.planned().filter(about=str(sent.pk))}
    assert set(steps) == {"await_contact", "give_contact"}
    ours = steps["give_contact"]
    assert (ours.owner, ours.others_turn, ours.kept_by) == (cast.caseworker, False, "")
    assert ours.due_at == clock.now() + dt.timedelta(hours=1)
    page = Client()
    page.force_login(cast.caseworker, backend="django.contrib.auth.backends.ModelBackend")
    text = page.get(reverse("referrals:referral", args=[sent.pk])).content.decode()
    assert "what they need to make contact" in text


# -- at once, on real connections ---


def at_once(count: int, act) -> list[str]:
    """What became of each of several at the same moment."""
    start, said, now = threading.Barrier(count), [], clock.now()

    def run(place: int) -> None:
        try:
            start.wait(10)
            with clock.at(now):  # a thread has a time of its own
                act(place)
            said.append("opened")
        except (Refused, NoLook) as refused:
            said.append(type(refused).__name__)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(place,)) for place in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return said


@pytest.mark.django_db(transaction=True)
def test_two_with_the_right_code_at_once_one_is_let_in(cast, sent):
    for _round in range(5):
        look, code = make_look(by=cast.caseworker, referral=sent)
        said = at_once(2, lambda _place, look=look, code=code: open_look(look=look, code=code))
        assert sorted(said) == ["NoLook", "opened"]
    assert Disclosure.objects.filter(way="link").count() == 5


@pytest.mark.django_db(transaction=True)
def test_many_wrong_codes_at_once_are_no_more_than_five_tries(cast, sent):
    look, code = make_look(by=cast.caseworker, referral=sent)
    said = at_once(9, lambda place: open_look(look=look, code=f"{(int(code) + 1 + place) % 10**8:08d}"))
    look.refresh_from_db()
    assert look.wrong == 5 and said.count("Refused") == 4 and "opened" not in said
    assert Notice.objects.filter(kind="look.closed").count() == 1
