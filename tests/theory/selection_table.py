"""The table of selections: ``python -m tests.theory.selection_table`` prints and keeps it.

The rows are what the tests judge: the same cases, seeds and numbers of macro-runs. It is written
to ``results/benchmarks/selection.md``.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from tests.theory.selection_cases import (
    ALIKE,
    CASES,
    CONFIDENCE,
    SPREAD,
    SPREAD_COMMON,
    Case,
    Found,
    by_equal,
    by_first_look,
    by_kn,
    by_ocba,
    examine,
    told_apart_share,
    tolerance,
)

KN_RUNS, OCBA_RUNS, ALIKE_RUNS = 1000, 500, 1000
BUDGETS = (1000, 2000)
OCBA_SHARE = 0.6
FILE = Path(__file__).parents[2] / "results" / "benchmarks" / "selection.md"
OPENING = f"""\
# Choosing among policies, where the answer is known

Made by `python -m tests.theory.selection_table`; `tests/theory/test_selection.py` judges the same
numbers. Burdens are normal with a standard deviation of 4 indifferences unless a case says
otherwise; "common luck" is a correlation of 0.8 (of queues: the same customers). *Right*: the
chosen is the best, or less than the indifference worse. Of kn it should be at least
{CONFIDENCE:.0%}, less {tolerance(CONFIDENCE, KN_RUNS):.1%} (three standard errors of {KN_RUNS:,}
selections); stopping after the first look is the control that must fail. *Share*: of what as many
replications of every policy as of the most simulated would be; of ocba, of the budget above it.
"""
HEAD = """\
| case | procedure | right | replications, mean | share | selections |
|---|---|---:|---:|---:|---:|"""
ALIKE_OPENING = f"""
## Policies of one law told apart

Share of {ALIKE_RUNS:,} selections by kn (200 for the careless test); it should be at most 5 %.

| case | as the command does | by a test at 5 % after each batch |
|---|---:|---:|"""


def row(case: Case, procedure: str, found: Found, share: float) -> str:
    """Write a finding as a row of markdown."""
    numbers = f"{found.right:.3f} | {found.replications:,.0f} | {share:.0%} | {found.runs:,}"
    return f"| {case.name} | {procedure} | {numbers} |"


def kn_rows() -> Iterator[str]:
    """The sequential procedure, and stopping after its first stage."""
    for case in CASES:
        found = examine(case, by_kn, KN_RUNS)
        yield row(case, "kn", found, found.share)
        control = examine(case, by_first_look, OCBA_RUNS)
        yield row(case, "stop after 20 each", control, control.share)


def ocba_rows() -> Iterator[str]:
    """Budgets in equal parts, and 60 % of them by ratios."""
    for case in (SPREAD, SPREAD_COMMON):
        for budget in BUDGETS:
            equal = examine(case, by_equal(budget), OCBA_RUNS)
            yield row(case, "equal parts", equal, 1.0)
            fewer = examine(case, by_ocba(round(OCBA_SHARE * budget)), OCBA_RUNS)
            yield row(case, "ocba", fewer, fewer.replications / equal.replications)


def alike_rows() -> Iterator[str]:
    """Policies of one law, told apart though they do not differ."""
    for case in ALIKE:
        careful = told_apart_share(case, ALIKE_RUNS)
        careless = told_apart_share(case, 200, careful=False)
        yield f"| {case.name} | {careful:.1%} | {careless:.1%} |"


def markdown() -> Iterator[str]:
    """Yield the lines of the table as they are found."""
    yield OPENING
    yield "## kn: with a guarantee\n"
    yield HEAD
    yield from kn_rows()
    yield "\n## ocba: a fixed budget\n"
    yield HEAD
    yield from ocba_rows()
    yield ALIKE_OPENING
    yield from alike_rows()


def main() -> int:
    """Print the table and keep it."""
    lines = []
    for line in markdown():
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
        lines.append(line)
    FILE.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
