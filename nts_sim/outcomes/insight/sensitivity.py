"""Which inputs matter: elementary effects (Morris) and shares of variance (Sobol), by SALib.

Designs live on the unit cube, and whoever runs the cells turns the share of an input into a value
of it, so that effects are those of an input over its whole range and can be compared. Cells share
their luck, so an outcome is a function of the inputs; indices tell how it depends on them for this
luck.

References
----------
Morris (1991), Technometrics 33, 161-174; Campolongo, Cariboni & Saltelli (2007), Environmental
Modelling & Software 22, 1509-1518; Saltelli et al. (2010), Computer Physics Communications 181,
259-270.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Final, Literal

import numpy as np
import pandas as pd

from nts_sim.errors import InvalidInput, Problem
from nts_sim.outcomes.frames import frame
from nts_sim.outcomes.insight.axes import own_rows
from nts_sim.words import say
from nts_sim.world.model import Floats

Method = Literal["morris", "sobol"]

LEVELS: Final = 4
"""Levels of Morris's grid, the usual number."""
RESAMPLES: Final = 1000
"""Bootstrap samples behind each interval."""
_WHERE: Final = "sensitivity"


@dataclass(frozen=True, eq=False)
class Design:
    """Which values of the inputs to run.

    Attributes
    ----------
    method : Method
    inputs : names, in the order of columns
    shares : float array [cell, input], how far each is on the way over its range, 0 to 1
    seed : that the design was drawn with; its bootstrap uses it too
    """

    method: Method
    inputs: tuple[str, ...]
    shares: Floats
    seed: int


def morris_design(inputs: Sequence[str], trajectories: int, seed: int) -> Design:
    """Draw a design of elementary effects: trajectories * (inputs + 1) cells.

    Each trajectory changes one input after another, by two thirds of its range.
    """
    _check_inputs(inputs)
    if trajectories < 2:
        raise _refused("trajectories", say("said.sensitivity.too_few", given=trajectories))
    morris = _salib("SALib.sample.morris")
    shares = morris.sample(_problem(inputs), trajectories, num_levels=LEVELS, seed=seed)
    return Design("morris", tuple(inputs), np.asarray(shares, dtype=np.float64), seed)


def sobol_design(inputs: Sequence[str], base: int, seed: int) -> Design:
    """Draw Saltelli's design over a scrambled Sobol sequence: base * (inputs + 2) cells.

    Parameters
    ----------
    inputs : their names
    base : a power of two; indices are known to about 1 / √base
    seed : of the scrambling
    """
    _check_inputs(inputs)
    if base < 2 or base & (base - 1):
        near = 2 ** max(1, round(float(np.log2(max(base, 2)))))
        raise _refused("base", say("said.sensitivity.not_power", given=base, near=near))
    sobol = _salib("SALib.sample.sobol")
    shares = sobol.sample(_problem(inputs), base, calc_second_order=False, seed=seed)
    return Design("sobol", tuple(inputs), np.asarray(shares, dtype=np.float64), seed)


def cell_outcomes(
    cells: pd.DataFrame, summary: pd.DataFrame, policy: str, metric: str, *, against: bool = False
) -> Floats:
    """Outcome of each cell in its own scenario: a policy's mean, or its mean paired difference.

    Parameters
    ----------
    cells, summary : tables of a sweep
    policy, metric : which rows
    against : the difference to the baseline in place of the mean

    Returns
    -------
    float array [cell]; NaN where a replication is missing or has no value, as the mean of the
    others would be one on other luck
    """
    rows = own_rows(cells[["cell", "scenario"]], summary)
    rows = rows[(rows["policy"] == policy) & (rows["metric"] == metric)].set_index("cell")
    rows = rows.reindex(cells["cell"])
    whole = rows["n"].to_numpy() == cells["replications"].to_numpy()
    return rows["diff" if against else "mean"].where(whole).to_numpy(dtype=np.float64)


def indices(design: Design, outcome: Floats) -> pd.DataFrame:
    """Work out how much each input matters.

    Parameters
    ----------
    design : Design
    outcome : float array [cell], in the order of the design

    Returns
    -------
    DataFrame
        Columns axis, measure, value, low, high (95 %, bootstrap; missing where the method has
        none). Morris: `effect` μ* (mean size of the change over the whole range, in the unit of
        the outcome), `signed_effect` μ, `spread` σ (of the effects: the input acts together with
        others, or not in a straight line). Sobol: `alone` S1 and `in_all` ST, shares of variance.
        All missing where the outcome is the same in every cell.

    Raises
    ------
    InvalidInput
        Cells failed or have no value: indices need all of them.
    """
    _check_outcome(design, outcome)
    if np.ptp(outcome) <= 1e-12 * float(np.max(np.abs(outcome))):
        return _flat(design)
    return _morris(design, outcome) if design.method == "morris" else _sobol(design, outcome)


def sensitivity_table(
    design: Design, outcome: Floats, scenario: str, policy: str, metric: str, unit: str,
    baseline: str = "",
) -> pd.DataFrame:  # fmt: skip
    """Work out `indices` and give them as the result table `sensitivity`.

    Parameters
    ----------
    design, outcome : as in `indices`
    scenario, policy, metric, unit : what the outcome is
    baseline : the outcome is the difference to this policy; empty: the policy's own
    """
    found = indices(design, outcome)
    told = {"scenario": scenario, "policy": policy, "baseline": baseline, "metric": metric,
            "unit": unit, "method": design.method}  # fmt: skip
    fixed = {name: [value] * len(found) for name, value in told.items()}
    return frame("sensitivity", fixed | {name: found[name] for name in found.columns})


MEASURES: Final[dict[Method, tuple[str, ...]]] = {
    "morris": ("effect", "signed_effect", "spread"),
    "sobol": ("alone", "in_all"),
}


def _morris(design: Design, outcome: Floats) -> pd.DataFrame:
    analysis = _salib("SALib.analyze.morris").analyze(
        _problem(design.inputs), design.shares, outcome, num_resamples=RESAMPLES,
        num_levels=LEVELS, seed=design.seed + 1,
    )  # fmt: skip
    unknown = np.full(len(design.inputs), np.nan)
    return _table(design, {
        "effect": (analysis["mu_star"], analysis["mu_star_conf"]),
        "signed_effect": (analysis["mu"], unknown),
        "spread": (analysis["sigma"], unknown),
    })  # fmt: skip


def _sobol(design: Design, outcome: Floats) -> pd.DataFrame:
    # SALib takes seed 0 for no seed at all, hence + 1
    analysis = _salib("SALib.analyze.sobol").analyze(
        _problem(design.inputs), outcome, calc_second_order=False, num_resamples=RESAMPLES,
        seed=design.seed + 1,
    )  # fmt: skip
    return _table(design, {
        "alone": (analysis["S1"], analysis["S1_conf"]),
        "in_all": (analysis["ST"], analysis["ST_conf"]),
    })  # fmt: skip


def _flat(design: Design) -> pd.DataFrame:
    unknown = np.full(len(design.inputs), np.nan)
    return _table(design, dict.fromkeys(MEASURES[design.method], (unknown, unknown)))


def _table(design: Design, found: dict[str, tuple[Floats, Floats]]) -> pd.DataFrame:
    """Stack measures; each is (estimates, half widths), both float arrays [input]."""
    rows = [
        (name, measure, float(value), float(value - half), float(value + half))
        for measure, (values, halves) in found.items()
        for name, value, half in zip(design.inputs, values, halves, strict=True)
    ]
    return pd.DataFrame(rows, columns=["axis", "measure", "value", "low", "high"])


def _problem(inputs: Sequence[str]) -> dict[str, Any]:
    """SALib's description of the unit cube."""
    names = list(inputs)
    return {"num_vars": len(names), "names": names, "bounds": [[0.0, 1.0]] * len(names)}


def _check_inputs(inputs: Sequence[str]) -> None:
    if not inputs:
        raise _refused(_WHERE, say("said.sensitivity.no_input"))


def _check_outcome(design: Design, outcome: Floats) -> None:
    cells = len(design.shares)
    if len(outcome) != cells:
        raise ValueError(f"{len(outcome)} outcomes for a design of {cells} cells")
    missing = int((~np.isfinite(outcome)).sum())
    if missing:
        what = say("said.sensitivity.cells_missing", missing=missing, cells=cells)
        raise _refused("cells", what)


def _refused(where: str, what: str) -> InvalidInput:
    return InvalidInput([Problem(where, what)], say("said.subject.sensitivity"))


def _salib(module: str) -> Any:
    try:
        return import_module(module)
    except ModuleNotFoundError as missing:
        if (missing.name or "").split(".")[0] != "SALib":
            raise
        raise _refused(_WHERE, say("said.sensitivity.no_salib")) from None
