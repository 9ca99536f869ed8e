"""The manifest of a run: all that is needed to make it again, and nothing about the person."""

from __future__ import annotations

import hashlib
import platform
import re
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from nts_sim.spec.models import ScenarioSpec, Study
from nts_sim.study.engines import engine_for

_PACKAGES = (
    "nts-sim", "hydra-core", "omegaconf", "pydantic", "numpy", "scipy", "pandas", "pyarrow",
    "simpy", "numba", "pulp", "highspy", "networkx", "matplotlib",
)  # fmt: skip
_TELL_ONLY = {"_hydra", "charts", "cli", "plan", "report", "sheets.py", "testing", "words"}
"""Parts of the package that tell results and do not make them."""
_PATH = re.compile(r"[^/\\=,\[\]]*(?:[/\\]+[^/\\=,\[\]]+)+")


def manifest_of(
    study: Study, verb: str, run: str, command: Sequence[str], inputs: Mapping[str, str],
    wall_time_s: float, failures: int,
    members: Sequence[tuple[str, float, ScenarioSpec]] = (), replications: int | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Describe a run, so that `nts_sim.study.replay` can make it again.

    Parameters
    ----------
    run : run id
    command : words of the command line; of paths only the last part is kept
    inputs : name → SHA-256 of every input file
    members : (name, weight, scenario) of a scenario set, of which a study holds the names only
    replications : made, where the study left their number open
    """
    return {
        "run_id": run,
        "verb": verb,
        "command": [without_path(word) for word in command],
        "seed": study.seed,
        "replications": study.replications if replications is None else replications,
        "failed_replications": failures,
        "engine": engine_for(study, 1 if verb == "plan" else None),
        "config": _config(study),
        "members": [
            {"name": name, "weight": weight, "config": scenario.model_dump(mode="json")}
            for name, weight, scenario in members
        ],
        "inputs": dict(sorted(inputs.items())),
        "versions": versions(),
        "code": module_digests(),
        "platform": platform_name(),
        "git_commit": git_commit(Path(__file__).resolve()),
        "wall_time_s": round(wall_time_s, 2),
    }


def _config(study: Study) -> dict[str, Any]:
    config = study.model_dump(mode="json")
    for key in ("results_dir", "tables_dir"):
        if config[key] is not None:
            config[key] = without_path(config[key])
    return config


def without_path(word: str) -> str:
    """Keep the last part of every path in a word: results_dir=/a/b → results_dir=b."""
    return _PATH.sub(lambda found: re.split(r"[/\\]", found.group())[-1], word)


def module_digests() -> dict[str, str]:
    """Digest of every module that results are made by: the first 16 digits of its SHA-256."""
    package = Path(__file__).resolve().parents[1]
    modules = {path.relative_to(package): path for path in sorted(package.glob("**/*.py"))}
    return {
        module.as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()[:16]
        for module, path in modules.items()
        if module.parts[0] not in _TELL_ONLY
    }


def platform_name() -> str:
    """System and processor, such as ``Linux x86_64``."""
    return f"{platform.system()} {platform.machine()}"


def versions() -> dict[str, str]:
    """Versions of Python and of the packages results may depend on."""
    found = {"python": platform.python_version()}
    for name in _PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found


def git_commit(start: Path) -> str | None:
    """Commit of the checkout that holds `start`; None outside one."""
    root = next((here for here in start.parents if (here / ".git").is_dir()), None)
    if root is None:
        return None
    try:
        head = (root / ".git" / "HEAD").read_text(encoding="utf-8").strip()
        if not head.startswith("ref: "):
            return head
        return _commit_of(root / ".git", head.removeprefix("ref: "))
    except OSError:  # an unreadable checkout has no commit to tell
        return None


def _commit_of(git: Path, ref: str) -> str | None:
    if (git / ref).is_file():
        return (git / ref).read_text(encoding="utf-8").strip()
    if (git / "packed-refs").is_file():
        for line in (git / "packed-refs").read_text(encoding="utf-8").splitlines():
            if line.endswith(f" {ref}"):
                return line.split(" ")[0]
    return None
