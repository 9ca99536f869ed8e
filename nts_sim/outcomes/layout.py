"""What measuring needs to know of a world, worked out once and shared by all its replications."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Final

import numpy as np

from nts_sim.outcomes.metrics import BY_NAME, METRICS, By
from nts_sim.world.model import Bools, Floats, Ints, World

OWN_STOCK: Final = "own_stock"
OWNER_BUDGET: Final = "owner_budget"
UNCHARGED: Final = "uncharged"
PREPARATION: Final = "preparation"
_NO_FUND: Final = (OWN_STOCK, OWNER_BUDGET, UNCHARGED, PREPARATION)
PREPARATION_KINDS: Final = ("bought", "posted", "depots", "readiness")
LOCAL_ON_SPOT: Final = "local_on_spot"


@dataclass(frozen=True, eq=False)
class Layout:
    """Names, columns and index maps of one world, as measuring uses them.

    Attributes
    ----------
    world : World
    columns : (metric, key) of each outcome, in order
    needed : int array, resources that some cell can require
    teams : the needed resources that are teams, as positions in all resources
    """

    world: World
    needed: Ints
    teams: Ints
    resources: tuple[str, ...]

    @cached_property
    def fields(self) -> tuple[str, ...]:
        """Fields of the threats, sorted."""
        return tuple(sorted(set(self.world.threats.field)))

    @cached_property
    def field_of(self) -> Ints:
        """Field number of each threat."""
        return np.array([self.fields.index(field) for field in self.world.threats.field])

    @cached_property
    def funds(self) -> tuple[str, ...]:
        """Labels of who pays: kinds of fund, own stock, owners, nobody, money before day 0."""
        return (*sorted({fund.kind for fund in self.world.funds}), *_NO_FUND)

    @cached_property
    def mechanisms(self) -> tuple[str, ...]:
        """Names of the mechanisms; what a place had itself counts as one."""
        names = tuple(mechanism.name for mechanism in self.world.mechanisms)
        return names if LOCAL_ON_SPOT in names else (*names, LOCAL_ON_SPOT)

    @cached_property
    def local(self) -> int:
        """Number of the mechanism that stands for what the place had."""
        return self.mechanisms.index(LOCAL_ON_SPOT)

    @cached_property
    def fund_kind(self) -> Ints:
        """Label number of each fund's kind."""
        return np.array([self.funds.index(fund.kind) for fund in self.world.funds], dtype=np.int64)

    @cached_property
    def stock_shape(self) -> tuple[int, int]:
        """Numbers of resources and places."""
        return len(self.resources), self.world.nodes.n_places

    @cached_property
    def cell_of(self) -> Ints:
        """Cell at each node under each threat, int array [node, threat]; for compiled loops."""
        return np.array(self.world.cells.of, order="C")

    @cached_property
    def place_of(self) -> Ints:
        """Place each cell draws on, int array [cell]; for compiled loops."""
        return np.array(self.world.cells.place, order="C")

    @cached_property
    def requirement(self) -> Floats:
        """Units required, float array [cell, 3, resource]; for compiled loops."""
        return np.array(self.world.cells.requirement, order="C")

    @cached_property
    def needed_requirement(self) -> Floats:
        """Units required of the needed resources, float array [cell, 3, needed resource]."""
        return self.requirement[:, :, self.needed]

    @cached_property
    def needed_column(self) -> Ints:
        """Position of each resource among the needed ones, -1 for others; int array [resource]."""
        column = np.full(len(self.resources), -1)
        column[self.needed] = np.arange(len(self.needed))
        return column

    @cached_property
    def has_price(self) -> Bools:
        """Whether units of a resource are bought under a mechanism; [mechanism, resource]."""
        made = np.zeros((len(self.mechanisms), len(self.resources)), dtype=np.bool_)
        for index, mechanism in enumerate(self.world.mechanisms):
            for supply in mechanism.supplies:
                made[index, supply.resource] = supply.unit_cost_bn_vnd > 0.0
        return made

    @cached_property
    def posted_teams(self) -> Floats:
        """Teams posted to each place before day 0, float array [place, resource]."""
        done, none = self.world.prepared, np.zeros(self.stock_shape[::-1])
        return none if done is None else done.posted * self.world.resources.is_team

    @cached_property
    def bought_before(self) -> Floats:
        """Supplies bought for each place before day 0, float array [place, resource]."""
        done, none = self.world.prepared, np.zeros(self.stock_shape[::-1])
        return none if done is None else done.bought * ~self.world.resources.is_team

    @cached_property
    def opening_balance(self) -> Floats:
        """Money on the account of each place on day 0, bn VND; float array [place]."""
        money = np.zeros(self.world.nodes.n_places)
        for fund in self.world.funds:
            if fund.kind == "account" and fund.place is not None:
                money[fund.place] += fund.balance_bn_vnd
        return money

    def flow_slot(
        self, fund: Ints | int, mechanism: Ints | int, resource: Ints, place: Ints
    ) -> Ints:
        """Flattened positions in [fund label, mechanism, resource, place], broadcast together."""
        n_resources, n_places = self.stock_shape
        line = (mechanism * n_resources + resource) * n_places + place
        return fund * (len(self.mechanisms) * n_resources * n_places) + line

    @cached_property
    def keys(self) -> Mapping[By, tuple[str, ...]]:
        """Keys of each split, without 'all'."""
        names, is_team = self.world.resources.name, self.world.resources.is_team
        charged = tuple(fund for fund in self.funds if fund not in _NO_FUND)
        return {
            "all": (),
            "field": self.fields,
            "threat": self.world.threats.name,
            "resource": tuple(names[r] for r in self.needed),
            "team": tuple(name for name, team in zip(names, is_team, strict=True) if team),
            "supply": tuple(name for name, team in zip(names, is_team, strict=True) if not team),
            "fund": charged,
            "mechanism": tuple(mechanism.name for mechanism in self.world.mechanisms),
            "preparation": PREPARATION_KINDS,
        }

    @cached_property
    def columns(self) -> tuple[tuple[str, str], ...]:
        """(metric, key) of every outcome of this world, in order."""
        made: list[tuple[str, str]] = []
        for metric in METRICS:
            keys = self.keys[metric.by] + (("all",) if metric.with_total else ())
            made += [(metric.name, key) for key in keys]
        return tuple(made)

    @cached_property
    def units(self) -> tuple[str, ...]:
        """Unit of every column."""
        return tuple(BY_NAME[metric].unit for metric, _ in self.columns)


@lru_cache(maxsize=32)
def layout_of(world: World) -> Layout:
    """Work out (once) what measuring needs to know of `world`."""
    needed = np.flatnonzero((world.cells.requirement > 0.0).any(axis=(0, 1)))
    return Layout(
        world=world, needed=needed, teams=needed[world.resources.is_team[needed]],
        resources=world.resources.name,
    )  # fmt: skip
