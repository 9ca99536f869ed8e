"""Compose a study's configuration in memory, exactly as ``@hydra.main`` will, but writing nothing.

Hydra takes a quarter of a second to compose, so for the cells of a sweep it composes once for each
distinct choice of groups, and values are set on copies by the function Hydra sets them with.

The composed ``hydra`` node must equal the shipped one except for the keys listed here, so that
no file and no override can make Hydra run or write anything of its own.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from hydra import version as hydra_version
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.hydra import Hydra
from hydra._internal.utils import create_automatic_config_search_path
from hydra.core.config_search_path import SearchPathQuery
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from nts_sim.cli.grid import Setting
from nts_sim.errors import InvalidInput, Problem
from nts_sim.spec.load import suggestion
from nts_sim.words import say

CONFIG_NAME = "config"
NO_MEASURE = "none"
KEPT_CHOICES = 256
"""Choices of groups whose configuration is kept, some 100 kB each."""

Config = dict[str, Any]
Make = Callable[[tuple[str, ...]], Config]
"""Makes a whole configuration, with Hydra's node, of overrides."""
_COMPOSING = (HydraException, OmegaConfBaseException, RecursionError, ValueError)
_OWN_KEYS = ("verbose", "mode", "overrides", "runtime")
_OWN_JOB_KEYS = ("name", "override_dirname", "config_name")


@dataclass(frozen=True)
class Member:
    """One scenario of a composed study, with its weight in the set (1 where it is alone)."""

    name: str
    weight: float
    config: Mapping[str, Any]


@dataclass(frozen=True)
class Composed:
    """One job's configuration as plain containers, its choices, its scenarios and measures.

    `measures` holds those taken together, by name; empty where the group `measure` chooses one.
    """

    config: Mapping[str, Any]
    choices: Mapping[str, Any]
    members: tuple[Member, ...]
    measures: Mapping[str, Any]

    @property
    def study(self) -> dict[str, Any]:
        """What a study is loaded from: the configuration, with measures in place of their names."""
        return {**self.config, "measures": self.measures}


def config_root() -> Path:
    """Return the folder of shipped configurations: in the wheel, or at the top of the checkout."""
    package = Path(__file__).resolve().parent.parent
    inside = package / "configs"
    return inside if inside.is_dir() else package.parent / "configs"


class Composer:
    """Composes jobs and cells; refuses a ``hydra`` node that is not the shipped one.

    Parameters
    ----------
    user_folder : the planner's own options
    options : names of each group
    """

    def __init__(self, user_folder: Path | None, options: Mapping[str, tuple[str, ...]]) -> None:
        self._options = options
        self._shipped = _guarded_node(_plain(_compose(_open(None), ()))["hydra"])
        self._hydra = _open(user_folder)
        self._cached = lru_cache(maxsize=KEPT_CHOICES)(self._choice)

    def whole(self, job: tuple[str, ...]) -> Composed:
        """Compose one job entirely by Hydra."""
        return _composed(self._by_hydra, job, self._options)

    def cell(self, settings: Sequence[Setting]) -> Composed:
        """Compose one cell: Hydra for the choice of groups, values on a copy; as `whole` would."""
        known = {setting.text: setting for setting in settings}

        def make(job: tuple[str, ...]) -> Config:
            values = [known[text] for text in job if text.startswith("++")]
            return self._on_a_copy(job, values)

        return _composed(make, tuple(known), self._options)

    def _by_hydra(self, job: tuple[str, ...]) -> Config:
        return self._guarded(_compose(self._hydra, job))

    def _guarded(self, config: DictConfig) -> Config:
        whole = _plain(config)
        if _guarded_node(whole["hydra"]) != self._shipped:
            raise InvalidInput([Problem("hydra", say("cli.compose.hydra"))])
        return whole

    def _choice(self, groups: tuple[str, ...]) -> Config | None:
        """Compose a choice of groups; None where a file refers to other keys.

        A value that is set may be referred to elsewhere, and a copy is of values, not of
        references: only Hydra knows what follows from it.
        """
        config = _compose(self._hydra, groups)
        return None if _refers(config) else self._guarded(config)

    def _on_a_copy(self, job: tuple[str, ...], values: Sequence[Setting]) -> Config:
        chosen = self._cached(tuple(text for text in job if not text.startswith("++")))
        if chosen is None:
            return self._by_hydra(job)
        try:
            return _with_values(chosen, values)
        except (OmegaConfBaseException, RecursionError, ValueError, TypeError):
            return self._by_hydra(job)  # which says what is wrong in the words of every verb


def _with_values(chosen: Config, values: Sequence[Setting]) -> Config:
    """Set values on a copy of what they touch, with Hydra's function for ``++key=value``."""
    tops = {setting.key.partition(".")[0] for setting in values}
    touched = OmegaConf.create({top: chosen[top] for top in tops if top in chosen})
    for setting in values:
        OmegaConf.update(touched, setting.key, setting.value, merge=True, force_add=True)
    return {**chosen, **{str(key): _resolved(touched, str(key)) for key in touched}}


def task_config(composed: Mapping[str, Any], choices: Mapping[str, Any]) -> dict[str, Any]:
    """Return the planner's part of a composed configuration, with the experiment's name."""
    config = {key: value for key, value in composed.items() if key != "hydra"}
    name = choices.get("experiment") or choices.get("scenario")
    if "experiment" not in config and isinstance(name, str):
        config["experiment"] = name
    return config


def _composed(make: Make, job: tuple[str, ...], options: Mapping[str, tuple[str, ...]]) -> Composed:
    """Compose a job, the members of its scenario set and its measures."""
    whole = make(job)
    _refuse_unchosen(make, job, whole)
    choices = whole["hydra"]["runtime"]["choices"]
    config = task_config(whole, choices)
    members = tuple(_members(make, job, config, choices, options))
    return Composed(config, choices, members, _measures(make, job, config, choices, options))


def _refuse_unchosen(make: Make, job: tuple[str, ...], whole: Mapping[str, Any]) -> None:
    """Refuse settings of a policy that is not among the chosen: they would choose it silently."""
    others = tuple(text for text in job if not text.lstrip("+").startswith("policies."))
    if others == job:
        return
    chosen = make(others).get("policies", {})
    unchosen = [name for name in whole["policies"] if name not in chosen]
    if unchosen:
        what = say("cli.compose.unchosen", chosen=",".join(chosen))
        raise InvalidInput(Problem(f"policies.{name}", what) for name in unchosen)


def _members(
    make: Make,
    job: tuple[str, ...],
    config: Mapping[str, Any],
    choices: Mapping[str, Any],
    options: Mapping[str, tuple[str, ...]],
) -> Iterator[Member]:
    scenario = config.get("scenario")
    weights = scenario.get("weights") if isinstance(scenario, dict) else None
    if not isinstance(weights, dict):
        yield Member(str(choices.get("scenario")), 1.0, scenario or {})
        return
    others = [text for text in job if not text.lstrip("+").startswith(("scenario=", "scenario."))]
    for name, weight in weights.items():
        if name not in options["scenario"]:
            hint = suggestion(str(name), options["scenario"])
            what = say("cli.unknown_option", group="scenario", given=repr(name), hint=hint)
            raise InvalidInput([Problem(f"scenario.weights.{name}", what)])
        member = make((*others, f"scenario={name}"))["scenario"]
        if "weights" in member:
            what = say("cli.compose.set_of_sets")
            raise InvalidInput([Problem(f"scenario.weights.{name}", what)])
        yield Member(str(name), float(weight) if isinstance(weight, int | float) else 0.0, member)


def _measures(
    make: Make,
    job: tuple[str, ...],
    config: Mapping[str, Any],
    choices: Mapping[str, Any],
    options: Mapping[str, tuple[str, ...]],
) -> dict[str, Any]:
    """Compose each of the measures that are taken together, in the order of their names."""
    given = config.get("measures") or []
    names = [given] if isinstance(given, str) else given
    problems = _measure_problems(names, job, choices, options["measure"])
    if problems:
        raise InvalidInput(problems)
    others = [text for text in job if not text.lstrip("+").startswith(("measure=", "measures="))]
    return {name: make((*others, f"measure={name}"))["measure"] for name in sorted(names)}


def _measure_problems(
    names: Any, job: tuple[str, ...], choices: Mapping[str, Any], known: tuple[str, ...]
) -> list[Problem]:
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        return [Problem("measures", say("cli.compose.no_list"))]
    if not names:
        return []
    problems = [
        Problem("measure", _unknown_measure(name, known)) for name in names if name not in known
    ]
    if len(set(names)) < len(names):
        problems.append(Problem("measure", say("cli.compose.measure_twice")))
    if NO_MEASURE in names:
        problems.append(Problem("measure", say("cli.compose.none_listed")))
    alone = choices.get("measure")
    if alone != NO_MEASURE:
        problems.append(Problem("measures", say("cli.compose.measure_alone", measure=alone)))
    changed = [text for text in job if text.lstrip("+").startswith("measure.")]
    what = say("cli.compose.which_measure")
    return problems + [Problem(text.lstrip("+").partition("=")[0], what) for text in changed]


def _unknown_measure(name: str, known: tuple[str, ...]) -> str:
    hint = suggestion(name, known)
    return say("cli.unknown_option", group="measure", given=repr(name), hint=hint)


def _open(user_folder: Path | None) -> Hydra:
    """Open Hydra with the search path that ``@hydra.main`` would have.

    It is not made the global one, so that cells can be composed while ``@hydra.main`` runs.
    """
    hydra_version.setbase("1.3")
    search_path = create_automatic_config_search_path(None, None, str(config_root()))
    if user_folder is not None:
        search_path.prepend(
            provider="command-line",
            path=f"file://{user_folder}",
            anchor=SearchPathQuery(provider="schema"),
        )
    return Hydra(task_name="nts-sim", config_loader=ConfigLoaderImpl(search_path))


def _compose(hydra: Hydra, overrides: Sequence[str]) -> DictConfig:
    try:
        return hydra.compose_config(
            config_name=CONFIG_NAME,
            overrides=list(overrides),
            run_mode=RunMode.RUN,
            from_shell=False,
            with_log_configuration=False,
        )
    except _COMPOSING as error:
        raise _not_composed(error) from None


def _plain(config: DictConfig) -> Config:
    try:
        return {
            str(key): OmegaConf.to_container(config, resolve=False)["hydra"]  # type: ignore[index,call-overload]
            if key == "hydra"
            else _resolved(config, str(key))
            for key in config
        }
    except _COMPOSING as error:
        raise _not_composed(error) from None


def _refers(config: DictConfig) -> bool:
    """Say whether the planner's part of a configuration refers to other keys."""
    return any(_mentions(config._get_node(key)) for key in config if key != "hydra")


def _mentions(node: Any) -> bool:
    plain = OmegaConf.to_container(node, resolve=False) if OmegaConf.is_config(node) else node
    return "${" in repr(plain)


def _resolved(config: Any, key: str) -> Any:
    node = config[key]
    return OmegaConf.to_container(node, resolve=True) if OmegaConf.is_config(node) else node


def _not_composed(error: Exception) -> InvalidInput:
    """Put the first line of Hydra's message into one sentence, without its advice."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    first = lines[0] if lines else type(error).__name__
    what = say("cli.compose.not_composed", reason=first.rstrip("."))
    return InvalidInput([Problem(say("cli.where.configuration"), what)])


def _guarded_node(node: Mapping[str, Any]) -> dict[str, Any]:
    """Return the part of the ``hydra`` node that must be as shipped."""
    guarded = {key: value for key, value in node.items() if key not in _OWN_KEYS}
    job = guarded.get("job", {})
    guarded["job"] = {key: value for key, value in job.items() if key not in _OWN_JOB_KEYS}
    return guarded


def clear_environment() -> None:
    """Unset the variables with which Hydra's own guards can be opened or its errors hidden."""
    for name in ("HYDRA_INSTANTIATE_ALLOWLIST_OVERRIDE", "HYDRA_MAIN_MODULE"):
        os.environ.pop(name, None)
