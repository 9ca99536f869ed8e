"""Run a verb as a ``@hydra.main`` application, behind the gate.

What runs is what was checked: each job's composed configuration is looked up among those that
passed the gate.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import hydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from nts_sim.cli.compose import CONFIG_NAME, config_root, task_config
from nts_sim.cli.flags import Flags
from nts_sim.cli.gate import Opened, pass_gate
from nts_sim.errors import InvalidInput, NtsError, Problem
from nts_sim.words import say

if TYPE_CHECKING:
    from nts_sim.cli.cells import Common, SweptCells
    from nts_sim.cli.compose import Composed
    from nts_sim.cli.prepare import Prepared, Wants

SOME_FAILED = 3
SECONDS_BETWEEN_LINES = 2.0

Act = Callable[["Prepared", Flags], int]
Sweep = Callable[["SweptCells", "Common", Flags, str], int]


def run_hydra_verb(
    verb: str,
    arguments: Sequence[str],
    flags: Flags,
    act: Act | None,
    wants: Wants,
    *,
    sweep: Sweep | None = None,
) -> int:
    """Pass the gate, check every job or cell, then let Hydra run them; return the exit code.

    Parameters
    ----------
    act : does the verb's work on one prepared job and returns its exit code
    wants : as in `prepare.prepare`
    sweep : does the verb's work on all cells of a multirun; None: `act` does on one after another
    """
    opened = pass_gate(arguments, compares=sweep is not None and wants != "one policy")
    if opened.only_shows:
        _call_hydra(verb, opened.hydra_arguments, lambda _: None)
        return 0
    if flags.dry_run and (sweep is None or not opened.multirun):
        what = say("cli.hydra_app.dry_run")
        raise InvalidInput([Problem("--dry-run", what)], say("error.subject.command_line"))
    if not flags.quiet:
        print(*opened.notes, sep="\n", end="\n" * bool(opened.notes), file=sys.stderr)
    task = _Task(verb, opened, flags, act, wants, sweep)
    _call_hydra(verb, opened.hydra_arguments, task)
    return task.result()


class _Task:
    """What ``@hydra.main`` decorates: called with one job, or launched with all cells.

    Everything is checked before Hydra is called. Hydra would announce an exception in its own
    words, so none leaves this object.
    """

    def __init__(
        self, verb: str, opened: Opened, flags: Flags, act: Act | None, wants: Wants,
        sweep: Sweep | None,
    ) -> None:  # fmt: skip
        self._verb, self._opened, self._flags = verb, opened, flags
        self._act, self._sweep = act, sweep
        self._code = 0
        self._failure: Exception | None = None
        if opened.multirun:
            self._cells, self._common = _checked_cells(opened, flags, wants)
        else:
            composed, origin = opened.job()
            self._prepared = _prepare(composed, origin, flags, wants)
            self._key = _key(composed.config)

    def __call__(self, config: DictConfig) -> None:
        """Do the one job, which must be the one that was checked."""
        self._noting(lambda: self._one(config))

    def unfold(self, arguments: Sequence[str]) -> Sequence[Sequence[str]]:
        """Return the overrides of every cell; Hydra was given what is the same in all."""
        return self._opened.grid

    def launch(self, job_overrides: Sequence[Sequence[str]]) -> None:
        """Run the cells, which must be those that were checked."""
        assert job_overrides is self._opened.grid
        self._noting(self._all_cells)

    def result(self) -> int:
        """Return the exit code, or raise what stopped the work."""
        if self._failure is not None:
            raise self._failure
        return self._code

    def _noting(self, work: Callable[[], int]) -> None:
        try:
            self._code = work()
        except Exception as failure:
            self._failure = failure

    def _one(self, config: DictConfig) -> int:
        assert self._act is not None and _key_of(config) == self._key
        return self._act(self._prepared, self._flags)

    def _all_cells(self) -> int:
        if self._sweep is not None:
            return self._sweep(self._cells, self._common, self._flags, self._verb)
        assert self._act is not None
        return _one_by_one(self._cells, self._common, self._flags, self._act)


def _one_by_one(cells: SweptCells, common: Common, flags: Flags, act: Act) -> int:
    """Do every job in its turn; one job's failure is told and the others go on."""
    codes = []
    for number in range(len(cells)):
        try:
            codes.append(act(cells.prepare(number, common.tables), flags))
        except NtsError as error:
            job = " ".join(cells.written(number))
            print(f"{job}: {error}", file=sys.stderr)
            codes.append(error.exit_code)
    return SOME_FAILED if 0 in codes and any(codes) else max(codes, default=0)


def show_with_hydra(arguments: Sequence[str]) -> int:
    """Let Hydra answer a request that concerns no verb: installing tab completion."""
    _call_hydra("", pass_gate(arguments).hydra_arguments, lambda _: None)
    return 0


def _prepare(composed: Composed, origin: Mapping[str, str], flags: Flags, wants: Wants) -> Prepared:
    """Check one job; what does is loaded only now, after the gate."""
    from nts_sim.cli.prepare import prepare

    return prepare(composed, origin, flags, wants)


def _checked_cells(opened: Opened, flags: Flags, wants: Wants) -> tuple[SweptCells, Common]:
    from nts_sim.cli.cells import SweptCells, check_cells

    cells = SweptCells(opened, flags, wants)
    return cells, check_cells(cells, _teller(len(cells), flags))


def _teller(total: int, flags: Flags) -> Callable[[int], None]:
    """Tell how far the checking of cells is, once it takes a while."""
    told = time.monotonic()

    def tell(number: int) -> None:
        nonlocal told
        if time.monotonic() - told >= SECONDS_BETWEEN_LINES and not flags.quiet:
            told = time.monotonic()
            told_now = say("cli.hydra_app.checking", cell=number, of=total)
            print(told_now, file=sys.stderr, flush=True)

    return tell


def _key(config: Mapping[str, Any]) -> str:
    return json.dumps(config, sort_keys=True, default=str)


def _key_of(config: DictConfig) -> str:
    plain = OmegaConf.to_container(config, resolve=True)
    assert isinstance(plain, dict)
    choices = HydraConfig.get().runtime.choices
    return _key(task_config({str(name): value for name, value in plain.items()}, choices))


def _call_hydra(verb: str, arguments: Sequence[str], task: Callable[[DictConfig], None]) -> None:
    """Call ``@hydra.main`` with these arguments; errors come out as they are."""
    saved_argv, saved_full = sys.argv, os.environ.get("HYDRA_FULL_ERROR")
    sys.argv = [f"nts-sim {verb}".strip(), *arguments]
    os.environ["HYDRA_FULL_ERROR"] = "1"
    # Hydra prints through log handlers; a closed pipe (as in `| head`) is not worth a traceback.
    logging.raiseExceptions = False
    decorate = hydra.main(
        version_base="1.3", config_path=str(config_root()), config_name=CONFIG_NAME
    )
    try:
        decorate(task)()
    except SystemExit as leaving:
        if leaving.code not in (None, 0):
            raise NtsError(say("cli.hydra_app.stopped", code=leaving.code)) from leaving
    finally:
        sys.argv = saved_argv
        if saved_full is None:
            os.environ.pop("HYDRA_FULL_ERROR", None)
        else:
            os.environ["HYDRA_FULL_ERROR"] = saved_full
