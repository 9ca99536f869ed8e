"""What a planner's own policy may do wrong, and what the planner is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from nts_sim.cli.main import main

SMALL = ("scenario=border_disease", "replications=2", "workers=1")


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("import sys; sys.exit(0)\n", "SystemExit while the file was read"),
        ("def rule(world, observation):\n    return 1 / 0\n", "ZeroDivisionError"),
        ("def rule(world, observation):\n    raise SystemExit(9)\n", "SystemExit"),
        ("def current_practice(world, observation):\n    return []\n", "rename it"),
        (
            "from nts_sim.decision.model import draw\n"
            "def rule(world, observation):\n    return [draw(99, 0, 1.0)]\n",
            "mechanism 99 does not exist",
        ),
    ],
    ids=["leaves at import", "divides by zero", "leaves when called", "takes a name", "bad index"],
)
def test_a_planners_mistake_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    code: str, sentence: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(code)
    name = "current_practice" if "def current_practice" in code else "rule"
    asked = ["compare", *SMALL, "policy=current_practice", "--policy-file", f"mine.py:{name}"]
    assert main([*asked, "--quiet"]) == 2
    told = capsys.readouterr().err
    assert sentence in told
    assert "internal error" not in told
    assert not list(tmp_path.rglob("DONE.json"))


def test_a_plan_that_is_never_in_time_is_no_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    late = ["policy=expected_value", "solver.time_limit_s=0.000001", "--quiet"]
    assert main(["run", *SMALL, *late]) == 4
    assert "time limit" in capsys.readouterr().err
    assert not list(tmp_path.rglob("DONE.json"))
