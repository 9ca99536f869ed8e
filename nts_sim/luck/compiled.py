"""The arithmetic of luck, compiled: shared by every engine, the same to the last bit.

Only additions, multiplications, divisions and shifts: no library's logarithm, whose last bit
depends on the machine. `exponential` takes the logarithm by its series.
"""

from __future__ import annotations

from math import frexp

import numpy as np
from numba import njit, vectorize

_GAMMA = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_BELOW_ONE = 1.0 - 2.0**-53
_LN2 = 0.6931471805599453
_SQRT_HALF = 0.7071067811865476
_TERMS = 12
"""Terms of the series: the next one is below 2⁻⁵⁶ of the sum."""


@njit(cache=True)
def chain(state: np.uint64, field: np.uint64) -> np.uint64:
    """Take one more field of a key into its hash (finaliser of SplitMix64)."""
    value = state * _GAMMA + field + _GAMMA
    value = (value ^ (value >> np.uint64(30))) * _MIX_1
    value = (value ^ (value >> np.uint64(27))) * _MIX_2
    return value ^ (value >> np.uint64(31))


@njit(cache=True)
def unit(state: np.uint64) -> float:
    """Turn a hash into a uniform in (0, 1)."""
    uniform = ((state >> np.uint64(11)) + 0.5) * 2.0**-53
    return min(uniform, _BELOW_ONE)  # the very last of the 2⁵³ rounds up to 1


@njit("uint64(uint64, uint64, uint64, uint64)", cache=True)
def stream_hash(seed: int, draw_set: int, replication: int, stream: int) -> int:
    """Hash the fields of a key that all draws of a stream share."""
    state = chain(chain(np.uint64(0), np.uint64(seed)), np.uint64(draw_set))
    return chain(chain(state, np.uint64(replication)), np.uint64(stream))  # type: ignore[return-value]


@njit("float64(uint64, uint64, uint64, uint64)", cache=True)
def draw(stream: int, entity: int | np.uint64, occurrence: int, step: int) -> float:
    """Draw the uniform of a key, given the hash of its first fields (`Luck.stream`).

    The signature is fixed, so that plain integers of any size become unsigned on the way in.
    """
    state = chain(chain(np.uint64(stream), np.uint64(entity)), np.uint64(occurrence))
    return unit(chain(state, np.uint64(step)))


@vectorize(["float64(uint64, uint64, uint64, uint64)"], cache=True)  # type: ignore[no-untyped-call]
def draws(stream, entity, occurrence, step):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    """Apply `draw` to whole arrays of keys, which broadcast."""
    return unit(chain(chain(chain(stream, entity), occurrence), step))


@njit(cache=True)
def log(x: float) -> float:
    """Natural logarithm of a positive number, within 2⁻⁵¹ of it.

    ln x = e·ln 2 + 2·artanh((m − 1)/(m + 1)) for x = m·2ᵉ, √½ ≤ m < √2.
    """
    m, e = frexp(x)
    if m < _SQRT_HALF:
        m, e = m * 2.0, e - 1
    s = (m - 1.0) / (m + 1.0)
    z, total = s * s, 0.0
    for k in range(_TERMS, -1, -1):
        total = total * z + 1.0 / (2.0 * k + 1.0)
    return e * _LN2 + 2.0 * s * total


@njit(cache=True)
def standard_exponential(u: float) -> float:
    """Turn a uniform in (0, 1) into an exponential of mean 1: −ln(1 − u), exact for small u."""
    rest = 1.0 - u
    lost = 1.0 - rest
    return u if lost == 0.0 else -log(rest) * (u / lost)


@vectorize(["float64(float64)"], cache=True)  # type: ignore[no-untyped-call]
def standard_exponentials(u):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    """Apply `standard_exponential` element by element."""
    return standard_exponential(u)
