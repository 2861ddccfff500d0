"""Somebody at a partner agency: reads what was handed over, and answers."""

import random
import re

from helpline.drill.browser import Browser
from helpline.drill.diary import Diary
from helpline.drill.forms import Form
from helpline.drill.words import Words

HANDOVER = re.compile(r"^/portal/([0-9a-f-]{36})/$")
# move -> how gladly. A three-way call is not booked: both sides tick it, and neither writes a word.
ANSWERS = {
    **{"accept": 0.5, "ask": 0.2, "decline": 0.15, "book": 0.6, "contact": 0.5, "complete": 1.0},
    **{"hold": 0.15, "resume": 0.5, "miss": 0.1, "return": 0.1, "fail": 0.1},
}


class Partner:
    """One person of an agency at one browser."""

    def __init__(self, browser: Browser, diary: Diary, dice: random.Random) -> None:
        self.browser, self.diary, self.dice = browser, diary, dice
        self.words = Words(diary.name, dice)

    def works(self) -> None:
        """Look into the inbox, and answer some."""
        links = sorted({link for link in self.browser.get("/portal/").links if HANDOVER.match(link)})
        for link in self.dice.sample(links, min(3, len(links))):
            self.answer(link)

    def answer(self, link: str) -> None:
        """Open one, and give one of the answers that its page offers."""
        page = self.browser.get(link)
        offered = {move: form for move in ANSWERS if (form := page.form(f"/{move}/")) is not None}
        if not offered:
            return
        move = self.dice.choices(list(offered), [ANSWERS[one] for one in offered])[0]
        form = offered[move]
        words = self.words.new()
        self._fill(form, words)
        act = self.diary.tries("move", referral=link.split("/")[2], move=move, words=words)
        sent = self.browser.send(form)
        if not sent.is_confirmed:
            self.diary.refused(act, sent.status, sent.tries)
        elif self.browser.get(sent.location).faults:
            self.diary.refused(act, "somebody was first", sent.tries)
        else:
            self.diary.confirmed(act)
            self.browser.traffic.saved()
        self.browser.again(form)

    def _fill(self, form: Form, words: str) -> None:
        """The words into the field for words; of what must be chosen, anything."""
        for name in ("text", "handled_by"):
            if form.named(name):
                form.put(name, words if form.named(name)[0].kind == "textarea" else words.replace("\n", " "))
        form.put("warm", "alone")
        form.choose(self.dice)
