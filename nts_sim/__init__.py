"""What-if simulation and resource planning for non-traditional security.

From the command line: ``nts-sim --help``. From Python: `nts_sim.spec.load.load_study` makes a
study, `nts_sim.world.build.build_world` its world, `nts_sim.engine.session.simulate` a run.
"""

import os

from nts_sim.errors import InvalidInput, NoAcceptableSolution, NtsError, PlaceOrMachine, Problem

# Heeded where numpy is imported later. No matrix here is large and dense enough to gain by threads;
# they wait busily for one another instead and double the CPU time of a planned epoch.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

__version__ = "0.1.0"

__all__ = [
    "InvalidInput",
    "NoAcceptableSolution",
    "NtsError",
    "PlaceOrMachine",
    "Problem",
    "__version__",
]
