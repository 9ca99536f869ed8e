"""From traces to tidy outcomes, comparisons and rankings."""

from nts_sim.outcomes.compare import compare, rank, summarise
from nts_sim.outcomes.frames import TABLES, Column
from nts_sim.outcomes.measures import Replication, measure, outcomes_of
from nts_sim.outcomes.metrics import METRICS, Metric

__all__ = [
    "METRICS", "TABLES", "Column", "Metric", "Replication", "compare", "measure", "outcomes_of",
    "rank", "summarise",
]  # fmt: skip
