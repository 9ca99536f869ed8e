"""``data find``: where a text stands in the tables and among names, however it is written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from nts_sim.tables.columns import TABLES, Column, Table
from nts_sim.tables.load import Tables
from nts_sim.tables.names import fold
from nts_sim.words import languages, listing

NAMES = "names"
"""Stands for a table where the match is a name of the catalogue."""
_OWN_NAME = "name."


@dataclass(frozen=True)
class Match:
    """A text that was found.

    Attributes
    ----------
    table : table it stands in, or `NAMES`
    key : key of the first of its rows, or what the catalogue names
    column : first column it stands in, or language of the name
    rows : how many rows of the table have it, or how many things are named so
    """

    table: str
    key: str
    column: str
    text: str
    rows: int = 1


def find(tables: Tables, text: str) -> list[Match]:
    """Find a text, the best matches first; diacritics, case and separators do not matter.

    A match begins a word. Former provinces are told with the province they are part of.
    """
    alike: dict[tuple[str, str], list[Match]] = {}
    for match in (*_in_tables(tables), *_in_names()):
        if f" {fold(text)}" in f" {fold(match.text)}":
            alike.setdefault((match.table, match.text), []).append(match)
    found = [replace(same[0], rows=len({match.key for match in same})) for same in alike.values()]
    return sorted(found, key=lambda match: _rank(match, text))


def _rank(match: Match, text: str) -> tuple[bool, bool, int]:
    """Order matches: with the same diacritics before others, names before where rows come from."""
    folded, wanted = fold(match.text), fold(text)
    place = 0 if folded == wanted else 1 if folded.startswith(wanted) else 2
    return match.column == "source", text.casefold() not in match.text.casefold(), place


def _in_tables(tables: Tables) -> Iterator[Match]:
    """Give every text of every table; codes only where they are introduced."""
    labels = {
        code: f"{name} ({code})" for code, name in tables.columns("places", "code", "name_vi")
    }
    for name, table in TABLES.items():
        for column in table.columns:
            if not _is_searched(column):
                continue
            for key, text in zip(_keys(tables, table), tables[name][column.name], strict=True):
                if name == "place_aliases" and column.name == "alias":
                    code = str(tables[name].loc[tables[name]["alias"] == text, "code"].iloc[0])
                    yield Match(name, code, column.name, f"{text} → {labels[code]}")
                elif text:
                    yield Match(name, key, column.name, str(text))


def _is_searched(column: Column) -> bool:
    return column.kind in ("code", "text") and not (column.choices or column.refers_to)


def _keys(tables: Tables, table: Table) -> list[str]:
    names = table.key or (table.columns[0].name,)
    return [" ".join(map(str, row)) for row in tables.columns(table.name, *names)]


def _in_names() -> Iterator[Match]:
    for language in languages():
        for key, entry in listing(language).items():
            if key.startswith(_OWN_NAME) and isinstance(entry, str):
                yield Match(NAMES, key.removeprefix(_OWN_NAME), language, entry)
