"""The ledger of a sweep: a line for every part that was made, in the order they came.

It says what happened and when; what is done is known from the parts themselves. A line is written
whole or, where the machine stops in the middle, is taken away when the sweep goes on.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from nts_sim.study.store import in_place

NAME = "ledger.jsonl"


class Ledger:
    """Appends lines to ``ledger.jsonl``; a context manager."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file: IO[bytes] = in_place(lambda: _opened(folder / NAME), folder)

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def note(self, **what: Any) -> None:
        """Append a line."""
        line = json.dumps(what, ensure_ascii=False).encode() + b"\n"
        in_place(lambda: self._file.write(line), self._folder)


def read_ledger(folder: Path) -> Iterator[dict[str, Any]]:
    """Read the lines of a ledger; one that is not whole is left out."""
    for line in (folder / NAME).read_bytes().splitlines(keepends=True):
        if line.endswith(b"\n"):
            yield json.loads(line)


def _opened(path: Path) -> IO[bytes]:
    """Open for appending, after the last whole line."""
    file = path.open("ab", buffering=0)
    end = path.read_bytes().rfind(b"\n") + 1
    file.truncate(end)
    return file
