"""A sweep that was kept, as it is read again; and the folder of what is learnt from it.

What is learnt lies beside the sweep, in a folder of its own: a finished sweep is never changed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pandas as pd
import pyarrow as pa

from nts_sim.errors import InvalidInput, Problem
from nts_sim.study import store
from nts_sim.study.manifest import (
    git_commit,
    module_digests,
    platform_name,
    versions,
    without_path,
)
from nts_sim.words import say

_NEEDED: Final[Mapping[str, frozenset[str]]] = {
    "cells": frozenset({"cell", "scenario", "replications", "failed"}),
    "summary": frozenset({
        "cell", "scenario", "policy", "metric", "unit", "n", "mean", "low", "high", "baseline",
        "diff", "diff_low", "diff_high", "separable",
    }),
    "results": frozenset({"cell", "scenario", "policy", "replication"}),
}  # fmt: skip
"""Columns that are read, by table."""


@dataclass(frozen=True, eq=False)
class Kept:
    """A sweep that was kept.

    Attributes
    ----------
    axes : its axes, by key, without that of the policies
    failed : replications that failed; its tables are without them
    seed : of its first cell
    baseline : policy compared with
    cells, summary, results : its tables, see `nts_sim.study.sweep.tables`
    digests : file → SHA-256
    """

    folder: Path
    axes: tuple[str, ...]
    failed: int
    seed: int
    baseline: str
    cells: pd.DataFrame
    summary: pd.DataFrame
    results: pd.DataFrame
    digests: Mapping[str, str]

    @property
    def policies(self) -> tuple[str, ...]:
        """Who was compared."""
        return tuple(dict.fromkeys(self.summary["policy"]))

    @property
    def scenario(self) -> str:
        """The scenario or set of all cells; "each" where cells have one of their own."""
        names = self.cells["scenario"].unique()
        return str(names[0]) if len(names) == 1 else "each"


def read_sweep(folder: Path) -> Kept:
    """Read a sweep that ended, with all its cells or without some that failed.

    Raises
    ------
    InvalidInput
        Where the folder holds no such sweep, or one of its tables is damaged.
    """
    manifest = _manifest(folder)
    listed = _listed(folder)
    problems: list[Problem] = []
    tables: dict[str, pd.DataFrame] = {}
    digests: dict[str, str] = {}
    for name in _NEEDED:
        file = f"{name}.parquet"
        try:
            data = (folder / file).read_bytes()
            digests[file] = hashlib.sha256(data).hexdigest()
            if listed and listed.get(file) != digests[file]:
                raise ValueError(say("said.kept.sweep_checksum"))
            tables[name] = _table(name, data)
        except (OSError, ValueError, pa.ArrowException) as error:
            what = getattr(error, "strerror", None) or " ".join(str(error).split())[:200]
            problems.append(Problem(str(folder / file), what))
    if problems:
        raise InvalidInput(problems, say("said.subject.sweep"))
    axes = tuple(str(axis) for axis in manifest["axes"] if axis in tables["cells"])
    failed, seed = int(tables["cells"]["failed"].sum()), int(manifest["seed"])
    baseline = str(manifest["config"]["baseline"])
    return Kept(folder, axes, failed, seed, baseline, **tables, digests=digests)


def _table(name: str, data: bytes) -> pd.DataFrame:
    table = store.parquet_table(data)
    missing = sorted(_NEEDED[name] - set(table.columns))
    if missing:
        raise ValueError(say("said.kept.no_column", columns=", ".join(missing)))
    return table


def _manifest(folder: Path) -> Mapping[str, Any]:
    if not folder.is_dir():
        fault = "said.kept.not_a_folder" if folder.exists() else "said.kept.not_there"
        raise _refused(folder, say(fault))
    path = folder / store.MANIFEST
    if not path.is_file():
        raise _refused(folder, say("said.kept.no_sweep"))
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())[:200]
        raise _refused(path, say("said.kept.unreadable", reason=reason)) from None
    parts = manifest if isinstance(manifest, dict) else {}
    if not (isinstance(parts.get("axes"), list) and isinstance(parts.get("config"), dict)):
        if "verb" in parts:
            raise _refused(folder, say("said.kept.other_verb", verb=parts["verb"]))
        raise _refused(folder, say("said.kept.other_maker"))
    if not (isinstance(parts.get("seed"), int) and "baseline" in parts["config"]):
        raise _refused(path, say("said.kept.not_manifest"))
    return parts


def _listed(folder: Path) -> Mapping[str, str]:
    """Digests of the files of a sweep without failures; nothing of another one."""
    if not store.is_done(folder):
        return {}
    try:
        listed = json.loads((folder / store.DONE).read_text(encoding="utf-8"))["files"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        what = say("said.kept.unreadable", reason=type(error).__name__)
        raise _refused(folder / store.DONE, what) from None
    return dict(listed)


def _refused(path: Path, what: str) -> InvalidInput:
    return InvalidInput([Problem(str(path), what)], say("said.subject.sweep"))


# --- what is learnt from it ----------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Lesson:
    """What is learnt, as it is kept.

    Attributes
    ----------
    frames : result tables
    files : other files, by name: charts
    finding : what it means, a sentence or more
    """

    frames: Mapping[str, pd.DataFrame]
    files: Mapping[str, bytes]
    finding: Sequence[str]


@dataclass(frozen=True, eq=False)
class Question:
    """What is asked of a sweep; two that are equal have one answer.

    Attributes
    ----------
    verb : that asks
    about : first words of the folder's name after the verb
    asked : all else that the answer depends on
    inputs : SHA-256 of what it is read from
    seed : of what is drawn for it
    """

    verb: str
    about: str
    asked: Mapping[str, Any]
    inputs: Mapping[str, str]
    seed: int

    def folder(self, experiment: Path) -> Path:
        """Folder of the answer, below that of the experiment."""
        content = [self.verb, self.asked, sorted(self.inputs.items()), self.seed,
                   store.code_digest()]  # fmt: skip
        text = json.dumps(content, sort_keys=True, ensure_ascii=False)
        digest = hashlib.sha256(text.encode()).hexdigest()[:10]
        return experiment / "-".join(filter(None, (self.verb, self.about[:36], digest)))


def keep_lesson(
    folder: Path, question: Question, lesson: Lesson, command: Sequence[str], wall_time_s: float
) -> None:
    """Write what was learnt into its folder, which is claimed; ``DONE.json`` last."""
    for name, table in lesson.frames.items():
        store.write_table(folder, name, table)
    for name, data in lesson.files.items():
        store.write_file(folder, name, data)
    store.write_manifest(folder, {
        "run_id": folder.name, "verb": question.verb,
        "command": [without_path(word) for word in command], "seed": question.seed,
        "finding": list(lesson.finding), "asked": dict(question.asked),
        "inputs": dict(sorted(question.inputs.items())), "versions": versions(),
        "code": module_digests(), "platform": platform_name(),
        "git_commit": git_commit(Path(__file__).resolve()), "wall_time_s": round(wall_time_s, 2),
    })  # fmt: skip
    store.finish(folder)
