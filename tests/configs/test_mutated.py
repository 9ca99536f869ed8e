"""Mutated configurations: a valid study or sentences, never a traceback (I1 of the promises)."""

from __future__ import annotations

import contextlib
import io
import tempfile
from pathlib import Path
from typing import Any

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nts_sim.cli.compose import Composer, config_root
from nts_sim.cli.gate import list_options
from nts_sim.cli.main import main
from nts_sim.cli.yaml_check import Known, read_user_file
from nts_sim.errors import InvalidInput
from nts_sim.spec.load import load_study

OPTIONS = list_options(None)
BASE = Composer(None, OPTIONS).whole(()).config

LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20),
    st.sampled_from([
        float("nan"), float("inf"), 10**40, -1, "", "no", "012", "1:30", "Tuyên Quang",
        "Tuye\u0302n", "\u202eabc", "\x00", "${oc.env:HOME}", [], {}, [[]], {"a": {}}, {1: 2},
    ]),
)  # fmt: skip


def _paths(node: Any, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [here] if here else []
    items = (
        node.items()
        if isinstance(node, dict)
        else enumerate(node)
        if isinstance(node, list)
        else ()
    )
    for key, value in items:
        found += _paths(value, (*here, key))
    return found


PATHS = sorted(_paths(BASE), key=str)


def _put(node: Any, path: tuple[Any, ...], how: str, leaf: Any) -> Any:
    """Return a copy with one change: replace, drop or add a near name."""
    copy = dict(node) if isinstance(node, dict) else list(node)
    if len(path) > 1:
        copy[path[0]] = _put(copy[path[0]], path[1:], how, leaf)
    elif how == "replace":
        copy[path[0]] = leaf
    elif how == "drop":
        del copy[path[0]]
    elif isinstance(copy, dict):
        copy[f"{path[0]}x"] = leaf
    return copy


@settings(max_examples=500, deadline=None, print_blob=True)
@given(
    st.lists(
        st.tuples(st.sampled_from(PATHS), st.sampled_from(["replace", "drop", "add"]), LEAVES),
        min_size=1, max_size=3,
    )
)  # fmt: skip
def test_a_mutated_study_is_valid_or_told(mutations: list[tuple[Any, str, Any]]) -> None:
    config: Any = BASE
    for path, how, leaf in mutations:
        with contextlib.suppress(KeyError, IndexError, TypeError):
            config = _put(config, path, how, leaf)
    try:
        load_study(config)
    except InvalidInput as error:
        assert error.problems
        assert all(problem.where and problem.what for problem in error.problems)


@settings(max_examples=300, deadline=None, print_blob=True)
@given(st.one_of(st.text(max_size=200), st.binary(max_size=200)), st.integers(0, 10_000))
def test_any_bytes_are_read_or_told(junk: str | bytes, where: int) -> None:
    shipped = (config_root() / "scenario" / "typhoon_north.yaml").read_bytes()
    raw = junk.encode("utf-8", "surrogatepass") if isinstance(junk, str) else junk
    position = where % len(shipped)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "scenario").mkdir()
        path = root / "scenario" / "mine.yaml"
        path.write_bytes(shipped[:position] + raw + shipped[position:])
        file, problems = read_user_file(path, root, Known(OPTIONS))
    assert (file is not None) or problems


KEYS = st.sampled_from(
    ["seed", "scenario", "policy", "fund.balance_factor", "scenario.horizon_days", "fund",
     "resources.stock_factors.boat_crew", "budgt", "hydra.run.dir", "", "~fund", "+seed", "a@b"]
)  # fmt: skip
VALUES = st.one_of(
    st.text(max_size=15),
    st.sampled_from(["1", "-1", "1e400", "nan", "[", "{a:1}", "a,b", "range(1,3)", "glob(*)",
                     "choice(1,2)", "interval(0,1)", "null", "???", "'", "\\", "${seed}", "[1,[2]]",
                     "tag(a,1,2)", "int(3)", "shuffle(1,2)", "extend_list(1)"]),
)  # fmt: skip


@settings(max_examples=150, deadline=None, print_blob=True,
          suppress_health_check=[HealthCheck.too_slow])  # fmt: skip
@given(st.lists(st.tuples(KEYS, VALUES), min_size=1, max_size=3), st.booleans())
def test_any_override_is_taken_or_told(words: list[tuple[str, str]], multirun: bool) -> None:
    arguments = [*(["-m"] if multirun else []), *(f"{key}={value}" for key, value in words)]
    told = io.StringIO()
    with contextlib.redirect_stderr(told), contextlib.redirect_stdout(io.StringIO()):
        code = main(["validate", *arguments])
    assert code in (0, 2, 5), told.getvalue()
    assert "Traceback" not in told.getvalue()
    assert (code == 0) == (told.getvalue() == "")


def test_the_property_would_notice() -> None:
    """Negative control: a mutated study given to pydantic directly does raise something else."""
    from pydantic import ValidationError

    from nts_sim.spec.models import Study

    try:
        Study.model_validate({**BASE, "seed": -1})
    except ValidationError as error:
        assert not isinstance(error, InvalidInput)
    else:
        raise AssertionError("the control did not fail")


def test_the_shipped_study_is_plain_data() -> None:
    assert yaml.safe_load(yaml.safe_dump(BASE, allow_unicode=True)) == BASE
