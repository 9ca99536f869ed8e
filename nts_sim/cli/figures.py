"""Numbers on a terminal: Python's formats, with the marks of the language being spoken."""

from __future__ import annotations

from nts_sim.words import say


def figure(value: float, form: str) -> str:
    """Write a number: ``figure(1234.5, ",.1f")`` is 1,234.5 in English, 1.234,5 in Vietnamese.

    Parameters
    ----------
    form : format of Python's mini-language; values that a planner types again are not for this
    """
    marks = {ord(","): say("format.group"), ord("."): say("format.decimal")}
    return format(value, form).translate(marks)
