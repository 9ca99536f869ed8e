"""Print a page to PDF by a browser that is on the machine; nothing is fetched."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from nts_sim.errors import PlaceOrMachine
from nts_sim.words import say

VARIABLE: Final = "NTS_SIM_BROWSER"
_BROWSERS: Final = (
    "chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome",
    "microsoft-edge", "msedge", "brave-browser",
)  # fmt: skip
_TIME_LIMIT_S: Final = 120
_START: Final = b"%PDF-"


def browser(environment: Mapping[str, str] = os.environ) -> str:
    """Find a browser that prints: the one named in ``NTS_SIM_BROWSER``, else one that is known.

    Raises
    ------
    PlaceOrMachine
        There is none.
    """
    named = environment.get(VARIABLE)
    path = environment.get("PATH", os.defpath)
    for name in (named,) if named else _BROWSERS:
        found = shutil.which(name, path=path)
        if found:
            return found
    raise PlaceOrMachine(say("pdf.none", variable=VARIABLE, named=named or ", ".join(_BROWSERS)))


def printed(html: bytes) -> bytes:
    """Print a self-contained page to A4.

    Raises
    ------
    PlaceOrMachine
        There is no browser, or it does not print in time.
    """
    program = browser()
    with tempfile.TemporaryDirectory(prefix="nts-sim-") as scratch:
        page, made = Path(scratch) / "page.html", Path(scratch) / "page.pdf"
        page.write_bytes(html)
        try:
            subprocess.run(  # noqa: S603 (a browser found above, our own file)
                _command(program, Path(scratch), page, made), check=True, capture_output=True,
                timeout=_TIME_LIMIT_S,
            )  # fmt: skip
            data = made.read_bytes()
        except (OSError, subprocess.SubprocessError) as error:
            raise _failed(program, error) from None
    if not data.startswith(_START):
        raise PlaceOrMachine(say("pdf.failed", browser=program, reason=say("pdf.no_pdf")))
    return data


def _command(program: str, scratch: Path, page: Path, made: Path) -> list[str]:
    """Write the command: no network, a profile of its own; as root there is no sandbox to enter."""
    root = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    return [
        program, "--headless", "--disable-gpu", *root, f"--user-data-dir={scratch / 'profile'}",
        "--no-first-run", "--disable-extensions", "--disable-background-networking",
        "--host-resolver-rules=MAP * ~NOTFOUND", "--no-pdf-header-footer",
        f"--print-to-pdf={made}", page.as_uri(),
    ]  # fmt: skip


def _failed(program: str, error: Exception) -> PlaceOrMachine:
    told = getattr(error, "stderr", None) or b""
    last = told.decode("utf-8", "replace").strip().splitlines()[-1:]
    reason = say("pdf.too_long", seconds=_TIME_LIMIT_S)
    if not isinstance(error, subprocess.TimeoutExpired):
        reason = last[0][:200] if last else str(error)[:200]
    return PlaceOrMachine(say("pdf.failed", browser=program, reason=reason))
