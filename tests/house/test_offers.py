"""No page offers what is refused: every link and every form of every page, followed by the one to whom the page shows it."""

from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

import pytest
from django.core.cache import cache
from django.db import transaction
from django.urls import reverse

from helpline.context import PLACES
from intake import actions as intake
from intake.models import Case
from tests.house.conftest import address
from tests.house.streets import EVERYBODY, MORE_PAGES, STREETS
from tests.house.worlds import SECOND, db, kept, worlds  # noqa: F401

REFUSED = {403, 404, 405}
REASON = {"reason": "life", "words": "She stands outside his door."}
NOT_FOLLOWED = ("/static/", "/logout/", "/language/")
NOWHERE_LINKED = {"account-again-sign-on"}  # reached only where a municipality's own log-in is configured
TOKEN = "csrfmiddlewaretoken"


class Offers(HTMLParser):
    """What a page offers: (method, address, fields that are sent whatever is written)."""

    def __init__(self, url: str, page: str) -> None:
        super().__init__()
        self.url, self.found, self.forms = url, [], []
        self.form, self.outside = None, []
        self.feed(page)
        for form in [*self.forms]:
            self.found += self._of(form)

    def handle_starttag(self, tag, attrs):
        at = dict(attrs)
        if tag == "a" and at.get("href"):
            self.add("GET", at["href"])
        for verb in ("get", "post"):
            if at.get(f"hx-{verb}"):
                self.add(verb.upper(), at[f"hx-{verb}"])
        if tag == "form":
            self.form = {"at": at, "hidden": {}, "buttons": []}
            self.forms.append(self.form)
        elif tag == "input" and at.get("type") == "hidden" and self.form and at.get("name") not in (None, TOKEN):
            self.form["hidden"][at["name"]] = at.get("value", "")
        elif tag == "button" and at.get("type", "submit") == "submit" and self.form:
            self.form["buttons"].append(at)

    def handle_endtag(self, tag):
        if tag == "form":
            self.form = None

    def add(self, method: str, url: str, fields: dict | None = None) -> None:
        whole = urlsplit(urljoin(self.url, url))
        if not whole.scheme and not whole.netloc:
            self.found.append((method, whole._replace(fragment="").geturl(), fields or {}))

    def _of(self, form: dict) -> list:
        """A form with each of its buttons."""
        before, self.found = self.found, []
        for button in form["buttons"]:
            url = button.get("formaction") or form["at"].get("action") or self.url
            pressed = {button["name"]: button.get("value", "")} if button.get("name") else {}
            self.add(form["at"].get("method", "get").upper(), url, form["hidden"] | pressed)
        found, self.found = self.found, before
        return found


class Follower:
    """One person who follows what their pages offer, each way once."""

    def __init__(self, theirs) -> None:
        self.theirs, self.refused, self.seen = theirs, {}, set()
        self.places = {reverse(name) for _act, name, _label in PLACES}  # those of the top bar have a walk of their own

    def get(self, url: str):
        """A page, through every redirect."""
        for _turn in range(5):
            answer = self.theirs.get(url)
            if answer.status_code not in (301, 302, 303):
                answer.at = url
                return answer
            url = urljoin(url, answer["Location"])
        raise AssertionError(f"{url} leads in a circle")

    def follow(self, method: str, url: str, fields: dict):
        """What one gets who takes this way; nothing of it remains."""
        cache.clear()  # who presses everything at once is slowed down, which is another matter
        with transaction.atomic():
            answer = self.get(url) if method == "GET" else self.theirs.post(url, data=fields)
            transaction.set_rollback(True)
        return answer

    def look(self, url: str, depth: int = 1) -> None:
        """Follow all that the page there offers."""
        self.read(self.follow("GET", url, {}), depth)

    def read(self, page, depth: int) -> None:
        """Follow all that a page offers, and what is offered there."""
        if page.status_code != 200 or not page["Content-Type"].startswith("text/html"):
            return
        for method, way, fields in Offers(page.at, page.content.decode()).found:
            key = (method, way, tuple(sorted(fields.items())))
            if key in self.seen or way.startswith(NOT_FOLLOWED):
                continue
            self.seen.add(key)
            answer = self.follow(method, way, fields)
            if answer.status_code in REFUSED or answer.status_code >= 500:
                self.refused[f"{page.at} offers {method} {way} {fields}"] = answer.status_code
            elif method == "GET" and depth > 1 and way not in self.places:
                self.read(answer, depth - 1)


def opened(worlds, by, case, **how) -> str:  # noqa: F811
    intake.open_in_emergency(by=by, number=str(case), **REASON)
    return reverse("intake:case", args=[case.slug])


@pytest.mark.parametrize("who", [who for who in EVERYBODY.split() if who not in SECOND])
def test_no_page_offers_what_is_refused(worlds, db, who):  # noqa: F811
    theirs = Follower(worlds.theirs[who])
    for name, street in [*STREETS.items(), *MORE_PAGES]:
        if name not in NOWHERE_LINKED:
            theirs.look(address(name, street, worlds.first.world))
    assert len(theirs.seen) > 5
    assert not theirs.refused, theirs.refused


@pytest.mark.parametrize("who", ["stranger", "other_manager"])
def test_an_emergency_offers_what_it_gives_a_right_to(worlds, db, who):  # noqa: F811
    """Of another unit: the case, and all that is reached from its page."""
    cases = [worlds.first.world.case, worlds.first.world.acute, worlds.first.world.protected]
    for case in Case.objects.filter(pk__in=[case.pk for case in cases]):
        theirs = Follower(worlds.theirs[who])
        theirs.look(opened(worlds, worlds.cast.everybody()[who], case), depth=2)
        assert any("note" in way for _method, way, _fields in theirs.seen), "it gives a right to write"
        assert not theirs.refused, theirs.refused


@pytest.mark.parametrize("who", ["colleague", "manager"])
def test_a_colleague_with_a_reason_is_offered_what_they_may(worlds, db, who):  # noqa: F811
    user = worlds.cast.everybody()[who]
    for case in (worlds.first.world.case, worlds.first.world.acute):
        case = Case.objects.get(pk=case.pk)
        intake.open_with_reason(by=user, case=case, reason="other", words="She is away.")
        theirs = Follower(worlds.theirs[who])
        theirs.look(reverse("intake:case", args=[case.slug]), depth=2)
        assert not theirs.refused, theirs.refused


def test_who_is_named_is_offered_what_they_may(worlds, db):  # noqa: F811
    theirs = Follower(worlds.theirs["colleague"])
    theirs.look(reverse("intake:case", args=[worlds.first.world.protected.slug]), depth=2)
    assert any("note" in way for _method, way, _fields in theirs.seen)
    assert not theirs.refused, theirs.refused
