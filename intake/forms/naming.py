"""Who the caller is, on the page of a call: a name and a personal number are taken only where the track has a place for them
and naming is explained."""

from intake.actions.tracks import why_no_name, why_no_number
from intake.forms.windows import TwoWindows


def check_naming(form: TwoWindows) -> None:
    """Refuse a new name or number at its place; the words stay in the field."""
    data = form.cleaned_data
    wanted = [name for name in ("caller_name", "personal_number") if _is_new(form, name)]
    if not wanted:
        return
    track, level = data.get("track") or form.call.track, data.get("protection") or form.call.protection
    refused = why_no_name(track, form.call.unit, told=bool(data.get("a.named")))
    for name in wanted:
        said = refused or (why_no_number(track, form.call.unit, level) if name == "personal_number" else "")
        if said:
            form.add_error(name, said)


def _is_new(form: TwoWindows, name: str) -> bool:
    value = form.cleaned_data.get(name)
    return bool(value) and name in form.given and value != form.initial[name]
