"""From a composed configuration to everything a verb needs, all of it checked.

Study, tables, worlds, policies and the place for results are examined before anything runs and
before anything is written; problems from every stage that can be reached are told together.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

from nts_sim.cli.compose import Composed
from nts_sim.cli.flags import Flags
from nts_sim.errors import InvalidInput, PlaceOrMachine, Problem
from nts_sim.outcomes.precision import check_precision
from nts_sim.outcomes.targets import check_targets
from nts_sim.policies.registry import POLICY_NAMES
from nts_sim.spec.load import load_scenario, load_study, suggestion
from nts_sim.spec.models import PolicySpec, ScenarioSpec, Study
from nts_sim.study.chunks import PolicySource
from nts_sim.study.runner import check_policies, policy_sources
from nts_sim.tables.load import Tables, load_tables
from nts_sim.words import say
from nts_sim.world.build import build_world
from nts_sim.world.model import World

T = TypeVar("T")
Wants = Literal["one policy", "a baseline", "either"]
"""How many policies a verb needs: exactly one, several with the baseline, or either of these."""


@dataclass(frozen=True)
class Prepared:
    """A checked study with its worlds.

    Attributes
    ----------
    worlds : (scenario name, weight in the set, world)
    scenarios : (weight in the set, scenario), in the same order
    policies : how to make each policy
    inputs : SHA-256 of every table and of the planner's own policy file, by name
    """

    study: Study
    tables: Tables
    worlds: tuple[tuple[str, float, World], ...]
    scenarios: tuple[tuple[float, ScenarioSpec], ...]
    policies: Mapping[str, PolicySource]
    inputs: Mapping[str, str]


class _Findings:
    """Collects problems over stages, so that one stage's do not hide another's."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def attempt(self, stage: Callable[..., T], *given: Any) -> T | None:
        """Return what the stage gives, or None after noting its problems."""
        try:
            return stage(*given)
        except InvalidInput as error:
            self.problems += error.problems
            return None

    def stop_if_any(self) -> None:
        """Raise all problems found so far."""
        if self.problems:
            raise InvalidInput(self.problems)


@dataclass(frozen=True)
class Loaded:
    """A study that passed its own checks, and (name, weight, scenario) of what it looks at."""

    study: Study
    scenarios: tuple[tuple[str, float, ScenarioSpec], ...]


def load(composed: Composed, origin: Mapping[str, str], flags: Flags, wants: Wants) -> Loaded:
    """Check one study by itself: its values, its scenarios and the names of its policies.

    Raises
    ------
    InvalidInput
        With every problem.
    """
    findings = _Findings()
    study = findings.attempt(load_study, composed.study, origin)
    scenarios = [
        (member.name, member.weight, findings.attempt(load_scenario, member.config, origin))
        for member in composed.members
    ]
    if study is not None:
        study = _with_user_policy(study, flags, wants)
        findings.problems += _policy_problems(study, flags, wants)
        if study.replications == "auto":
            findings.attempt(check_precision, study.precision)
        findings.attempt(check_targets, study, [spec for _, _, spec in scenarios if spec])
    findings.stop_if_any()
    assert study is not None
    whole = tuple((name, weight, spec) for name, weight, spec in scenarios if spec is not None)
    return Loaded(study, whole)


def prepare(
    composed: Composed,
    origin: Mapping[str, str],
    flags: Flags,
    wants: Wants,
    tables: Tables | None = None,
) -> Prepared:
    """Check one job and build its worlds.

    Parameters
    ----------
    tables : where they are loaded already

    Raises
    ------
    InvalidInput
        With the problems of every stage that could be reached.
    PlaceOrMachine
        Where results cannot be written.
    """
    findings = _Findings()
    loaded = findings.attempt(load, composed, origin, flags, wants)
    tables = tables or findings.attempt(tables_in, composed.config.get("tables_dir"))
    findings.stop_if_any()
    assert loaded is not None and tables is not None
    study, sources = loaded.study, policy_sources(loaded.study, own_policies(flags))
    findings.attempt(check_policies, sources)
    worlds = tuple(
        (name, weight, findings.attempt(build_world, study, scenario, tables))
        for name, weight, scenario in loaded.scenarios
    )
    findings.stop_if_any()
    check_results_place(Path(study.results_dir))
    built = tuple((name, weight, world) for name, weight, world in worlds if world is not None)
    weighted = tuple((weight, scenario) for _, weight, scenario in loaded.scenarios)
    return Prepared(study, tables, built, weighted, sources, inputs_of(tables, flags))


def tables_in(folder: Any) -> Tables:
    """Load the tables, a planner's own in place of the shipped."""
    if isinstance(folder, str) and not Path(folder).is_dir():
        what = say("cli.file.folder_missing", folder=repr(folder))
        raise InvalidInput([Problem("tables_dir", what)])
    return load_tables(Path(folder) if isinstance(folder, str) else None)


def own_policies(flags: Flags) -> dict[str, str]:
    """Return the planner's own policy, named after its function."""
    given = flags.policy_file
    return {} if given is None else {given.rpartition(":")[2]: given}


def _with_user_policy(study: Study, flags: Flags, wants: Wants) -> Study:
    """Add the planner's own policy to those compared, or put it in place of the one."""
    own = {name: PolicySpec() for name in own_policies(flags)}
    if not own:
        return study
    others = {} if wants == "one policy" else study.policies
    return study.model_copy(update={"policies": {**others, **own}})


def inputs_of(tables: Tables, flags: Flags) -> dict[str, str]:
    """Return the SHA-256 of every table and of the planner's own policy file, by name."""
    inputs = {f"{name}.csv": digest for name, digest in tables.digests.items()}
    for name, given in own_policies(flags).items():
        path = Path(given.rpartition(":")[0])
        inputs[f"policy {name}"] = hashlib.sha256(path.read_bytes()).hexdigest()
    return inputs


def _policy_problems(study: Study, flags: Flags, wants: Wants) -> list[Problem]:
    chosen, own = tuple(study.policies), own_policies(flags)
    listed = ", ".join(chosen)
    problems = [
        Problem("policy", _unknown_policy(name))
        for name in chosen
        if name not in POLICY_NAMES and name not in own
    ]
    if wants == "one policy" and len(chosen) > 1:
        problems.append(Problem("policy", say("cli.prepare.one_policy", listed=listed)))
    problems += [
        Problem("--policy-file", say("cli.prepare.named_like", policy=repr(name)))
        for name in own
        if name in POLICY_NAMES
    ]
    alone = wants == "either" and len(chosen) == 1
    if wants != "one policy" and not alone and study.baseline not in chosen:
        what = say("cli.prepare.no_baseline", baseline=study.baseline, listed=listed)
        problems.append(Problem("baseline", what))
    return problems


def _unknown_policy(name: str) -> str:
    hint = suggestion(name, POLICY_NAMES)
    return say("cli.unknown_option", group="policy", given=repr(name), hint=hint)


def check_results_place(folder: Path) -> None:
    """Refuse a place where results could not be written, before any work is done.

    Raises
    ------
    PlaceOrMachine
        Naming the folder and the reason; nothing is written to find out.
    """
    try:
        nearest = next(here for here in (folder, *folder.absolute().parents) if here.exists())
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        shown = repr(str(folder)[:80])
        told = say("cli.prepare.results_unusable", folder=shown, reason=reason)
        raise PlaceOrMachine(told) from None
    if not nearest.is_dir():
        raise PlaceOrMachine(say("cli.prepare.results_file", folder=folder, nearest=nearest))
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise PlaceOrMachine(say("cli.prepare.results_closed", folder=folder, nearest=nearest))
