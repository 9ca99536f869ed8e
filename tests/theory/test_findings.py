"""The judge of the theory tests: when a study is repeated, and what it then takes to pass."""

from __future__ import annotations

import math

import numpy as np
import pytest

from nts_sim.engine.session import EngineName
from tests.theory.findings import (
    FRESH_SEED,
    SEED,
    Finding,
    Subject,
    against_number,
    against_sample,
    beyond,
    examine,
)
from tests.theory.table import markdown


def scripted(first: float, fresh: float) -> tuple[Subject, list[tuple[int, int]]]:
    """Make a subject that finds given z values, beside one that never errs, and how it is asked."""
    asked: list[tuple[int, int]] = []

    def study(_engine: EngineName, seed: int, replications: int) -> list[Finding]:
        asked.append((seed, replications))
        z = first if seed == SEED else fresh
        return [
            Finding("suspect", z, 0.0, 1.0, replications),
            Finding("steady", 1.0, 1.0, 1.0, replications),
        ]

    return Subject("toy", study, 10), asked


@pytest.mark.parametrize(
    ("first", "fresh", "holds"),
    [(1.9, 99.0, True), (-2.1, 3.9, True), (2.1, -4.1, False), (4.1, 0.0, False),
     (math.nan, 0.0, False)],
)  # fmt: skip
def test_beyond_two_is_asked_again_and_beyond_four_fails(
    first: float, fresh: float, holds: bool
) -> None:
    subject, asked = scripted(first, fresh)
    found = examine(subject, "simpy")
    assert (not beyond(found)) is holds
    repeated = abs(first) > 2.0
    assert asked == [(SEED, 10), (FRESH_SEED, 40)][: 1 + repeated]
    assert [f.subject for f in found if f.fresh] == ["suspect"] * repeated


def test_standard_errors_by_hand() -> None:
    """Of 1, 2, 3: s² = 1, mean 2, SE 1/√3; against itself plus one, SE √(1/3 + 1/3)."""
    values = np.array([1.0, 2.0, 3.0])
    found = against_number("toy", values, 3.0)
    assert (found.measured, found.replications) == (2.0, 3)
    assert found.z == pytest.approx(-math.sqrt(3.0))
    assert against_sample("toy", values, values + 1.0).z == pytest.approx(-math.sqrt(1.5))


def test_a_constant_that_is_off_is_beyond() -> None:
    assert beyond([against_number("toy", np.ones(5), 2.0)])
    assert not beyond([against_number("toy", np.ones(5), 1.0)])


def test_the_table_shows_each_finding_and_the_fresh_one() -> None:
    lines = list(markdown([scripted(2.5, -1.0)[0]], "simpy"))
    assert lines[2:] == [
        "| suspect | 2.5 | 0 | 1 | +2.50 | 10 |",
        "| steady | 1 | 1 | 1 | +0.00 | 10 |",
        "| suspect (fresh) | -1 | 0 | 1 | -1.00 | 40 |",
        "",
        "Engine simpy: 2 numbers, 1 measured again on fresh seeds, 0 beyond 4 standard errors.",
    ]
