"""The gallery has every chart, three times, in every language, on a page of its own."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from functools import cache
from itertools import combinations
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

import nts_sim.charts
from nts_sim.charts import Chart, View, view_of
from nts_sim.charts.frame import empty_chart, open_chart
from nts_sim.charts.ground import ground_of
from nts_sim.charts.style import MAP_COLOURS, OKABE_ITO
from nts_sim.charts.sweep_cells import nothing_chart
from nts_sim.errors import InvalidInput
from nts_sim.outcomes.frames import frame
from nts_sim.outcomes.insight.sensitivity import (
    Design,
    morris_design,
    sensitivity_table,
    sobol_design,
)
from nts_sim.report.gallery_list import GALLERY
from nts_sim.report.gallery_material import (
    LONG,
    Material,
    Swept,
    emptied,
    read_material,
    with_long_names,
)
from nts_sim.report.gallery_page import drawn, gallery_html
from nts_sim.tables.load import load_map_table
from nts_sim.words import languages, say, speaking
from tests.charts import synthetic
from tests.charts.synthetic import BASELINE, BEST, RUN_ID, SCENARIO
from tests.charts.test_sweep_charts import _faults
from tests.insight.sweeps import METRIC, axes_of, cells_of, grid, results_of, summary_of

_TOOLS = (open_chart, empty_chart, nothing_chart)
"""What charts are made with; not charts."""
_INPUTS = ("information.lag_days", "resources.stock_factor", "fund.balance_factor")


# --- nothing is left out ----------------------------------------------------------------------


def _chart_functions() -> Iterator[Callable[..., Chart]]:
    """Every public function of the charts' package that returns a chart."""
    for module in pkgutil.iter_modules(nts_sim.charts.__path__):
        found = importlib.import_module(f"nts_sim.charts.{module.name}")
        for name, function in inspect.getmembers(found, inspect.isfunction):
            made = inspect.signature(function).return_annotation in ("Chart", Chart)
            if made and not name.startswith("_") and function not in _TOOLS:
                yield function


def test_every_chart_there_is_stands_in_the_gallery() -> None:
    there = set(_chart_functions())
    assert len(there) > 20
    assert {function.__name__ for function in there - {s.makes for s in GALLERY.values()}} == set()


@pytest.mark.parametrize("language", languages())
def test_every_chart_has_a_title_of_its_own(language: str) -> None:
    with speaking(language):
        titles = [say(f"gallery.chart.{name}") for name in GALLERY]
    assert len(set(titles)) == len(titles)


# --- what they are drawn from -----------------------------------------------------------------


def _burden(at: dict[str, float], policy: str) -> float:
    lag, stock = at.get("information.lag_days", 1.0), at.get("resources.stock_factor", 1.0)
    funds = min(0.5, at.get("fund.balance_factor", 1.0))
    gain = 60.0 - 20.0 * lag if policy == BEST else 0.0
    return 2600.0 + 180.0 * lag - 400.0 * stock - 600.0 * funds - gain


def _swept(cells: pd.DataFrame) -> Swept:
    results = results_of(cells, [BASELINE, BEST], _burden, own_noise=2.0)  # type: ignore[arg-type]
    summary = summary_of(results, axes_of(cells), BASELINE)
    harm = summary.assign(metric="harm_bn_vnd")
    view = View(SCENARIO, SCENARIO, BEST, BASELINE, RUN_ID, 20)
    results = results.assign(harm_bn_vnd=results[METRIC])
    return Swept(cells.assign(scenario=SCENARIO), pd.concat([summary, harm]), results,
                 tuple(axes_of(cells)), view)  # fmt: skip


def _sampled(design: Design) -> pd.DataFrame:
    values = np.array([_burden(dict(zip(_INPUTS, shares, strict=True)), BASELINE)
                       for shares in design.shares])  # fmt: skip
    return sensitivity_table(design, values, SCENARIO, BASELINE, METRIC, "bn VND")


def _plan() -> dict[str, pd.DataFrame]:
    """Tables of a plan in which money and one mechanism are worth something."""
    who = {"scenario": [SCENARIO] * 2, "policy": [BEST] * 2}
    made = {
        "marginal_money": frame("marginal_money", who | {
            "source": ["fund", "preparation"], "fund": ["local_contingency", "preparation"],
            "owner": ["Hải Phòng", ""], "from_day": [0.0, 0.0], "saved_per_bn_vnd": [4.0, 2.0],
            "checked_bn_vnd": [3.5, 2.1], "holds_to_bn_vnd": [10.0, 30.0],
        }),
        "lead_value": frame("lead_value", who | {
            "mechanism": ["military", "all"], "saved_bn_vnd": [7.0, 9.0],
            "planned_again": [True, True],
        }),
        "contributions": frame("contributions", who | {
            "mechanism": ["military", "mutual_aid"], "share_bn_vnd": [60.0, 40.0],
            "share": [0.6, 0.4], "standard_error_bn_vnd": [3.0, 0.0],
        }),
        "orders": synthetic.orders(SCENARIO),
    }  # fmt: skip
    return synthetic.empty_frames() | made


@cache
def _tables() -> dict[str, object]:
    sample = cells_of(pd.DataFrame(sobol_design(_INPUTS, 8, 1).shares, columns=list(_INPUTS)))
    run = synthetic.frames()
    many = synthetic.set_frames("all_hazards", SCENARIO, "flood_central")
    return {
        "run": run, "run_view": view_of(run, RUN_ID, BASELINE),
        "many": many, "many_view": view_of(many, RUN_ID, BASELINE), "plan": _plan(),
        "plan_view": View(SCENARIO, SCENARIO, BEST, "", RUN_ID, 6),
        "money": _swept(grid(fund__balance_factor=[0.0, 0.25, 0.5, 1.0])),
        "heat": _swept(grid(information__lag_days=[0.0, 2.0, 4.0],
                            resources__stock_factor=[0.5, 1.0])),
        "names": _swept(grid(resources=["lean", "standard", "strong"])),
        "sample": _swept(sample), "morris": _sampled(morris_design(_INPUTS, 6, 1)),
        "sobol": _sampled(sobol_design(_INPUTS, 16, 1)),
        "communes": load_map_table("communes_08"),
    }  # fmt: skip


def _material() -> Material:
    return Material(**_tables(), ground=ground_of(synthetic.geojson()))  # type: ignore[arg-type]


def test_long_names_are_long_everywhere_and_numbers_stay() -> None:
    real = _material()
    long = with_long_names(real)
    assert long.run["summary"]["policy"].str.len().min() > len(LONG)
    assert long.run["summary"]["mean"].equals(real.run["summary"]["mean"])
    assert all(LONG in name for name in long.ground.names.values())
    assert long.run_view.policy in set(long.run["summary"]["policy"])
    assert long.communes["name_vi"].str.contains(LONG).all()


def test_nothing_keeps_the_columns() -> None:
    nothing = emptied(_material())
    assert all(table.empty for table in nothing.run.values())
    assert list(nothing.run["summary"]) == list(_material().run["summary"])


def test_what_is_missing_is_told_together(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput) as refused:
        read_material(tmp_path, load_map_table("communes_08"), ground_of(synthetic.geojson()))
    assert len(refused.value.problems) == 8
    assert "compare" in str(refused.value) and "sensitivity method=sobol" in str(refused.value)


# --- pictures ---------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("language", languages())
def test_every_picture_fits_its_page(language: str) -> None:
    with speaking(language):
        faults = {(name, kind): _faults(chart) for name, kind, chart in drawn(_material())}
    assert len(faults) == 3 * len(GALLERY)
    crowded = {("help_map", "real"), ("help_map", "long"), ("communes", "long")}
    assert {key: found for key, found in faults.items() if found and key not in crowded} == {}
    cut = {key: [f for f in faults[key] if " | " not in f] for key in crowded}
    assert not any(cut.values())


def test_the_page_is_whole_by_itself() -> None:
    charts = [("fans", kind, GALLERY["fans"].draws(given)) for kind, given in
              (("real", _material()), ("empty", emptied(_material())))]  # fmt: skip
    page = gallery_html(charts)
    assert page.count("data:image/png;base64,") == 2
    assert "http" not in page and "<script" not in page
    assert say("gallery.kind.real") in page and charts[0][2].reading in page
    with speaking("vi"):
        assert 'lang="vi"' in gallery_html(charts)


# --- colours ----------------------------------------------------------------------------------

_SEEN = {
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
                   [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
                     [-0.011820, 0.042940, 0.968881]],
}  # fmt: skip
"""How colours are seen: Machado, Oliveira & Fernandes (2009), IEEE TVCG 15, 1291-1298, table 1."""


def _linear(colour: str) -> np.ndarray:
    rgb = np.array(mpl.colors.to_rgb(colour))
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


@pytest.mark.parametrize("eye", _SEEN)
def test_colours_of_the_palette_stay_apart_for_colour_blind_readers(eye: str) -> None:
    seen = {colour: np.array(_SEEN[eye]) @ _linear(colour) for colour in OKABE_ITO}
    least = min(float(np.abs(seen[a] - seen[b]).max()) for a, b in combinations(OKABE_ITO, 2))
    assert least > 0.1


def test_the_scale_of_maps_grows_lighter_all_the_way_also_in_grey() -> None:
    grey = mpl.colormaps[MAP_COLOURS](np.linspace(0.0, 1.0, 21))[:, :3] @ [0.2126, 0.7152, 0.0722]
    assert (np.diff(grey) > 0.0).all()
