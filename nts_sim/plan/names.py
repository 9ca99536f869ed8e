"""What agencies, desks, places and legal bases are called, by the directory kept with a run."""

from __future__ import annotations

import pandas as pd

from nts_sim.study.directory import spoken_names
from nts_sim.words import is_known, name_of, say
from nts_sim.words.why import why


class Names:
    """Names in the language being spoken when it is made.

    Parameters
    ----------
    directory : table `directory`
    """

    def __init__(self, directory: pd.DataFrame) -> None:
        self._names = spoken_names({"directory": directory})

    def place(self, code: str) -> str:
        """Name a place; nothing stands for the whole nation."""
        return self._name("place", code) if code else say("plan.nation")

    def agency(self, code: str) -> str:
        """Name an agency; that of a province with its province."""
        place, _, agency = code.rpartition(".")
        name = self._name("agency", agency)
        return say("tasks.agency", agency=name, place=self.place(place)) if place else name

    def agencies(self, codes: str) -> str:
        """Name several agencies, joined by spaces in the table."""
        return "; ".join(self.agency(code) for code in codes.split())

    def desk(self, code: str, place: str) -> str:
        """Name who signs; a provincial desk with its province."""
        name = self._name("desk", code)
        return say("tasks.agency", agency=name, place=self.place(place)) if place else name

    def mechanism(self, code: str) -> str:
        """Name a way of mobilising; one of a planner's own by its title."""
        known = is_known(f"name.mechanism.{code}")
        return name_of("mechanism", code) if known else self._name("mechanism", code)

    def legal_basis(self, mechanism: str, kind: str) -> str:
        """Name the law a task rests on: its mechanism's, or that of a kind of preparation."""
        return self._name("legal_basis", mechanism or kind)

    def why(self, reason: str) -> str:
        """Say why an order was given, or what would have been done instead."""
        return why(reason, self._names)

    def _name(self, kind: str, code: str) -> str:
        return str(self._names.get((kind, code), code.replace("_", " ")))
