"""``replay``: make a finished run again from its manifest, and say whether it is the same."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nts_sim.cli.flags import Flags
from nts_sim.errors import InvalidInput, Problem
from nts_sim.words import DEFAULT, say, speaking, used_language

if TYPE_CHECKING:
    from nts_sim.study.replay import Change, Record, Verdict

NOT_THE_SAME = 3
_SHOWN_MODULES, _SHOWN_FILES = 8, 3


@dataclass(frozen=True)
class _Asked:
    run: Path
    tables_dir: Path | None
    workers: int | None


@dataclass(frozen=True)
class _Found:
    """What came of the run: its tables, what changed since, files that are gone or damaged."""

    verdicts: tuple[Verdict, ...]
    changes: tuple[Change, ...]
    gone: tuple[str, ...]
    damaged: tuple[str, ...]

    @property
    def differing(self) -> tuple[Verdict, ...]:
        return tuple(verdict for verdict in self.verdicts if not verdict.same)

    @property
    def same(self) -> bool:
        return not self.differing and not self.damaged


def main(arguments: Sequence[str], flags: Flags) -> int:
    """Replay; nothing is written, and the run is only read."""
    asked = _read(arguments)
    with speaking(DEFAULT if flags.json else used_language()):  # machines read one language
        found = _found(asked, flags)
    print(_json(asked.run, found) if flags.json else "\n".join(_told(found)))
    return 0 if found.same else NOT_THE_SAME


def _found(asked: _Asked, flags: Flags) -> _Found:
    from nts_sim.cli.remake import tables_now
    from nts_sim.study import replay

    recorded = replay.recorded_files(asked.run)
    record = replay.read_record(asked.run)
    gone, damaged = replay.damaged_files(asked.run, recorded)
    try:
        made = _made(record, asked, flags)
    except InvalidInput as error:
        changes = replay.changed_since(record, {})
        since = [Problem(say("cli.replay.since"), line) for line in _changes(changes)]
        raise InvalidInput([*error.problems, *since], error.subject) from None
    return _Found(
        tuple(replay.verdicts(made, recorded, asked.run)),
        tuple(replay.changed_since(record, tables_now(asked.tables_dir))),
        tuple(gone), tuple(damaged),
    )  # fmt: skip


def _made(record: Record, asked: _Asked, flags: Flags) -> dict[str, bytes]:
    if record.sweep is None:
        from nts_sim.cli.remake import replayed

        return replayed(record, flags, asked.tables_dir, asked.workers)
    from nts_sim.cli.remake_sweep import replayed_sweep

    return replayed_sweep(record, asked.run, flags, asked.tables_dir, asked.workers)


# --- arguments -------------------------------------------------------------------------------


def _read(arguments: Sequence[str]) -> _Asked:
    given: dict[str, str] = {}
    runs = [argument for argument in arguments if "=" not in argument]
    problems = []
    if len(runs) != 1:
        problems.append(Problem("replay", say("cli.replay.one_run")))
    for argument in arguments:
        key, equals, value = argument.partition("=")
        if equals and key not in ("results_dir", "tables_dir", "workers"):
            problems.append(Problem(argument, say("cli.replay.unknown")))
        elif equals:
            given[key] = value
    problems += _value_problems(given)
    if problems:
        raise InvalidInput(problems, say("error.subject.command_line"))
    tables, workers = given.get("tables_dir"), given.get("workers")
    return _Asked(
        _run_folder(runs[0], Path(given.get("results_dir", "results"))),
        None if tables is None else Path(tables),
        None if workers is None else int(workers),
    )


def _value_problems(given: Mapping[str, str]) -> Iterator[Problem]:
    workers, tables = given.get("workers", "1"), given.get("tables_dir")
    if not (workers.isdecimal() and workers.isascii() and 1 <= int(workers[:6]) <= 256):
        yield Problem("workers", say("cli.whole_number", given=repr(workers), least=1, most=256))
    if tables is not None and not Path(tables).is_dir():
        yield Problem("tables_dir", say("cli.file.folder_missing", folder=repr(tables)))


def _run_folder(run: str, results: Path) -> Path:
    """Find a run by its folder, or by its id below the results."""
    from nts_sim.study.store import is_done

    folder = Path(run)
    found = [folder] if folder.is_dir() else []
    if not found and folder.name == run and results.is_dir():
        found = sorted(place / run for place in results.iterdir() if (place / run).is_dir())
    if len(found) > 1:
        what = say("cli.replay.several", n=len(found), listed=", ".join(map(str, found)))
        raise InvalidInput([Problem(run, what)], say("error.subject.command_line"))
    if not found:
        what = say("cli.replay.nowhere", results=results)
        raise InvalidInput([Problem(run, what)], say("error.subject.command_line"))
    if not is_done(found[0]):
        what = say("cli.replay.unfinished")
        raise InvalidInput([Problem(str(found[0]), what)], say("cli.subject.run"))
    return found[0]


# --- telling ---------------------------------------------------------------------------------


def _told(found: _Found) -> Iterator[str]:
    total, differing = len(found.verdicts), found.differing
    if found.same:
        yield say("cli.replay.same", n=total)
    else:
        yield say("cli.replay.not_same", n=total - len(differing), of=total)
    yield from (f"  {verdict.table} {verdict.note}" for verdict in differing)
    yield from (f"  {say('cli.replay.damaged', file=name)}" for name in found.damaged)
    notes = [verdict.note for verdict in found.verdicts if verdict.same and verdict.note]
    yield from (f"  {note}" for note in notes)
    if found.gone:
        listed = ", ".join(found.gone[:_SHOWN_FILES])
        yield f"  {say('cli.replay.gone', n=len(found.gone), listed=listed)}"
    lines = list(_changes(found.changes))
    if lines:
        yield say("cli.replay.changed" if differing else "cli.replay.changed_without_effect")
    elif differing:
        yield say("cli.replay.nothing_changed")
    yield from (f"  {line}" for line in lines)


def _changes(changes: Sequence[Change]) -> Iterator[str]:
    """Tell the changes, of modules no more than fit a screen."""
    modules = [change for change in changes if change.what.startswith("code ")]
    others = [change for change in changes if change not in modules]
    yield from (change.told for change in (*others, *modules[:_SHOWN_MODULES]))
    if len(modules) > _SHOWN_MODULES:
        yield say("cli.replay.more_modules", n=len(modules) - _SHOWN_MODULES)


def _json(run: Path, found: _Found) -> str:
    content = {
        "run": str(run),
        "same": found.same,
        "tables": {v.table: {"same": v.same, "note": v.note} for v in found.verdicts},
        "changed_since": [{"what": c.what, "was": c.was, "now": c.now} for c in found.changes],
        "gone": list(found.gone),
        "damaged": list(found.damaged),
    }
    return json.dumps(content, ensure_ascii=False, indent=1)
