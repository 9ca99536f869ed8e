"""Run a verb as a ``@hydra.main`` application, behind the gate.

What runs is what was checked: each job's composed configuration is looked up among those that
passed the gate.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import hydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from nts_sim.cli.compose import CONFIG_NAME, config_root, task_config
from nts_sim.cli.flags import Flags
from nts_sim.cli.gate import Opened, pass_gate
from nts_sim.errors import NtsError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nts_sim.cli.prepare import Prepared, Wants

Act = Callable[["Prepared", Flags], int]


def run_hydra_verb(
    verb: str, arguments: Sequence[str], flags: Flags, act: Act, wants: Wants
) -> int:
    """Pass the gate, prepare every job, then let Hydra run them; return the exit code.

    Parameters
    ----------
    act : does the verb's work on one prepared job and returns its exit code
    wants : as in `prepare.prepare`
    """
    opened = pass_gate(arguments)
    if opened.only_shows:
        _call_hydra(verb, opened.hydra_arguments, lambda _: None)
        return 0
    ready = _prepare_all(opened, flags, wants)
    codes: list[int] = []
    failures: list[Exception] = []

    def task(config: DictConfig) -> None:
        # Hydra would announce an exception in its own words, so none leaves this function.
        try:
            codes.append(_one_job(act, ready[_key_of(config)], flags, opened.multirun))
        except Exception as failure:
            failures.append(failure)

    with _scratch(opened) as extra:
        _call_hydra(verb, (*opened.hydra_arguments, *extra), task)
    if failures:
        raise failures[0]
    return max(codes, default=0)


def _one_job(act: Act, prepared: Prepared, flags: Flags, multirun: bool) -> int:
    """Do one job; in a multirun one job's failure is told and the others go on."""
    try:
        return act(prepared, flags)
    except NtsError as error:
        if not multirun:
            raise
        print(f"{error}", file=sys.stderr)
        return error.exit_code


def show_with_hydra(arguments: Sequence[str]) -> int:
    """Let Hydra answer a request that concerns no verb: installing tab completion."""
    _call_hydra("", pass_gate(arguments).hydra_arguments, lambda _: None)
    return 0


def _prepare_all(opened: Opened, flags: Flags, wants: Wants) -> dict[str, Prepared]:
    """Check every job before the first one runs."""
    from nts_sim.cli.prepare import prepare

    return {_key(job.config): prepare(job, opened.origin, flags, wants) for job in opened.jobs}


def _key(config: Mapping[str, Any]) -> str:
    return json.dumps(config, sort_keys=True, default=str)


def _key_of(config: DictConfig) -> str:
    plain = OmegaConf.to_container(config, resolve=True)
    assert isinstance(plain, dict)
    choices = HydraConfig.get().runtime.choices
    return _key(task_config({str(name): value for name, value in plain.items()}, choices))


@contextmanager
def _scratch(opened: Opened) -> Iterator[tuple[str, ...]]:
    """Give Hydra's multirun, which always notes itself in a file, a folder that is thrown away."""
    if not opened.multirun:
        yield ()
        return
    with tempfile.TemporaryDirectory(prefix="nts-sim-") as folder:
        yield (f"hydra.sweep.dir={folder}",)


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
            raise NtsError(f"Hydra stopped with code {leaving.code}") from leaving
    finally:
        sys.argv = saved_argv
        if saved_full is None:
            os.environ.pop("HYDRA_FULL_ERROR", None)
        else:
            os.environ["HYDRA_FULL_ERROR"] = saved_full
