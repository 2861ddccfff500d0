"""Forms that wait on a page for somebody to write in them."""

from functools import lru_cache
from typing import Any

from crispy_forms.templatetags.crispy_forms_filters import as_crispy_form
from django import forms, template
from django.utils.safestring import SafeString
from django.utils.translation import get_language

register = template.Library()


@register.filter
def drawn(form: forms.Form) -> SafeString:
    """A form as the crispy filter draws it. One that nobody has written in is the same for everybody, and drawn once in each
    language: for forms that begin with what the program proposes, and with nothing of a person."""
    return as_crispy_form(form) if form.is_bound else _blank(type(form), get_language(), tuple(form.initial.items()))


@lru_cache(maxsize=64)
def _blank(kind: type[forms.Form], language: str | None, initial: tuple[tuple[str, Any], ...]) -> SafeString:
    return as_crispy_form(kind(initial=dict(initial)))
