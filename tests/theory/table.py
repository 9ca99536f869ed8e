"""The theory table: ``python -m tests.theory.table [engine]`` prints it as markdown.

The rows are what the tests judge: the same studies, seeds and replications. A row marked "fresh"
is a study repeated on fresh seeds, with more replications, because its first try was more than
2 SE off.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator

from nts_sim.engine.session import EngineName
from tests.theory import test_draws, test_epidemics, test_occupancy, test_queues, test_spread
from tests.theory.findings import ENGINES, Finding, Subject, beyond, examine

SUBJECTS: tuple[Subject, ...] = (
    *test_epidemics.SUBJECTS,
    *test_queues.SUBJECTS,
    *test_occupancy.SUBJECTS,
    *test_spread.SUBJECTS,
    *test_draws.SUBJECTS,
)
HEAD = ("subject", "measured", "expected", "standard error", "z", "replications")


def row(finding: Finding) -> str:
    """Write a finding as a row of markdown."""
    subject = f"{finding.subject} (fresh)" if finding.fresh else finding.subject
    numbers = f"{finding.measured:.4g} | {finding.expected:.4g} | {finding.error:.2g}"
    return f"| {subject} | {numbers} | {finding.z:+.2f} | {finding.replications} |"


def markdown(subjects: Iterable[Subject], engine: EngineName) -> Iterator[str]:
    """Yield the lines of the table as they are found, and a last line that sums up."""
    yield f"| {' | '.join(HEAD)} |"
    yield "|---|---:|---:|---:|---:|---:|"
    found: list[Finding] = []
    for subject in subjects:
        findings = examine(subject, engine)
        found += findings
        yield from map(row, findings)
    fresh = sum(finding.fresh for finding in found)
    yield ""
    yield (
        f"Engine {engine}: {len(found) - fresh} numbers, {fresh} measured again on fresh seeds, "
        f"{len(beyond(found))} beyond 4 standard errors."
    )


def main(arguments: list[str]) -> int:
    """Print the table of an engine (the first argument; simpy if there is none)."""
    chosen = [name for name in ENGINES if name in arguments[:1]] if arguments else [ENGINES[0]]
    if not chosen:
        sys.stderr.write(f"engine {arguments[0]!r} is not known; known: {', '.join(ENGINES)}\n")
        return 2
    for line in markdown(SUBJECTS, chosen[0]):
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
