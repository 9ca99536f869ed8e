"""Numbers in a given shape, with the separators of the language spoken.

`nts_sim.words.number` chooses how exact a number is told; where a sentence has to show certain
digits (an amount beside the limit it is above), the sentence says the shape and only the marks
change. What a planner types into a file keeps its point in every language, for so it is read.
"""

from __future__ import annotations

from nts_sim.words.catalogue import DEFAULT, listing, used_language


def figure(value: float, shape: str = "g") -> str:
    """Write a number in a format of Python's, as ``1,234.5`` or in Vietnamese ``1.234,5``.

    Parameters
    ----------
    value : float
    shape : str
        As in `format`: ``g``, ``.6g``, ``,.0f``, ``.1%``.
    """
    plain = format(value, shape)
    if used_language() == DEFAULT:
        return plain
    texts = listing(used_language())
    marks = {",": str(texts["format.group"]), ".": str(texts["format.decimal"])}
    return "".join(marks.get(sign, sign) for sign in plain)
