"""Make the tables of a sweep again from its manifest and its design, in a folder thrown away."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from nts_sim.cli.cells import check_cells
from nts_sim.cli.compose import Composed, Member
from nts_sim.cli.flags import Flags
from nts_sim.cli.prepare import Loaded, load
from nts_sim.cli.remake import check_inputs, places
from nts_sim.cli.sweeping import asked_of, swept
from nts_sim.errors import InvalidInput, Problem
from nts_sim.study.replay import CellRecord, Record, read_cells
from nts_sim.study.sweep.cell import Cell
from nts_sim.study.sweep.tables import TABLES
from nts_sim.words import say


def replayed_sweep(
    record: Record, folder: Path, flags: Flags, tables_dir: Path | None, workers: int | None
) -> dict[str, bytes]:
    """Make the tables of a sweep again: file name → content; parameters as of `replayed`."""
    check_inputs(record, flags, tables_dir)
    recorded = read_cells(folder, record.cells)
    with tempfile.TemporaryDirectory(prefix="nts-sim-") as scratch:
        given = places(Path(scratch), tables_dir, workers)
        cells = RecordedCells(record.axes, recorded, given, flags)
        common = check_cells(cells, lambda number: None)
        made = swept(asked_of(cells, common), flags, record.verb).folder
        files = [f"{name}.{kind}" for name in TABLES for kind in ("csv", "parquet")]
        return {name: (made / name).read_bytes() for name in files}


@dataclass(frozen=True, eq=False)
class RecordedCells:
    """The cells of a sweep that was done, see `nts_sim.study.sweep.cell.Cells`.

    `places` replaces what a study says of places and processes.
    """

    axes: tuple[str, ...]
    recorded: tuple[CellRecord, ...]
    places: dict[str, object]
    flags: Flags

    def __len__(self) -> int:
        return len(self.recorded)

    def __iter__(self) -> Iterator[Cell]:
        for number, cell in enumerate(self.recorded):
            loaded = self.load(number)
            yield Cell(number, cell.values, cell.overrides, loaded.study, loaded.scenarios)

    def load(self, number: int) -> Loaded:
        """Check the study of one cell."""
        cell = self.recorded[number]
        if len(cell.values) != len(self.axes):
            counts = {"values": len(cell.values), "axes": len(self.axes)}
            what = say("cli.remake_sweep.shape", cell=number, **counts)
            raise InvalidInput([Problem("design.jsonl", what)], say("cli.subject.sweep"))
        config = {key: value for key, value in cell.differs.items() if key != "scenarios"}
        members = tuple(_members(cell.differs.get("scenarios")))
        whole = {**config, **self.places}
        composed = Composed(whole, {}, members, whole.get("measures") or {})
        return load(composed, {}, self.flags, "either")

    def tables_dir(self) -> object:
        """Return the folder of the planner's own tables."""
        return self.places["tables_dir"]


def _members(scenarios: object) -> Iterator[Member]:
    """Take the scenarios of a cell, each of them a name, a weight and a configuration."""
    for entry in scenarios if isinstance(scenarios, list) else ():
        match entry:
            case [str(name), int() | float() as weight, dict(config)]:
                yield Member(name, float(weight), config)
            case _:
                what = say("cli.remake_sweep.scenario")
                raise InvalidInput([Problem("design.jsonl", what)], say("cli.subject.sweep"))
