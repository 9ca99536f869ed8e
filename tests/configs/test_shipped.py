"""The shipped configurations keep the rules that a planner's must keep."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from nts_sim.cli.compose import Composer, config_root
from nts_sim.cli.gate import list_options
from nts_sim.cli.main import main
from nts_sim.cli.yaml_check import Known, read_user_file
from nts_sim.policies.registry import POLICY_NAMES
from nts_sim.spec.load import load_study
from nts_sim.spec.models import PolicySpec

OPTIONS = list_options(None)
GROUPS = {
    "scenario", "network", "threat", "resources", "preparation", "mechanism", "measure", "fund",
    "information", "policy", "engine", "solver", "plan", "execution", "precision", "selection",
    "target", "experiment",
}  # fmt: skip
NEEDED = {("execution", "dask"): ("++execution.scheduler=tcp://127.0.0.1:8786",)}
FILES = sorted(config_root().glob("*/*.yaml"))


def test_groups_are_a_planners_words() -> None:
    assert set(OPTIONS) == GROUPS


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_file_would_pass_the_gate(path: Path) -> None:
    _, problems = read_user_file(path, config_root(), Known(OPTIONS))
    assert problems == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_option_makes_a_study(path: Path) -> None:
    group, name = path.parent.name, path.stem
    words = (f"{group}={name}", *NEEDED.get((group, name), ()))
    composed = Composer(None, OPTIONS).whole(words)
    study = load_study(composed.study)
    if group == "policy":
        assert list(study.policies) == [name]
    elif group != "experiment":
        assert getattr(study, group).name == name


@pytest.mark.parametrize("name", OPTIONS["scenario"])
def test_every_scenario_is_valid(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["validate", f"scenario={name}"]) == 0, capsys.readouterr().err
    assert capsys.readouterr().out.startswith("valid: ")


@pytest.mark.parametrize(
    "group", sorted(GROUPS - {"scenario", "experiment", "policy", "execution"})
)
def test_every_option_builds_its_world(group: str, capsys: pytest.CaptureFixture[str]) -> None:
    values = ",".join(OPTIONS[group])
    assert main(["validate", "-m", f"{group}={values}"]) == 0, capsys.readouterr().err


def test_each_policy_has_a_file() -> None:
    assert set(OPTIONS["policy"]) == set(POLICY_NAMES)


def test_policy_files_say_every_setting() -> None:
    for name in OPTIONS["policy"]:
        text = (config_root() / "policy" / f"{name}.yaml").read_text(encoding="utf-8")
        assert set(yaml.safe_load(text)) == set(PolicySpec.model_fields)


def test_reports_after_yagi_are_as_recorded() -> None:
    """130 268 of 235 424 damaged houses were counted five and a half days after landfall."""
    path = config_root() / "information" / "yagi_2024.yaml"
    curve = dict(yaml.safe_load(path.read_text(encoding="utf-8"))["reported_share"])
    assert curve[5.5] == pytest.approx(130_268 / 235_424, abs=5e-4)
    assert curve[1.3] == pytest.approx(3_279 / 235_424, abs=5e-4)


def test_set_members_take_the_same_overrides() -> None:
    composed = Composer(None, OPTIONS).whole(("scenario=north_season", "++seed=5"))
    assert sum(member.weight for member in composed.members) == pytest.approx(1.0)
    assert [member.config["name"] for member in composed.members] == [
        member.name for member in composed.members
    ]


def test_composing_does_not_depend_on_what_was_composed_before() -> None:
    jobs = [("scenario=calm_year",), ("policy=[greedy]", "++seed=5")]
    composer = Composer(None, OPTIONS)
    together = [composer.whole(job) for job in jobs]
    alone = [Composer(None, OPTIONS).whole(job) for job in jobs]
    assert [one.config for one in together] == [one.config for one in alone]
