"""The record of processing (GDPR Art. 30), drawn from the tables: what is kept about whom, who sees it, who gets it, how long."""

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from django.conf import settings
from django.utils import translation

from helpline.people.access import MAY
from helpline.people.models import Role
from helpline.retention import RULES, Rule
from referrals.grounds import grounds
from referrals.partners import receiver_names

FILE = "docs/papers/record-of-processing.md"
HEAD = (Path(__file__).parent / "papers_head.md").read_text(encoding="utf-8")
GUARD = """## Skydd (artikel 32)

- Varje fält ovan är krypterat (AES-256-GCM) med en egen nyckel per samtal eller ärende; nyckeln förstörs när uppgifterna gallras.
- Inloggning med två faktorer; åtkomst efter roll, enhet och ärende; skyddade personuppgifter öppnas bara av namngiven personal.
- Varje läsning, sökning, ändring, utskrift, utlämnande och nekat försök är en rad i en kedjad logg som granskas varje månad.
- Samverkansparternas del läser genom radskydd i databasen (row-level security) med en egen roll.
- Mejl säger bara att något väntar. Loggar för drift innehåller inga personuppgifter.
- Nycklar säkerhetskopieras skilt från data och med kort bevarandetid. Vad som inte skyddas står i docs/security.md.
"""


@lru_cache
def words() -> dict[str, Any]:
    """The Swedish words of the paper (papers.yaml)."""
    text = (Path(__file__).parent / "papers.yaml").read_text(encoding="utf-8")
    found: dict[str, Any] = yaml.safe_load(text)
    return found


def record_of_processing() -> str:
    """The whole paper, as Markdown in Swedish."""
    with translation.override("sv"):
        parts = [HEAD, *_categories(), *_receivers(), *_rights(), *_terms(), GUARD]
    return "\n".join(parts).rstrip() + "\n"


def _categories() -> list[str]:
    rows = (
        [one["title"], one["about"], ", ".join(f"`{name}`" for name in one["fields"])] for one in words()["categories"]
    )
    plain = "Kodade uppgifter (vem som ringer, kommun, miljö, åldersgrupp, brådska, behov, spår) står okrypterade, utan namn."
    return ["## Kategorier av uppgifter", "", *table(["kategori", "om", "fält (krypterade)"], rows), plain, ""]


def _receivers() -> list[str]:
    names = receiver_names()
    rows = (
        [
            ground.name,
            ground.law,
            "alla" if ground.receivers == "any" else ", ".join(names[kind] for kind in ground.receivers),
            "ja" if ground.default_on else "nej, kommunens jurist slår på",
        ]
        for ground in grounds().values()
    )
    heads = ["grund", "lagrum", "mottagare", "på från början"]
    return ["## Mottagare och grund för att lämna ut", "", *table(heads, rows)]


def _rights() -> list[str]:
    roles = [(role, str(role.label)) for role in Role]
    acts = [(act, who) for act, who in MAY.items() if act != "read_demo_mail"]
    rows = ([words()["acts"][act], *("ja" if role in who else "" for role, _label in roles)] for act, who in acts)
    return ["## Vem som får göra vad", "", *table(["", *(label for _role, label in roles)], rows)]


def _terms() -> list[str]:
    rows = ([str(rule.covers), str(rule.law), _term(rule), str(rule.remains)] for rule in RULES.values())
    board = (
        f"Orden i råd gallras efter {settings.ADVICE_WORDS_MONTHS} månader där nämnden inte har beslutat något annat."
    )
    return ["## Gallring", "", *table(["vad", "lagrum", "när", "vad som blir kvar"], rows), board, ""]


def _term(rule: Rule) -> str:
    """How long after the last entry."""
    parts = [f"{rule.years} år efter sista anteckningen"] if rule.years else []
    parts += [f"{rule.months} månader efter sista anteckningen"] if rule.months else []
    parts += [f"inte före barnets {rule.age}-årsdag"] if rule.age else []
    parts += ["enligt nämndens beslut"] if rule.board else []
    return ", ".join(parts) + ("; född den 5, 15 eller 25 bevaras" if rule.research else "")


def table(heads: list[str], rows: Iterable[list[str]]) -> list[str]:
    """A table of Markdown."""
    return [*(f"| {' | '.join(cells)} |" for cells in [heads, ["---"] * len(heads), *rows]), ""]
