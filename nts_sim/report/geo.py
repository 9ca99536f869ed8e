"""A map of a run for geographic software: provinces with what they needed, and who served it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import pandas as pd

from nts_sim.charts.frame import View
from nts_sim.tables.load import load_map_table

_METRICS: Final = ("need_person_days", "served_share", "unmet_person_days", "incidents")

Ring = Sequence[Sequence[float]]


def map_geojson(
    places: pd.DataFrame, view: View, outlines: Mapping[str, Any]
) -> dict[str, Any]:  # fmt: skip
    """Put needs of provinces on their outlines (RFC 7946), and offshore zones as points.

    Nothing below a province is told.

    Parameters
    ----------
    places : result table `places`
    view : the policy in focus and the baseline, in the scenario drawn
    outlines : GeoJSON of the provinces, properties code and name_vi

    Returns
    -------
    dict
        A FeatureCollection; numbers of the baseline bear the prefix ``baseline_``; what is not
        known is null.
    """
    features = [_province(feature, places, view) for feature in outlines["features"]]
    return {
        "type": "FeatureCollection",
        "run": view.run_id,
        "scenario": view.scenario,
        "policy": view.policy,
        "baseline": view.baseline,
        "note": "planning figures, not a register; means per event",
        "features": [*features, *_offshore()],
    }


def geojson_bytes(collection: Mapping[str, Any]) -> bytes:
    """Encode a map; the same map gives the same bytes."""
    return json.dumps(collection, ensure_ascii=False, separators=(",", ":")).encode()


def _province(
    feature: Mapping[str, Any], places: pd.DataFrame, view: View
) -> dict[str, Any]:  # fmt: skip
    code = str(feature["properties"]["code"])
    here = places[(places["place"] == code) & (places["scenario"] == view.scenario)]
    told: dict[str, Any] = {"code": code, "name": feature["properties"]["name_vi"]}
    for prefix, policy in (("", view.policy), ("baseline_", view.baseline)):
        means = here[here["policy"] == policy].set_index("metric")["mean"]
        told |= {f"{prefix}{name}": _known(means.get(name)) for name in _METRICS}
    shape = feature["geometry"]
    return {"type": "Feature", "id": code, "properties": told, "geometry": _right_hand(shape)}


def _known(value: Any) -> float | None:
    return None if value is None or value != value else round(float(value), 4)


def _right_hand(shape: Mapping[str, Any]) -> dict[str, Any]:
    """Wind outer rings against the clock and holes with it."""
    many = shape["type"] == "MultiPolygon"
    parts = shape["coordinates"] if many else [shape["coordinates"]]
    wound = [[_wound(ring, outer=i == 0) for i, ring in enumerate(rings)] for rings in parts]
    return {"type": shape["type"], "coordinates": wound if many else wound[0]}


def _wound(ring: Ring, *, outer: bool) -> list[list[float]]:
    points = [list(point) for point in ring]
    return points if (_area(points) > 0.0) is outer else points[::-1]


def _area(ring: Ring) -> float:
    """Signed area by the shoelace formula, positive against the clock; square degrees."""
    ends = zip(ring, [*ring[1:], ring[0]], strict=True)
    return sum(a[0] * b[1] - b[0] * a[1] for a, b in ends) / 2.0


def _offshore() -> Iterator[dict[str, Any]]:
    for zone in load_map_table("special_zones").to_dict("records"):
        told = {"province": zone["province_code"], "name": zone["name_vi"], "offshore": True}
        point = [float(zone["longitude"]), float(zone["latitude"])]
        yield {
            "type": "Feature",
            "id": str(zone["code"]),
            "properties": told,
            "geometry": {"type": "Point", "coordinates": point},
        }
