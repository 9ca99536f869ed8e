"""What is written after the verb: ``group=option`` and ``key=value``, checked before Hydra acts.

Every key is looked up among the groups and the fields of a study, so a typo is told with its
nearest name instead of Hydra's hint to add a ``+``, which would let it run silently.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nts_sim.cli.design import Design, sample, take_design
from nts_sim.cli.design_file import read_design
from nts_sim.cli.grid import MAX_CELLS, NO_GRID, Axis, Bundle, Grid, Interval, zipped
from nts_sim.cli.ranges import parse_range
from nts_sim.cli.unfold import Key, ranged, several_values, too_many
from nts_sim.errors import Problem
from nts_sim.spec.load import known_fields, suggestion
from nts_sim.spec.models import Study
from nts_sim.tables.names import nearest
from nts_sim.words import say

if TYPE_CHECKING:
    from hydra.core.override_parser.types import Override

MAX_CHARACTERS = 20_000
MAX_BRACKETS = 32
_SAME_FOR_ALL = ("results_dir", "tables_dir", "workers", "execution", "hydra")

_LISTED_HYDRA_KEYS = ("hydra.verbose",)
_BARE_POLICY_LIST = re.compile(r"^(\+{0,2}policy)=([A-Za-z0-9_]+(?:,[A-Za-z0-9_]+)+)$")
_MEASURE_LIST = re.compile(r"^\+{0,2}measure=(.*\[.*)$", re.DOTALL)
_BARE_MEASURE_LIST = re.compile(r"^\+{0,2}measure=([A-Za-z0-9_]+(?:,[A-Za-z0-9_]+)+)$")
_WORDS = {"policies": "policy", "scenarios": "scenario", "budget": "fund.balance_factor"}
"""Words planners try first, and what they are called here."""


@dataclass(frozen=True)
class Checked:
    """The overrides that are not swept, as Hydra gets them; the cells; and what is wrong.

    Attributes
    ----------
    notes : what there is to say of the cells besides
    """

    texts: tuple[str, ...]
    problems: tuple[Problem, ...]
    grid: Grid = NO_GRID
    notes: tuple[str, ...] = ()

    def origin(self) -> dict[str, str]:
        """Say for each overridden key that it was written on the command line."""
        axes = [axis for bundle in self.grid.bundles for axis in bundle]
        written = say("cli.where.command_line")
        return {axis.key: written for axis in axes if axis.texts[0].startswith("++")}


@dataclass(frozen=True)
class Rules:
    """How overrides are read.

    Attributes
    ----------
    multirun : several values of a key make several cells
    compares : ``policy=a,b`` is the list compared inside each cell
    """

    options: Mapping[str, tuple[str, ...]]
    multirun: bool
    compares: bool
    design: Design


def check_overrides(
    texts: Sequence[str],
    options: Mapping[str, tuple[str, ...]],
    multirun: bool,
    compares: bool = False,
) -> Checked:
    """Check every override, re-word what is wrong, and put the cells of a multirun together.

    Parameters
    ----------
    compares : ``policy=a,b`` in a multirun is the list compared inside each cell
    """
    design, rest, problems = take_design(texts)
    rules = Rules(options, multirun, compares or not multirun, design)
    if design.words and not multirun:
        problems.append(
            Problem(say("cli.overrides.design_and_zip"), say("cli.overrides.design_without_sweep"))
        )
    entries: list[Axis | Interval] = []
    for text in rest:
        entry = _entry(text, rules)
        if isinstance(entry, list):
            problems += entry
        else:
            entries.append(entry)
    fixed = tuple(
        entry.texts[0] for entry in entries if isinstance(entry, Axis) and not entry.swept
    )
    if not problems:
        problems += _twice(entries)
    if problems:
        return Checked(fixed, tuple(problems))
    return _put_together(entries, fixed, rules)


def _put_together(
    entries: Sequence[Axis | Interval], fixed: tuple[str, ...], rules: Rules
) -> Checked:
    """Make the cells: zips first, then the sample or the rows of a file."""
    design = rules.design
    together, problems = zipped(entries, design.zips)
    bundles = [tuple(axis for axis in bundle if isinstance(axis, Axis)) for bundle in together]
    notes: list[str] = []
    if design.sampled and not any(entry.swept for entry in entries):
        problems.append(Problem("design", say("cli.overrides.nothing_to_sample")))
    elif design.sampled and not problems:
        asks = design.n_cells(sum(any(axis.swept for axis in bundle) for bundle in together))
        if asks > MAX_CELLS:
            return Checked(fixed, (too_many(asks),))
        bundles, notes = sample(design, together)
    if design.file:
        rows, found = _rows(design.file, {entry.key for entry in entries}, rules)
        problems += found
        bundles.append(rows)
    if problems:
        return Checked(fixed, tuple(problems))
    grid = Grid(tuple(bundles))
    if grid.n_cells > MAX_CELLS:
        return Checked(fixed, (too_many(grid.n_cells),))
    return Checked(fixed, (), grid, tuple(notes))


def _rows(file: str, taken: set[str], rules: Rules) -> tuple[Bundle, list[Problem]]:
    """Read a design's file; none of its keys may be written besides."""

    def check(key: str, value: Any) -> list[Problem]:
        return _cell_problems(key, value, rules)

    rows, problems = read_design(file, rules.options, check)
    what = say("cli.overrides.column_too", file=file)
    both = [Problem(axis.key, what) for axis in rows if axis.key in taken]
    return rows, [*problems, *both]


def _twice(entries: Sequence[Axis | Interval]) -> list[Problem]:
    """Refuse a swept key that is written twice; of one that is not, the last holds."""
    keys = [entry.key for entry in entries]
    twice = {entry.key for entry in entries if entry.swept and keys.count(entry.key) > 1}
    return [Problem(key, say("cli.overrides.twice")) for key in twice]


def _entry(text: str, rules: Rules) -> Axis | Interval | list[Problem]:
    """Read one override: one value, several values, or an interval."""
    name, _, given = text.partition("=")
    span = parse_range(given)
    parsed = _parse(f"{name}={span.start}" if span else _spelled_out(text, rules))
    if isinstance(parsed, Problem):
        return [parsed]
    sweeps = span is not None or parsed.is_sweep_override()
    problems = _override_problems(parsed, rules.options)
    problems = problems or (_sweep_problems(parsed.key_or_group, rules) if sweeps else [])
    if problems:
        return problems
    key = Key(parsed.key_or_group, "" if parsed.key_or_group in rules.options else "++")
    if span:
        return ranged(key, span, rules.design.sampled)
    if sweeps:
        return several_values(key, parsed, rules.design.sampled)
    text = _addressed(parsed, rules.options)
    return Axis(key.name, (parsed.value(),), (text,), swept=False)


def _sweep_problems(key: str, rules: Rules) -> list[Problem]:
    if not rules.multirun:
        return [Problem(key, say("cli.overrides.several"))]
    same = key.split(".")[0] in _SAME_FOR_ALL
    return [Problem(key, say("cli.same_for_all_cells"))] if same else []


def _cell_problems(key: str, value: Any, rules: Rules) -> list[Problem]:
    """Check a key of a design's header (value None), or a value of one of its groups."""
    if key in rules.options:
        names = value if isinstance(value, list) else [value]
        return [] if value is None else _group_problems(key, names, rules.options[key])
    parsed = _parse(f"{key}=0")
    if isinstance(parsed, Problem):
        return [parsed]
    return _override_problems(parsed, rules.options) or _sweep_problems(key, rules)


def _spelled_out(text: str, rules: Rules) -> str:
    """Read ``policy=a,b`` as the list of policies compared, where policies are compared.

    A list of measures is a key of its own, ``measures``: options of the group `measure` all write
    the same keys, so that Hydra would keep the last of them and say nothing.
    """
    bare = None if rules.multirun else _BARE_MEASURE_LIST.match(text)
    if bare:
        return f"measures=[{bare[1]}]"
    listed = _MEASURE_LIST.match(text)
    if listed:
        return f"measures={listed[1]}"
    bare = _BARE_POLICY_LIST.match(text)
    return f"{bare[1]}=[{bare[2]}]" if bare and rules.compares else text


def _parse(text: str) -> Override | Problem:
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException

    shown = text if len(text) <= 60 else text[:59] + "…"
    where = f"{shown!r}"
    if len(text) > MAX_CHARACTERS or sum(map(text.count, "[{(")) > MAX_BRACKETS:
        return Problem(where, say("cli.overrides.too_long"))
    if "${" in text:
        return Problem(where, say("cli.overrides.reference"))
    if not text.lstrip("+~").partition("=")[0] or ("=" not in text and text[0] != "~"):
        return Problem(where, say("cli.overrides.no_override"))
    try:
        return OverridesParser.create().parse_override(text)
    except (HydraException, ValueError):
        by_code = re.search(r"\.0\d", text.partition("=")[0])
        return Problem(
            where, say("cli.overrides.place_code" if by_code else "cli.overrides.unreadable")
        )


def _override_problems(override: Override, options: Mapping[str, tuple[str, ...]]) -> list[Problem]:
    key = override.key_or_group
    if key.split(".")[0].split("/")[0] == "hydra" or str(override.package).startswith("hydra"):
        allowed = key in _LISTED_HYDRA_KEYS and override.package is None
        what = say("cli.overrides.hydra", known=", ".join(_LISTED_HYDRA_KEYS))
        return [] if allowed else [Problem(key, what)]
    if override.package is not None:
        return [Problem(f"{key}@{override.package}", say("cli.overrides.package"))]
    if override.is_delete():
        return [Problem(f"~{key}", say("cli.overrides.delete"))]
    if key in options:
        several = isinstance(override.value(), list) and key != "policy"
        if several or not _names_options(override):
            return [Problem(key, say("cli.overrides.one_option"))]
        problems = [_group_problems(key, names, options[key]) for names in _chosen(override)]
        return list(dict.fromkeys(problem for found in problems for problem in found))
    return _key_problems(key, options)


def _names_options(override: Override) -> bool:
    from hydra.core.override_parser.types import ChoiceSweep

    value = override.value()
    return isinstance(value, str | list | None | ChoiceSweep) or hasattr(value, "text")


def _chosen(override: Override) -> list[list[Any]]:
    """Return the option names an override mentions, for each of its values."""
    from hydra.core.override_parser.types import ChoiceSweep

    value = override.value()
    values = value.list if isinstance(value, ChoiceSweep) else [value]
    return [one if isinstance(one, list) else [one] for one in values]


def _group_problems(group: str, chosen: list[Any], known: tuple[str, ...]) -> list[Problem]:
    problems = []
    if group == "policy" and len(set(map(str, chosen))) < len(chosen):
        problems.append(Problem(group, say("cli.overrides.policy_twice")))
    for name in chosen:
        text = "null" if name is None else str(getattr(name, "text", name))
        if group == "experiment" and name is None:
            continue
        if text not in known:
            near = nearest(text, known)
            told = {"group": group, "given": repr(text), "known": ", ".join(known), "near": near}
            key = "cli.overrides.unknown_near" if near else "cli.overrides.unknown"
            problems.append(Problem(group, say(key, **told)))
    return problems


def _key_problems(key: str, options: Mapping[str, tuple[str, ...]]) -> list[Problem]:
    if "." not in key and key in ("policies", *Study.model_fields):
        whole = key in ("policies", "scenario")
        return [Problem(key, say("cli.overrides.whole"))] if whole else []
    unknown = known_fields(key)
    if unknown is not None:
        return [Problem(key, say("cli.unknown", hint=_hint(*unknown, options)))]
    parts = key.split(".")
    if parts[0] == "policies" and parts[1] not in options.get("policy", ()):
        hint = suggestion(parts[1], options["policy"])
        return [Problem(key, say("cli.overrides.unknown_policy", hint=hint))]
    return []


def _hint(part: str, here: tuple[str, ...], options: Mapping[str, tuple[str, ...]]) -> str:
    """Name the nearest key: at this level, a group, a planner's word, or anywhere in a study."""
    is_at_top = set(here) == set(Study.model_fields)
    leaf = nearest_leaf(part) if is_at_top else None
    if leaf and leaf.endswith(f".{part}"):  # the very word is surer than any that is like it
        return say("cli.near", near=leaf)
    close = nearest(part, here)
    if close is None and is_at_top:
        word = nearest(part, [*_WORDS, *options])
        close = _WORDS.get(word, word) if word else leaf
    return say("cli.near", near=close) if close else suggestion(part, here)


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
