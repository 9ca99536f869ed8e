"""Parts on the disk: kept by what they depend on, so that the same is never simulated twice.

A part lies at ``results/parts/<two letters>/<key>``; its key is a hash of everything its numbers
depend on. Sweeps share parts: one with another value, policy or more replications finds what is
there. Each file begins with the SHA-256 of the rest, so a damaged one is noticed and made again.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from nts_sim.engine.choice import EngineName
from nts_sim.errors import PlaceOrMachine
from nts_sim.spec.models import PolicySpec
from nts_sim.spec.texts import NOT_OF_RESULTS
from nts_sim.study.chunks import Failure
from nts_sim.study.store import code_digest, in_place
from nts_sim.study.sweep.cell import Cell
from nts_sim.study.sweep.unit import COLUMNS, Part
from nts_sim.words import say

FOLDER = "parts"
_SAME_NUMBERS = {
    **dict.fromkeys((
        "experiment", "baseline", "replications", "precision", "selection", "policies", "plan",
        "target", "workers", "execution", "results_dir", "tables_dir",
    ), True),
    **NOT_OF_RESULTS,
}  # fmt: skip
"""What a study says and a replication under one policy does not depend on."""


def cell_digest(cell: Cell, engine: EngineName, inputs: Mapping[str, str]) -> str:
    """Hash all that a cell's outcomes depend on, policies and replications aside.

    Parameters
    ----------
    inputs : name → SHA-256 of every input table
    """
    content = {
        "study": cell.study.model_dump(mode="json", exclude=_SAME_NUMBERS),
        "scenarios": [
            (name, weight, scenario.model_dump(mode="json", exclude=NOT_OF_RESULTS["scenario"]))
            for name, weight, scenario in cell.scenarios
        ],
        "engine": engine,
        "inputs": dict(sorted(inputs.items())),
        "code": code_digest(),
        "columns": COLUMNS,
    }
    return _hash(content)


def part_key(digest: str, policy: str, spec: PolicySpec, own: str, first: int, last: int) -> str:
    """Name a part; `own` is the SHA-256 of the file of a planner's own policy, or empty."""
    return _hash([digest, policy, spec.model_dump(mode="json"), own, first, last])


def _hash(content: object) -> str:
    text = json.dumps(content, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:40]


@dataclass
class Parts:
    """The parts below a folder of results.

    Attributes
    ----------
    root : folder of results
    beside : folder on the same disk where files are written before they are renamed
    failed : keys that failed since this object was made; those of earlier runs are tried again
    """

    root: Path
    beside: Path
    failed: set[str] = field(default_factory=set)

    def has(self, key: str) -> bool:
        """Whether a part is there and whole, or has been tried in vain just now."""
        return key in self.failed or self.get(key) is not None

    def put(self, key: str, part: Part) -> None:
        """Keep a part; one with failures is kept apart, to be tried again another time."""
        if part.failures:
            self.failed.add(key)
        path = self._path(key)
        in_place(lambda: self._write(path, encoded(part)), path.parent)
        if not part.failures:
            self._failed_path(key).unlink(missing_ok=True)

    def get(self, key: str) -> Part | None:
        """Read a part; None where there is none, or only a damaged one, which is taken away."""
        path = self._path(key)
        try:
            return decoded(path.read_bytes())
        except FileNotFoundError:
            return None
        except ValueError:
            path.unlink(missing_ok=True)
            return None

    def require(self, key: str) -> Part:
        """Read a part that was there a moment ago.

        Raises
        ------
        PlaceOrMachine
            Where it has gone, or is damaged.
        """
        part = self.get(key)
        if part is None:
            raise PlaceOrMachine(say("said.place.part_gone", path=self._path(key)))
        return part

    def _path(self, key: str) -> Path:
        return self._failed_path(key) if key in self.failed else self.root / FOLDER / key[:2] / key

    def _failed_path(self, key: str) -> Path:
        return self.root / FOLDER / key[:2] / f"{key}.failed"

    def _write(self, path: Path, data: bytes) -> None:
        beside = self.beside / f".{path.name}.tmp"
        try:
            beside.write_bytes(data)
            path.parent.mkdir(parents=True, exist_ok=True)
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)


def encoded(part: Part) -> bytes:
    """Encode a part: the SHA-256 of what follows, failures, values."""
    buffer = io.BytesIO()
    rows = [(s, f.replication, f.error, f.message) for s, f in part.failures]
    buffer.write(json.dumps(rows, ensure_ascii=False).encode() + b"\n")
    np.save(buffer, part.values, allow_pickle=False)
    content = buffer.getvalue()
    return hashlib.sha256(content).hexdigest().encode() + b"\n" + content


def decoded(data: bytes) -> Part:
    """Decode a part; `ValueError` where it is not what was written."""
    digest, _, content = data.partition(b"\n")
    if hashlib.sha256(content).hexdigest().encode() != digest:
        raise ValueError("the checksum differs")
    rows, _, values = content.partition(b"\n")
    failures = tuple((s, Failure(number, *told)) for s, number, *told in json.loads(rows))
    return Part(np.load(io.BytesIO(values), allow_pickle=False), failures)
