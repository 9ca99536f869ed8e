"""Tab completion: Hydra's, told which part of the line is ours."""

from __future__ import annotations

import os
from collections.abc import Sequence

from nts_sim.cli.flags import Flags
from nts_sim.cli.helptext import VERBS
from nts_sim.cli.language import KEY
from nts_sim.words import languages

_LANGUAGE = f"{KEY}="


def main(arguments: Sequence[str], flags: Flags) -> int:
    """Answer ``-sc install=bash`` and ``-sc query=bash``.

    The shell gives the line typed so far in ``COMP_LINE``; the verb is taken out of it, since
    Hydra completes only what follows a program's name. So is the language, which Hydra does not
    know and which is completed here.
    """
    *before, last = os.environ.get("COMP_LINE", "").split(" ")
    words = [*(word for word in before if not word.startswith(_LANGUAGE)), last]
    asks = any("query=" in argument for argument in arguments)
    if asks and last.startswith(_LANGUAGE):
        known = (f"{_LANGUAGE}{language}" for language in languages())
        print(" ".join(word for word in known if word.startswith(last)))
        return 0
    if asks and len(words) <= 2:
        print(" ".join(verb for verb in VERBS if verb.startswith(words[-1])))
        return 0
    if asks:
        os.environ["COMP_LINE"] = " ".join(["nts-sim", *words[2:]])
    from nts_sim.cli.hydra_app import show_with_hydra

    return show_with_hydra(arguments)
