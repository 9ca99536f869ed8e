"""The report: one self-contained page that a planner can read, print and pass on."""

from nts_sim.report.html import write_report

__all__ = ["write_report"]
