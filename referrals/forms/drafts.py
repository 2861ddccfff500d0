"""To whom, and the draft of a handover."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from helpline.people import clock
from helpline.people.models import User
from helpline.people.words import WordsField
from intake import triage
from intake.actions.steps import LONGEST_PROMISE
from intake.actions.tracks import no_identity
from intake.models import Case, Person
from referrals.drawn import mark_of
from referrals.forms.words import words_field
from referrals.grounds import Ground, grounds
from referrals.labels import CARD, SHARED
from referrals.models import Consent, GroundSetting, PartnerAgency, Referral
from referrals.partners import SIGNPOST, partner_types

CONSENT_DAYS = 90
OFF = forms.TextInput({"autocomplete": "off"})
IDENTITY = ("fill_in", "name", "phone")  # the fields that are there only where the track has identity

# How the card is asked for, in the order in which it is told; the words that the receiver reads stand in labels.CARD.
ASKED: dict[str, tuple[Any, int]] = {
    "ask": (_("What we ask them to do"), 1),
    "about": (_("Whom it concerns"), 1),
    "happened": (_("What has happened"), 3),
    "wants": (_("What the person wants"), 2),
    "fears": (_("What the person is afraid of"), 1),
    "tried": (_("What has already been tried"), 1),
    "dont_ask": (_("Do not ask again about"), 1),
    "safe_contact": (_("How the person can be reached safely"), 2),
}


class ChooseForm(forms.Form):
    """To whom, and for which need. `instead` is the referral whose words are carried over."""

    agency = forms.ModelChoiceField(
        PartnerAgency.objects.none(), label=_("Partner agency"), empty_label=_("Choose an agency")
    )
    need = forms.ChoiceField(label=_("Need"), choices=lambda: triage.choices("needs"))
    instead = forms.ModelChoiceField(Referral.objects.none(), required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, case: Case, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        alone = [code for code, kind in partner_types().items() if kind.channel == SIGNPOST]
        self.fields["agency"].queryset = PartnerAgency.objects.active().exclude(type__in=alone)  # type: ignore[attr-defined]
        self.fields["instead"].queryset = case.referrals.select_related("case__key")  # type: ignore[attr-defined]


class DraftForm(forms.Form):
    """The four parts of a draft on one page. What is missing stops the sending, never the saving."""

    age_band = forms.ChoiceField(label=_("Age of the person it concerns"), choices=lambda: triage.choices("age_bands"))
    ground = forms.ChoiceField(
        label=_("Legal ground"), required=False, choices=lambda: [(code, row.name) for code, row in grounds().items()]
    )
    ground_reason = words_field(_("Why this ground holds"), 2)
    kept_back = words_field(
        _("What we do not share with the police, and why"),
        2,
        help_text=_("Our own record of the decision. The police never see it."),
    )
    consent_form = forms.ChoiceField(
        label=_("How the consent was given"),
        required=False,
        choices=[("spoken", _("Spoken")), ("written", _("In writing"))],
        widget=forms.RadioSelect({"class": "form-check-input"}),
    )
    consent_until = forms.DateField(
        label=_("Valid until"),
        required=False,
        input_formats=["%Y-%m-%d"],
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
    )
    # "kept": ticked before, and holds only for a text that has not changed; "now": read back as it stands.
    approved = forms.ChoiceField(required=False, choices=[("kept", ""), ("now", "")])
    fill_in = forms.BooleanField(
        label=_("Fill in from the case"), required=False, widget=forms.CheckboxInput({"class": "form-check-input"})
    )
    alongside = forms.BooleanField(
        label=_("Stands alongside another handover of the same need"),
        required=False,
        widget=forms.CheckboxInput({"class": "form-check-input"}),
    )
    drawn = WordsField(required=False, max_length=1000, widget=forms.HiddenInput)  # what the page was drawn from
    name = WordsField(label=_("Name to share"), required=False, max_length=200, widget=OFF)
    phone = WordsField(label=_("Phone number to share"), required=False, max_length=40, widget=OFF)

    def __init__(self, *args: Any, referral: Referral, by: User, **kwargs: Any) -> None:
        self.referral, self.by = referral, by
        kwargs.setdefault("initial", stored(referral))
        super().__init__(*args, **kwargs)
        for name, (label, rows) in ASKED.items():
            self.fields[name] = words_field(label, rows)
        if not self.takes_identity:
            for name in IDENTITY:
                del self.fields[name]
        if not referral.agency.is_police:
            del self.fields["kept_back"]
        self.ground_fell = False
        self.moved = False  # whether the page says what another window has changed (drafts_moved.py)

    @cached_property
    def takes_identity(self) -> bool:
        """Whether the track of the case lets a name be shared at all."""
        return self.referral.case.takes_identity

    @property
    def card(self) -> list[forms.BoundField]:
        """What is told once; how to reach the person stands in a part of its own."""
        return [self[name] for name in ASKED if name != "safe_contact"]

    @property
    def parts(self) -> list[tuple[str, str, str]]:
        """The card as it is written now, also what is empty: the receiver's view while writing."""
        return [(name, str(label), str(self[name].value() or "")) for name, label in CARD.items()]

    @property
    def covers(self) -> list[str]:
        """What the consent that was written down covers, in words; nothing where there is none."""
        consent = self.referral.consent
        return [str(words) for code, words in SHARED.items() if consent and code in consent.scope]

    @property
    def not_covered(self) -> list[str]:
        """What the draft has come to share beside that."""
        consent = self.referral.consent
        left = set(self.referral.shared) - set(consent.scope) if consent else set()
        return [str(words) for code, words in SHARED.items() if code in left]

    @cached_property
    def withdrawn(self) -> Consent | None:
        """The consent to this agency that was taken back, where the draft has none since."""
        if self.referral.consent is not None:
            return None
        given = Consent.objects.select_related("withdrawn_to").filter(
            case=self.referral.case, agency=self.referral.agency
        )
        last = given.order_by("-pk").first()
        return last if last and last.withdrawn_at else None

    @property
    def age_name(self) -> str:
        return triage.name_of("age_bands", str(self["age_band"].value()))

    @cached_property
    def caller(self) -> Person | None:
        """Whose name and number the case holds, where its track lets them be held."""
        if not self.takes_identity:
            return None
        people = self.referral.case.people.select_related("case__key").filter(part="caller").order_by("pk")
        return next((one for one in people if one.name or (self.owns and one.has_number)), None)

    @property
    def owns(self) -> bool:
        """Whether this is the case's owner: nobody else takes the number from it."""
        return self.referral.case.owner_id == self.by.pk

    @cached_property
    def verdicts(self) -> list[tuple[Ground, str]]:
        """Every ground, with why it cannot be chosen for this receiver, the age as it is written, and today."""
        return self._verdicts(str(self["age_band"].value()))

    @property
    def possible(self) -> list[Ground]:
        return [ground for ground, why in self.verdicts if not why]

    @property
    def impossible(self) -> list[tuple[Ground, str]]:
        return [(ground, why) for ground, why in self.verdicts if why]

    def clean_consent_until(self) -> dt.date | None:
        until: dt.date | None = self.cleaned_data["consent_until"]
        if until and until < clock.today() and self.data.get("consent_form"):
            raise forms.ValidationError(_("Choose a day that is still to come."))
        if until and until > clock.today() + LONGEST_PROMISE:
            raise forms.ValidationError(_("Choose a day within a year."))
        return until

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if not self.takes_identity and any(self.data.get(name) for name in IDENTITY):
            self.add_error(None, no_identity(self.referral.case.track))
        allowed = {row.code for row, why in self._verdicts(data.get("age_band", "")) if not why}
        self.ground_fell = bool(data.get("ground")) and data["ground"] not in allowed
        if self.ground_fell:
            data["ground"] = ""
        self._fill_in(data)
        return data

    def words(self) -> dict[str, str]:
        """What is written, as save_draft takes it."""
        names = [*ASKED, "name", "phone", "ground", "ground_reason", "age_band"]
        names += ["kept_back"] if "kept_back" in self.fields else []
        return {name: str(self.cleaned_data.get(name, "")).replace("\r\n", "\n") for name in names}

    def leads(self) -> bool:
        """Whether it is the leading handover of its need, and does not stand alongside another."""
        return not self.cleaned_data["alongside"]

    def consent(self) -> Mapping[str, Any] | None:
        """How and until when, where the ground is a consent and somebody has said how it was given."""
        data, ground = self.cleaned_data, grounds().get(self.cleaned_data["ground"])
        if not (ground and ground.is_consent and data["consent_form"] and data["consent_until"]):
            return None
        return {"form": data["consent_form"], "valid_until": data["consent_until"]}

    def approved_now(self) -> bool | None:
        """Whether the text was read back: True as it stands now, False not, None as before unless the text changes."""
        return {"now": True, "kept": None}.get(self.cleaned_data["approved"], False)

    def _verdicts(self, age_band: str) -> list[tuple[Ground, str]]:
        on = GroundSetting.switched_on(self.referral.case.unit.municipality_id)
        return self.referral.agency.verdicts_for(age_band, clock.today(), on)

    def _fill_in(self, data: dict[str, Any]) -> None:
        """What the person asked to have filled in: the caller's name and number; the new age where only it was said."""
        if data.get("fill_in") and self.caller:
            data["name"] = data.get("name") or self.caller.name
            if self.owns and self.caller.has_number:
                data["phone"] = data.get("phone") or self.caller.phone
        older = triage.name_of("age_bands", self.referral.age_band)
        if data.get("age_band", self.referral.age_band) != self.referral.age_band and data.get("about") == older:
            data["about"], data["approved"] = triage.name_of("age_bands", data["age_band"]), ""


def stored(referral: Referral) -> dict[str, Any]:
    """A draft as it was last saved."""
    consent = referral.consent
    names = [*ASKED, "name", "phone", "ground", "ground_reason", "age_band", "kept_back"]
    return {
        "drawn": mark_of(referral),
        "alongside": not referral.leads,
        **{name: getattr(referral, name) for name in names},
        "consent_form": consent.form if consent else "",
        "consent_until": consent.valid_until if consent else clock.today() + dt.timedelta(days=CONSENT_DAYS),
        "approved": "kept" if referral.approved_at else "",
    }
