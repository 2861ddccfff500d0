"""The overview: each number links to exactly the rows that it counts."""

import datetime as dt
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from helpline.caseload import BESIDE, FIGURES, TILES, open_by_caller
from helpline.people import clock
from helpline.workload import workers_of
from intake import actions
from intake.models import Case
from referrals import actions as referral_actions


@pytest.fixture
def busy(make_case, make_call, cast, at):
    """A unit with something behind every number that may have anything behind it; and another unit with the same."""

    def fill(worker) -> None:
        with at("2026-11-23 08:00"):
            for urgency in ("AKUT", "BRADSKANDE", "SKYNDSAM", "NORMAL", "NORMAL"):
                case = make_case(by=worker, urgency=urgency)
                draft = referral_actions.draft_referral(by=worker, case=case, agency=cast.agency, need="family_support")
                words = {"ask": "Call", "happened": "Much", "ground": "CARE_U18", "ground_reason": "needed"}
                draft = referral_actions.save_draft(by=worker, referral=draft, words=words)
                sent = referral_actions.send(by=worker, referral=draft)
                if urgency == "BRADSKANDE":
                    referral_actions.ask_question(by=cast.partner, referral=sent, text="Which school?")
                if urgency == "SKYNDSAM":
                    referral_actions.accept(by=cast.partner, referral=sent)
            make_case(by=worker, urgency="NORMAL", caller_type="leaver")
            make_call(by=worker)

    fill(cast.caseworker)
    fill(cast.stranger)
    actions.reassign_case(by=cast.manager, case=Case.objects.of(cast.caseworker).first(), to=cast.colleague)
    return clock.at


def counted(page: str) -> int:
    return int(re.search(r"data-count>(\d+)<", page).group(1))


def rows_of(client, url: str) -> int:
    """How many rows are really listed, over all pages."""
    answer = client.get(url)
    assert answer.status_code == 200
    total, page = len(answer.context["page"].rows), answer.context["page"]
    while page.next_key:
        page = client.get(url, {"after": page.next_key}).context["page"]
        total += len(page.rows)
    assert counted(answer.content.decode()) == total
    return total


def test_every_number_of_the_page_is_linked_to_its_rows(client_of, busy, cast, at):
    client = client_of(cast.manager)
    with at("2026-11-24 10:00"):
        page = client.get(reverse("caseload")).content.decode()
        shown = dict(re.findall(r'href="([^"]+)" data-figure="[\w-]+"><span class="figure[^"]*">(\d+)<', page))
        assert len(shown) == len([*TILES, *BESIDE])
        for url, number in shown.items():
            assert rows_of(client, url) == int(number), url
        bounced = reverse("caseload-rows", args=["bounced"])
        assert f'href="{bounced}"' in page and rows_of(client, bounced) == 1


def test_every_cell_counts_exactly_its_rows(client_of, busy, cast):
    client = client_of(cast.manager)
    workers = workers_of(cast.manager)
    cells = [cell for worker in workers for *_words, cell in worker.cells] + [worker.all for worker in workers]
    cells += [cell for _name, cell in open_by_caller(cast.manager)]
    assert sum(cell.count for cell in cells) > 0
    for cell in cells:
        assert rows_of(client, cell.url) == cell.count, cell.url
    assert sum(worker.total for worker in workers) == Case.objects.filter(unit=cast.unit).count() == 6


def test_the_other_unit_is_not_counted(client_of, busy, cast):
    page = client_of(cast.manager).get(reverse("caseload-rows", args=["open"]) + f"?owner={cast.stranger.pk}")
    assert counted(page.content.decode()) == 0


@pytest.mark.parametrize("query", ["?owner=x", "?owner=99999", "?urgency=NONE", "?caller=%00", "?after=rubbish"])
def test_a_bad_part_is_no_fault(client_of, busy, cast, query):
    assert client_of(cast.manager).get(reverse("caseload-rows", args=["open"]) + query).status_code == 200


def test_an_unknown_figure_is_not_there(client_of, cast):
    assert client_of(cast.manager).get(reverse("caseload-rows", args=["nothing"])).status_code == 404


def test_who_may_not(client_of, cast):
    for who in ("caseworker", "partner", "keeper"):
        assert client_of(getattr(cast, who)).get(reverse("caseload")).status_code == 403
        assert client_of(getattr(cast, who)).get(reverse("caseload-rows", args=["open"])).status_code == 403


def test_no_words_of_a_case_on_the_overview(client_of, busy, cast, make_case):
    case = make_case()
    actions.finish_step(
        by=cast.caseworker, step=case.steps.get(), next_what="Ring Fatima", next_due=clock.now() + dt.timedelta(days=30)
    )
    client = client_of(cast.manager)
    for url in [reverse("caseload"), *(reverse("caseload-rows", args=[key]) for key in FIGURES)]:
        assert "Fatima" not in client.get(url).content.decode()


def test_queries_do_not_grow(client_of, busy, cast, make_case):
    client = client_of(cast.manager)

    def count(url: str) -> int:
        with CaptureQueriesContext(connection) as queries:
            client.get(url)
        return len(queries)

    urls = [reverse("caseload"), *(reverse("caseload-rows", args=[key]) for key in FIGURES)]
    before = {url: (count(url), count(url))[1] for url in urls}
    for _ in range(5):
        make_case()
    assert {url: count(url) for url in urls} == before


@pytest.mark.parametrize("state", ["accepted", "contact_booked", "on_hold", "contact_made"])
def test_what_an_agency_has_taken_on_is_in_progress_until_there_was_contact(make_referral, cast, state):
    referral = make_referral(state)
    rows = FIGURES["with-agency"].rows(cast.manager)
    assert list(rows) == ([] if state == "contact_made" else [referral])


def test_a_list_that_may_be_empty_or_not_does_not_say_that_it_should_be(client_of, cast):
    theirs = client_of(cast.manager)
    for key, figure in FIGURES.items():
        page = theirs.get(reverse("caseload-rows", args=[key])).content.decode()
        assert ("as it should be" in page) == figure.should_be_none, key
