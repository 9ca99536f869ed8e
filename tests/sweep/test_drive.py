"""Driving: only what is missing is simulated, and the tables do not know how they came about."""

from __future__ import annotations

import hashlib
import random
from collections import Counter, deque
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from nts_sim.engine.session import simulate
from nts_sim.errors import PlaceOrMachine
from nts_sim.luck.draws import DrawSet, Luck
from nts_sim.outcomes.measures import outcomes_of
from nts_sim.policies.registry import make_policy
from nts_sim.spec.models import PolicySpec
from nts_sim.study.sweep.drive import Count, drive
from nts_sim.study.sweep.estimate import estimate, require_room
from nts_sim.study.sweep.execute import Finished, InProcess
from nts_sim.study.sweep.ledger import Ledger, read_ledger
from nts_sim.study.sweep.parts import FOLDER, Parts
from nts_sim.study.sweep.tables import write_tables
from nts_sim.study.sweep.unit import Unit, do_unit, worlds_of
from nts_sim.tables.load import load_tables
from tests.sweep.cells import ToyCells, asked

VALUES = [(1.0, 1.0), (0.5, 1.0), (1.0, 0.4), (0.5, 0.4)]
FAR = [(1.0, 1.0), (0.0, 0.1)]


class Shuffled:
    """Finishes what it was given in an arbitrary order, and may stop in the middle."""

    def __init__(self, seed: int, stop_after: int = 10**9) -> None:
        self.luck, self.given, self.left = random.Random(seed), [], stop_after
        self.has_room = True
        self.done: list[Unit] = []

    def give(self, unit: Unit) -> None:
        self.given.append(unit)

    def wait(self) -> Finished:
        if not self.left:
            raise KeyboardInterrupt
        self.left -= 1
        unit = self.given.pop(self.luck.randrange(len(self.given)))
        self.done.append(unit)
        return Finished(unit, do_unit(unit))

    def close(self) -> None:
        pass


def swept(folder: Path, cells: ToyCells, executor=None, **own: str) -> tuple[Count, dict[str, str]]:
    folder.mkdir(parents=True, exist_ok=True)
    parts = Parts(cells.results, folder)
    given = asked(cells, **own)
    with Ledger(folder) as ledger:
        count = drive(given, parts, executor or InProcess(), ledger, lambda *_: None)
    write_tables(folder, given, parts)
    return count, digests(folder)


def digests(folder: Path) -> dict[str, str]:
    paths = [*folder.glob("*.csv"), *folder.glob("*.parquet")]
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def test_the_same_bytes_in_any_order(tmp_path: Path) -> None:
    _, straight = swept(tmp_path / "a/sweep", ToyCells(VALUES, tmp_path / "a", replications=12))
    for seed in range(3):
        root = tmp_path / f"s{seed}"
        cells = ToyCells(VALUES, root, replications=12)
        _, other = swept(root / "sweep", cells, Shuffled(seed))
        assert other == straight
    assert len(straight) == 8


def test_only_what_is_missing_is_simulated(tmp_path: Path) -> None:
    cells = ToyCells(VALUES, tmp_path, replications=12)
    stopped = Shuffled(7, stop_after=3)
    with pytest.raises(KeyboardInterrupt):
        swept(tmp_path / "sweep", cells, stopped)
    rest = Shuffled(8)
    count, _ = swept(tmp_path / "sweep", cells, rest)
    wants = Counter(want.key for unit in stopped.done + rest.done for want in unit.wants)
    assert set(wants.values()) == {1}
    assert count.before == sum(w.last - w.first for u in stopped.done for w in u.wants)
    again = Shuffled(9)
    assert swept(tmp_path / "sweep", cells, again)[0].before == count.total
    assert not again.done


def test_another_value_and_more_replications_build_on_what_is_there(tmp_path: Path) -> None:
    swept(tmp_path / "one", ToyCells(VALUES[:2], tmp_path, replications=10))
    grown = ToyCells(VALUES[:3], tmp_path, "current_practice,do_nothing,greedy", 20)
    count, _ = swept(tmp_path / "two", grown)
    assert count == Count(total=180, failed=0, before=40)


def test_numbers_are_those_of_the_simulation(tmp_path: Path) -> None:
    cells = ToyCells(VALUES[2:3], tmp_path)
    swept(tmp_path / "sweep", cells)
    table = pd.read_parquet(tmp_path / "sweep/results.parquet")
    cell = next(iter(cells))
    world = worlds_of(cell, load_tables(None))[0]
    policy = make_policy("current_practice", PolicySpec(), cell.study.solver)
    for number in range(4):
        run = simulate(world, policy, Luck(cell.study.seed, DrawSet.EVALUATION, number), "simpy")
        expected = {(m, k): value for m, k, value in outcomes_of(run, world)}
        row = table.query("policy == 'current_practice' and replication == @number").iloc[0]
        assert row["total_burden_bn_vnd"] == expected["total_burden_bn_vnd", "all"]
        assert row["fund.balance_factor"], row["resources.stock_factor"] == VALUES[2]


def test_summary_is_paired(tmp_path: Path) -> None:
    swept(tmp_path / "sweep", ToyCells(VALUES[:1], tmp_path, replications=12))
    table = pd.read_parquet(tmp_path / "sweep/results.parquet")
    wide = table.pivot(index="replication", columns="policy", values="harm_bn_vnd")
    difference = wide["do_nothing"] - wide["current_practice"]
    summary = pd.read_parquet(tmp_path / "sweep/summary.parquet")
    row = summary.query("policy == 'do_nothing' and metric == 'harm_bn_vnd'").iloc[0]
    assert row["diff"] == pytest.approx(difference.mean())
    half = 2.2009851600916384 * difference.std(ddof=1) / np.sqrt(12)  # Student's t, 11 degrees
    assert row["diff_high"] - row["diff"] == pytest.approx(half)


def test_cells_are_paired_with_the_first(tmp_path: Path) -> None:
    swept(tmp_path / "sweep", ToyCells(VALUES[1:3], tmp_path, replications=12))
    table = pd.read_parquet(tmp_path / "sweep/results.parquet")
    summary = pd.read_parquet(tmp_path / "sweep/summary.parquet")
    for _policy, rows in table.groupby("policy"):
        wide = rows.pivot(index="replication", columns="cell", values="harm_bn_vnd")
        difference = wide[1] - wide[0]
        row = summary.query("cell == 1 and policy == @_policy and metric == 'harm_bn_vnd'").iloc[0]
        assert row["change"] == pytest.approx(difference.mean())
        half = 2.2009851600916384 * difference.std(ddof=1) / np.sqrt(12)
        assert row["change_high"] - row["change"] == pytest.approx(half)
    assert (summary.query("cell == 0")["change"].dropna() == 0.0).all()


def test_a_policy_that_fails_is_told_and_the_others_stay(tmp_path: Path) -> None:
    own = tmp_path / "mine.py"
    own.write_text(
        "def do_nothing(world, observation):\n"
        "    if observation.day > 3: raise ValueError('=cmd|oops')\n"
        "    return []\n"
    )
    cells = ToyCells(VALUES[:1], tmp_path)
    count, _ = swept(tmp_path / "sweep", cells, do_nothing=f"{own}:do_nothing")
    assert count.failed == 4
    failures = pd.read_csv(tmp_path / "sweep/failures.csv")
    assert list(failures["policy"]) == ["do_nothing"] * 4
    assert failures["message"].str.contains("oops").all()
    assert failures["command"][0].startswith("nts-sim compare ")
    results = pd.read_parquet(tmp_path / "sweep/results.parquet")
    assert list(results["policy"]) == ["current_practice"] * 4
    summary = pd.read_parquet(tmp_path / "sweep/summary.parquet")
    assert summary.query("policy == 'do_nothing'")["n"].eq(0).all()


def test_a_sweep_that_would_fill_the_disk_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cells = asked(ToyCells(VALUES, tmp_path, replications=2000))
    require_room(cells, tmp_path / "not there yet")
    little = SimpleNamespace(free=2**20)
    monkeypatch.setattr("nts_sim.study.sweep.estimate.shutil.disk_usage", lambda _: little)
    with pytest.raises(PlaceOrMachine, match=r"may need .* has 1 MiB left; choose another"):
        require_room(cells, tmp_path)


def test_what_is_to_come_is_reckoned_from_the_first_cell(tmp_path: Path) -> None:
    cells = ToyCells(VALUES, tmp_path, replications=12)
    before = estimate(asked(cells), Parts(tmp_path, tmp_path), 2)
    assert (before.cells, before.replications, before.there) == (4, 96, 0)
    assert before.seconds > 0.0 < before.disk_bytes
    swept(tmp_path / "sweep", cells)
    after = estimate(asked(cells), Parts(tmp_path, tmp_path), 2)
    assert (after.replications, after.there, after.seconds, after.disk_bytes) == (
        96, 96, 0.0, before.disk_bytes - 16 * 4096,
    )  # fmt: skip


def test_the_ledger_tells_of_every_part_once(tmp_path: Path) -> None:
    folder = tmp_path / "sweep"
    swept(folder, ToyCells(VALUES, tmp_path))
    lines = list(read_ledger(folder))
    kept = [path.name for path in (tmp_path / FOLDER).rglob("*") if path.is_file()]
    assert sorted(line["part"] for line in lines) == sorted(kept)


def test_a_torn_line_of_the_ledger_is_taken_away(tmp_path: Path) -> None:
    with Ledger(tmp_path) as ledger:
        ledger.note(cell=1)
    path = tmp_path / "ledger.jsonl"
    path.write_bytes(path.read_bytes() + b'{"cell": 2, "pol')
    assert [line["cell"] for line in read_ledger(tmp_path)] == [1]
    with Ledger(tmp_path) as ledger:
        ledger.note(cell=3)
    assert [line["cell"] for line in read_ledger(tmp_path)] == [1, 3]


def test_a_worker_gets_what_belongs_together() -> None:
    from nts_sim.study.sweep.drive import _shared_out
    from nts_sim.study.sweep.unit import Want

    wants = [
        Want(policy, first, first + 10, f"{policy}{first}")
        for first in range(0, 50, 10)
        for policy in ("greedy", "expected_value", "do_nothing")
    ]
    units = list(_shared_out(wants))
    assert sorted(w.key for unit in units for w in unit) == sorted(w.key for w in wants)
    for unit in units:
        names = {want.policy for want in unit}
        assert "expected_value" not in names or len(unit) == 1
        assert sum(want.last - want.first for want in unit) <= 40
    assert deque(units, maxlen=1)[0][0].policy != "expected_value"


def test_as_many_replications_as_the_precision_needs(tmp_path: Path) -> None:
    """The number is the same however it came about, and so are the tables of that many."""
    wide = ToyCells(FAR, tmp_path / "a", replications="auto")
    wide.given += ("precision.half_width_pct=30", "precision.least=10", "precision.most=100")
    count, made = swept(tmp_path / "a/sweep", wide)
    cells = pd.read_parquet(tmp_path / "a/sweep/cells.parquet")
    assert 2 * cells["replications"].sum() == count.total
    assert 10 <= cells["replications"].min() < cells["replications"].max() <= 100
    shuffled = ToyCells(FAR, tmp_path / "b", replications="auto")
    shuffled.given = wide.given
    with pytest.raises(KeyboardInterrupt):
        swept(tmp_path / "b/sweep", shuffled, Shuffled(1, stop_after=3))
    assert swept(tmp_path / "b/sweep", shuffled, Shuffled(2))[1] == made
    summary = pd.read_parquet(tmp_path / "a/sweep/summary.parquet")
    burden = summary.query("metric == 'total_burden_bn_vnd'")
    rows = burden.query("policy == 'do_nothing'").set_index("cell")
    base = burden.query("policy == 'current_practice'").set_index("cell")
    half = (rows["diff_high"] - rows["diff_low"]) / 2.0
    narrow = half <= 0.3 * base["mean"]
    assert (narrow | (rows["n"] == 100)).all()
