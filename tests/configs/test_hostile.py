# ruff: noqa: E501 - sentences and hostile lines stand whole
"""No file and no override makes code run, reads the environment or writes: S1 of the promises.

The oracle is Python's own audit events, not our belief about what Hydra does.
"""

from __future__ import annotations

import importlib
import os
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from nts_sim.cli.main import main
from tests.configs.oracle import listening

HONEST = """\
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


@dataclass(frozen=True)
class Case:
    """A hostile folder or command line, and a piece of the sentence it must get."""

    name: str
    says: str
    files: dict[str, str | bytes] = field(default_factory=dict)
    arguments: tuple[str, ...] = ("scenario=mine",)


def _scenario(text: str) -> dict[str, str | bytes]:
    return {"scenario/mine.yaml": text}


def _bomb() -> str:
    lines = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    lines += [
        f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]"
        for a, b in zip("abcdefgh", "bcdefghi", strict=True)
    ]
    return "\n".join(lines)


NEVER_CODE = "a configuration names choices, never code"
NEIGHBOUR = "may only refer to a neighbouring key"
HYDRA_SETTINGS = "Hydra's own settings may not be changed"
HANDLER = "    handlers: {f: {class: logging.FileHandler, filename: CANARY}}\n"

CASES = [
    Case("log handler", NEVER_CODE,
         _scenario(f"# @package _global_\nhydra:\n  job_logging:\n{HANDLER}")),
    Case("log handler factory", NEVER_CODE,
         _scenario("# @package _global_\nhydra:\n  job_logging: {handlers: {x: {(): os.system}}}\n")),
    Case("package hydra", "is not _global_",
         _scenario("# @package hydra.job_logging\nversion: 1\n")),
    Case("package hydra after a comment", "is not _global_",
         _scenario("# words\n#   @package   hydra\nrun: {dir: CANARY}\n")),
    Case("package written twice", "is not _global_",
         _scenario("# @package scenario\n# @package hydra\nname: x\n")),
    Case("run folder", NEVER_CODE,
         _scenario("# @package _global_\nhydra: {run: {dir: CANARY}}\n")),
    Case("run folder, quoted key", NEVER_CODE,
         _scenario("# @package _global_\n'hydra': {run: {dir: CANARY}}\n")),
    Case("run folder, dotted key", NEVER_CODE,
         _scenario("# @package _global_\nhydra.run.dir: CANARY\n")),
    Case("callback", NEVER_CODE,
         _scenario(HONEST + "callbacks: {x: {_target_: os.system, command: touch CANARY}}\n")),
    Case("target in a list", NEVER_CODE,
         _scenario(HONEST + "extra: [{_target_: subprocess.run}]\n")),
    Case("target, escaped letters", NEVER_CODE,
         _scenario(HONEST + 'extra: {"\\x5ftarget_": subprocess.run}\n')),
    Case("ext", NEVER_CODE, _scenario(HONEST + "extra: ext://os.system\n")),
    Case("cfg", NEVER_CODE, _scenario(HONEST + "extra: cfg://handlers\n")),
    Case("python tag", "configurations are plain data",
         _scenario("a: !!python/object/apply:os.system ['touch CANARY']\n")),
    Case("own tag", "configurations are plain data", _scenario("a: !thing {x: 1}\n")),
    Case("alias bomb", "anchors and aliases", _scenario(_bomb())),
    Case("merge key", "anchors and aliases", _scenario("a: &a {x: 1}\nb:\n  <<: *a\n")),
    Case("key twice", "is given twice", _scenario(HONEST + "name: again\n")),
    Case("key twice, deep", "is given twice", _scenario(HONEST + "warning_days: {a: 1, a: 2}\n")),
    Case("deep", "nested deeper", _scenario("a: " + "[" * 5_000 + "]" * 5_000)),
    Case("deep mapping", "nested deeper", _scenario("a: " + "{a: " * 200 + "1" + "}" * 200)),
    Case("many entries", "entries", _scenario("a: [" + "1," * 30_000 + "]")),
    Case("large", "larger than 1 MiB", _scenario("# " + "x" * (1 << 20) + "\n" + HONEST)),
    Case("two documents", "several documents", _scenario(HONEST + "---\na: 1\n")),
    Case("environment", NEIGHBOUR, _scenario(HONEST.replace("made up", '"${oc.env:HOME}"'))),
    Case("decode", NEIGHBOUR, _scenario(HONEST.replace("made up", '"${oc.decode:x}"'))),
    Case("hydra resolver", NEIGHBOUR, _scenario(HONEST.replace("made up", '"${hydra:runtime.cwd}"'))),
    Case("clock", NEIGHBOUR, _scenario(HONEST.replace("made up", '"${now:%Y}"'))),
    Case("hydra node", NEIGHBOUR,
         _scenario(HONEST.replace("made up", '"${....hydra.runtime.cwd}"'))),
    Case("doubling text", NEIGHBOUR, _scenario(HONEST + 'a: "${.name}${.name}"\n')),
    Case("nested reference", NEIGHBOUR, _scenario(HONEST + 'a: "${.${.name}}"\n')),
    Case("reference in a key", "may not refer", _scenario(HONEST + '"${.name}": 1\n')),
    Case("many references", "more than 16 times",
         _scenario(HONEST + "".join(f"k{i}: ${{.name}}\n" for i in range(20)))),
    Case("default hydra", "unknown group",
         _scenario("defaults:\n  - override /hydra/job_logging: colorlog\n" + HONEST)),
    Case("default launcher", "unknown group",
         _scenario("defaults:\n  - /hydra/launcher: basic\n" + HONEST)),
    Case("default out of the folder", "is not the plain name",
         _scenario("defaults:\n  - ../../outside\n" + HONEST)),
    Case("default option out of the folder", "unknown fund",
         _scenario("defaults:\n  - /fund: ../../outside\n" + HONEST)),
    Case("default into hydra's package", "unknown group",
         _scenario("defaults:\n  - /fund@hydra.run: tight\n" + HONEST)),
    Case("default by reference", "unknown fund",
         _scenario("defaults:\n  - /fund: ${oc.env:HOME}\n" + HONEST)),
    Case("default itself", "cannot be put together", _scenario("defaults:\n  - mine\n" + HONEST)),
    Case("folder hydra", "is not in the folder of a group",
         {"hydra/job_logging/x.yaml": "version: 1\n"}, ()),
    Case("primary configuration", "is not in the folder of a group",
         {"config.yaml": "seed: 1\n"}, ()),
    Case("shipped option hidden", "is shipped already",
         {"scenario/typhoon_north.yaml": HONEST}, ("scenario=typhoon_north",)),
    Case("where results go", "on the command line only",
         _scenario("# @package _global_\nresults_dir: CANARY\n")),
    Case("NUL", "is not YAML", _scenario("a: \x00\n")),
    Case("UTF-16", "is not UTF-8", {"scenario/mine.yaml": HONEST.encode("utf-16")}),
    Case("no text at all", "is not UTF-8", {"scenario/mine.yaml": bytes(range(128, 256))}),
    *[
        Case(argument, says, {}, (argument,))
        for argument, says in [
            ("hydra.run.dir=CANARY", HYDRA_SETTINGS),
            ("hydra.sweep.dir=CANARY", HYDRA_SETTINGS),
            ("++hydra.run.dir=CANARY", HYDRA_SETTINGS),
            ("+hydra.callbacks.x._target_=os.system", HYDRA_SETTINGS),
            ("hydra/job_logging=default", HYDRA_SETTINGS),
            ("+hydra/launcher=joblib", HYDRA_SETTINGS),
            ("hydra.searchpath=[file://CANARY]", HYDRA_SETTINGS),
            ("+hydra.job.env_set.LD_PRELOAD=x", HYDRA_SETTINGS),
            ("hydra.output_subdir=x", HYDRA_SETTINGS),
            ("~hydra.job_logging", HYDRA_SETTINGS),
            ("fund@hydra.run=tight", HYDRA_SETTINGS),
            ("results_dir=${oc.env:HOME}", "values on the command line are plain"),
            ("+x._target_=os.system", "unknown"),
            ("scenario=../../outside", "unknown scenario"),
            ("scenario=/etc/passwd", "unknown scenario"),
            ("seed=" + "[" * 500, "too deeply nested"),
            ("seed=" + "1" * 30_000, "too long"),
            ("--config-path=CANARY", "--config-path is not used"),
            ("--config-pa=CANARY", "--config-path is not used"),
            ("-cp=CANARY", "--config-path is not used"),
            ("--config-name=x", "--config-name is not used"),
            ("--experimental-rerun=CANARY", "pickled"),
            ("--exp=CANARY", "pickled"),
        ]
    ],
    Case("endless multirun", "at most 100,000", {}, ("-m", "seed=range(0,1000000000000)")),
    Case("policy file from a list", "is not FILE.py:function", {}, ("--policy-file=os:system",)),
]  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def _imports_are_done() -> None:
    """Import everything once, so that late imports do not sound like anything."""
    importlib.import_module("nts_sim.cli.prepare")
    main(["validate", "scenario=nothing_of_the_kind"])


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "outside.yaml").write_text("name: outside\n", encoding="utf-8")
    made = tmp_path / "theirs"
    made.mkdir()
    return made


def _fill(folder: Path, files: dict[str, str | bytes]) -> tuple[str, ...]:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        raw = text if isinstance(text, bytes) else text.encode("utf-8")
        path.write_bytes(raw.replace(b"CANARY", bytes(folder.parent / "canary")))
    return ("--config-dir", str(folder)) if files else ()


@pytest.mark.parametrize("verb", ["validate", "compare"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name[:40])
def test_refused_and_nothing_happens(
    case: Case, verb: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = _fill(folder, case.files)
    arguments = [a.replace("CANARY", str(folder.parent / "canary")) for a in case.arguments]
    present = sorted(folder.parent.rglob("*"))
    started = time.perf_counter()
    with listening() as heard:
        code = main([verb, *before, *arguments])
    told = capsys.readouterr()
    assert code == 2, told
    assert case.says in told.err
    assert "Traceback" not in told.err
    assert told.out == ""
    assert heard == []
    assert sorted(folder.parent.rglob("*")) == present
    assert time.perf_counter() - started < 2.0


def test_a_link_out_of_the_folder_is_refused(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "scenario").mkdir()
    (folder / "scenario" / "mine.yaml").symlink_to(folder.parent / "outside.yaml")
    assert main(["validate", "--config-dir", str(folder), "scenario=mine"]) == 2
    assert "is a link out of the folder" in capsys.readouterr().err


def test_the_guard_of_hydra_is_not_left_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HYDRA_INSTANTIATE_ALLOWLIST_OVERRIDE", "*")
    main(["validate", "scenario=nothing_of_the_kind"])
    assert "HYDRA_INSTANTIATE_ALLOWLIST_OVERRIDE" not in os.environ


def test_honest_folder_passes(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = _fill(folder, _scenario(HONEST))
    with listening() as heard:
        code = main(["compare", *before, "scenario=mine", "--cfg", "job"])
    told = capsys.readouterr()
    assert code == 0, told.err
    assert "name: mine" in told.out
    assert heard == []


@pytest.mark.parametrize(
    "text",
    [
        "# @package hydra.run\ndir: CANARY\n",
        "# @package hydra.job_logging\nroot: {handlers: [f]}\n"
        "handlers: {f: {class: logging.FileHandler, filename: CANARY}}\n",
    ],
    ids=["run folder", "log handler"],
)
def test_control_without_the_gate_the_oracle_hears_it(folder: Path, text: str) -> None:
    """Negative control: the same files given to Hydra directly do write."""
    from nts_sim.cli import hydra_app

    before = _fill(folder, {"experiment/mine.yaml": text})
    with listening() as heard:
        hydra_app._call_hydra("validate", [*before, "experiment=mine"], lambda _: None)
    assert any("canary" in event for event in heard)
