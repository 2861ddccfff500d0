"""The paper form: the questions of today on paper, for when the power or the network is gone. Its data are those of the page."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from helpline.people.access import needs
from helpline.people.models import Municipality
from intake import triage
from intake.labels import NOTE_KINDS
from intake.safe import ANSWERS, FIELDS
from intake.triage import Question

# What is ticked about the call as a whole: label, and the list of codes.
TICKED = [
    (_("Track"), "tracks"),
    (_("Identity"), "identities"),
    (_("Protected personal data"), "protections"),
    (_("Milieu"), "milieus"),
    (_("Age of the person of concern"), "age_bands"),
    (_("Language"), "languages"),
]


@require_GET
@needs("log_call")
def paper(request: HttpRequest) -> HttpResponse:
    """The form for one kind of caller, or for all of them."""
    guide = triage.guide_today()
    chosen = guide.callers.get(request.GET.get("caller", ""))
    asked = [caller for caller in guide.callers.values() if caller.questions and chosen in (None, caller)]
    context = {
        "chosen": chosen,
        "callers": list(guide.callers.values()),
        "with_questions": [caller for caller in guide.callers.values() if caller.questions],
        "opening": _asked(guide.sets["opening"]),
        "acute": _asked(guide.sets["acute"]),
        "measures": _measures(),
        "asked": [(caller.name, _asked(guide.sets[caller.questions])) for caller in asked],
        "closing": _asked(guide.sets["closing"]),
        "ticked": [(label, triage.choices(name)) for label, name in TICKED],
        "municipalities": list(Municipality.objects.values_list("name", flat=True)),
        "urgencies": triage.choices("urgencies"),
        "notes": [str(name) for name in NOTE_KINDS.values()],
        "safe": [(field.ask, [str(ANSWERS[code]) for code in field.says]) for field in FIELDS.values()],
    }
    return render(request, "intake/paper.html", context)


def _asked(questions: list[Question]) -> list[dict[str, Any]]:
    """Each question as it is written on paper: its words, its options, and whether it is said and not asked."""
    return [
        {
            "text": question.text.replace("{line_name}", settings.LINE_NAME),
            "short": question.short,
            "options": [] if question.type == "say" else [name for _code, name in question.choices],
            "several": question.type == "multi",
            "is_said": question.type == "say",
        }
        for question in questions
    ]


def _measures() -> list[tuple[str, bool]]:
    """What must be done at once, and whether it has a reference."""
    table = triage.read_files()["lists"]["acute_lines"]
    return [(triage.name_of("acute_lines", code), bool(entry.get("reference"))) for code, entry in table.items()]
