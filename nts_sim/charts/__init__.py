"""Charts: pure functions of a table that return a figure; no files, no simulation."""

from nts_sim.charts.frame import Chart, View, figure_bytes
from nts_sim.charts.gallery import build_charts, view_of

__all__ = ["Chart", "View", "build_charts", "figure_bytes", "view_of"]
