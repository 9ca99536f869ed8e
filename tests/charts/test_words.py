"""The catalogue: numbers as people write them, texts nobody reaches into, nothing missing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import nts_sim
from nts_sim.outcomes.frames import TABLES
from nts_sim.outcomes.metrics import METRICS
from nts_sim.policies.registry import POLICY_NAMES
from nts_sim.tables.load import load_tables
from nts_sim.words import languages, listing, name_of, number, say, sentence, speaking

PACKAGE = Path(nts_sim.__file__).parent
_SAID = re.compile(r"""\bsay\(\s*["']([a-z_]+(?:\.[a-z_]+)+)["']""")
_WRITTEN = re.compile(r"""["']([a-z_]+(?:\.[a-z_]+)+)["']""")
_PLACE = re.compile(r"\{([a-z_]+)(?::([a-z0-9]+))?\}")
FORMATS = {"", "0", "1", "2", "short", "signed", "percent", "change"}


@pytest.mark.parametrize(("value", "form", "written"), [
    (12345.678, "0", "12,346"),
    (12345.678, "1", "12,345.7"),
    (12345.678, "short", "12,300"),
    (145.4, "short", "145"),
    (9.9649, "short", "9.96"),
    (0.0421, "short", "0.042"),
    (0.0, "short", "0"),
    (-1e-9, "signed", "0"),
    (-0.04, "0", "0"),
    (5.08, "signed", "+5.08"),
    (-322.6, "signed", "\u2212323"),
    (1_260_000.0, "signed", "+1.26 million"),
    (999_999.0, "short", "1 million"),
    (0.434, "percent", "43\u00a0%"),
    (-8.72, "change", "\u22128.7\u00a0%"),
    (float("nan"), "short", "not known"),
    (float("inf"), "percent", "not known"),
])  # fmt: skip
def test_numbers_as_people_write_them(value: float, form: str, written: str) -> None:
    assert number(value, form) == written


def test_a_text_counts_with_the_right_form() -> None:
    one, more = say("report.failures", n=1), say("report.failures", n=1200)
    assert "1 replication " in one
    assert "1,200 replications " in more


def test_a_value_is_never_read_as_a_format() -> None:
    """A planner's text with braces stays text; places reach values by name only, no attributes."""
    hostile = "{x.__class__} {run} {0} %s"
    assert hostile in say("chart.empty.title", chart=hostile)


def test_what_the_catalogue_does_not_know_keeps_its_name() -> None:
    assert name_of("policy", "my_own_rule") == "my own rule"
    assert sentence("ông Bảo") == "Ông Bảo"
    with pytest.raises(KeyError):
        say("chart.no_such_text")
    with pytest.raises(KeyError), speaking("xx"):
        pass


def _sources() -> list[str]:
    folders = ("charts", "report")
    return [path.read_text("utf-8") for folder in folders for path in (PACKAGE / folder).iterdir()
            if path.suffix in (".py", ".j2")]  # fmt: skip


@pytest.mark.parametrize("language", languages())
def test_every_text_said_exists_and_every_other_is_gone(language: str) -> None:
    """`format.*` are the catalogue's own; names are looked up by what they name (next test)."""
    said = {key for text in _sources() for key in _SAID.findall(text) if key[:7] != "format."}
    entries = {key for key in listing(language) if not key.startswith(("format.", "name."))}
    said |= entries & {key for text in _sources() for key in _WRITTEN.findall(text)}
    assert len(said) > 60
    assert said - entries == set()
    assert entries - said == set()


@pytest.mark.parametrize("language", languages())
def test_places_for_values_use_known_formats_and_agree_over_languages(language: str) -> None:
    for key, entry in listing(language).items():
        forms = [entry] if isinstance(entry, str) else list(entry.values())
        reference = listing("en")[key]
        wanted = reference if isinstance(reference, str) else reference["other"]
        known = {name for name, _ in _PLACE.findall(wanted)}
        for text in forms:
            assert {spec for _, spec in _PLACE.findall(text)} <= FORMATS, key
            assert {name for name, _ in _PLACE.findall(text)} <= known, key


def _named(group: str) -> set[str]:
    return {key.split(".")[2] for key in listing("en") if key.startswith(f"name.{group}.")}


def test_everything_shipped_has_a_planners_name() -> None:
    tables = load_tables()
    scenarios = {path.stem for path in (PACKAGE.parent / "configs" / "scenario").glob("*.yaml")}
    assert _named("policy") >= set(POLICY_NAMES)
    assert _named("metric") >= {metric.name for metric in METRICS if metric.ranked}
    assert _named("mechanism") >= set(tables["mechanisms"]["mechanism"])
    assert _named("resource") == set(tables["resources"]["resource"])
    assert _named("fund") >= set(tables["funds"]["fund"]) | {"own_stock", "uncharged"}
    assert _named("scenario") >= scenarios
    assert _named("stage") <= {column.name for column in TABLES["flows"]}
