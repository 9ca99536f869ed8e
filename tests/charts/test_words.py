"""The catalogue: numbers as people write them, texts nobody reaches into, nothing missing."""

from __future__ import annotations

import ast
import re
import tomllib
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from string import Formatter
from typing import Any

import pytest

import nts_sim
from nts_sim.outcomes.frames import TABLES
from nts_sim.outcomes.metrics import METRICS
from nts_sim.policies.registry import POLICY_NAMES
from nts_sim.tables.load import load_tables
from nts_sim.words import (
    languages,
    listing,
    name_of,
    number,
    say,
    sentence,
    speaking,
    used_language,
)

PACKAGE = Path(nts_sim.__file__).parent
OTHERS = [language for language in languages() if language != "en"]
_KEY = re.compile(r"[a-z0-9_]+(?:\.[a-z0-9_]+)+")
_SAID = re.compile(r"""\bsay\(\s*["']([a-z0-9_.]+)["']""")
FORMATS = {"", "0", "1", "2", "short", "signed", "percent", "change"}
OWN_KEYS = ("format.", "name.")
"""Looked up by the catalogue itself, and by what is named (`name_of`)."""

VIETNAMESE = (
    "ăâđêôơưàảãáạằẳẵắặầẩẫấậèẻẽéẹềểễếệìỉĩíịòỏõóọồổỗốộờởỡớợùủũúụừửữứựỳỷỹýỵ"
)  # fmt: skip


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


@pytest.mark.parametrize(("value", "form", "written"), [
    (12345.678, "1", "12.345,7"),
    (1234.5, "1", "1.234,5"),
    (12345.678, "short", "12.300"),
    (0.0421, "short", "0,042"),
    (1_260_000.0, "short", "1,26 triệu"),
    (-1_260_000.0, "signed", "\u22121,26 triệu"),
    (0.434, "percent", "43%"),
    (-8.72, "change", "\u22128,7%"),
    (float("nan"), "short", "chưa rõ"),
])  # fmt: skip
def test_numbers_as_people_write_them_in_vietnamese(value: float, form: str, written: str) -> None:
    with speaking("vi"):
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


def test_another_language_for_a_while_is_of_one_thread() -> None:
    """Progress told by a second thread is not in English because failures are."""
    spoken = used_language()
    with speaking("vi"), ThreadPoolExecutor(1) as other:
        assert used_language() == "vi"
        assert other.submit(used_language).result() == spoken
    assert used_language() == spoken


def _sources() -> list[tuple[Path, str]]:
    return [(path, path.read_text("utf-8")) for path in sorted(PACKAGE.rglob("*"))
            if path.suffix in (".py", ".j2")]  # fmt: skip


def _trees() -> Iterator[ast.AST]:
    return (ast.parse(text) for path, text in _sources() if path.suffix == ".py")


def _strings(tree: ast.AST) -> set[str]:
    """Strings of a module; of a reason kept as a code, `why.lend?place=08`, the key."""
    texts = {node.value for node in ast.walk(tree)
             if isinstance(node, ast.Constant) and isinstance(node.value, str)}  # fmt: skip
    return texts | {text.split("?")[0] for text in texts}


def _keys_said() -> set[str]:
    """Keys in a call of `say`, whether one or a choice of two; those put together are apart."""
    said = {key for path, text in _sources() if path.suffix == ".j2" for key in _SAID.findall(text)}
    for tree in _trees():
        for call in ast.walk(tree):
            if isinstance(call, ast.Call) and call.args and ast.unparse(call.func) == "say":
                chosen = call.args[0]
                arms = [chosen.body, chosen.orelse] if isinstance(chosen, ast.IfExp) else [chosen]
                said |= {arm.value for arm in arms if isinstance(arm, ast.Constant)
                         and _KEY.fullmatch(str(arm.value))}  # fmt: skip
        said |= {text for text in _strings(tree) if re.fullmatch(r"why\.[a-z0-9_.]+", text)}
    return said


def _patterns() -> list[re.Pattern[str]]:
    """Texts that are put together: `f"tasks.column.{name}"` is ``tasks\\.column\\.(.+)``."""
    made = {
        "".join(re.escape(str(part.value)) if isinstance(part, ast.Constant) else "(.+)"
                for part in node.values)
        for tree in _trees() for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)
    }  # fmt: skip
    return [re.compile(text) for text in made if len(re.sub(r"\W", "", text)) > 4]


def _is_written(text: str, strings: set[str], patterns: list[re.Pattern[str]]) -> bool:
    """Whether a text stands in the modules, whole or to be put together of what does."""
    if text in strings or text.replace("_", " ") in strings or text.isdigit():
        return True
    found = (pattern.fullmatch(text) for pattern in patterns)
    return any(match and match.groups() and all(part != text and
               _is_written(part, strings, patterns) for part in match.groups())
               for match in found)  # fmt: skip


def test_every_text_said_exists() -> None:
    said = _keys_said()
    assert len(said) > 200
    assert said - set(listing("en")) == set()


def test_no_text_is_left_that_nothing_says() -> None:
    strings = {text.partition("?")[0] for tree in _trees() for text in _strings(tree)}
    strings |= {key for _, text in _sources() for key in _SAID.findall(text)}
    patterns = _patterns()
    unsaid = [
        key for key in listing("en")
        if not key.startswith(OWN_KEYS) and not _is_written(key, strings, patterns)
    ]  # fmt: skip
    assert unsaid == []


def _flat(tree: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for key, entry in tree.items():
        if isinstance(entry, str):
            yield f"{prefix}{key}"
        else:
            yield from _flat(entry, f"{prefix}{key}.")


@pytest.mark.parametrize("language", languages())
def test_no_text_stands_in_two_files(language: str) -> None:
    files = sorted((PACKAGE / "words" / language).glob("*.toml"))
    keys = Counter(key for path in files for key in _flat(tomllib.loads(path.read_text("utf-8"))))
    assert len(files) > 4
    assert [key for key, times in keys.items() if times > 1] == []
    within = [key for key in keys if any(other.startswith(f"{key}.") for other in keys)]
    assert within == []


@pytest.mark.parametrize("language", OTHERS)
def test_every_language_has_every_text(language: str) -> None:
    assert set(listing(language)) == set(listing("en"))


def _parsed(text: str) -> tuple[str, set[tuple[str, str]]]:
    """Part a text into what is written, and its places with their formats."""
    parts = list(Formatter().parse(text))
    places = {(name, spec or "") for _, name, spec, _ in parts if name is not None}
    return "".join(literal for literal, *_ in parts), places


def _forms(entry: str | Mapping[str, str]) -> list[str]:
    return [entry] if isinstance(entry, str) else list(entry.values())


@pytest.mark.parametrize("language", languages())
def test_places_for_values_use_known_formats_and_agree_over_languages(language: str) -> None:
    """A value that one language tells and another does not, or tells otherwise, is a fault."""
    for key, entry in listing(language).items():
        _, wanted = _parsed(_forms(listing("en")[key])[-1])
        assert _parsed(_forms(entry)[-1])[1] == wanted, key
        for text in _forms(entry):
            _, places = _parsed(text)
            assert places <= wanted, key
            assert {spec for _, spec in places} <= FORMATS, key
            assert all(name.isidentifier() for name, _ in places), key


def test_vietnamese_texts_hold_vietnamese() -> None:
    """How a command is written (`help.*.usage`) is the same in every language."""
    for key, entry in listing("vi").items():
        if key.startswith("format.") or key.endswith(".usage"):
            continue
        for text in _forms(entry):
            written = _parsed(text)[0].lower()
            if any(letter.isalpha() for letter in written) and len(written) > 1:
                assert text not in _forms(listing("en")[key]), key
                has_marks = any(letter in VIETNAMESE for letter in written)
                assert has_marks or len(written.split()) < 4, key


@pytest.mark.parametrize("language", languages())
def test_letters_are_whole_ones(language: str) -> None:
    """No combining marks, no letters of a private font: what is typed can be searched for."""
    for key, entry in listing(language).items():
        for text in _forms(entry):
            assert unicodedata.is_normalized("NFC", text), key
            kinds = {unicodedata.category(letter) for letter in text}
            assert not kinds & {"Mn", "Co", "Cn"}, key


def _named(group: str) -> set[str]:
    return {key.split(".")[2] for key in listing("en") if key.startswith(f"name.{group}.")}


def test_everything_shipped_has_a_planners_name() -> None:
    tables = load_tables()
    scenarios = {path.stem for path in (PACKAGE.parent / "configs" / "scenario").glob("*.yaml")}
    assert _named("policy") >= set(POLICY_NAMES)
    assert _named("metric") == {metric.name for metric in METRICS}
    assert _named("mechanism") >= set(tables["mechanisms"]["mechanism"])
    assert _named("resource") == set(tables["resources"]["resource"])
    assert _named("fund") >= set(tables["funds"]["fund"]) | {"own_stock", "uncharged"}
    assert _named("scenario") >= scenarios
    assert _named("threat") == set(tables["threats"]["threat"])
    assert _named("unit") == {metric.unit for metric in METRICS}
    assert _named("group") >= {"network", "preparation", "information", "fund"}
    assert _named("table") == {path.stem for path in (PACKAGE / "data").glob("*.csv")}
    assert _named("stage") <= {column.name for column in TABLES["flows"]}


def test_vietnamese_names_fit_their_labels() -> None:
    """Labels of policies in charts hold 24 letters, those of mechanisms and funds in flows 22."""
    most = {"policy": 24, "resource": 22, "fund": 22, "scenario": 26}
    long = [
        (key, entry) for key, entry in listing("vi").items()
        if key.startswith("name.") and len(entry) > most.get(key.split(".")[1], len(entry))
    ]  # fmt: skip
    assert long == []


def test_the_glossary_gives_every_term_in_vietnamese() -> None:
    text = (PACKAGE.parent / "GLOSSARY.md").read_text("utf-8")
    terms = re.findall(r"\*\*([^*]+)\*\*( \(\*[^*]+\*\))?", text)
    assert len(terms) > 180
    assert [term for term, told in terms if not told] == []
    rows = [line.split("|")[1:3] for line in text.splitlines() if line.startswith("| `")]
    shipped = [(name, told) for names, told in rows for name in re.findall(r"`(\w+)`", names)]
    assert {name for name, _ in shipped} <= set(POLICY_NAMES)
    with speaking("vi"):
        assert [name for name, told in shipped if name_of("policy", name) not in told] == []
