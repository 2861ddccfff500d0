"""Passkeys on a page: what the browser is asked, as data beside a form (static/js/passkey.js reads it)."""

import json
from collections.abc import Collection, Mapping
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder


def as_data(options: Any) -> str:
    """The options of a passkey, as the browser takes them."""
    return json.dumps(options, cls=DjangoJSONEncoder)


def options_of(context: Mapping[str, Any], types: Collection[str]) -> str:
    """Those of a page on which a passkey can answer; empty where the person has none."""
    return as_data(context["js_data"]["request_options"]) if "webauthn" in types else ""
