"""A warning that is given once: words that may point somebody out, where nobody is to be pointed out."""

from django import forms
from django.utils.translation import gettext as _

from intake import hints
from intake.models import Case


def warned(form: forms.Form, case: Case, field: str, *, anyway: bool) -> bool:
    """Whether the words of a case on track A may point somebody out, and nobody has said "save anyway": said at the field,
    once, and never a gate."""
    found = list(hints.quoted(hints.found_in(form.cleaned_data[field]))) if case.track == "A" and not anyway else []
    if found:
        said = _(
            "Something here may point somebody out: %(what)s. On track A that is better left out. Change it, or save anyway."
        )
        form.add_error(field, said % {"what": ", ".join(found)})
    return bool(found)
