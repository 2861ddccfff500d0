"""The statistics of a period as a file: CSV, XLSX, and a tagged PDF. Each holds what the page shows, with its definitions."""

import csv
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import typst
import xlsxwriter
from django.conf import settings
from django.utils.formats import localize
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from helpline.statistics_shown import Number, Sheet, Table
from referrals.papers import TAGGED

Cell = str | int | float
DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n")  # what a spreadsheet takes for a formula


def said(count: Number) -> Cell:
    """A number, or that it is not told."""
    return _("not told") if count is None else count


def written(count: Number) -> str:
    """The same as the page has it: with the decimal sign of the language."""
    return str(localize(said(count)))


def rows_of(sheet: Sheet) -> list[tuple[str, str, Cell]]:
    """(what it is about, line, number): every number of a sheet."""
    rows: list[tuple[str, str, Cell]] = [(sheet.title, line.label, said(line.count)) for line in sheet.numbers]
    for name, counts in sheet.by_quarter if sheet.quarters else []:
        rows += [
            (f"{sheet.title}, {quarter}", name, said(n)) for quarter, n in zip(sheet.quarters, counts, strict=False)
        ]
    for table in sheet.tables:
        rows += [(table.title, line.label, said(line.count)) for line in table.lines]
        if table.together is not None:
            rows.append((table.title, _("Not told one by one, together"), table.together))
        rows.append((table.title, _("All"), said(table.total)))
    return rows


def harmless(cell: Cell) -> Cell:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(DANGEROUS) else cell


def as_csv(sheet: Sheet) -> bytes:
    """With semicolons, decimal commas and a byte order mark, as a Swedish spreadsheet opens it."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    for row in [(_("About"), _("What"), _("How many")), *rows_of(sheet)]:
        writer.writerow([str(cell).replace(".", ",") if isinstance(cell, float) else harmless(cell) for cell in row])
    for name, words in [*sheet.definitions, *((_("Rule"), rule) for rule in sheet.rules)]:
        writer.writerow([harmless(cell) for cell in (_("Definitions"), name, words)])
    return out.getvalue().encode("utf-8-sig")


def as_xlsx(sheet: Sheet) -> bytes:
    """Two sheets: the numbers, and what they mean. Text is text: no formula, no link."""
    out = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(out, options) as book:
        book.set_properties({"title": sheet.title, "author": settings.LINE_NAME})
        strong, wrap = book.add_format({"bold": True}), book.add_format({"text_wrap": True, "valign": "top"})
        page = book.add_worksheet(_("Numbers"))
        page.set_column(0, 1, 44)
        page.write_row(0, 0, [_("About"), _("What"), _("How many")], strong)
        page.freeze_panes(1, 0)
        for place, row in enumerate(rows_of(sheet), 1):
            page.write_row(place, 0, row)
        page = book.add_worksheet(_("Definitions"))
        page.set_column(0, 0, 36)
        page.set_column(1, 1, 100)
        page.write_row(0, 0, [_("What"), _("Definition")], strong)
        for place, pair in enumerate([*sheet.definitions, *((_("Rule"), rule) for rule in sheet.rules)], 1):
            page.write_row(place, 0, pair, wrap)
    return out.getvalue()


def as_pdf(sheet: Sheet) -> bytes:
    """A tagged PDF (PDF/UA-1): headings, and tables with their heads."""
    data = {
        "title": f"{sheet.title}, {settings.LINE_NAME}",
        "language": (get_language() or "sv")[:2],
        "lead": _("The whole line: %(board)s. What is not told is under five, or would give such a number away.")
        % {"board": settings.LINE_BOARD},
        "numbers_title": _("In all"),
        "heads": [_("What"), _("How many")],
        "numbers": [[line.label, written(line.count)] for line in sheet.numbers],
        "quarters_title": _("By quarter"),
        "quarters": [_("What"), *sheet.quarters, _("The year")] if sheet.quarters else [],
        "by_quarter": [[name, *(written(count) for count in counts)] for name, counts in sheet.by_quarter],
        "tables": [_table(table) for table in sheet.tables],
        "definitions_title": _("What the numbers mean"),
        "definitions": [list(pair) for pair in sheet.definitions],
        "rules_title": _("What is told, and what is not"),
        "rules": sheet.rules,
    }
    found = typst.compile(
        _source(), sys_inputs={"data": json.dumps(data)}, pdf_standards=[TAGGED], ignore_system_fonts=True
    )
    assert isinstance(found, bytes)  # one file: it is not asked for pages as pictures
    return found


def _table(table: Table) -> dict[str, object]:
    lines = [[line.label, written(line.count), line.share] for line in table.lines]
    if table.together is not None:
        lines.append([_("Not told one by one, together"), written(table.together), 0])
    return {"title": table.title, "lines": [*lines, [_("All"), written(table.total), 0]]}


@lru_cache
def _source() -> bytes:
    return (Path(__file__).parent / "statistics.typ").read_bytes()


@dataclass(frozen=True)
class Form:
    """One kind of file."""

    name: str
    type: str
    make: Callable[[Sheet], bytes]


FORMS: dict[str, Form] = {
    "csv": Form("CSV", "text/csv; charset=utf-8", as_csv),
    "xlsx": Form("Excel", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", as_xlsx),
    "pdf": Form("PDF", "application/pdf", as_pdf),
}
