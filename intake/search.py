"""Search as the law allows it (förordning 2001:637 15 §): by a whole name, a personal or coordination number, or the number
of a case, of which alone the beginning is enough. Exact; no notes, no list of people by what they are."""

from dataclasses import dataclass, field

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from helpline.people.errors import Refused
from helpline.people.models import User
from helpline.people.sealed import IndexKey
from intake import hints, personal_numbers
from intake.codes import begins, normalise
from intake.marks import NAME, NUMBER, plain_name
from intake.models import Call, Case, NamedAccess

CASE_NUMBER, BEGINNING = "case_number", "case_number_beginning"
PERSONAL, COORDINATION, WHOLE_NAME = "personal_number", "coordination_number", "name"
LONGEST_TRIED = 200  # signs that are looked at of what is refused: enough to say its kind
MOST = 50  # results of a beginning that are shown


@dataclass(frozen=True)
class Term:
    """What was typed, understood: its kind, and what is compared."""

    kind: str
    name: str = ""
    number: str = ""
    code: str = ""
    begins: list[str] = field(default_factory=list)  # of stored case numbers

    def is_of(self, user: User) -> bool:
        """Whether somebody looks for their own name."""
        return bool(self.name) and self.name == plain_name(user.get_full_name())

    @property
    def mark(self) -> str:
        """What the index has for it; empty where it is the number of a case alone."""
        kind, text = (NUMBER, self.number) if self.number else (NAME, self.name)
        return IndexKey.current().mark(kind, text) if text else ""


def understand(text: str) -> Term:
    """What somebody means who types this. Raises Refused where it is nothing that is searched for."""
    if personal_numbers.looks_like_one(text):
        number = _number(text)
        return Term(COORDINATION if personal_numbers.is_coordination(number) else PERSONAL, number=number)
    code = normalise(text)
    if code:
        return Term(CASE_NUMBER, code=code)
    start, name = begins(text), plain_name(text)
    if any(sign.isdigit() for sign in name):
        name = ""
    if not start and not name:
        raise Refused(_("Write a whole name, a personal number, or at least four letters of a case number."))
    return Term(BEGINNING if start else WHOLE_NAME, name=name, begins=start)


def _number(text: str) -> str:
    """The twelve digits. Raises Refused; of what may be a telephone number it says that those are not searched for."""
    try:
        return personal_numbers.read(text)
    except Refused as refused:
        if is_phone(text):
            raise Refused(
                _("This is no personal number. A telephone number is not searched for here: write a whole name.")
            ) from None
        if text.strip().startswith("0"):
            raise Refused(f"{refused} {_('A telephone number is not searched for here.')}") from None
        raise


def is_phone(text: str) -> bool:
    """Whether digits are dialled: no day of birth begins them, or they are parted where a telephone number is."""
    plain = personal_numbers.HYPHENS.sub("-", personal_numbers.BLANKS.sub("", text))
    return plain.startswith(("0", "+")) and not hints.PERSONAL_NUMBER.fullmatch(plain)


def kind_tried(text: str) -> str:
    """What somebody seems to have meant whose words are nothing that is searched for; a code, and none of the words."""
    text = "".join(sign for sign in text[:LONGEST_TRIED] if sign.isprintable())
    if not text.strip():
        return "nothing"
    if personal_numbers.looks_like_one(text):
        return "phone" if is_phone(text) else PERSONAL
    return "mixed" if any(sign.isdigit() for sign in text) else "words"


def known_to(user: User) -> QuerySet[Case]:
    """The cases that a search may tell this person of: the unit's; a protected one only to its owner and who is named."""
    named = NamedAccess.objects.in_force().filter(user=user).values("case")
    open_to = Q(protection="none") | Q(owner=user) | Q(pk__in=named)
    return Case.objects.visible_to(user).filter(open_to)


def ended_calls_of(user: User) -> QuerySet[Call]:
    """The finished calls without a case that this person may be told of: the unit's; a protected one only its taker."""
    known = Q(protection="none") | Q(taken_by=user)
    return Call.objects.visible_to(user).finished().filter(known, case__isnull=True)


def calls_known_to(user: User) -> QuerySet[Call]:
    """Those of them that a search finds: the words of the others are erased."""
    return ended_calls_of(user).filter(key__wrapped__isnull=False)


def cases_found(user: User, term: Term) -> QuerySet[Case]:
    """Those that this person may know of, open ones first."""
    wanted = Q(search_marks__mark=term.mark) if term.mark else Q(pk__in=[])
    wanted |= Q(code=term.code) if term.code else Q()
    for start in term.begins:
        wanted |= Q(code__startswith=start)
    found = known_to(user).filter(wanted).select_related("owner", "key")
    return found.order_by("closed_at", "-opened_at", "pk").distinct()


def masked_case(user: User, term: Term) -> Case | None:
    """The protected case of the unit that has exactly this number, where this person may not read it: no more than the list
    of the unit's cases shows. A name, a personal number or the beginning of a number finds none."""
    protected = Case.objects.visible_to(user).exclude(protection="none").filter(code=term.code or None)
    return protected.exclude(pk__in=known_to(user).values("pk")).select_related("owner", "key").first()


def calls_found(user: User, term: Term) -> QuerySet[Call]:
    """Calls without a case in which somebody gave this name or number."""
    if not term.mark:
        return Call.objects.none()
    found = calls_known_to(user).filter(search_marks__mark=term.mark).select_related("taken_by")
    return found.order_by("-received_at", "pk").distinct()
