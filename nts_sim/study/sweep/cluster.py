"""Units done by a Dask cluster that runs already, on this machine or on several."""

from __future__ import annotations

import logging
import queue
import time
from typing import Any, Final

from nts_sim.errors import InvalidInput, PlaceOrMachine, Problem
from nts_sim.study.store import code_digest
from nts_sim.study.sweep.execute import Finished, lost
from nts_sim.study.sweep.unit import Unit, do_unit
from nts_sim.words import say

_CONNECT_S: Final = 10.0
_LOOK_S: Final = 2.0
_PATIENCE_S: Final = 60.0
"""Without any worker for so long, the sweep stops; what is done is kept."""


class DaskCluster:
    """Does units on the workers of a Dask scheduler.

    Parameters
    ----------
    scheduler : address, as in ``tcp://127.0.0.1:8786``

    Raises
    ------
    InvalidInput
        Where Dask is not installed.
    PlaceOrMachine
        Where nobody answers, nobody works, or workers have other code.
    """

    def __init__(self, scheduler: str) -> None:
        self._scheduler = scheduler
        self._dask = _distributed()
        self._client = self._connected()
        self._flying: dict[Any, Unit] = {}
        self._landed: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._looked, self._threads = 0.0, 0
        self._look()

    @property
    def has_room(self) -> bool:
        """Whether the cluster has too little to do."""
        return len(self._flying) < 2 * max(1, self._threads)

    def give(self, unit: Unit) -> None:
        """Send a unit to the cluster."""
        future = self._client.submit(do_unit, unit, pure=False)
        self._flying[future] = unit
        future.add_done_callback(self._landed.put)

    def wait(self) -> Finished:
        """Wait for a unit; the cluster itself does those of a lost worker again."""
        future = self._next()
        unit = self._flying.pop(future)
        try:
            return Finished(unit, future.result())
        except self._dask.KilledWorker:
            return Finished(unit, lost(unit))
        except (self._dask.CancelledError, OSError):
            raise self._gone("said.cluster.scheduler_gone") from None

    def close(self) -> None:
        """Take back what is not done, and leave the cluster as it was."""
        self._client.cancel(list(self._flying), force=True)
        self._client.close(timeout=2)

    def _connected(self) -> Any:
        # What Dask logs of lost connections is told by us, in a sentence.
        for name in logging.root.manager.loggerDict:
            if name.split(".")[0] in ("distributed", "tornado", "asyncio"):
                logging.getLogger(name).setLevel(logging.CRITICAL + 1)
        try:
            client = self._dask.Client(self._scheduler, timeout=_CONNECT_S, set_as_default=False)
            client.wait_for_workers(1, timeout=_CONNECT_S)
        except TimeoutError:
            raise self._gone("said.cluster.no_worker") from None
        except OSError:
            raise self._gone("said.cluster.nobody_answers") from None
        try:
            same = set(client.run(code_digest).values()) == {code_digest()}
        except ImportError:
            same = False
        if not same:
            client.close()
            raise self._gone("said.cluster.other_version")
        return client

    def _next(self) -> Any:
        alone_since = time.monotonic()
        while True:
            self._look()
            try:
                return self._landed.get(timeout=_LOOK_S)
            except queue.Empty:
                pass
            if self._threads:
                alone_since = time.monotonic()
            elif time.monotonic() - alone_since > _PATIENCE_S:
                raise self._gone("said.cluster.no_worker_for_long")

    def _look(self) -> None:
        """Count the workers, now and then: it is a question to the scheduler."""
        if self._client.status != "running":
            raise self._gone("said.cluster.scheduler_gone")
        if time.monotonic() - self._looked > _LOOK_S:
            self._threads = sum(self._client.nthreads().values())
            self._looked = time.monotonic()

    def _gone(self, why: str) -> PlaceOrMachine:
        seconds = f"{_PATIENCE_S:.0f}"
        what = say(why, scheduler=self._scheduler, seconds=seconds)
        return PlaceOrMachine(what)


def _distributed() -> Any:
    try:
        import distributed
    except ImportError:
        raise InvalidInput([Problem("execution", say("said.cluster.no_dask"))]) from None
    return distributed
