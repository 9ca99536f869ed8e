"""`execution`: where cells run; a scheduler elsewhere is trusted over TLS only."""

from __future__ import annotations

import pytest

from nts_sim.cli.main import main
from nts_sim.errors import InvalidInput
from nts_sim.spec.load import load_study
from nts_sim.study.store import run_id
from tests.configs.test_mutated import BASE


def execution(**given: object) -> str:
    try:
        load_study({**BASE, "execution": given})
    except InvalidInput as error:
        return str(error)
    return ""


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:8786", "tcp://localhost:1", "tcp://[::1]:5",
                                     "tls://127.0.0.1:1", "tls://dask.example.org:8786",
                                     "tcp://127.8.9.1:8786"])  # fmt: skip
def test_addresses_that_may_be_used(address: str) -> None:
    assert execution(name="dask", scheduler=address) == ""


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"name": "dask", "scheduler": None}, "execution.scheduler=tcp://HOST:PORT"),
        ({"name": "local", "scheduler": "tcp://127.0.0.1:1"}, "local has no scheduler"),
        ({"name": "ray"}, "'ray' is not one of 'local' or 'dask'"),
        ({"name": "dask", "scheduler": "tcp://10.0.0.7:8786"}, "only tls://HOST:PORT"),
        ({"name": "dask", "scheduler": "tcp://0.0.0.0:8786"}, "only tls://HOST:PORT"),
        ({"name": "dask", "scheduler": "tcp://localhost.evil.org:1"}, "only tls://HOST:PORT"),
        ({"name": "dask", "scheduler": "tcp://127.0.0.1.evil.org:1"}, "only tls://HOST:PORT"),
        ({"name": "dask", "scheduler": "tcp://127.0.0.1@evil.org:1"}, "is not tcp://HOST:PORT"),
        ({"name": "dask", "scheduler": "tcp://127.0.0.1:1/x"}, "is not tcp://HOST:PORT"),
        ({"name": "dask", "scheduler": "http://127.0.0.1:1"}, "is not tcp://HOST:PORT"),
        ({"name": "dask", "scheduler": "127.0.0.1:8786"}, "is not tcp://HOST:PORT"),
        ({"name": "dask", "scheduler": "tcp://127.0.0.1"}, "is not tcp://HOST:PORT"),
        ({"name": "dask", "scheduler": "tcp://127.0.0.1:1\n"}, "is not tcp://HOST:PORT"),
    ],
)
def test_what_is_refused(given: dict[str, object], says: str) -> None:
    assert says in execution(**given)


def test_results_do_not_depend_on_it() -> None:
    here = load_study({**BASE, "execution": {"name": "local"}})
    there = load_study({**BASE, "execution": {"name": "dask", "scheduler": "tcp://localhost:1"}})
    assert run_id(here, "sweep", {}) == run_id(there, "sweep", {})
    assert run_id(here, "sweep", {}) != run_id(here.model_copy(update={"seed": 1}), "sweep", {})


def test_from_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["validate", "execution=dask"]) == 2
    assert "dask needs its scheduler" in capsys.readouterr().err
    assert main(["validate", "execution=dask", "execution.scheduler=tcp://127.0.0.1:8786"]) == 0
