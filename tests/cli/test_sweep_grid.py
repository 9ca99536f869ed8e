"""From what is written after `sweep` or `-m` to the cells: ranges, zips, designs, one list."""

from __future__ import annotations

import itertools
from collections import Counter
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import qmc

from nts_sim.cli.cells import SweptCells, check_cells
from nts_sim.cli.flags import Flags
from nts_sim.cli.gate import list_options, pass_gate
from nts_sim.cli.grid import MAX_CELLS
from nts_sim.cli.main import main
from nts_sim.cli.overrides import Checked, check_overrides
from nts_sim.cli.ranges import parse_range
from nts_sim.study.sweep.cell import Cell

OPTIONS = list_options(None)
SEEDS = "seed\n1\n"
KEY = "fund.balance_factor"


def checked(words: str) -> Checked:
    return check_overrides(words.split(), OPTIONS, multirun=True, compares=True)


def values(words: str) -> list[object]:
    made = checked(words)
    assert made.problems == ()
    rows = [made.grid.values(number) for number in range(len(made.grid))]
    return [row[0] for row in rows] if len(made.grid.axes) == 1 else list(rows)


def problem(words: str, multirun: bool = True) -> str:
    found = check_overrides(words.split(), OPTIONS, multirun).problems
    return "\n".join(f"{one.where}: {one.what}" for one in found)


def swept(*words: str, verb_wants: str = "either") -> SweptCells:
    opened = pass_gate(["-m", *words], compares=verb_wants != "one policy")
    return SweptCells(opened, Flags(), verb_wants)  # type: ignore[arg-type]


# --- ranges ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("100..1000:100", list(range(100, 1001, 100))),
        ("0..1:0.1", [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0]),
        ("1..5", [1, 2, 3, 4, 5]),
        ("5..1", [5, 4, 3, 2, 1]),
        ("5..1:2", [5, 3, 1]),
        ("5..1:-2", [5, 3, 1]),
        ("-3..3:2", [-3, -1, 1, 3]),
        ("-0.5..0.5:0.5", [-0.5, 0.0, 0.5]),
        ("0..1:0.3", [0.0, 0.3, 0.6, 0.9]),
        ("1e-3..3e-3:1e-3", [0.001, 0.002, 0.003]),
        ("7..7", [7]),
        ("range(1,4)", [1, 2, 3]),
        ("range(0,1,0.1)", [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]),
        ("range(3,0,-1)", [3, 2, 1]),
        ("choice(0.5,2)", [0.5, 2]),
        ("sort(3,1,2)", [1, 2, 3]),
        ("1,2.5,null,true", [1, 2.5, None, True]),
    ],
)
def test_values_of_an_axis(text: str, made: list[object]) -> None:
    got = values(f"{KEY}={text}")
    assert got == made
    assert list(map(type, got)) == list(map(type, made))


@given(st.integers(-10_000, 10_000), st.integers(1, 999), st.integers(0, 300), st.integers(0, 3))
def test_decimals_are_those_nearest_to_the_exact_ones(a: int, s: int, n: int, digits: int) -> None:
    def shown(number: int) -> str:
        exact = Fraction(number, 10**digits)
        return f"{float(exact):.{digits}f}"

    span = parse_range(f"{shown(a)}..{shown(a + n * s)}:{shown(s)}")
    assert span is not None and span.whole == (digits == 0)
    step = span.stepped()
    assert not isinstance(step, str)
    exact = [Fraction(a + index * s, 10**digits) for index in range(n + 1)]
    assert list(span.values(step)) == [float(number) for number in exact]


@pytest.mark.parametrize("text", ["", "..", "1..", "..2", "1...5", "a..b", "1..2:", "1..2:3:4",
                                  "'1..5'", "1,2..3", "0x1..5", "1..5 ", "1 ..5"])  # fmt: skip
def test_what_is_no_range(text: str) -> None:
    assert parse_range(text) is None


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (f"{KEY}=0.2..2", "needs a step, as in 0..1:0.1"),
        (f"{KEY}=1..2:0", "has a step of 0"),
        (f"{KEY}=1..2:-1", "leads away from its end"),
        (f"{KEY}=1,2..3", "a range stands alone"),
        (f"{KEY}=interval(0,1)", "interval(…) is for design="),
        (f"{KEY}=shuffle(1,2)", "shuffle(…) is not used here"),
        (f"{KEY}=range(0,1,0)", "a step that is not 0"),
        (f"{KEY}=range(5,1)", "range(…) holds no value"),
        ("seed=glob(*)", "name the options"),
        ("fund=1..3", "takes the name of one option"),
        ("fund.balance_facter=1..3", "did you mean balance_factor?"),
        ("sed=1,2", "did you mean seed?"),
        ("seed=1,2 seed=3,4", "is given twice"),
        ("seed=1,2 seed=3", "is given twice"),
        ("results_dir=a,b", "is the same for all cells"),
        ("execution=local,dask", "is the same for all cells"),
        ("execution.scheduler=a,b", "is the same for all cells"),
        ("tables_dir=a,b", "is the same for all cells"),
        ("seed=1..100001", "asks for 100,001 cells; at most 100,000"),
        ("seed=1..400 replications=2..400", "asks for 159,600 cells"),
        ("seed=range(0,1000000000000)", "asks for 1,000,000,000,000 cells"),
        ("seed=0..1e999999999:1", "cells; at most 100,000"),
        (f"{KEY}=0..1:1e-999999", "cells; at most 100,000"),
        (f"{KEY}=range(0,1e300,1e-300)", "cells; at most 100,000"),
        ("seed=1..99999 replications=2..99999 plan.draws=2..99999 plan.samples=1..99999",
         "cells; at most 100,000"),
        ("zip=seed,replications seed=1,2 replications=2,3,4", "seed has 2, replications has 3"),
        ("zip=seed,sed seed=1,2", "'sed' has no list of values; did you mean seed?"),
        ("zip=seed,replications seed=1,2 replications=5", "'replications' has no list of values"),
        ("zip=seed seed=1,2", "takes two or more different keys"),
        ("zip=seed,seed seed=1,2", "takes two or more different keys"),
        ("zip=seed,replications zip=seed,plan.draws seed=1,2 replications=2,3 plan.draws=2,3",
         "seed is in two zips"),
        ("design=sobl seed=1,2", "unknown design 'sobl'; did you mean sobol?"),
        ("design=sobol", "has nothing to sample"),
        ("design=sobol design=grid seed=1,2", "design: is given twice"),
        ("design.points=8 seed=1,2", "add design=latin_hypercube"),
        ("design=sobol design.points=x seed=1,2", "'x' is not a whole number from 2"),
        ("design=sobol design.points=1000000 seed=1,2", "is not a whole number from 2 to 100,000"),
        ("design=sobol design.seed=-1 seed=1,2", "'-1' is not a whole number from 0"),
        ("design=sobol design.pionts=8 seed=1,2", "did you mean design.points?"),
        ("design=sobol seed=0.5..2", "takes whole numbers; 0.5..2 has other ends"),
        (f"design=sobol {KEY}=interval(2,1)", "is not an interval"),
        ("design=nowhere.csv", "nowhere.csv: is not there"),
    ],
)  # fmt: skip
def test_what_is_refused(words: str, says: str) -> None:
    assert says in problem(words)


@pytest.mark.parametrize("words", ["seed=1..3", "seed=1,2", f"{KEY}=0..1:0.5"])
def test_several_values_need_a_sweep(words: str) -> None:
    assert "need -m or sweep" in problem(words, multirun=False)


@pytest.mark.parametrize("words", ["zip=seed,replications", "design=sobol", "design.points=4"])
def test_a_design_needs_a_sweep(words: str) -> None:
    assert "use sweep, or add -m" in problem(words, multirun=False)


# --- grids and zips ----------------------------------------------------------------------------


def test_a_grid_is_every_combination_the_last_changing_fastest() -> None:
    made = values(f"seed=1..3 fund=standard,tight {KEY}=0..1:0.5 replications=5")
    assert made == list(itertools.product([1, 2, 3], ["standard", "tight"], [0.0, 0.5, 1.0]))


def test_no_axis_is_one_cell() -> None:
    made = checked("seed=3 fund=tight")
    assert (len(made.grid), made.grid.axes) == (1, ())
    assert made.grid[0] == ("++seed=3", "fund=tight")
    assert made.texts == ("++seed=3", "fund=tight")


def test_hydra_sweeps_are_unfolded_as_hydra_does() -> None:
    """The reference is Hydra's own basic sweeper."""
    from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
    from hydra.core.override_parser.overrides_parser import OverridesParser

    words = ["fund=standard,tight", "++seed=range(1,4)", "++scenario.title='a,b',c",
             "++plan.draws=5", "++scenario.threats=[storm],[storm,flood_landslide]"]  # fmt: skip
    parsed = OverridesParser.create().parse_overrides(words)
    jobs = BasicSweeper.split_arguments(parsed, None)[0]
    grid = check_overrides(words, OPTIONS, multirun=True).grid
    assert [list(cell) for cell in grid] == jobs


def test_zipped_axes_go_together() -> None:
    made = checked("zip=seed,replications zip=plan.draws,plan.samples seed=1..3 plan.draws=2,3 "
                   "fund=standard,tight replications=10..30:10 plan.samples=4,5")  # fmt: skip
    assert made.problems == ()
    assert made.grid.axes == ("seed", "replications", "plan.draws", "plan.samples", "fund")
    rows = [made.grid.values(number) for number in range(len(made.grid))]
    expected = itertools.product(
        [(1, 10), (2, 20), (3, 30)], [(2, 4), (3, 5)], [("standard",), ("tight",)]
    )
    assert rows == [tuple(itertools.chain(*row)) for row in expected]


def test_policies_are_compared_inside_a_cell_or_swept() -> None:
    assert checked("policy=greedy,do_nothing").grid.axes == ()
    assert values("policy=[greedy,do_nothing],[greedy]") == ["[greedy,do_nothing]", "[greedy]"]
    one = check_overrides(["policy=greedy,do_nothing"], OPTIONS, multirun=True, compares=False)
    assert one.grid.axes == ("policy",)
    assert [one.grid[number] for number in range(2)] == [("policy=greedy",), ("policy=do_nothing",)]


# --- sampled designs ---------------------------------------------------------------------------


def test_latin_hypercube_has_one_point_in_each_slice() -> None:
    rows = values(
        f"design=latin_hypercube design.points=50 {KEY}=0..1 seed=1..50 fund=standard,tight"
    )
    factors, seeds, funds = zip(*rows, strict=True)
    assert sorted(int(factor * 50) for factor in factors) == list(range(50))
    assert sorted(seeds) == list(range(1, 51))
    assert Counter(funds) == {"standard": 25, "tight": 25}


def test_sobol_points_are_scipys_and_a_power_of_two() -> None:
    made = checked(f"design=sobol design.points=20 design.seed=3 {KEY}=0.5..2.5 seed=0..9")
    assert made.notes == ("design=sobol: 32 points, the next power of two, in place of 20",)
    expected = qmc.Sobol(2, seed=3).random_base2(5)
    rows = [made.grid.values(number) for number in range(len(made.grid))]
    assert [row[0] for row in rows] == pytest.approx(list(0.5 + 2.0 * expected[:, 0]), rel=1e-5)
    assert [row[1] for row in rows] == [int(10 * share) for share in expected[:, 1]]
    assert all(isinstance(row[1], int) for row in rows)
    assert checked(f"design=sobol {KEY}=0..1").notes == ()


def test_a_sample_is_the_same_for_its_seed_and_another_for_another() -> None:
    words = f"design=latin_hypercube design.points=8 {KEY}=interval(0,1)"
    assert values(words) == values(words)
    assert values(words) != values(f"{words} design.seed=1")


def test_a_sample_takes_listed_values_and_zips_by_their_place() -> None:
    axes = f"{KEY}=0..1:0.25 seed=1,2 replications=5,7"
    rows = values(f"design=sobol design.points=16 zip=seed,replications {axes}")
    assert {row[0] for row in rows} == {0.0, 0.25, 0.5, 0.75, 1.0}
    assert {row[1:] for row in rows} == {(1, 5), (2, 7)}


# --- designs from a file -----------------------------------------------------------------------


def file(folder: Path, text: str | bytes) -> str:
    path = folder / "design.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8"))
    return f"design={path}"


def test_a_row_is_a_cell_and_other_axes_multiply(tmp_path: Path) -> None:
    text = ("\ufefffund,fund.balance_factor,policy,scenario.title\r\n"
            'tight,0.5,"greedy,do_nothing",Bão số 3\r\n'
            'standard,2,[greedy],"it\'s, so"\r\n\r\n')  # fmt: skip
    made = checked(f"seed=1,2 {file(tmp_path, text)}")
    assert made.problems == ()
    assert made.grid.axes == ("seed", "fund", KEY, "policy", "scenario.title")
    assert [made.grid.values(number) for number in range(len(made.grid))] == [
        (1, "tight", 0.5, "[greedy,do_nothing]", "Bão số 3"),
        (1, "standard", 2, "[greedy]", "it's, so"),
        (2, "tight", 0.5, "[greedy,do_nothing]", "Bão số 3"),
        (2, "standard", 2, "[greedy]", "it's, so"),
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("fund.balance_facter\n1\n", "row 1 column fund.balance_facter: unknown; did you mean"),
        ("seed,seed\n1,2\n", "row 1 column seed: appears twice"),
        ("seed,\n1,2\n", "row 1 column 2: has no key"),
        ("fund\ntigt\n", "row 2 column fund: unknown fund 'tigt'; did you mean tight?"),
        ("policy\n\"greedy,gredy\"\n", "row 2 column policy: unknown policy 'gredy'"),
        ("policy\n\"greedy,greedy\"\n", "row 2 column policy: names the same policy twice"),
        ("seed\n1\n\n2\n", "row 3: has 0 cells where the header has 1"),
        ("seed,replications\n1,\n", "row 2 column replications: is blank"),
        ("seed,replications\n1\n", "row 2: has 1 cells where the header has 2"),
        ("seed,replications\n1,2,3\n", "row 2: has 3 cells"),
        ("seed;replications\n1;2\n", "is separated by semicolons"),
        ("seed\n", "has a header and no rows"),
        ("", "is empty"),
        ("seed\n\"1\n", "cannot be read as CSV"),
        ("seed\n1\0\n", "holds NUL bytes"),
        ("seed\n1\n".encode("utf-16"), "is UTF-16, not UTF-8"),
        ("scenario.title\nBão\n".encode("latin-1"), "row 2: is not UTF-8 text"),
        (b"# " + b"x" * (17 << 20), "is larger than 16 MiB"),
        ("seed\n" + "1\n" * 100_001, "has 100,001 rows; at most 100,000"),
        ("seed\n${oc.env:HOME}\n", "row 2 column seed: values are plain"),
        ("scenario.injects\n[1]\n", "holds a list or a table"),
        (f"{KEY}\n\"0,5\"\n", "'0,5' has a decimal comma; write 0.5"),
        ("scenario.title\na\x1b[31m\n", "cannot be printed"),
        ("hydra.run.dir\nx\n", "Hydra's own settings may not be changed"),
        ("+x._target_\nos.system\n", "unknown"),
        ("~seed\n1\n", "row 1 column ~seed: nothing can be taken out"),
        ("results_dir\nx\n", "is the same for all cells"),
        ("design\nx\n", "row 1 column design: unknown"),
        ("policies\nx\n", "cannot be replaced as a whole"),
        ("seed\n" + "x,y\n" * 200, "further on: 150 more problems"),
        ("seed=1,fund\n1,tight\n", "row 1 column seed=1"),
    ],
)  # fmt: skip
def test_a_wrong_file_is_told_by_row_and_column(
    text: str | bytes, says: str, tmp_path: Path
) -> None:
    assert says in problem(file(tmp_path, text))


def test_a_key_is_said_in_one_place(tmp_path: Path) -> None:
    assert "is a column of" in problem(f"{file(tmp_path, SEEDS)} seed=1,2")


@given(st.one_of(st.integers(-(10**18), 10**18), st.floats(allow_nan=False), st.booleans(),
                 st.none(), st.text(st.characters(codec="utf-8"), min_size=1)))  # fmt: skip
def test_a_cell_is_never_read_as_more_than_a_value(value: object) -> None:
    """Whatever stands in a cell: refused, or one value that Hydra reads back as it is."""
    from hydra.core.override_parser.overrides_parser import OverridesParser

    from nts_sim.cli.design_file import _value, written

    cell = str(value).strip()
    got, problems = _value("scenario.title", cell, OPTIONS, lambda key, value: ())
    if problems:
        return
    parsed = OverridesParser.create().parse_override(f"k={written(got)}")
    assert not parsed.is_sweep_override()
    assert repr(parsed.value()) == repr(got)


# --- cells -------------------------------------------------------------------------------------


def test_cells_are_made_anew_each_time() -> None:
    cells = swept("seed=1..3", "fund=tight,standard", "policy=current_practice")
    assert (len(cells), cells.axes) == (6, ("seed", "fund"))
    first, second = list(cells), list(cells)
    assert [cell.number for cell in first] == list(range(6))
    assert [cell.values for cell in first] == [cell.values for cell in second]
    assert [(cell.study.seed, cell.study.fund.name) for cell in first] == [
        cell.values for cell in first
    ]
    assert all(isinstance(cell, Cell) and cell.scenarios[0][1] == 1.0 for cell in first)


def test_what_to_write_gets_the_cell_alone(tmp_path: Path) -> None:
    (tmp_path / "fund").mkdir()
    (tmp_path / "fund" / "mine.yaml").write_text("name: mine\n", encoding="utf-8")
    text = "scenario.title,fund.balance_factor\n'Bão số 3',0.1\nso,2\n"
    cells = swept(
        "--config-dir", str(tmp_path), "fund=mine,tight", file(tmp_path, text), "seed=0..1",
    )  # fmt: skip
    for cell in list(cells)[::3]:
        (alone,) = swept(*cell.overrides)
        assert alone.study == cell.study
        assert not pass_gate(cell.overrides).multirun


def test_a_set_gives_its_members() -> None:
    (cell,) = swept("scenario=north_season", "policy=current_practice")
    assert len(cell.scenarios) > 1
    assert sum(weight for _, weight, _ in cell.scenarios) == pytest.approx(1.0)


def test_problems_of_all_cells_are_one_list(capsys: pytest.CaptureFixture[str]) -> None:
    words = [f"{KEY}=-1..1", "seed=1..5", "resources.stock_factors.boat_crw=1,2", "plan.draws=1,5"]
    assert main(["sweep", *words]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert "-1 is below 0, the least allowed (in 20 of 60 cells)" in told.err
    assert "unknown resource 'boat_crw'; did you mean boat_crew? (in 20 of 60 cells)" in told.err
    assert "1 is below 2, the least allowed (in 30 of 60 cells)" in told.err
    assert told.err.startswith("3 problems")


def test_a_problem_of_a_row_is_told_with_its_row(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    design = file(tmp_path, f"{KEY},seed\n1,1\n-2,2\n1,x\n")
    assert main(["sweep", design]) == 2
    told = capsys.readouterr().err
    assert "design.csv row 3 column fund.balance_factor)" in told
    assert "design.csv row 4 column seed)" in told


def test_there_is_an_end_to_a_list_of_problems(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sweep", f"{KEY}=-5000..-1"]) == 2
    told = capsys.readouterr().err
    assert "there may be more; mend these first" in told
    assert len(told.splitlines()) < 70


def test_worlds_are_built_once_for_cells_that_share_them(monkeypatch: pytest.MonkeyPatch) -> None:
    from nts_sim.cli import cells as module

    built = []

    def counted(*given: object, original: object = module.build_world) -> object:
        built.append(given)
        return original(*given)  # type: ignore[operator]

    monkeypatch.setattr(module, "build_world", counted)
    cells = swept("seed=1..4", "replications=5,6", "fund=standard,tight", "policy=current_practice")
    common = check_cells(cells, lambda number: None)
    assert len(built) == 2
    assert common.study.seed == 1 and "places.csv" in common.inputs


def test_run_takes_one_policy_in_a_cell(capsys: pytest.CaptureFixture[str]) -> None:
    cells = swept("policy=greedy,do_nothing", "seed=1,2", verb_wants="one policy")
    assert [tuple(cell.study.policies) for cell in cells] == [
        ("greedy",), ("greedy",), ("do_nothing",), ("do_nothing",)
    ]  # fmt: skip
    assert main(["run", "-m", "policy=[greedy,do_nothing],[greedy]"]) == 2
    assert "takes one policy here" in capsys.readouterr().err


@pytest.mark.parametrize("verb", ["run", "plan", "validate", "compare"])
def test_dry_run_is_for_sweeps(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([verb, "--dry-run"]) == 2
    assert "is for sweep, and for run and compare with -m" in capsys.readouterr().err


def test_cfg_shows_the_first_cell(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sweep", "--cfg", "job", "seed=7,8", "--multi"]) == 0
    assert "seed: 7\n" in capsys.readouterr().out


# --- through Hydra -----------------------------------------------------------------------------


@pytest.mark.slow
def test_hydra_lists_and_uses_our_plugin(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from hydra.core.plugins import Plugins
    from hydra.plugins.launcher import Launcher
    from hydra.plugins.sweeper import Sweeper

    from nts_sim.cli import sweeping

    plugins = Plugins.instance()
    assert "CellLauncher" in [plugin.__name__ for plugin in plugins.discover(Launcher)]
    assert "CellSweeper" in [plugin.__name__ for plugin in plugins.discover(Sweeper)]
    seen = []

    def work(cells: SweptCells, common: object, flags: Flags, verb: str) -> int:
        seen.append((verb, len(cells), len(list(cells)), flags.dry_run))
        return 3

    monkeypatch.setattr(sweeping, "sweep", work)
    monkeypatch.chdir(tmp_path)
    assert main(["sweep", "seed=1..3", "fund=standard,tight", "--dry-run"]) == 3
    assert main(["run", "-m", "seed=1,2"]) == 3
    assert main(["compare", "--multirun", "policy=current_practice,greedy"]) == 3
    assert seen == [("sweep", 6, 6, True), ("run", 2, 2, False), ("compare", 1, 1, False)]
    assert list(tmp_path.iterdir()) == []


def test_what_stops_a_sweep_comes_out_as_it_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from nts_sim.cli import sweeping
    from nts_sim.errors import PlaceOrMachine

    def work(*given: object) -> int:
        raise PlaceOrMachine("the disk is full")

    monkeypatch.setattr(sweeping, "sweep", work)
    assert main(["sweep", "seed=1,2"]) == 5
    assert capsys.readouterr().err == "the disk is full\n"


def test_without_its_plugin_there_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from nts_sim.cli import gate

    monkeypatch.setattr(gate, "_PLUGIN", "hydra_plugins.nothing_here")
    assert main(["validate"]) == 5
    assert "install nts-sim again" in capsys.readouterr().err


@pytest.mark.slow
def test_one_by_one_a_failed_job_does_not_stop_the_others(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from nts_sim.cli.verbs import validate
    from nts_sim.errors import NoAcceptableSolution

    def work(prepared: object, flags: Flags, failing: tuple[int, ...] = (2,)) -> int:
        seed = prepared.study.seed  # type: ignore[attr-defined]
        if seed in failing:
            raise NoAcceptableSolution("no plan in time")
        print(seed)
        return 0

    monkeypatch.setattr(validate, "_say_valid", work)
    assert main(["validate", "-m", "seed=1..3"]) == 3
    told = capsys.readouterr()
    assert told.out == "1\n3\n"
    assert told.err == "seed=2: no plan in time\n"
    assert main(["validate", "-m", "seed=2,2"]) == 4
    assert main(["validate", "-m", "seed=1,3"]) == 0


def test_limit_is_as_told() -> None:
    assert len(checked("seed=1..1000 replications=2..101").grid) == MAX_CELLS
