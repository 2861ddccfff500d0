"""Words that came too late to be saved, given back to whoever sent them: in the answer alone, and kept nowhere."""

import re
from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import urlsplit

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

# Fields of the frame of a form, and what nobody is to read over a shoulder.
APART = re.compile(
    r"csrfmiddlewaretoken|next|login|who|turn|token|present|language|uses_keys|seen|after|base\..*|.*pass.*|.*phrase.*"
)
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d")  # as a browser sends a day and a time
# Marks of rows and of boxes that are ticked: chosen anew on the page where they stand.
CODE = re.compile(r"[A-Za-z0-9_.:-]+")
MARKS = re.compile(r"on|\d{1,5}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def sent_words(request: HttpRequest, form: forms.BaseForm | None = None) -> list[str]:
    """What was written in a form that was sent, a text each; what is of one word comes last and together, each with the
    name of its field. With the bound `form` its fields and choices are called as they are on the page, and what was hidden
    there is left out; without it, what was chosen stands by its code, and only where nothing was written. Nothing of a form
    that another site sent: its words are not to stand on a page of ours."""
    if request.method != "POST" or request.headers.get("Sec-Fetch-Site") in ("cross-site", "same-site"):
        return []
    texts: list[str] = []
    short: list[str] = []
    codes: list[str] = []
    known = {field.html_name: field for field in form} if form else {}
    for name, value in _chosen(known):
        short.append(f"{name}: {value}")
    for name, value in _sent(request):
        field = known.get(name)
        if field and (field.is_hidden or hasattr(field.field, "choices")):
            continue
        if not field and CODE.fullmatch(value) and name.rpartition("-")[2] in chosen_fields():
            codes.append(f"{name}: {value}")
        elif field and not isinstance(field.field.widget, forms.Textarea):
            short.append(f"{field.label}: {value.replace('T', ' ') if MOMENT.fullmatch(value) else value}")
        elif field or re.search(r"\s", value):
            texts.append(value)
        else:
            short.append(f"{name}: {value}")
    rest = short or ([] if texts else codes)
    return [*texts, *(["\n".join(rest)] if rest else [])]


def give_back(request: HttpRequest, template: str, words: list[str], **context: object) -> HttpResponse:
    """The page that holds them. Nothing was saved (403)."""
    return render(request, template, {"words": words, **context}, status=403)


def came_from(request: HttpRequest) -> str:
    """The page on which it was written, for going back to it; empty where it is not one of ours."""
    page = urlsplit(request.headers.get("Referer", ""))
    return page.path if page.netloc == request.get_host() else ""


@lru_cache
def chosen_fields() -> frozenset[str]:
    """The names of the fields in which something is chosen, in whichever form, and in none written."""
    chosen: set[str] = set()
    written: set[str] = set()
    waiting: list[type[forms.BaseForm]] = [forms.BaseForm]
    while waiting:
        kind = waiting.pop()
        waiting += kind.__subclasses__()
        for name, field in getattr(kind, "base_fields", {}).items():
            (chosen if hasattr(field, "choices") else written).add(name)
    return frozenset(chosen - written)


def _chosen(fields: dict[str, forms.BoundField]) -> Iterable[tuple[str, str]]:
    """What was chosen in the fields that have choices, as the page called it."""
    for field in fields.values():
        value = field.value() if hasattr(field.field, "choices") and not field.is_hidden else None
        sent = {str(one) for one in (value if isinstance(value, (list, tuple)) else [value]) if one}
        names = [str(name) for code, name in getattr(field.field, "choices", []) if str(code) in sent]
        if names:
            yield str(field.label), ", ".join(names)


def _sent(request: HttpRequest) -> Iterable[tuple[str, str]]:
    for name, values in request.POST.lists():
        for value in values:
            text = str(value).replace("\r\n", "\n").strip()
            if text and not APART.fullmatch(name) and not MARKS.fullmatch(text):
                yield name, text
