"""Places and agencies as numbered nodes, and who counts as which kind of node."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from nts_sim.tables.load import Tables
from nts_sim.world.model import Ints, NodeKind, Nodes

_CAPITAL = "01"


def make_nodes(tables: Tables) -> Nodes:
    """Lay out provinces and border localities by code, then agencies.

    National agencies sit in the capital. A provincial agency's code is ``<province>.<agency>``,
    such as ``08.people_committee``.
    """
    places = tables["places"].sort_values("code")
    foreign = tables["foreign_places"].sort_values("code")
    codes = [*places["code"], *foreign["code"]]
    agencies = _agencies(tables, places["code"].tolist(), places["name_vi"].tolist())
    place_index = {code: i for i, code in enumerate(codes)}
    n_provinces, n_places = len(places), len(codes)
    sites = [place_index.get(site, 0) for _, _, site in agencies]
    return Nodes(
        code=(*codes, *(code for code, _, _ in agencies)),
        name=(*places["name_vi"], *foreign["name"], *(name for _, name, _ in agencies)),
        kind=np.repeat(
            [NodeKind.PROVINCE, NodeKind.FOREIGN, NodeKind.AGENCY],
            [n_provinces, n_places - n_provinces, len(agencies)],
        ).astype(np.int64),
        place=np.array([*range(n_places), *sites], dtype=np.int64),
        n_places=n_places,
        n_provinces=n_provinces,
        population=np.array([*places["population"], *([0.0] * len(foreign))], dtype=np.float64),
        latitude=np.array([*places["latitude"], *foreign["latitude"]], dtype=np.float64),
        longitude=np.array([*places["longitude"], *foreign["longitude"]], dtype=np.float64),
        region=(*places["region"], *foreign["country"]),
    )


def _agencies(tables: Tables, codes: list[str], names: list[str]) -> list[tuple[str, str, str]]:
    """List agency nodes as (code, name, place): national ones first, then province by province."""
    rows = [tuple(map(str, row)) for row in tables.columns("agencies", "agency", "title", "level")]
    national = [(agency, title, _CAPITAL) for agency, title, level in rows if level == "national"]
    provincial = [
        (f"{code}.{agency}", f"{title}, {name}", code)
        for code, name in zip(codes, names, strict=True)
        for agency, title, level in rows
        if level == "provincial"
    ]
    return national + provincial


def nodes_by_kind(tables: Tables, nodes: Nodes) -> Mapping[str, Ints]:
    """Return the nodes of each kind that desks and digital links speak of.

    A kind is ``province`` (the place itself), a provincial agency (one node per province, in order
    of provinces) or a national agency (one node).
    """
    kinds = {"province": np.arange(nodes.n_provinces)}
    provinces = nodes.code[: nodes.n_provinces]
    for agency, level in tables.columns("agencies", "agency", "level"):
        codes = [str(agency)] if level == "national" else [f"{p}.{agency}" for p in provinces]
        kinds[str(agency)] = np.array([nodes.index[code] for code in codes], dtype=np.int64)
    return kinds
