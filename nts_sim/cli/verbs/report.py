"""``report``: charts and report of a finished run, made again from its stored tables."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from nts_sim.cli.flags import Flags
from nts_sim.errors import InvalidInput, Problem
from nts_sim.words import say


def main(arguments: Sequence[str], flags: Flags) -> int:
    """Rebuild; the tables are checked against their digests and never changed."""
    if len(arguments) != 1:
        what = say("cli.report.one_folder")
        raise InvalidInput([Problem("report", what)], say("error.subject.command_line"))
    from nts_sim.cli import pages
    from nts_sim.study import store

    folder = Path(arguments[0])
    manifest = store.read_manifest(folder)
    frames = store.read_results(folder)
    missing = sorted({"summary", "comparison", "ranking", "daily"} - set(frames))
    if missing or manifest.get("verb") not in ("run", "compare"):
        what = say("cli.report.none")
        raise InvalidInput([Problem(str(folder), what)], say("cli.subject.results"))
    pages.rebuild(folder, pages.run_pages(frames, manifest))
    print(folder / pages.page(pages.REPORT))
    return 0
