"""``data find``: however a text is written, and whatever a province was called before."""

from __future__ import annotations

import json

import pytest

from nts_sim.cli.find import NAMES, find
from nts_sim.cli.main import main
from nts_sim.cli.verbs.data import MOST_LINES
from nts_sim.tables.load import load_tables


@pytest.mark.parametrize("text", ["ha giang", "HÀ GIANG", "Hà_Giang", "hà giang"])
def test_a_former_province_leads_to_todays(text: str) -> None:
    (match,) = find(load_tables(), text)
    assert (match.table, match.key) == ("place_aliases", "08")
    assert match.text == "Hà Giang → Tuyên Quang (08)"


def test_every_province_is_found_by_each_name_it_has_or_had() -> None:
    tables = load_tables()
    for code, name in tables.columns("places", "code", "name_vi"):
        assert any((m.table, m.key) == ("places", code) for m in find(tables, name)), name
    for alias, code in tables.columns("place_aliases", "alias", "code"):
        assert any((m.table, m.key) == ("place_aliases", code) for m in find(tables, alias)), alias


def test_diacritics_do_not_matter_but_order() -> None:
    tables = load_tables()
    plain, marked = find(tables, "bao"), find(tables, "Bão")
    assert {m.text for m in plain} == {m.text for m in marked}
    assert (marked[0].table, marked[0].key, marked[0].text) == ("threats", "storm", "Bão")
    texts = [m.text.casefold() for m in marked if m.column != "source"]
    has = ["bão" in text for text in texts]
    assert has == sorted(has, reverse=True)
    assert any(has) and not all(has)


def test_names_of_both_languages_are_searched_and_words_are_not_cut() -> None:
    tables = load_tables()
    assert any(m.table == NAMES and m.key == "resource.boat_crew" for m in find(tables, "xuồng"))
    assert not any("mechanism" in m.text.casefold() for m in find(tables, "chanism"))


def test_many_matches_are_counted_not_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "find", "planning"]) == 0
    lines = capsys.readouterr().out.splitlines()
    total = len(find(load_tables(), "planning"))
    assert total > MOST_LINES
    assert len(lines) == MOST_LINES + 1
    assert lines[-1] == f"… and {total - MOST_LINES} more; --json prints all"
    assert main(["data", "find", "planning", "--json", "language=vi"]) == 0
    assert len(json.loads(capsys.readouterr().out)["matches"]) == total


@pytest.mark.parametrize(("arguments", "says"), [
    (["data", "find"], "say what to look for"),
    (["data", "find", "-_."], "say what to look for"),
    (["data", "find", "x", "tables_dir=nowhere"], "the folder 'nowhere' is not there"),
])  # fmt: skip
def test_wrong_words_get_a_sentence(
    arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    assert says in capsys.readouterr().err


def test_nothing_found_names_the_nearest_place(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "find", "Hai Phonk"]) == 0
    assert "did you mean hai phong?" in capsys.readouterr().out
