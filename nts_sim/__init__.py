"""What-if simulation and resource planning for non-traditional security.

From the command line: ``nts-sim --help``. From Python: `nts_sim.spec.load.load_study` makes a
study, `nts_sim.world.build.build_world` its world, `nts_sim.engine.session.simulate` a run.
"""

from nts_sim.errors import InvalidInput, NoAcceptableSolution, NtsError, PlaceOrMachine, Problem

__version__ = "0.1.0"

__all__ = [
    "InvalidInput",
    "NoAcceptableSolution",
    "NtsError",
    "PlaceOrMachine",
    "Problem",
    "__version__",
]
