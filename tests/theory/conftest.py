"""Every theory test that asks for `engine` is run with each of them."""

import pytest

from nts_sim.engine.session import EngineName
from tests.theory.findings import ENGINES


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> EngineName:
    """Give each engine in turn."""
    name: EngineName = request.param
    return name
