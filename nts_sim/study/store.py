"""Keep results: ``results/<experiment>/<run id>/``, never overwritten, ``DONE.json`` last.

A run id is a readable slug and a hash of everything results depend on. Each file is written beside
its place and renamed, so a half-written file never bears a final name; a folder without
``DONE.json`` is unfinished, whatever else it holds.
"""

from __future__ import annotations

import codecs
import hashlib
import io
import json
import os
import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import IO, Any

import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from nts_sim.errors import InvalidInput, PlaceOrMachine, Problem
from nts_sim.outcomes.frames import TABLES, checked
from nts_sim.spec.models import ScenarioSpec, Study
from nts_sim.spec.texts import NOT_OF_RESULTS
from nts_sim.study.tables import Results
from nts_sim.words import say

try:
    import fcntl
except ImportError:  # a system without file locks: two runs in one folder are not told apart
    fcntl = None  # type: ignore[assignment]

DONE = "DONE.json"
MANIFEST = "manifest.json"
_LOCK = ".lock"
_RISKY = ("=", "+", "-", "@", "\t", "\r", "\n", "\0", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_NOT_IN_ID = {
    **dict.fromkeys(("results_dir", "workers", "tables_dir", "execution"), True), **NOT_OF_RESULTS,
}  # fmt: skip
"""What a study says and results do not depend on (tables count by their content)."""


# --- names -------------------------------------------------------------------------------------


def run_id(
    study: Study, verb: str, inputs: Mapping[str, str], members: Sequence[ScenarioSpec] = ()
) -> str:
    """Name a run after what it is: scenario, and a hash of all its results depend on.

    Parameters
    ----------
    inputs : name → SHA-256 of every input file: tables, a planner's own policy
    members : scenarios of a set, of which the study holds the names only
    """
    texts = NOT_OF_RESULTS["scenario"]
    content = {
        "verb": verb,
        "members": [member.model_dump(mode="json", exclude=texts) for member in members],
        "study": study.model_dump(mode="json", exclude=_NOT_IN_ID),
        "inputs": dict(sorted(inputs.items())),
        "code": code_digest(),
    }
    text = json.dumps(content, sort_keys=True, ensure_ascii=False)
    return f"{study.scenario.name}-{hashlib.sha256(text.encode()).hexdigest()[:10]}"


@lru_cache(maxsize=1)
def code_digest() -> str:
    """SHA-256 over the modules that results are made by; charts and words are not among them."""
    package = Path(__file__).resolve().parents[1]
    digest = hashlib.sha256()
    for pattern in (
        "units.py", "tables/**/*.py", "spec/**/*.py", "world/**/*.py", "luck/**/*.py",
        "trace/**/*.py", "decision/**/*.py", "engine/**/*.py", "planning/**/*.py",
        "policies/**/*.py", "outcomes/**/*.py", "study/**/*.py",
    ):  # fmt: skip
        for path in sorted(package.glob(pattern)):
            digest.update(path.relative_to(package).as_posix().encode() + b"\0")
            digest.update(path.read_bytes())
    return digest.hexdigest()


def run_folder(
    study: Study, verb: str, inputs: Mapping[str, str], members: Sequence[ScenarioSpec] = ()
) -> Path:
    """Folder of a run, whether it is there or not."""
    return Path(study.results_dir) / study.experiment / run_id(study, verb, inputs, members)


def is_done(folder: Path) -> bool:
    """Whether the folder holds a finished run."""
    return (folder / DONE).is_file()


# --- writing -----------------------------------------------------------------------------------


def in_place(act: Callable[[], Any], folder: Path) -> Any:
    """Do something with files; tell a failure in one sentence."""
    try:
        return act()
    except OSError as error:
        reason = error.strerror or str(error)
        what = say("said.place.cannot_write", folder=folder, reason=reason)
        raise PlaceOrMachine(what) from None


@contextmanager
def claimed(folder: Path) -> Iterator[Path]:
    """Make the folder ours while a run is written; nobody else may write there meanwhile.

    Raises
    ------
    PlaceOrMachine
        Where the folder cannot be made, holds a finished run, or another process writes there.
    """
    _refuse_if_done(folder)
    in_place(lambda: folder.mkdir(parents=True, exist_ok=True), folder)
    with _locked(folder):
        _refuse_if_done(folder)
        for left in folder.glob(".*.tmp"):  # by a process that was killed while it wrote
            left.unlink(missing_ok=True)
        yield folder
        (folder / _LOCK).unlink(missing_ok=True)


def _locked(folder: Path) -> IO[str]:
    """Open and lock the file that says who writes; the lock goes with the process, however it ends.

    Another process may take the file away between our opening and our locking it: then again.
    """
    path = folder / _LOCK
    while True:
        lock: IO[str] = in_place(lambda: path.open("a+", encoding="utf-8"), folder)
        _lock(lock, folder)
        if path.exists() and os.path.samestat(path.stat(), os.fstat(lock.fileno())):
            break
        lock.close()
    lock.truncate(0)
    lock.write(f"process {os.getpid()} on {platform.node()}, since {datetime.now():%Y-%m-%d %H:%M}")
    lock.flush()
    return lock


def _lock(lock: IO[str], folder: Path) -> None:
    if fcntl is None:
        return
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.seek(0)
        holder = " ".join(lock.read().split())[:200] or say("said.place.nobody_said")
        lock.close()
        raise PlaceOrMachine(say("said.place.locked", folder=folder, holder=holder)) from None


def _refuse_if_done(folder: Path) -> None:
    if is_done(folder):
        raise PlaceOrMachine(say("said.place.done", folder=folder))


def write_file(folder: Path, name: str, data: bytes) -> Path:
    """Write a file of an unfinished run: beside its place, then renamed.

    Raises
    ------
    PlaceOrMachine
        Where the disk refuses, or the run is finished.
    """
    _refuse_if_done(folder)
    in_place(lambda: _write(folder / name, data), folder)
    return folder / name


def _write(path: Path, data: bytes) -> None:
    beside = path.with_name(f".{path.name}.tmp")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with beside.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def write_results(folder: Path, results: Results) -> None:
    """Write every table as Parquet and CSV, and the trace of replication 0."""
    for name, table in results.frames.items():
        write_table(folder, name, table)
    write_file(folder, "trace.parquet", parquet_bytes(results.trace))


def write_table(folder: Path, name: str, table: pd.DataFrame) -> None:
    """Write a table as ``name.parquet`` and ``name.csv``."""
    write_file(folder, f"{name}.parquet", parquet_bytes(table))
    write_file(folder, f"{name}.csv", csv_bytes(table))


def write_manifest(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Write ``manifest.json``; see `nts_sim.study.manifest`."""
    write_file(folder, MANIFEST, _json(manifest))


def finish(folder: Path) -> None:
    """Write ``DONE.json``, with the SHA-256 of every file: from now on the run is there to stay."""
    files = sorted(p for p in folder.rglob("*") if p.is_file() and not p.name.startswith("."))
    digests = {p.relative_to(folder).as_posix(): _file_digest(p) for p in files}
    write_file(folder, DONE, _json({"files": digests}))


def rebuild_file(folder: Path, name: str, data: bytes) -> Path:
    """Replace a file that is made from the tables (the report) in a finished run."""
    listed = json.loads((folder / DONE).read_text(encoding="utf-8"))
    in_place(lambda: _write(folder / name, data), folder)
    listed["files"][name] = hashlib.sha256(data).hexdigest()
    in_place(lambda: _write(folder / DONE, _json(listed)), folder)
    return folder / name


def _json(content: Mapping[str, Any]) -> bytes:
    return (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode()


def _file_digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


# --- formats -----------------------------------------------------------------------------------


def parquet_bytes(table: pd.DataFrame) -> bytes:
    """Encode a table as Parquet; the same table gives the same bytes."""
    buffer = io.BytesIO()
    pa.parquet.write_table(pa.Table.from_pandas(table, preserve_index=False), buffer)
    return buffer.getvalue()


def parquet_table(data: bytes) -> pd.DataFrame:
    """Decode Parquet, in Arrow's own memory and in this thread.

    Threads of Arrow's may let go of a Python file only after it was read, and abort a program that
    ends meanwhile (apache/arrow#33975).
    """
    table = pa.parquet.read_table(pa.BufferReader(data), use_threads=False)
    made: pd.DataFrame = table.to_pandas(use_threads=False)
    return made


def csv_bytes(table: pd.DataFrame) -> bytes:
    """Encode a table as CSV; no text cell can be taken for a formula.

    UTF-8 with the mark by which spreadsheets know it: place names carry their diacritics.
    """
    buffer = io.BytesIO()
    safe = table.assign(**{name: _safe(table[name]) for name in _text_columns(table)})
    buffer.write(codecs.BOM_UTF8)
    pa.csv.write_csv(pa.Table.from_pandas(safe, preserve_index=False), buffer)
    return buffer.getvalue()


def _text_columns(table: pd.DataFrame) -> list[str]:
    return [name for name in table.columns if pd.api.types.is_string_dtype(table[name].dtype)]


def _safe(column: pd.Series[Any]) -> pd.Series[Any]:
    codes, texts = pd.factorize(column)
    cells = pd.Series([safe_cell(str(text)) for text in texts], dtype="str")
    return pd.Series(cells.reindex(codes).to_numpy(), index=column.index, dtype="str")


def safe_cell(text: str) -> str:
    """Put ``'`` before text that a spreadsheet would take for a formula."""
    return f"'{text}" if text.lstrip(" ").startswith(_RISKY) else text


# --- reading -----------------------------------------------------------------------------------


def read_manifest(folder: Path) -> dict[str, Any]:
    """Read the manifest of a finished run; `InvalidInput` where there is none."""
    _require_done(folder)
    return dict(_read_json(folder / MANIFEST))


def read_results(folder: Path) -> dict[str, pd.DataFrame]:
    """Read the tables of a finished run, each checked against its digest and its columns.

    Raises
    ------
    InvalidInput
        Where the folder holds no finished run, or a table is missing, changed or of another form.
    """
    digests = _require_done(folder)
    problems, frames = [], {}
    for name in TABLES:
        file = f"{name}.parquet"
        if file not in digests:
            continue
        try:
            frames[name] = _read_table(folder / file, name, digests[file])
        except (OSError, ValueError, pa.ArrowException) as error:
            problems.append(Problem(str(folder / file), " ".join(str(error).split())[:200]))
    if problems:
        raise InvalidInput(problems, say("said.subject.results"))
    return frames


def _read_table(path: Path, name: str, digest: str) -> pd.DataFrame:
    data = path.read_bytes()
    if hashlib.sha256(data).hexdigest() != digest:
        raise ValueError(say("said.kept.run_checksum"))
    return checked(name, parquet_table(data))


def _require_done(folder: Path) -> dict[str, str]:
    if not is_done(folder):
        what = say("said.kept.unfinished" if folder.is_dir() else "said.kept.not_there")
        raise _unusable(folder, what)
    listed = _read_json(folder / DONE).get("files")
    if not isinstance(listed, dict):
        raise _unusable(folder / DONE, say("said.kept.no_files"))
    return {str(name): str(digest) for name, digest in listed.items()}


def _read_json(path: Path) -> Mapping[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        reason = " ".join(str(error).split())[:200]
        raise _unusable(path, say("said.kept.unreadable", reason=reason)) from None
    if not isinstance(content, dict):
        raise _unusable(path, say("said.kept.not_an_object"))
    return content


def _unusable(path: Path, what: str) -> InvalidInput:
    return InvalidInput([Problem(str(path), what)], say("said.subject.results"))
