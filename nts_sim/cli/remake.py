"""Make the tables of a run again from its manifest; nothing is written.

The study in the manifest passes the checks that every study passes, and never meets Hydra.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Mapping
from pathlib import Path

from nts_sim.cli.compose import Composed, Member
from nts_sim.cli.flags import Flags
from nts_sim.cli.prepare import Prepared, Wants, prepare
from nts_sim.errors import InvalidInput, Problem
from nts_sim.study.replay import Record, changed_tables, files_of, files_of_results
from nts_sim.tables.load import load_tables
from nts_sim.words import say

_WANTS: Mapping[str, Wants] = {"compare": "a baseline"}


def replayed(
    record: Record, flags: Flags, tables_dir: Path | None = None, workers: int | None = None
) -> dict[str, bytes]:
    """Make the tables of a run again: file name → content.

    Parameters
    ----------
    record : of its manifest, whoever wrote it
    flags : the planner's own policy, where the run had one
    tables_dir : the planner's own tables, where the run had some
    workers : processes; None: one a core

    Raises
    ------
    InvalidInput
        Where an input is not the one the run was made from, before anything of it is run.
    """
    check_inputs(record, flags, tables_dir)
    problems = _set_problems(record)
    if problems:
        raise InvalidInput(problems, say("cli.subject.made_from"))
    prepared = prepare(_composed(record, tables_dir, workers), {}, flags, _wants(record))
    return _made(prepared, record.verb, flags)


def tables_now(tables_dir: Path | None) -> dict[str, str]:
    """SHA-256 of every input table there is, by file name."""
    return {f"{name}.csv": digest for name, digest in load_tables(tables_dir).digests.items()}


def check_inputs(record: Record, flags: Flags, tables_dir: Path | None) -> None:
    """Refuse to make a run again from other tables or another policy file than it had."""
    problems = list(_policy_problems(record, flags))
    tables = changed_tables(record, tables_now(tables_dir))
    named = record.config.get("tables_dir")
    if tables and named and tables_dir is None:
        tables = [Problem("tables_dir", say("cli.remake.own_tables"))]
    if problems or tables:
        raise InvalidInput([*problems, *tables], say("cli.subject.made_from"))


def _policy_problems(record: Record, flags: Flags) -> list[Problem]:
    file, _, given = (flags.policy_file or "").rpartition(":")
    own = record.own_policies
    problems = [
        Problem("--policy-file", say("cli.remake.own_policy", policy=name))
        for name in own
        if name != given
    ]
    if given and given not in own:
        problems.append(Problem("--policy-file", say("cli.remake.no_policy", policy=given)))
    if given in own and not problems:
        if not Path(file).is_file():
            return [Problem("--policy-file", say("cli.file.file_missing", file=file))]
        if hashlib.sha256(Path(file).read_bytes()).hexdigest() != own[given]:
            return [Problem("--policy-file", say("cli.remake.other_file", file=file))]
    return problems


def _set_problems(record: Record) -> list[Problem]:
    """Find what keeps a set of scenarios from being put together as it was."""
    scenario = record.config.get("scenario")
    weights = scenario.get("weights") if isinstance(scenario, dict) else None
    kept = {member.name: member.weight for member in record.members}
    if (weights or {}) == kept:
        return []
    return [Problem("manifest.json", say("cli.remake.no_members"))]


def places(scratch: Path, tables_dir: Path | None, workers: int | None) -> dict[str, object]:
    """Return what is ours to say of a study: where it works, on how many processes."""
    return {
        "results_dir": str(scratch),
        "tables_dir": None if tables_dir is None else str(tables_dir),
        "workers": workers,
        "execution": {"name": "local"},
    }


def _composed(record: Record, tables_dir: Path | None, workers: int | None) -> Composed:
    """Put the study together; nothing is written to the place for results that it gets."""
    config = {**record.config, **places(Path(tempfile.gettempdir()), tables_dir, workers)}
    members = tuple(Member(m.name, m.weight, m.config) for m in record.members)
    scenario = config.get("scenario")
    if not members and isinstance(scenario, dict):
        members = (Member(str(scenario.get("name")), 1.0, scenario),)
    return Composed(config, {}, members, config.get("measures") or {})


def _wants(record: Record) -> Wants:
    return _WANTS.get(record.verb, "one policy")


def _made(prepared: Prepared, verb: str, flags: Flags) -> dict[str, bytes]:
    from nts_sim.cli.work import plan_frames, portfolio_frames, simulated_results

    if verb == "plan":
        return files_of(plan_frames(prepared, flags))
    if verb == "portfolios":
        return files_of(portfolio_frames(prepared, flags))
    return files_of_results(simulated_results(prepared, flags))
