"""One suite for both engines: what is tested in this folder is tested on each of them."""

from __future__ import annotations

import pytest

from nts_sim.engine.session import LocalSession, simulate

_CHOOSE_THEMSELVES = ("tests.engines.parity", "tests.engines.test_futures")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run every test twice, unless it says itself which engine it runs on."""
    module = metafunc.module.__name__
    if "engine" not in metafunc.fixturenames and not module.startswith(_CHOOSE_THEMSELVES):
        metafunc.parametrize("default_engine", ["simpy", "compiled"], indirect=True)


@pytest.fixture(autouse=True)
def default_engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make an engine the one that sessions take unless told otherwise."""
    if not hasattr(request, "param"):
        return
    monkeypatch.setitem(LocalSession.__init__.__kwdefaults__, "engine", request.param)
    monkeypatch.setattr(simulate, "__defaults__", (request.param,))
