"""What ``discover`` and ``robustness`` do with a sweep that was kept; nothing is simulated."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Final

from nts_sim.charts.discovery import discovery_chart, discovery_sentence
from nts_sim.charts.frame import Chart
from nts_sim.charts.regret import regret_heat, robustness_sentence, satisficing_sentence
from nts_sim.cli.flags import Flags
from nts_sim.cli.lesson import Learnt, teach, view_of
from nts_sim.errors import InvalidInput, Problem
from nts_sim.outcomes.insight import discovery
from nts_sim.outcomes.insight import robustness as robust
from nts_sim.outcomes.insight.axes import own_rows
from nts_sim.outcomes.metrics import Metric
from nts_sim.spec.load import suggestion
from nts_sim.study.sweep.kept import Kept, Question
from nts_sim.words import say, sentence

FEWEST_CELLS: Final = 10
"""Of fewer, shuffles cannot tell a box from luck."""


@dataclass(frozen=True)
class ToDiscover:
    """What is asked: where a policy fails.

    Attributes
    ----------
    policy : empty: the one besides the baseline
    limit : failing is a mean beyond it; None: clearly worse than the baseline
    command : words of the command line, after the verb
    """

    policy: str
    metric: Metric
    limit: float | None
    command: Sequence[str]


def discover(kept: Kept, asked: ToDiscover, flags: Flags) -> int:
    """Find boxes of inputs in which the policy fails; return the exit code."""
    _tell_failures(kept, flags)
    others = [policy for policy in kept.policies if policy != kept.baseline] or kept.policies
    policy = asked.policy or others[0]
    problems = [*_policy_problems(kept, asked, others), *_cell_problems(kept, asked.metric)]
    if problems:
        raise InvalidInput(problems, say("cli.subject.sweep"))
    failing = discovery.Failing(policy, asked.metric.name, kept.scenario, asked.limit)
    question = Question("discover", policy, asdict(failing), kept.digests, kept.seed)
    learn = partial(_discovered, kept, failing)
    return teach(question, kept.folder.parent, flags, learn, asked.command)


def _policy_problems(kept: Kept, asked: ToDiscover, others: Sequence[str]) -> Iterator[Problem]:
    if asked.policy and asked.policy not in kept.policies:
        hint = suggestion(asked.policy, kept.policies)
        yield Problem("policy", say("cli.discover.policy", given=repr(asked.policy), hint=hint))
    elif not asked.policy and len(others) > 1:
        yield Problem("policy", say("cli.discover.which", known=", ".join(kept.policies)))
    elif asked.limit is None and (kept.baseline not in kept.policies or len(kept.policies) < 2):
        yield Problem("loses", say("cli.discover.needs", baseline=kept.baseline))
    elif asked.limit is None and asked.policy == kept.baseline:
        yield Problem("loses", say("cli.discover.baseline", baseline=kept.baseline))


def _cell_problems(kept: Kept, metric: Metric) -> Iterator[Problem]:
    if not kept.axes:
        yield Problem(str(kept.folder), say("cli.discover.no_axis"))
        return
    rows = own_rows(kept.cells, kept.summary)
    known = rows.loc[(rows["metric"] == metric.name) & rows["mean"].notna(), "cell"].nunique()
    if known < FEWEST_CELLS:
        what = say("cli.discover.few_cells", n=known, least=FEWEST_CELLS)
        yield Problem(str(kept.folder), what)


def _discovered(kept: Kept, failing: discovery.Failing, run_id: str) -> Learnt:
    rows = own_rows(kept.cells, kept.summary)
    found = discovery.discover(kept.cells, rows, kept.axes, failing, kept.seed)
    return Learnt(
        {"boxes": found.boxes},
        lambda: {"boxes": discovery_chart(found, view_of(kept, run_id))},
        lambda: [sentence(discovery_sentence(found, kept.baseline)) + "."],
    )


@dataclass(frozen=True)
class ToRobustness:
    """What is asked: which policy does well in all futures, and what is good enough."""

    metric: Metric
    aim: robust.Aim
    command: Sequence[str]


def robustness(kept: Kept, asked: ToRobustness, flags: Flags) -> int:
    """Tell regrets, the minimax-regret choice and who is good enough; return the exit code."""
    _tell_failures(kept, flags)
    if len(kept.policies) < 2:
        what = say("cli.robustness.one_policy", policy=", ".join(kept.policies))
        raise InvalidInput([Problem(str(kept.folder), what)], say("cli.subject.sweep"))
    futures = kept.results[["cell", "scenario"]].drop_duplicates()
    if len(futures) < 2:
        what = say("cli.robustness.few_cells", n=len(futures))
        raise InvalidInput([Problem(str(kept.folder), what)], say("cli.subject.sweep"))
    content = {"metric": asked.metric.name, **asdict(asked.aim)}
    question = Question("robustness", asked.metric.name, content, kept.digests, kept.seed)
    learn = partial(_robust, kept, asked)
    return teach(question, kept.folder.parent, flags, learn, asked.command)


def _robust(kept: Kept, asked: ToRobustness, run_id: str) -> Learnt:
    name = asked.metric.name
    regret = robust.regret_table(kept.results, name)
    if regret.empty:
        what = say("cli.robustness.no_cell")
        raise InvalidInput([Problem(str(kept.folder), what)], say("cli.subject.sweep"))
    members = kept.summary[kept.summary["scenario"].isin(set(kept.results["scenario"]))]
    frames = {
        "robustness": robust.robustness_table(regret),
        "satisficing": robust.satisficing_table(members, name, [asked.aim]),
        "regret": regret,
    }

    def finding() -> list[str]:
        return [
            sentence(robustness_sentence(frames["robustness"], kept.cells, kept.axes)) + ".",
            sentence(satisficing_sentence(frames["satisficing"], kept.baseline)) + ".",
        ]

    def charts() -> dict[str, Chart]:
        return {"regret": regret_heat(regret, kept.cells, kept.axes, view_of(kept, run_id))}

    return Learnt(frames, charts, finding)


def _tell_failures(kept: Kept, flags: Flags) -> None:
    if kept.failed and not flags.quiet:
        print(say("cli.kept.failed", n=kept.failed), file=sys.stderr)
