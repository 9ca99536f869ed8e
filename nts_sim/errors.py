"""The family of errors, and how a list of problems is told to a planner.

::

    NtsError                      exit code 1
    ├── InvalidInput              exit code 2   one or more Problems in what was written
    ├── SomeFailed                exit code 3   without what failed there is no honest answer
    ├── NoAcceptableSolution      exit code 4   the solver stopped without a plan we may use
    └── PlaceOrMachine            exit code 5   disk, permission, lock, memory
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from nts_sim.words import say


class NtsError(Exception):
    """Root of every error this package raises on purpose."""

    exit_code = 1


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing wrong with the input.

    Parameters
    ----------
    where : str
        File with row and column, or the dotted key in the study.
    what : str
        The value met, what is allowed, and the nearest known name, in one sentence.
    """

    where: str
    what: str


class InvalidInput(NtsError):
    """What was written cannot be used; carries every problem found, not just the first."""

    exit_code = 2

    def __init__(self, problems: Iterable[Problem], subject: str | None = None) -> None:
        self.problems = tuple(sorted(set(problems)))
        self.subject = say("error.subject.study") if subject is None else subject
        super().__init__(self._text())

    def _text(self) -> str:
        width = max((len(problem.where) for problem in self.problems), default=0)
        lines = [say("error.problems", n=len(self.problems), subject=self.subject)]
        lines += [f"  {problem.where:<{width}}  {problem.what}" for problem in self.problems]
        return "\n".join(lines)


class SomeFailed(NtsError):
    """Replications failed, and a mean without them would be one on other luck."""

    exit_code = 3


class NoAcceptableSolution(NtsError):
    """The planning problem has no solution that passed its checks."""

    exit_code = 4


class PlaceOrMachine(NtsError):
    """The place results should go to, or the machine, does not allow the work."""

    exit_code = 5
