"""The gate before Hydra: nothing a planner wrote reaches ``@hydra.main`` unchecked.

Command-line flags of Hydra are parsed with Hydra's own parser (which also takes abbreviations);
every file of the planner's folder is read as data; overrides are checked against the study; the
configuration is composed in memory. All problems are collected.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn

from nts_sim.cli import compose
from nts_sim.cli.grid import NO_GRID, Grid
from nts_sim.cli.overrides import check_overrides
from nts_sim.cli.yaml_check import Known, UserFile, read_user_file
from nts_sim.errors import InvalidInput, PlaceOrMachine, Problem
from nts_sim.words import say

_PLUGIN = "hydra_plugins.nts_sim_launcher"
MAX_USER_FILES = 500
MAX_FOLDER_ENTRIES = 5_000
_REFUSED_FLAGS = {
    "experimental_rerun": "cli.gate.experimental_rerun",
    "config_path": "cli.gate.config_path",
    "config_name": "cli.gate.config_name",
}
"""Flags of Hydra's, with the key of the sentence that refuses them."""


@dataclass(frozen=True)
class Opened:
    """What passed the gate.

    Attributes
    ----------
    hydra_arguments : what ``@hydra.main`` gets after the program's name; of what is swept, nothing
    only_shows : Hydra is asked to show something (``--cfg``, ``--info``, completion); nothing runs
    multirun : cells are made, if only one
    grid : the cells
    composer : makes their configurations
    files : the planner's own
    command_line : where the overrides stand, by dotted key
    flags : what was written of Hydra's own flags that matter to a cell
    notes : what there is to say before cells run
    """

    hydra_arguments: tuple[str, ...]
    only_shows: bool
    multirun: bool = False
    grid: Grid = NO_GRID
    composer: compose.Composer | None = None
    files: tuple[UserFile, ...] = ()
    command_line: Mapping[str, str] = field(default_factory=dict)
    flags: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def job(self) -> tuple[compose.Composed, dict[str, str]]:
        """Compose the one job as Hydra will, and say where its keys were written."""
        assert self.composer is not None
        composed = self.composer.whole(self.grid[0])
        return composed, self._origin(composed) | dict(self.command_line)

    def cell(self, number: int) -> tuple[compose.Composed, dict[str, str]]:
        """Compose one cell, and say where its keys were written."""
        assert self.composer is not None
        composed = self.composer.cell(self.grid.settings(number))
        written = dict(self.command_line) | self.grid.places(number)
        return composed, self._origin(composed) | written

    def _origin(self, composed: compose.Composed) -> dict[str, str]:
        """Say where keys were written, for the planner's files that this study uses."""
        origin: dict[str, str] = {}
        for file in self.files:
            if file.path.stem == composed.choices.get(file.group) or file.group == "policy":
                origin |= file.origin()
        return origin


def pass_gate(arguments: Sequence[str], compares: bool = False) -> Opened:
    """Check everything a planner wrote for a Hydra verb; raise `InvalidInput` with all problems.

    Parameters
    ----------
    compares : ``policy=a,b`` in a multirun is the list compared inside each cell
    """
    compose.clear_environment()
    _require_plugin()
    flags = _hydra_flags(arguments)
    if flags.shell_completion:
        return Opened(tuple(arguments), only_shows=True)
    folder = _user_folder(flags.config_dir)
    options, files = _read_folder(folder)
    shows, multirun = bool(flags.cfg or flags.info or flags.hydra_help), bool(flags.multirun)
    checked = check_overrides(flags.overrides, options, multirun, compares)
    if checked.problems:
        raise InvalidInput(checked.problems, say("cli.subject.written"))
    words = _without_overrides(arguments, flags.overrides)
    texts = checked.grid[0] if shows else checked.texts
    if shows:
        words = [word for word in words if not _asks_for_multirun(word)]
    return Opened(
        hydra_arguments=(*words, *texts),
        only_shows=shows,
        multirun=multirun and not shows,
        grid=checked.grid,
        composer=compose.Composer(folder, options),
        files=tuple(files),
        command_line=checked.origin(),
        flags=() if folder is None else (f"--config-dir={folder}",),
        notes=checked.notes,
    )


def _require_plugin() -> None:
    """Our launcher comes with the installation; without it no configuration can be composed."""
    if find_spec("hydra_plugins") is None or find_spec(_PLUGIN) is None:
        raise PlaceOrMachine(say("cli.gate.no_plugin", plugin=_PLUGIN))


def _asks_for_multirun(word: str) -> bool:
    return word == "-m" or (len(word) > 2 and "--multirun".startswith(word))


def list_options(folder: Path | None) -> dict[str, tuple[str, ...]]:
    """List the options of every group: shipped, and in the planner's folder."""
    options: dict[str, set[str]] = {}
    for root in (compose.config_root(), folder):
        for path in sorted(root.glob("*/*.yaml")) if root else ():
            options.setdefault(path.parent.name, set()).add(path.stem)
    return {group: tuple(sorted(names)) for group, names in sorted(options.items())}


def _hydra_flags(arguments: Sequence[str]) -> argparse.Namespace:
    """Parse Hydra's flags as Hydra will, and refuse those that read code or other roots."""
    from hydra._internal.utils import get_args_parser

    parser = get_args_parser()
    parser.error = _flag_error  # type: ignore[method-assign]
    flags = parser.parse_intermixed_args(list(arguments))
    problems = [
        Problem(f"--{name.replace('_', '-')}", say(key))
        for name, key in _REFUSED_FLAGS.items()
        if getattr(flags, name) is not None
    ]
    if problems:
        raise InvalidInput(problems, say("error.subject.command_line"))
    return flags


def _flag_error(message: str) -> NoReturn:
    subject = say("error.subject.command_line")
    raise InvalidInput([Problem(subject, say("cli.gate.flag", message=message))], subject)


def _without_overrides(arguments: Sequence[str], overrides: Sequence[str]) -> list[str]:
    """Return the flags among the arguments: the overrides are added again in checked form."""
    left = list(overrides)
    flags = []
    for argument in arguments:
        if argument in left:
            left.remove(argument)
        else:
            flags.append(argument)
    return flags


def _user_folder(given: str | None) -> Path | None:
    if given is None:
        return None
    folder = Path(given)
    try:
        if folder.is_dir() and os.access(folder, os.R_OK | os.X_OK):
            return Path.cwd() / folder
        if folder.is_dir():
            what = say("cli.gate.unreadable")
        else:
            what = say("cli.file.no_folder" if folder.exists() else "cli.file.missing")
    except (OSError, ValueError):
        what = say("cli.gate.no_name")
    raise InvalidInput([Problem(f"--config-dir {given}", what)], say("error.subject.command_line"))


def _read_folder(folder: Path | None) -> tuple[dict[str, tuple[str, ...]], list[UserFile]]:
    """Check every YAML file of the planner's folder, and that none hides or escapes."""
    options = list_options(folder)
    if folder is None:
        return options, []
    paths, problems = _yaml_files(folder)
    shipped = list_options(None)
    files: list[UserFile] = []
    for path in paths:
        problems += _place_problems(path, folder, shipped)
        file, found = read_user_file(path, folder, Known(options))
        problems += found
        files += [file] if file else []
    if problems:
        raise InvalidInput(problems, say("cli.subject.folder", folder=folder))
    return options, files


def _yaml_files(folder: Path) -> tuple[list[Path], list[Problem]]:
    """List the YAML files below a folder; a huge folder is refused, not searched."""
    found: list[Path] = []
    entries = 0
    for here, folders, names in os.walk(folder):
        folders.sort()
        entries += len(folders) + len(names)
        found += [Path(here) / name for name in sorted(names) if name.endswith((".yaml", ".yml"))]
        if entries > MAX_FOLDER_ENTRIES or len(found) > MAX_USER_FILES:
            return [], [Problem(str(folder), say("cli.gate.too_many_files"))]
    return found, []


def _place_problems(
    path: Path, folder: Path, shipped: Mapping[str, tuple[str, ...]]
) -> list[Problem]:
    """Check a file's name and place: groups are folders, and shipped options stay as they are."""
    inside = path.relative_to(folder)
    if path.suffix == ".yml":
        return [Problem(str(path), say("cli.gate.yml"))]
    if not path.resolve().is_relative_to(folder.resolve()):
        return [Problem(str(path), say("cli.gate.link"))]
    if len(inside.parts) != 2 or inside.parts[0] not in shipped:
        groups = ", ".join(shipped)
        return [Problem(str(path), say("cli.gate.no_group", groups=groups))]
    if path.stem in shipped[inside.parts[0]]:
        return [Problem(str(path), say("cli.gate.shipped", name=path.stem))]
    return []
