"""One command in two languages: no English word in Vietnamese, data alike in both."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from nts_sim.cli.helptext import VERBS
from nts_sim.cli.language import VARIABLE
from nts_sim.cli.main import main
from nts_sim.words import DEFAULT, speak

_WORDS = (
    "the is are of and with not there which known unknown takes from every cannot has means runs "
    "were was been about each what only than burden cells policies replications table chart"
)
ENGLISH = re.compile(rf"(?<![\w./=:\[-])({_WORDS.replace(' ', '|')})(?![\w./=:-])", re.IGNORECASE)
"""Words that stand by themselves: not in names of files, keys, options and policies."""

SMALL = ("scenario.horizon_days=8", "replications=2", "workers=1")
TWO = (*SMALL, "policy=current_practice,per_capita")
SWEEP = ("sweep", *TWO, "fund.balance_factor=0.5,1")


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("planner")
    before = Path.cwd()
    os.chdir(folder)
    (folder / "mine" / "fund").mkdir(parents=True)
    (folder / "mine" / "fund" / "own.yaml").write_text("language: vi\nbalance_factor: yes\n")
    yield folder
    os.chdir(before)
    speak(DEFAULT)


@pytest.fixture(scope="module")
def finished(here: Path) -> Path:
    assert main(["compare", *TWO, "--quiet", "language=vi"]) == 0
    (done,) = here.glob("results/*/*/DONE.json")
    return done.parent


def _english(text: str) -> list[str]:
    return [line for line in text.splitlines() if ENGLISH.search(line)]


def test_the_list_of_words_finds_english(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    assert len(_english(capsys.readouterr().out)) > 10
    assert _english("the same: 22 of 22 tables") and not _english("policy=current_practice in ra")


@pytest.mark.parametrize("words", [["--help"], *([verb, "--help"] for verb in VERBS)], ids=str)
def test_help_is_in_vietnamese(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*words, "language=vi"]) == 0
    assert _english(capsys.readouterr().out) == []


def _shortly(value: object) -> str:
    return " ".join(value)[:40] if isinstance(value, list) else ""


QUICK = [
    (["doctor"], None, "Python 3"),
    (["data", "list"], 0, "giả định"),
    (["data", "check"], 0, "hợp lệ: các bảng có sẵn"),
    (["data", "find", "ha giang"], 0, "Hà Giang → Tuyên Quang (08)"),
    (["data", "find", "xyzzy"], 0, "Không có gì bắt đầu bằng 'xyzzy'"),
    (["data", "fnd"], 2, "1 lỗi trong dòng lệnh"),
    (["runn"], 2, "có phải ý bạn là run?"),
    (["run", *TWO], 2, "ở đây nhận một phương án"),
    (["validate", *TWO], 0, "hợp lệ: typhoon_north · 2 phương án · 2 lượt mô phỏng"),
    (["validate", "fund=tigt"], 2, "không có fund 'tigt'"),
    (["validate", "fund.balance_facto=1"], 2, "có phải ý bạn là balance_factor?"),
    (["validate", "fund.balance_factor=1,2"], 2, "nhiều giá trị cần có -m hoặc sweep"),
    (["validate", "fund.balance_factor=-1"], 2, "fund.balance_factor"),
    (["validate", "~fund"], 2, "không bỏ được gì ra khỏi nghiên cứu"),
    (["validate", "--config-dir", "nowhere"], 2, "không tồn tại"),
    (["validate", "--config-dir", "mine", "fund=own"], 2, "NTS_SIM_LANGUAGE"),
    (["validate", "tables_dir=nowhere"], 2, "thư mục 'nowhere' không tồn tại"),
    (["sweep", "design=sobl", "seed=1..3"], 2, "không có design 'sobl'"),
    (["sweep", "seed=1..3:0"], 2, "có bước bằng 0"),
    (["sweep", "seed=1..9000000"], 2, "mỗi lần nhiều nhất 100.000 ô"),
    (["discover", "nowhere", "above=1", "colour=red"], 2, "phần viết sau động từ"),
    (["breakeven", "policy=greedy"], 2, "đã cho 0"),
    (["replay", "nowhere"], 2, "không phải là thư mục"),
    (["report", "a", "b", "c"], 2, "lỗi trong"),
]
LONG = [
    (["explain", "FOLDER", "0"], 2, "hãy nêu tên một phương án"),
    (["explain", "FOLDER", "0", "per_capita"], 0, "Kết quả của lệnh:"),
    (["compare", *TWO], 0, "đã có sẵn: results"),
    (["replay", "FOLDER", "workers=1"], 0, "giống hệt: "),
    (["plan", *SMALL, "policy=greedy"], 0, "cơ chế huy động"),
    (
        ["select", *SMALL, "policy=current_practice,do_nothing", "selection.budget=40"],
        0,
        "lượt mô phỏng",
    ),
    ([*SWEEP, "--dry-run"], 0, "2 ô, 8 lượt mô phỏng"),
    (list(SWEEP), 0, "Tốt nhất trong 2 ô"),
]


def _says_in_vietnamese(
    words: list[str], code: int | None, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Run a command; a code of None stands for whatever a machine allows."""
    assert main([*words, "language=vi"]) in ((0, 5) if code is None else (code,))
    told = capsys.readouterr()
    assert says in told.out + told.err
    assert _english(told.out) + _english(told.err) == []


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(("words", "code", "says"), QUICK, ids=_shortly)
def test_a_command_speaks_vietnamese_and_nothing_else(
    words: list[str], code: int | None, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    _says_in_vietnamese(words, code, says, capsys)


@pytest.mark.slow
@pytest.mark.parametrize(("words", "code", "says"), LONG, ids=_shortly)
def test_a_command_that_runs_speaks_vietnamese_and_nothing_else(
    words: list[str], code: int | None, says: str, finished: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    folder = str(finished.relative_to(Path.cwd()))
    given = [folder if word == "FOLDER" else word for word in words]
    _says_in_vietnamese(given, code, says, capsys)


@pytest.mark.slow
def test_numbers_and_names_in_two_languages(
    finished: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compare", *TWO, "--quiet", "language=vi"]) == 0
    vietnamese = capsys.readouterr().out
    assert main(["compare", *TWO, "--quiet"]) == 0
    english = capsys.readouterr().out
    assert "harm vs current_practice" in english
    mean = re.search(r"current_practice  ([\d,]+) \[([\d,]+), ([\d,]+)\]", english)
    assert mean is not None
    low, high = (mean[n].replace(",", ".") for n in (2, 3))
    assert f"{mean[1].replace(',', '.')} [{low}; {high}]" in vietnamese
    assert (finished / "en/report.html").is_file() and (finished / "vi/report.html").is_file()


@pytest.mark.slow
@pytest.mark.parametrize("words", [
    ["compare", *TWO, "--json", "--quiet"], ["data", "find", "bão", "--json"],
    ["replay", "FOLDER", "workers=1", "--json", "--quiet"],
], ids=lambda words: words[0])  # fmt: skip
def test_data_for_machines_know_no_language(
    words: list[str], finished: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = [str(finished) if word == "FOLDER" else word for word in words]
    told = []
    for language in ("vi", "en"):
        assert main([*given, f"language={language}"]) == 0
        told.append(json.loads(capsys.readouterr().out))
    assert told[0] == told[1]


def test_a_language_that_is_not_known_gets_one_sentence(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    speak(DEFAULT)
    assert main(["language=xx", "run"]) == 2
    told = capsys.readouterr().err
    assert told == "1 problem in the command line\n  language  'xx' is not one of en, vi\n"
    monkeypatch.setenv(VARIABLE, "xx")
    assert main(["run"]) == 2
    told = capsys.readouterr().err
    assert told == "1 problem in the command line\n  NTS_SIM_LANGUAGE  'xx' is not one of en, vi\n"
    monkeypatch.setenv(VARIABLE, "vi")
    assert main(["doctor", "--help"]) == 0
    assert "kiểm tra máy này" in capsys.readouterr().out


@pytest.mark.parametrize(("line", "offers"), [
    ("nts-sim language=", "language=en language=vi"),
    ("nts-sim run language=v", "language=vi"),
    ("nts-sim language=vi ru", "run"),
    ("nts-sim language=vi compare fund=", "fund=standard"),
])  # fmt: skip
def test_tab_completes_the_language_and_beside_it(
    line: str, offers: str, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COMP_LINE", line)
    monkeypatch.setenv("COMP_POINT", str(len(line)))
    assert main(["-sc", "query=bash"]) == 0
    assert offers in capfd.readouterr().out
