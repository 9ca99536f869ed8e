"""Texts of what is shipped, in both languages."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from nts_sim.errors import InvalidInput
from nts_sim.spec.load import load_scenario
from nts_sim.spec.models import InformationSpec, MeasureSpec, MeasureTexts
from nts_sim.spec.portfolio import NONE, combined
from nts_sim.spec.texts import spoken
from nts_sim.words import speaking

CONFIGS = Path(__file__).parents[2] / "configs"
TEXTS = {"scenario": ("title", "question", "sources", "assumptions"), "measure": ("title",),
         "information": ("source",)}  # fmt: skip
SHIPPED = [(group, path) for group in TEXTS for path in sorted((CONFIGS / group).glob("*.yaml"))]
_ADDRESS = re.compile(r"https?://[^)\s]+")
_GROUPED = re.compile(r"\d{1,3}(?:[ ,.]\d{3})+(?!\d)")


def read(path: Path) -> dict[str, Any]:
    return dict(yaml.safe_load(path.read_text("utf-8")))


def digits(text: str) -> list[str]:
    """Large numbers of a text, however they are grouped; addresses hold none."""
    found = _GROUPED.findall(_ADDRESS.sub("", text))
    return sorted(re.sub(r"\D", "", number) for number in found)


@pytest.mark.parametrize(("group", "path"), SHIPPED, ids=lambda value: getattr(value, "stem", ""))
def test_everything_shipped_says_its_texts_in_vietnamese(group: str, path: Path) -> None:
    config = read(path)
    for name in TEXTS[group]:
        if name not in config:
            continue
        assert spoken(config, name) == config[name]
        with speaking("vi"):
            told = spoken(config, name)
        own = [config[name]] if isinstance(told, str) else config[name]
        for text, other in zip(own, [told] if isinstance(told, str) else told, strict=True):
            assert text != other
            assert _ADDRESS.findall(text) == _ADDRESS.findall(other)
            assert digits(text) == digits(other)


def test_what_is_not_translated_is_shown_as_it_was_written() -> None:
    own = {"title": "Storm", "question": "Who?", "sources": ["a", "b"]}
    with speaking("vi"):
        assert spoken(own, "title") == "Storm"
        assert spoken({**own, "vi": None}, "sources") == ["a", "b"]
        assert spoken({**own, "vi": {"title": "Bão", "question": None}}, "title") == "Bão"
        assert spoken({**own, "vi": {"title": "Bão", "question": None}}, "question") == "Who?"


def test_a_translation_that_leaves_out_an_assumption_is_refused() -> None:
    config = read(CONFIGS / "scenario" / "compound.yaml")
    config["vi"]["assumptions"] = config["vi"]["assumptions"][:-1]
    with pytest.raises(InvalidInput) as caught:
        load_scenario(config)
    (problem,) = caught.value.problems
    assert "vi.assumptions holds 2 texts and assumptions 3" in problem.what


def test_measures_taken_together_are_named_in_both_languages() -> None:
    measures = [MeasureSpec.model_validate(read(CONFIGS / "measure" / f"{name}.yaml"))
                for name in ("training", "flood_defences")]  # fmt: skip
    both = combined(measures).model_dump()
    with speaking("vi"):
        assert spoken(both, "title") == (
            "Diễn tập cho người phê duyệt và người báo cáo + "
            "Củng cố đê điều, tiêu thoát nước và mái dốc"
        )
        assert spoken(NONE.model_dump(), "title") == "Không có biện pháp phòng ngừa"
    untold = [measure.model_copy(update={"vi": None}) for measure in measures]
    assert combined(untold).vi is None
    assert combined([untold[0], measures[1]]).vi == MeasureTexts(
        title="Exercises of desks and reporters + Củng cố đê điều, tiêu thoát nước và mái dốc"
    )


def test_information_keeps_its_source_in_both_languages() -> None:
    config = read(CONFIGS / "information" / "prompt.yaml")
    told = InformationSpec.model_validate(config).model_dump()
    with speaking("vi"):
        assert spoken(told, "source").startswith("giả định")
