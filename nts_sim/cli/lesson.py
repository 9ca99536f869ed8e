"""What is learnt from a sweep: worked out once, kept beside the sweep, and told."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pandas as pd

from nts_sim.charts.frame import Chart, View
from nts_sim.charts.sweep import sweep_view
from nts_sim.cli.flags import Flags
from nts_sim.cli.lesson_text import lesson_text
from nts_sim.cli.pages import chart_files, chart_lines, page, rebuild
from nts_sim.cli.prepare import check_results_place
from nts_sim.cli.tell import announce, tables_json
from nts_sim.study import store
from nts_sim.study.sweep.kept import Kept, Lesson, Question, keep_lesson
from nts_sim.words import DEFAULT, say, speaking

_FINDING: Final = "finding.txt"


@dataclass(frozen=True)
class Learnt:
    """What was learnt: tables, and what is made of them in whatever language is spoken then.

    Attributes
    ----------
    charts : draws the charts, by name
    finding : says what it means, a sentence or more
    """

    frames: Mapping[str, pd.DataFrame]
    charts: Callable[[], Mapping[str, Chart]]
    finding: Callable[[], Sequence[str]]

    def pages(self) -> dict[str, bytes]:
        """Make what people read, in the language being spoken; file name → content."""
        told = "".join(f"{line}\n" for line in self.finding())
        return {**chart_files(self.charts()), page(_FINDING): told.encode("utf-8")}

    def as_kept(self) -> Lesson:
        """Return what is kept; the finding among the data is in one language whoever asks."""
        with speaking(DEFAULT):
            finding = self.finding()
        return Lesson(self.frames, self.pages(), finding)


def teach(
    question: Question, experiment: Path, flags: Flags, learn: Callable[[str], Learnt],
    command: Sequence[str],
) -> int:  # fmt: skip
    """Work out an answer, unless it is there, and tell it; return the exit code.

    Parameters
    ----------
    experiment : folder that the answer's folder will be in
    learn : run id → the answer
    command : words of the command line, after the verb
    """
    folder = question.folder(experiment)
    if store.is_done(folder):
        tell_again(folder, flags, lambda: learn(folder.name))
        return 0
    check_results_place(experiment)
    started = time.monotonic()
    lesson = learn(folder.name).as_kept()
    with store.claimed(folder):
        words = [question.verb, *command]
        keep_lesson(folder, question, lesson, words, time.monotonic() - started)
    tell_lesson(folder, flags)
    return 0


def tell_again(folder: Path, flags: Flags, learn: Callable[[], Learnt]) -> None:
    """Tell an answer that is there; its pages in another language are made of what it says."""
    announce(say("cli.already_there", folder=folder), flags)
    if not (folder / page(_FINDING)).is_file():
        rebuild(folder, learn().pages())
    tell_lesson(folder, flags)


def tell_lesson(folder: Path, flags: Flags) -> None:
    """Print a kept answer: its tables in short, its finding, where everything is."""
    frames = store.read_results(folder)
    manifest = store.read_manifest(folder)
    if flags.json:
        print(tables_json(folder, frames, [str(line) for line in manifest["finding"]]))
        return
    finding = (folder / page(_FINDING)).read_text(encoding="utf-8").strip()
    text = lesson_text(str(manifest["verb"]), frames)
    print("\n\n".join(part for part in (text, finding, _paths(folder, frames)) if part))


def _paths(folder: Path, frames: Mapping[str, object]) -> str:
    lines = [say("cli.path.table", path=folder / f"{name}.csv") for name in frames]
    return "\n".join(lines + chart_lines(folder))


def view_of(kept: Kept, run_id: str) -> View:
    """Say what charts of a kept sweep are about."""
    return sweep_view(kept.summary, kept.scenario, run_id, kept.baseline)
