"""``plan --progress FILE``: what became of a plan, by the record that a standing agency filled in.

Nothing of the plan is changed; pages are written beside those of the plan, and never over others.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

import pandas as pd

from nts_sim.cli import pages
from nts_sim.cli.flags import Flags
from nts_sim.cli.own_words import Words
from nts_sim.errors import InvalidInput, Problem
from nts_sim.plan.dates import told_date
from nts_sim.plan.filled_values import shown
from nts_sim.plan.monitor_sheets import finding, for_page, monitoring_sheets, text_of
from nts_sim.plan.monitoring import STATES, Monitoring, Superiors, monitor
from nts_sim.plan.names import Names
from nts_sim.plan.progress import Filled, Plan, open_filled, read_progress, wrong
from nts_sim.plan.summaries import KINDS, Record, summary_finding, summary_sheets, summary_title
from nts_sim.report.monitor_page import Head, write_page
from nts_sim.sheets import Sheet, workbook
from nts_sim.study import store
from nts_sim.tables.load import Tables, load_tables
from nts_sim.words import is_known, name_of, say, sentence

WORDS: Final = ("as_of", "summary", "run", "reviews", "results_dir", "tables_dir")
MOST_COPIES: Final = 1000
_ISO: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_RUN: Final = re.compile(r"[a-z][a-z0-9_]{0,59}-[0-9a-f]{10}")


@dataclass(frozen=True)
class Asked:
    """What was written on the command line."""

    file: Path
    as_of: date | None
    summary: str
    run: Path | None
    reviews: tuple[date, ...]
    results_dir: Path
    tables_dir: Path | None


@dataclass(frozen=True)
class _Kept:
    """The run that a file belongs to."""

    folder: Path
    frames: Mapping[str, pd.DataFrame]
    manifest: Mapping[str, Any]
    plan: Plan


def show_progress(file: str, arguments: Sequence[str], flags: Flags) -> int:
    """Check the file, tell how the plan stands, and write its pages."""
    asked = _asked(file, arguments)
    filled = open_filled(asked.file)
    kept = _kept(_folder(filled, asked))
    progress = read_progress(filled, kept.plan, asked.as_of)
    superiors = superiors_of(load_tables(asked.tables_dir))
    watched = monitor(kept.plan, progress, superiors, asked.reviews)
    names = Names(kept.frames["directory"])
    made = _monitoring_files(watched, kept, names, filled.name)
    if asked.summary:
        made |= _summary_files(asked.summary, watched, kept, names, filled.name)
    written = _write(kept.folder, made)
    if flags.json:
        print(_json(watched, kept.folder, written))
    else:
        print(text_of(watched, names))
        print(_notes(watched, kept.plan, progress.reports, progress.blank), end="")
        print("\n".join(say("monitor.page.written", path=path) for path in written))
    return 0


# --- words -------------------------------------------------------------------------------------


def _asked(file: str, arguments: Sequence[str]) -> Asked:
    words = Words(arguments, WORDS)
    for word in words.rest:
        what = say("monitor.wrong.word", known=", ".join(f"{name}=" for name in WORDS))
        words.problems.append(Problem(word, what))
    if not file:
        words.problems.append(Problem("--progress", say("monitor.wrong.no_file")))
    summary = words.one_of("summary", KINDS, "") if words.has("summary") else ""
    reviews = words.text("reviews", "")
    given = Asked(
        Path(file),
        _date(words, "as_of", words.text("as_of", "")) if words.has("as_of") else None,
        summary,
        Path(words.text("run", "")) if words.has("run") else None,
        tuple(
            day for text in reviews.split(",") if text
            if (day := _date(words, "reviews", text)) is not None
        ),
        Path(words.text("results_dir", "results")),
        Path(words.text("tables_dir", "")) if words.has("tables_dir") else None,
    )  # fmt: skip
    words.stop_if_wrong()
    return given


def _date(words: Words, word: str, text: str) -> date | None:
    """Read YYYY-MM-DD and nothing else, or note that it is none."""
    try:
        if _ISO.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass  # no day of the calendar
    words.problems.append(Problem(word, say("monitor.wrong.date", given=shown(text))))
    return None


# --- the run -----------------------------------------------------------------------------------


def _folder(filled: Filled, asked: Asked) -> Path:
    """Find the run: named by the planner, or by the file and looked up below the results."""
    runs = filled.runs()
    if len(runs) > 1:
        what = say("monitor.wrong.run.several", runs=", ".join(runs[:5]))
        raise wrong([Problem(filled.name, what)])
    if asked.run is not None:
        if runs and runs[0] != asked.run.resolve().name:
            what = say("monitor.wrong.run.other", given=runs[0], run=asked.run.name)
            raise wrong([Problem(filled.name, what)])
        return asked.run
    if not runs:
        raise wrong([Problem(filled.name, say("monitor.wrong.run.not_said"))])
    return _looked_up(filled.name, runs[0], asked.results_dir)


def _looked_up(file: str, run: str, results: Path) -> Path:
    if not _RUN.fullmatch(run):  # what a file says never becomes part of a path otherwise
        raise wrong([Problem(file, say("monitor.wrong.run.malformed", given=run))])
    places = sorted(results.iterdir()) if results.is_dir() else []
    found = [place / run for place in places if store.is_done(place / run)]
    if len(found) == 1:
        return found[0]
    key = "found_twice" if found else "not_found"
    what = say(f"monitor.wrong.run.{key}", given=run, results=results, n=len(found))
    raise wrong([Problem(file, what)])


def _kept(folder: Path) -> _Kept:
    manifest, frames = store.read_manifest(folder), store.read_results(folder)
    if not len(frames.get("tasks", ())) or "directory" not in frames:
        what = say("monitor.wrong.run.no_tasks")
        raise InvalidInput([Problem(str(folder), what)], say("monitor.wrong.subject"))
    return _Kept(folder, frames, manifest, Plan(frames["tasks"]))


def superiors_of(tables: Tables) -> Superiors:
    """Read who is above whom from the tables."""
    agencies = dict(tables.columns("agencies", "agency", "reports_to"))
    desks = list(tables.columns("desks", "desk", "up", "level"))
    return Superiors(
        {str(code): _text(above) for code, above in agencies.items()},
        {str(desk): _text(above) for desk, above, _ in desks},
        frozenset(str(desk) for desk, _, level in desks if level == "national"),
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


# --- pages -------------------------------------------------------------------------------------


def _monitoring_files(
    watched: Monitoring, kept: _Kept, names: Names, file: str
) -> dict[str, dict[str, bytes]]:
    sheets = monitoring_sheets(watched, names)
    head = Head(
        say("monitor.page.title", day=told_date(watched.as_of)), _subtitle(kept),
        finding(watched), kept.folder.name, file,
    )  # fmt: skip
    return {f"monitoring_{watched.as_of}": {
        "html": write_page(head, for_page(sheets, watched.tasks, names)).encode("utf-8"),
        "xlsx": workbook(sheets),
        "csv": csv_of(sheets[-1]),
    }}  # fmt: skip


def _summary_files(
    kind: str, watched: Monitoring, kept: _Kept, names: Names, file: str
) -> dict[str, dict[str, bytes]]:
    record = Record(watched, kept.frames, names)
    sheets = summary_sheets(kind, record)
    told, warning = summary_finding(kind, record)
    head = Head(summary_title(kind, record), _subtitle(kept), told, kept.folder.name, file, warning)
    return {f"summary_{kind}_{watched.as_of}": {
        "html": write_page(head, for_page(sheets, watched.tasks, names)).encode("utf-8"),
        "xlsx": workbook(sheets),
    }}  # fmt: skip


def _subtitle(kept: _Kept) -> str:
    """Name the scenario: a planner's own by its title."""
    scenario = kept.manifest["config"]["scenario"]
    known = is_known(f"name.scenario.{scenario['name']}")
    return sentence(name_of("scenario", scenario["name"])) if known else str(scenario["title"])


def csv_of(sheet: Sheet) -> bytes:
    """Write one table as CSV; dates are YYYY-MM-DD, and no text is taken for a formula."""
    titles = [f"{c.title} ({c.unit})" if c.unit else c.title for c in sheet.columns]
    rows = [["" if value is None else str(value) for value in row] for row in sheet.rows]
    return store.csv_bytes(pd.DataFrame(rows, columns=titles, dtype="str"))


def _write(folder: Path, made: Mapping[str, Mapping[str, bytes]]) -> list[Path]:
    """Write the files of each page under one name; where others bear it, under one with a number.

    What is there already, to the byte, is left as it is.
    """
    written = []
    for stem, files in made.items():
        for number in range(1, MOST_COPIES):
            suffix = "" if number == 1 else f"_{number}"
            paths = {kind: pages.page(f"{stem}{suffix}.{kind}") for kind in files}
            there = {kind: folder / path for kind, path in paths.items()}
            if any(there[k].is_file() and there[k].read_bytes() != files[k] for k in files):
                continue
            for kind, path in paths.items():
                if not there[kind].is_file():
                    store.rebuild_file(folder, path, files[kind])
            written += list(there.values())
            break
    return written


# --- telling -----------------------------------------------------------------------------------


def _notes(watched: Monitoring, plan: Plan, reports: Mapping[str, object], blank: int) -> str:
    """Tell what was assumed of tasks of which the file says nothing."""
    missing = len(plan.by_task) - len(reports)
    told = [say("monitor.note.blank", n=blank)] if blank else []
    told += [say("monitor.note.missing", n=missing)] if missing else []
    return "".join(f"{line}\n" for line in told)


def _json(watched: Monitoring, folder: Path, written: Sequence[Path]) -> str:
    content = {
        "run": str(folder),
        "as_of": watched.as_of.isoformat(),
        "states": {state: [t.task for t in watched.in_state(state)] for state in STATES},
        "urge": [
            {"level": urging.level, "who": urging.who.code, "place": urging.who.place,
             "tasks": [task.task for task in urging.tasks]}
            for urging in watched.to_urge()
        ],
        "files": [str(path) for path in written],
    }  # fmt: skip
    return json.dumps(content, ensure_ascii=False, indent=1)
