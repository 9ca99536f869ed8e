"""Two finished runs side by side, beside the first of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nts_sim.cli import pages
from nts_sim.errors import InvalidInput, Problem
from nts_sim.report.pair import Side, side
from nts_sim.report.pair_page import write_pair, write_pair_workbook
from nts_sim.report.pdf import printed
from nts_sim.study import store
from nts_sim.words import say

VERBS = ("run", "compare", "plan")


def put_side_by_side(first: Path, second: Path, *, pdf: bool) -> int:
    """Write page and workbook of two runs; a PDF too if asked for.

    Raises
    ------
    InvalidInput
        Where they are not two finished runs of one kind.
    """
    manifests = _manifests(first, second)
    a, b = (_side(*found) for found in zip((first, second), manifests, strict=True))
    folder = first.resolve().parent / _name(a, b)
    page = write_pair(a, b).encode("utf-8")
    files = {pages.REPORT: page, pages.BOOK: write_pair_workbook(a, b)}
    if pdf:
        files[pages.PDF] = printed(page)
    for name, data in files.items():
        print(store.write_file(folder, pages.page(name), data))
    return 0


def _name(a: Side, b: Side) -> str:
    """Name the pair after the hashes of its run ids."""
    ids = (one.view.run_id.rpartition("-")[2] for one in (a, b))
    return "-".join(["pair", *ids])


def _side(folder: Path, manifest: dict[str, Any]) -> Side:
    return side(store.read_results(folder), manifest)


def _manifests(first: Path, second: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    problems: list[Problem] = []
    for folder in (first, second):
        try:
            found.append(store.read_manifest(folder))
        except InvalidInput as error:
            problems += error.problems
    problems += _unlike(first, second, found) if len(found) == 2 else []
    if problems:
        raise InvalidInput(problems, say("cli.subject.results"))
    return found


def _unlike(first: Path, second: Path, found: list[dict[str, Any]]) -> Iterator[Problem]:
    verbs = [str(manifest.get("verb")) for manifest in found]
    if found[0].get("run_id") == found[1].get("run_id"):
        yield Problem(str(second), say("pair.same_run"))
    for folder, verb in zip((first, second), verbs, strict=True):
        if verb not in VERBS:
            yield Problem(str(folder), say("cli.report.none"))
    if verbs[0] != verbs[1] and set(verbs) <= set(VERBS):
        yield Problem(str(second), say("pair.other_verb", first=verbs[0], second=verbs[1]))
