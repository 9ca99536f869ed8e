"""Every benchmark still runs, at a tiny size and once: sides agree, and the table has its row."""

from __future__ import annotations

import pytest

from tests.benchmarks.__main__ import main
from tests.benchmarks.case import Case
from tests.benchmarks.measure import measure, missing
from tests.benchmarks.registry import CASES
from tests.benchmarks.table import row


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_benchmark_runs_and_its_sides_agree(case: Case) -> None:
    if missing(case):
        pytest.skip(f"{', '.join(missing(case))} not installed (extra: bench)")
    finding = measure(case, "quick", pairs=1)
    assert len(finding.values) == 1
    assert finding.values[0] > 0.0
    assert row(finding)["verdict"].startswith(("met", "missed"))


def test_names_are_told_apart() -> None:
    assert len({case.name for case in CASES}) == len(CASES)


def test_an_unknown_name_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--only", "no_such_case"])
    assert "places_100000" in capsys.readouterr().err
