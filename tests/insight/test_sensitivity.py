"""Sensitivity indices equal published ones, say how sure they are, and refuse what has holes."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from nts_sim.errors import InvalidInput
from nts_sim.outcomes.insight.sensitivity import (
    Design,
    cell_outcomes,
    indices,
    morris_design,
    sensitivity_table,
    sobol_design,
)

THREE = ("x1", "x2", "x3")
EIGHT = tuple(f"x{i}" for i in range(1, 9))


def _ishigami(design: Design) -> np.ndarray:
    """Ishigami & Homma (1990) with a = 7, b = 0.1."""
    x = 2.0 * np.pi * design.shares - np.pi
    return np.sin(x[:, 0]) + 7.0 * np.sin(x[:, 1]) ** 2 + 0.1 * x[:, 2] ** 4 * np.sin(x[:, 0])


def _g_function(design: Design) -> np.ndarray:
    """Sobol's g-function with a = (0, 1, 4.5, 9, 99, 99, 99, 99) (Saltelli et al. 2010)."""
    a = np.array([0, 1, 4.5, 9, 99, 99, 99, 99])
    return np.prod((np.abs(4.0 * design.shares - 2.0) + a) / (1.0 + a), axis=1)


ISHIGAMI = {"alone": (0.3139, 0.4424, 0.0), "in_all": (0.5576, 0.4424, 0.2437)}
G_FUNCTION = {
    "alone": (0.7165, 0.1791, 0.0237, 0.0072, 0.0001, 0.0001, 0.0001, 0.0001),
    "in_all": (0.7871, 0.2422, 0.0343, 0.0105, 0.0001, 0.0001, 0.0001, 0.0001),
}


@pytest.mark.parametrize(("axes", "function", "published"), [
    (THREE, _ishigami, ISHIGAMI), (EIGHT, _g_function, G_FUNCTION),
])  # fmt: skip
def test_shares_of_variance_are_the_published_ones(
    axes: Any, function: Any, published: dict[str, tuple[float, ...]]
) -> None:
    """Within 0.02, and inside twice the reported half width (4 standard errors) of the truth."""
    design = sobol_design(axes, 4096, seed=1)
    found = indices(design, function(design))
    for measure, truth in published.items():
        rows = found[found["measure"] == measure]
        assert np.allclose(rows["value"], truth, atol=0.02), measure
        half = (rows["high"] - rows["low"]).to_numpy() / 2.0
        assert (np.abs(rows["value"].to_numpy() - truth) < 2.0 * half + 1e-3).all()


def test_the_interval_tells_how_far_off_a_small_design_is() -> None:
    """Over 40 seeds the truth lies in the 95 % interval of x1's share in at least 85 %."""
    inside = 0
    for seed in range(40):
        design = sobol_design(THREE, 64, seed)
        row = indices(design, _ishigami(design)).iloc[0]
        inside += row["low"] <= ISHIGAMI["alone"][0] <= row["high"]
    assert inside >= 34


def test_elementary_effects_of_a_straight_line_are_exact() -> None:
    design = morris_design(("a", "b", "c"), 10, seed=3)
    x = np.array([10.0, 1.0, 1.0]) * design.shares + np.array([0.0, 5.0, 0.0])
    outcome = 2.0 * x[:, 0] - 7.0 * x[:, 1] + 0.0 * x[:, 2] + 400.0
    table = indices(design, outcome).pivot_table(index="axis", columns="measure", values="value")
    assert len(design.shares) == 10 * 4
    assert np.allclose(table.loc[["a", "b", "c"], "effect"], [20.0, 7.0, 0.0])
    assert np.allclose(table.loc[["a", "b", "c"], "signed_effect"], [20.0, -7.0, 0.0])
    assert np.allclose(table["spread"], 0.0, atol=1e-9)


def test_spread_shows_who_acts_together_with_others() -> None:
    design = morris_design(("a", "b", "c"), 40, seed=3)
    x = design.shares
    found = indices(design, 10.0 * x[:, 0] * x[:, 1] + 5.0 * x[:, 2])
    spread = found[found["measure"] == "spread"].set_index("axis")["value"]
    assert spread["a"] > 1.0 and spread["b"] > 1.0 and spread["c"] < 1e-9


@pytest.mark.parametrize("seed", [0, 7])
def test_the_same_seed_gives_the_same_design_and_the_same_intervals(seed: int) -> None:
    """Seed 0 too, which SALib's analysis would take for no seed."""
    for make, size in ((sobol_design, 16), (morris_design, 5)):
        one, other = make(THREE, size, seed), make(THREE, size, seed)
        assert np.array_equal(one.shares, other.shares)
        outcome = _ishigami(one)
        assert indices(one, outcome).equals(indices(other, outcome))
        assert not np.array_equal(one.shares, make(THREE, size, seed + 1).shares)


def test_failed_cells_are_counted_and_refused() -> None:
    design = sobol_design(THREE, 8, seed=1)
    outcome = _ishigami(design)
    outcome[[2, 5, 11]] = np.nan
    with pytest.raises(InvalidInput, match="3 of 40 have a replication that failed"):
        indices(design, outcome)
    with pytest.raises(ValueError, match="39 outcomes"):
        indices(design, outcome[1:])


def test_what_never_changes_has_no_indices() -> None:
    for design in (sobol_design(THREE, 8, seed=1), morris_design(THREE, 4, seed=1)):
        found = indices(design, np.full(len(design.shares), 0.1))
        assert len(found) and found["value"].isna().all()


@pytest.mark.parametrize(("make", "message"), [
    (lambda: sobol_design(THREE, 100, 0), "100 is not a power of two.*try 128"),
    (lambda: sobol_design(THREE, 1, 0), "not a power of two"),
    (lambda: morris_design(THREE, 1, 0), "too few"),
    (lambda: morris_design((), 10, 0), "no input to vary"),
])  # fmt: skip
def test_designs_that_cannot_be_are_refused(make: Any, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        make()


def test_without_the_library_a_sentence_says_how_to_get_it(monkeypatch: Any) -> None:
    def missing(name: str) -> None:
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    monkeypatch.setattr("nts_sim.outcomes.insight.sensitivity.import_module", missing)
    with pytest.raises(InvalidInput, match=r"pip install 'nts-sim\[analysis\]'"):
        sobol_design(THREE, 8, 0)


def test_a_broken_library_is_not_told_as_a_missing_one(monkeypatch: Any) -> None:
    def broken(name: str) -> None:
        raise ModuleNotFoundError("No module named 'dill'", name="dill")

    monkeypatch.setattr("nts_sim.outcomes.insight.sensitivity.import_module", broken)
    with pytest.raises(ModuleNotFoundError):
        sobol_design(THREE, 8, 0)


def test_the_module_loads_without_the_library() -> None:
    source = importlib.import_module("nts_sim.outcomes.insight.sensitivity").__file__
    assert source is not None
    lines = Path(source).read_text("utf-8").splitlines()
    assert not any(line.startswith(("import SALib", "from SALib")) for line in lines)


def test_means_of_cells_need_every_replication() -> None:
    cells = pd.DataFrame({"cell": range(4), "scenario": "set", "replications": 3})
    rows = [(cell, scenario, "plan", "harm", 3 - (cell == 1), 10.0 * cell, float(cell))
            for cell in (0, 1, 3) for scenario in ("set", "member")]  # fmt: skip
    summary = pd.DataFrame(
        rows, columns=["cell", "scenario", "policy", "metric", "n", "mean", "diff"]
    )
    summary.loc[summary["scenario"] == "member", ["mean", "diff"]] = 1e9
    means = cell_outcomes(cells, summary, "plan", "harm")
    assert np.array_equal(means, [0.0, np.nan, np.nan, 30.0], equal_nan=True)
    told = cell_outcomes(cells, summary, "plan", "harm", against=True)
    assert np.array_equal(told, [0.0, np.nan, np.nan, 3.0], equal_nan=True)


def test_the_result_table_is_the_declared_one() -> None:
    design = morris_design(THREE, 4, seed=1)
    table = sensitivity_table(design, _ishigami(design), "storm", "plan", "harm_bn_vnd", "bn VND")
    assert len(table) == 9 and set(table["method"]) == {"morris"}
