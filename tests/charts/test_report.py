"""The report: what its first screen claims, and that nothing in it can run, fetch or mislead."""

from __future__ import annotations

import base64
import hashlib
import re
import time
from collections.abc import Mapping
from functools import cache
from html.parser import HTMLParser
from typing import Any

import pandas as pd
import pytest

from nts_sim.charts import build_charts, view_of
from nts_sim.outcomes.frames import empty
from nts_sim.report import write_report
from nts_sim.report.headline import more_replications, with_interval
from nts_sim.report.layout import linked
from nts_sim.tables.load import load_tables, statuses
from tests.charts import synthetic
from tests.charts.synthetic import BASELINE, BEST, RUN_ID

EVIL = '"><script>alert(1)</script><img src=x onerror=alert(2)>{{ 7*7 }}</style>'


class Page(HTMLParser):
    """What a browser would make of a page: its elements, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.rows: list[list[str]] = []
        self.words: list[str] = []
        self._cell = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {key: value or "" for key, value in attrs}))
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self._cell = True
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th"):
            self._cell = False

    def handle_data(self, data: str) -> None:
        self.words.append(data)
        if self._cell:
            self.rows[-1][-1] += data

    @property
    def text(self) -> str:
        return re.sub(r"[\s\u00a0]+", " ", " ".join(self.words))

    def every(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]


def _page(frames: Mapping[str, pd.DataFrame], manifest: Mapping[str, Any], *, drawn: bool) -> str:
    view = view_of(frames, RUN_ID, BASELINE)
    charts = build_charts(frames, synthetic.geojson(), view) if drawn else {}
    return write_report(frames, manifest, charts)


def _told(frames: Mapping[str, pd.DataFrame], **scenario: Any) -> Page:
    """The page without charts, which take most of the time."""
    return Page(_page(frames, synthetic.manifest(**scenario), drawn=False))


@cache
def _usual() -> str:
    return _page(synthetic.frames(), synthetic.manifest(), drawn=True)


@pytest.fixture
def usual() -> Page:
    return Page(_usual())


# --- the first screen -----------------------------------------------------------------------------


def test_first_screen_answers_the_question(usual: Page) -> None:
    text = usual.text
    assert "Who should get boats?" in text
    assert "not a register" in text
    # harm and cost: 5510 × 0.12 less, ± 2 %; hand-worked from the made-up tables
    assert "fall by 661 bn VND (551 to 771), 12 %" in text
    assert "378 bn VND (369 to 388)" in text
    assert text.index("Who should get boats?") < text.index("661 bn VND") < text.index("378 bn VND")


def test_five_numbers_with_intervals_against_the_baseline(usual: Page) -> None:
    header, *rows = usual.rows[:6]
    assert header[2:4] == ["Optimised plan", "Current practice"]
    told = {row[0]: [cell.replace("\u00a0", " ") for cell in row[1:]] for row in rows}
    assert told["Harm"] == ["bn VND", "4,580 (4,420 to 4,730)", "5,200 (5,040 to 5,360)",
                            "\u2212624 (\u2212728 to \u2212520)"]  # fmt: skip
    assert told["Share of the need served"][3].startswith("+5.59 points (+4.77 to +6.41")
    assert told["Cost of the response"][3].startswith("+68.2")
    assert len(told) == 5 and any("worst" in name for name in told)


def test_who_stays_uncovered_is_named_worst_first(usual: Page) -> None:
    places = synthetic.places("typhoon_north").query("policy == @BEST")
    wide = places.pivot(index="place", columns="metric", values="mean")
    need = wide["need_person_days"]
    share = (wide["unmet_person_days"] / need)[need >= 0.01 * need.sum()]
    names = synthetic.provinces().set_index("code")["name_vi"]
    worst = str(names[share.idxmax()])
    listed = re.search(r"share of their need not met: ([^.]+)\.", usual.text)
    assert listed is not None
    entries = listed.group(1).split("; ")
    shares = [int(entry.split(" ")[-2]) for entry in entries]
    assert entries[0] == f"{worst} {round(100 * share.max())} %"
    assert len(entries) == 5 and shares == sorted(shares, reverse=True)


def _with_burden(**changed: Any) -> dict[str, pd.DataFrame]:
    frames = synthetic.frames()
    table = frames["comparison"]
    mine = (table["policy"] == BEST) & (table["metric"] == "total_burden_bn_vnd")
    for column, value in changed.items():
        table.loc[mine, column] = value
    return frames


def test_not_separable_says_so_and_how_many_more_would_tell() -> None:
    frames = _with_burden(separable=False, diff=-100.0, low=-220.0, high=20.0)
    text = _told(frames).text
    assert "not separable from current practice" in text
    assert "fall by" not in text
    found = re.search(r"Run about ([\d,]+) more replications", text)
    assert found is not None
    # 200·(120/100)² = 288 would do for one policy; over eight Holm asks for t(0.997)
    assert 300 < int(found.group(1).replace(",", "")) < 500
    assert "cheaper or simpler" in text


def test_more_replications_in_closed_form() -> None:
    """Half width 120 at n = 200, difference 100: n = 200·1.44·(1.966/1.972)² ≈ 287, 87 more."""
    row = pd.Series({"n": 200, "diff": -100.0, "low": -220.0, "high": 20.0})
    assert more_replications(row, 1) == pytest.approx(87, abs=2)
    assert more_replications(row.replace(-100.0, 0.0), 1) is None
    assert more_replications(row, 8) > more_replications(row, 2) > more_replications(row, 1)


def test_a_better_policy_that_is_worse_in_something_says_so(usual: Page) -> None:
    """The optimised plan of the made-up tables costs 68 bn VND more, clearly."""
    assert "worse in one thing: cost of the response, +68.2" in usual.text


def test_where_the_baseline_is_best_it_says_so() -> None:
    frames = synthetic.of_policies(synthetic.frames(), BASELINE, "do_nothing", "equal_share")
    page = _told(frames)
    assert "Current practice has the lowest harm and cost together" in page.text
    assert page.rows[0][2:4] == ["Equal shares", "Current practice"]


def test_a_single_policy_gets_no_verdict_and_no_difference() -> None:
    page = _told(synthetic.of_policies(synthetic.frames(), "do_nothing"))
    assert "no verdict" in page.text
    assert "Difference" not in page.rows[0]


def test_a_set_is_judged_as_a_whole() -> None:
    frames = synthetic.set_frames("all_hazards", "typhoon_north", "calm_year")
    frames["summary"].loc[frames["summary"]["scenario"] == "all_hazards", "mean"] *= 2.0
    page = _told(frames, name="all_hazards")
    harm = next(row for row in page.rows if row[0] == "Harm")
    assert harm[2].startswith("9,150")
    assert "whole set of scenarios" in page.text


def test_failed_replications_are_told() -> None:
    failed = pd.DataFrame([("typhoon_north", BEST, 3, "ValueError", "no")],
                          columns=empty("failures").columns)  # fmt: skip
    page = _told(synthetic.frames() | {"failures": failed})
    assert "1 replication failed" in page.text


@pytest.mark.parametrize("frames", [synthetic.empty_frames(), synthetic.calm_frames()],
                         ids=["no rows", "calm"])  # fmt: skip
def test_where_nothing_happened_the_report_still_stands(frames: dict[str, pd.DataFrame]) -> None:
    page = Page(_page(frames, synthetic.manifest(), drawn=True))
    assert "Nobody is in need" in page.text
    assert "Nothing to list." in page.text
    assert "nan" not in page.text.lower().split()


def test_an_interval_is_written_once_and_within_what_can_be() -> None:
    row = pd.Series({"mean": 0.37, "low": -0.08, "high": 1.2, "diff": -0.0775})
    assert with_interval(row, "mean", "share") == "37\u00a0% (0\u00a0% to 100\u00a0%)"
    unknown = pd.Series({"mean": float("nan"), "low": float("nan"), "high": float("nan")})
    assert with_interval(unknown, "mean", "share") == "not known"
    once = pd.Series({"mean": 12.0, "low": float("nan"), "high": float("nan")})
    assert with_interval(once, "mean", "bn VND") == "12"
    points = with_interval(row, "diff", "share", signed=True)
    assert points == "\u22127.75 points (\u22128 to +120)"


def test_of_a_set_the_cost_and_its_payers_are_of_the_same_scenario() -> None:
    frames = synthetic.set_frames("all_hazards", "typhoon_north", "calm_year")
    of_set = frames["summary"]["scenario"] == "all_hazards"
    frames["summary"].loc[of_set, ["mean", "low", "high"]] *= 3.0
    assert "What it costs. 378 bn VND" in _told(frames, name="all_hazards").text


# --- the tables -----------------------------------------------------------------------------------


def _row(page: Page, start: str) -> list[str]:
    return next(row for row in page.rows if row and row[0].startswith(start))


def test_requests_name_authority_amount_and_what_nobody_checked(usual: Page) -> None:
    assert _row(usual, "Framework contracts")[1] == "Provincial chair"
    assert "family kits 800" in _row(usual, "Framework contracts")[3]
    assert "not checked" in _row(usual, "Framework contracts")[-1]
    assert "not checked" in _row(usual, "Declared level")[-1]
    assert "not checked" not in _row(usual, "Aid between provinces")[-1]
    assert "not approvable" in usual.text


def test_orders_carry_reason_and_runner_up_and_automatic_ones_are_left_out(usual: Page) -> None:
    (moved,) = [row for row in usual.rows if "232 rescue teams" in " ".join(row)]
    assert "Hai Phong is short of rescue teams" in moved[-1]
    assert "ask Army and militia" in moved[-1]
    assert "Hải Phòng" in moved and "Hà Nội" in moved
    assert "ceiling 1" in usual.text.lower() and "fund 1" in usual.text.lower()


def test_policies_are_listed_in_rank_with_all_names(usual: Page) -> None:
    ranked = [row for row in usual.rows if len(row) == 8 and row[0].isdigit()]
    assert [int(row[0]) for row in ranked] == list(range(1, 10))
    assert ranked[0][1] == "Optimised plan" and ranked[-1][1] == "Doing nothing"


def test_gaps_are_the_largest_first(usual: Page) -> None:
    resources = ("rescue teams", "family kits")
    rows = [row for row in usual.rows if len(row) == 8 and row[1] in resources]
    assert rows[0][2:] == ["133", "60", "73", "330", "7.3", "90\u00a0%"]
    unmet = [float(row[5]) for row in rows]
    assert unmet == sorted(unmet, reverse=True) and len(rows) == 15


def test_inputs_are_counted_by_status() -> None:
    counted = [list(row) for row in statuses(load_tables())]
    made = synthetic.manifest() | {"input_statuses": counted}
    page = Page(_page(synthetic.frames(), made, drawn=False))
    total = sum(row[3] for row in counted)
    assumed = sum(row[3] for row in counted if row[2] == "assumption")
    row = _row(page, "All tables")
    assert row[1] == f"{total:,}"
    assert row[4].replace("\u00a0", " ") == f"{round(100 * assumed / total)} %"


def test_assumptions_and_sources_are_listed_with_links(usual: Page) -> None:
    assert "Severity is judged by us." in usual.text
    links = [a["href"] for a in usual.every("a")]
    assert "https://example.org/yagi.html" in links  # without the bracket and full stop behind it


# --- safe to open, pass on and print --------------------------------------------------------------


def test_hostile_text_stays_text() -> None:
    frames = {name: table.copy() for name, table in synthetic.frames().items()}
    for column in ("reason", "runner_up", "authority", "legal_basis", "desk"):
        frames["orders"][column] = EVIL
    frames["orders"]["resource"] = frames["gap"]["resource"] = EVIL
    named = [name for name, table in frames.items() if "policy" in table.columns]
    frames |= {name: frames[name].replace({"policy": {"greedy": EVIL}}) for name in named}
    made = synthetic.manifest(title=EVIL, question=EVIL, sources=[EVIL], assumptions=[EVIL])
    made["command"] = ["compare", EVIL]
    html = _page(frames, made, drawn=True)
    page = Page(html)
    assert page.text.count("<script>alert(1)</script>") >= 6  # as text
    assert "{{ 7*7 }}" in page.text and "49" not in page.rows[0]
    _check_harmless(html)


def _check_harmless(html: str) -> None:
    page = Page(html)
    tags = {tag for tag, _ in page.elements}
    assert not tags & {"script", "iframe", "object", "embed", "form", "link", "base", "svg"}
    for tag, attributes in page.elements:
        assert not any(name.startswith("on") or name == "style" for name in attributes), tag
        for name in ("src", "href", "srcset", "action", "poster", "background"):
            if name in attributes:
                _check_address(tag, attributes[name])


def _check_address(tag: str, address: str) -> None:
    if tag == "img":
        assert re.match(r"data:image/(png|svg\+xml);base64,[A-Za-z0-9+/=]+\Z", address)
    else:
        assert tag == "a"
        assert re.match(r"https?://|#|(\.\./)?[\w.-]+\Z", address)


def test_nothing_runs_and_nothing_is_fetched() -> None:
    html = _usual()
    _check_harmless(html)
    (policy,) = [m["content"] for m in Page(html).every("meta")
                 if m.get("http-equiv") == "Content-Security-Policy"]  # fmt: skip
    assert policy.startswith("default-src 'none'") and "script-src" not in policy
    (style,) = re.findall(r"<style>(.*?)</style>", html, re.S)
    assert "url(" not in style and "@import" not in style
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"'sha256-{digest}'" in policy  # or no browser would apply it


@pytest.mark.parametrize("text", [
    "javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "ftp://x.org", "//x.org/a",
])  # fmt: skip
def test_only_web_addresses_become_links(text: str) -> None:
    assert "<a" not in linked(f"see {text} there")


def test_a_link_ends_where_the_address_ends() -> None:
    made = linked('(https://x.org/a_b?c=1&d="><script>)')
    assert 'href="https://x.org/a_b?c=1&amp;d="' in made
    assert "<script>" not in made


def test_pictures_say_what_they_show_and_the_page_is_small(usual: Page) -> None:
    pictures = usual.every("img")
    assert len(pictures) == 7
    assert all(len(picture["alt"]) > 60 for picture in pictures)
    assert len(_usual().encode("utf-8")) < 2_000_000
    assert usual.every("html")[0]["lang"] == "en"
    assert any(meta.get("name") == "viewport" for meta in usual.every("meta"))


def test_the_same_run_gives_the_same_page() -> None:
    made = [_page(synthetic.frames(), synthetic.manifest(), drawn=False) for _ in range(2)]
    assert made[0] == made[1]


@pytest.mark.slow
def test_charts_and_report_take_seconds() -> None:
    """Eight seconds are promised on two cores; twice that here, for a busy machine."""
    started = time.perf_counter()
    _page(synthetic.frames(), synthetic.manifest(), drawn=True)
    assert time.perf_counter() - started < 16.0


def test_what_only_a_perfect_forecast_would_do_is_never_in_focus() -> None:
    tables = synthetic.frames()
    ranking = tables["ranking"].replace({"policy": {BEST: "perfect_information"}})
    summary = tables["summary"].replace({"policy": {BEST: "perfect_information"}})
    shown = view_of(tables | {"ranking": ranking, "summary": summary}, "run", BASELINE)
    assert shown.policy not in (BEST, "perfect_information")
    alone = ranking[ranking["policy"] == "perfect_information"]
    shown = view_of(tables | {"ranking": alone, "summary": summary}, "run", BASELINE)
    assert shown.policy == "perfect_information"
