"""The scalar rules of the model: the arithmetic that every engine shares.

Engines add, subtract, multiply, divide and compare; logarithms were taken when luck was drawn.
"""

from __future__ import annotations


def fill(available: float, required: float) -> float:
    """Share of a required amount that is there: 1 where nothing is required."""
    if required <= 0.0:
        return 1.0
    return min(1.0, max(0.0, available) / required)


def containment_speed(containment_gain: float, coverage: float) -> float:
    """Speed of containment work: 1 + κ · coverage."""
    return 1.0 + containment_gain * coverage


def escalation_speed(coverage: float) -> float:
    """Speed of escalation work: 1 − coverage."""
    return 1.0 - coverage


def hit_probability(
    link_probability: float, spread_reduction: float, source_coverage: float, protection: float
) -> float:
    """Chance that a hit succeeds: p · weight · (1 − σ · coverage of the source) · protection."""
    return link_probability * (1.0 - spread_reduction * source_coverage) * protection


def work_left(left_days: float, speed: float, elapsed_days: float) -> float:
    """Work left after working at `speed` for `elapsed_days`."""
    return max(0.0, left_days - speed * elapsed_days)


def rest_of_day(tick: int, ticks_per_day: int) -> float:
    """Share of the day still to come; 1 at a day boundary."""
    return 1.0 - (tick % ticks_per_day) / ticks_per_day
