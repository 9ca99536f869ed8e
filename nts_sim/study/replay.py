"""What is kept of a finished run, what changed since, and whether its tables come out the same.

The manifest of a run may be somebody else's: it is read as data. Its numbers and names pass a
model, its study passes `nts_sim.spec.load`; what it says was typed is never run, and its files are
looked up by the names of our own tables only.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Annotated, Any, Literal, Never, TypeVar

import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from nts_sim.errors import InvalidInput, Problem
from nts_sim.study.manifest import module_digests, platform_name, versions
from nts_sim.study.store import DONE, MANIFEST, csv_bytes, parquet_bytes
from nts_sim.study.sweep.keep import DESIGN
from nts_sim.study.tables import Results
from nts_sim.words import say

MAX_BYTES = 8 * 2**20
MAX_DESIGN_BYTES = 256 * 2**20
_MAX_ROWS, _MAX_ROW_BYTES = 20_000_000, 100
_SHOWN = 60
_POLICY = "policy "
"""Before the name of a planner's own policy, among the inputs."""
_UNSEEN = ("Cc", "Cs", "Zl", "Zp")
_TURNING = ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
ShortDigest = Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]
FileName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_. /-]{1,120}$")]
Word = Annotated[str, Field(max_length=120)]
Key = Annotated[str, Field(max_length=300)]
Verb = Literal["run", "compare", "plan", "portfolios", "sweep"]


class _Read(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", strict=True, allow_inf_nan=False)


ReadT = TypeVar("ReadT", bound=_Read)


class MemberRecord(_Read):
    """A scenario of a set, as the manifest keeps it."""

    name: Word
    weight: Annotated[float, Field(ge=0.0, le=1.0)]
    config: dict[str, Any]


class Record(_Read):
    """What the manifest of a run says, as far as making the run again needs it.

    `config` and the members' are not checked here: `nts_sim.spec.load` does that. Of a sweep
    `config` is that of its first cell; all are in its design, see `read_cells`.
    """

    verb: Verb
    config: dict[str, Any]
    members: Annotated[tuple[MemberRecord, ...], Field(strict=False)] = ()
    inputs: dict[FileName, Sha256]
    versions: dict[FileName, Word]
    platform: Word = ""
    sweep: Word | None = None
    axes: Annotated[tuple[Key, ...], Field(strict=False)] = ()
    cells: Annotated[int, Field(ge=0, le=100_000)] = 0
    code: dict[FileName, ShortDigest] | None = None

    @property
    def own_policies(self) -> dict[str, str]:
        """SHA-256 of the file of each policy of the planner's own, by name."""
        marked = [(n.removeprefix(_POLICY), digest) for n, digest in self.inputs.items()
                  if n.startswith(_POLICY)]  # fmt: skip
        return dict(marked)

    @property
    def tables(self) -> dict[str, str]:
        """SHA-256 of each input table, by file name."""
        return {n: digest for n, digest in self.inputs.items() if not n.startswith(_POLICY)}


class CellRecord(_Read):
    """A cell of a sweep; `differs` is its study with its scenarios, or what differs in it."""

    cell: int
    values: Annotated[tuple[str | int | float | bool | None, ...], Field(strict=False)]
    overrides: Annotated[tuple[Key, ...], Field(strict=False)]
    differs: dict[str, Any]


class _Done(_Read):
    files: dict[FileName, Sha256]


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is not as it was when the run was made."""

    what: str
    was: str
    now: str

    @property
    def told(self) -> str:
        """The change in a few words."""
        nothing = say("said.replay.absent")
        now = self.now or nothing
        return say("said.replay.change", what=self.what, was=self.was or nothing, now=now)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of one table.

    Attributes
    ----------
    same : the same bytes, or at least the same values
    note : where it differs, or how it does not matter; empty where bytes are the same
    """

    table: str
    same: bool
    note: str = ""


# --- reading ---------------------------------------------------------------------------------


def read_record(folder: Path) -> Record:
    """Read the manifest of a run; `InvalidInput` where it is not one of a run."""
    return record_of(read_json(folder / MANIFEST), folder / MANIFEST)


def record_of(content: Mapping[str, Any], place: Path) -> Record:
    """Turn the content of a manifest into a record; `place` is told with what is wrong."""
    return _validated(Record, content, place)


def read_cells(folder: Path, count: int) -> tuple[CellRecord, ...]:
    """Read the cells of a sweep from its design, each with its whole study."""
    path = folder / DESIGN
    if not _plain_file(folder, DESIGN) or path.stat().st_size > MAX_DESIGN_BYTES:
        raise _refused(path, say("said.replay.no_design"))
    cells: list[CellRecord] = []
    for number, line in enumerate(path.read_bytes().splitlines()):
        cell = _validated(CellRecord, _content(path, line), path)
        if cell.cell != number or number >= count:
            raise _refused(path, say("said.replay.other_cell", line=number + 1))
        whole = {**cells[0].differs, **cell.differs} if cells else cell.differs
        cells.append(cell.model_copy(update={"differs": whole}))
    if not cells or len(cells) != count:
        raise _refused(path, say("said.replay.cells", cells=len(cells), count=count))
    return tuple(cells)


def recorded_files(folder: Path) -> dict[str, str]:
    """Read the SHA-256 of every file of a finished run from its ``DONE.json``."""
    return _validated(_Done, read_json(folder / DONE), folder / DONE).files


def read_json(path: Path) -> Mapping[str, Any]:
    """Read a JSON object that somebody else may have written."""
    try:
        if not path.is_file():
            raise ValueError(say("said.kept.not_there"))
        if path.stat().st_size > MAX_BYTES:
            raise ValueError(say("said.replay.too_large", limit=MAX_BYTES // 2**20))
        data = path.read_bytes()
    except (OSError, ValueError) as error:
        raise _refused(path, shown(str(error))) from None
    return _content(path, data)


def _content(path: Path, data: bytes) -> Mapping[str, Any]:
    """Read one JSON object of a file."""
    try:
        content = json.loads(data.decode("utf-8"), parse_constant=_no_number)
        if not isinstance(content, dict):
            raise ValueError(say("said.replay.no_table"))
        told = {key: value for key, value in content.items() if key != "command"}
        if not all(_printable(text) for text in _texts(told)):
            raise ValueError(say("said.replay.unseen"))
    except ValueError as error:
        raise _refused(path, shown(str(error))) from None
    except RecursionError:
        raise _refused(path, say("said.replay.deep")) from None
    return content


def _no_number(text: str) -> Never:
    raise ValueError(say("said.replay.no_number", text=text))


def _texts(content: object) -> Iterator[str]:
    if isinstance(content, str):
        yield content
    elif isinstance(content, dict):
        yield from content
        for value in content.values():
            yield from _texts(value)
    elif isinstance(content, list):
        for value in content:
            yield from _texts(value)


def _printable(text: str) -> bool:
    """Refuse what would move a terminal's cursor or turn a line around."""
    return all(
        sign in "\n\t"
        or (
            unicodedata.category(sign) not in _UNSEEN
            and unicodedata.bidirectional(sign) not in _TURNING
        )
        for sign in text
    )


def shown(text: str) -> str:
    """Shorten a text to one line that a terminal can show."""
    line = "".join(sign if _printable(sign) else "?" for sign in " ".join(text.split()))
    return line if len(line) <= _SHOWN else line[: _SHOWN - 1] + "…"


def _validated(model: type[ReadT], content: object, place: Path) -> ReadT:
    try:
        return model.model_validate(content)
    except ValidationError as error:
        details = error.errors(include_url=False)[0]
    where = shown(".".join(str(part) for part in details["loc"]))
    raise _refused(place, say("said.replay.finding", where=where, finding=shown(details["msg"])))


def _refused(path: Path, what: str) -> InvalidInput:
    return InvalidInput([Problem(str(path), what)], say("said.subject.run"))


# --- what changed ----------------------------------------------------------------------------


def changed_tables(record: Record, now: Mapping[str, str]) -> list[Problem]:
    """Name the input tables without which the run cannot be made again.

    Parameters
    ----------
    now : file name → SHA-256 of the tables there are
    """
    return [
        Problem(
            name, say("said.replay.other_table", now=now[name][:10], was=was[:10])
            if name in now else say("said.replay.table_gone"),
        )
        for name, was in record.tables.items()
        if now.get(name) != was
    ]  # fmt: skip


def changed_since(record: Record, tables: Mapping[str, str]) -> list[Change]:
    """List what is not as it was: modules, packages, Python, platform, tables added."""
    changes = [
        Change(what, record.versions.get(what, ""), now)
        for what, now in versions().items()
        if record.versions.get(what) != now
    ]
    if record.platform != platform_name():
        what = say("said.replay.platform")
        changes.append(Change(what, record.platform, platform_name()))
    changes += [
        Change(name, "", f"{digest[:10]}…")
        for name, digest in tables.items()
        if name not in record.tables
    ]
    return changes + _changed_modules(record.code)


def _changed_modules(was: Mapping[str, str] | None) -> list[Change]:
    if was is None:
        unknown, maybe = say("said.replay.code_unknown"), say("said.replay.code_maybe")
        return [Change(say("said.replay.code"), unknown, maybe)]
    now = module_digests()
    names = sorted(was.keys() | now.keys())
    return [
        Change(say("said.replay.module", name=name), was.get(name, ""), now.get(name, ""))
        for name in names
        if was.get(name) != now.get(name)
    ]


def damaged_files(folder: Path, recorded: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """Find files of a run that are gone, and those that are not what the run wrote."""
    gone = [name for name in recorded if not _plain_file(folder, name)]
    other = [
        name
        for name, digest in recorded.items()
        if name not in gone and _digest((folder / name).read_bytes()) != digest
    ]
    return gone, other


def _plain_file(folder: Path, name: str) -> bool:
    """Say whether a name leads to a file inside the folder, not by a link and not upwards."""
    path = folder / name
    return path.is_file() and path.resolve() == folder.resolve() / name


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


# --- the tables ------------------------------------------------------------------------------


def files_of(frames: Mapping[str, pd.DataFrame]) -> dict[str, bytes]:
    """Encode tables as the store keeps them: file name → content."""
    return {
        f"{name}.{kind}": encode(table)
        for name, table in frames.items()
        for kind, encode in (("parquet", parquet_bytes), ("csv", csv_bytes))
    }


def files_of_results(results: Results) -> dict[str, bytes]:
    """Encode the tables of a comparison and its trace."""
    return {**files_of(results.frames), "trace.parquet": parquet_bytes(results.trace)}


def verdicts(
    made: Mapping[str, bytes], recorded: Mapping[str, str], folder: Path
) -> Iterator[Verdict]:
    """Compare what was made again with what is recorded, table by table.

    A table is the same if each of its files has the recorded SHA-256, or where other bytes hold
    the same values: packages that write files may pack them otherwise.

    Parameters
    ----------
    made : file name → content of every table made again
    recorded : file name → SHA-256, of ``DONE.json``
    folder : of the run; what is stored there is only read, and only to say where it differs
    """
    tables = {name for name in recorded if "/" not in name and name.endswith((".csv", ".parquet"))}
    for table in sorted({name.rpartition(".")[0] for name in tables}):
        files = sorted(name for name in tables if name.rpartition(".")[0] == table)
        yield _verdict(table, files, made, recorded, folder)


def _verdict(
    table: str, files: list[str], made: Mapping[str, bytes], recorded: Mapping[str, str],
    folder: Path,
) -> Verdict:  # fmt: skip
    if not any(name in made for name in files):
        return Verdict(table, False, say("said.replay.not_made"))
    notes = []
    for name in files:
        if name not in made or _digest(made[name]) == recorded[name]:
            continue
        difference = _difference(folder, name, recorded[name], made[name])
        if difference:
            return Verdict(table, False, difference)
        notes.append(say("said.replay.other_bytes", file=name))
    return Verdict(table, True, "; ".join(notes))


def _difference(folder: Path, name: str, recorded: str, made: bytes) -> str:
    """Say where a stored file and one made again differ; empty where their values do not."""
    if not _plain_file(folder, name):
        return say("said.replay.differs_gone", file=name)
    stored = (folder / name).read_bytes()
    if _digest(stored) != recorded:
        return say("said.replay.differs_changed", file=name)
    try:
        return _first_difference(_rows(name, stored), _rows(name, made))
    except (csv.Error, ValueError, OSError, pa.ArrowException):
        return say("said.replay.differs_unreadable", file=name)


def _rows(name: str, data: bytes) -> list[list[str]]:
    """Read a stored table as rows of text, the first with the names of the columns."""
    if name.endswith(".parquet"):
        file = pa.parquet.ParquetFile(pa.BufferReader(data))
        groups = range(file.metadata.num_row_groups)
        unpacked = sum(file.metadata.row_group(group).total_byte_size for group in groups)
        if max(file.metadata.num_rows, unpacked / _MAX_ROW_BYTES) > _MAX_ROWS:
            raise ValueError("more than a run writes")
        packed = io.BytesIO()
        pa.csv.write_csv(file.read(use_threads=False), packed)
        data = packed.getvalue()
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))


def _first_difference(was: list[list[str]], now: list[list[str]]) -> str:
    names = was[0] if was else []
    if names != (now[0] if now else []):
        return say("said.replay.other_columns", columns=shown(", ".join(names)))
    for number, (old, new) in enumerate(zip_longest(was[1:], now[1:]), start=1):
        if old is None or new is None:
            return say("said.replay.other_rows", was=len(was) - 1, now=len(now) - 1)
        for column, a, b in zip_longest(names, old, new, fillvalue=""):
            if a != b:
                told = {"column": shown(column), "was": shown(a), "now": shown(b)}
                return say("said.replay.other_value", row=number, **told)
    return ""
