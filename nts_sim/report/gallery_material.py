"""What the gallery's charts are drawn from: real tables, the same with long names, and nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from nts_sim.charts.frame import View
from nts_sim.charts.gallery import view_of
from nts_sim.charts.ground import Ground
from nts_sim.charts.sweep import sweep_view
from nts_sim.errors import InvalidInput, Problem
from nts_sim.study import store
from nts_sim.study.sweep.kept import Kept, read_sweep
from nts_sim.words import say

LONG: Final = "standing office for search, rescue, relief and recovery of the steering committee of"
"""A name that fits nowhere; followed by a number, so that two of them stay two."""
_NAMED: Final = ("policy", "baseline", "best", "rival", "mechanism", "resource", "fund", "scenario")
_KEPT: Final = ("local_on_spot", "other", "all", "all_hazards", "own_stock")
"""Codes that charts know by themselves."""
_MISSING: Final[Mapping[str, str]] = {
    "run": "compare", "set": "compare …=all_hazards", "plan": "plan", "money": "sweep fund.…",
    "heat": "sweep …", "names": "sweep resources=…", "morris": "sensitivity method=morris",
    "sobol": "sensitivity method=sobol", "sample": "sensitivity method=sobol",
}  # fmt: skip

Frames = Mapping[str, pd.DataFrame]


@dataclass(frozen=True, eq=False)
class Swept:
    """Tables of a sweep: cells, summary and results, and what its charts are about."""

    cells: pd.DataFrame
    summary: pd.DataFrame
    results: pd.DataFrame
    axes: tuple[str, ...]
    view: View


@dataclass(frozen=True, eq=False)
class Material:
    """All that charts are drawn from.

    Attributes
    ----------
    run, run_view : a comparison in one scenario
    many, many_view : a comparison over a set of scenarios
    plan, plan_view : tables of a plan
    money, heat, names, sample : sweeps over money, over two numbers, over names, and the cells of a
        study of sensitivity
    morris, sobol : table `sensitivity` of one policy
    communes : table `communes_08`
    ground : what maps stand on
    """

    run: Frames
    run_view: View
    many: Frames
    many_view: View
    plan: Frames
    plan_view: View
    money: Swept
    heat: Swept
    names: Swept
    sample: Swept
    morris: pd.DataFrame
    sobol: pd.DataFrame
    communes: pd.DataFrame
    ground: Ground


def read_material(runs: Path, communes: pd.DataFrame, ground: Ground) -> Material:
    """Read finished runs, whichever folder each is in, into material for all charts.

    Parameters
    ----------
    runs : folder of experiments
    communes, ground : as in `Material`

    Raises
    ------
    InvalidInput
        With every kind of run that is not there.
    """
    found = _found(runs)
    missing = [Problem(str(runs), say("gallery.missing", command=command))
               for kind, command in _MISSING.items() if kind not in found]  # fmt: skip
    if missing:
        raise InvalidInput(missing, say("gallery.subject"))
    run, run_view = _comparison(found["run"])
    many, many_view = _comparison(found["set"])
    return Material(
        run, run_view, many, many_view, *_planned(found["plan"]),
        _swept(found["money"]), _swept(found["heat"]), _swept(found["names"]),
        _swept(found["sample"]), _lesson(found["morris"]), _lesson(found["sobol"]),
        communes, ground,
    )  # fmt: skip


def _found(runs: Path) -> dict[str, Path]:
    """Find one finished run of each kind, the one made last where there are several."""
    done = [path.parent for path in runs.glob("*/*/manifest.json") if store.is_done(path.parent)]
    done.sort(key=lambda folder: ((folder / store.DONE).stat().st_mtime_ns, folder.name))
    return {_kind(folder, store.read_manifest(folder)): folder for folder in done}


def _kind(folder: Path, manifest: Mapping[str, Any]) -> str:
    verb = str(manifest["verb"])
    if verb == "compare":
        return "set" if manifest["config"]["scenario"].get("weights") else "run"
    if verb == "sensitivity":
        method: str = store.read_results(folder)["sensitivity"]["method"].iloc[0]
        return method
    if verb != "sweep":
        return verb
    kept = read_sweep(folder)
    if len(kept.axes) != 1:
        return "heat" if len(kept.axes) == 2 else "sample"
    return "money" if pd.api.types.is_numeric_dtype(kept.cells[kept.axes[0]]) else "names"


def _comparison(folder: Path) -> tuple[Frames, View]:
    frames, manifest = store.read_results(folder), store.read_manifest(folder)
    return frames, view_of(frames, folder.name, str(manifest["config"]["baseline"]))


def _planned(folder: Path) -> tuple[Frames, View]:
    """Read a plan; its charts are about the policy that it was made for."""
    frames = store.read_results(folder)
    values = frames["plan_value"]
    scenario, policy = (str(values[name].iloc[0]) for name in ("scenario", "policy"))
    futures = int(values.set_index("measure")["value"]["futures"])
    return frames, View(scenario, scenario, policy, "", folder.name, futures)


def _swept(folder: Path) -> Swept:
    kept: Kept = read_sweep(folder)
    view = sweep_view(kept.summary, kept.scenario, folder.name, kept.baseline)
    return Swept(kept.cells, kept.summary, kept.results, kept.axes, view)


def _lesson(folder: Path) -> pd.DataFrame:
    """Take the first policy's rows of a study of sensitivity."""
    table: pd.DataFrame = store.read_results(folder)["sensitivity"]
    first = table.iloc[0]
    same = (table["policy"] == first["policy"]) & (table["baseline"] == first["baseline"])
    mine: pd.DataFrame = table[same].reset_index(drop=True)
    return mine


# --- long names -----------------------------------------------------------------------------------


def with_long_names(real: Material) -> Material:
    """Give every policy, mechanism, resource, fund, scenario, input and place a very long name."""
    names = {code: f"{LONG} {code}" for code in real.ground.names}
    islands = tuple(replace(spot, name=f"{spot.name} {LONG}") for spot in real.ground.islands)
    abroad = tuple(replace(spot, name=names[spot.code]) for spot in real.ground.abroad)
    return Material(
        _long_frames(real.run), _long_view(real.run_view),
        _long_frames(real.many), _long_view(real.many_view), _long_frames(real.plan),
        _long_view(real.plan_view),
        _long_sweep(real.money), _long_sweep(real.heat), _long_sweep(real.names),
        _long_sweep(real.sample), _long_lesson(real.morris), _long_lesson(real.sobol),
        real.communes.assign(name_vi=LONG + " " + real.communes["code"]),
        replace(real.ground, names=names, islands=islands, abroad=abroad),
    )  # fmt: skip


def _long(code: object) -> str:
    """Lengthen a code; what charts know by itself, and no code at all, stay as they are."""
    text = str(code)
    return text if not text or text in _KEPT else f"{LONG}_{text}".replace(" ", "_")


def _long_frames(frames: Frames) -> dict[str, pd.DataFrame]:
    return {name: _long_table(table) for name, table in frames.items()}


def _long_table(table: pd.DataFrame) -> pd.DataFrame:
    changed = {name: table[name].map(_long) for name in _NAMED if name in table}
    for name in ("name", "source_name", "owner"):
        if name in table:
            changed[name] = table[name].map(lambda text: f"{text} {LONG}" if text else text)
    return table.assign(**changed)


def _long_view(view: View) -> View:
    return replace(view, asked=_long(view.asked), scenario=_long(view.scenario),
                   policy=_long(view.policy), baseline=_long(view.baseline))  # fmt: skip


def _long_sweep(swept: Swept) -> Swept:
    """Lengthen the names of policies and of all options; keys stay, as charts know some by them."""

    def options(table: pd.DataFrame) -> pd.DataFrame:
        text = [axis for axis in swept.axes if not pd.api.types.is_numeric_dtype(table[axis])]
        return _long_table(table.assign(**{axis: table[axis].map(_long) for axis in text}))

    return Swept(options(swept.cells), options(swept.summary), options(swept.results), swept.axes,
                 _long_view(swept.view))  # fmt: skip


def _long_lesson(table: pd.DataFrame) -> pd.DataFrame:
    return _long_table(table.assign(axis="my_group." + table["axis"].map(_long)))


# --- nothing --------------------------------------------------------------------------------------


def emptied(real: Material) -> Material:
    """Keep every table's columns and none of its rows."""
    return replace(
        real, run=_none(real.run), many=_none(real.many), plan=_none(real.plan),
        money=_none_swept(real.money), heat=_none_swept(real.heat), names=_none_swept(real.names),
        sample=_none_swept(real.sample), morris=real.morris.iloc[:0], sobol=real.sobol.iloc[:0],
        communes=real.communes.iloc[:0],
    )  # fmt: skip


def _none(frames: Frames) -> dict[str, pd.DataFrame]:
    return {name: table.iloc[:0] for name, table in frames.items()}


def _none_swept(swept: Swept) -> Swept:
    return replace(swept, summary=swept.summary.iloc[:0], results=swept.results.iloc[:0])


# --- between real values --------------------------------------------------------------------------


def differences_between(
    swept: Swept, axis: str, policy: str, rival: str, metric: str, value: float
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Differences of two policies at a value between those of a sweep, replication by replication.

    Between two values that were simulated the differences are taken to be straight.
    """
    wide = _of_policy(swept, axis, policy, metric) - _of_policy(swept, axis, rival, metric)
    known = wide.columns.to_numpy(dtype=np.float64)
    at = np.clip(np.searchsorted(known, value), 1, len(known) - 1)
    share = (value - known[at - 1]) / (known[at] - known[at - 1])
    table = wide.to_numpy(dtype=np.float64)
    between: np.ndarray[tuple[int], np.dtype[np.float64]] = (1.0 - share) * table[
        :, at - 1
    ] + share * table[:, at]
    return between


def _of_policy(swept: Swept, axis: str, policy: str, metric: str) -> pd.DataFrame:
    rows = swept.results[swept.results["policy"] == policy]
    return rows.pivot_table(index="replication", columns=axis, values=metric)
