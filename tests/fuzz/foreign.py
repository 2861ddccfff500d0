"""Forms that name an object get the identity of what is another's, or of nothing: refused, and nothing written."""

import re
from types import SimpleNamespace
from urllib.parse import quote, urlencode

from django import forms

from helpline.people.models import Role, User
from referrals.models import AgencyMember
from tests.fuzz.attack import KEEP_THE_REST, REFUSED, Tally, Watched
from tests.fuzz.filled import Filled
from tests.house.conftest import address
from tests.house.streets import EVERYBODY, STREETS

NOBODY = 987_000  # numbers from here on are no other row's: what is written of them is found
ABSENT = {"number": "987999", "row": "00000000-0000-7000-8000-000000000000", "case": "ingen-alls-99"}
# Fields of words, or of choices without an identity in them, that name an object all the same.
NAMES = {
    "to",
    "user",
    "same",
    "deputy",
    "deputies",
    "agency",
    "agencies",
    "person",
    "owner",
    "one",
    "other",
    "instead",
    "lead",
}
# Whose work it is to name anybody: the keeper manages the users and agencies of all.
ALL_ARE_THEIRS = {"keeper"}
# An emergency is opened for a case of any unit, by its number.
BY_NUMBER = {"intake:emergency"}


def others_of(worlds) -> dict[str, str]:
    """What is not ours: people, agency and rows of the other unit and the other agency; what was never there."""
    there, cast = worlds.second.world, worlds.cast
    colleague = User.objects.create(
        pk=NOBODY + 1, username="theirs", role=Role.CASEWORKER, unit=cast.other_unit, language="en"
    )
    partner = User.objects.create(pk=NOBODY + 2, username="theirs2", role=Role.PARTNER, language="en")
    agency = AgencyMember.objects.get(user=cast.other_partner).agency
    AgencyMember.objects.create(user=partner, agency=agency)
    rows = {"case": there.case, "step": there.step, "note": there.note, "call": there.call, "person": there.person}
    rows |= {name: getattr(there, name) for name in ("sent", "accepted", "draft")}
    found = {"colleague": colleague.pk, "partner": partner.pk, **{name: row.pk for name, row in rows.items()}}
    found |= {"code": there.case.slug, "number": there.case.number}
    found |= {f"absent {name}": one for name, one in ABSENT.items()}
    return {name: quote(str(value), safe="") for name, value in found.items()}


def names_an_object(name: str, field: forms.Field) -> bool:
    """Whether what is sent here is the identity of something."""
    if isinstance(field, forms.ModelChoiceField) or name in NAMES:
        return True
    if name == "municipality":  # the same for all
        return False
    offered = [str(value) for value, _said in getattr(field, "choices", ()) if value not in ("", None)]
    return bool(offered) and all(re.fullmatch(r"[0-9a-f]{8}-[0-9a-f-]{27}|\d+", value) for value in offered)


def streets_of(worlds) -> list[SimpleNamespace]:
    """Every form of our world, with one of ours whom it lets in."""
    found = []
    for name, street in STREETS.items():
        who = next((one for one in EVERYBODY.split() if street.answer("POST", one) in ("in", 200, 302, 303, 422)), None)
        if (
            street.post is not None
            and who
            and not name.startswith(("account", *KEEP_THE_REST))
            and who not in ALL_ARE_THEIRS
        ):
            url = address(name, street, worlds.first.world)
            found.append(SimpleNamespace(name=name, client=worlds.theirs[who], url=url))
    return found


def every_foreign(streets, forms_at, watched: Watched, others: dict[str, str]) -> Tally:
    """Each field that names an object meets each identity that is not ours, with the other fields as they should be."""
    tally = Tally("what is another's")
    for street in streets:
        for button, form, texts, rest in forms_at(street.name, street.client, street.url):
            fields = {one: field for one, field in {**texts, **rest}.items() if one not in button}
            filled = Filled(fields)
            for field in [one for one, kind in fields.items() if names_an_object(one, kind)]:
                for what, value in others.items():
                    if street.name in BY_NUMBER and what in ("code", "number"):
                        continue
                    body = filled.body({field: value}) + ("&" + urlencode(button) if button else "")
                    answer = watched.send(street.client, "POST", street.url, body)
                    place = f"{street.name} {field}"
                    tally.note(place, answer, watched.wrote, f"{what}: {body}")
                    if answer.status_code not in REFUSED | {409}:
                        tally.faults.append(
                            f"{place}: takes {what} of another, {answer.status_code} for {form}: {body[:300]}"
                        )
                    elif any(value in written for written in watched.wrote):
                        tally.faults.append(f"{place}: stores {what} of another")
    return tally
