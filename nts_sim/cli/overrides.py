"""What is written after the verb: ``group=option`` and ``key=value``, checked before Hydra acts.

Every key is looked up among the groups and the fields of a study, so a typo is told with its
nearest name instead of Hydra's hint to add a ``+``, which would let it run silently.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nts_sim.errors import Problem
from nts_sim.spec.load import known_fields, suggestion
from nts_sim.spec.models import Study
from nts_sim.tables.names import nearest

if TYPE_CHECKING:
    from hydra.core.override_parser.types import Override

MAX_CHARACTERS = 20_000
MAX_BRACKETS = 32
MAX_JOBS = 1_000
_COMMAND_LINE = "command line"
_LISTED_HYDRA_KEYS = ("hydra.verbose",)
_BARE_POLICY_LIST = re.compile(r"^(\+{0,2}policy)=([A-Za-z0-9_]+(?:,[A-Za-z0-9_]+)+)$")
_MEASURE_LIST = re.compile(r"^\+{0,2}measure=(.*\[.*)$", re.DOTALL)
_BARE_MEASURE_LIST = re.compile(r"^\+{0,2}measure=([A-Za-z0-9_]+(?:,[A-Za-z0-9_]+)+)$")
_WORDS = {"policies": "policy", "scenarios": "scenario", "budget": "fund.balance_factor"}
"""Words planners try first, and what they are called here."""


@dataclass(frozen=True)
class Checked:
    """The overrides as Hydra gets them, and what is wrong with them."""

    texts: tuple[str, ...]
    problems: tuple[Problem, ...]
    jobs: tuple[tuple[str, ...], ...]

    def origin(self) -> dict[str, str]:
        """Say for each overridden key that it was written on the command line."""
        keys = [text.partition("=")[0][2:] for text in self.texts if text.startswith("++")]
        return dict.fromkeys(keys, _COMMAND_LINE)


def check_overrides(
    texts: Sequence[str], options: Mapping[str, tuple[str, ...]], multirun: bool
) -> Checked:
    """Check every override, re-word what is wrong, and unfold a multirun into its jobs."""
    problems: list[Problem] = []
    kept: list[str] = []
    overrides: list[Override] = []
    for text in texts:
        parsed = _parse(_spelled_out(text, multirun))
        if isinstance(parsed, Problem):
            problems.append(parsed)
            continue
        found = _override_problems(parsed, options, multirun)
        problems += found
        kept.append(_addressed(parsed, options))
        overrides.append(parsed)
    if problems:
        return Checked(tuple(kept), tuple(problems), ())
    too_many = _count_problem(overrides)
    if too_many:
        return Checked(tuple(kept), (too_many,), ())
    return Checked(tuple(kept), (), _jobs(kept) if multirun else (tuple(kept),))


def _spelled_out(text: str, multirun: bool) -> str:
    """Read ``policy=a,b`` as the list of policies it means outside a multirun.

    A list of measures is a key of its own, ``measures``: options of the group `measure` all write
    the same keys, so that Hydra would keep the last of them and say nothing.
    """
    bare = None if multirun else _BARE_MEASURE_LIST.match(text)
    if bare:
        return f"measures=[{bare[1]}]"
    listed = _MEASURE_LIST.match(text)
    if listed:
        return f"measures={listed[1]}"
    bare = _BARE_POLICY_LIST.match(text)
    return f"{bare[1]}=[{bare[2]}]" if bare and not multirun else text


def _parse(text: str) -> Override | Problem:
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException

    shown = text if len(text) <= 60 else text[:59] + "…"
    where = f"{shown!r}"
    if len(text) > MAX_CHARACTERS or sum(map(text.count, "[{(")) > MAX_BRACKETS:
        return Problem(where, "is too long or too deeply nested for the command line")
    if "${" in text:
        return Problem(where, "values on the command line are plain; ${…} is not used here")
    if not text.lstrip("+~").partition("=")[0] or ("=" not in text and text[0] != "~"):
        return Problem(where, "is neither key=value nor group=option")
    try:
        return OverridesParser.create().parse_override(text)
    except (HydraException, ValueError):
        what = "cannot be read; write key=value, close brackets, quote unusual characters"
        if re.search(r"\.0\d", text.partition("=")[0]):
            what = "cannot be read; in a key write a place's name, as in tuyen_quang, not its code"
        return Problem(where, what)


def _override_problems(
    override: Override, options: Mapping[str, tuple[str, ...]], multirun: bool
) -> list[Problem]:
    key = override.key_or_group
    if key.split(".")[0].split("/")[0] == "hydra" or str(override.package).startswith("hydra"):
        allowed = key in _LISTED_HYDRA_KEYS and override.package is None
        what = f"Hydra's own settings may not be changed (only {', '.join(_LISTED_HYDRA_KEYS)})"
        return [] if allowed else [Problem(key, what)]
    if override.package is not None:
        return [Problem(f"{key}@{override.package}", "packages (@) are not used here")]
    if override.is_delete():
        return [Problem(f"~{key}", "nothing can be taken out of a study; choose another option")]
    if override.is_sweep_override() and not multirun:
        what = "several values need -m (one run each); policy=a,b alone compares policies"
        return [Problem(key, what)]
    if key in options:
        several = isinstance(override.value(), list) and key != "policy"
        if several or not _names_options(override):
            return [Problem(key, "takes the name of one option (policy and measure take several)")]
        return _group_problems(key, _chosen(override), options[key])
    return _key_problems(key, options)


def _names_options(override: Override) -> bool:
    from hydra.core.override_parser.types import ChoiceSweep

    value = override.value()
    return isinstance(value, str | list | None | ChoiceSweep) or hasattr(value, "text")


def _chosen(override: Override) -> list[Any]:
    """Return the option names an override mentions, over all jobs of a multirun."""
    from hydra.core.override_parser.types import ChoiceSweep

    value = override.value()
    values = value.list if isinstance(value, ChoiceSweep) else [value]
    names: list[Any] = []
    for one in values:
        names += one if isinstance(one, list) else [one]
    return names


def _group_problems(group: str, chosen: list[Any], known: tuple[str, ...]) -> list[Problem]:
    problems = []
    if group == "policy" and len(set(map(str, chosen))) < len(chosen):
        problems.append(Problem(group, "names the same policy twice"))
    for name in chosen:
        text = "null" if name is None else str(getattr(name, "text", name))
        if group == "experiment" and name is None:
            continue
        if text not in known:
            near = nearest(text, known)
            hint = f"did you mean {near}? " if near else ""
            what = f"unknown {group} {text!r}; {hint}known: {', '.join(known)}"
            problems.append(Problem(group, what))
    return problems


def _key_problems(key: str, options: Mapping[str, tuple[str, ...]]) -> list[Problem]:
    if "." not in key and key in ("policies", *Study.model_fields):
        whole = key in ("policies", "scenario")
        return [Problem(key, "cannot be replaced as a whole")] if whole else []
    unknown = known_fields(key)
    if unknown is not None:
        return [Problem(key, f"unknown; {_hint(*unknown, options)}")]
    parts = key.split(".")
    if parts[0] == "policies" and parts[1] not in options.get("policy", ()):
        return [Problem(key, f"unknown policy; {suggestion(parts[1], options['policy'])}")]
    return []


def _hint(part: str, here: tuple[str, ...], options: Mapping[str, tuple[str, ...]]) -> str:
    """Name the nearest key: at this level, a group, a planner's word, or anywhere in a study."""
    close = nearest(part, here)
    if close is None and set(here) == set(Study.model_fields):
        word = nearest(part, [*_WORDS, *options])
        close = _WORDS.get(word, word) if word else nearest_leaf(part)
    return f"did you mean {close}?" if close else suggestion(part, here)


def nearest_leaf(part: str) -> str | None:
    """Find a key one level down whose last part is near, as in ``fund.balance_factor``."""
    leaves: dict[str, str] = {}
    for group, field in Study.model_fields.items():
        for model in _models(field.annotation):
            leaves |= {name: f"{group}.{name}" for name in model.model_fields if name != "name"}
    close = nearest(part, leaves)
    return leaves[close] if close else None


def _models(annotation: Any) -> Iterable[Any]:
    from typing import get_args

    if hasattr(annotation, "model_fields"):
        return [annotation]
    return [model for inner in get_args(annotation) for model in _models(inner)]


def _addressed(override: Override, options: Mapping[str, tuple[str, ...]]) -> str:
    """Write a key's override with ``++``: the study knows the key even where a file omits it."""
    text = str(override.input_line)
    if override.key_or_group in options or override.key_or_group.startswith("hydra"):
        return text.lstrip("+")
    return "++" + text.lstrip("+")


def _count_problem(overrides: Sequence[Override]) -> Problem | None:
    """Refuse a multirun that would never end, before its list is made."""
    from hydra.core.override_parser.types import ChoiceSweep, Glob, RangeSweep

    count = 1.0
    for override in overrides:
        value = override.value()
        if isinstance(value, ChoiceSweep):
            count *= max(1, len(value.list))
        elif isinstance(value, RangeSweep):
            count *= abs(float(value.stop or 0) - float(value.start or 0)) / abs(value.step) + 1
        elif isinstance(value, Glob):
            return Problem(override.key_or_group, "glob(…) is not used here; name the options")
        elif override.is_sweep_override():
            return Problem(override.key_or_group, "interval(…) is not used here; use range(…)")
    if count > MAX_JOBS:
        return Problem("-m", f"asks for {count:,.0f} runs; at most {MAX_JOBS:,} at a time")
    return None


def _jobs(texts: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """Unfold a multirun exactly as Hydra's basic sweeper does."""
    from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
    from hydra.core.override_parser.overrides_parser import OverridesParser

    overrides = OverridesParser.create().parse_overrides(list(texts))
    return tuple(tuple(job) for job in BasicSweeper.split_arguments(overrides, None)[0])
