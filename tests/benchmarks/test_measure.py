"""What the harness says of costs it was given: ratios, verdicts, and unequal work refused."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.benchmarks.case import Case, Sample, Side, Sides, about, equal, timed
from tests.benchmarks.measure import Finding, OutputsDiffer, measure
from tests.benchmarks.table import as_csv, markdown, row

TEN_TIMES = Case("x", "work", "new", "old", 10.0, "at least", lambda _size: Sides(side(1, 1)))


def side(*costs: float, output: object = "same") -> Side:
    return lambda number: Sample(costs[number % len(costs)], 7, output)


def finding(case: Case, a: list[float], b: list[float]) -> Finding:
    return Finding(case, [Sample(c, 7) for c in a], [Sample(c, 7) for c in b])


@pytest.mark.parametrize(
    ("sense", "target", "verdict"),
    [("at least", 10.0, "met, 20% to spare"), ("at least", 15.0, "missed by 20%"),
     ("at most", 15.0, "met, 20% to spare"), ("at most", 10.0, "missed by 20%")],
)  # fmt: skip
def test_the_median_of_paired_ratios_is_held_against_the_target(sense, target, verdict):
    """Pairs 12, 6 and 20: their median is 12, whatever the medians of the sides."""
    case = replace(TEN_TIMES, sense=sense, target=target)
    told = row(finding(case, [1.0, 5.0, 0.1], [12.0, 30.0, 2.0]))
    assert (told["ratio B / A"], told["lowest"], told["highest"]) == ("12", "6", "20")
    assert told["verdict"] == verdict
    assert (told["median A"], told["median B"], told["pairs"]) == ("1", "12", "3")


def test_one_side_alone_is_held_to_its_cost():
    case = replace(TEN_TIMES, b=None, sense="at most", target=1.5, unit="s")
    told = row(finding(case, [1.2, 1.0, 1.4], []))
    assert (told["ratio B / A"], told["verdict"]) == ("", "met, 20% to spare")


def test_the_first_round_is_not_counted_and_sides_take_turns():
    turns: list[str] = []

    def noted(name: str) -> Side:
        def run(number: int) -> Sample:
            turns.append(f"{name}{number}")
            return Sample(100.0 if number == 0 else 1.0, 1)

        return run

    case = replace(TEN_TIMES, prepare=lambda _size: Sides(noted("a"), noted("b")))
    assert measure(case, pairs=2).values == [1.0, 1.0]
    assert turns == ["a0", "b0", "a1", "b1", "a2", "b2"]


@pytest.mark.parametrize("other", [side(1.0, output="other"), lambda _n: Sample(1.0, 6, "same")])
def test_a_side_that_did_something_else_is_refused(other):
    case = replace(TEN_TIMES, prepare=lambda _size: Sides(side(1.0), other))
    with pytest.raises(OutputsDiffer, match="new did 7"):
        measure(case, pairs=1)


def test_doing_nothing_is_no_work_and_about_is_about():
    idle = Sample(1.0, 0)
    assert not equal(idle, idle)
    assert not about(0.1)(idle, idle)
    assert about(0.1)(Sample(1.0, 95), Sample(1.0, 100))
    assert not about(0.1)(Sample(1.0, 89), Sample(1.0, 100))


def test_only_the_run_is_timed():
    clock = iter([3.0, 5.0])
    made = timed(lambda number: [number] * 4, len, tuple, lambda: next(clock))(9)
    assert made == Sample(2.0, 4, (9, 9, 9, 9))


def test_tables_hold_a_row_for_every_case_also_where_it_was_not_run():
    findings = [finding(TEN_TIMES, [1.0], [12.0]), Finding(TEN_TIMES, trouble="not run: no EoN")]
    assert markdown(findings).count("\n| x |") == 2
    assert as_csv(findings).count("\n") == 3
    assert "not run: no EoN" in markdown(findings)
