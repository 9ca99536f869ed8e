"""A finished run is made again from its manifest: the same, or what changed; or a sentence."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__

from nts_sim.cli.flags import Flags
from nts_sim.cli.main import main
from nts_sim.cli.remake import replayed
from nts_sim.study import store
from nts_sim.study.replay import read_record, recorded_files, verdicts
from nts_sim.tables.load import DATA
from tests.configs.oracle import listening

TOOL = Path(sys.executable).parent / "nts-sim"
SMALL = ("scenario.horizon_days=8", "replications=2", "workers=1", "--quiet")
REFERENCE = Path(__file__).parents[2] / "results" / "reference" / "typhoon_small"
POLICY = """\
def wait(world, observation):
    return []
"""
Change = Callable[[dict[str, Any]], None]


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder of its own, as the working directory of the whole module."""
    folder = tmp_path_factory.mktemp("replay")
    before = Path.cwd()
    os.chdir(folder)
    yield folder
    os.chdir(before)


@pytest.fixture(scope="module")
def finished(here: Path) -> Path:
    """The folder of a small plan of a rule: the verb that draws nothing."""
    assert main(["plan", "policy=per_capita", *SMALL]) == 0
    (done,) = here.glob("results/typhoon_north/*/DONE.json")
    return done.parent


@pytest.fixture
def copy(finished: Path, tmp_path: Path) -> Path:
    """A copy of it that may be spoilt."""
    return Path(shutil.copytree(finished, tmp_path / finished.name))


def spoil(folder: Path, change: Change) -> None:
    """Change a manifest so that its own checksum holds: whoever does that is hostile."""
    manifest = json.loads((folder / store.MANIFEST).read_text(encoding="utf-8"))
    change(manifest)
    put(folder, store.MANIFEST, json.dumps(manifest).encode())


def put(folder: Path, name: str, data: bytes) -> None:
    """Replace a file of a run and its checksum."""
    (folder / name).write_bytes(data)
    done = json.loads((folder / store.DONE).read_text(encoding="utf-8"))
    done["files"][name] = hashlib.sha256(data).hexdigest()
    (folder / store.DONE).write_text(json.dumps(done), encoding="utf-8")


def state(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Every file of a folder, with its time and content."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path): (path.stat().st_mtime_ns, path.read_bytes()) for path in files}


def test_the_same_is_told_and_nothing_is_written(
    finished: Path, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = state(here)
    assert main(["replay", str(finished), "--quiet"]) == 0
    told = capsys.readouterr()
    tables = {
        name.partition(".")[0]
        for name in recorded_files(finished)
        if name.endswith("csv") and "/" not in name
    }
    assert told.out == f"the same: {len(tables)} of {len(tables)} tables\n"
    assert told.err == ""
    assert state(here) == before


def test_a_run_is_found_by_its_id(finished: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", finished.name, "--quiet", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["same"] is True
    assert main(["replay", finished.name, "results_dir=elsewhere"]) == 2
    assert "no run of that name is in elsewhere" in capsys.readouterr().err
    other = finished.parents[1] / "other" / finished.name
    shutil.copytree(finished, other)
    assert main(["replay", finished.name]) == 2
    assert "is in 2 folders" in capsys.readouterr().err
    shutil.rmtree(other.parent)


@pytest.mark.slow
@pytest.mark.parametrize("verb", ["run", "compare", "portfolios"])
def test_every_verb_end_to_end(verb: str, tmp_path: Path) -> None:
    arguments = {
        "run": ["policy=greedy"],
        "compare": ["policy=current_practice,greedy", "scenario=north_season"],
        "portfolios": ["policy=greedy", "measure=training,flood_defences", "plan.draws=2",
                       "plan.evaluation_draws=2"],
    }[verb]  # fmt: skip
    horizon = [] if verb == "compare" else ["scenario.horizon_days=8"]
    one = ["workers=1", "replications=2", *horizon, *arguments]
    done = subprocess.run([TOOL, verb, *one], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (folder,) = (path.parent for path in tmp_path.glob("results/*/*/DONE.json"))
    again = subprocess.run(
        [TOOL, "replay", folder.name, "workers=2"], cwd=tmp_path, capture_output=True, text=True
    )
    assert again.returncode == 0, again.stdout + again.stderr
    assert again.stdout.startswith("the same: ")


@pytest.mark.slow
def test_a_planned_run_is_the_same_again(tmp_path: Path) -> None:
    given = ["scenario.horizon_days=8", "plan.draws=2", "plan.samples=2", "plan.batches=3",
             "plan.batch_draws=2", "plan.evaluation_draws=2", "plan.detail_samples=1",
             f"results_dir={tmp_path}", "--quiet"]  # fmt: skip
    assert main(["plan", *given]) == 0
    (folder,) = (path.parent for path in tmp_path.glob("*/*/DONE.json"))
    made = replayed(read_record(folder), Flags(quiet=True))
    assert all(verdict.same for verdict in verdicts(made, recorded_files(folder), folder))


@pytest.mark.slow
@pytest.mark.parametrize("without", ["", "newer instructions"])
def test_the_reference_is_the_same_on_any_processor(without: str) -> None:
    known = [name for name in __cpu_dispatch__ if __cpu_features__.get(name)]
    environment = {**os.environ, "NPY_DISABLE_CPU_FEATURES": " ".join(known) if without else ""}
    done = subprocess.run(
        [TOOL, "replay", REFERENCE, "workers=1", "--quiet"],
        env=environment, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("the same: 22 of 22 tables")


@pytest.fixture(scope="module")
def sweep(here: Path) -> Path:
    """The folder of a finished small sweep of a set of scenarios."""
    axes = ("fund.balance_factor=0.5..1:0.5", "seed=1..2")
    study = ("scenario=north_season", "policy=current_practice,greedy", "replications=2")
    given = (*axes, *study, "workers=1", "results_dir=swept", "--quiet")
    assert main(["sweep", *given]) == 0
    (done,) = here.glob("swept/*/*/DONE.json")
    return done.parent


@pytest.mark.slow
def test_a_sweep_is_made_again(sweep: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = state(sweep)
    assert main(["replay", str(sweep), "workers=2", "--quiet"]) == 0
    assert capsys.readouterr().out == "the same: 4 of 4 tables\n"
    assert state(sweep) == before


HOSTILE_DESIGN = {
    "cell 9": ('"cell": 1', '"cell": 9', "line 2 is of another cell"),
    "no object": ('{"cell": 2', '[{"cell": 2', "design.jsonl"),
    "values": ('"values": [0.5, 2]', '"values": [0.5]', "1 values for 2 axes"),
    "number": ('"seed": 2}', '"seed": 1e99}', "is not a whole number"),
    "not a number": ('"seed": 2}', '"seed": NaN}', "NaN, which is not a number"),
    "target": ('"differs": {"seed"', '"differs": {"_target_": "os.system", "seed"', "unknown"),
    "scenarios": ('"seed": 2}', '"seed": 2, "scenarios": [["a"]]}', "a name, a weight"),
    "terminal": ('"seed=2"', '"\\u001b[2J"', "cannot be shown"),
}


@pytest.mark.slow
@pytest.mark.parametrize(("old", "new", "says"), HOSTILE_DESIGN.values(), ids=HOSTILE_DESIGN)
def test_a_hostile_design_gets_a_sentence(
    old: str, new: str, says: str, sweep: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = Path(shutil.copytree(sweep, tmp_path / sweep.name))
    text = (copy / "design.jsonl").read_text(encoding="utf-8")
    assert old in text
    put(copy, "design.jsonl", text.replace(old, new).encode())
    assert main(["replay", str(copy), "--quiet"]) == 2
    told = capsys.readouterr()
    assert says in told.err and told.out == ""


# --- what changed ----------------------------------------------------------------------------


def test_a_table_that_holds_something_else_is_told_to_the_cell(
    copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gap = pd.read_parquet(copy / "gap.parquet")
    need = float(gap.loc[6, "need_units"])
    gap.loc[6, "need_units"] = need + 0.25
    put(copy, "gap.parquet", store.parquet_bytes(gap))
    put(copy, "gap.csv", store.csv_bytes(gap))
    assert main(["replay", str(copy), "--quiet"]) == 3
    told = capsys.readouterr().out
    assert "not the same: " in told
    assert f"gap row 7, need_units: {need + 0.25}, made again {need}" in told
    assert "nothing that the manifest tells of has changed since" in told


def test_rows_less_are_told(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    gap = pd.read_parquet(copy / "gap.parquet")
    put(copy, "gap.csv", store.csv_bytes(gap[:-1]))
    assert main(["replay", str(copy), "--quiet"]) == 3
    assert f"gap has {len(gap) - 1} rows, made again {len(gap)}" in capsys.readouterr().out


def test_a_file_that_is_not_what_the_run_wrote_is_told(
    copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (copy / "gap.csv").write_bytes((copy / "gap.csv").read_bytes().replace(b"0", b"1"))
    (copy / "orders.csv").unlink()
    assert main(["replay", str(copy), "--quiet"]) == 3
    told = capsys.readouterr().out
    assert "gap.csv is not the file the run wrote" in told
    assert "1 file that the run wrote are not there any more" not in told
    assert "1 file that the run wrote is not there any more: orders.csv" in told


def test_other_bytes_of_the_same_values_are_the_same(
    copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pd.read_parquet(copy / "gap.parquet").to_parquet(copy / "gap.parquet", compression="gzip")
    put(copy, "gap.parquet", (copy / "gap.parquet").read_bytes())
    assert main(["replay", str(copy), "--quiet"]) == 0
    assert "gap.parquet holds the same values in other bytes" in capsys.readouterr().out


def test_versions_and_modules_that_changed_are_named(
    copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def change(manifest: dict[str, Any]) -> None:
        manifest["versions"]["numpy"] = "1.0"
        manifest["platform"] = "Plan 9 mips"
        manifest["code"]["engine/travel.py"] = "0" * 16
        manifest["code"]["engine/gone.py"] = "1" * 16

    spoil(copy, change)
    assert main(["replay", str(copy), "--quiet"]) == 0
    told = capsys.readouterr().out
    assert "changed since, without effect on the tables:" in told
    assert "numpy: was 1.0, is " in told
    assert "platform: was Plan 9 mips, is " in told
    assert f"code engine/travel.py: was {'0' * 16}, is " in told
    assert f"code engine/gone.py: was {'1' * 16}, is not there" in told


def test_another_seed_gives_other_tables(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spoil(copy, lambda manifest: manifest["config"].update(seed=148))
    assert main(["replay", str(copy), "--quiet"]) == 3
    assert "  gap row " in capsys.readouterr().out


def test_own_tables_are_needed_again_and_checked_first(
    here: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = tmp_path / "mine" / "stocks.csv"
    own.parent.mkdir()
    shipped = (DATA / "stocks.csv").read_text(encoding="utf-8")
    own.write_text(f"{shipped.rstrip()}\n\n", encoding="utf-8")
    given = ["plan", "policy=per_capita", *SMALL, f"results_dir={tmp_path}/r"]
    assert main([*given, f"tables_dir={own.parent}"]) == 0
    (folder,) = (path.parent for path in tmp_path.glob("r/*/*/DONE.json"))
    assert main(["replay", str(folder), f"tables_dir={own.parent}", "--quiet"]) == 0
    assert main(["replay", str(folder), "--quiet"]) == 2
    assert "tables of a planner's own; give them again: tables_dir=" in capsys.readouterr().err
    own.write_text(f"{shipped.rstrip()}\n\n\n", encoding="utf-8")
    assert main(["replay", str(folder), f"tables_dir={own.parent}", "--quiet"]) == 2
    assert "stocks.csv  is not the table the run was made with" in capsys.readouterr().err


def test_an_own_policy_is_needed_again_and_checked_before_it_is_run(
    here: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "mine.py"
    file.write_text(POLICY, encoding="utf-8")
    given = ["plan", *SMALL, f"results_dir={tmp_path}/r", "--policy-file", f"{file}:wait"]
    assert main(given) == 0
    (folder,) = (path.parent for path in tmp_path.glob("r/*/*/DONE.json"))
    assert main(["replay", str(folder), "--quiet", "--policy-file", f"{file}:wait"]) == 0
    assert main(["replay", str(folder), "--quiet"]) == 2
    assert "give the planner's own policy again: FILE.py:wait" in capsys.readouterr().err
    file.write_text(POLICY + f"\nopen({str(tmp_path / 'ran')!r}, 'w')\n", encoding="utf-8")
    assert main(["replay", str(folder), "--policy-file", f"{file}:wait"]) == 2
    assert "is not the file the run was made with" in capsys.readouterr().err
    assert not (tmp_path / "ran").exists()


# --- somebody else's run ---------------------------------------------------------------------


def deep(manifest: dict[str, Any]) -> None:
    """Nest deeper than a reader can follow."""
    nest: list[Any] = []
    for _ in range(500):
        nest = [nest]
    manifest["config"]["scenario"]["sources"] = nest


HOSTILE: dict[str, tuple[Change, str]] = {
    "verb": (lambda m: m.update(verb="__import__('os').system('x')"), "verb"),
    "no config": (lambda m: m.pop("config"), "config"),
    "config is a list": (lambda m: m.update(config=[1]), "config"),
    "empty config": (lambda m: m.update(config={}), "missing"),
    "target": (lambda m: m["config"].update(_target_="os.system"), "unknown"),
    "target below": (lambda m: m["config"]["fund"].update(_target_="os.system"), "unknown"),
    "reference": (lambda m: m["config"].update(baseline="${oc.env:HOME}", policies={}), "policies"),
    "huge seed": (lambda m: m["config"].update(seed=10**30), "most allowed"),
    "huge horizon": (lambda m: m["config"]["scenario"].update(horizon_days=10**9), "most allowed"),
    "text for a number": (lambda m: m["config"].update(replications="2"), "not a whole number"),
    "not a number": (lambda m: m["config"]["network"].update(river_weight=float("nan")), "NaN"),
    "infinite": (lambda m: m["config"]["network"].update(river_weight=float("inf")), "Infinity"),
    "deep": (deep, "sources"),
    "unknown policy": (lambda m: m["config"].update(policies={"x.py:f": {}}), "unknown policy"),
    "policy by path": (
        lambda m: m["inputs"].update({"policy ../x": "0" * 64}), "give the planner's own policy"),
    "input by path": (lambda m: m["inputs"].update({"/etc/passwd": "0" * 64}), "not among the"),
    "input of HTML": (lambda m: m["inputs"].update({"<script>": "0" * 64}), "inputs"),
    "digest": (lambda m: m["inputs"].update({"places.csv": "x"}), "inputs"),
    "terminal": (lambda m: m["versions"].update(numpy="\x1b[2J"), "cannot be shown"),
    "turned": (lambda m: m["versions"].update(numpy="\u202e1.0"), "cannot be shown"),
    "versions": (lambda m: m.update(versions={"numpy": {"a": 1}}), "versions"),
    "code": (lambda m: m.update(code={"../../x": 3}), "code"),
    "members": (lambda m: m.update(members=[{"name": 1}]), "members"),
    "members of no set": (
        lambda m: m.update(members=[{"name": "a", "weight": 1.0, "config": {}}]), "does not hold"),
    "measures": (lambda m: m["config"].update(measures=["a"]), "measures"),
    "table changed": (lambda m: m["inputs"].update({"places.csv": "0" * 64}), "is not the table"),
}  # fmt: skip


@pytest.mark.parametrize(("change", "says"), HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_manifest_gets_a_sentence(
    change: Change, says: str, copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spoil(copy, change)
    before = state(copy)
    with listening() as heard:
        code = main(["replay", str(copy), "--quiet"])
    told = capsys.readouterr()
    assert code == 2, told.err
    assert says in told.err
    assert "Traceback" not in told.err and "\x1b" not in told.err and told.out == ""
    assert heard == []
    assert state(copy) == before


RAW: dict[str, tuple[str, bytes, str]] = {
    "no JSON": (store.MANIFEST, b"{", "manifest.json"),
    "a list": (store.MANIFEST, b"[]", "is not a table of names"),
    "no text": (store.MANIFEST, b"\xff\xfe", "manifest.json"),
    "very deep": (store.MANIFEST, b'{"a":' * 200_000, "nested too deeply"),
    "huge number": (store.MANIFEST, b'{"a": ' + b"9" * 10_000 + b"}", "manifest.json"),
    "huge file": (store.MANIFEST, b" " * (9 * 2**20), "larger than 8 MiB"),
    "files is a list": (store.DONE, b'{"files": []}', "files"),
    "files upwards": (store.DONE, b'{"files": {"a;b": "x"}}', "files"),
}


@pytest.mark.parametrize(("name", "data", "says"), RAW.values(), ids=RAW)
def test_what_is_no_manifest_gets_a_sentence(
    name: str, data: bytes, says: str, copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (copy / name).write_bytes(data)
    assert main(["replay", str(copy), "--quiet"]) == 2
    assert says in capsys.readouterr().err


def test_files_outside_the_folder_are_not_read(
    copy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text("a,b\nsecret,2\n", encoding="utf-8")
    put(copy, "gap.csv", secret.read_bytes())
    (copy / "gap.csv").unlink()
    (copy / "gap.csv").symlink_to(secret)
    done = json.loads((copy / store.DONE).read_text(encoding="utf-8"))
    done["files"]["../secret.csv"] = done["files"]["gap.csv"]
    (copy / store.DONE).write_text(json.dumps(done), encoding="utf-8")
    assert main(["replay", str(copy), "--quiet"]) == 3
    told = capsys.readouterr().out
    assert "gap differs; gap.csv is not there to show where" in told
    assert "secret,2" not in told and "a, b" not in told


def test_a_hostile_table_is_only_looked_at(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(copy, "gap.parquet", b"PAR1 and no more")
    put(copy, "orders.csv", b"\xef\xbb\xbfscenario\n\x1b[2J\n")
    assert main(["replay", str(copy), "--quiet"]) == 3
    told = capsys.readouterr().out
    assert "gap differs; gap.parquet cannot be read to show where" in told
    assert "orders has other columns" in told
    assert "\x1b" not in told
