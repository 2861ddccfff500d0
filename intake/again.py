"""What whoever answers may know of the case that a call goes on in: its number, who has it, and whether that one is here."""

from dataclasses import dataclass

from helpline.people import clock
from helpline.people.absences import on_duty
from helpline.people.models import User
from intake.models import Call, Case
from intake.whose import stand_in_of


@dataclass(frozen=True)
class Again:
    """The case of a call, without a word of it."""

    case: Case
    owner: User
    is_on_duty: bool

    @property
    def deputy(self) -> User | None:
        """Who stands in for an owner who is away; nobody where that leads to the owner again."""
        found = stand_in_of(self.case, self.owner, clock.today())
        return found if found.pk != self.owner.pk else None


def again_of(call: Call) -> Again | None:
    """The case that an unfinished call has joined; None where it has joined none."""
    if call.case is None or call.case.owner is None:
        return None
    return Again(call.case, call.case.owner, on_duty(call.case.owner, clock.today()))
