"""Tables: what is shipped is sound, and every wrong file gets its sentence."""

import csv
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nts_sim.errors import InvalidInput
from nts_sim.tables.cells import parse_cell
from nts_sim.tables.columns import MAP_TABLES, STATUSES, TABLES, Column
from nts_sim.tables.load import DATA, MAX_BYTES, load_tables
from nts_sim.tables.names import fold, nearest, resolve_place, unknown
from nts_sim.words import languages, listing

STOCKS = "province_code,resource,value,unit,source,status\n"
RAMPS = "mechanism,day,value,unit,source,status\n"


def stocks(value: str = "5", place: str = "08", resource: str = "rice_t", status: str = "sourced"):
    return f"{STOCKS}{place},{resource},{value},unit,our register,{status}\n"


def shipped(name: str, old: str, new: str) -> str:
    text = (DATA / f"{name}.csv").read_text(encoding="utf-8")
    assert old in text
    return text.replace(old, new, 1)


def problems_of(folder: Path) -> list[str]:
    with pytest.raises(InvalidInput) as caught:
        load_tables(folder)
    assert caught.value.exit_code == 2
    return [f"{problem.where}: {problem.what}" for problem in caught.value.problems]


# (file, content, the sentence it must get)
WRONG = [
    ("stocks.csv", stocks("-5"), "stocks.csv row 2 column value: -5 is below 0, the least allowed"),
    ("stocks.csv", stocks("nan"), "column value: 'nan' is not a finite number"),
    ("stocks.csv", stocks("-inf"), "column value: '-inf' is not a finite number"),
    ("stocks.csv", stocks("1e999"), "column value: '1e999' is not a finite number"),
    ("stocks.csv", stocks("many"), "column value: 'many' is not a number (units)"),
    ("stocks.csv", stocks(""), "column value: is blank; units is needed"),
    (
        "stocks.csv", stocks("1.234"),
        "'1.234' is ambiguous: write 1234 for the larger number or 1.2340 for decimals",
    ),
    ("stocks.csv", stocks('"1.234,5"'), "'1.234,5' is ambiguous: write 1234.5, a point for"),
    ("stocks.csv", stocks("1.234.567"), "'1.234.567' is ambiguous"),
    ("stocks.csv", stocks('"1,234.5"'), "'1,234.5' is ambiguous"),
    ("stocks.csv", stocks("1 234"), "'1 234' is ambiguous"),
    ("stocks.csv", stocks('"12,5"'), "'12,5' has a decimal comma; write 12.5"),
    ("stocks.csv", stocks("5%"), "'5%' is a percentage; write a share between 0 and 1"),
    ("stocks.csv", stocks("\uff11"), "'\uff11' is not a number"),
    ("stocks.csv", stocks(place="Tuyen Qang"), "'Tuyen Qang'; did you mean Tuyên Quang (08)?"),
    ("stocks.csv", stocks(place="8"), "unknown province '8'; did you mean 08? Codes are text"),
    ("stocks.csv", stocks(place="Zzz"), "unknown province 'Zzz'; see places.csv for the codes"),
    ("stocks.csv", stocks(resource="rice"), "unknown resource 'rice'; did you mean rice_t?"),
    ("stocks.csv", stocks(status="guess"), "'guess' is not allowed; allowed: sourced, computed"),
    ("stocks.csv", stocks(status="asumption"), "'asumption' is not allowed; did you mean assum"),
    (
        "stocks.csv", stocks() + "08,rice_t,6,unit,x,sourced\n",
        "row 3: province_code '08', resource 'rice_t' is already in row 2; each may appear once",
    ),
    (
        "stocks.csv", stocks() + "Tuyên Quang,rice_t,6,unit,x,sourced\n",
        "row 3: province_code '08', resource 'rice_t' is already in row 2",
    ),
    ("stocks.csv", stocks() + "08,rice_t\n", "row 3: has 2 cells where the header has 6"),
    ("stocks.csv", stocks().replace("value", "valeu"), "unknown column 'valeu'; did you mean val"),
    ("stocks.csv", stocks().replace("value", "valeu"), "row 1: column 'value' is missing"),
    ("stocks.csv", stocks().replace(",unit,", ",value,", 1), "column 'value' appears twice"),
    ("stocks.csv", stocks().replace(",", ";"), "is separated by semicolons; separate columns by"),
    ("stocks.csv", stocks().replace(",", "\t"), "is separated by tabs"),
    ("stocks.csv", STOCKS, "stocks.csv: has a header and no rows"),
    ("stocks.csv", "", "stocks.csv: is empty; it needs at least its header row"),
    ("stocks.csv", "\n \n", "is empty"),
    ("stocks.csv", STOCKS + '08,"rice_t,5\n', "cannot be read as CSV"),
    ("stocks.csv", stocks().encode("utf-16"), "is UTF-16, not UTF-8; save it as 'CSV UTF-8'"),
    (
        "stocks.csv", (STOCKS + "Đắk Lắk,rice_t,5,unit,x,sourced\n").encode("cp1258", "replace"),
        "is not UTF-8 (first bad byte in line 2)",
    ),
    ("stocks.csv", stocks().encode() + b"\0", "holds NUL bytes; it is not a text file"),
    ("stocks.csv", b"x" * (MAX_BYTES + 1), "is larger than 20 MB"),
    ("stock.csv", stocks(), "stock.csv: is not the name of a table; did you mean stocks.csv?"),
    ("Book1.xlsx", b"PK", "is a workbook; save each sheet as CSV (UTF-8)"),
    ("ramps.csv", f"{RAMPS}military,1.5,1,share,x,sourced\n", "'1.5' is not a whole number"),
    ("ramps.csv", f"{RAMPS}military,1,1.2,share,x,sourced\n", "1.2 is above 1, the most allowed"),
    ("ramps.csv", f"{RAMPS}army,1,1,share,x,sourced\n", "unknown mechanism 'army'"),
    (
        "places.csv", shipped("places", ",true,", ",yes,"),
        "column coastal: 'yes' is not true or false",
    ),
    (
        "places.csv", shipped("places", "1865270", "1.865.270"),
        "column population: '1.865.270' is ambiguous",
    ),
    (
        "places.csv", shipped("places", "21.8094", "218094"),
        "column latitude: 218094 is above 60 degrees north, the most allowed",
    ),
    ("desks.csv", shipped("desks", ",MOF,", ",MOFF,"), "'MOFF'; did you mean MOF?"),
]  # fmt: skip


@pytest.mark.parametrize(("file", "content", "sentence"), WRONG)
def test_wrong_table_gets_its_sentence(tmp_path, file, content, sentence):
    data = content if isinstance(content, bytes) else content.encode("utf-8")
    (tmp_path / file).write_bytes(data)
    assert any(sentence in problem for problem in problems_of(tmp_path)), problems_of(tmp_path)


def test_all_problems_of_all_files_are_told_at_once(tmp_path):
    (tmp_path / "stocks.csv").write_text(stocks("-5") + "99,rice_t,x,unit,y,sourced\n")
    (tmp_path / "ramp.csv").write_text(RAMPS)
    (tmp_path / "ramps.csv").write_text(f"{RAMPS}army,1,1,share,x,sourced\n")
    found = problems_of(tmp_path)
    assert [line.split(":")[0] for line in found] == [
        "ramp.csv", "ramps.csv row 2 column mechanism", "stocks.csv row 2 column value",
        "stocks.csv row 3 column province_code", "stocks.csv row 3 column value",
    ]  # fmt: skip


def test_a_thousand_faults_are_counted_not_listed(tmp_path):
    rows = "".join(f"08,r{i},-1,unit,x,sourced\n" for i in range(1000))
    (tmp_path / "stocks.csv").write_text(STOCKS + rows)
    found = problems_of(tmp_path)
    assert len(found) == 26
    assert any("… and 1975 more problems in this file" in problem for problem in found)


def test_missing_folder_and_folder_without_tables(tmp_path):
    assert "cannot be opened" in problems_of(tmp_path / "none")[0]
    (tmp_path / "README.md").write_text("hello")
    assert "holds no table" in problems_of(tmp_path)[0]


def test_own_table_replaces_the_shipped_one_and_names_become_codes(tmp_path):
    text = shipped("stocks", "08,rice_t,", "hà giang,rice_t,").replace(
        "79,rice_t,", "HCMC,rice_t,9"
    )
    (tmp_path / "stocks.csv").write_text(f"\ufeff{text}\n\n", encoding="utf-8")
    tables = load_tables(tmp_path)
    ours, theirs = tables["stocks"], load_tables()["stocks"]
    assert ours["province_code"].tolist() == theirs["province_code"].tolist()
    changed = ours[ours["value"] != theirs["value"]]
    assert changed[["province_code", "resource", "value"]].values.tolist() == [
        ["79", "rice_t", 92801.0]
    ]
    assert tables.own == {"stocks"}
    assert tables.digests["stocks"] != load_tables().digests["stocks"]
    assert len(tables["places"]) == 34


INCOMPLETE = [
    ("stocks", "08,rice_t,373,", None, "no row for province_code and resource 08, rice_t; a table"),
    ("road_speeds", "detour_factor,", None, "road_speeds.csv: has no row for item detour_factor"),
    ("unit_costs", "boat_crew,run_per_day,", None, "resource and item boat_crew, run_per_day"),
    ("threat_dynamics", "storm,2,natural_stay_days,", None, "storm, natural_stay_days, 2"),
    ("exposure", "storm,1,", None, "no row for threat and severity storm, 1"),
    ("handover_lead", "military,", None, "no row for mechanism military"),
    ("declaration_levels", "3,PM,", None, "no row for level 3"),
    ("desk_speed", "2,", None, "no row for severity 2"),
    ("event_rates", "dengue,days_per_hop,", None, "dengue, days_per_hop"),
    ("desks", "MOD,Ministry of National Defence,Bộ Quốc phòng,national,MOD,",
     "MOD,Ministry of National Defence,Bộ Quốc phòng,national,military,",
     "MOD cannot sit at military, which"),
    ("desks", ",100,PM,", ",100,provincial_chair,", "cannot pass orders up to provincial_chair"),
    ("mechanisms", "goods,MOD,", "goods,,", "military needs a desk that signs its orders"),
    ("mechanisms", ",spot,General Staff", ",,General Staff", "military needs created_at"),
    ("mechanisms", ",spot,General Staff", ",hub,General Staff", "military is created at 'hub'"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "start", "new", "sentence"), INCOMPLETE)
def test_incomplete_tables_get_their_sentence(tmp_path, name, start, new, sentence):
    text = (DATA / f"{name}.csv").read_text(encoding="utf-8")
    assert start in text
    if new is None:
        lines = [line for line in text.splitlines() if not line.startswith(start)]
        assert len(lines) == len(text.splitlines()) - 1
        text = "\n".join(lines)
    (tmp_path / f"{name}.csv").write_text(text.replace(start, new or start), encoding="utf-8")
    assert any(sentence in problem for problem in problems_of(tmp_path)), problems_of(tmp_path)


def test_column_order_does_not_matter_and_excel_flags_are_read(tmp_path):
    with (DATA / "places.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        row["coastal"] = row["coastal"].upper()
    with (tmp_path / "places.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, sorted(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    assert load_tables(tmp_path)["places"].equals(load_tables()["places"])


@given(st.binary(max_size=400))
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_no_bytes_make_a_traceback(tmp_path, garbage):
    for header in (b"", STOCKS.encode()):
        (tmp_path / "stocks.csv").write_bytes(header + garbage)
        try:
            load_tables(tmp_path)
        except InvalidInput as error:
            assert error.problems


@given(st.data())
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_a_mutated_cell_is_either_read_or_told(tmp_path, data):
    name = data.draw(st.sampled_from(sorted(TABLES)))
    with (DATA / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    row = data.draw(st.integers(0, len(rows) - 1))
    column = data.draw(st.integers(0, len(rows[0]) - 1))
    rows[row][column] = data.draw(
        st.text(max_size=8) | st.sampled_from(["-1", "1.234", "NaN", "08"])
    )
    for old in tmp_path.iterdir():
        old.unlink()
    with (tmp_path / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    try:
        load_tables(tmp_path)
    except InvalidInput as error:
        assert all(problem.where and problem.what for problem in error.problems)


# --- what is shipped -------------------------------------------------------------------------


def test_every_shipped_file_is_declared_and_every_declared_table_is_shipped():
    assert {path.stem for path in DATA.glob("*.csv")} == {*TABLES, *MAP_TABLES}


@pytest.mark.parametrize("name", sorted(TABLES))
def test_every_shipped_row_has_source_and_status(name):
    frame = load_tables()[name]
    assert set(frame["status"]) <= set(STATUSES)
    assert (frame["source"].str.len() > 5).all()
    assert not frame["source"].str.contains("backtest/|analyst knowledge").any()


def test_shipped_dtypes_are_as_declared():
    frame = load_tables()["places"]
    assert frame["code"].tolist()[:3] == ["01", "04", "08"]
    kinds = frame.dtypes.astype(str)
    assert kinds["population"] == "int64"
    assert kinds["latitude"] == "float64"
    assert kinds["coastal"] == "bool"


def test_all_63_former_provinces_are_known():
    tables = load_tables()
    former = {"Hà Giang": "08", "Bắc Giang": "24", "Bình Dương": "79", "Thái Bình": "33",
              "Quảng Nam": "48", "Bà Rịa - Vũng Tàu": "79", "Kon Tum": "51"}  # fmt: skip
    for name, code in former.items():
        assert resolve_place(name, tables.place_codes) == code
    aliases = tables["place_aliases"]
    merged = (aliases["kind"] == "former_province").sum()
    kept_their_name = 34
    assert merged + kept_their_name == 63


@pytest.mark.parametrize(
    ("text", "code"),
    [("08", "08"), ("Tuyên Quang", "08"), ("tuyen quang", "08"), ("TUYEN-QUANG", "08"),
     ("Da Nang", "48"), ("Đà Nẵng", "48"), ("TP. HCM", "79"), ("Saigon", "79"), ("HN", "01"),
     ("Tỉnh Hà Giang", "08"), ("Thành phố Hồ Chí Minh", "79"), ("CN-YN", "CN-YN"),
     ("Yunnan", "CN-YN"), ("Thừa Thiên Huế", "46"), ("An Giang province", "91")],
)  # fmt: skip
def test_places_are_understood_as_people_write_them(text, code):
    assert resolve_place(text, load_tables().place_codes) == code


def test_no_alias_hides_a_province():
    tables = load_tables()
    for code, name, name_vi in tables.columns("places", "code", "name", "name_vi"):
        assert {resolve_place(text, tables.place_codes) for text in (code, name, name_vi)} == {code}


def test_fold_and_nearest():
    assert fold("  Đắk_Lắk ") == "dak lak"
    assert nearest("typhon_north", ["typhoon_north", "calm_year"]) == "typhoon_north"
    assert nearest("xyz", ["typhoon_north"]) is None
    assert unknown("x", ["a"], "fund") == "unknown fund 'x'; known: a"


@pytest.mark.parametrize(
    ("text", "high", "asks"),
    [("1.234", float("inf"), True), ("1.234", 60.0, False), ("0.234", float("inf"), False),
     ("12.345", 1e5, True), ("1.23", float("inf"), False), ("1.2345", float("inf"), False),
     ("-1.234", float("inf"), False), ("1000", float("inf"), False)],
)  # fmt: skip
def test_three_decimals_are_asked_about_only_where_thousands_are_possible(text, high, asks):
    column = Column("x", "number", "x", low=0.0, high=high)
    assert ("ambiguous" in parse_cell(column, text)[1]) == asks


# --- the same values as the collected data, where it is at hand -------------------------------

RAW = Path(__file__).parents[3] / "shared" / "data"
PAIRS = [
    ("stocks", "assumptions/stocks_by_province.csv", ("province_code", "resource")),
    ("unit_costs", "assumptions/unit_costs.csv", ("resource", "item")),
    ("exposure", "assumptions/exposure.csv", ("threat", "severity")),
    ("requirements", "assumptions/requirements.csv", ("threat", "severity", "resource")),
    ("harm_weights", "assumptions/harm_weights.csv", ("threat", "severity")),
    ("threat_dynamics", "assumptions/threat_dynamics.csv", ("threat", "severity", "parameter")),
    ("handover_lead", "assumptions/handover_lead.csv", ("mechanism",)),
]


def _read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.skipif(not RAW.exists(), reason="the collected data is not at hand")
@pytest.mark.parametrize(("name", "raw", "key"), PAIRS)
def test_shipped_values_equal_the_collected_ones(name, raw, key):
    ours = {tuple(row[k] for k in key): row["value"] for row in _read(DATA / f"{name}.csv")}
    theirs = {tuple(row[k] for k in key): row["value"] for row in _read(RAW / raw)}
    assert ours == theirs


@pytest.mark.skipif(not RAW.exists(), reason="the collected data is not at hand")
def test_shipped_ramps_and_funds_hold_the_collected_points():
    ours = {(r["mechanism"], r["day"]): float(r["value"]) for r in _read(DATA / "ramps.csv")}
    for row in _read(RAW / "assumptions/ramps.csv"):
        if float(row["value"]) > 0.0:
            assert ours[row["mechanism"], row["day"]] == float(row["value"])
    funds = {(r["owner"], r["fund"]): r["value"] for r in _read(DATA / "funds.csv")}
    for row in _read(RAW / "assumptions/funds.csv"):
        if row["fund"] in {"local_contingency", "reserve_fund", "disaster_fund"}:
            assert funds[row["owner"], row["fund"]] == row["value"]


def test_every_column_has_its_meaning_in_every_language() -> None:
    """What a column means, and its unit, stand in sentences about wrong cells."""
    columns = [c for table in (*TABLES.values(), *MAP_TABLES.values()) for c in table.columns]
    units = {c.unit for c in columns if c.unit} - {"km"}
    wanted = {f"said.meaning.{c.meaning}" for c in columns} | {
        f"name.table_unit.{u}" for u in units
    }
    for language in languages():
        assert wanted - set(listing(language)) == set()
    assert {key for key in listing("en") if key.startswith("said.meaning.")} <= wanted
