"""In English, no page shows Swedish interface text."""

import html
import re

import pytest
from django.conf import settings

from helpline.people.models import Municipality, Unit
from intake import triage
from intake.models import Case
from referrals.models import PartnerAgency
from tests.house.streets import EVERYBODY, MORE_PAGES, STREETS, Street

PAGES = [(name, street) for name, street in STREETS.items() if 200 in street.get]
MORE = [(name, Street({200: who}, where={"pk": where})) for name, where, who in MORE_PAGES]
SWEDISH = re.compile(r"\w*[åäöÅÄÖ]\w*")


def names() -> list[str]:
    """What is a name and stays Swedish in an English page, the longest first."""
    found = [settings.LINE_NAME, settings.LINE_BOARD]
    for model in (Municipality, PartnerAgency, Unit):
        found += [str(row) for row in model.objects.all()]
    found += Municipality.objects.values_list("police_area", flat=True)
    found += [str(case) for case in Case.objects.all()]
    found += [entry["sv"] for entry in triage.read_files()["lists"]["languages"].values() if "sv" in entry]
    return sorted({name for name in found if SWEDISH.search(name)}, key=len, reverse=True)


def text_of(page: str) -> str:
    """What a person reads or hears: texts, and the attributes that are shown or spoken."""
    attributes = re.findall(r'\s(?:aria-label|title|placeholder|alt|data-label|value|content)="([^"]*)"', page)
    bare = re.sub(r"<(script|style)\b.*?</\1>|<[^>]+>", " ", page, flags=re.DOTALL)
    return html.unescape(" ".join([bare, *attributes]))


@pytest.mark.parametrize(("name", "street"), [*PAGES, *MORE], ids=lambda part: part if isinstance(part, str) else "")
def test_a_page_in_english_is_english(name, street, cast, client_of, address_of):
    for who in EVERYBODY.split():
        if street.answer("GET", who) == 200:
            page = client_of(cast.everybody()[who]).get(address_of(name, street))
            if page["Content-Type"].startswith("text/html"):
                assert page["Content-Language"] == "en"
                text = text_of(page.content.decode())
                for known in names():
                    text = text.replace(known, " ")
                assert SWEDISH.findall(text) == []


def test_the_reader_finds_swedish():
    assert SWEDISH.findall(text_of('<p title="På väg">Nytt <b>ärende</b></p><script>"å"</script>')) == [
        "ärende",
        "På",
        "väg",
    ]
