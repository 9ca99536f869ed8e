"""What a billion more, or a day less, is worth to the plan; all of it of the planning model.

Money is priced by duals, with the plan's yes-or-no decisions kept, and checked by solving again
with more of it. A day less of a mechanism's lead is the difference of two solves and no dual: it
opens and closes whole orders. Both are in bn VND that the plan would cost less.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial

import numpy as np

from nts_sim.planning.filling import Filled, fill
from nts_sim.planning.risk import Risk
from nts_sim.planning.scenario import ScenarioPlan, with_leads
from nts_sim.planning.stages import TwoStage
from nts_sim.planning.variants import Again, Opened, decided, opened_together
from nts_sim.world.model import Effect, Floats

FALLEN = 0.05
"""A value holds while it has not fallen by more than this share."""
_FIRST_STEP, _LAST_STEP = 0.125, 64.0
_NOTHING = 1e-7
"""bn VND per bn VND that are rounding."""


@dataclass(frozen=True)
class MarginalMoney:
    """Value of one more billion, bn VND per bn VND.

    Attributes
    ----------
    source : "fund" or "preparation"
    name, owner : of the fund, its kind and its place ("" the nation's); of money to prepare with,
        its name and ""
    from_day : the money can be used from this day on
    dual : by the row's price, for the first billion's first part
    difference : by solving again with one billion more; None where the dual is 0: not solved
    holds_to : bn VND up to which the difference a billion is within `FALLEN` of the dual; 0.0
        says that the dual does not hold even for the first eighth of a billion
    """

    source: str
    name: str
    owner: str
    from_day: float
    dual: float
    difference: float | None = None
    holds_to: float | None = None


@dataclass(frozen=True)
class LeadValue:
    """What a day less between order and handover is worth, bn VND; a difference of two solves.

    Attributes
    ----------
    mechanisms : titles; one, or all of them
    saved : bn VND; it can be below 0, where orders are bound to come earlier than they are of use
    solved : whether it took a solve: where no order's first period served changes, it is 0
    """

    mechanisms: tuple[str, ...]
    saved: float
    solved: bool


# --- money ----------------------------------------------------------------------------------


def marginal_money(
    plan: ScenarioPlan, x: Floats, risk: Risk, time_limit_s: float
) -> tuple[MarginalMoney, ...]:
    """Value one more billion in each fund by departure, and in each source of preparation.

    Parameters
    ----------
    x : float array [template column], the plan's first stage (`variants.in_template`), for its
        yes-or-no decisions
    """
    opened = opened_together([plan.filled, _with_funds(plan, _usable(plan))])
    yes = x[opened.columns] > 0.5
    again = Again(decided(opened.of(plan.filled), yes), risk, time_limit_s)
    rows, columns = _prices(plan, again, opened)

    def checked(money: MarginalMoney, more: Callable[[float], Filled]) -> MarginalMoney:
        if money.dual <= _NOTHING:
            return replace(money, dual=0.0)
        saved = _saving(again, lambda step: decided(opened.of(more(step)), yes))
        return replace(money, difference=saved(1.0), holds_to=_holds_to(money.dual, saved))

    funds = (checked(*one) for one in _funds(plan, rows, columns))
    return (*funds, *(checked(*one) for one in _preparation(plan, rows)))


def _prices(plan: ScenarioPlan, again: Again, opened: Opened) -> tuple[Floats, Floats]:
    """Price upper limits by what a unit more saves: [template row + 1], [template column + 1].

    The last entry is 0: what does not exist has number −1.
    """
    program = plan.template.program
    by_column, by_row = again.upper_prices()
    rows, columns = np.zeros(len(program.row_upper) + 1), np.zeros(len(program.cost) + 1)
    rows[:-1][opened.rows], columns[opened.columns] = -by_row, -by_column
    return rows, columns


def _saving(again: Again, variation: Callable[[float], TwoStage]) -> Callable[[float], float]:
    """Return a function that tells what so many billions more save; each is solved once."""
    return cache(lambda step: again.base.objective - again.cost(variation(step)))


def _holds_to(dual: float, saved: Callable[[float], float]) -> float:
    """Double the step while the saving a billion is near the dual."""
    step, held = _FIRST_STEP, 0.0
    while step <= _LAST_STEP and saved(step) / step >= (1.0 - FALLEN) * dual:
        step, held = 2.0 * step, step
    return held


Priced = tuple[MarginalMoney, Callable[[float], Filled]]
"""A value by its dual, and the problem with so many billions more."""


def _usable(plan: ScenarioPlan) -> Floats:
    """1 where a fund takes commitments at a departure, [fund, D]: money that lapsed is no money."""
    closes = [np.inf if f.closes_day is None else f.closes_day for f in plan.world.funds]
    sets = plan.template.sets
    days = plan.observation.day + sets.edges_days[sets.departure]
    return (days < np.array(closes)[:, None]).astype(np.float64)


def _with_funds(plan: ScenarioPlan, more: Floats) -> Filled:
    numbers = replace(plan.numbers, fund_open=plan.numbers.fund_open + more)
    return fill(plan.template, numbers, equity=plan.equity)


def _funds(plan: ScenarioPlan, rows: Floats, columns: Floats) -> Iterator[Priced]:
    """Each fund from each departure on; money that is there early also serves later."""
    world, sets, usable = plan.world, plan.template.sets, _usable(plan)
    value = np.flip(np.cumsum(np.flip(usable * fund_prices(plan, rows, columns), 1), axis=1), 1)
    for fund, d in np.ndindex(*value.shape):
        owner, kind = world.funds[fund].place, world.funds[fund].kind
        name = "" if owner is None else world.nodes.name[owner]
        direction = np.zeros_like(usable)
        direction[fund, d:] = usable[fund, d:]
        day = float(sets.edges_days[sets.departure[d]])
        money = MarginalMoney("fund", kind, name, day, float(value[fund, d]))
        yield money, partial(_more_in_fund, plan, direction)


def _more_in_fund(plan: ScenarioPlan, direction: Floats, step: float) -> Filled:
    return _with_funds(plan, step * direction)


def fund_prices(plan: ScenarioPlan, rows: Floats, columns: Floats) -> Floats:
    """Price a billion more that a departure's limits alone allow, [fund, D].

    A fund's limit is its row's, or that of the account it is, and that of each single draw on it
    while the fund and not the draw's ceiling is what limits it.
    """
    t, charges = plan.template, plan.template.charges
    value = rows[t.rows.fund]
    has_account = charges.account >= 0
    np.add.at(value, charges.account[has_account], rows[t.rows.account[has_account]])
    drawn = columns[t.columns.draw].sum(axis=3)
    for m, p in np.argwhere(charges.draw_fund >= 0).tolist():
        fund = charges.draw_fund[m, p]
        short = plan.numbers.fund_open[fund] < plan.numbers.draw_ceiling[m]
        value[fund] += np.where(short, drawn[m, p], 0.0)
    return value


def _preparation(plan: ScenarioPlan, rows: Floats) -> Iterator[Priced]:
    """Each source; more of it also raises what guidance lets one place have."""
    terms = plan.template.problem.preparing
    prepared = plan.template.rows.prepared
    for at, source in enumerate(terms.sources if terms is not None else ()):
        assert terms is not None
        raised = np.zeros(len(rows))
        raised[prepared.source[at]] = 1.0
        raised[prepared.place_share] = terms.place_share_at_most
        raised[-1] = 0.0
        money = MarginalMoney("preparation", source.name, "", 0.0, float(raised @ rows))
        yield money, partial(_more_to_prepare, plan, raised[:-1])


def _more_to_prepare(plan: ScenarioPlan, raised: Floats, step: float) -> Filled:
    program = plan.template.program
    richer = program.with_(row_upper=program.row_upper + step * raised)
    template = replace(plan.template, program=richer)
    return fill(template, plan.numbers, equity=plan.equity)


# --- time -----------------------------------------------------------------------------------


def lead_values(
    plan: ScenarioPlan, x: Floats, risk: Risk, time_limit_s: float
) -> tuple[LeadValue, ...]:
    """Value a day less of each mechanism's lead, then of all at once.

    Parameters
    ----------
    x : as in `marginal_money`
    """
    chosen = _mechanisms(plan)
    groups = [(i,) for i in chosen] + ([tuple(chosen)] if len(chosen) > 1 else [])
    sooner = [_sooner(plan, group) for group in groups]
    opened = opened_together([plan.filled, *(filled for filled in sooner if filled is not None)])
    yes = x[opened.columns] > 0.5
    again = Again(decided(opened.of(plan.filled), yes), risk, time_limit_s)
    found = []
    for group, filled in zip(groups, sooner, strict=True):
        saved = 0.0
        if filled is not None:
            saved = again.base.objective - again.cost(decided(opened.of(filled), yes))
        titles = tuple(plan.world.mechanisms[i].title for i in group)
        found.append(LeadValue(titles, saved, filled is not None))
    return tuple(found)


def _mechanisms(plan: ScenarioPlan) -> list[int]:
    """List what can be ordered, and the declarations that open it."""
    sets = plan.template.sets
    gates = (
        i for i, m in enumerate(plan.world.mechanisms) if m.enabled and m.effect is Effect.GATE
    )
    goods, draws = (way.mechanism for way in sets.goods), (way.mechanism for way in sets.draws)
    transfer = (sets.transfer,) if sets.transfer >= 0 else ()
    return sorted({*goods, *draws, *gates, *transfer})


def _sooner(plan: ScenarioPlan, mechanisms: Sequence[int]) -> Filled | None:
    """Fill with leads a day shorter; None where no order then serves in another period."""
    now, seen = plan.numbers, (plan.observation, plan.foretold)
    days = dict.fromkeys(mechanisms, 1.0)
    then = with_leads(now, plan.world, plan.template.sets, seen, days)
    same = (
        np.array_equal(now.arc_period, then.arc_period),
        np.array_equal(now.goods_period, then.goods_period),
        np.array_equal(now.draw_period, then.draw_period),
    )
    return None if all(same) else fill(plan.template, then, equity=plan.equity)
