"""The map: valid GeoJSON, wound by the right-hand rule, with provinces and nothing below."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest

from nts_sim.charts.frame import View
from nts_sim.report.geo import geojson_bytes, map_geojson
from tests.charts import synthetic
from tests.charts.synthetic import BASELINE, BEST, SCENARIO

VIEW = View(SCENARIO, SCENARIO, BEST, BASELINE, "run-1", 8)


def _area(ring: list[list[float]]) -> float:
    """Signed area by triangles from the first point, positive against the clock."""
    (x0, y0), total = ring[0], 0.0
    for (x1, y1), (x2, y2) in pairwise(ring[1:]):
        total += (x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0)
    return total / 2.0


@pytest.fixture(scope="module")
def collection() -> dict[str, Any]:
    """The map of an ordinary comparison, through its file."""
    made = map_geojson(synthetic.frames()["places"], VIEW, synthetic.geojson())
    read: dict[str, Any] = json.loads(geojson_bytes(made))
    return read


def _provinces(collection: dict[str, Any]) -> list[dict[str, Any]]:
    return [f for f in collection["features"] if f["geometry"]["type"] != "Point"]


def test_every_province_is_there_once_and_nothing_below(collection: dict[str, Any]) -> None:
    assert collection["type"] == "FeatureCollection"
    provinces = _provinces(collection)
    codes = [feature["properties"]["code"] for feature in provinces]
    assert len(codes) == len(set(codes)) == 34 and "08" in codes
    zones = [f for f in collection["features"] if f["geometry"]["type"] == "Point"]
    assert len(collection["features"]) == 34 + len(zones)
    assert all(set(zone["properties"]) == {"province", "name", "offshore"} for zone in zones), (
        "below a province there are no numbers"
    )
    assert {feature["properties"]["name"] for feature in provinces} >= {"Đà Nẵng", "Tuyên Quang"}


def test_rings_are_closed_and_outer_ones_run_against_the_clock(collection: dict[str, Any]) -> None:
    for feature in _provinces(collection):
        shape = feature["geometry"]
        parts = shape["coordinates"] if shape["type"] == "MultiPolygon" else [shape["coordinates"]]
        for outer, *holes in parts:
            assert outer[0] == outer[-1] and len(outer) >= 4
            assert _area(outer) > 0.0
            assert all(_area(hole) < 0.0 for hole in holes)
            assert all(100.0 < x < 116.0 and 6.0 < y < 24.0 for x, y in outer)


def test_a_ring_that_runs_with_the_clock_is_turned_and_its_hole_too() -> None:
    clockwise = [[0, 0], [0, 2], [2, 2], [2, 0], [0, 0]]
    hole = [[0.5, 0.5], [1, 0.5], [1, 1], [0.5, 0.5]]
    outlines = {
        "features": [
            {
                "properties": {"code": "99", "name_vi": "X"},
                "geometry": {"type": "Polygon", "coordinates": [clockwise, hole]},
            }
        ]
    }
    made = map_geojson(synthetic.frames()["places"], VIEW, outlines)
    outer, inner = made["features"][0]["geometry"]["coordinates"]
    assert outer == clockwise[::-1] and inner == hole[::-1]


def test_numbers_are_of_the_policy_in_focus_and_of_the_baseline(collection: dict[str, Any]) -> None:
    places = synthetic.frames()["places"]
    means = places.set_index(["policy", "place", "metric"])["mean"]
    told = next(f["properties"] for f in _provinces(collection) if f["properties"]["code"] == "31")
    for prefix, policy in (("", BEST), ("baseline_", BASELINE)):
        for name in ("need_person_days", "unmet_person_days"):
            expected = float(means[policy, "31", name])
            assert told[f"{prefix}{name}"] == pytest.approx(expected, abs=1e-3)
    assert told["unmet_person_days"] != told["baseline_unmet_person_days"]


def test_offshore_zones_are_points_of_their_province(collection: dict[str, Any]) -> None:
    points = [f for f in collection["features"] if f["geometry"]["type"] == "Point"]
    assert {(p["properties"]["name"], p["properties"]["province"]) for p in points} >= {
        ("Hoàng Sa", "48"), ("Trường Sa", "56"),
    }  # fmt: skip
    codes = {f["properties"]["code"] for f in _provinces(collection)}
    assert {p["properties"]["province"] for p in points} <= codes


def test_what_is_not_known_is_null_and_never_nan() -> None:
    made = map_geojson(synthetic.empty_frames()["places"], VIEW, synthetic.geojson())
    text = geojson_bytes(made).decode()
    assert "NaN" not in text
    assert json.loads(text)["features"][0]["properties"]["served_share"] is None
