"""The only gate from composed configuration to a `Study`.

Pydantic finds what is wrong; here every finding is re-worded for a planner, with the nearest known
name and, where the caller knows it, the file or the command line it came from.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, TypeVar, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from nts_sim.errors import InvalidInput, Problem
from nts_sim.spec.models import ScenarioSpec, Spec, Study
from nts_sim.spec.portfolio import combined
from nts_sim.tables.names import nearest
from nts_sim.words import say

SpecT = TypeVar("SpecT", bound=Spec)
_SHOWN_CHARACTERS = 60


def load_study(config: Mapping[str, Any], origin: Mapping[str, str] | None = None) -> Study:
    """Turn a composed configuration into a `Study`, or say everything that is wrong with it.

    Where `measures` are named, `measure` becomes what they make together.

    Parameters
    ----------
    config : mapping
        Plain containers: the groups and keys of `Study`.
    origin : mapping of dotted key to place, optional
        Where a key was written ("my.yaml line 3", "command line"), shown with its problems.

    Raises
    ------
    InvalidInput
        With one `Problem` for each finding.
    """
    study = _validate(Study, config, origin or {})
    if not study.measures:
        return study
    return study.model_copy(update={"measure": combined(tuple(study.measures.values()))})


def load_scenario(
    config: Mapping[str, Any], origin: Mapping[str, str] | None = None
) -> ScenarioSpec:
    """Turn one scenario's configuration into a `ScenarioSpec`; problems are told as in a study."""
    return _validate(ScenarioSpec, config, origin or {}, prefix="scenario.")


def known_fields(dotted: str, model: type[BaseModel] = Study) -> tuple[str, tuple[str, ...]] | None:
    """Find the first part of a dotted key that a study does not have.

    Returns
    -------
    tuple of (the unknown part, the names known there), or None where the key exists or stands in a
    free mapping such as ``stock_factors``.
    """
    unknown, known, _ = _follow(dotted, model)
    return None if unknown is None else (unknown, known)


def is_whole(dotted: str) -> bool:
    """Say whether a key of a study takes whole numbers only."""
    types = _follow(dotted, Study)[2]
    return int in types and float not in types


def _follow(
    dotted: str, model: type[BaseModel]
) -> tuple[str | None, tuple[str, ...], Sequence[Any]]:
    """Walk down a dotted key: (first unknown part, names known there, types at the end)."""
    here: list[Any] = [model]
    for part in dotted.split("."):
        models = [kind for kind in here if isinstance(kind, type) and issubclass(kind, BaseModel)]
        values = [get_args(kind)[1] for kind in here if get_origin(kind) is dict]
        if part.isdigit():
            values += [get_args(kind)[0] for kind in here if get_origin(kind) is tuple]
        known = tuple(dict.fromkeys(name for kind in models for name in kind.model_fields))
        if part in known:
            here = [
                inner
                for kind in models
                if part in kind.model_fields
                for inner in _alternatives(kind.model_fields[part].annotation)
            ]
        elif values:
            here = [inner for value in values for inner in _alternatives(value)]
        else:
            return part, known, ()
    return None, (), here


def suggestion(name: str, known: Iterable[str]) -> str:
    """Say "did you mean …?" where a known name is near, else list what is known."""
    names = tuple(known)
    close = nearest(name, names)
    if close:
        return say("said.spec.near", close=close)
    return say("said.spec.known", known=", ".join(names)) if names else say("said.spec.none_below")


def _alternatives(annotation: Any) -> list[Any]:
    """Unfold unions and annotations into the types a value may have."""
    if get_origin(annotation) is Annotated:
        return _alternatives(get_args(annotation)[0])
    if get_origin(annotation) in (dict, tuple, list):
        return [annotation]
    inner = [arm for arg in get_args(annotation) for arm in _alternatives(arg)]
    return inner or [annotation]


def _validate(
    model: type[SpecT], config: Mapping[str, Any], origin: Mapping[str, str], prefix: str = ""
) -> SpecT:
    try:
        return model.model_validate(dict(config))
    except ValidationError as error:
        problems = [_reword(details, prefix) for details in error.errors(include_url=False)]
    raise InvalidInput(_with_origin(problem, origin) for problem in problems) from None


def _with_origin(problem: Problem, origin: Mapping[str, str]) -> Problem:
    """Add the place a key was written at: its own, or that of the nearest key above it."""
    parts = problem.where.split(".")
    for length in range(len(parts), 0, -1):
        place = origin.get(".".join(parts[:length]))
        if place:
            return Problem(f"{problem.where} ({place})", problem.what)
    return problem


def _reword(details: ErrorDetails, prefix: str) -> Problem:
    # The tags of the scenario's two forms ("one", "set") are ours, not the planner's.
    loc = [str(part) for part in details["loc"]]
    if loc[:1] == ["scenario"] and loc[1:2] in (["one"], ["set"]):
        del loc[1]
    where = prefix + ".".join(part for part in loc if part != "[key]")
    return Problem(where or say("error.subject.study"), _sentence(details, where))


def _sentence(details: ErrorDetails, where: str) -> str:
    kind, context = details["type"], details.get("ctx", {})
    given = _shown(details["input"])
    match kind:
        case "extra_forbidden":
            unknown = known_fields(where)
            where = where.split(".")[-1]
            return say("said.spec.unknown", hint=suggestion(where, unknown[1] if unknown else ()))
        case "literal_error":
            expected = str(context.get("expected", "")).replace(" or ", say("said.spec.or"))
            return say("said.spec.literal_error", given=given, expected=expected)
        case "value_error":
            return str(context.get("error", details["msg"]))
        case _:
            return _finding(kind, given, details)


def _finding(kind: str, given: str, details: ErrorDetails) -> str:
    """Say what Pydantic found; limits are written as a planner would type them."""
    if kind not in _FINDINGS:
        return say("said.spec.other", given=given, finding=details["msg"])
    context = details.get("ctx", {})
    limits = {k: f"{v:g}" if isinstance(v, float | int) else v for k, v in context.items()}
    return say(_FINDINGS[kind], given=given, **limits)


_FINDINGS = {
    "int_type": "said.spec.int_type",
    "int_from_float": "said.spec.int_type",
    "int_parsing": "said.spec.int_type",
    "count_or_auto": "said.spec.count_or_auto",
    "float_type": "said.spec.float_type",
    "finite_number": "said.spec.finite_number",
    "bool_type": "said.spec.bool_type",
    "string_type": "said.spec.string_type",
    "dict_type": "said.spec.dict_type",
    "model_type": "said.spec.dict_type",
    "model_attributes_type": "said.spec.dict_type",
    "tuple_type": "said.spec.tuple_type",
    "date_type": "said.spec.date_type",
    "date_from_datetime_parsing": "said.spec.date_type",
    "date_parsing": "said.spec.date_type",
    "greater_than": "said.spec.greater_than",
    "greater_than_equal": "said.spec.greater_than_equal",
    "less_than": "said.spec.less_than",
    "less_than_equal": "said.spec.less_than_equal",
    "too_short": "said.spec.too_short",
    "too_long": "said.spec.too_long",
    "string_too_long": "said.spec.string_too_long",
    "string_pattern_mismatch": "said.spec.string_pattern_mismatch",
    "missing": "said.spec.missing",
}
"""What we say of each finding of Pydantic's."""


def _shown(value: object) -> str:
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= _SHOWN_CHARACTERS else text[: _SHOWN_CHARACTERS - 1] + "…"
