"""``data list`` and ``data check``: the tables, their size and where their numbers come from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from nts_sim.cli.flags import Flags
from nts_sim.errors import InvalidInput, Problem
from nts_sim.tables.load import Tables, load_tables


def main(arguments: Sequence[str], flags: Flags) -> int:
    """List or check the tables."""
    action, folder = _read(arguments)
    tables = load_tables(folder)
    if action == "list":
        print(_listing(tables))
    else:
        place = folder if folder is not None else "the shipped tables"
        print(f"valid: {place} ({len(tables.frames)} tables in use)")
    return 0


def _read(arguments: Sequence[str]) -> tuple[str, Path | None]:
    problems = []
    action = arguments[0] if arguments else ""
    if action not in ("list", "check"):
        problems.append(Problem("data", "say data list or data check"))
    folder: Path | None = None
    for argument in arguments[1:]:
        key, equals, value = argument.partition("=")
        if key != "tables_dir" or not equals:
            problems.append(Problem(argument, "unknown; did you mean tables_dir=FOLDER?"))
        elif not Path(value).is_dir():
            problems.append(Problem("tables_dir", f"the folder {value!r} is not there"))
        else:
            folder = Path(value)
    if problems:
        raise InvalidInput(problems, "the command line")
    return action, folder


def _listing(tables: Tables) -> str:
    rows: list[tuple[str, ...]] = [
        ("table", "rows", "columns", "sourced", "computed", "assumption")
    ]
    for name in sorted(tables.frames):
        frame = tables[name]
        shares = ["" for _ in range(3)]
        if "status" in frame:
            part = frame["status"].value_counts(normalize=True)
            shares = [f"{part.get(s, 0.0):.0%}" for s in ("sourced", "computed", "assumption")]
        rows.append((name, str(len(frame)), str(len(frame.columns)), *shares))
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )
