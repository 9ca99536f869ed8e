"""What is learnt from a sweep: worked out once, kept beside the sweep, and told."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from nts_sim.charts.frame import View
from nts_sim.charts.sweep import sweep_view
from nts_sim.cli.flags import Flags
from nts_sim.cli.lesson_text import lesson_text
from nts_sim.cli.pages import chart_lines
from nts_sim.cli.prepare import check_results_place
from nts_sim.cli.tell import announce, tables_json
from nts_sim.study import store
from nts_sim.study.sweep.kept import Kept, Lesson, Question, keep_lesson
from nts_sim.words import say


def teach(
    question: Question, experiment: Path, flags: Flags, learn: Callable[[str], Lesson],
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
        announce(say("cli.already_there", folder=folder), flags)
    else:
        check_results_place(experiment)
        started = time.monotonic()
        lesson = learn(folder.name)
        with store.claimed(folder):
            words = [question.verb, *command]
            keep_lesson(folder, question, lesson, words, time.monotonic() - started)
    tell_lesson(folder, flags)
    return 0


def tell_lesson(folder: Path, flags: Flags) -> None:
    """Print a kept answer: its tables in short, its finding, where everything is."""
    frames = store.read_results(folder)
    manifest = store.read_manifest(folder)
    finding = [str(line) for line in manifest["finding"]]
    if flags.json:
        print(tables_json(folder, frames, finding))
        return
    text = lesson_text(str(manifest["verb"]), frames)
    print("\n\n".join(part for part in (text, "\n".join(finding), _paths(folder, frames)) if part))


def _paths(folder: Path, frames: Mapping[str, object]) -> str:
    lines = [say("cli.path.table", path=folder / f"{name}.csv") for name in frames]
    return "\n".join(lines + chart_lines(folder))


def view_of(kept: Kept, run_id: str) -> View:
    """Say what charts of a kept sweep are about."""
    return sweep_view(kept.summary, kept.scenario, run_id, kept.baseline)
