"""``report``: charts and report of a finished run, made again from its stored tables.

``format=pdf`` prints the report by a browser; two runs are put side by side.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from nts_sim.cli.flags import Flags
from nts_sim.errors import InvalidInput, Problem
from nts_sim.words import say

_FORMAT = "format="
_FORMATS = ("html", "pdf")
_VERBS = ("run", "compare", "plan")


def main(arguments: Sequence[str], flags: Flags) -> int:
    """Rebuild; the tables are checked against their digests and never changed."""
    folders = [Path(word) for word in arguments if not word.startswith(_FORMAT)]
    made = [word.removeprefix(_FORMAT) for word in arguments if word.startswith(_FORMAT)]
    problems = [
        Problem("format", say("gaps.format", given=given, known=", ".join(_FORMATS)))
        for given in made
        if given not in _FORMATS
    ]
    if len(folders) not in (1, 2):
        problems.append(Problem("report", say("gaps.folders")))
    if problems:
        raise InvalidInput(problems, say("error.subject.command_line"))
    if "pdf" in made:
        from nts_sim.report.pdf import browser

        browser()  # without one nothing is written
    if len(folders) == 2:
        from nts_sim.cli.pair import put_side_by_side

        return put_side_by_side(folders[0], folders[1], pdf="pdf" in made)
    return _again(folders[0], pdf="pdf" in made)


def _again(folder: Path, *, pdf: bool) -> int:
    from nts_sim.cli import pages
    from nts_sim.study import store

    manifest = store.read_manifest(folder)
    verb = manifest.get("verb")
    if verb not in _VERBS:
        raise InvalidInput([Problem(str(folder), say("cli.report.none"))],
                           say("cli.subject.results"))  # fmt: skip
    frames = store.read_results(folder)
    make = pages.plan_pages if verb == "plan" else pages.run_pages
    pages.rebuild(folder, make(frames, manifest))
    print(folder / pages.page(pages.REPORT))
    if pdf:
        print(pages.printed(folder))
    return 0
