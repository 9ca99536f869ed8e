"""What ``sensitivity`` does with its cells: a sweep, then how much each input matters."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import pandas as pd

from nts_sim.charts.frame import Chart, View
from nts_sim.charts.sensitivity import sensitivity_charts, sensitivity_sentence
from nts_sim.cli.cells import Common
from nts_sim.cli.design import Design, of_sensitivity
from nts_sim.cli.flags import Flags
from nts_sim.cli.lesson import Learnt, teach, view_of
from nts_sim.cli.sweep_text import estimate_text
from nts_sim.cli.sweeping import FAILED, asked_of, estimated, swept
from nts_sim.errors import InvalidInput, Problem
from nts_sim.outcomes.frames import joined
from nts_sim.outcomes.insight.axes import own_rows
from nts_sim.outcomes.insight.sensitivity import cell_outcomes, sensitivity_table
from nts_sim.outcomes.metrics import Metric
from nts_sim.study.sweep.cell import Cells
from nts_sim.study.sweep.kept import Kept, Question, read_sweep
from nts_sim.words import say, sentence


@dataclass(frozen=True)
class Asked:
    """What is asked.

    Attributes
    ----------
    design : of `nts_sim.cli.design.MORRIS` or `SALTELLI`
    command : words of the command line, after the verb
    """

    design: Design
    metric: Metric
    command: Sequence[str]


def sensitivity(asked: Asked, cells: Cells, common: Common, flags: Flags) -> int:
    """Run the cells of the design, then tell which inputs matter; return the exit code."""
    if "policy" in cells.axes:
        what = say("cli.sensitivity.policy")
        raise InvalidInput([Problem("policy", what)], say("cli.subject.written"))
    sweep = asked_of(cells, common)
    if flags.dry_run:
        print(estimate_text(estimated(sweep)))
        return 0
    made = swept(sweep, flags, "sweep")
    if made.failed:
        failures = made.folder / "failures.csv"
        print(say("cli.sensitivity.failed", n=made.failed, file=failures), file=sys.stderr)
        return FAILED
    kept = read_sweep(made.folder)
    design = of_sensitivity(asked.design, cells.axes)
    question = Question(
        "sensitivity", design.method,
        {"metric": asked.metric.name, "method": design.method, "inputs": list(design.inputs)},
        kept.digests, design.seed,
    )  # fmt: skip
    learn = partial(_learnt, kept, asked)
    return teach(question, made.folder.parent, flags, learn, asked.command)


def _learnt(kept: Kept, asked: Asked, run_id: str) -> Learnt:
    parts = list(_parts(kept, asked))
    return Learnt(
        {"sensitivity": joined("sensitivity", parts)},
        lambda: _charts(parts, view_of(kept, run_id)),
        lambda: [sentence(sensitivity_sentence(rows)) + "." for rows in parts],
    )


def _charts(parts: Sequence[pd.DataFrame], view: View) -> dict[str, Chart]:
    charts: dict[str, Chart] = {}
    for rows in parts:
        first = rows.iloc[0]
        end = f"_less_{first['baseline']}" if first["baseline"] else ""
        made = sensitivity_charts(rows, view)
        charts |= {f"{name}_{first['policy']}{end}": chart for name, chart in made.items()}
    return charts


def _parts(kept: Kept, asked: Asked) -> Iterator[pd.DataFrame]:
    """Study every policy, and the difference of the best one to the baseline."""
    design = of_sensitivity(asked.design, kept.axes)
    best = _best_other(kept, asked.metric)
    for policy, baseline in [
        *((p, "") for p in kept.policies),
        *((p, kept.baseline) for p in best),
    ]:
        outcome = cell_outcomes(kept.cells, kept.summary, policy, asked.metric.name,
                                against=bool(baseline))  # fmt: skip
        yield sensitivity_table(design, outcome, kept.scenario, policy, asked.metric.name,
                                asked.metric.unit, baseline)  # fmt: skip


def _best_other(kept: Kept, metric: Metric) -> list[str]:
    """Name the policy that does best on average, the baseline aside; none without a baseline."""
    rows = own_rows(kept.cells, kept.summary)
    rows = rows[(rows["metric"] == metric.name) & (rows["policy"] != kept.baseline)]
    means = rows.groupby("policy")["mean"].mean().dropna()
    if kept.baseline not in kept.policies or means.empty:
        return []
    return [str(means.idxmin() if metric.lower_is_better else means.idxmax())]
