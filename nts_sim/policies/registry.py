"""Policies by name: the choices that a configuration may make."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from types import MappingProxyType

from nts_sim.decision.model import Policy
from nts_sim.errors import InvalidInput, Problem
from nts_sim.policies import rules
from nts_sim.policies.settings import NAMED
from nts_sim.spec.models import PolicySpec, SolverSpec
from nts_sim.words import say

_RULES: Mapping[str, Callable[[PolicySpec], Policy]] = MappingProxyType(
    {
        "do_nothing": rules.do_nothing,
        "current_practice": rules.current_practice,
        "informed_practice": rules.informed_practice,
        "equal_share": rules.equal_share,
        "per_capita": rules.per_capita,
        "risk_proportional": rules.risk_proportional,
        "nearest_first": rules.nearest_first,
        "threshold": rules.threshold,
        "greedy": rules.greedy,
    }
)

PLANNERS: tuple[str, ...] = tuple(NAMED)
"""Policies that solve the planning problem."""

BOUND = "perfect_information"
"""The planner that knows what comes: no policy, but what policies are measured against."""

RULE_NAMES: tuple[str, ...] = tuple(_RULES)
"""Policies that follow a rule."""

POLICY_NAMES: tuple[str, ...] = (*RULE_NAMES, *PLANNERS)
"""Every policy a configuration may name; a user's own is named on the command line instead."""


def make_policy(name: str, spec: PolicySpec, solver: SolverSpec | None = None) -> Policy:
    """Make the policy called `name` with the settings of `spec`.

    Solvers are imported only where an optimised policy is chosen.

    Raises
    ------
    InvalidInput
        No policy has that name; tells the nearest one.
    """
    if name in _RULES:
        return _RULES[name](spec)
    if name not in PLANNERS:
        raise InvalidInput([Problem(f"policies.{name}", _unknown(name))])
    from nts_sim.policies.optimised import planned

    return planned(name, spec, solver)


def _unknown(name: str) -> str:
    close = difflib.get_close_matches(name.lower(), POLICY_NAMES, n=1)
    known = ", ".join(POLICY_NAMES)
    if close:
        return say("said.policy.unknown_near", name=name, close=close[0], known=known)
    return say("said.policy.unknown", name=name, known=known)
