"""Maps: what they stand on, who is hit and who helps, and the communes of a province."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import PathCollection
from matplotlib.colors import to_hex
from matplotlib.patches import FancyArrowPatch

from nts_sim.charts.communes import FAR_HOURS, commune_map, hours_from_seat
from nts_sim.charts.gallery import view_of
from nts_sim.charts.ground import COUNTRY, Ground, extent_of, ground_of, heart, inside
from nts_sim.charts.help_map import help_map, help_of
from nts_sim.charts.map_labels import Label, write_labels
from nts_sim.charts.maps import incident_map
from nts_sim.charts.style import VERMILLION
from nts_sim.outcomes.frames import frame
from nts_sim.tables.load import load_map_table, load_tables
from nts_sim.words import languages, say, speaking
from tests.charts import synthetic
from tests.charts.synthetic import BASELINE, RUN_ID
from tests.charts.test_charts import LONG, _faults, _texts

FRAMES = synthetic.frames()
VIEW = view_of(FRAMES, RUN_ID, BASELINE)
GROUND = ground_of(synthetic.geojson())
ROADS = {str(k): float(v) for k, v in load_tables().columns("road_speeds", "item", "value")}
COMMUNES = load_map_table("communes_08")


# --- what maps stand on -----------------------------------------------------------------------


def test_all_special_zones_and_neighbours_are_there() -> None:
    names = {spot.name for spot in GROUND.islands}
    assert len(names) == 13
    assert {"Hoàng Sa", "Trường Sa", "Phú Quốc", "Côn Đảo", "Lý Sơn", "Cồn Cỏ"} <= names
    parents = {spot.name: GROUND.names[spot.parent] for spot in GROUND.islands}
    assert parents["Hoàng Sa"] == "Đà Nẵng" and parents["Trường Sa"] == "Khánh Hòa"
    assert len(GROUND.abroad) == len(load_tables()["foreign_places"])
    for spot in GROUND.islands:
        assert COUNTRY[0] < spot.longitude < COUNTRY[1]
        assert COUNTRY[2] < spot.latitude < COUNTRY[3]


def test_places_abroad_have_names_in_the_language_and_those_of_a_run_count() -> None:
    assert GROUND.names["CN-YN"] == "Yunnan"
    kept = frame("directory", {"kind": ["place"], "code": ["CN-YN"], "en": ["Y"], "vi": ["V"]})
    with speaking("vi"):
        assert ground_of(synthetic.geojson()).names["CN-YN"] == "Vân Nam"
        assert ground_of(synthetic.geojson(), kept).names["CN-YN"] == "V"
    assert ground_of(synthetic.geojson(), kept).names["CN-YN"] == "Y"


def test_the_centre_of_a_square_and_an_extent_of_the_asked_shape() -> None:
    square = np.array([[100.0, 10.0], [102.0, 10.0], [102.0, 12.0], [100.0, 12.0]])
    dot = np.array([[0.0, 0.0], [0.1, 0.0], [0.1, 0.1]])
    assert heart([dot, square]) == pytest.approx((101.0, 11.0))
    west, east, south, north = extent_of(square, 0.8, 1.0, 0.1)
    stretch = 1.0 / np.cos(np.radians(11.0))
    assert (east - west) / stretch / (north - south) == pytest.approx(0.8)
    assert west <= 100.0 and east >= 102.0 and south <= 10.0 and north >= 12.0


def test_what_lies_beyond_a_map_is_drawn_at_its_edge() -> None:
    spot = replace(GROUND.abroad[0], latitude=50.0, longitude=0.0)
    assert inside(spot, COUNTRY, 0.25) == (COUNTRY[0] + 0.25, COUNTRY[3] - 0.25)


def test_neighbours_with_an_incident_are_squares_on_the_small_maps() -> None:
    rows = FRAMES["map_days"]
    here = rows[rows["place"] == "22"].assign(place="CN-GX", active_share=0.8)
    with_it = incident_map(pd.concat([rows, here]), VIEW, GROUND)
    without = incident_map(rows, VIEW, GROUND)
    assert _squares(with_it) > _squares(without) == 0


def _squares(chart: object) -> int:
    collections = [c for axes in chart.axes for c in axes.collections]  # type: ignore[attr-defined]
    return sum(1 for c in collections if len(c.get_paths()) == 1
               and len(c.get_paths()[0].vertices) == 5 and len(c.get_offsets()) == 1)  # fmt: skip


# --- who is hit and who helps -----------------------------------------------------------------


def _orders() -> pd.DataFrame:
    given = [("01", "31"), ("01", "31"), ("24", "31"), ("01", "22"), ("79", "22")]
    moves = [synthetic.order(order=i, source=a, place=b) for i, (a, b) in enumerate(given)]
    refused = synthetic.order(order=8, source="33", place="31", granted=0.0)
    own = synthetic.order(order=9, source="31", place="31", kind="mobilise")
    columns = list(FRAMES["orders"].columns)
    return pd.DataFrame([*moves, refused, own])[columns]


def _drawn(ground: Ground = GROUND) -> object:
    return help_map(FRAMES["map_days"], FRAMES["places"], _orders(), VIEW, ground)


def test_help_is_counted_by_who_sends_and_who_receives() -> None:
    shown = help_of(FRAMES["map_days"], FRAMES["places"], _orders(), VIEW)
    assert shown.sent == {("01", "31"): 2, ("01", "22"): 1, ("24", "31"): 1, ("79", "22"): 1}
    assert shown.national == 1
    peaks = (
        FRAMES["map_days"]
        .query("policy == 'expected_value'")
        .groupby("place")["active_share"]
        .max()
    )
    assert set(shown.hit) == set(peaks.index[peaks >= 0.5])
    served = FRAMES["places"].query("policy == 'expected_value' and metric == 'served_share'")
    assert shown.served["31"] == served.set_index("place").loc["31", "mean"]


def test_arrows_are_as_wide_as_orders_are_many() -> None:
    chart = _drawn()
    main = chart.axes[0]  # type: ignore[attr-defined]
    arrows = [p for p in main.patches if isinstance(p, FancyArrowPatch)]
    widths = sorted(arrow.get_linewidth() for arrow in arrows)
    assert len(arrows) == 4 and widths[-1] > widths[0] == widths[2]
    assert {to_hex(arrow.get_edgecolor()).upper() for arrow in arrows} == {VERMILLION}
    finding = chart.finding  # type: ignore[attr-defined]
    assert "3 help with 5 consignments" in finding and "Hà Nội sends the most (3)" in finding
    assert "Hải Phòng receives the most (3)" in finding


def test_help_from_beyond_the_map_is_listed() -> None:
    told = " ".join(_texts(_drawn()))  # type: ignore[arg-type]
    assert say("chart.help.far") in told and f"{GROUND.names['79']} 1" in told


def test_without_help_the_map_says_so_and_without_incidents_there_is_none() -> None:
    nobody = help_map(FRAMES["map_days"], FRAMES["places"], _orders().iloc[:0], VIEW, GROUND)
    assert "no province sends help" in nobody.finding and _faults(nobody) == []
    for frames in (synthetic.calm_frames(), synthetic.empty_frames()):
        chart = help_map(frames["map_days"], frames["places"], frames["orders"], VIEW, GROUND)
        assert say("chart.empty.note") in _texts(chart)


@pytest.mark.parametrize("language", languages())
def test_long_names_of_places_stay_on_the_map(language: str) -> None:
    with speaking(language):
        ground = ground_of(synthetic.geojson())
        long = {code: f"{LONG} {code}" for code in ground.names}
        chart = _drawn(replace(ground, names=long))
        assert [fault for fault in _faults(chart) if " | " not in fault] == []  # type: ignore[arg-type]


# --- labels -----------------------------------------------------------------------------------


def test_names_at_one_point_are_put_beside_each_other_or_left_out() -> None:
    chart = _drawn()
    axes = chart.add_axes((0.1, 0.1, 0.8, 0.8))  # type: ignore[attr-defined]
    axes.set(xlim=(0.0, 10.0), ylim=(0.0, 10.0))
    axes.axis("off")
    labels = [Label(f"Place {i}", 5.0, 5.0, 9.0, needed=i < 8) for i in range(200)]
    write_labels(axes, labels)
    written = [text.get_text() for text in axes.texts]
    assert written[:8] == [f"Place {i}" for i in range(8)]
    assert 8 < len(written) < 200
    boxes = [(text.get_position(), text) for text in axes.texts]
    assert len({position for position, _ in boxes}) == len(boxes)


# --- communes ---------------------------------------------------------------------------------


def test_hours_are_road_kilometres_by_speed() -> None:
    seat_and_north = pd.DataFrame({
        "latitude": [21.0, 22.0], "longitude": [105.0, 105.0], "is_seat": [True, False],
    })  # fmt: skip
    roads = {"detour_factor": 1.5, "road_speed_km_per_day": 400.0}
    hours = hours_from_seat(seat_and_north, roads)
    assert hours.iloc[0] == 0.0
    assert hours.iloc[1] == pytest.approx(111.195 * 1.5 / 50.0, rel=1e-4)


def test_the_map_of_communes_counts_those_far_and_their_people() -> None:
    assert len(COMMUNES) == 124 and COMMUNES["is_seat"].sum() == 1
    assert COMMUNES["borders_abroad"].sum() == 17
    assert COMMUNES["population"].sum() == pytest.approx(1_865_270, rel=1e-3)
    far = hours_from_seat(COMMUNES, ROADS) > FAR_HOURS
    chart = commune_map(COMMUNES, ROADS, "08", GROUND)
    assert f"{far.sum()} of 124 communes of Tuyên Quang" in chart.finding
    points = [c for c in chart.axes[0].collections if isinstance(c, PathCollection)]
    rings = [c for c in points if len(c.get_facecolors()) == 0]
    assert len(rings) == 17 and len(points) == 124 + 17
    told = " ".join(_texts(chart))
    assert "not boundaries" in told and "modelled" in told and "Natural Earth" in told
    assert {"Cao Bằng", "Lào Cai", "Thái Nguyên"} <= {t.get_text() for t in chart.axes[0].texts}


@pytest.mark.parametrize("language", languages())
def test_communes_with_long_names_none_and_in_every_language(language: str) -> None:
    with speaking(language):
        ground = ground_of(synthetic.geojson())
        long = COMMUNES.assign(name_vi=LONG + " " + COMMUNES["code"])
        assert [f for f in _faults(commune_map(long, ROADS, "08", ground)) if " | " not in f] == []
        assert _faults(commune_map(COMMUNES, ROADS, "08", ground)) == []
        nothing = commune_map(COMMUNES.iloc[:0], ROADS, "08", ground)
        assert say("chart.empty.note") in _texts(nothing) and _faults(nothing) == []


def test_a_province_without_far_communes() -> None:
    near = COMMUNES[hours_from_seat(COMMUNES, ROADS) < 1.0]
    assert "None of the" in commune_map(near, ROADS, "08", GROUND).finding
