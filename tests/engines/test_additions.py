"""What is never used changes nothing: a resource, threat, mechanism, fund, desk, link or day more.

Luck belongs to what it concerns, so additions must not shift anyone else's draws: these tests use
exponential laws, where a shifted draw would be seen at once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from nts_sim.decision.model import Policy
from nts_sim.engine.contract import PHASE_CONTAINMENT, PHASE_IMMUNITY, Run
from nts_sim.engine.session import simulate
from nts_sim.luck.draws import DrawSet, Luck
from nts_sim.testing import toy_desk, toy_mechanism, toy_supply
from nts_sim.trace.model import Trace
from nts_sim.units import ticks
from nts_sim.world.model import Effect, Fund, Links, World
from tests.engines.helpers import scripted
from tests.engines.test_session import PLAN, busy_world

FINITE_PLAN: Policy = scripted(PLAN, manages_returns=False)


def run(world: World, replication: int) -> Run:
    return simulate(world, FINITE_PLAN, Luck(3, DrawSet.EVALUATION, replication))


def one_more_resource(world: World) -> World:
    """Append teams that everybody has and nobody requires."""
    r, c = world.resources, world.cells
    resources = replace(
        r, name=(*r.name, "kites"), title=(*r.title, "Kites"), is_team=np.append(r.is_team, True),
        whole_units=np.append(r.whole_units, True), run_cost=np.append(r.run_cost, 1.0),
        move_cost=np.append(r.move_cost, 1.0), acquire_cost=np.append(r.acquire_cost, 1.0),
        stock=np.column_stack((r.stock, np.full(len(r.stock), 9.0))),
    )  # fmt: skip
    required = np.concatenate((c.requirement, np.zeros((len(c), 3, 1))), axis=2)
    return replace(world, resources=resources, cells=replace(c, requirement=required))


def one_more_mechanism(world: World) -> World:
    n = world.nodes.n_places
    navy = toy_mechanism("navy", Effect.GOODS, n, supplies=(toy_supply(0, n),), handover_days=9.0)
    return replace(world, mechanisms=(*world.mechanisms, navy))


def one_more_fund(world: World) -> World:
    return replace(world, funds=(*world.funds, Fund("gold", "gold", None, 1e6)))


def one_more_desk(world: World) -> World:
    return replace(world, desks=(*world.desks, toy_desk(name="spare", approval_days=5.0)))


def one_more_threat(world: World) -> World:
    """Append a threat that can occur everywhere, but never does: no injects, no links."""
    t, c = world.threats, world.cells
    once_more = {
        name: np.concatenate((value, value[-1:]))
        for name, value in vars(t).items()
        if isinstance(value, np.ndarray)
    }
    threats = replace(
        t, **once_more, name=(*t.name, "dragons"), title=(*t.title, "Dragons"),
        field=(*t.field, "test"), distribution=(*t.distribution, t.distribution[-1]),
    )  # fmt: skip
    new = renumbered(world)
    n_nodes, n_threats = len(world.nodes.code), len(threats.name)
    node, threat = (axis.ravel() for axis in np.indices((n_nodes, n_threats)))

    def spread(values: np.ndarray, blank: float) -> np.ndarray:
        wider = np.full((n_nodes * n_threats, *values.shape[1:]), blank)
        wider[new] = values
        return wider

    cells = replace(
        c, node=node, threat=threat, place=world.nodes.place[node],
        of=np.arange(len(node)).reshape(n_nodes, n_threats), exposed=spread(c.exposed, 5.0),
        requirement=spread(c.requirement, 1.0), harm_rate=spread(c.harm_rate, 1.0),
        protection=spread(c.protection, 1.0),
        at_place=tuple(np.flatnonzero(node == place) for place in range(world.nodes.n_places)),
    )  # fmt: skip
    return replace(
        world, threats=threats, cells=cells,
        links=relinked(world.links, new, len(cells)),
        hazard=replace(
            world.hazard,
            injects=tuple(replace(i, cell=int(new[i.cell])) for i in world.hazard.injects),
            warning_days=np.append(world.hazard.warning_days, 0.0),
            onset_share=np.append(world.hazard.onset_share, 1.0),
        ),
    )  # fmt: skip


def renumbered(world: World) -> np.ndarray:
    """New number of each cell once every node has one cell more."""
    return world.cells.node * (len(world.threats.name) + 1) + world.cells.threat


def relinked(links: Links, new: np.ndarray, n_cells: int) -> Links:
    source = new[links.source]
    return replace(
        links, source=source, target=new[links.target],
        out=tuple(np.flatnonzero(source == cell) for cell in range(n_cells)),
    )  # fmt: skip


def remapped(world: World, trace: Trace) -> Trace:
    """Renumber the cells in the index column of a trace of the smaller world."""
    trace = trace.copy()
    of_cell = (trace["phase"] >= PHASE_CONTAINMENT) & (trace["phase"] <= PHASE_IMMUNITY)
    trace["index"][of_cell] = renumbered(world)[trace["index"][of_cell]]
    return trace


@pytest.mark.parametrize("law", ["fixed", "exponential"])
@pytest.mark.parametrize("replication", range(4))
@pytest.mark.parametrize(
    "add", [one_more_resource, one_more_mechanism, one_more_fund, one_more_desk]
)
def test_an_unused_addition_changes_nothing(
    add: Callable[[World], World], replication: int, law: str
) -> None:
    world = busy_world(law)
    assert run(add(world), replication).trace.tobytes() == run(world, replication).trace.tobytes()


@pytest.mark.parametrize("law", ["fixed", "exponential"])
@pytest.mark.parametrize("replication", range(4))
def test_an_unused_threat_changes_nothing(replication: int, law: str) -> None:
    """No plan with `serve`, whose cells would be renumbered too."""
    world, luck = busy_world(law), Luck(3, DrawSet.EVALUATION, replication)
    policy = scripted({day: orders for day, orders in PLAN.items() if day != 1.0})
    before = simulate(world, policy, luck).trace
    after = simulate(one_more_threat(world), policy, luck).trace
    assert after.tobytes() == remapped(world, before).tobytes()


@pytest.mark.parametrize("replication", range(4))
def test_a_link_that_never_hits_changes_nothing_but_its_own_rows(replication: int) -> None:
    """A link of probability 0, numbered before all others, leaves everyone else's luck alone."""
    world = busy_world("exponential")
    links = world.links
    more = replace(
        links, source=np.append(0, links.source), target=np.append(1, links.target),
        layer=("digital", *links.layer), probability=np.append(0.0, links.probability),
        lag_days=np.append(1.0, links.lag_days), repeats=np.append(False, links.repeats),
        distribution=("fixed", *links.distribution), stops=np.append(True, links.stops),
    )  # fmt: skip
    more = replace(
        more, out=tuple(np.flatnonzero(more.source == c) for c in range(len(world.cells)))
    )
    before, after = (
        run(world, replication).trace,
        run(replace(world, links=more), replication).trace,
    )
    columns = ["tick", "kind", "node", "threat", "resource", "quantity", "value"]
    own = (after["kind"] == 3) & (after["order"] == 0)
    assert after[~own][columns].tolist() == before[columns].tolist()


@pytest.mark.parametrize("law", ["fixed", "exponential"])
@pytest.mark.parametrize("replication", range(4))
def test_a_longer_horizon_gives_a_prefix(replication: int, law: str) -> None:
    """Up to the end of the shorter run, whose last rows charge use up to its horizon."""
    short = busy_world(law)
    long = replace(short, horizon_days=19, epoch_days=tuple(float(d) for d in range(19)))
    end = ticks(short.horizon_days)
    before, after = run(short, replication), run(long, replication)
    kept = before.trace[before.trace["tick"] < end]
    assert len(kept) > 20
    assert kept.tobytes() == after.trace[: len(kept)].tobytes()
    assert (after.trace[len(kept) :]["tick"] >= end).all()
    assert before.rulings == after.rulings[: len(before.rulings)]


def test_injects_in_another_order_give_the_same_trace() -> None:
    """The calendar is sorted; where the script is certain its order does not matter."""
    world = busy_world("fixed")
    turned = replace(world, hazard=replace(world.hazard, injects=world.hazard.injects[::-1]))
    columns = ["tick", "phase", "index", "sub", "kind", "node", "quantity"]
    before, after = run(world, 0).trace, run(turned, 0).trace
    assert before[columns].tolist() == after[columns].tolist()


def test_hubs_written_in_another_order_give_the_same_trace() -> None:
    """Mappings in the world are read by key, never by insertion order."""
    world = busy_world("exponential")
    n = world.nodes.n_places
    hubs = {3: 9.0, 1: 9.0, 2: 4.0}
    turned = dict(reversed(hubs.items()))
    traces = []
    for hub_stock in (hubs, turned):
        supplies = tuple(toy_supply(r, n, hub_stock=hub_stock) for r in range(2))
        mechanisms = tuple(
            replace(m, supplies=supplies) if m.effect is Effect.GOODS else m
            for m in world.mechanisms
        )
        traces.append(run(replace(world, mechanisms=mechanisms), 0).trace.tobytes())
    assert traces[0] == traces[1]
