"""What all tests share: how hypothesis searches, and one ordinary piece of luck."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, Phase, settings

from nts_sim.luck.draws import DrawSet, Luck
from nts_sim.words import DEFAULT, speak

settings.register_profile(
    "house", deadline=None, derandomize=True, print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
    phases=[Phase.explicit, Phase.generate, Phase.shrink],
)  # fmt: skip
settings.load_profile("house")


@pytest.fixture
def luck() -> Luck:
    """The first evaluation replication of seed 1."""
    return Luck(1, DrawSet.EVALUATION, 0)


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    """Every test begins in English, whatever a command spoke before it."""
    speak(DEFAULT)
    yield
    speak(DEFAULT)
