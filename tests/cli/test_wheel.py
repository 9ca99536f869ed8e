"""A wheel carries everything: built, put elsewhere and run from another folder."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import nts_sim

ROOT = Path(nts_sim.__file__).resolve().parent.parent

pytestmark = pytest.mark.slow


def _done(*words: str | Path, cwd: Path, **more: str) -> str:
    done = subprocess.run(
        [str(word) for word in words], cwd=cwd, env=os.environ | more, capture_output=True,
        text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_wheel_works_elsewhere(tmp_path: Path) -> None:
    """Dependencies are those of this environment; the package itself is the wheel's."""
    _done(sys.executable, "-m", "build", "--wheel", "--outdir", tmp_path, ROOT, cwd=tmp_path)
    (wheel,) = tmp_path.glob("nts_sim-*.whl")
    site = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        archive.extractall(site)
    assert "nts_sim/configs/scenario/typhoon_north.yaml" in names
    assert "nts_sim/data/places.csv" in names
    assert any(name.endswith("licenses/LICENSE") for name in names)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    call = (
        "import sys, nts_sim; assert nts_sim.__file__.startswith(sys.argv[1]), nts_sim.__file__; "
        "from nts_sim.cli.main import main; sys.exit(main(sys.argv[2:]))"
    )
    command = (sys.executable, "-P", "-c", call, str(site))
    valid = _done(*command, "validate", cwd=elsewhere, PYTHONPATH=str(site))
    assert valid.startswith("valid: typhoon_north")
    small = ("scenario.horizon_days=8", "replications=2", "workers=1", "--quiet")
    told = _done(*command, "run", *small, cwd=elsewhere, PYTHONPATH=str(site))
    assert "report.html" in told
    assert [path.name for path in elsewhere.iterdir()] == ["results"]
