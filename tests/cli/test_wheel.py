"""A wheel carries everything: built, put elsewhere and run from another folder."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest
from build import ProjectBuilder
from build.env import DefaultIsolatedEnv

import nts_sim

LISTED = (
    "import inspect; from hydra.core.plugins import Plugins; "
    "ours = [p for p in Plugins.instance().discover() if 'nts_sim' in p.__module__]; "
    "print(*map(inspect.getfile, ours))"
)
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
    assert "hydra_plugins/nts_sim_launcher.py" in names
    assert not [name for name in names if name.startswith("nts_sim/_hydra")]
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
    listed = _done(sys.executable, "-P", "-c", LISTED, cwd=elsewhere, PYTHONPATH=str(site))
    assert listed.split() == [str(site / "hydra_plugins/nts_sim_launcher.py")] * 2


def test_an_editable_install_has_the_plugin_too(tmp_path: Path) -> None:
    """Hydra looks into the namespace `hydra_plugins`; the checkout has it below `nts_sim`."""
    with DefaultIsolatedEnv() as env:
        builder = ProjectBuilder.from_isolated_env(env, ROOT)
        env.install(builder.build_system_requires)
        wheel = builder.build("editable", tmp_path / "built")
    site = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    # -S: the editable install of this environment itself is left out, its packages are not.
    paths = f"site.addsitedir({str(site)!r}); sys.path.append({sysconfig.get_path('purelib')!r})"
    call = f"import site, sys; {paths}; {LISTED}"
    listed = _done(sys.executable, "-P", "-S", "-c", call, cwd=tmp_path, PYTHONPATH="")
    assert listed.split() == [str(ROOT / "nts_sim/_hydra/hydra_plugins/nts_sim_launcher.py")] * 2
