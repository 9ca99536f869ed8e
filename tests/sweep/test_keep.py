"""The folder of a sweep is named after what is swept."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from nts_sim.study.sweep.keep import sweep_folder
from tests.sweep.cells import ToyCells, asked


@pytest.mark.parametrize(
    ("axes", "name"),
    [
        (("fund.balance_factor", "resources.stock_factor"), "sweep-balance_factor-stock_factor-"),
        (("a.one", "b.two", "c.three"), "sweep-one-two-three-"),
        (("a.one", "b.two", "c.three", "d.four"), "sweep-4_axes-"),
        (tuple(f"mechanism.changes.m{n}.enabled" for n in range(23)), "sweep-23_axes-"),
        ((), "sweep-"),
    ],
)
def test_a_folder_is_named_after_its_axes_or_their_number(
    tmp_path: Path, axes: tuple[str, ...], name: str
) -> None:
    made = asked(ToyCells([(1.0, 1.0), (0.5, 1.0)], tmp_path))
    cells = [SimpleNamespace(study=cell.study) for cell in made.cells]
    named = SimpleNamespace(cells=_Named(cells, axes), digest=made.digest)
    assert sweep_folder(named) == tmp_path / "toy" / f"{name}{made.digest[:10]}"


class _Named(list):
    """Cells with axes called otherwise."""

    def __init__(self, cells: list[SimpleNamespace], axes: tuple[str, ...]) -> None:
        super().__init__(cells)
        self.axes = axes
