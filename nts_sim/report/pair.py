"""Two finished runs side by side: what differs in what was asked, and in what it came to.

Differences are the second run less the first. They are paired by replication where both runs had
the same luck: the same seed, scenario and number of replications. Else intervals are those of two
independent means (Welch 1947, Biometrika 34: 28-35).
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from nts_sim.charts.frame import View
from nts_sim.outcomes.compare import LEVEL, paired, summarise, t_quantile
from nts_sim.report.views import complete, view_of_report
from nts_sim.words import say
from nts_sim.world.model import Floats

BURDEN: Final = "total_burden_bn_vnd"
_NOT_COMPARED: Final = ("results_dir", "workers", "tables_dir", "execution")
"""What a study says and results do not depend on."""
_LETTERS: Final = 90

Frames = Mapping[str, pd.DataFrame]
Line = tuple[str, str, str]


@dataclass(frozen=True, eq=False)
class Side:
    """One of the two runs.

    Attributes
    ----------
    frames : all result tables, with names as they are told
    policy : the one in focus
    """

    manifest: Mapping[str, Any]
    frames: Frames
    view: View

    @property
    def policy(self) -> str:
        """The policy in focus: of a plan, the plan; else the best."""
        return self.view.policy

    @property
    def config(self) -> Mapping[str, Any]:
        """The study."""
        config: Mapping[str, Any] = self.manifest["config"]
        return config

    def values(self, policy: str, metric: str) -> pd.Series[float]:
        """Values of a metric, all keys together, by replication."""
        rows = self.frames["outcomes"]
        rows = rows[(rows["scenario"] == self.view.asked) & (rows["policy"] == policy)
                    & (rows["metric"] == metric) & (rows["key"] == "all")]  # fmt: skip
        return rows.set_index("replication")["value"]


@dataclass(frozen=True)
class Difference:
    """Means of both runs with their 95 % intervals, and the second less the first."""

    first: tuple[float, float, float]
    second: tuple[float, float, float]
    diff: tuple[float, float, float]

    @property
    def is_told(self) -> bool:
        """Whether the interval of the difference leaves out 0."""
        _, low, high = self.diff
        return low > 0.0 or high < 0.0


def side(frames: Frames, manifest: Mapping[str, Any]) -> Side:
    """Make a side of a run's stored tables and manifest."""
    whole = complete(frames)
    return Side(manifest, whole, view_of_report(whole, manifest))


def same_luck(a: Side, b: Side) -> bool:
    """Whether replication n met the same luck in both runs."""
    keys = ("seed", "replications")
    alike = all(a.manifest.get(key) == b.manifest.get(key) for key in keys)
    return alike and a.config.get("scenario") == b.config.get("scenario")


def difference(a: Side, b: Side, metric: str, of: tuple[str, str] | None = None) -> Difference:
    """Compare a metric of a policy of the first run with that of one of the second.

    Parameters
    ----------
    of : policies of the first and the second; None: those in focus
    """
    first, second = of or (a.policy, b.policy)
    x, y = a.values(first, metric), b.values(second, metric)
    diff = _paired(x, y) if same_luck(a, b) else _independent(x, y)
    return Difference(_interval(x), _interval(y), diff)


def _interval(values: pd.Series[float]) -> tuple[float, float, float]:
    found = summarise(_column(values))
    return float(found.mean[0]), float(found.low[0]), float(found.high[0])


def _paired(x: pd.Series[float], y: pd.Series[float]) -> tuple[float, float, float]:
    both = x.index.intersection(y.index)
    found = paired(_column(y.reindex(both)), _column(x.reindex(both))).summary
    return float(found.mean[0]), float(found.low[0]), float(found.high[0])


def _column(values: pd.Series[float]) -> Floats:
    """Return values as a float array [replication, 1]."""
    return np.asarray(values, dtype=np.float64)[:, None]


def _independent(x: pd.Series[float], y: pd.Series[float]) -> tuple[float, float, float]:
    """Difference of two independent means with its interval by Welch."""
    known = [series.dropna().to_numpy(np.float64) for series in (x, y)]
    if min(map(len, known)) < 2:
        return float(y.mean() - x.mean()), math.nan, math.nan
    errors = np.array([values.var(ddof=1) / len(values) for values in known])
    diff, error = float(known[1].mean() - known[0].mean()), float(errors.sum())
    if error == 0.0:
        return diff, diff, diff
    freedom = error**2 / float((errors**2 / np.array([len(v) - 1.0 for v in known])).sum())
    half = float(t_quantile(1.0 - LEVEL / 2.0, np.array([freedom]))[0]) * math.sqrt(error)
    return diff, diff - half, diff + half


# --- what was asked --------------------------------------------------------------------------


def differences_of_study(a: Side, b: Side) -> list[Line]:
    """List what differs in what was asked: (key, first, second).

    A group of which another member was chosen is one line.
    """
    return [*_keys(a.config, b.config, ""), *_inputs(a.manifest, b.manifest)]


def _keys(a: Mapping[str, Any], b: Mapping[str, Any], prefix: str) -> Iterator[Line]:
    for key in sorted({*a, *b} - set(_NOT_COMPARED if not prefix else ())):
        first, second = a.get(key), b.get(key)
        if first == second:
            continue
        if not (isinstance(first, dict) and isinstance(second, dict)):
            yield f"{prefix}{key}", _text(first), _text(second)
        elif first.get("name") == second.get("name"):
            yield from _keys(first, second, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", str(first.get("name")), str(second.get("name"))


def _text(value: object) -> str:
    """Write a setting; a group of them, which the other run has not, by whether it is there."""
    if value is None or isinstance(value, dict):
        return say("pair.absent" if value is None else "pair.there")
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LETTERS else f"{text[:_LETTERS]}…"


def _inputs(a: Mapping[str, Any], b: Mapping[str, Any]) -> Iterator[Line]:
    """List input files that differ, by the start of their digests, and the version."""
    for name in sorted({*a.get("inputs", {}), *b.get("inputs", {})}):
        first, second = (str(m.get("inputs", {}).get(name, "—"))[:8] for m in (a, b))
        if first != second:
            yield name, first, second
    versions = [str(m.get("versions", {}).get("nts-sim", "—")) for m in (a, b)]
    if versions[0] != versions[1]:
        yield "nts-sim", versions[0], versions[1]


# --- what it came to --------------------------------------------------------------------------


def gaps_apart(a: Side, b: Side, most: int | None) -> pd.DataFrame:
    """List the needs whose unmet part differs most under the policies in focus.

    Returns
    -------
    DataFrame
        Columns place, name, resource, first, second, diff; unit-days.
    """
    first, second = _gap(a), _gap(b)
    rows = _merged(first, second, ["place", "resource"], "unmet_unit_days")
    names = pd.concat([second, first]).set_index("place")["name"].to_dict()
    rows = rows.assign(name=rows["place"].map(names))
    rows = rows[rows["diff"].abs() > 1e-6].sort_values("diff", key=abs, ascending=False)
    return rows.head(most if most is not None else len(rows))


def _gap(one: Side) -> pd.DataFrame:
    rows = one.frames["gap"]
    return rows[(rows["scenario"] == one.view.scenario) & (rows["policy"] == one.policy)]


def cost_by_fund(a: Side, b: Side) -> pd.DataFrame:
    """List what each fund spends under the policies in focus: fund, first, second, diff."""
    return _merged(_finance(a), _finance(b), ["layer", "fund"], "spent_bn_vnd")


def _finance(one: Side) -> pd.DataFrame:
    rows = one.frames["finance"]
    return rows[(rows["scenario"] == one.view.scenario) & (rows["policy"] == one.policy)]


def _merged(a: pd.DataFrame, b: pd.DataFrame, keys: list[str], value: str) -> pd.DataFrame:
    """Put a value of both side by side; what one of them has not counts 0."""
    first, second = (rows.set_index(keys)[value].astype(float) for rows in (a, b))
    both = pd.DataFrame({"first": first, "second": second}).fillna(0.0)
    return both.assign(diff=both["second"] - both["first"]).reset_index()


def common_policies(a: Side, b: Side) -> list[str]:
    """Name the policies that both runs simulated, in the first one's order."""
    theirs = set(b.frames["outcomes"]["policy"])
    return [str(p) for p in dict.fromkeys(a.frames["outcomes"]["policy"]) if p in theirs]
