"""Reference data of this floor: municipalities, and the question sets as a version."""

import csv
import json
from pathlib import Path

from django.db import transaction

from helpline.people.models import Municipality
from intake import triage
from intake.models import QuestionSet

_offered: list[tuple[str, str]] = []  # what `municipalities` has read


def load_municipalities() -> int:
    """Write the municipalities of municipalities.csv. Returns how many there are. Harmless when run again."""
    with (Path(__file__).parent / "municipalities.csv").open(encoding="utf-8", newline="") as file:
        rows = [
            Municipality(
                code=row["code"],
                name=row["name"],
                police_area=row["police_area"],
                finnish_area=row["finnish_administrative_area"] == "yes",
            )
            for row in csv.DictReader(file)
        ]
    Municipality.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["code"], update_fields=["name", "police_area", "finnish_area"]
    )
    _offered.clear()
    return len(rows)


def municipalities() -> list[tuple[str, str]]:
    """Code and name of each, as a list offers them. Asked of the database once in a process: they come with the software."""
    if not _offered:
        places = Municipality.objects.values_list("code", "name")
        _offered[:] = sorted(places, key=lambda place: place[0] == Municipality.ELSEWHERE)
    return _offered


def load_questions() -> QuestionSet:
    """Store the question files as a new version where they differ from the newest; calls keep the version they had."""
    document = triage.read_files()
    with transaction.atomic():
        newest = QuestionSet.objects.select_for_update().order_by("-version").first()
        digest = triage.digest(document)
        if newest and newest.digest == digest:
            return newest
        # As one text: the database sorts the keys of an object, and the order of the options is the order on the screen.
        content = json.dumps(document, ensure_ascii=False)
        return QuestionSet.objects.create(version=newest.version + 1 if newest else 1, digest=digest, content=content)
