"""Cells are paired by replication, against the cell that is asked for."""

import pandas as pd
import pytest

from experiments.paired import BURDEN, COST, HARM, differences, drawn, labels


def results() -> pd.DataFrame:
    """Two cells; the second is 2 ± 1 above the first, on luck that differs far more."""
    luck = {0: 100.0, 1: 5000.0, 2: 900.0}
    more = {"a": (0.0, 0.0, 0.0), "b": (1.0, 2.0, 3.0)}
    return pd.DataFrame([
        {"cell": cell, "policy": "greedy", "replication": number, BURDEN: luck[number] + extra,
         HARM: luck[number], COST: extra}
        for cell, extras in more.items() for number, extra in enumerate(extras)
    ])  # fmt: skip


def test_differences_are_paired() -> None:
    row = differences(results(), "a").set_index("cell").loc["b"]
    assert row["diff"] == pytest.approx(2.0)
    assert row["half"] == pytest.approx(4.302652729749464 / 3**0.5)  # t(0.975, 2) · sd 1 / √3
    assert (row["harm"], row["cost"], row["n"]) == pytest.approx((0.0, 2.0, 3))


def test_only_what_is_told_apart_is_drawn() -> None:
    apart = results()
    assert drawn(differences(apart, "a"), "a").empty
    apart.loc[apart["cell"] == "b", BURDEN] += 10.0
    assert list(drawn(differences(apart, "a"), "a")["cell"]) == ["b"]


def test_cells_are_named_after_what_differs() -> None:
    values = pd.DataFrame({
        "mechanism.changes.military.enabled": ["true", "false", "true"],
        "mechanism.changes.military.ceiling_factor": [1.0, 1.0, 2.0],
        "resources.stock_factors.boat_crew": [1.0, 1.0, 0.5],
        "seed": [1, 1, 1],
    })  # fmt: skip
    named = labels(values, 0)
    assert named == {
        0: "as it is", 1: "without military",
        2: "military, ceiling \N{MULTIPLICATION SIGN}2, boat crew \N{MULTIPLICATION SIGN}0.5",
    }  # fmt: skip
    assert labels(values[["seed"]].assign(seed=[1, 2, 3]), 0)[0] == "seed 1"
