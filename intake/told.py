"""What stands in a finished call, fact by fact and answer by answer, each with what was added to it afterwards (SoL 14:6)."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from intake import triage
from intake.labels import Words

if TYPE_CHECKING:  # the models read this file
    from intake.models.calls import Call, Note

# What is coded or written in a call besides the answers. `fact.call` is the call as a whole.
FACTS: Words = {
    "fact.call": gettext_lazy("The call as a whole"),
    "fact.caller_type": gettext_lazy("Who called"),
    "fact.caller_name": gettext_lazy("Name"),
    "fact.track": gettext_lazy("Track"),
    "fact.identity": gettext_lazy("Identity"),
    "fact.protection": gettext_lazy("Protected personal data"),
    "fact.municipality": gettext_lazy("Municipality"),
    "fact.milieu": gettext_lazy("Milieu"),
    "fact.age_band": gettext_lazy("Age of the person of concern"),
    "fact.language": gettext_lazy("Language"),
    "fact.interpreter": gettext_lazy("Interpreter needed"),
    "fact.urgency": gettext_lazy("Urgency"),
    "fact.actualisation": gettext_lazy("Is this an actualisation?"),
}


@dataclass(frozen=True)
class Told:
    """One thing that stands there. `key` is that of a question, or of FACTS."""

    key: str
    label: str
    answer: str
    words: str = ""
    is_acute: bool = False  # an acute question that was answered with yes
    beside: "list[Note]" = field(default_factory=list)

    @property
    def text(self) -> str:
        """The answer and what was said besides, as one."""
        return ". ".join(part for part in (self.answer, self.words) if part)


def facts_of(call: "Call") -> list[Told]:
    """What is coded or written in a call, in the order of FACTS; what is empty is left out, unless something stands beside."""
    coded = {
        "fact.call": (_("%(minutes)s minutes") % {"minutes": call.minutes}, ""),
        "fact.caller_type": (call.type_name, ""),
        "fact.caller_name": (call.caller_name, ""),
        "fact.track": (f"{call.track}, {triage.name_of('tracks', call.track)}", ""),
        "fact.identity": (triage.name_of("identities", call.identity), ""),
        "fact.protection": (triage.name_of("protections", call.protection), ""),
        "fact.municipality": (str(call.municipality or _("unknown")), ""),
        "fact.milieu": (triage.name_of("milieus", call.milieu), ""),
        "fact.age_band": (triage.name_of("age_bands", call.age_band), ""),
        "fact.language": (triage.name_of("languages", call.language), ""),
        "fact.interpreter": (_("Yes") if call.interpreter else _("No"), ""),
        "fact.urgency": (triage.name_of("urgencies", call.urgency) if call.urgency else "", call.urgency_reason),
        "fact.actualisation": (
            triage.in_language(triage.BOOL3[call.actualisation]) if call.actualisation else "",
            call.actualisation_reason,
        ),
    }
    found = [
        Told(key, str(FACTS[key]), answer, words, beside=call.beside.get(key, []))
        for key, (answer, words) in coded.items()
    ]
    return [one for one in found if one.answer or one.words or one.beside]


def answers_of(call: "Call") -> list[Told]:
    """What was answered, in the order of the questions; what is acute first."""
    acute = {question.key for question in call.guide.sets["acute"]}
    rows = {row.question: row for row in call.answer_rows}
    found = []
    for key, question in call.guide.questions.items():
        if key in rows and question.type != "say":
            given, remark = rows[key].given, rows[key].remark
            is_yes = key in acute and given == "yes"
            words = question.say(given) if given else ""
            found.append(Told(key, question.short, words, remark, is_yes, call.beside.get(key, [])))
    return sorted(found, key=lambda one: not one.is_acute)


def standing_in(call: "Call") -> list[Told]:
    """All that stands in a call besides its notes."""
    return [*facts_of(call), *answers_of(call)]


def label_of(call: "Call", key: str) -> str:
    """The words for what something stands beside."""
    if key in FACTS:
        return str(FACTS[key])
    question = call.guide.questions.get(key)
    return question.short if question else ""
