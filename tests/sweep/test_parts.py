"""Parts: what is written is read, what is damaged is never taken for true, keys name content."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nts_sim.errors import PlaceOrMachine
from nts_sim.study.chunks import Failure
from nts_sim.study.sweep.parts import FOLDER, Parts, decoded, encoded
from nts_sim.study.sweep.unit import COLUMNS, Part
from tests.sweep.cells import ToyCells, asked


def part(seed: int = 1, *failures: tuple[int, Failure]) -> Part:
    values = np.random.default_rng(seed).normal(size=(1, 3, len(COLUMNS)))
    values[0, [failure.replication for _, failure in failures]] = np.nan
    return Part(values, failures)


def test_what_is_written_is_read() -> None:
    given = part(1, (0, Failure(2, "ValueError", "gãy; hỏng\nat line 3")))
    read = decoded(encoded(given))
    assert read.failures == given.failures
    assert np.array_equal(read.values, given.values, equal_nan=True)


def test_any_flipped_bit_is_noticed() -> None:
    data = encoded(part(2))
    for at in range(0, len(data), 7):
        damaged = bytearray(data)
        damaged[at] ^= 1 << (at % 8)
        with pytest.raises(ValueError):
            decoded(bytes(damaged))


@pytest.mark.parametrize("length", [0, 1, 63, 64, 65, 66, 100, -16, -1])
def test_any_cut_is_noticed(length: int) -> None:
    with pytest.raises(ValueError):
        decoded(encoded(part(3))[:length])


def test_a_damaged_part_is_taken_away(tmp_path: Path) -> None:
    parts = Parts(tmp_path, tmp_path)
    parts.put("abcd", part())
    path = tmp_path / FOLDER / "ab" / "abcd"
    path.write_bytes(path.read_bytes()[:-3])
    assert not parts.has("abcd")
    assert not path.exists()
    with pytest.raises(PlaceOrMachine, match="run the same command again"):
        parts.require("abcd")


def test_failures_are_tried_again_another_time(tmp_path: Path) -> None:
    now, later = Parts(tmp_path, tmp_path), Parts(tmp_path, tmp_path)
    now.put("abcd", part(1, (0, Failure(1, "ValueError", "once"))))
    assert now.has("abcd")
    assert now.require("abcd").failures
    assert not later.has("abcd")
    later.put("abcd", part())
    assert not later.require("abcd").failures
    assert [path.name for path in (tmp_path / FOLDER).rglob("*") if path.is_file()] == ["abcd"]


def test_keys_name_what_numbers_depend_on(tmp_path: Path) -> None:
    """Replications, baseline and other policies leave a part as it is; values and seed do not."""

    def keys(cells: ToyCells) -> list[str]:
        return [keyed.key("do_nothing", 0, 4) for keyed in asked(cells)]

    few = ToyCells([(1.0, 1.0), (0.5, 1.0)], tmp_path)
    more = ToyCells([(0.5, 1.0)], tmp_path / "else", "do_nothing,greedy,current_practice", 60)
    assert keys(few)[1] == keys(more)[0]
    assert len(set(keys(few))) == 2
    longer = [keyed.key("do_nothing", 0, 5) for keyed in asked(few)]
    assert not set(longer) & set(keys(few))
