"""Who carries a task out, who answers for it, who supports: table `task_roles`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from nts_sim.plan.drafts import Draft
from nts_sim.tables.load import Tables


class Charge(NamedTuple):
    """Codes of agencies, and the role in the one in charge."""

    unit_in_charge: str
    role: str
    answers: str
    supports: str


class Roles:
    """Looks up who has to do with a task.

    Parameters
    ----------
    tables : task_roles and agencies
    """

    def __init__(self, tables: Tables) -> None:
        self._rules = {
            (row["kind"], row["mechanism"], row["resource"]): row
            for row in tables.rows("task_roles")
        }
        self._agencies = {row["agency"]: row for row in tables.rows("agencies")}

    def charge(self, task: Draft) -> Charge:
        """Say who has to do with a task."""
        rule = self._rule(task)
        acting = task.source if rule["acts_in"] == "source" and task.source else task.place
        unit = self._code(rule["unit_in_charge"], acting)
        answers = self._code(rule["answers"], acting)
        named = (rule["supports"], rule["supports_too"])
        helpers = dict.fromkeys(self._code(agency, task.place) for agency in named if agency)
        others = [code for code in helpers if code not in (unit, answers)]
        return Charge(unit, rule["role"], answers, " ".join(others or helpers))

    def _rule(self, task: Draft) -> Mapping[str, Any]:
        """Return the row that says most about a task."""
        by_mechanism = (task.kind, task.mechanism, task.resource), (task.kind, task.mechanism, "")
        keys = (
            *(by_mechanism if task.mechanism else ()), (task.kind, "", task.resource),
            ("any", "", task.resource), (task.kind, "", ""),
        )  # fmt: skip
        found = next(key for key in keys if key in self._rules)
        return self._rules[found]

    def _code(self, agency: str, place: str) -> str:
        """Name an agency's node; where there is no province, its superior stands for it."""
        row = self._agencies[agency]
        if row["level"] == "national":
            return agency
        return f"{place}.{agency}" if place else str(row["reports_to"] or agency)
