"""Run studies and keep their results: policies × scenarios × replications."""

from nts_sim.study.runner import policy_sources, run_comparison, run_plan
from nts_sim.study.tables import Results

__all__ = ["Results", "policy_sources", "run_comparison", "run_plan"]
