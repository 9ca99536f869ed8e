"""Whatever language is spoken, the tables of a run are the same bytes; only its pages differ."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pandas as pd
import pytest

from nts_sim.cli.main import main
from nts_sim.words import speaking

OWN = """\
from nts_sim.decision.model import declare


def mine(world, observation):
    return [declare(0, 1, "vì tôi muốn thế")]
"""
ASKED = (
    "scenario.horizon_days=8", "replications=2", "workers=1", "baseline=current_practice",
    "policy=current_practice,greedy",
)  # fmt: skip


def _tables(folder: Path) -> dict[str, str]:
    (done,) = folder.glob("results/*/*/DONE.json")
    files = [path for path in done.parent.iterdir() if path.suffix in (".csv", ".parquet")]
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def _made(language: str, here: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    here.mkdir()
    (here / "own.py").write_text(OWN, encoding="utf-8")
    monkeypatch.chdir(here)
    own = ("--policy-file", "own.py:mine", "--quiet", f"language={language}")
    with speaking("en"):
        assert main(["compare", *ASKED, *own]) == 0
    return _tables(here)


@pytest.mark.slow
def test_tables_are_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With rules and an own policy."""
    english = _made("en", tmp_path / "english", monkeypatch)
    told = capsys.readouterr()
    vietnamese = _made("vi", tmp_path / "vietnamese", monkeypatch)
    assert capsys.readouterr() != told
    assert len(english) > 15
    assert vietnamese == english
    (orders,) = tmp_path.glob("vietnamese/results/*/*/orders.csv")
    reasons = set(pd.read_csv(orders)["reason"].dropna())
    own = {reason for reason in reasons if not reason.startswith("why.")}
    assert own == {"vì tôi muốn thế"}
    assert len(reasons) > 5
