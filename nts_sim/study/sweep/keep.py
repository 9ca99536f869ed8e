"""The folder of a sweep: its name, its manifest, its design; ``DONE.json`` when nothing failed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from nts_sim.study import store
from nts_sim.study.manifest import manifest_of
from nts_sim.study.sweep.asked import Asked
from nts_sim.study.sweep.cell import Cell

DESIGN: Final = "design.jsonl"
_SEVERAL: Final = "sweep"
_SLUG_LETTERS: Final = 36
_NAMED_AXES: Final = 3
"""Axes told in the name of a folder; of more, their number."""


def sweep_folder(asked: Asked) -> Path:
    """Folder of a sweep: below the experiment of its cells, or ``sweep`` where these differ."""
    first = next(iter(asked.cells)).study
    experiments = {cell.study.experiment for cell in asked.cells}
    experiment = first.experiment if len(experiments) == 1 else _SEVERAL
    name = "-".join(filter(None, (_SEVERAL, _slug(asked.cells.axes), asked.digest[:10])))
    return Path(first.results_dir) / experiment / name


def _slug(axes: Sequence[str]) -> str:
    if len(axes) > _NAMED_AXES:
        return f"{len(axes)}_axes"
    return "-".join(axis.split(".")[-1] for axis in axes)[:_SLUG_LETTERS].rstrip("-_")


def write_design(folder: Path, cells: Iterable[Cell]) -> None:
    """Write a line for every cell: its values, and in what its study differs from the first."""
    lines = (json.dumps(line, ensure_ascii=False) for line in _lines(cells))
    store.write_file(folder, DESIGN, "".join(f"{line}\n" for line in lines).encode())


def _lines(cells: Iterable[Cell]) -> Iterable[dict[str, Any]]:
    base: Mapping[str, Any] = {}
    for cell in cells:
        content = _content(cell)
        base = base or content
        differs = {key: value for key, value in content.items() if value != base[key]}
        yield {
            "cell": cell.number, "values": cell.values, "overrides": cell.told,
            "differs": content if content is base else differs,
        }  # fmt: skip


def _content(cell: Cell) -> dict[str, Any]:
    members = [
        (name, weight, scenario.model_dump(mode="json"))
        for name, weight, scenario in cell.scenarios
    ]
    own = {"results_dir", "workers", "execution"}
    return cell.study.model_dump(mode="json", exclude=own) | {"scenarios": members}


def finish(
    folder: Path, asked: Asked, command: Sequence[str], wall_time_s: float, failed: int
) -> None:
    """Write the manifest and, where nothing failed, that the sweep is done."""
    study = next(iter(asked.cells)).study
    inputs = {**asked.inputs, **{f"policy {name}": own.digest for name, own in asked.own.items()}}
    manifest = manifest_of(study, _SEVERAL, folder.name, command, inputs, wall_time_s, failed)
    about = {"axes": list(asked.cells.axes), "cells": len(asked.cells), "sweep": asked.digest}
    store.write_manifest(folder, manifest | about)
    if not failed:
        store.finish(folder)
