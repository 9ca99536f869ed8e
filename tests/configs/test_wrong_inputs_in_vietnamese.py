"""What is said of wrong input in Vietnamese is Vietnamese, all of it but what a planner types."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from nts_sim.cli.main import main
from nts_sim.words import speaking
from tests.configs.test_wrong_inputs import FILES, OVERRIDES, TABLES, Wrong, lay_out

ENGLISH = {
    "the", "is", "not", "of", "must", "unknown", "are", "and", "or", "did", "you", "mean", "with",
    "has", "have", "missing", "least", "most", "allowed", "known", "problem", "problems", "study",
    "number", "whole", "write", "command", "line", "row",
}  # fmt: skip
_TYPED = re.compile(r"'[^']*'|\S*[/=_.\[]\S*|(hiện có|đã biết|nhóm): .*")
"""What stays as it is: quoted values, paths, keys, and lists of names a planner may type."""
_PARSER = re.compile(r"(không phải là YAML|dấu nháy kép|không hiểu được tham số): .*")
"""What the readers of YAML, CSV and arguments say themselves."""
_MARKED = re.compile(r"[ăâđêôơưáàảãạắằẳẵặấầẩẫậéèẻẽẹếềểễệíìỉĩịóòỏõọốồổỗộớờởỡợúùủũụứừửữựýỳỷỹỵ]", re.I)


def _english(told: str) -> set[str]:
    kept = (_TYPED.sub(" ", _PARSER.sub(" ", line)) for line in told.splitlines())
    return {word for line in kept for word in re.findall(r"\w+", line.lower())} & ENGLISH


def _told(wrong: Wrong, here: Path, capsys: pytest.CaptureFixture[str], language: str) -> str:
    with speaking("en"):
        assert main(["compare", *lay_out(wrong, here), f"language={language}"]) == 2
    return capsys.readouterr().err


CHOSEN = [*OVERRIDES[::3], *FILES[::3], *TABLES[::2]]


def test_there_are_enough() -> None:
    assert len(CHOSEN) >= 40


@pytest.mark.parametrize(
    "wrong", CHOSEN, ids=lambda w: f"{' '.join(w.arguments)}-{w.says[-1]}"[:60]
)
def test_it_is_said_in_vietnamese(
    wrong: Wrong, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    told = _told(wrong, tmp_path, capsys, "vi")
    first, *problems = told.splitlines()
    assert re.match(r"\d+ lỗi trong ", first)
    assert problems
    for problem in problems:
        assert _MARKED.search(problem.strip().partition("  ")[2]), problem
    assert _english(told) == set(), told


def test_the_check_above_would_notice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Negative control: the same inputs in English hold such words."""
    monkeypatch.chdir(tmp_path)
    plain = [wrong for wrong in CHOSEN if not wrong.files and not wrong.tables][::5]
    found = [bool(_english(_told(wrong, tmp_path, capsys, "en"))) for wrong in plain]
    assert all(found)
