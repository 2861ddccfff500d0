"""A caseworker of the drill: takes calls, writes as they go, finishes them, plans steps, hands over, answers questions."""

import datetime as dt
import random
import re
from zoneinfo import ZoneInfo

from helpline.drill.browser import Browser, Sent
from helpline.drill.cast import AGENCIES
from helpline.drill.diary import Act, Diary
from helpline.drill.forms import Control, Form, Page
from helpline.drill.words import Words

SWEDEN = ZoneInfo("Europe/Stockholm")
WRITTEN = ("n.", "a.", "r.")  # notes, answers in words, remarks: the fields of a call that hold words
AHEAD = dt.timedelta(seconds=12)  # a time that is still to come when the form arrives, also after some tries
CALL = re.compile(r"^/calls/([0-9a-f-]{36})/")
CASE = re.compile(r"^/cases/([^/]+)/$")
HANDOVER = re.compile(r"^/handovers/([0-9a-f-]{36})/$")


def soon() -> str:
    """The next whole minute in Sweden, as a browser's own field writes it: its reminder is due during the drill."""
    moment = dt.datetime.now(SWEDEN) + AHEAD + dt.timedelta(minutes=1)
    return moment.strftime("%Y-%m-%dT%H:%M")


class Caseworker:
    """One caseworker at one browser."""

    def __init__(self, browser: Browser, diary: Diary, dice: random.Random) -> None:
        self.browser, self.diary, self.dice = browser, diary, dice
        self.words = Words(diary.name, dice)

    def works(self) -> None:
        """One call from the beginning to what comes of it."""
        call = self.start()
        if call is None:
            return
        for number in range(self.dice.randint(2, 5)):
            self.save(call, first=number == 0)
        if self.dice.random() < 0.1:
            return  # hung up, and written to the end another time
        case = self.complete(call)
        if case:
            self.plan(case)
            self.note(case)
            if self.dice.random() < 0.6:
                self.hand_over(case)
        self.answer()

    def start(self) -> str | None:
        """A new call; the page's token goes with it."""
        form = self.browser.page.form("/calls/start/") or self.browser.get("/my-day/").form("/calls/start/")
        if form is None:
            return None
        act = self.diary.tries("start", token=form.value("token"))
        sent = self.browser.send(form)
        found = CALL.match(sent.location)
        if found:
            self._saved(act, call=found[1])
            self.browser.again(form)
            self.browser.page = Page("/", 0, "", [], [], [])  # the next press is of another page
            return found[1]
        self.diary.refused(act, sent.status, sent.tries)
        return None

    def save(self, call: str, *, first: bool) -> None:
        """Some words into some of the fields that hold words, and who calls."""
        form = self._call_form(call)
        if form is None:
            return
        if first:
            form.put("caller_type", self.dice.choice(form.choices("caller_type") or [""]))
            form.put("open_case", "yes")
        act = self.diary.tries("save", call=call, words=self._write(form))
        self._settle(act, self.browser.send(form))
        self.browser.again(form)

    def complete(self, call: str) -> str:
        """Finish the call with a step that is due soon. The number of its case, empty where there is none."""
        form = self._call_form(call)
        button = form.button("/complete/") if form else None
        if form is None or button is None:
            return ""
        step = self.words.new()
        self._decide(form, step)
        act = self.diary.tries("complete", call=call, words=self._write(form), step=step.replace("\n", " "))
        sent = self.browser.send(form, button)
        if not sent.is_confirmed or not CALL.match(sent.location):
            self._settle(act, sent, refused=True)
            return ""
        self._saved(act)
        links = self.browser.get(sent.location).links
        case = next((found[1] for found in map(CASE.match, links) if found), "")
        self.diary.confirmed(act, case=case)
        self.browser.again(form, button)
        return case

    def _decide(self, form: Form, step: str) -> None:
        if not form.value("caller_type"):
            form.put("caller_type", self.dice.choice(form.choices("caller_type") or [""]))
        for control in form.named("urgency"):
            if not form.value("urgency"):
                form.put("urgency", "NORMAL" if "NORMAL" in form.choices("urgency") else control.value)
        form.put("urgency_reason", self.words.new())
        form.put("what", step.replace("\n", " "))
        form.put("due", soon())
        form.put("open_case", "yes")
        form.put("actualisation", "no")
        form.put("actualisation_reason", self.words.new())

    def plan(self, case: str) -> None:
        """Promise a step that is due soon. Its form has no mark of its own: a look shows whether it arrived."""
        form = self._case(case).form("/steps/")
        if form is None:
            return
        words = self.words.new().replace("\n", " ")
        form.put("what", words)
        form.put("due_at", soon())
        act = self.diary.tries("plan", case=case, words=words)
        self._settle(act, self.browser.send(form, seen=lambda: self._stands(case, words)))

    def note(self, case: str) -> None:
        """Sign a note."""
        form = self._case(case).form("/note/")
        if form is None:
            return
        words = self.words.new()
        form.put("kind", self.dice.choice(form.choices("kind") or [""]))
        form.put("text", words)
        act = self.diary.tries("note", case=case, words=words)
        self._settle(act, self.browser.send(form, seen=lambda: self._stands(case, words)))

    def hand_over(self, case: str) -> None:
        """Choose an agency, write the card, send it."""
        page = self.browser.get(f"/cases/{case}/refer/")
        form = next((one for one in page.forms if any(c.kind == "select" for c in one.named("agency"))), None)
        if form is None:
            return
        wanted = self.dice.choice(sorted(set(AGENCIES.values())))
        options = form.named("agency")[0].options
        form.put("agency", next((value for value, text in options if text == wanted), ""))
        form.put("need", self.dice.choice(form.choices("need") or [""]))
        act = self.diary.tries("draft", case=case)
        sent = self.browser.send(form)
        found = HANDOVER.match(sent.location)
        if not found:
            self.diary.refused(act, sent.status, sent.tries)
            return
        self._saved(act, referral=found[1])
        way = self.dice.choice(["written, then sent", "sent as it is written", "left as a draft"])
        if way != "sent as it is written":
            self._compose(found[1], write=True, send=False)
        if way != "left as a draft":
            self._compose(found[1], write=way == "sent as it is written", send=True)

    def _compose(self, referral: str, *, write: bool, send: bool) -> None:
        form = self.browser.get(f"/handovers/{referral}/").form(f"/handovers/{referral}/")
        if form is None:
            return
        words = {}
        for control in form.controls if write else []:
            if control.kind == "textarea" and control.name not in {"safe_contact", "ground_reason"}:
                words[control.name] = control.value = self.words.new()
        if write:
            self._ground(form)
        button = form.button("/send/") if send else None
        act = self.diary.tries("send" if send else "card", referral=referral, words=words)
        sent = self.browser.send(form, button)
        self._settle(act, sent, follow=send)
        self.browser.again(form, button)

    def _ground(self, form: Form) -> None:
        """Without identity, or with a consent that is read back."""
        grounds = form.named("ground")
        without = self._having(grounds, "data-no-identity")
        consent = self._having(grounds, "data-consent")
        if consent and (not without or self.dice.random() < 0.5):
            form.put("ground", consent.value)
            form.put("consent_form", "spoken")
            form.put("approved", "now")
        elif without:
            form.put("ground", without.value)
            form.put("safe_contact", "")

    def _having(self, controls: list[Control], mark: str) -> Control | None:
        return next((control for control in controls if mark in control.attrs), None)

    def answer(self) -> None:
        """What agencies have asked; now and then one is taken back, with a reason."""
        links = [link for link in self.browser.get("/handovers/").links if HANDOVER.match(link)]
        for link in self.dice.sample(links, min(2, len(links))):
            page = self.browser.get(link)
            form = page.form("/answer/") or (page.form("/withdraw/") if self.dice.random() < 0.05 else None)
            if form is None:
                continue
            words = self.words.new()
            form.put("text", words)
            form.choose(self.dice)
            move = form.path.rstrip("/").rpartition("/")[2].replace("-", "_")
            act = self.diary.tries("move", referral=link.split("/")[2], move=move, words=words)
            self._settle(act, self.browser.send(form), follow=True)
            self.browser.again(form)

    def _call_form(self, call: str) -> Form | None:
        return self.browser.get(f"/calls/{call}/").form("/save/")

    def _case(self, case: str) -> Page:
        return self.browser.get(f"/cases/{case}/")

    def _stands(self, case: str, words: str) -> bool:
        """Whether the words stand on the case's page: the last one of them is theirs alone."""
        return words.rsplit(" ", 1)[1] in self._case(case).html

    def _write(self, form: Form) -> dict[str, str]:
        """New words into one to three of its fields."""
        fields = [one for one in form.controls if one.is_words and one.name.startswith(WRITTEN)]
        written = {}
        for control in self.dice.sample(fields, min(self.dice.randint(1, 3), len(fields))):
            words = self.words.new()
            words = words if control.kind == "textarea" else words.replace("\n", " ")
            written[control.name] = control.value = words
        return written

    def _settle(self, act: Act, sent: Sent, *, refused: bool = False, follow: bool = False) -> None:
        """Write what the server said. `follow`: whether it was done stands on the page that it leads to."""
        if refused or not sent.is_confirmed:
            self.diary.refused(act, sent.status, sent.tries)
        elif follow and self.browser.get(sent.location).faults:
            self.diary.refused(act, "somebody was first", sent.tries)
        else:
            self._saved(act)

    def _saved(self, act: Act, **facts: str) -> None:
        self.diary.confirmed(act, **facts)
        self.browser.traffic.saved()
