"""Keyed draws are as good as a generator's: uniform, independent, apart; and the laws are right.

Every bound is stated in standard errors (SE) of what is measured, with how often it would cry wolf
for a perfect generator under another seed; the seeds are fixed, so a pass stays a pass.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
from scipy import stats

from nts_sim.engine.session import EngineName
from nts_sim.luck.draws import (
    P90_IS_TWICE_MEDIAN,
    DrawSet,
    Luck,
    Stream,
    durations,
    mean_from_median,
    name_key,
)
from tests.theory.findings import Finding, Subject, against_sample, beyond, examine

LUCK = Luck(147, DrawSet.EVALUATION, 0)
N = 50_000
Z = 4.0
"""Tolerance in standard errors: cries wolf in 1 of 16 000 comparisons."""


def along(field: str, n: int | None = None, seed: int = 147) -> np.ndarray:
    """Uniforms whose keys differ in one field only, counted upwards; fewer where it is slow."""
    if field in ("replication", "seed"):
        count = range(n or N // 10)
        lucks = (
            Luck(seed, DrawSet.EVALUATION, i) if field == "replication"
            else Luck(seed + i, DrawSet.EVALUATION, 0)
            for i in count
        )  # fmt: skip
        return np.array([float(luck.uniform(Stream.STAY, 3, 2, 1)) for luck in lucks])
    key = {"entity": 3, "occurrence": 2, "step": 1, field: np.arange(n or N)}
    luck = Luck(seed, DrawSet.EVALUATION, 0)
    return luck.uniform(Stream.STAY, key["entity"], key["occurrence"], key["step"])


GOLDEN = 0.9399630473675618
FIELDS = ["entity", "occurrence", "step", "replication", "seed"]


@pytest.mark.slow
@pytest.mark.parametrize("field", FIELDS)
def test_draws_are_uniform_along_every_field(field: str) -> None:
    """Kolmogorov–Smirnov, 50 000 draws (5 000 for seeds, replications): p > 1e-4."""
    u = along(field)
    assert ((u > 0.0) & (u < 1.0)).all()
    assert stats.kstest(u, "uniform").pvalue > 1e-4


@pytest.mark.slow
@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("apart", [1, 2, 8])
def test_neighbouring_keys_are_independent(field: str, apart: int) -> None:
    """Correlation of draws 1, 2 and 8 keys apart within 4 SE (SE = 1/√n); 15 comparisons."""
    u = along(field)
    r = np.corrcoef(u[:-apart], u[apart:])[0, 1]
    assert abs(r) < Z / np.sqrt(len(u) - apart)


@pytest.mark.slow
@pytest.mark.parametrize("field", FIELDS)
def test_pairs_of_neighbours_fill_the_square(field: str) -> None:
    """χ² of neighbouring pairs on a 10 × 10 grid: p > 1e-4."""
    u = along(field)
    pairs = np.histogram2d(u[:-1:2], u[1::2], bins=10, range=[[0, 1], [0, 1]])[0]
    assert stats.chisquare(pairs.ravel()).pvalue > 1e-4


@pytest.mark.slow
def test_streams_and_sets_are_apart() -> None:
    """Streams of the same entities, and planning and evaluation: uncorrelated within 4 SE; never
    equal; 77 comparisons cry wolf once in 200 seeds."""
    entities = np.arange(N)
    columns = [LUCK.uniform(stream, entities) for stream in Stream]
    columns.append(Luck(147, DrawSet.PLANNING, 0).uniform(Stream.STAY, entities))
    r = np.corrcoef(columns) - np.eye(len(columns))
    assert np.abs(r).max() < Z / np.sqrt(N)
    assert len(np.unique(np.concatenate(columns))) == len(columns) * N


# --- beside numpy's Philox ------------------------------------------------------------------------

MOMENTS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "mean": lambda u: u,
    "variance": lambda u: (u - 0.5) ** 2,
    "mean of square root": np.sqrt,
    "mean of exponential": lambda u: -np.log1p(-u),
}
CORRELATED = N // 10
"""Keys in a row for serial correlations: as many as there are of seeds and replications."""


def philox(seed: int, n: int) -> np.ndarray:
    """Uniforms of a generator that is known to be good."""
    return np.random.Generator(np.random.Philox(seed)).random(n)


def serial_product(u: np.ndarray) -> np.ndarray:
    """Product of neighbours, each less its mean, in units of the variance: mean 0 if apart."""
    return 12.0 * (u[:-1] - 0.5) * (u[1:] - 0.5)


def beside_philox(field: str, _engine: EngineName, seed: int, n: int) -> list[Finding]:
    """Moments along a field of the key, and the correlation of neighbouring keys."""
    ours, theirs = along(field, n, seed), philox(seed, n)
    moments = [
        against_sample(f"Draws along {field}, {name}, Philox", f(ours), f(theirs))
        for name, f in MOMENTS.items()
    ]
    product = against_sample(
        f"Draws along {field}, correlation of neighbours, Philox",
        serial_product(ours), serial_product(theirs),
    )  # fmt: skip
    return [*moments, product]


SUBJECTS = tuple(
    Subject(f"draws along {field}", partial(beside_philox, field), CORRELATED) for field in FIELDS
)


@pytest.mark.slow
@pytest.mark.parametrize("subject", SUBJECTS, ids=str)
def test_draws_are_like_those_of_philox(subject: Subject) -> None:
    """5 fields of the key, 25 numbers from 5 000 draws each: within 4 SE, first and fresh. All
    together cry wolf for 1 seed in 600. Products of neighbours are uncorrelated, not independent:
    their SE holds all the same."""
    assert not beyond(examine(subject, "simpy"))


@pytest.mark.slow
@pytest.mark.parametrize("field", FIELDS)
def test_draws_have_the_distribution_of_philox(field: str) -> None:
    """Two-sample Kolmogorov-Smirnov, 50 000 draws (5 000 for seeds, replications): p > 1e-4."""
    ours = along(field)
    assert stats.ks_2samp(ours, philox(147, len(ours))).pvalue > 1e-4


@pytest.mark.slow
@pytest.mark.parametrize("field", FIELDS)
def test_every_bit_is_balanced_and_free_of_its_neighbours(field: str) -> None:
    """The 48 highest bits: ones, and changes from one key to the next, are halves within 4.5 SE;
    96 comparisons a field cry wolf for 1 seed in 1 500. Philox passes the same check."""
    for uniforms in (along(field), philox(147, N)):
        bits = (uniforms * 2.0**48).astype(np.uint64)[:, None] >> np.arange(48, dtype=np.uint64) & 1
        changes = bits[1:] ^ bits[:-1]
        for share in (bits.mean(axis=0), changes.mean(axis=0)):
            assert np.abs(share - 0.5).max() < 4.5 * 0.5 / np.sqrt(len(changes))


def test_the_checks_would_notice_a_poor_generator() -> None:
    """Negative control: a counter times the golden ratio is uniform, but neighbours are tied."""
    weyl = (np.arange(CORRELATED) * 0.6180339887498949) % 1.0
    apart = against_sample("Weyl", serial_product(weyl), serial_product(philox(1, CORRELATED)))
    assert beyond([apart])
    assert not beyond([against_sample("Weyl", weyl, philox(1, CORRELATED))])


def test_a_draw_is_a_function_of_its_key_alone() -> None:
    """One at a time, all together, in any shape and after anything else: the same numbers."""
    together = LUCK.uniform(Stream.LAG, np.arange(6)[:, None], 3, np.arange(4))
    singly = [[float(LUCK.uniform(Stream.LAG, e, 3, s)) for s in range(4)] for e in range(6)]
    assert together.shape == (6, 4)
    assert together.tolist() == singly
    again = Luck(147, DrawSet.EVALUATION, 0).uniform(Stream.LAG, 5, 3, 2)
    assert again.shape == ()
    assert float(again) == singly[5][2]


def test_the_fields_of_a_key_do_not_stand_in_for_one_another() -> None:
    """(a, b) and (b, a) are different keys, in every pair of fields."""
    keys = [(1, 2, 3), (1, 3, 2), (2, 1, 3), (2, 3, 1), (3, 1, 2), (3, 2, 1)]
    assert len({float(LUCK.uniform(Stream.HIT, *key)) for key in keys}) == 6
    swapped = Luck(0, DrawSet.EVALUATION, 147)
    assert float(swapped.uniform(Stream.HIT, 1)) != float(LUCK.uniform(Stream.HIT, 1))


def test_stream_numbers_are_part_of_results() -> None:
    """Golden: a changed hash or a renumbered stream changes every result ever published."""
    assert [int(stream) for stream in Stream] == list(range(1, 16))
    assert float(Luck(147, DrawSet.EVALUATION, 5).uniform(Stream.STAY, 34, 1, 2)) == GOLDEN


def test_names_make_different_keys() -> None:
    names = [f"{place:02}|threat {t}" for place in range(120) for t in range(40)]
    keys = {name_key(name) for name in names}
    assert len(keys) == len(names)
    assert all(0 <= key < 2**64 for key in keys)


# --- laws -----------------------------------------------------------------------------------------


@pytest.mark.slow
def test_lognormal_has_its_90th_percentile_at_twice_its_median() -> None:
    """50 000 draws of median 3: shares below 3 and 6 within 4 SE of 0.5 and 0.9, and the mean."""
    days = durations("lognormal", 3.0, along("entity"))
    for bound, share in ((3.0, 0.5), (6.0, 0.9)):
        assert abs((days <= bound).mean() - share) < Z * np.sqrt(share * (1 - share) / N)
    expected = mean_from_median("lognormal", 3.0)
    assert abs(days.mean() - expected) < Z * days.std() / np.sqrt(N)


def test_lognormal_quantiles_exactly() -> None:
    assert durations("lognormal", 3.0, np.array([0.5, 0.9])) == pytest.approx([3.0, 6.0])
    law = stats.lognorm(P90_IS_TWICE_MEDIAN, scale=3.0)
    u = np.array([0.01, 0.3, 0.77, 0.999])
    assert durations("lognormal", 3.0, u) == pytest.approx(law.ppf(u))
    assert mean_from_median("lognormal", 3.0) == pytest.approx(law.mean())


def test_exponential_and_fixed_quantiles_exactly() -> None:
    u = np.array([0.01, 0.5, 0.999])
    assert durations("exponential", 3.0, u) == pytest.approx(stats.expon(scale=3.0).ppf(u))
    assert durations("fixed", 3.0, u).tolist() == [3.0] * 3
    assert mean_from_median("exponential", 3.0) == pytest.approx(3.0 / np.log(2.0))
    assert mean_from_median("fixed", 3.0) == 3.0
