"""Hears everything Python tells its audit hooks: did anything run, connect or write?"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_SUSPECT = (
    "subprocess.", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "os.startfile",
    "socket.", "ctypes.", "pickle.find_class", "shutil.", "os.mkdir", "os.rename", "os.remove",
    "os.rmdir", "os.chmod", "os.link", "os.symlink", "os.truncate", "os.putenv", "os.kill",
    "webbrowser.", "smtplib.", "ftplib.", "urllib.",
)  # fmt: skip
_OURS = {"HYDRA_FULL_ERROR", "HYDRA_INSTANTIATE_ALLOWLIST_OVERRIDE", "HYDRA_MAIN_MODULE"}
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_TRUNC

_heard: list[str] | None = None


def _hook(event: str, args: tuple[object, ...]) -> None:
    if _heard is None:
        return
    if event == "open":
        _, mode, flags = args
        writes = (isinstance(mode, str) and any(letter in mode for letter in "wax+")) or (
            isinstance(flags, int) and flags & _WRITES
        )
        if writes:
            _heard.append(f"open for writing: {args[0]!r}")
    elif event == "os.putenv" and os.fsdecode(args[0]) in _OURS:  # type: ignore[arg-type]
        return
    elif event.startswith(_SUSPECT):
        _heard.append(f"{event}: {args!r}")


sys.addaudithook(_hook)


@contextmanager
def listening() -> Iterator[list[str]]:
    """Collect what is suspect while the block runs; bytecode of late imports is not written."""
    global _heard
    saved = sys.dont_write_bytecode
    sys.dont_write_bytecode = True
    _heard = heard = []
    try:
        yield heard
    finally:
        _heard = None
        sys.dont_write_bytecode = saved
