"""Words of verbs that are not keys of a study (``metric=…``): taken out, read, and checked."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from nts_sim.errors import InvalidInput, Problem
from nts_sim.words import say

if TYPE_CHECKING:
    from nts_sim.outcomes.metrics import Metric

DEFAULT_METRIC = "total_burden_bn_vnd"


class Words:
    """Words of a verb, with what is wrong with them.

    Parameters
    ----------
    arguments : what was written after the verb
    known : words that are the verb's own, as in ``metric=…``
    """

    def __init__(self, arguments: Sequence[str], known: Iterable[str]) -> None:
        self.known = tuple(known)
        self.rest: list[str] = []
        self.problems: list[Problem] = []
        self._given: dict[str, str] = {}
        for argument in arguments:
            word, equals, value = argument.partition("=")
            if not (equals and word in self.known):
                self.rest.append(argument)
            elif word in self._given:
                self.problems.append(Problem(word, say("cli.twice")))
            else:
                self._given[word] = value

    def has(self, word: str) -> bool:
        """Whether a word was written."""
        return word in self._given

    def text(self, word: str, otherwise: str) -> str:
        """Return what was written after a word."""
        return self._given.get(word, otherwise)

    def one_of(self, word: str, known: Iterable[str], otherwise: str) -> str:
        """Return one of some names."""
        from nts_sim.spec.load import suggestion

        names = tuple(known)
        text = self._given.get(word, otherwise)
        if text not in names:
            what = say("cli.own_words.unknown", given=repr(text), hint=suggestion(text, names))
            self.problems.append(Problem(word, what))
            return otherwise
        return text

    def number(self, word: str) -> float | None:
        """Return a number; None where it was not written, or is none."""
        text = self._given.get(word)
        if text is None:
            return None
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            self.problems.append(Problem(word, say("cli.own_words.no_number", given=repr(text))))
            return None
        return value

    def metric(self, burdens: bool = False) -> Metric:
        """Return the outcome that is looked at; a burden only, of which less is better."""
        from nts_sim.outcomes.metrics import BY_NAME
        from nts_sim.study.sweep.unit import COLUMNS

        known = [name for name in COLUMNS if BY_NAME[name].lower_is_better or not burdens]
        return BY_NAME[self.one_of("metric", known, DEFAULT_METRIC)]

    def folder(self) -> str:
        """Return the one folder among the words left; whatever else is left is a problem."""
        folders = [word for word in self.rest if "=" not in word]
        for word in self.rest:
            if word not in folders:
                known = ", ".join(f"{name}=" for name in self.known)
                self.problems.append(Problem(word, say("cli.own_words.unknown_word", known=known)))
        if len(folders) != 1:
            what = say("cli.own_words.one_folder")
            self.problems.append(Problem(say("cli.subject.sweep"), what))
        return folders[0] if folders else ""

    def stop_if_wrong(self, *further: Callable[[], object]) -> None:
        """Raise every problem, with those that further checks raise."""
        if not self.problems:
            return
        for check in further:
            try:
                check()
            except InvalidInput as error:
                self.problems += error.problems
        raise InvalidInput(self.problems, say("cli.subject.written"))
