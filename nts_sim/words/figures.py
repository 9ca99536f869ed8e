"""Numbers in a given shape, with the marks of the language being spoken.

`nts_sim.words.number` chooses how exact a number is told; where a sentence has to show certain
digits (an amount beside the limit it is above), the sentence says the shape and only the marks
change. What a planner types into a file keeps its point in every language, for so it is read.
"""

from __future__ import annotations

from nts_sim.words.catalogue import say


def figure(value: float, shape: str = "g") -> str:
    """Write a number in a format of Python's: 1,234.5, or in Vietnamese 1.234,5.

    Parameters
    ----------
    value : float
    shape : str
        As in `format`: ``g``, ``.6g``, ``,.0f``, ``.1%``.
    """
    marks = {ord(","): say("format.group"), ord("."): say("format.decimal")}
    return format(value, shape).translate(marks)
