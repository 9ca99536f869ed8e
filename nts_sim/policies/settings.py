"""How a planner plans: by which futures, against which risk, how fairly; by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from types import MappingProxyType
from typing import Literal

from nts_sim.planning.problem import Equity
from nts_sim.spec.models import PolicySpec

FuturesKind = Literal["mean", "mean_path", "classes", "samples", "truth"]
RiskKind = Literal["expectation", "mean_cvar", "minimax_regret"]


@dataclass(frozen=True, slots=True)
class Settings:
    """What of a `PolicySpec` matters to a planner.

    Attributes
    ----------
    lookahead_days : days of need that are planned for
    departures : epochs, from the present on, at which the plan may give orders
    correct_reports : divide reported people by the share known to be reported
    preposition : act on forewarned onsets
    reoptimise : solve again at each epoch; otherwise the first plan with orders is carried out
    futures : "mean" of drawn futures, "mean_path" (mean-field equations), "classes" of drawn
        futures alike in harm, "samples" of them, "truth" (what comes; a bound)
    n_futures : futures drawn; n_samples : classes or samples made of them
    risk : what is minimised over them; `risk_weight` and `risk_level` are λ and α of mean_cvar
    equity_floor, equity_price : soft floor on a place's served share; see `problem.Equity`
    serve_targets : tell each place how to split what it has over its cells
    caution : severities reached with less than this chance are not planned for
    lever_factor : what help averts later is worth, relative to what it is around no response
    """

    lookahead_days: int = 9
    departures: int = 3
    correct_reports: bool = True
    preposition: bool = True
    reoptimise: bool = True
    futures: FuturesKind = "mean"
    n_futures: int = 32
    n_samples: int = 3
    risk: RiskKind = "expectation"
    risk_weight: float = 0.5
    risk_level: float = 0.8
    equity_floor: float = 0.0
    equity_price: float = 1.0
    serve_targets: bool = False
    caution: float = 0.2
    lever_factor: float = 1.0

    @property
    def equity(self) -> Equity | None:
        """The soft floor, where there is one."""
        return Equity(self.equity_floor, self.equity_price) if self.equity_floor > 0.0 else None

    def told(self) -> dict[str, object]:
        """Return the settings as a table tells them."""
        return asdict(self)


_STOCHASTIC = Settings(futures="classes", n_futures=48)
_SAMPLES = replace(_STOCHASTIC, futures="samples", n_samples=8, caution=0.05)
_MEAN = Settings()


def _once(settings: Settings) -> Settings:
    """Plan once, and far enough ahead for that."""
    return replace(settings, reoptimise=False, lookahead_days=15, departures=7)


NAMED: Mapping[str, Settings] = MappingProxyType({
    "expected_value": _MEAN,
    "expected_value_mean_path": Settings(futures="mean_path"),
    "expected_value_open_loop": _once(_MEAN),
    "stochastic": _STOCHASTIC,
    "stochastic_k8": _SAMPLES,
    "stochastic_open_loop": _once(_STOCHASTIC),
    "mean_cvar": replace(_STOCHASTIC, n_samples=5, risk="mean_cvar"),
    "minimax_regret": replace(_STOCHASTIC, risk="minimax_regret"),
    "equitable": replace(_STOCHASTIC, equity_floor=0.8),
    "perfect_information": Settings(futures="truth"),
})  # fmt: skip
"""Planners by the name of their policy."""


def settings_of(name: str, spec: PolicySpec) -> Settings:
    """Take what the planner set; the rest stays as the named policy has it."""
    given = {field.name: getattr(spec, field.name) for field in fields(Settings)
             if hasattr(spec, field.name)}  # fmt: skip
    return replace(NAMED[name], **{key: value for key, value in given.items() if value is not None})
