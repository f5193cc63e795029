"""Lines of CSV for people's spreadsheets."""

import csv
import io
from collections.abc import Iterable

from moderation.domain.text import one_line

# A spreadsheet would take such a cell for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def line(cells: Iterable[object]) -> str:
    """One line, ended; None is an empty cell, a text that a spreadsheet would run begins with an apostrophe."""
    made = io.StringIO()
    csv.writer(made, lineterminator="\r\n").writerow(_cell(cell) for cell in cells)
    return made.getvalue()


def _cell(cell: object) -> object:
    # A spreadsheet may leave out what can't be seen, and find the formula behind it.
    if isinstance(cell, str) and (cell.lstrip(" ").startswith(_FORMULA) or one_line(cell).startswith(_FORMULA)):
        return f"'{cell}"
    return cell
