"""Dates as people say them, and the panels of upper floors."""

import datetime as dt
from typing import Any

from django import template
from django.conf import settings
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.module_loading import import_string
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext_lazy

from helpline.people import clock

register = template.Library()
NEAR = {-1: gettext_lazy("yesterday"), 0: gettext_lazy("today"), 1: gettext_lazy("tomorrow")}


def say_time(moment: dt.datetime) -> str:
    """14.05 in Swedish, 14:05 in English."""
    return timezone.localtime(moment).strftime("%H.%M" if get_language() == "sv" else "%H:%M")


def say_day(day: dt.date) -> str:
    """today, yesterday, tomorrow, tors 26 nov, or 26 nov 2025 for another year."""
    days = (day - clock.today()).days
    if days in NEAR:
        return str(NEAR[days])
    if abs(days) > 300:
        return date_format(day, "j b Y" if get_language() == "sv" else "j M Y")
    return date_format(day, "D j b").lower() if get_language() == "sv" else date_format(day, "D j M")


@register.filter
def said(moment: dt.datetime | dt.date | None) -> str | SafeString:
    """A moment or a day as it is said, with the full date behind. A dash where there is none."""
    if moment is None:
        return "–"
    if isinstance(moment, dt.datetime):
        local = timezone.localtime(moment)
        words, full = f"{say_day(local.date())} {say_time(moment)}", local.strftime("%Y-%m-%d %H:%M")
        return format_html('<time datetime="{}" title="{}">{}</time>', local.isoformat(), full, words)
    return format_html(
        '<time datetime="{}" title="{}">{}</time>', moment.isoformat(), moment.isoformat(), say_day(moment)
    )


@register.filter
def said_time(moment: dt.datetime | None) -> str:
    """The time of day alone."""
    return say_time(moment) if moment else "–"


@register.filter
def said_day(moment: dt.datetime | dt.date | None) -> str:
    """The day alone."""
    if moment is None:
        return "–"
    return say_day(timezone.localtime(moment).date() if isinstance(moment, dt.datetime) else moment)


@register.filter
def said_date(day: dt.date) -> SafeString:
    """The day with its year: 26 nov 2026."""
    words = date_format(day, "j b Y" if get_language() == "sv" else "j M Y")
    return format_html('<time datetime="{}" class="nowrap">{}</time>', day.isoformat(), words)


@register.filter
def minutes_since(moment: dt.datetime) -> int:
    """Whole minutes that have passed."""
    return int((clock.now() - moment).total_seconds() // 60)


@register.filter
def late(moment: dt.datetime | None) -> bool:
    """Whether the moment has passed."""
    return moment is not None and moment < clock.now()


@register.simple_tag(takes_context=True)
def panels(context: template.RequestContext, slot: str, thing: Any) -> SafeString:
    """What upper floors show in this slot about this call or case: settings.PANELS names the table. A panel knows its own
    values and, as a tag that includes does, the request and its token: the page's processors are not run again for it."""
    table = import_string(settings.PANELS) if settings.PANELS else {}
    of_page = {name: context.get(name) for name in ("request", "csrf_token")}
    shown = []
    for path in table.get(slot, []):
        name, values = import_string(path)(context["request"], thing)
        panel = template.Engine.get_default().get_template(name)
        shown.append(panel.render(context.new(of_page | values)))
    return SafeString("".join(shown))
