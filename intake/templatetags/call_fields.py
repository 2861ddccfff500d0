"""The smallest pieces of a call's page. There are hundreds on it, so each is written by one line here and by no template of
its own; what is seldom there (a fault, another window's words, a hint) has its template."""

from typing import Any

from django import template
from django.forms import BoundField
from django.template import Context
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from intake.hints import found_in, quoted
from intake.protection import had_address

register = template.Library()
NOTHING = SafeString("")
LONGEST = 20_000  # characters; a longer text is refused, and waits for nobody to look through it
CHECKED, SELECTED, BOX = map(SafeString, (" checked", " selected", ' class="form-check-input"'))


@register.simple_tag(takes_context=True)
def at_field(context: Context, field: BoundField) -> SafeString:
    """What stands at a field: what it is based on, what is wrong with it, and what another window has written there."""
    faults = _shown(context, "intake/_call_field_errors.html", field=field) if field.errors else NOTHING
    base = getattr(field, "base", "")
    if not base:
        return faults
    conflict = field.conflict if field.errors else None  # type: ignore[attr-defined]  # a WrittenField: it has a base
    other = _shown(context, "intake/_call_conflict.html", field=field, conflict=conflict) if conflict else NOTHING
    return format_html(
        '<input type="hidden" form="call-form" name="base.{0}" value="{1}">'
        '<div class="at-field" data-at="{0}" data-of="{2}">{3}{4}</div>',
        *(field.html_name, base, field.auto_id, faults, other),
    )


@register.simple_tag(takes_context=True)
def hint(context: Context, field: BoundField, person_is_meant: bool = False) -> SafeString:
    """What is said about the words in a field: what may point somebody out on track A, and that an address was taken out."""
    text = str(field.value() or "")
    found = (
        list(quoted(found_in(text[:LONGEST]))) if text and context["call"].track == "A" and not person_is_meant else ()
    )
    without = had_address(text)
    said = _shown(context, "intake/_hint.html", found=found, without=without) if found or without else NOTHING
    return format_html('<div id="hint-{}" data-part class="hint" role="status">{}</div>', field.auto_id, said)


@register.simple_tag
def choices(field: BoundField, ids: str, kind: str = "radio", box: bool = False) -> SafeString:
    """A label with its button for each choice; `ids` is what their ids begin with."""
    chosen, name, of_class = field.value(), field.html_name, BOX if box else NOTHING
    is_chosen = (lambda code: code in (chosen or ())) if kind == "checkbox" else (lambda code: code == chosen)
    return format_html_join(
        "\n",
        '<label><input{} type="{}" name="{}" value="{}" id="{}-{}"{}><span>{}</span></label>',
        (
            (of_class, kind, name, code, ids, code, CHECKED if is_chosen(code) else NOTHING, label)
            for code, label in field.field.choices  # type: ignore[attr-defined]
        ),
    )


@register.simple_tag
def options(field: BoundField) -> SafeString:
    """The options of a list."""
    chosen = field.value()
    return format_html_join(
        "\n",
        '<option value="{}"{}>{}</option>',
        (
            (code, SELECTED if code == chosen else NOTHING, label)
            for code, label in field.field.choices  # type: ignore[attr-defined]
        ),
    )


@register.simple_tag
def textarea(field: BoundField, rows: int = 0, label: str = "", placeholder: str = "", more: str = "") -> SafeString:
    """A field for words of several lines. `more` adds to its class."""
    size = format_html(' rows="{}"', rows) if rows else NOTHING
    said = format_html(' aria-label="{}"', label) if label else NOTHING
    place = format_html(' placeholder="{}"', placeholder) if placeholder else NOTHING
    return format_html(
        '<textarea class="form-control{}{}"{} name="{}" id="{}"{}{}{}>\n{}</textarea>',
        *(f" {more}" if more else "", " is-invalid" if field.errors else "", size, field.html_name, field.auto_id),
        *(said, place, wrong(field), field.value() or ""),
    )


@register.filter
def wrong(field: BoundField) -> SafeString:
    """The attributes that tell that a field is wrong, and where it is said why; nothing where it is right."""
    if not field.errors:
        return NOTHING
    return format_html(' aria-invalid="true" aria-describedby="{}_error"', field.auto_id)


def _shown(context: Context, name: str, **values: Any) -> SafeString:
    """A template of the page, shown with these values besides its own."""
    assert context.template is not None  # a tag is always of one
    with context.push(**values):
        return context.template.engine.get_template(name).render(context)
