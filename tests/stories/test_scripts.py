"""Scripts that are typed as words: stored in every field of words there is, and every page opened that shows them."""

import itertools

import pytest

from helpline.people import sealed
from helpline.people.models import Unit, User
from referrals.models import PartnerAgency
from tests.fuzz.values import SCRIPTS
from tests.house.conftest import address, made_world
from tests.house.streets import EVERYBODY, MORE_PAGES, STREETS
from tests.house.worlds import WORDS

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
EACH = 5  # scripts in one text: so all of them meet each kind of field


@pytest.fixture
def poisoned(cast, make_call, make_case):
    """A world in which whoever wrote something wrote scripts; and in which names are scripts."""
    kinds = itertools.cycle(SCRIPTS)
    met: dict[str, set[str]] = {}

    def poison(row, name: str, text: str) -> str:
        if name not in WORDS or "alert(1)" in text:
            return text
        scripts = list(itertools.islice(kinds, EACH))
        met.setdefault(f"{type(row).__name__}.{name}", set()).update(scripts)
        return f"{text} {' '.join(scripts)}"

    sealed.KEPT.append(poison)
    try:
        made = made_world(cast, make_call, make_case)
    finally:
        sealed.KEPT.remove(poison)
    for number, row in enumerate(User.objects.all()):
        User.objects.filter(pk=row.pk).update(
            first_name=SCRIPTS[number % 6][:80], last_name=SCRIPTS[6 + number % 6][:80]
        )
    Unit.objects.filter(pk=cast.unit.pk).update(name=SCRIPTS[0], phone=SCRIPTS[10][:30])
    PartnerAgency.objects.filter(pk=cast.agency.pk).update(name=SCRIPTS[4])
    assert len(met) > 12 and set().union(*met.values()) == set(SCRIPTS)
    return made


def test_no_script_that_was_typed_runs(poisoned, cast, client_of, browser, browser_context_args, live_server, settings):
    heard: list[str] = []
    at = [""]
    hosts, seen, shown = set(), set(), 0
    for who in EVERYBODY.split():
        streets = [
            (name, street) for name, street in [*STREETS.items(), *MORE_PAGES]
            if street.answer("GET", who) == 200 and (name, str(street.where)) not in seen and not name.startswith(("account_", "livez", "caseload-now"))  # noqa: E501
        ]  # fmt: skip
        if not streets:
            continue
        context = browser.new_context(**browser_context_args)
        cookie = client_of(cast.everybody()[who]).cookies[settings.SESSION_COOKIE_NAME].value
        context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": live_server.url}])
        page = context.new_page()
        page.on("dialog", lambda dialog: (heard.append(f"{at[0]}: a dialog"), dialog.dismiss()))
        page.on("console", lambda line: heard.append(f"{at[0]}: {line.text}") if line.type == "error" else None)
        page.on("pageerror", lambda error: heard.append(f"{at[0]}: {error}"))
        page.on("request", lambda request: hosts.add(request.url.split("/")[2] if "://" in request.url else "data:"))
        for name, street in streets:
            seen.add((name, str(street.where)))
            at[0] = f"{name} {who}"
            answer = page.goto(f"{live_server.url}{address(name, street, poisoned)}", wait_until="load")
            assert answer is not None and answer.status in (200, 204), at[0]
            shown += "alert(1)" in page.content()
        context.close()
    assert heard == []
    assert hosts <= {live_server.url.split("/")[2], "data:"}, hosts
    assert len(seen) > 40 and shown > 15  # the words were on many of the pages


def test_a_script_that_runs_would_be_heard(browser, browser_context_args, live_server):
    """The ear works: a dialog and a refusal of the policy are noted."""
    context = browser.new_context(**browser_context_args)
    page, heard = context.new_page(), []
    page.on("console", lambda line: heard.append(line.text) if line.type == "error" else None)
    page.goto(f"{live_server.url}/login/")
    page.evaluate("() => { document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=alert(1)>') }")
    page.wait_for_timeout(500)
    assert any("Content Security Policy" in line for line in heard), heard
    context.close()
