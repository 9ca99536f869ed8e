"""A cell is composed on a copy and is what Hydra makes of the same overrides, to the letter."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nts_sim.cli.compose import Composed, Composer
from nts_sim.cli.design_file import written
from nts_sim.cli.gate import list_options
from nts_sim.cli.grid import Grid, Setting
from nts_sim.cli.overrides import check_overrides
from nts_sim.errors import InvalidInput

OPTIONS = list_options(None)
COMPOSER = Composer(None, OPTIONS)

KEYS = [
    "seed", "replications", "baseline", "measures", "fund.balance_factor",
    "fund.balance_factors", "fund.balance_factors.account", "fund.balances_bn_vnd.CENTRAL.account",
    "fund.balances_bn_vnd.tuyen_quang.account", "fund.balances_bn_vnd", "fund.closes_on",
    "mechanism.changes", "mechanism.changes.military.enabled", "mechanism.changes.military",
    "mechanism.desk_servers.ministry", "policies.threshold.coverage_below",
    "policies.current_practice.lookahead_days", "policies.current_practice",
    "resources.stocks_units.quang_ninh.boat_crew", "resources.stock_factors",
    "network.road_slowdown",
    "scenario.horizon_days", "scenario.injects", "scenario.injects.0.day", "scenario.threats",
    "scenario.title", "scenario.weights.calm_year", "scenario.weights", "measure.onset_share.storm",
    "information.reported_share", "preparation.sources.donors.amount_bn_vnd", "plan.draws",
]  # fmt: skip
GROUPS = {
    "scenario": ["typhoon_north", "calm_year", "north_season"],
    "fund": ["tight", "standard"],
    "measure": ["none", "training"],
    "experiment": ["typhoon_north"],
    "policy": ["threshold", ["threshold", "current_practice"], ["greedy"]],
    "preparation": ["generous"],
}
WORDS = st.sampled_from(
    ["Tuyên Quang", "Thừa Thiên Huế", "it's", 'say "so"', "a\\b", "", " ", "a,b", "[x]", "{y:1}",
     "1", "1.0", "true", "null", "x:y", "a=b", "08", "2024-09-05", "nan", "???", "~", "storm"]
)  # fmt: skip
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=True, allow_infinity=True), WORDS
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["enabled", "storm", "a", "calm_year"]), inner, max_size=3),
    ),
    max_leaves=4,
)


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ",".join(f"{key}:{_text(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_text, value)) + "]"
    return written(value)


def _outcome(make: Any, *given: Any) -> str:
    try:
        made: Composed = make(*given)
    except InvalidInput as error:
        return str(error)
    return repr((made.config, made.choices, made.members, made.measures))


def _same(composer: Composer, grid: Grid) -> None:
    for number in range(len(grid)):
        quick = _outcome(composer.cell, grid.settings(number))
        assert quick == _outcome(composer.whole, grid[number])


@st.composite
def overrides(draw: st.DrawFn) -> list[str]:
    keys = draw(st.lists(st.sampled_from(KEYS), unique=True, max_size=4))
    groups = draw(st.lists(st.sampled_from(sorted(GROUPS)), unique=True, max_size=2))
    words = [f"{key}={_text(draw(VALUES))}" for key in keys]
    words += [f"{group}={_text(draw(st.sampled_from(GROUPS[group])))}" for group in groups]
    return draw(st.permutations(words))


@pytest.mark.slow
@settings(max_examples=60, deadline=None, print_blob=True)
@given(overrides())
def test_any_overrides(words: list[str]) -> None:
    checked = check_overrides(words, OPTIONS, multirun=True, compares=True)
    assert not checked.problems
    _same(COMPOSER, checked.grid)


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["seed=1,2", "fund=tight", "fund.balance_factor=0.3"],
        ["mechanism.changes={military:{enabled:false}}", "mechanism.changes.military.enabled=true"],
        ["mechanism.changes.military.enabled=false", "mechanism.changes={military:{max_uses:3}}"],
        ["policies.threshold.coverage_below=0.2,0.4", "policy=[threshold,current_practice]"],
        ["policies.greedy.lookahead_days=3"],
        ["scenario=north_season", "resources.stock_factor=0.5"],
        ["scenario=north_season", "scenario.weights={calm_year:0.5,typhoon_north:0.5}"],
        ["scenario.injects.0.day=2,3"],
        ["scenario.injects.99.day=2"],
        ["seed.deeper=1"],
        ["measure=[training,flood_defences]", "fund.closes_on=2024-09-30"],
        ["scenario.injects=[{place:'Tuyên Quang',threat:storm,severity:1,day:1}]"],
        ["experiment=typhoon_north", "seed=null"],
    ],
    ids=" ".join,
)
def test_chosen_overrides(words: list[str]) -> None:
    checked = check_overrides(words, OPTIONS, multirun=True, compares=True)
    if checked.problems:  # seed.deeper is no key; composing it must agree all the same
        assert words == ["seed.deeper=1"]
        setting = Setting("seed.deeper", 1, "++seed.deeper=1")
        quick = _outcome(COMPOSER.cell, [setting])
        assert quick == _outcome(COMPOSER.whole, (setting.text,))
        return
    _same(COMPOSER, checked.grid)


def test_a_file_that_refers_to_other_keys_is_composed_whole(tmp_path: Path) -> None:
    """The key it refers to is the one that is swept: a copy of values would keep the old one."""
    (tmp_path / "fund").mkdir()
    text = "name: mine\nbalance_factor: 0.5\nbalance_factors: {account: '${..balance_factor}'}\n"
    (tmp_path / "fund" / "mine.yaml").write_text(text, encoding="utf-8")
    options = list_options(tmp_path)
    checked = check_overrides(["fund=mine", "fund.balance_factor=1,2"], options, multirun=True)
    composer = Composer(tmp_path, options)
    _same(composer, checked.grid)
    cells = [composer.cell(checked.grid.settings(number)) for number in range(2)]
    assert [cell.config["fund"]["balance_factors"]["account"] for cell in cells] == [1, 2]


def test_hydra_composes_once_for_a_choice_of_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    from nts_sim.cli import compose

    composed = []

    def counted(hydra: Any, overrides: Any, original: Any = compose._compose) -> Any:
        composed.append(overrides)
        return original(hydra, overrides)

    composer = Composer(None, OPTIONS)
    monkeypatch.setattr(compose, "_compose", counted)
    words = ["fund=standard,tight", "seed=1..50"]
    grid = check_overrides(words, OPTIONS, multirun=True).grid
    for number in range(len(grid)):
        composer.cell(grid.settings(number))
    assert len(grid) == 100
    assert composed == [("fund=standard",), ("fund=tight",)]


def test_cells_do_not_see_each_other() -> None:
    words = ["mechanism.changes.military.max_uses=1,2", "fund.balance_factors.account=1,2"]
    grid = check_overrides(words, OPTIONS, multirun=True).grid
    backwards = [COMPOSER.cell(grid.settings(number)) for number in reversed(range(4))]
    forwards = [COMPOSER.cell(grid.settings(number)) for number in range(4)]
    assert [one.config for one in reversed(backwards)] == [one.config for one in forwards]
