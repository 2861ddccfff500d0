"""The legal nature of a contact and who the person is in it: track, identity, actualisation, protection. Each can change
later, in the same case, with the same owner and steps; each change is said why."""

import re
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import translation
from django.utils.translation import gettext as _

from helpline.people import clock
from helpline.people.errors import Refused
from helpline.people.models import Unit, User
from helpline.people.sealed import SealedModel, SealedTextField
from intake import hints, personal_numbers, protection, triage
from intake.actions.staff import keep_to_named
from intake.actions.timeline import lock, record
from intake.models import AcuteMeasure, Call, Case, CaseLink, Person
from intake.models.cases import takes_identity

ANONYMOUS, NAMED = "anonymous", "named"
SEALED = [field.attname for field in Call._meta.concrete_fields if isinstance(field, SealedTextField)]


def check_name(call: Call) -> None:
    """A name that is being written in a call has a place there. Raises Refused."""
    refused = why_no_name(call.track, call.unit, told=call.naming_told)
    if refused:
        raise Refused(refused, at="caller_name")


def why_no_name(track: str, unit: Unit, *, told: bool) -> str:
    """Why no name is written: the track has no place for one, or the person has not been told that whoever is known by name
    is documented by name. Empty where nothing stands in the way."""
    if not takes_identity(track, unit):
        return no_identity(track)
    return (
        "" if told else _("Say first what giving a name means, and tick that it is said. Nothing of it is saved yet.")
    )


def why_no_number(track: str, unit: Unit, level: str) -> str:
    """Why no personal number is written: the track has no place for one, or the person lives under another identity. Empty
    where nothing stands in the way."""
    if not takes_identity(track, unit):
        return no_identity(track)
    return _("Of a fictitious identity no personal number is kept.") if level == protection.FICTITIOUS else ""


def check_number(call: Call) -> None:
    """The personal number of a call is right and has a place there. Raises Refused."""
    refused = why_no_number(call.track, call.unit, call.protection) or why_no_name(
        call.track, call.unit, told=call.naming_told
    )
    if refused:
        raise Refused(refused, at="personal_number")
    try:
        call.personal_number = personal_numbers.read(call.personal_number)
    except Refused as wrong:
        raise Refused(str(wrong), at="personal_number") from None


def check_identity(call: Call) -> None:
    """What is said to be anonymous has no name, and only who is named a personal number. Raises Refused."""
    if call.takes_identity and call.personal_number and not (call.caller_name and call.identity == NAMED):
        raise Refused(
            _(
                "A personal number is written. It is kept of who is named: write the name and choose named, or take it away."
            ),
            at="personal_number",
        )
    if call.takes_identity and call.caller_name and call.identity == ANONYMOUS:
        raise Refused(
            _(
                "A name is written, and the person stands as anonymous. Choose pseudonym or named, or take the name away."
            ),
            at="identity",
        )


def no_identity(track: str) -> str:
    """Why there is no place for a name here."""
    if track == "B":
        return _("The board has decided that support without assessment is documented without identity (SoL 14:5).")
    return _("Advice is given without identity: no name is kept on track A. Change the track first.")


def without_identity(call: Call) -> None:
    """A call that is finished on a track without identity holds none (SoL 14:4); a slip of track meanwhile erases nothing."""
    if not call.takes_identity:
        call.caller_name, call.personal_number, call.identity = "", "", ANONYMOUS


def follow_call(*, by: User, case: Case, call: Call) -> None:
    """The case takes the track, the identity and the protection of a later call where they are higher: never the other way
    round."""
    track, identity, level = (
        max(getattr(case, name), getattr(call, name), key=triage.codes(codes).index)
        for name, codes in {"track": "tracks", "identity": "identities", "protection": "protections"}.items()
    )
    if (track, identity) != (case.track, case.identity):
        was, case.track, case.identity = case.track, track, identity
        case.save(update_fields=["track", "identity"])
        record("track.changed", by=by, case=case, row=call.pk, track=track, was=was, identity=identity)
    if level != case.protection:
        change_protection(by=by, case=case, level=level, why=_("Said in a later call."))
        case.protection = level


def change_track(
    *, by: User, case: Case, track: str, identity: str, why: str, name: str = "", told: bool = False
) -> Case:
    """Give a case another track or identity. Up takes that the person was told what naming means; down erases the name,
    which on track C stays in the timeline (SoL 16:1). A personal file is not unmade: C stays C. Raises Refused."""
    with transaction.atomic():
        case = lock(case)
        track, identity, name = _wanted(case, track, identity, name)
        person = _caller(case)
        kept = person.name if person and identity == case.identity else ""  # another identity has another name
        name = name or kept
        if (track, identity, name) == (case.track, case.identity, person.name if person else ""):
            return case
        if not why.strip():
            raise Refused(_("Say why it changes."), at="why")
        _check_told(case, track, identity, name if name != kept else "", told)
        _write(by, case, track, identity, name, why.strip())
    return case


def _wanted(case: Case, track: str, identity: str, name: str) -> tuple[str, str, str]:
    """What is asked for, where the law lets it be so. Raises Refused."""
    if track not in triage.codes("tracks"):
        raise Refused(_("Choose a track."), at="track")
    if identity not in triage.codes("identities"):
        raise Refused(_("Choose an identity."), at="identity")
    if case.track == "C" and track != "C":
        raise Refused(
            _("Track C has a personal file, and that is not unmade. The identity can still be lowered."), at="track"
        )
    if not takes_identity(track, case.unit):
        if name.strip() or identity != ANONYMOUS:
            raise Refused(no_identity(track), at="name" if name.strip() else "identity")
    elif name.strip() and identity == ANONYMOUS:
        raise Refused(
            _("A name is written, and the person stands as anonymous. Choose pseudonym or named."), at="identity"
        )
    return track, identity, name.strip()


def _check_told(case: Case, track: str, identity: str, new_name: str, told: bool) -> None:
    """Up is told first: a higher track with identity, more identity, or a name. Raises Refused."""
    levels = triage.codes("identities")
    more = levels.index(identity) > levels.index(case.identity)
    higher = track > case.track and takes_identity(track, case.unit)
    named = bool(new_name) and levels.index(identity) >= levels.index(case.identity)
    if (more or higher or named) and not told:
        raise Refused(_("Say first what giving a name means, and tick that it is said."), at="told")


def _caller(case: Case) -> Person | None:
    return case.people.select_related("case__key").filter(part="caller").order_by("pk").first()


def _write(by: User, case: Case, track: str, identity: str, name: str, why: str) -> None:
    """The change itself: the row, the names here and in the calls, the timeline."""
    person = _caller(case)
    was, gone = case.track, person.name if person and person.name and person.name != name else ""
    case.track, case.identity = track, identity
    case.save(update_fields=["track", "identity"])
    number = person.personal_number if person and (gone or identity != NAMED) else ""
    if person and (person.name != name or number):
        person.name, person.personal_number = name, "" if number else person.personal_number
        person.save(update_fields=["name", "personal_number"])
    if not case.takes_identity:
        everybody = Person.everybody.filter(case=case)  # also who was taken off the list
        _take_names(everybody.select_related("case__key"), "name")
        _take_names(everybody.select_related("case__key"), "personal_number")
    if gone or not case.takes_identity:
        _take_names(case.calls.select_related("key"), "caller_name")
    if gone and was == "C":  # what is documented in a personal file stays there; it leaves the heading
        why = "\n".join(part for part in (why, _("Name until now: %(name)s") % {"name": gone}) if part)
    # A personal number is never written there: nobody could take it away again for who comes to live under another identity.
    record("track.changed", by=by, case=case, text=why, row=case.pk, track=track, was=was, identity=identity)


def _take_names(rows: QuerySet[Person] | QuerySet[Call], field: str) -> None:
    for row in rows.exclude(**{field: b""}):
        setattr(row, field, "")
        row.save(update_fields=[field])


def decide_actualisation(*, by: User, case: Case, answer: str, reason: str) -> Case:
    """Say anew whether this is an actualisation (SoL 14:2), and why. Raises Refused."""
    with transaction.atomic():
        case = lock(case)
        check_actualisation(answer, reason, case.track)
        if answer == case.actualisation:
            return case
        case.actualisation = answer
        case.save(update_fields=["actualisation"])
        record("actualisation.decided", by=by, case=case, text=reason.strip(), row=case.pk, answer=answer)
    return case


def check_actualisation(answer: str, reason: str, track: str) -> None:
    """Somebody has said whether this is an actualisation, and why: a call can be one (SoL 14:2). Raises Refused."""
    if answer not in ("yes", "no"):
        raise Refused(_("Say whether this is an actualisation, and why."), at="actualisation")
    if not reason.strip():
        raise Refused(_("Say why this is an actualisation, or why not."), at="actualisation_reason")
    if answer == "yes" and track != "C":
        raise Refused(_("An actualisation is documented on track C. Choose it, or say why this is none."), at="track")


def change_protection(*, by: User, case: Case, level: str, why: str) -> int:
    """Give a case another level of protection. Where it lets no address be stored, those are taken out of all that can
    still be changed. Returns how many signed texts hold one, since they cannot; of a fictitious identity also those that
    hold a personal number or the name of somebody of the case, now or before. Raises Refused."""
    if level not in triage.codes("protections"):
        raise Refused(_("Choose a level of protection."), at="level")
    with transaction.atomic():
        case = lock(case)
        if level == case.protection:
            return 0
        if not why.strip():
            raise Refused(_("Say why it changes."), at="why")
        case.protection = level
        case.save(update_fields=["protection"])
        case.calls.update(protection=level)
        record("protection.changed", by=by, case=case, text=why.strip(), row=case.pk, protection=level)
        keep_to_named(by=by, case=case)
        return _take_out_addresses(case) if level in protection.NO_ADDRESS else 0


def _take_out_addresses(case: Case) -> int:
    """Save anew what can be changed, on the way of which addresses are taken out; count what is signed and holds one."""
    if case.is_forgotten:
        return 0
    calls = list(case.calls.select_related("key"))
    leads = _leads(case, calls) if case.protection == protection.FICTITIOUS else re.compile(r"(?!)")
    case.save(update_fields=["safe_contact"])
    for call in calls:
        fields = ["safe_contact", "step_what"] if call.is_finished else [*SEALED, "saved_at"]
        call.saved_at = call.saved_at if call.is_finished else clock.now()
        call.save(update_fields=fields)
        if not call.is_finished:
            unsigned: list[Any] = [*call.answers.all(), *call.notes.filter(signed_at__isnull=True)]
            for row in unsigned:
                row.call = call
                row.save()
    for each in _changeable(case):
        each.save(
            update_fields=[field.attname for field in each._meta.concrete_fields if isinstance(field, SealedTextField)]
        )
    for raised in protection.RAISED:
        raised(case)
    return sum(protection.has_address(text) or bool(leads.search(text)) for text in _signed(case, calls))


def _leads(case: Case, calls: list[Call]) -> re.Pattern[str]:
    """What leads from one identity to the other: a personal number, or a name that the case has or had, whole or a word of
    it, also of somebody who was taken off its list."""
    people = Person.everybody.filter(case=case).select_related("case__key")
    names = {one.name for one in people} | {call.caller_name for call in calls}
    earlier = re.compile(rf"^(?:{'|'.join(_until_now())})(.+)$", re.MULTILINE)
    changes = case.events.filter(kind="track.changed").select_related("case__key")
    names |= {name for event in changes for name in earlier.findall(event.text)}
    words = {
        word for name in names for word in [name.strip(), *name.split()] if len(word) > 2 or word == name.strip() != ""
    }
    found = [rf"\b{re.escape(word)}\b" for word in sorted(words)]
    return re.compile("|".join([*found, hints.PERSONAL_NUMBER.pattern]))


@lru_cache
def _until_now() -> list[str]:
    """How a line begins that keeps an earlier name, in whatever language the page was then."""
    found = set()
    for code, _name in settings.LANGUAGES:
        with translation.override(code):
            found |= {part for part in _("Name until now: %(name)s").split("%(name)s") if part.strip()}
    return sorted(re.escape(part) for part in found)


def _changeable(case: Case) -> list[SealedModel]:
    """The rows around a case whose words the database lets be written again, whether or not they are at an end."""
    links = CaseLink.objects.filter(Q(one=case) | Q(other=case))
    return [
        *case.steps.select_related("case__key"),
        *AcuteMeasure.objects.filter(call__case=case).select_related("call__key", "call__case"),
        *case.openings.select_related("case__key"),
        *links.select_related("one__key", "other"),
        *Person.everybody.filter(case=case).select_related("case__key"),
    ]


def _signed(case: Case, calls: list[Call]) -> list[str]:
    """The texts that nobody changes any more: events, signed notes, the answers of finished calls."""
    texts = [event.text for event in case.events.select_related("case__key")]
    texts += [note.text for note in case.notes.select_related("case__key")]
    for call in calls:
        if call.is_finished:
            texts += [note.text for note in call.notes.select_related("call__key")]
            texts += [text for row in call.answer_rows for text in (row.value, row.remark)]
    return texts
