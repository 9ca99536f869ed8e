"""``data list``, ``check``, ``find``, ``communes``: the tables, and what stands in them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from nts_sim.cli.flags import Flags
from nts_sim.errors import InvalidInput, Problem
from nts_sim.tables.load import Tables, load_tables
from nts_sim.tables.names import fold, nearest
from nts_sim.words import say
from nts_sim.words.figures import figure

if TYPE_CHECKING:
    from nts_sim.cli.find import Match

MOST_LINES: Final = 40
_SHOWN_LETTERS = 100
_ACTIONS = ("list", "check", "find", "communes")


@dataclass(frozen=True)
class _Asked:
    action: str
    text: str
    folder: Path | None


def main(arguments: Sequence[str], flags: Flags) -> int:
    """List, check, search or draw the tables."""
    asked = _read(arguments)
    tables = load_tables(asked.folder)
    if asked.action == "list":
        print(_listing(tables))
    elif asked.action == "communes":
        from nts_sim.cli.commune_page import draw_communes

        print(draw_communes(tables))
    elif asked.action == "find":
        from nts_sim.cli.find import find

        found = find(tables, asked.text)
        print(_found_json(found) if flags.json else _found_text(found, asked.text, tables))
    else:
        place = asked.folder if asked.folder is not None else say("cli.data.shipped")
        print(say("cli.data.valid", place=place, n=len(tables.frames)))
    return 0


def _read(arguments: Sequence[str]) -> _Asked:
    problems = []
    action = arguments[0] if arguments else ""
    if action not in _ACTIONS:
        problems.append(Problem("data", say("cli.data.actions")))
    folder: Path | None = None
    words: list[str] = []
    for argument in arguments[1:]:
        key, equals, value = argument.partition("=")
        if key == "tables_dir" and equals:
            folder = Path(value)
        elif action == "find":
            words.append(argument)
        else:
            problems.append(Problem(argument, say("cli.data.unknown")))
    if folder is not None and not folder.is_dir():
        what = say("cli.file.folder_missing", folder=repr(str(folder)))
        problems.append(Problem("tables_dir", what))
    text = " ".join(words)
    if action == "find" and not fold(text):
        problems.append(Problem("data find", say("cli.data.no_text")))
    if problems:
        raise InvalidInput(problems, say("error.subject.command_line"))
    return _Asked(action, text, folder)


def _listing(tables: Tables) -> str:
    rows: list[tuple[str, ...]] = [
        (
            say("cli.data.table"), say("cli.data.rows"), say("cli.data.columns"),
            say("cli.data.sourced"), say("cli.data.computed"), say("cli.data.assumption"),
        )
    ]  # fmt: skip
    for name in sorted(tables.frames):
        frame = tables[name]
        shares = ["" for _ in range(3)]
        if "status" in frame:
            part = frame["status"].value_counts(normalize=True)
            statuses = ("sourced", "computed", "assumption")
            shares = [figure(part.get(status, 0.0), ".0%") for status in statuses]
        rows.append((name, str(len(frame)), str(len(frame.columns)), *shares))
    return _columns(rows, left=1)


def _columns(rows: Sequence[tuple[str, ...]], left: int) -> str:
    """Put rows of cells into columns, so many of them to the left."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if i < left else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


def _found_json(found: Sequence[Match]) -> str:
    matches = [asdict(match) for match in found]
    return json.dumps({"matches": matches}, ensure_ascii=False, indent=1)


def _found_text(found: Sequence[Match], text: str, tables: Tables) -> str:
    if not found:
        near = nearest(text, tables.place_codes)
        key = "cli.data.nothing_near" if near else "cli.data.nothing"
        return say(key, text=repr(text), near=near)
    rows = [(match.table, match.key, _shown(match, text)) for match in found[:MOST_LINES]]
    more = len(found) - MOST_LINES
    return _columns(rows, left=3) + (f"\n{say('cli.data.more', n=more)}" if more > 0 else "")


def _shown(match: Match, text: str) -> str:
    """Write a match on one line: of a long text the part around what was looked for."""
    words = match.text.split(" ")
    length = len(match.text)
    if length > _SHOWN_LETTERS:
        wanted = fold(text).split(" ")[0]
        first = next((i for i, word in enumerate(words) if fold(word).startswith(wanted)), 0)
        start = max(0, len(" ".join(words[:first])) - _SHOWN_LETTERS // 3)
        part = match.text[start : start + _SHOWN_LETTERS]
        end = "…" if start + _SHOWN_LETTERS < length else ""
        told = f"{'…' if start else ''}{part}{end}"
    else:
        told = match.text
    return told if match.rows == 1 else say("cli.data.in_rows", text=told, n=match.rows)
