"""What a sweep asks for: its cells with the names of their parts, and how many replications."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from nts_sim.engine.choice import EngineName
from nts_sim.outcomes.precision import Reached, enough, looks
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
        return next(self._looks())

    def _looks(self) -> Iterator[int]:
        """Numbers of replications after which to ask whether they are enough."""
        asked = self.study.replications
        return looks(self.study.precision, PART) if asked == "auto" else iter((asked,))

    def n_asked(self, parts: Parts) -> int:
        """Replications over all policies, as far as is known yet."""
        return len(self.study.policies) * self.replications(parts)

    def replications(self, parts: Parts) -> int:
        """Replications of each policy: all that are wanted, as far as is known yet."""
        counts = list(self._looks())
        known: dict[str, list[Floats]] = {policy: [] for policy in self.study.policies}
        for before, count in pairwise((0, *counts)):
            if count == counts[-1] or not self._read(known, parts, before, count):
                break
            if self.reached(known).met:
                break
        return count

    def reached(self, known: Mapping[str, Sequence[Floats]]) -> Reached:
        """Say how well the chosen outcome is known, of a set its weighted mean."""
        precision = self.study.precision
        column = COLUMNS.index(precision.metric)
        weights = np.array([weight for _, weight, _ in self.cell.scenarios])
        values = {
            policy: weights @ np.concatenate(tables, axis=1)[:, :, column]
            for policy, tables in known.items()
        }
        return enough(values, self.study.baseline, precision)

    def _read(
        self, known: Mapping[str, list[Floats]], parts: Parts, before: int, count: int
    ) -> bool:
        """Read the parts of some replications; False where one is missing."""
        for want in self._between(before, count):
            part = parts.get(want.key) if parts.has(want.key) else None
            if part is None:
                return False
            known[want.policy].append(part.values)
        return True

    def _between(self, before: int, count: int) -> list[Want]:
        return [
            Want(policy, first, last, self.key(policy, first, last))
            for first in range(before, count, PART)
            for last in (min(first + PART, count),)
            for policy in self.study.policies
        ]

    def key(self, policy: str, first: int, last: int) -> str:
        """Name of a part."""
        own = self.own[policy].digest if policy in self.own else ""
        return part_key(self.digest, policy, self.study.policies[policy], own, first, last)

    def wants(self, parts: Parts) -> list[Want]:
        """Every part of the cell, the first replications of all policies first."""
        return self._between(0, self.replications(parts))

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
