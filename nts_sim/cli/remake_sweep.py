"""Make the tables of a sweep again from its manifest and its design, in a folder thrown away."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nts_sim.cli.cells import Common
from nts_sim.cli.compose import Composed, Member
from nts_sim.cli.flags import Flags
from nts_sim.cli.prepare import Loaded, inputs_of, load, own_policies, tables_in
from nts_sim.cli.remake import check_inputs
from nts_sim.cli.sweeping import asked_of, simulated
from nts_sim.errors import InvalidInput, Problem
from nts_sim.study.replay import Record
from nts_sim.study.runner import check_policies, policy_sources
from nts_sim.study.sweep.cell import Cell
from nts_sim.study.sweep.keep import DESIGN
from nts_sim.study.sweep.tables import TABLES, write_tables

MAX_BYTES = 256 * 2**20


@dataclass(frozen=True, eq=False)
class RecordedCells:
    """The cells of a kept sweep; see `nts_sim.study.sweep.cell.Cells`."""

    axes: tuple[str, ...]
    lines: tuple[Mapping[str, Any], ...]
    given: Mapping[str, Any]
    flags: Flags

    def __len__(self) -> int:
        return len(self.lines)

    def __iter__(self) -> Iterator[Cell]:
        for number, line in enumerate(self.lines):
            loaded = self._loaded(line)
            values, overrides = tuple(line["values"]), tuple(line["overrides"])
            yield Cell(number, values, overrides, loaded.study, loaded.scenarios)

    def _loaded(self, line: Mapping[str, Any]) -> Loaded:
        content = {**self.lines[0]["differs"], **line["differs"]}
        members = tuple(Member(*member) for member in content.pop("scenarios"))
        composed = Composed({**content, **self.given}, {}, members, content.get("measures") or {})
        return load(composed, {}, self.flags, "either")


def resweep(
    run: Path, record: Record, flags: Flags, tables_dir: Path | None, workers: int | None
) -> dict[str, bytes]:
    """Make the tables of a sweep again: file name → content; as `remake.replayed` does of a run."""
    check_inputs(record, flags, tables_dir)
    lines = read_design(run / DESIGN, len(record.axes))
    with tempfile.TemporaryDirectory(prefix="nts-sim-") as name:
        scratch = Path(name)
        given = {
            "results_dir": name, "tables_dir": None if tables_dir is None else str(tables_dir),
            "workers": workers, "execution": {"name": "local"},
        }  # fmt: skip
        cells = RecordedCells(record.axes, lines, given, flags)
        common = _common(cells, flags, tables_dir)
        asked = asked_of(cells, common)
        parts, _ = simulated(scratch, asked, flags)
        write_tables(scratch, asked, parts)
        files = (f"{name}.{kind}" for name in TABLES for kind in ("csv", "parquet"))
        return {name: (scratch / name).read_bytes() for name in files}


def _common(cells: RecordedCells, flags: Flags, tables_dir: Path | None) -> Common:
    """Check every cell before one is simulated."""
    tables = tables_in(None if tables_dir is None else str(tables_dir))
    own = own_policies(flags)
    for cell in cells:
        check_policies(policy_sources(cell.study, own))
    return Common(next(iter(cells)).study, tables, inputs_of(tables, flags), own)


def read_design(path: Path, n_axes: int) -> tuple[Mapping[str, Any], ...]:
    """Read the design of a sweep, which somebody else may have written."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ValueError(f"is larger than {MAX_BYTES // 2**20} MiB")
        lines = tuple(json.loads(line) for line in path.read_text(encoding="utf-8").splitlines())
        if not lines or not all(_is_line(line, n_axes) for line in lines):
            raise ValueError("is not the design of a sweep")
        if not isinstance(lines[0]["differs"].get("scenarios"), list):
            raise ValueError("does not say which scenarios its first cell has")
    except (OSError, ValueError, RecursionError) as error:
        what = " ".join(str(error).split())[:200]
        raise InvalidInput([Problem(str(path), what)], "the run") from None
    return lines


def _is_line(line: Any, n_axes: int) -> bool:
    if not isinstance(line, dict) or not isinstance(line.get("differs"), dict):
        return False
    values, overrides = line.get("values"), line.get("overrides")
    if not isinstance(values, list) or not isinstance(overrides, list):
        return False
    plain = all(value is None or isinstance(value, str | int | float) for value in values)
    texts = all(isinstance(text, str) for text in overrides)
    return plain and texts and len(values) == n_axes and _are_members(line["differs"])


def _are_members(differs: Mapping[str, Any]) -> bool:
    """Whether scenarios, where there are any, are lists of name, weight and configuration."""
    members = differs.get("scenarios", [])
    return isinstance(members, list) and all(
        isinstance(member, list) and len(member) == 3
        and isinstance(member[0], str) and isinstance(member[1], float | int)
        and isinstance(member[2], dict)
        for member in members
    )  # fmt: skip
