"""What ``data communes`` does: the map of Tuyen Quang's communes, from the tables."""

from __future__ import annotations

from pathlib import Path

from nts_sim.charts.communes import commune_map
from nts_sim.charts.ground import ground_of
from nts_sim.cli.pages import chart_files, chart_lines, outlines
from nts_sim.cli.prepare import check_results_place
from nts_sim.study import store
from nts_sim.tables.load import Tables, load_map_table

PROVINCE = "08"
FOLDER = Path("results/maps")


def draw_communes(tables: Tables) -> str:
    """Draw the communes in the language being spoken; tell where the pictures are.

    Parameters
    ----------
    tables : whose road speeds and detour factor are used
    """
    check_results_place(FOLDER)
    roads = {
        str(item): float(value) for item, value in tables.columns("road_speeds", "item", "value")
    }
    communes = load_map_table(f"communes_{PROVINCE}")
    chart = commune_map(communes, roads, PROVINCE, ground_of(outlines()))
    for name, data in chart_files({f"communes_{PROVINCE}": chart}).items():
        store.write_file(FOLDER, name, data)
    return "\n".join([chart.finding, *chart_lines(FOLDER)])
