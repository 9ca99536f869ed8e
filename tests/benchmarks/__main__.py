"""Run the benchmarks: ``python -m tests.benchmarks [--only NAME …] [--quick]``.

The whole set writes its table to results/benchmarks/. A part of it, or the quick form, is only
told, so that a table that was kept always comes from one go.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tests.benchmarks.case import Case, Size
from tests.benchmarks.measure import PAIRS, Finding, measure, missing
from tests.benchmarks.registry import CASES
from tests.benchmarks.table import as_csv, machine, markdown, row

RESULTS = Path(__file__).parents[2] / "results" / "benchmarks"


def main(arguments: list[str] | None = None) -> int:
    """Run the chosen cases; 1 where one of them could not be judged, missed targets are told."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--only", nargs="+", metavar="NAME", choices=[case.name for case in CASES])
    parser.add_argument("--quick", action="store_true", help="tiny sizes and one pair")
    chosen = parser.parse_args(arguments)
    print(machine())
    size: Size = "quick" if chosen.quick else "full"
    cases = [case for case in CASES if not chosen.only or case.name in chosen.only]
    findings = [_told(case, size, 1 if chosen.quick else PAIRS) for case in cases]
    if not (chosen.only or chosen.quick):
        RESULTS.mkdir(parents=True, exist_ok=True)
        (RESULTS / "benchmarks.md").write_text(markdown(findings), encoding="utf-8")
        (RESULTS / "benchmarks.csv").write_text(as_csv(findings), encoding="utf-8")
    return int(any(finding.trouble for finding in findings))


def _told(case: Case, size: Size, pairs: int) -> Finding:
    """Measure one case and tell it; trouble with one case does not lose the others."""
    lacking = missing(case)
    if lacking:
        finding = Finding(case, trouble=f"not run: {', '.join(lacking)} not installed")
    else:
        try:
            finding = measure(case, size, pairs)
        except Exception as error:
            last = str(error).strip().rpartition("\n")[2]
            finding = Finding(case, trouble=f"not judged: {type(error).__name__}: {last}")
    told = row(finding)
    print(" | ".join(told[head] for head in told if told[head]), flush=True)
    return finding


if __name__ == "__main__":
    sys.exit(main())
