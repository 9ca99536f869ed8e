"""``report`` on runs of the real tables: size, both languages, one or two runs, wrong input."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from nts_sim.cli.main import main
from nts_sim.report import pdf
from nts_sim.report.html import MOST_BYTES
from nts_sim.study.store import read_results
from tests.charts.test_report import Page, _check_harmless

pytestmark = pytest.mark.slow  # every test reads a run that takes seconds to make

SMALL = ("scenario.horizon_days=8", "replications=2", "workers=1", "--quiet")


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder of its own, as the working directory of the whole module."""
    folder, before = tmp_path_factory.mktemp("reports"), Path.cwd()
    os.chdir(folder)
    yield folder
    os.chdir(before)


def _made(*arguments: str) -> Path:
    """Make a run and return its folder."""
    before = set(Path.cwd().glob("results/*/*/DONE.json"))
    assert main([*arguments]) == 0
    (done,) = set(Path.cwd().glob("results/*/*/DONE.json")) - before
    return done.parent


@pytest.fixture(scope="module")
def two(here: Path) -> tuple[Path, Path]:
    """Two small comparisons that differ in one thing."""
    policies = "policy=current_practice,per_capita"
    return (_made("compare", *SMALL, policies),
            _made("compare", *SMALL, policies, "mechanism.lead_factor=2"))  # fmt: skip


def test_a_run_has_report_workbook_and_map(two: tuple[Path, Path]) -> None:
    names = ("en/report.html", "en/report.xlsx", "map.geojson", "finance.csv", "mechanisms.csv")
    listed = json.loads((two[0] / "DONE.json").read_text("utf-8"))["files"]
    assert set(names) <= set(listed)
    collection = json.loads((two[0] / "map.geojson").read_text("utf-8"))
    assert any(f["properties"].get("need_person_days") for f in collection["features"])


def test_what_is_spent_adds_up_to_the_cost(two: tuple[Path, Path]) -> None:
    frames = read_results(two[0])
    summary = frames["summary"]
    cost = summary[(summary["metric"] == "cost_bn_vnd") & (summary["key"] == "all")]
    spent = frames["finance"].groupby("policy")["spent_bn_vnd"].sum()
    for row in cost.to_dict("records"):
        assert spent[row["policy"]] == pytest.approx(row["mean"])


def test_two_runs_are_put_beside_the_first(
    two: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    before = [sorted(p for p in run.rglob("*") if p.is_file()) for run in two]
    for language in ("en", "vi"):
        assert main(["report", *map(str, two), f"language={language}"]) == 0
        page, book = map(Path, capsys.readouterr().out.split())
        assert page.parent == book.parent and page.parent.name == language
        assert page.parents[2] == two[0].parent
        assert "mechanism.lead_factor" in Page(page.read_text("utf-8")).text
    assert before == [sorted(p for p in run.rglob("*") if p.is_file()) for run in two]


def test_wrong_input_is_told_in_a_sentence_each(
    two: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = map(str, two)
    for arguments, told in (
        ([first, first], "is the same run as the first"),
        ([first, "nowhere"], "is not there"),
        (["nowhere", "."], "is not a finished run"),
        ([first, second, first], "one folder"),
        ([first, "format=doc"], "unknown format doc"),
        ([], "one folder"),
    ):
        assert main(["report", *arguments]) == 2
        assert told in capsys.readouterr().err


def test_runs_of_two_kinds_are_not_compared(
    two: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = tmp_path / "planned"
    shutil.copytree(two[1], copy)
    manifest = json.loads((copy / "manifest.json").read_text("utf-8"))
    for verb, told in (("plan", "made by plan"), ("select", "has no report")):
        text = json.dumps(manifest | {"verb": verb})
        (copy / "manifest.json").write_text(text, "utf-8")
        assert main(["report", str(two[0]), str(copy)]) == 2
        assert told in capsys.readouterr().err


def test_without_a_browser_a_pdf_is_refused_and_nothing_written(
    two: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(pdf.VARIABLE, "nowhere")
    digests = (two[0] / "DONE.json").read_bytes()
    assert main(["report", str(two[0]), "format=pdf", "language=vi"]) == 5
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert (two[0] / "DONE.json").read_bytes() == digests


@pytest.mark.parametrize("study", [["experiment=typhoon_north"], ["scenario=compound"]],
                         ids=["typhoon_north", "compound"])  # fmt: skip
def test_reports_of_real_runs_stay_small_in_both_languages(here: Path, study: list[str]) -> None:
    policies = "policy=current_practice,greedy,informed_practice"
    run = _made("compare", *study, "replications=4", "workers=1", policies, "--quiet")
    assert main(["report", str(run), "language=vi"]) == 0
    for language in ("en", "vi"):
        html = (run / language / "report.html").read_text("utf-8")
        assert len(html.encode()) <= MOST_BYTES
        _check_harmless(html)
        assert html.count("<img") >= 5


def test_a_plan_has_a_report_too(here: Path) -> None:
    few = ("plan.draws=4", "plan.samples=2", "plan.detail_samples=2", "plan.batches=3",
           "plan.batch_draws=2", "plan.evaluation_draws=4")  # fmt: skip
    run = _made("plan", "policy=expected_value", *SMALL, *few)
    page = Page((run / "en/report.html").read_text("utf-8"))
    assert "Order on day 0" in page.text and "Harm" in page.text
    assert main(["report", str(run), "language=vi"]) == 0
    assert len((run / "vi/report.html").read_bytes()) <= MOST_BYTES
