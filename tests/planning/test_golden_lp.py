"""Every inequality of the planning problem, written out for two places: no change goes unseen.

The golden texts are the rows of a family as `Model.lp_text` writes them, terms in order of names.
After a change that is meant, ``python -m tests.planning.test_golden_lp`` writes them anew: read
what changed before keeping it.
"""

from __future__ import annotations

import re
from dataclasses import fields, replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from nts_sim.planning.filling import Filled, fill
from nts_sim.planning.modelling import Model, Sense
from nts_sim.planning.numbers import Numbers
from nts_sim.planning.problem import Equity, Goods, Money, Preparing, Problem, Source
from nts_sim.planning.template import template_of
from tests.planning.tiny import Tiny

GOLDEN = Path(__file__).parent / "golden"
SMALL = Tiny(
    need=np.array([[[5.0, 6.0, 7.0], [8.0, 9.0, 4.0]]]),
    worth=3.0, is_team=(True, False), per_person=(0.5, 2.0), run=(0.25, 0.0),
    own=np.array([[1.0, 3.0], [2.0, 4.0]]), arcs=((0, 1), (1, 0)),
    arc_cost=np.array([[0.125, 0.5], [0.375, 0.75]]), departure=(0, 1),
    lendable=np.array([[0.0, 1.5], [1.0, 0.0]]),
    goods=(Goods(3, 0, 0, ramp=((0, 0.5), (1, 1.0))), Goods(3, 1, 1)),
    goods_cost=0.0625, goods_left=9.0, goods_place_left=6.0,
)  # fmt: skip
PREPARING = Preparing(
    stock=SMALL._own(),
    buy=np.array([[0.5, 0.25], [np.inf, 0.75]]),
    post=np.array([[0.3, 0.1], [0.4, 0.2]]),
    post_share=0.5,
    depot_cost=np.array([2.0, 3.0]),
    depot_capacity=np.array([10.0, 20.0]),
    volume=np.array([0.0, 4.0]),
    lend_share=0.7,
    sources=(Source("any", 5.0), Source("supplies", 6.0, frozenset({1}))),
    goods_limit=np.array([[6.0, 5.0], [4.0, 3.0]]),
    readiness={3: 1.5},
    place_share_at_most=0.75,
    resource_share_at_most={0: 0.6},
    resource_share_at_least={1: 0.2},
    from_depot=np.array([[np.inf, 7.0], [np.inf, 8.0]]),
)


def problem() -> Problem:
    """Two accounts; fund 2 pays for draws and for goods, accounts for loans."""
    made = SMALL.problem()
    sets = replace(made.sets, forward=np.array([0]), draws=(Money(4),))
    charges = replace(
        made.charges, n_funds=3, account=np.array([0, 1]), arc_fund=np.array([1, 0]),
        goods_fund=np.full((2, 2), 2), draw_fund=np.full((1, 2), 2),
    )  # fmt: skip
    return Problem(sets, charges, PREPARING)


def numbers() -> Numbers:
    inflow = np.zeros((2, 2, 3))
    inflow[1, 0, 1] = 0.5
    return replace(
        SMALL.numbers(), guest=np.array([[1.0, 0.0], [0.0, 0.0]]), guest_inflow=inflow,
        arc_period=np.array([[1, 2], [1, 2]]), goods_period=np.tile([1, 2], (2, 2, 1)),
        draw_period=np.full((1, 2, 2), 1), draw_ceiling=np.array([2.5]),
        fund_open=np.array([[1.0, 1.0], [2.0, 2.0], [4.0, 4.0]]),
        credit_due=np.array([[0.0, 0.5], [0.0, 0.0]]),
    )  # fmt: skip


def names_of(blocks: object, count: int) -> list[str]:
    """Name columns or rows by their block and their place in it; some blocks hold blocks."""
    names = [""] * count

    def name(owner: object) -> None:
        for one in fields(owner):
            block = getattr(owner, one.name)
            if not isinstance(block, np.ndarray):
                name(block)
                continue
            for at in np.argwhere(block >= 0).tolist():
                number = block[tuple(at)]
                assert not names[number] or one.name == "own"  # one column for several periods
                names[number] = names[number] or "_".join([one.name, *map(str, at)])

    name(blocks)
    return names


def text_of(filled: Filled) -> str:
    """Write the program of the first sample, with readable names."""
    program, template = filled.two_stage.sample(0), filled.template
    columns = names_of(template.columns, len(template.program.cost))
    rows = names_of(template.rows, len(template.program.row_upper))
    assert all(columns)
    assert all(rows)
    model = Model("golden")
    integer = np.zeros(len(program.cost), np.bool_) if program.integer is None else program.integer
    model.columns(
        np.ones(len(program.cost), np.bool_), program.cost, lower=program.lower,
        upper=program.upper, integer=integer,
    )  # fmt: skip
    equal = program.row_lower == program.row_upper
    for lower, upper, same in zip(program.row_lower, program.row_upper, equal, strict=True):
        at_most = Sense.AT_MOST if np.isfinite(upper) else Sense.AT_LEAST
        limit = upper if np.isfinite(upper) else lower
        model.rows(np.ones(1, np.bool_), Sense.EQUAL if same else at_most, limit)
    entries = program.matrix.tocoo()
    model.add(entries.row, entries.col, entries.data)
    open_names = [columns[j] for j in filled.columns]
    kept_names = [name for name, kept in zip(rows, filled.rows, strict=True) if kept]
    return model.lp_text(open_names, kept_names)


def in_order(expression: str) -> str:
    """Put terms in order of names; what PuLP's versions wrap and order differently reads alike."""
    terms = re.findall(r"([+-]?)\s*((?:[\d.]+(?:e[+-]?\d+)?\s+)?)([a-z]\w*)", expression)
    shown = sorted((name, sign or "+", factor.strip()) for sign, factor, name in terms)
    return " ".join(f"{sign} {factor} {name}".replace("  ", " ") for name, sign, factor in shown)


@cache
def families() -> dict[str, str]:
    """Text of each family: one row a line."""
    text = text_of(fill(template_of(problem()), numbers(), equity=Equity(0.8, 2.0)))
    text = re.split(r"\n(?:Bounds|Binaries|Generals|End)\b", text)[0]
    objective, body = text.split("Minimize")[1].split("Subject To")
    found = {"objective": in_order(objective.split(":", 1)[1]).replace(" +", "\n+") + "\n"}
    found["objective"] = found["objective"].replace(" - ", "\n- ")
    for name, row in re.findall(r"^(\w+):(.*?)(?=^\w+:|\Z)", body, re.MULTILINE | re.DOTALL):
        sum_of, sense, limit = re.match(r"(.*?)(<=|>=|=)(.*)", row, re.DOTALL).groups()
        family = re.sub(r"(_\d+)+$", "", name)
        line = f"{name}: {in_order(sum_of)} {sense} {float(limit) + 0.0:g}\n"
        found[family] = found.get(family, "") + line
    return found


FAMILIES = (
    "objective", "cover", "home", "own_balance", "guest_balance", "lend", "supply", "place_supply",
    "account", "fund", "fair", "changed", "stationed", "capacity", "posted", "spared", "ready",
    "paid", "source", "place_share", "at_most", "at_least", "from_depot",
)  # fmt: skip


@pytest.mark.parametrize("family", FAMILIES)
def test_rows_of_a_family_read_as_before(family):
    assert families()[family] == (GOLDEN / f"{family}.lp").read_text(encoding="utf-8")


def test_every_family_has_a_golden_text():
    assert sorted(families()) == sorted(FAMILIES)
    assert sorted(path.stem for path in GOLDEN.glob("*.lp")) == sorted(FAMILIES)


if __name__ == "__main__":
    for family, text in families().items():
        (GOLDEN / f"{family}.lp").write_text(text, encoding="utf-8")
