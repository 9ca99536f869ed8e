"""What a sweep asks for: its cells with the names of their parts, and how many replications."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from nts_sim.engine.choice import EngineName
from nts_sim.spec.models import Study
from nts_sim.study.sweep.cell import Cell, Cells, Own
from nts_sim.study.sweep.parts import Parts, cell_digest, part_key
from nts_sim.study.sweep.unit import COLUMNS, PART, Unit, Want
from nts_sim.tables.load import Tables
from nts_sim.world.model import Floats


@dataclass(frozen=True, eq=False)
class Asked:
    """A sweep, apart from where it is kept.

    Attributes
    ----------
    engine : which engine simulates
    inputs : name → SHA-256 of every input table
    own : the planner's own policies, by name
    tables : a planner's own tables; None: the shipped ones
    """

    cells: Cells
    engine: EngineName
    inputs: Mapping[str, str]
    own: Mapping[str, Own]
    tables: Tables | None

    def __iter__(self) -> Iterator[Keyed]:
        for cell in self.cells:
            yield Keyed(cell, cell_digest(cell, self.engine, self.inputs), self.own)

    def unit(self, keyed: Keyed, wants: Sequence[Want]) -> Unit:
        """Put together what a worker needs."""
        given = self.engine, self.own, self.tables
        return Unit(keyed.cell, keyed.digest, tuple(wants), *given)

    @cached_property
    def digest(self) -> str:
        """Hash of all that the tables of the sweep depend on."""
        made = hashlib.sha256(json.dumps(self.cells.axes).encode())
        for keyed in self:
            made.update(json.dumps(keyed.identity, sort_keys=True).encode())
        return made.hexdigest()


@dataclass(frozen=True, eq=False)
class Keyed:
    """A cell with the hash of what its outcomes depend on, policies aside."""

    cell: Cell
    digest: str
    own: Mapping[str, Own]

    @property
    def study(self) -> Study:
        """The study of the cell."""
        return self.cell.study

    @property
    def identity(self) -> list[object]:
        """All that the cell's rows in the tables depend on."""
        asks = {"baseline", "replications", "precision"}
        return [
            self.cell.values, self.digest, self.study.model_dump(mode="json", include=asks),
            [(name, self.key(name, 0, 0)) for name in self.study.policies],
        ]  # fmt: skip

    @property
    def least(self) -> int:
        """Replications that are wanted whatever comes."""
        return self.study.replications

    def n_asked(self, parts: Parts) -> int:
        """Replications over all policies, as far as is known yet."""
        return len(self.study.policies) * self.replications(parts)

    def replications(self, parts: Parts) -> int:
        """Replications of each policy, as far as is known yet."""
        return self.least

    def key(self, policy: str, first: int, last: int) -> str:
        """Name of a part."""
        own = self.own[policy].digest if policy in self.own else ""
        return part_key(self.digest, policy, self.study.policies[policy], own, first, last)

    def wants(self, parts: Parts) -> list[Want]:
        """Every part of the cell, the first replications of all policies first."""
        total = self.replications(parts)
        return [
            Want(policy, first, last, self.key(policy, first, last))
            for first in range(0, total, PART)
            for last in (min(first + PART, total),)
            for policy in self.study.policies
        ]

    def values(self, parts: Parts) -> dict[str, Floats]:
        """Read what was simulated.

        Returns
        -------
        policy → float array [scenario of the set, replication, column of `COLUMNS`]
            NaN where a replication failed.
        """
        shape = (len(self.cell.scenarios), self.replications(parts), len(COLUMNS))
        made = {policy: np.full(shape, np.nan) for policy in self.study.policies}
        for want in self.wants(parts):
            part = parts.require(want.key)
            made[want.policy][:, want.first : want.last] = part.values
        return made
