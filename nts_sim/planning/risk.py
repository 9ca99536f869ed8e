"""How the costs of samples are weighed: by their mean, by their worst part, or by regret.

Each measure ρ is written once, as a small PuLP program over a column for the cost of each sample,
and is used as it is by the deterministic equivalent and by the master of the L-shaped method. What
a measure makes of given costs is computed here too, by sorting, without a solver.

The cost of the first stage, first · x, is the same in every sample and is added outside: the mean
and CVaR shift with it (Rockafellar and Uryasev, 2000), and so does the largest regret.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from nts_sim.planning.linear import LinearProgram
from nts_sim.planning.modelling import Model, Sense
from nts_sim.world.model import Floats, Ints

TIE = 1e-3
"""Weight of the mean beside the largest regret: of plans with equal worst regret, the cheaper."""

Kind = Literal["expectation", "mean_cvar", "minimax_regret"]


@dataclass(frozen=True, eq=False)
class Risk:
    """How sample costs F_s, of probability p_s, become one number.

    Attributes
    ----------
    kind : "expectation": Σ p_s F_s; "mean_cvar": (1 − λ) Σ p_s F_s + λ CVaR_α[F];
        "minimax_regret": max_s (F_s − best_s) + `TIE` · Σ p_s F_s
    weight : float in [0, 1], λ
    level : float in [0, 1), α; CVaR is the mean of the worst 1 − α
    best : float array [S], what each sample would cost with perfect foresight, for regret
    """

    kind: Kind = "expectation"
    weight: float = 0.0
    level: float = 0.9
    best: Floats | None = None

    def __post_init__(self) -> None:
        if not (0.0 <= self.weight <= 1.0 and 0.0 <= self.level < 1.0):
            raise ValueError("a weight is in [0, 1] and a level in [0, 1)")
        if self.kind == "minimax_regret" and self.best is None:
            raise ValueError("regret needs the best cost of each sample")


@dataclass(frozen=True, eq=False)
class RiskColumns:
    """Column numbers of a risk program; empty where the measure has no such column.

    Attributes
    ----------
    cost : int array [S], cost of each sample
    threshold : int array, [1] with CVaR: η
    excess : int array, [S] with CVaR: what a sample costs above η
    worst : int array, [1] with regret: the largest
    """

    cost: Ints
    threshold: Ints
    excess: Ints
    worst: Ints


def risk_program(
    risk: Risk, probability: Floats, lowest: Floats | float = -np.inf
) -> tuple[LinearProgram, RiskColumns]:
    """Write ρ as a linear program: minimised over its other columns it is ρ(F).

    Parameters
    ----------
    probability : float array [S]
    lowest : float or float array [S], what no sample can cost less than
    """
    model = Model("risk")
    columns = _columns(model, risk, probability, lowest)
    _excess(model, columns)
    _regret(model, columns, risk)
    return model.export(), columns


def mean_weight(risk: Risk) -> float:
    """Weight of Σ p_s F_s in the measure."""
    return {"expectation": 1.0, "mean_cvar": 1.0 - risk.weight, "minimax_regret": TIE}[risk.kind]


def _columns(model: Model, risk: Risk, probability: Floats, lowest: Floats | float) -> RiskColumns:
    """F_s at Σ p_s times the mean's weight; η at λ; excess_s at λ p_s / (1 − α); worst at 1."""
    every, one = np.ones(len(probability), np.bool_), np.ones(1, np.bool_)
    tail, regret = risk.kind == "mean_cvar", risk.kind == "minimax_regret"
    price = risk.weight * probability / (1.0 - risk.level)
    return RiskColumns(
        cost=model.columns(every, mean_weight(risk) * probability, lower=lowest, upper=np.inf),
        threshold=model.columns(one & tail, risk.weight, lower=-np.inf, upper=np.inf),
        excess=model.columns(every & tail, price, upper=np.inf),
        worst=model.columns(one & regret, 1.0, lower=-np.inf, upper=np.inf),
    )


def _excess(model: Model, c: RiskColumns) -> None:
    """excess_s + η − F_s ≥ 0."""
    rows = model.rows(c.excess >= 0, Sense.AT_LEAST)
    model.add(rows, c.excess, 1.0)
    model.add(rows, c.threshold, 1.0)
    model.add(rows, c.cost, -1.0)


def _regret(model: Model, c: RiskColumns, risk: Risk) -> None:
    """Worst − F_s ≥ −best_s."""
    mask = np.broadcast_to(c.worst >= 0, c.cost.shape)
    rows = model.rows(mask, Sense.AT_LEAST, 0.0 if risk.best is None else -risk.best)
    model.add(rows, c.worst, 1.0)
    model.add(rows, c.cost, -1.0)


def risk_of(risk: Risk, probability: Floats, cost: Floats) -> float:
    """ρ of given sample costs, by sorting."""
    mean = float(probability @ cost)
    if risk.kind == "minimax_regret":
        assert risk.best is not None
        return float(np.max(cost - risk.best)) + TIE * mean
    return float(risk_weights(risk, probability, cost) @ cost)


def risk_weights(risk: Risk, probability: Floats, cost: Floats) -> Floats:
    """Change of ρ per unit of each sample's cost, float array [S]; where it kinks, one of many."""
    weights = mean_weight(risk) * probability
    if risk.kind == "mean_cvar":
        weights = weights + risk.weight * _tail(probability, cost, 1.0 - risk.level)
    if risk.kind == "minimax_regret":
        assert risk.best is not None
        weights[int(np.argmax(cost - risk.best))] += 1.0
    return weights


def _tail(probability: Floats, cost: Floats, mass: float) -> Floats:
    """Share of each sample in the mean of the dearest `mass`; adds up to 1."""
    order = np.argsort(-cost, kind="stable")
    before = np.concatenate(([0.0], np.cumsum(probability[order])[:-1]))
    shares = np.zeros(len(cost))
    shares[order] = np.clip(mass - before, 0.0, probability[order]) / mass
    return shares
