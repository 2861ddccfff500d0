"""In English, no page shows Swedish interface text."""

import html
import re

import pytest
from django.conf import settings

from helpline.people.models import Municipality, Unit
from intake import triage
from intake.models import Case
from referrals.models import PartnerAgency
from tests.house.streets import EVERYBODY

SWEDISH = re.compile(r"\w*[åäöÅÄÖ]\w*")


def names() -> list[str]:
    """What is a name and stays Swedish in an English page, the longest first."""
    found = [settings.LINE_NAME, settings.LINE_BOARD]
    for model in (Municipality, PartnerAgency, Unit):
        found += [str(row) for row in model.objects.all()]
    found += Municipality.objects.values_list("police_area", flat=True)
    found += [str(case) for case in Case.objects.all()]
    found += [name for entry in triage.read_files()["lists"]["languages"].values() for name in entry.values()]
    return sorted({name for name in found if SWEDISH.search(name)}, key=len, reverse=True)


def text_of(page: str) -> str:
    """What a person reads or hears: texts, and the attributes that are shown or spoken."""
    attributes = re.findall(r'\s(?:aria-label|title|placeholder|alt|data-label|value|content)="([^"]*)"', page)
    bare = re.sub(r"<(script|style)\b.*?</\1>|<[^>]+>", " ", page, flags=re.DOTALL)
    return html.unescape(" ".join([bare, *attributes]))


@pytest.mark.parametrize("who", EVERYBODY.split())
def test_pages_in_english_are_english(who, pages):
    wrong, shown, known = {}, 0, None
    for name, theirs, url in pages(who):
        page = theirs.get(url)
        if page["Content-Type"].startswith("text/html"):
            known = known or names()
            text = text_of(page.content.decode())
            for word in known:
                text = text.replace(word, " ")
            shown += 1
            found = SWEDISH.findall(text)
            if found or page["Content-Language"] != "en":
                wrong[name] = found
    assert wrong == {} and shown >= 3


def test_the_reader_finds_swedish():
    assert SWEDISH.findall(text_of('<p title="På väg">Nytt <b>ärende</b></p><script>"å"</script>')) == [
        "ärende",
        "På",
        "väg",
    ]
