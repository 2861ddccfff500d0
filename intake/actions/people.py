"""The people in a case, kept apart: who called, whom the worry is about, who lives there."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from helpline.people import clock
from helpline.people.errors import Refused, TooLate
from helpline.people.models import User
from intake import personal_numbers, triage
from intake.actions.contact import forget_number
from intake.actions.timeline import lock, record
from intake.actions.tracks import NAMED, why_no_number
from intake.labels import PARTS
from intake.models import Case, Person

CALLER, CONCERN = "caller", "concern"
FACTS = ("part", "relation", "age_band", "name", "personal_number")


def add_person(*, by: User, case: Case, facts: Mapping[str, Any]) -> Person:
    """List somebody in a case. Raises Refused for an unknown code, and for a name where the track holds none."""
    with transaction.atomic():
        case = lock(case)
        person = Person(case=case)
        _set(person, case, facts)
        person.save(force_insert=True)
        _age_of_case(case)
        record("person.added", by=by, case=case, row=person.pk, part=person.part)
    return person


def change_person(*, by: User, person: Person, facts: Mapping[str, Any]) -> Person:
    """Change what is given. Raises Refused, or TooLate where somebody took the person off the list."""
    with transaction.atomic():
        case = lock(person.case)
        person = _listed(case, person)
        changed = [name for name in FACTS if name in facts and facts[name] != getattr(person, name)]
        if not changed:
            return person
        if "part" in changed:
            _check_callers(case, person)
        _set(person, case, facts)
        person.save()
        _age_of_case(case)
        record("person.changed", by=by, case=case, row=person.pk, part=person.part, parts=changed)
    return person


def remove_person(*, by: User, person: Person) -> None:
    """Take somebody off the list, and erase the number. The row remains. Somebody called: the last caller stays. Twice does
    it once. Raises Refused."""
    with transaction.atomic():
        case = lock(person.case)
        found = case.people.select_related("case__key").filter(pk=person.pk).first()
        if found is None:
            return
        _check_callers(case, found)
        if found.has_number:
            forget_number(by=by, case=case, person=found)
        found.case, found.unlisted_at = case, clock.now()
        found.save(update_fields=["unlisted_at"])  # saved, so that search finds them no more
        _age_of_case(case)
        record("person.removed", by=by, case=case, row=found.pk, part=found.part)


def _listed(case: Case, person: Person) -> Person:
    found = case.people.filter(pk=person.pk).first()
    if found is None:
        raise TooLate(_("Somebody has taken this person off the list."))
    found.case = case
    return found


def _check_callers(case: Case, person: Person) -> None:
    if person.part == CALLER and case.people.filter(part=CALLER).count() == 1:
        raise Refused(_("Somebody called, so one caller stays on the list. Change what is wrong instead."))


def _set(person: Person, case: Case, facts: Mapping[str, Any]) -> None:
    for name, value in facts.items():
        if name not in FACTS:
            raise Refused(_("A person has no “%(name)s”.") % {"name": name})
        setattr(person, name, value)
    if person.part not in PARTS:
        raise Refused(_("Choose which part the person has."), at="part")
    if person.relation and person.relation not in triage.codes("relations"):
        raise Refused(_("Choose one of the relations."), at="relation")
    if person.age_band not in triage.codes("age_bands"):
        raise Refused(_("Choose about how old the person is."), at="age_band")
    person.name = person.name.strip()
    if person.name and facts.get("name"):
        _check_name(person, case)
    if person.personal_number and {"personal_number", "name"} & facts.keys():
        person.personal_number = _checked_number(person, case)


def _check_name(person: Person, case: Case) -> None:
    """A name has a place in the case, and the caller does not stand as anonymous. Raises Refused."""
    if not case.takes_identity:
        raise Refused(
            _("No name is kept here. Choose another track first, and say what giving a name means."), at="name"
        )
    if person.part == CALLER and case.identity == "anonymous":
        raise Refused(_("The caller stands as anonymous. Change the identity first, or leave the name out."), at="name")


def _checked_number(person: Person, case: Case) -> str:
    """A personal number as it is kept, where it has a place: beside a name, on a track that holds identity, never of a
    fictitious identity. Raises Refused."""
    refused = why_no_number(case.track, case.unit, case.protection)
    if not refused and not person.name:
        refused = _("Write the name too: a personal number stands beside a name.")
    if not refused and person.part == CALLER and case.identity != NAMED:
        refused = _("Only of a caller who is named is the personal number kept. Change the identity first.")
    if refused:
        raise Refused(refused, at="personal_number")
    try:
        return personal_numbers.read(person.personal_number)
    except Refused as wrong:
        raise Refused(str(wrong), at="personal_number") from None


def _age_of_case(case: Case) -> None:
    """The case's age is that of the person of concern; of several the youngest, since the law asks most for a child."""
    known = set(case.people.filter(part=CONCERN).values_list("age_band", flat=True)) - {"unknown"}
    youngest = next((code for code in triage.codes("age_bands") if code in known), None)
    if youngest and youngest != case.age_band:
        case.age_band = youngest
        case.save(update_fields=["age_band"])
