"""Names as people write them: former provinces, diacritics, ranks, names of either language."""

from __future__ import annotations

import csv
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest

from nts_sim.policies.registry import POLICY_NAMES
from nts_sim.tables.load import load_tables
from nts_sim.tables.names import fold, nearest, resolve_place

FORMER = Path(__file__).parents[3] / "shared" / "backtest" / "province_map_63_to_34.csv"
RANKS = ("", "tỉnh ", "Tỉnh ", "TỈNH ", "T. ", "thành phố ", "Thành phố ", "TP. ", "TP ", "Tp.")
SCENARIOS = (
    "border_disease", "calm_year", "compound", "cyber_outage", "flood_central", "mekong_salinity",
    "north_season", "respiratory_epidemic", "typhoon_north",
)  # fmt: skip


def bare(name: str) -> str:
    """A name of the map of former provinces without its rank."""
    return "Hồ Chí Minh" if name == "TP HCM" else name.removeprefix("TP ")


def ways_to_write(vietnamese: str, english: str) -> Iterator[str]:
    """A name with and without diacritics, taken apart into marks, in capitals, in one word."""
    plain = fold(vietnamese).title()
    for name in (vietnamese, english, plain):
        yield from (name, name.upper(), name.lower(), unicodedata.normalize("NFD", name))
        yield from (name.replace(" ", ""), name.replace(" ", "_"), name.replace(" - ", " \u2013 "))


def as_written(row: dict[str, str]) -> Iterator[str]:
    """All ways to write a row of the map, with a rank before or after the name."""
    english = row["old_en"]
    yield from (f"{english} province", f"{english} City", f"province of {english}")
    for way in ways_to_write(bare(row["old_vi"]), english):
        yield from (f"{rank}{way}" for rank in RANKS)


@pytest.mark.skipif(not FORMER.exists(), reason="the map of former provinces is not at hand")
def test_every_former_province_is_found_however_it_is_written() -> None:
    tables = load_tables(None)
    codes = tables.place_codes
    code_of = {fold(name): code for code, name in tables.columns("places", "code", "name_vi")}
    with FORMER.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 63
    assert {code_of[fold(bare(row["new_vi"]))] for row in rows} == set(code_of.values())
    lost = [
        written for row in rows for written in as_written(row)
        if resolve_place(written, codes) != code_of[fold(bare(row["new_vi"]))]
    ]  # fmt: skip
    assert lost == []


@pytest.mark.parametrize(("written", "code"), [
    ("08", "08"), ("Ðà Nẵng", "48"), ("TP.HCM", "79"), ("tphcm", "79"), ("Saigon", "79"),
    ("Sài Gòn", "79"), ("Ho Chi Minh City", "79"), ("Hà\u00a0Giang", "08"), ("BRVT", "79"),
    ("Bà Rịa \u2013 Vũng Tàu", "79"), ("Thừa Thiên - Huế", "46"), ("TT-Huế", "46"),
    ("Đắc Lắc", "66"),
    ("Bắc Cạn", "19"), ("Kontum", "51"), ("cn-gx", "CN-GX"), ("Quảng Tây", "CN-GX"),
])  # fmt: skip
def test_everyday_names_are_found(written: str, code: str) -> None:
    assert resolve_place(written, load_tables(None).place_codes) == code


@pytest.mark.parametrize("written", ["", "tỉnh", "TP.", "Atlantis", "Hà", "t", "province"])
def test_no_place_is_made_of_what_is_none(written: str) -> None:
    assert resolve_place(written, load_tables(None).place_codes) is None


def test_a_name_in_one_word_is_never_two_places() -> None:
    tables = load_tables(None)
    found: dict[str, set[str]] = {}
    for table, column in (("places", "name_vi"), ("place_aliases", "alias"), ("places", "name"),
                          ("foreign_places", "name"), ("foreign_places", "name_vi")):  # fmt: skip
        for code, name in tables.columns(table, "code", column):
            found.setdefault(fold(name).replace(" ", ""), set()).add(code)
    assert [name for name, codes in found.items() if len(codes) > 1] == []


@pytest.mark.parametrize(("written", "meant"), [
    ("Tuyên Quan", "Tuyên Quang (08)"), ("Ha Gian", "Tuyên Quang (08)"),
    ("Hoa Bin", "Phú Thọ (25)"), ("Sai Gn", "Hồ Chí Minh (79)"), ("Guanxi", "Quảng Tây (CN-GX)"),
])  # fmt: skip
def test_the_nearest_place_is_found_among_former_ones_too(written: str, meant: str) -> None:
    tables = load_tables(None)
    close = nearest(written, tables.place_codes)
    assert close is not None
    assert tables.place_labels[tables.place_codes[close]] == meant


@pytest.mark.parametrize(("written", "meant"), [
    ("bão miền Bắc", "typhoon_north"), ("BÃO Ở MIỀN BẮC", "typhoon_north"),
    ("typhoon in the north", "typhoon_north"), ("lu lut mien trung", "flood_central"),
    ("sự cố mạng", "cyber_outage"), ("typhon_north", "typhoon_north"), ("zzz", None),
])  # fmt: skip
def test_scenarios_are_found_by_their_names_in_either_language(
    written: str, meant: str | None
) -> None:
    assert nearest(written, SCENARIOS) == meant


@pytest.mark.parametrize(("written", "meant"), [
    ("phương án tối ưu", "expected_value"), ("phuong an toi uu", "expected_value"),
    ("optimised plan", "expected_value"), ("cách làm hiện nay", "current_practice"),
    ("greedi", "greedy"),
])  # fmt: skip
def test_policies_are_found_by_their_names_in_either_language(written: str, meant: str) -> None:
    assert nearest(written, POLICY_NAMES) == meant
