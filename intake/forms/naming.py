"""Who the caller is, on the page of a call: a name is taken only where the track has a place for it and naming is explained."""

from intake.actions.tracks import why_no_name
from intake.forms.windows import TwoWindows


def check_naming(form: TwoWindows) -> None:
    """Refuse a new name at its place; the words stay in the field."""
    data = form.cleaned_data
    name = data.get("caller_name")
    if not name or "caller_name" not in form.given or name == form.initial["caller_name"]:
        return
    refused = why_no_name(data.get("track") or form.call.track, form.call.unit, told=bool(data.get("a.named")))
    if refused:
        form.add_error("caller_name", refused)
