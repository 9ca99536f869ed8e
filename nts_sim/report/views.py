"""What a report is about: which policy is in focus, in which scenario, against which baseline."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pandas as pd

from nts_sim.charts.frame import View
from nts_sim.charts.gallery import view_of
from nts_sim.outcomes.frames import TABLES, empty
from nts_sim.report.naming import named

Frames = Mapping[str, pd.DataFrame]


def complete(frames: Frames) -> dict[str, pd.DataFrame]:
    """Return all result tables, those that a run has none of empty, with names as they are told."""
    return named({name: frames[name] if name in frames else empty(name) for name in TABLES})


def view_of_report(frames: Frames, manifest: Mapping[str, Any]) -> View:
    """Choose what a report shows: of a plan, that plan, however the others do.

    Parameters
    ----------
    frames : all result tables, see `complete`
    manifest : as `nts_sim.study.manifest.manifest_of` writes it
    """
    config, run_id = manifest["config"], str(manifest["run_id"])
    baseline = str(config["baseline"])
    if manifest.get("verb") != "plan":
        return view_of(frames, run_id, baseline)
    orders, tasks = frames["orders"], frames["tasks"]
    planned = orders if len(orders) else frames["finance"]
    policy = str(planned["policy"].iloc[0]) if len(planned) else baseline
    drawn = next((str(t["scenario"].iloc[0]) for t in (tasks, planned) if len(t)), "")
    if frames["summary"].empty:  # a rule: one course of events, and nothing to compare with
        return View(drawn, drawn, policy, policy, run_id, 1)
    shown = view_of(frames, run_id, baseline)
    return replace(shown, policy=policy, scenario=drawn or shown.scenario)
