"""Names in the language being spoken, by the directory that is kept with a run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import pandas as pd

from nts_sim.words import used_language

_NAMED: Final = {
    "name": ("place", "place"),
    "source_name": ("place", "source"),
    "authority": ("authority", "mechanism"),
    "legal_basis": ("legal_basis", "mechanism"),
}
"""Column that holds a name → (kind in the directory, column that holds the code)."""


def named(frames: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Write all names in result tables as the language does; those not listed stay."""
    directory = frames["directory"]
    keys = zip(directory["kind"].astype(str), directory["code"].astype(str), strict=True)
    listed = dict(zip(keys, directory[used_language()].astype(str), strict=True))
    return {
        name: table if name == "directory" else _with_names(table, listed)
        for name, table in frames.items()
    }


def _with_names(table: pd.DataFrame, listed: Mapping[tuple[str, str], str]) -> pd.DataFrame:
    written = {
        column: [
            listed.get((kind, str(at)), str(name))
            for at, name in zip(table[code], table[column], strict=True)
        ]
        for column, (kind, code) in _NAMED.items()
        if column in table.columns and code in table.columns
    }
    return table.assign(**{name: pd.Series(texts, table.index, dtype="str")
                           for name, texts in written.items()})  # fmt: skip
