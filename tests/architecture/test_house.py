"""The house holds: layers, lazy imports, public names, no repository-only paths."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

import nts_sim

ROOT = Path(nts_sim.__file__).resolve().parent.parent


def _python(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.skipif(shutil.which("lint-imports", path=str(Path(sys.executable).parent)) is None,
                    reason="import-linter is not installed")  # fmt: skip
def test_layers_hold() -> None:
    tool = Path(sys.executable).parent / "lint-imports"
    done = subprocess.run([tool], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


HEAVY = ("pandas", "numpy", "matplotlib", "pulp", "highspy", "hydra", "pydantic", "simpy")


@pytest.mark.parametrize(
    "arguments", [["--help"], ["compare", "--help"], ["--version"], ["nonsense"]]
)
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    loaded = _python(
        "import sys, nts_sim.cli.main as m\n"
        f"m.main({arguments!r})\n"
        f"print('LOADED', [name for name in {HEAVY!r} if name in sys.modules])"
    )
    assert loaded.rstrip().endswith("LOADED []")


def test_the_check_above_would_notice() -> None:
    """Negative control: a verb that works does load what help must not."""
    loaded = _python(
        "import sys, nts_sim.cli.main as m\n"
        "m.main(['data', 'list'])\n"
        f"print('LOADED', [name for name in {HEAVY!r} if name in sys.modules])"
    )
    assert "'pandas'" in loaded


def test_help_answers_at_once() -> None:
    started = time.perf_counter()
    _python("import nts_sim.cli.main as m; m.main(['--help'])")
    assert time.perf_counter() - started < 0.5


def test_public_names() -> None:
    assert sorted(nts_sim.__all__) == [
        "InvalidInput", "NoAcceptableSolution", "NtsError", "PlaceOrMachine", "Problem",
        "__version__",
    ]  # fmt: skip
    assert all(hasattr(nts_sim, name) for name in nts_sim.__all__)


def test_version_is_the_package_version() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert f'version = "{nts_sim.__version__}"' in text


def test_constraints_name_versions_only() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    assert len(pins) > 40
    assert all(line.count("==") == 1 and "/" not in line and "@" not in line for line in pins)
