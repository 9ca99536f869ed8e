"""What things are called, in each language: kept with a run, so that any page can be made of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pandas as pd

from nts_sim.outcomes.frames import frame
from nts_sim.tables.load import Tables
from nts_sim.words import used_language

Row = tuple[str, str, str, str]


def directory_table(tables: Tables) -> pd.DataFrame:
    """List names by kind and code (table `directory`).

    Names of our provinces are the same in both languages, with all their letters.
    """
    rows = list(_rows(tables))
    columns = ("kind", "code", "en", "vi")
    return frame("directory", {c: [row[i] for row in rows] for i, c in enumerate(columns)})


def spoken_names(frames: Mapping[str, pd.DataFrame]) -> dict[tuple[str, str], str]:
    """Names by kind and code in the language spoken; none where a run has kept no directory."""
    if "directory" not in frames:
        return {}
    names = frames["directory"]
    spoken = names[used_language()]
    return dict(zip(zip(names["kind"], names["code"], strict=True), spoken, strict=True))


def _rows(tables: Tables) -> Iterator[Row]:
    for code, name in tables.columns("places", "code", "name_vi"):
        yield "place", code, name, name
    named = (
        ("place", "foreign_places", "code", "name", "name_vi"),
        ("agency", "agencies", "agency", "title", "title_vi"),
        ("desk", "desks", "desk", "title", "title_vi"),
        ("threat", "threats", "threat", "title", "title_vi"),
        ("mechanism", "mechanisms", "mechanism", "title", "title_vi"),
        ("authority", "mechanisms", "mechanism", "authority", "authority_vi"),
        ("legal_basis", "mechanisms", "mechanism", "legal_basis", "legal_basis_vi"),
        ("legal_basis", "preparation_steps", "step", "legal_basis", "legal_basis_vi"),
    )
    for kind, table, *columns in named:
        for code, en, vi in tables.columns(table, *columns):
            if en:
                yield kind, code, en, vi
