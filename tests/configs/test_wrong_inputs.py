# ruff: noqa: E501 - sentences and hostile lines stand whole
"""Every wrong input gets its sentence: all problems at once, exit code 2, nothing written."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from nts_sim.cli.main import main
from nts_sim.tables.load import DATA

MINE = """\
name: mine
title: a storm of mine
question: what then?
start_date: "2024-09-05"
horizon_days: 5
threats: [storm]
injects:
  - {place: "22", threat: storm, severity: 3, day: 1.0}
sources: [made up]
"""

Edit = Callable[[str], str | bytes]


@dataclass(frozen=True)
class Wrong:
    """A wrong input, and the sentences it must get."""

    arguments: tuple[str, ...]
    says: tuple[str, ...]
    files: dict[str, str] = field(default_factory=dict)
    tables: dict[str, Edit] = field(default_factory=dict)


def said(arguments: str, *says: str) -> Wrong:
    """Words after the verb."""
    return Wrong(tuple(arguments.split(" ")), says)


def mine(old: str, new: str, *says: str) -> Wrong:
    """My own scenario, changed in one place."""
    assert old in MINE
    return Wrong(("scenario=mine",), says, {"scenario/mine.yaml": MINE.replace(old, new)})


def file(name: str, text: str, *says: str, use: str = "") -> Wrong:
    """Another file of my own."""
    return Wrong(tuple(use.split()), says, {name: text})


def table(name: str, edit: Edit, *says: str) -> Wrong:
    """A table of my own."""
    return Wrong(("tables_dir=tables",), says, tables={name: edit})


def swap(old: str, new: str) -> Edit:
    """Change the first place where `old` stands."""

    def edit(text: str) -> str:
        assert old in text, old
        return text.replace(old, new, 1)

    return edit


OVERRIDES = [
    said("scenario=typhon_north", "unknown scenario 'typhon_north'; did you mean typhoon_north?",
         "known: all_hazards, border_disease"),
    said("+budgt=3", "budgt", "unknown; did you mean fund.balance_factor?"),
    said("budgt=3", "unknown; did you mean fund.balance_factor?"),
    said("fund=tigt", "unknown fund 'tigt'; did you mean tight? known: standard, tight"),
    said("policy=gredy", "unknown policy 'gredy'; did you mean greedy?"),
    said("policy=current_practice,gredy", "unknown policy 'gredy'; did you mean greedy?"),
    said("policy=[greedy,greedy,current_practice]", "names the same policy twice"),
    said("policy=greedy,per_capita",
         "current_practice is not among the policies compared (greedy, per_capita)"),
    said("baseline=nobody", "nobody is not among the policies compared"),
    said("polices=greedy", "unknown; did you mean policies?"),
    said("experiment=typhoon", "unknown experiment 'typhoon'; did you mean typhoon_north?"),
    said("resources=leen", "unknown resources 'leen'; did you mean lean?"),
    said("information=perfct", "unknown information 'perfct'; did you mean perfect?"),
    said("measure=null", "unknown measure 'null'; known:"),
    said("scenario=[typhoon_north,calm_year]", "takes the name of one option"),
    said("scenario=typhoon_north,calm_year", "several values need -m"),
    said("seed=1,2", "seed", "several values need -m"),
    said("replications=ten", "replications (command line)", "'ten' is not a whole number"),
    said("replications=1", "1 is below 2, the least allowed"),
    said("replications=1e3", "1000.0 is not a whole number"),
    said("replications=010", "'010' is not a whole number"),
    said("replications=999999", "999999 is above 100000, the most allowed"),
    said("replication=5", "unknown; did you mean replications?"),
    said("seed=-1", "-1 is below 0, the least allowed"),
    said("seed=no", "'no' is not a whole number"),
    said("seed=", "'' is not a whole number"),
    said("workers=0", "0 is below 1, the least allowed"),
    said("workers=1:30", "'1:30' is not a whole number"),
    said("horizon_days=5", "unknown; did you mean scenario.horizon_days?"),
    said("scenario.horizon_days=0", "0 is below 1, the least allowed"),
    said("scenario.horizon_dys=9", "unknown; did you mean horizon_days?"),
    said("scenario.start_date=5", "5 is not a date such as 2024-09-05"),
    said("scenario.start_date=2024-02-30", "'2024-02-30' is not a date such as 2024-09-05"),
    said("scenario.threats=storm", "'storm' is not a list"),
    said("scenario.threats=[]", "has too few entries; at least 1"),
    said("scenario.threats=[storm,flod_landslide,power_shortage]",
         "unknown threat 'flod_landslide'; did you mean flood_landslide?"),
    said("preparation=standrd", "unknown preparation 'standrd'; did you mean standard?"),
    said("preparation.budget_bn_vnd=-1", "-1 is below 0, the least allowed"),
    said("preparation.budget_bn_vnd=null", "has neither budget_bn_vnd nor sources; give one"),
    said("preparation.budget=5", "unknown; did you mean budget_bn_vnd?"),
    said("preparation=generous preparation.budget_bn_vnd=5",
         "budget_bn_vnd 5 is not the sum of the sources (300); leave it out"),
    said("preparation.post_share=2", "2 is above 1, the most allowed"),
    said("preparation.depot_capacity_tonnes=lots", "'lots' is not a number"),
    said("preparation.resource_share_at_least={boat_crew:0.6,rice_t:0.6}",
         "resource_share_at_least sums to 1.2, above 1"),
    said("preparation.resource_share_at_least={rice_t:0.6} "
         "preparation.resource_share_at_most={rice_t:0.5}",
         "rice_t: at least 0.6 and at most 0.5 of the money"),
    said("preparation=generous preparation.sources.donors.resources=[ryce_t]",
         "unknown resource 'ryce_t'; did you mean rice_t?"),
    said("preparation=generous preparation.sources.donors.resources=rice_t",
         "'rice_t' is not a list"),
    said("mechanism.changes={framework_contract:{readiness_cost_bn_vnd:-1}}",
         "-1 is below 0, the least allowed"),
    said("fund.balance_factor=-1", "-1 is below 0, the least allowed"),
    said("fund.balance_factor=nan", "nan is not a finite number"),
    said("fund.balance_factor=inf", "inf is not a finite number"),
    said("fund.balance_factor=lots", "'lots' is not a number"),
    said("fund.balance_facter=1", "unknown; did you mean balance_factor?"),
    said("fund.balances_bn_vnd.08.account=5", "write a place's name, as in tuyen_quang"),
    said("fund.balances_bn_vnd.tuyen_quang.account=-5", "fund.balances_bn_vnd.tuyen_quang.account",
         "-5 is below 0, the least allowed"),
    said("fund.balances_bn_vnd.TuyenQang.account=5",
         "unknown place 'TuyenQang'; did you mean Tuyên Quang (08)?"),
    said("fund.balances_bn_vnd={CENTRAL:{acount:5}}", "unknown fund 'acount'; did you mean account?"),
    said("fund.closes_on=2020-01-01", "is before the scenario starts"),
    said("resources.stock_factors.boat_crw=2", "unknown resource 'boat_crw'; did you mean boat_crew?"),
    said("resources.stocks_units.99.boat_crew=1", "unknown place '99'"),
    said("mechanism.changes={miltary:{enabled:false}}",
         "unknown mechanism 'miltary'; did you mean military?"),
    said("mechanism.changes={military:{enabld:false}}", "unknown; did you mean enabled?"),
    said("mechanism.changes={military:{enabled:no}}", "'no' is neither true nor false"),
    said("mechanism.lead_distribution=normal",
         "'normal' is not one of 'lognormal', 'exponential' or 'fixed'"),
    said("network.detour_factor=0.5", "0.5 is below 1, the least allowed"),
    said("network.speed=3", "unknown; known: name, road_speed_km_per_day"),
    said("engine.name=numba", "'numba' is not one of 'auto', 'simpy' or 'compiled'"),
    said("policies.greedy.lookahead_days=3", "policies.greedy", "has settings but is not compared"),
    said("policies.current_practice.lookahead_days=0", "0 is below 1, the least allowed"),
    said("policies.current_practice.lookahed_days=3", "unknown; did you mean lookahead_days?"),
    said("tables_dir=nowhere", "tables_dir", "the folder 'nowhere' is not there"),
    said("seed", "is neither key=value nor group=option"),
    said("seed=[1", "cannot be read"),
    said("=3", "is neither key=value nor group=option"),
    said("~fund", "nothing can be taken out of a study"),
    said("scenario=null", "unknown scenario 'null'; known:"),
    said("--config-dir=nowhere", "--config-dir nowhere", "is not there"),
    said("--confg-dir=x", "unrecognized arguments: --confg-dir=x"),
    said("--policy-file=mine.txt", "'mine.txt' is not FILE.py:function"),
    said("-m seed=1,2 fund=standard,tigt", "unknown fund 'tigt'; did you mean tight?"),
    said("-m seed=1,-2", "-2 is below 0, the least allowed"),
]  # fmt: skip

FILES = [
    mine("horizon_days: 5", "horizon_dys: 5", "line 5", "unknown; did you mean horizon_days?",
         "scenario.horizon_days", "missing; it must be given"),
    mine("horizon_days: 5", "horizon_days: five", "mine.yaml line 5", "'five' is not a whole number"),
    mine("horizon_days: 5", "horizon_days: 012", "line 5", "012 would be read as another number"),
    mine("horizon_days: 5", "horizon_days: 1:30", "1:30 would be read in sixties"),
    mine("horizon_days: 5", "horizon_days: no", "no would be read as true or false"),
    mine("horizon_days: 5", "horizon_days: .inf", "inf is not a whole number"),
    mine("horizon_days: 5", "horizon_days: ???", "'???' is not a value"),
    mine("horizon_days: 5", "horizon_days: [5", "mine.yaml line", "is not YAML"),
    mine("horizon_days: 5", "horizon_days:5", "is not YAML"),
    mine("horizon_days: 5", "\thorizon_days: 5", "is not YAML"),
    mine('place: "22"', "place: 22", "22 is not text (put it in quotes)"),
    mine('place: "22"', "place: 01", "01 would be read as another number; write '01' in quotes"),
    mine('place: "22"', "place: Tuyen Qang",
         "unknown place 'Tuyen Qang'; did you mean Tuyên Quang (08)?"),
    mine("severity: 3", "severity: 4", "4 is above 3, the most allowed"),
    mine("severity: 3", "severity: high", "'high' is not a whole number"),
    mine("day: 1.0", "day: 9.0", "day 9 is not before the horizon (5 days)"),
    mine("day: 1.0", "day: -1", "-1 is below 0, the least allowed"),
    mine("day: 1.0", "dya: 1", "unknown; did you mean day?", "missing; it must be given"),
    mine("threat: storm", "threat: flood_landslide", "unknown threat of this scenario"),
    mine("threats: [storm]", "threats: storm", "'storm' is not a list"),
    mine("name: mine", "name: My Storm", "'My Storm' is not a plain name"),
    mine("sources: [made up]", "sources: []", "has too few entries; at least 1"),
    mine("sources: [made up]", "", "scenario.sources", "missing; it must be given"),
    mine("title: a storm of mine", "title: " + "x" * 3000, "is too long; at most 2000 characters"),
    mine('start_date: "2024-09-05"', "start_date: 20240905", "20240905 is not a date"),
    file("scenario/mine.yaml", "- a\n- b\n", "is not a table of names and values", use="scenario=mine"),
    file("scenario/mine.yml", MINE, "only .yaml files are read, rename it", use="scenario=mine"),
    file("scenarios/mine.yaml", MINE, "is not in the folder of a group"),
    file("scenario/deep/mine.yaml", MINE, "is not in the folder of a group"),
    file("scenario/calm_year.yaml", MINE, "calm_year is shipped already; choose another name"),
    file("scenario/both.yaml",
         "name: both\ntitle: t\nquestion: q\nweights: {typhoon_north: 0.5, calm_year: 0.4}\n"
         "sources: [me]\n", "weights sum to 0.9; they must sum to 1", use="scenario=both"),
    file("scenario/both.yaml",
         "name: both\ntitle: t\nquestion: q\nweights: {typhon_north: 1.0}\nsources: [me]\n",
         "unknown scenario 'typhon_north'; did you mean typhoon_north?", use="scenario=both"),
    file("scenario/both.yaml",
         "name: both\ntitle: t\nquestion: q\nweights: {north_season: 1.0}\nsources: [me]\n",
         "is itself a set", use="scenario=both"),
    file("information/late.yaml",
         "name: late\nlag_days: 1\nreported_share: [[2, 0.5], [1, 1.0]]\nsource: me\n",
         "ages in reported_share must rise", use="information=late"),
    file("information/late.yaml", "name: late\nlag_days: 1\nreported_share: [[2, 1.5]]\nsource: me\n",
         "1.5 is above 1, the most allowed", use="information=late"),
    file("policy/mine.yaml", "# @package policies.mine\nlookahead_days: 3\n",
         "unknown policy 'mine'", use="policy=current_practice,mine"),
    file("experiment/mine.yaml",
         "# @package _global_\ndefaults:\n  - override /scenario: typhon_north\n",
         "line 3", "unknown scenario 'typhon_north'; did you mean typhoon_north?",
         use="experiment=mine"),
    file("experiment/mine.yaml", "# @package _global_\nreplicatons: 5\n",
         "replicatons", "mine.yaml line 2", "unknown; did you mean replications?",
         use="experiment=mine"),
]  # fmt: skip

TABLES = [
    table("stocks", swap("rescue_team,872", "rescue_team,-872"), "stocks.csv row 2 column value",
          "-872 is below 0", "the least allowed"),
    table("stocks", swap("rescue_team,872", "rescue_taem,872"),
          "unknown", "did you mean rescue_team?"),
    table("stocks", swap("\n01,rescue", "\nTuyen Qang,rescue"),
          "'Tuyen Qang'; did you mean Tuyên Quang (08)?"),
    table("stocks", swap("\n01,rescue", "\n1,rescue"), "did you mean 01? Codes are text: keep the 0"),
    table("stocks", swap("rescue_team,872", "rescue_team,many"), "'many' is not a number"),
    table("stocks", swap("rescue_team,872", "rescue_team,nan"), "'nan' is not a finite number"),
    table("stocks", swap("rescue_team,872", "rescue_team,1.234"), "'1.234' is ambiguous"),
    table("stocks", swap("rescue_team,872", 'rescue_team,"1.234,5"'), "'1.234,5' is ambiguous"),
    table("stocks", swap("rescue_team,872", 'rescue_team,"8,5"'), "has a decimal comma; write 8.5"),
    table("stocks", swap("rescue_team,872", "rescue_team,"), "is blank"),
    table("stocks", swap("province_code", "province"), "unknown column 'province'",
          "column 'province_code' is missing"),
    table("stocks", swap("resource,value", "value,value"), "column 'value' appears twice"),
    table("stocks", swap(",rescue_team,872,", ",rescue_team,872,x,"), "cells where the header has"),
    table("stocks", lambda text: text.replace(",", ";"), "is separated by semicolons"),
    table("stocks", lambda text: text.encode("utf-16"), "is UTF-16, not UTF-8"),
    table("places", lambda text: text.encode("cp1258", "replace"), "is not UTF-8"),
    table("stocks", lambda _: "", "is empty"),
    table("stocks", lambda text: text.splitlines()[0] + "\n", "has a header and no rows"),
    table("stocks", lambda text: text.encode() + b"\0", "holds NUL bytes"),
    table("stocks", lambda text: text + '01,"never closed', "cannot be read as CSV"),
    table("places", lambda text: text + text.splitlines()[1] + "\n",
          "places.csv row 36", "code '01' is already in row 2; each may appear once"),
    table("stoks", lambda _: "a,b\n1,2\n", "is not the name of a table; did you mean stocks.csv?"),
    table("threats", swap("true", "yes"), "'yes' is not true or false"),
]  # fmt: skip

EVERYTHING = OVERRIDES + FILES + TABLES


def lay_out(wrong: Wrong, here: Path) -> list[str]:
    for name, text in wrong.files.items():
        path = here / "mine" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    for name, edit in wrong.tables.items():
        (here / "tables").mkdir(exist_ok=True)
        shipped = DATA / f"{name}.csv"
        made = edit(shipped.read_text(encoding="utf-8") if shipped.exists() else "")
        raw = made.encode("utf-8") if isinstance(made, str) else made
        (here / "tables" / f"{name}.csv").write_bytes(raw)
    return [*(("--config-dir", "mine") if wrong.files else ()), *wrong.arguments]


def test_there_are_enough() -> None:
    assert len(EVERYTHING) >= 60
    assert len(TABLES) >= 15


@pytest.mark.parametrize(
    "wrong", EVERYTHING, ids=lambda w: f"{' '.join(w.arguments)}-{w.says[-1]}"[:60]
)
def test_sentence(
    wrong: Wrong, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    arguments = lay_out(wrong, tmp_path)
    before = sorted(tmp_path.rglob("*"))
    code = main(["compare", *arguments])
    told = capsys.readouterr()
    assert code == 2, told
    for sentence in wrong.says:
        assert sentence in told.err, told.err
    assert "Traceback" not in told.err
    assert "internal error" not in told.err
    assert told.out == ""
    assert sorted(tmp_path.rglob("*")) == before


def test_all_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                     capsys: pytest.CaptureFixture[str]) -> None:  # fmt: skip
    """Study, scenario and tables are wrong together: one list tells all of it."""
    monkeypatch.chdir(tmp_path)
    wrong = Wrong(
        ("scenario=mine", "seed=-1", "fund.balance_factor=nan", "tables_dir=tables"),
        (),
        {"scenario/mine.yaml": MINE.replace("horizon_days: 5", "horizon_days: 0")},
        {"stocks": swap("rescue_team,872", "rescue_team,-872")},
    )
    assert main(["validate", *lay_out(wrong, tmp_path)]) == 2
    told = capsys.readouterr().err
    assert told.startswith("4 problems in the study")
    for sentence in ("-1 is below 0", "nan is not a finite", "0 is below 1", "-872 is below 0"):
        assert sentence in told


def test_valid_is_said_only_when_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["validate"]) == 0
    assert capsys.readouterr().out.startswith("valid: typhoon_north")
    assert main(["validate", "seed=-1"]) == 2
    assert "valid:" not in capsys.readouterr().out


def test_results_place(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    taken = tmp_path / "taken"
    taken.write_text("a file", encoding="utf-8")
    assert main(["validate", f"results_dir={taken}"]) == 5
    assert "is a file, not a folder" in capsys.readouterr().err
    assert main(["validate", f"results_dir={tmp_path}/{'x' * 300}"]) == 5
    assert "cannot be used: File name too long" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ["compare", "scenario=typhon_north"],
        ["validate", "+budgt=3"],
        ["nonsense"],
        ["data", "check", "x"],
    ],
    ids=" ".join,
)
def test_from_the_shell(arguments: list[str], tmp_path: Path) -> None:
    tool = Path(sys.executable).parent / "nts-sim"
    done = subprocess.run(
        [tool, *arguments], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("1 problem in ")
    assert list(tmp_path.iterdir()) == []
