"""From a study and its tables to a `World`: everything that is fixed, as read-only arrays."""

from __future__ import annotations

from dataclasses import fields, is_dataclass

import numpy as np

from nts_sim.errors import InvalidInput
from nts_sim.spec.models import ScenarioSpec, Study
from nts_sim.tables.load import Tables
from nts_sim.world.checks import world_problems
from nts_sim.world.hazard import make_hazard
from nts_sim.world.links import make_links, make_roads
from nts_sim.world.model import Information, Measure, World
from nts_sim.world.nodes import make_nodes
from nts_sim.world.references import study_problems
from nts_sim.world.response import (
    desk_speed,
    level_desks,
    make_desks,
    make_funds,
    make_mechanisms,
    make_resources,
    make_terms,
)
from nts_sim.world.threats import make_cells, make_threats

_PLAIN = (str, int, float, bool, type(None))


def build_world(study: Study, scenario: ScenarioSpec, tables: Tables) -> World:
    """Make the world of one scenario of a study.

    Parameters
    ----------
    study : the study's settings
    scenario : the scenario itself, or one member of the study's set
    tables : input tables, already checked one by one

    Raises
    ------
    InvalidInput
        With every unknown name in the study, or every rule that the world breaks.
    """
    problems = study_problems(study, scenario, tables)
    if problems:
        raise InvalidInput(problems)
    world = _assemble(study, scenario, tables)
    problems = world_problems(world)
    if problems:
        raise InvalidInput(problems)
    _freeze(world)
    return world


def _assemble(study: Study, scenario: ScenarioSpec, tables: Tables) -> World:
    nodes = make_nodes(tables)
    threats = make_threats(tables, scenario.threats, study.threat)
    resources = make_resources(tables, nodes, study.resources)
    cells = make_cells(tables, nodes, threats, resources, scenario, study.threat, study.measure)
    desks, desks_of = make_desks(tables, nodes, study.mechanism)
    every = range(0, scenario.horizon_days, scenario.epoch_every_days)
    return World(
        name=scenario.name,
        start=scenario.start_date,
        horizon_days=scenario.horizon_days,
        epoch_days=tuple(float(day) for day in every),
        nodes=nodes,
        threats=threats,
        cells=cells,
        links=make_links(tables, nodes, threats, cells, study.network, study.threat),
        roads=make_roads(tables, nodes, study.network),
        resources=resources,
        desks=desks,
        desk_speed=desk_speed(tables),
        level_desks=level_desks(tables, desks_of),
        mechanisms=make_mechanisms(tables, nodes, resources, study.mechanism, desks_of),
        funds=make_funds(tables, nodes, study.fund, scenario.start_date),
        information=_information(study),
        hazard=make_hazard(tables, nodes, threats, cells, scenario, study.measure),
        measure=Measure(
            study.measure.cost_bn_vnd,
            study.measure.ready_day,
            study.measure.reporting_lag_factor,
            study.measure.approval_factor,
        ),
        terms=make_terms(resources, study.preparation),
    )


def _information(study: Study) -> Information:
    spec = study.information
    return Information(
        name=spec.name,
        lag_days=spec.lag_days,
        detection_days=spec.detection_days,
        reported_share=tuple(spec.reported_share),
    )


def _freeze(part: object) -> None:
    """Make every array inside `part` read-only."""
    if isinstance(part, _PLAIN):  # most parts, by far
        return
    if isinstance(part, np.ndarray):
        part.setflags(write=False)
    elif isinstance(part, tuple):
        for item in part:
            _freeze(item)
    elif is_dataclass(part):
        for field in fields(part):
            _freeze(getattr(part, field.name))
