"""Hydra's sweeper and launcher for nts-sim: a sweep is unfolded and run by the task itself.

Hydra takes plugins from the namespace `hydra_plugins` only, into which packaging maps this file.
Its basic sweeper composes every job to see whether it can be composed (0.25 s each), writes
``multirun.yaml`` and knows neither zips nor designs. All cells passed our gate before Hydra was
called, so these two only hand them on to the object that ``@hydra.main`` decorates.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, cast

from hydra.core.config_store import ConfigStore
from hydra.plugins.launcher import Launcher
from hydra.plugins.sweeper import Sweeper

_HERE = "hydra_plugins.nts_sim_launcher"

store = ConfigStore.instance()
store.store(
    group="hydra/sweeper", name="nts_sim", node={"_target_": f"{_HERE}.CellSweeper"},
    provider="nts_sim",
)  # fmt: skip
store.store(
    group="hydra/launcher", name="nts_sim", node={"_target_": f"{_HERE}.CellLauncher"},
    provider="nts_sim",
)  # fmt: skip


class SweepTask(Protocol):
    """What a task function must be able to do besides being called."""

    def unfold(self, arguments: Sequence[str]) -> Sequence[Sequence[str]]:
        """Return the overrides of every cell."""
        ...

    def launch(self, job_overrides: Sequence[Sequence[str]]) -> None:
        """Run the cells with these overrides."""
        ...


class CellLauncher(Launcher):
    """Gives all jobs to the task at once: chunks of them run wherever the study says."""

    def setup(self, *, hydra_context: Any, task_function: Any, config: Any) -> None:
        """Remember the task; Hydra's context and configuration are not needed."""
        self._task = cast(SweepTask, task_function)

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[Any]:
        """Run all jobs; what they returned is told by the task."""
        self._task.launch(job_overrides)
        return ()


class CellSweeper(Sweeper):
    """Lets the task unfold its arguments into cells, and launches these as one batch."""

    def setup(self, *, hydra_context: Any, task_function: Any, config: Any) -> None:
        """Make the launcher that the configuration names."""
        from hydra.core.plugins import Plugins

        self._task = cast(SweepTask, task_function)
        self._launcher = Plugins.instance().instantiate_launcher(
            hydra_context=hydra_context, task_function=task_function, config=config
        )

    def sweep(self, arguments: list[str]) -> Any:
        """Launch every cell; nothing is composed, validated or written here."""
        return self._launcher.launch(self._task.unfold(arguments), initial_job_idx=0)
