"""``portfolios``: checked here, done in `nts_sim.cli.work`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from nts_sim.cli.flags import Flags
from nts_sim.cli.hydra_app import run_hydra_verb

if TYPE_CHECKING:
    from nts_sim.cli.prepare import Prepared

DEFAULT_POLICY = "stochastic"


def main(arguments: Sequence[str], flags: Flags) -> int:
    """Check everything, then do the work; return the exit code."""
    given = {argument.lstrip("+").partition("=")[0] for argument in arguments}
    policy = () if "policy" in given else (f"policy={DEFAULT_POLICY}",)
    measures = () if given & {"measure", "measures"} else _every_measure()
    return run_hydra_verb("portfolios", [*arguments, *policy, *measures], flags, _act, "one policy")


def _every_measure() -> tuple[str, ...]:
    """Choose from all measures that are shipped."""
    from nts_sim.cli.compose import NO_MEASURE
    from nts_sim.cli.gate import list_options

    names = (name for name in list_options(None)["measure"] if name != NO_MEASURE)
    return f"measure={NO_MEASURE}", f"measure=[{','.join(names)}]"


def _act(prepared: Prepared, flags: Flags) -> int:
    from nts_sim.cli.work import portfolios

    return portfolios(prepared, flags)
