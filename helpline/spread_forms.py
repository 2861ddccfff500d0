"""The form with which a colleague's cases are spread: for each case to whom, and what the new owner must know."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from helpline.people.models import User
from helpline.people.words import WordsField
from helpline.spread import Gift, Proposal
from helpline.spread_gone import Gone
from intake.forms.cases import LONGEST

STAYS = ""
ONE_NOTE = "handover"


class SpreadForm(forms.Form):
    """One line a case, proposed; and one note for all of them, beside which each may have its own."""

    handover = WordsField(
        label=gettext_lazy("What every new owner must know"),
        max_length=LONGEST,
        required=False,
        widget=forms.Textarea({"rows": 4, "autocomplete": "off"}),
        help_text=gettext_lazy(
            "Why the case changes hands, until when, and whom to ask. No name or number of anybody here: it "
            "stands in every case. Where a case needs words of its own, write them beside it."
        ),
    )

    def __init__(self, *args: Any, proposals: list[Proposal], gone: list[Gone], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.proposals = proposals
        self.gone = gone  # what was sent of cases that are no longer here
        for one in proposals:
            self.fields[f"to-{one.case.slug}"] = self._to(one)
            self.fields[f"note-{one.case.slug}"] = WordsField(
                label=_("Only for this one: what the new owner must know"),
                max_length=LONGEST,
                required=False,
                widget=forms.Textarea({"rows": 2, "autocomplete": "off"}),
            )

    def _to(self, one: Proposal) -> forms.ChoiceField:
        room = {worker.who.pk: worker.room for worker in one.may}
        names = [
            (str(worker.who.pk), f"{worker.who} ({_room(room[worker.who.pk])})")
            for worker in sorted(one.may, key=lambda worker: -worker.room)
        ]
        return forms.ChoiceField(
            label=_("To"),
            choices=[(STAYS, _("Stays where it is")), *names],
            required=False,
            initial=str(one.to.who.pk) if one.to else STAYS,
        )

    @property
    def lines(self) -> list[tuple[Proposal, Any, Any]]:
        """Each case with its two fields."""
        return [(one, self[f"to-{one.case.slug}"], self[f"note-{one.case.slug}"]) for one in self.proposals]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        chosen = [one for one in self.proposals if data.get(f"to-{one.case.slug}")]
        for one in self.proposals:
            if one not in chosen and data.get(f"note-{one.case.slug}", "").strip():
                self.add_error(
                    f"to-{one.case.slug}", _("Choose who gets it, or take its words away: nobody would read them.")
                )
        if not self.proposals and not self.gone:
            self.add_error(None, _("Nothing is left that you may hand over: what you wrote was not passed on."))
        elif not chosen and not self.errors and not self.gone:
            self.add_error(None, _("Choose who gets at least one of them."))
        if not data.get(ONE_NOTE, "").strip():
            bare = [one for one in chosen if not data.get(f"note-{one.case.slug}", "").strip()]
            if bare and ONE_NOTE not in self.errors:
                text = _("Say what the new owners must know: without it the person has to begin anew.")
                self.add_error(ONE_NOTE, text)
        return data

    def gifts(self) -> list[Gift]:
        """What was decided."""
        people: dict[str, User] = {str(one.who.pk): one.who for row in self.proposals for one in row.may}
        data = self.cleaned_data
        return [
            Gift(one.case, people[to], data[f"note-{one.case.slug}"].strip() or data[ONE_NOTE])
            for one in self.proposals
            if (to := data[f"to-{one.case.slug}"])
        ]


def _room(room: int) -> str:
    return _("room for %(count)s") % {"count": room} if room else _("full")
