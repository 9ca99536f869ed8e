"""Where compiled code is kept between runs: what Numba finds, told in our words."""

from __future__ import annotations

_NUMBAS_WORDS = "no locator available"


def no_place() -> str:
    """Tell that compiled code can be kept nowhere."""
    from nts_sim.words import say

    return say("cli.compiler.no_place")


def lacks_place(error: Exception) -> bool:
    """Whether an error is Numba's, met on import, that compiled code can be kept nowhere."""
    return isinstance(error, RuntimeError) and _NUMBAS_WORDS in str(error)
