"""``validate``: every check a run would make, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from nts_sim.cli.flags import Flags
from nts_sim.cli.hydra_app import run_hydra_verb
from nts_sim.words import say

if TYPE_CHECKING:
    from nts_sim.cli.prepare import Prepared


def main(arguments: Sequence[str], flags: Flags) -> int:
    """Check a study as ``compare`` would; print "valid" only if nothing is wrong."""
    return run_hydra_verb("validate", arguments, flags, _say_valid, "either")


def _say_valid(prepared: Prepared, flags: Flags) -> int:
    from nts_sim.cli.work import told_count

    study = prepared.study
    names = ", ".join(name for name, _, _ in prepared.worlds)
    counts = {"policies": len(study.policies), "tables": len(prepared.tables.frames)}
    print(say("cli.validate.valid", names=names, count=told_count(study), **counts))
    return 0
