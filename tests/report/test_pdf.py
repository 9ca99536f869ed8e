"""Printing: which browser is found, and what is said where none is, or it does not print."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

from nts_sim.errors import PlaceOrMachine
from nts_sim.report import pdf

CHROME = next((name for name in pdf._BROWSERS if shutil.which(name)), None)
posix = pytest.mark.skipif(os.name != "posix", reason="scripts as programs")


def _browser(folder: Path, body: str, name: str = "chromium") -> Path:
    """A program that a test can take for a browser."""
    program = folder / name
    program.write_text(f"#!{sys.executable}\nimport sys\n{body}\n", encoding="utf-8")
    program.chmod(0o755)
    return program


_PRINTS = """
made = next(word for word in sys.argv if word.startswith('--print-to-pdf=')).partition('=')[2]
assert '--headless' in sys.argv and any('NOTFOUND' in word for word in sys.argv)
open(made, 'wb').write(b'%PDF-1.4 ' + sys.argv[-1].encode())
"""


def test_without_a_browser_one_sentence_says_so(tmp_path: Path) -> None:
    with pytest.raises(PlaceOrMachine, match="no browser") as refused:
        pdf.browser({"PATH": str(tmp_path)})
    assert refused.value.exit_code == 5
    assert "chromium" in str(refused.value) and pdf.VARIABLE in str(refused.value)


@posix
def test_the_browser_named_is_taken_before_those_known(tmp_path: Path) -> None:
    known, mine = _browser(tmp_path, ""), _browser(tmp_path, "", "mine")
    assert pdf.browser({"PATH": str(tmp_path)}) == str(known)
    assert pdf.browser({"PATH": str(tmp_path), pdf.VARIABLE: str(mine)}) == str(mine)
    with pytest.raises(PlaceOrMachine, match="nowhere"):
        pdf.browser({"PATH": str(tmp_path), pdf.VARIABLE: "nowhere"})


@posix
def test_it_prints_without_network_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(pdf.VARIABLE, str(_browser(tmp_path, _PRINTS)))
    made = pdf.printed(b"<p>x</p>")
    assert made.startswith(b"%PDF-")
    page = made.decode().partition(" file://")[2]
    assert page and not Path(page).exists()


@posix
@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("sys.exit('cannot open display')", "cannot open display"),
        (_PRINTS.replace("%PDF-1.4", "<html>"), "is no PDF"),
        ("", "No such file"),
        ("import time; time.sleep(30)", "longer than 0.5 seconds"),
    ],
    ids=["fails", "no pdf", "nothing", "hangs"],
)
def test_a_browser_that_does_not_print_is_told_in_one_sentence(
    body: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(pdf.VARIABLE, str(_browser(tmp_path, body)))
    monkeypatch.setattr(pdf, "_TIME_LIMIT_S", 0.5 if "sleep" in body else 20)
    with pytest.raises(PlaceOrMachine, match=told):
        pdf.printed(b"<p>x</p>")


@pytest.mark.slow
@pytest.mark.skipif(CHROME is None, reason="no browser on this machine")
def test_a_browser_of_this_machine_prints_a_page() -> None:
    assert pdf.printed("<h1>Báo cáo</h1>".encode()).startswith(b"%PDF-")
