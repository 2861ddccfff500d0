"""A draft that was changed since a page of it was drawn: the page as it is now, with what was written there. Both texts are
to be seen; what only one window changed stands in its field already, and nothing is saved before somebody presses anew."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from helpline.people.models import User
from intake import triage
from referrals.drawn import WORDS, mark_of_part, parts_of
from referrals.forms.drafts import DraftForm, stored
from referrals.grounds import grounds
from referrals.models import Referral

SAVED: Promise = gettext_lazy("Saved meanwhile, in another window:")
STOOD: Promise = gettext_lazy("In your window it said:")
STANDS: Promise = gettext_lazy("What you wrote is not saved. Saved is:")
CHOSEN: Promise = gettext_lazy("In your window was chosen:")


@dataclass(frozen=True)
class Other:
    """The text that does not stand in the field: what it is, and its words."""

    what: Promise
    words: str


def moved_form(tried: DraftForm, *, referral: Referral, by: User) -> DraftForm:
    """The form as it is now, with the words of the one that came too late. `tried` may be refused on other grounds too."""
    now, base = stored(referral), parts_of(str(tried.data.get("drawn", "")))
    merged, others = dict(now), {}
    for name in [one for one in WORDS if one in tried.fields]:
        mine = _written(tried, name)
        if mine == now[name] or (name in CHOICES and mine not in CHOICES[name]()):
            continue
        if base.get(name) == mark_of_part(referral, name, mine):  # nobody wrote here in this window
            others[name] = Other(STOOD, _said(name, mine))
            continue
        merged[name] = mine
        untouched = base.get(name) == mark_of_part(referral, name, now[name])
        others[name] = Other(STANDS if untouched else SAVED, _said(name, now[name]))
    form = DraftForm(referral=referral, by=by, initial=_chosen_anew(tried, referral, merged, base, others))
    form.moved = True
    for name, other in others.items():
        form[name].other = other  # type: ignore[attr-defined]  # shown beside its field
    return form


def _chosen_anew(
    tried: DraftForm, referral: Referral, merged: dict[str, Any], base: dict[str, str], others: dict[str, Other]
) -> dict[str, Any]:
    """What is chosen and not written: whether it stands alongside; how a consent was given, which is never taken over from
    an old page; and that the text was read aloud, which is another text now."""
    mine = bool(tried.data.get("alongside"))
    if mine != merged["alongside"]:
        if base.get("leads") == mark_of_part(referral, "leads", str(not mine)):
            others["alongside"] = Other(STOOD, _yes_or_no(mine))
        else:
            others["alongside"] = Other(SAVED, _yes_or_no(bool(merged["alongside"])))
            merged["alongside"] = mine
    was = [str(tried.data.get(name, "")) for name in ("consent_form", "consent_until")]
    if was[0] and was != [merged["consent_form"], str(merged["consent_until"])]:
        how = dict(tried.fields["consent_form"].choices).get(was[0], "")  # type: ignore[attr-defined]
        others["consent_form"] = Other(CHOSEN, ", ".join(str(part) for part in (how, was[1]) if part))
    return {**merged, "approved": ""}


CHOICES: dict[str, Callable[[], list[str]]] = {
    "age_band": lambda: list(triage.codes("age_bands")),
    "ground": lambda: ["", *grounds()],
}


def _written(tried: DraftForm, name: str) -> str:
    """What the field held, as it would have been kept."""
    return str(tried.data.get(name, "")).replace("\r\n", "\n").replace("\r", "\n").strip()


def _said(name: str, text: str) -> str:
    if name == "age_band":
        return triage.name_of("age_bands", text)
    ground = grounds().get(text) if name == "ground" else None
    return str(ground.name) if ground else text


def _yes_or_no(ticked: bool) -> str:
    return _("Ticked") if ticked else _("Not ticked")
