"""Where compiled code is kept between runs: what Numba finds, told in our words."""

from __future__ import annotations

from typing import Final

NO_PLACE: Final = (
    "no folder to keep compiled code in: neither the package's nor the home folder may be written "
    "to; set NUMBA_CACHE_DIR to a folder that may"
)
_NUMBAS_WORDS = "no locator available"


def lacks_place(error: Exception) -> bool:
    """Whether an error is Numba's, met on import, that compiled code can be kept nowhere."""
    return isinstance(error, RuntimeError) and _NUMBAS_WORDS in str(error)
