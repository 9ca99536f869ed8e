"""The world made from a study: hand-worked numbers, factors, refusals, and rules that must fail."""

import csv
import time
from dataclasses import replace
from datetime import date

import networkx as nx
import numpy as np
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from nts_sim.cli.compose import config_root
from nts_sim.errors import InvalidInput
from nts_sim.spec.models import (
    EngineSpec,
    FundSpec,
    InformationSpec,
    InjectSpec,
    MeasureSpec,
    MechanismChange,
    MechanismSpec,
    MoneySourceSpec,
    NetworkSpec,
    PolicySpec,
    PreparationSpec,
    ResourcesSpec,
    ScenarioSpec,
    SolverSpec,
    Study,
    ThreatSpec,
)
from nts_sim.tables.columns import TABLES as COLUMNS
from nts_sim.tables.load import DATA, load_tables
from nts_sim.world import checks
from nts_sim.world.build import build_world
from nts_sim.world.graph import to_networkx
from nts_sim.world.links import make_layers
from nts_sim.world.model import Effect, NodeKind, World

TABLES = load_tables()
ALL_THREATS = tuple(TABLES["threats"]["threat"])
WIND_AND_WATER = ("storm", "flood_landslide", "power_shortage")


def scenario(**changes) -> ScenarioSpec:
    parts = {
        "name": "case", "title": "t", "question": "q", "start_date": date(2024, 9, 5),
        "horizon_days": 30, "threats": WIND_AND_WATER, "sources": ("s",),
        "injects": (InjectSpec(place="22", threat="storm", severity=3, day=2.0),),
    }  # fmt: skip
    return ScenarioSpec(**(parts | changes))


def study(**changes) -> Study:
    parts = {
        "scenario": scenario(),
        "network": NetworkSpec(name="n"),
        "threat": ThreatSpec(name="t"),
        "resources": ResourcesSpec(name="r"),
        "preparation": PreparationSpec(name="p", budget_bn_vnd=0.0),
        "mechanism": MechanismSpec(name="m"),
        "measure": MeasureSpec(name="x"),
        "fund": FundSpec(name="f"),
        "information": InformationSpec(
            name="i", lag_days=0.5, reported_share=((0.0, 1.0),), source="s"
        ),
        "policies": {"do_nothing": PolicySpec()},
        "engine": EngineSpec(name="simpy"),
        "solver": SolverSpec(name="highs"),
    }
    return Study(**(parts | changes))


def build(of: ScenarioSpec | None = None, **changes) -> World:
    return build_world(study(**changes), of or scenario(), TABLES)


@pytest.fixture(scope="module")
def world() -> World:
    return build()


@pytest.fixture(scope="module")
def everything() -> World:
    return build(scenario(threats=ALL_THREATS, random_events=ALL_THREATS))


def cell(world: World, node: str, threat: str) -> int:
    return int(world.cells.of[world.nodes.index[node], world.threats.index[threat]])


# --- shape -----------------------------------------------------------------------------------


def test_nodes_are_provinces_then_border_localities_then_agencies(world):
    nodes = world.nodes
    assert (nodes.n_provinces, nodes.n_places) == (34, 55)
    assert list(nodes.code[:34]) == sorted(nodes.code[:34])
    assert list(nodes.code[34:55]) == sorted(nodes.code[34:55])
    assert set(nodes.kind[55:]) == {NodeKind.AGENCY}
    assert len(nodes.code) == 55 + 18 + 34 * 6 == len(set(nodes.code))
    assert nodes.code[nodes.place[nodes.index["MOF"]]] == "01"
    assert nodes.code[nodes.place[nodes.index["08.people_committee"]]] == "08"
    assert nodes.population[34:].sum() == 0.0


def test_cells_are_only_those_that_can_occur(everything):
    cells, nodes, threats = everything.cells, everything.nodes, everything.threats
    kinds = nodes.kind[cells.node]
    assert (kinds == NodeKind.PROVINCE).sum() == 34 * len(ALL_THREATS)
    at_agencies = {threats.name[t] for t in cells.threat[kinds == NodeKind.AGENCY]}
    abroad = {threats.name[t] for t in cells.threat[kinds == NodeKind.FOREIGN]}
    assert at_agencies == {"cyber_outage"}
    assert abroad == {"animal_disease", "respiratory_epidemic", "dengue", "measles",
                      "online_scam_trafficking"}  # fmt: skip
    order = list(zip(cells.node.tolist(), cells.threat.tolist(), strict=True))
    assert order == sorted(order)
    assert sorted(np.concatenate(cells.at_place)) == list(range(len(cells)))


def test_an_inject_abroad_makes_its_cell():
    inject = InjectSpec(place="CN-GX", threat="flood_landslide", severity=2, day=1.0)
    flooded = build(scenario(injects=(inject,)))
    source = cell(flooded, "CN-GX", "flood_landslide")
    downstream = {
        flooded.nodes.code[flooded.cells.node[c]]
        for c in flooded.links.target[flooded.links.out[source]]
    }
    assert downstream == {"04"}


def test_arrays_cannot_be_written(everything):
    def arrays(part):
        if isinstance(part, np.ndarray):
            yield part
        elif isinstance(part, tuple):
            for item in part:
                yield from arrays(item)
        elif hasattr(part, "__dataclass_fields__"):
            for name in part.__dataclass_fields__:
                yield from arrays(getattr(part, name))

    found = list(arrays(everything))
    assert len(found) > 100
    assert not any(array.flags.writeable for array in found)


def test_building_takes_less_than_150_ms():
    took = []
    for _ in range(3):
        begin = time.perf_counter()
        build(scenario(threats=ALL_THREATS))
        took.append(time.perf_counter() - begin)
    assert min(took) < 0.150


# --- hand-worked numbers ---------------------------------------------------------------------


def test_quang_ninh_under_a_storm_of_severity_3(world):
    at = cell(world, "22", "storm")
    people = 1_429_841 * 0.3
    assert world.cells.exposed[at, 2] == pytest.approx(people)
    assert world.cells.harm_rate[at, 2] == pytest.approx(people / 1000 * 0.5638)
    need = dict(zip(world.resources.name, world.cells.requirement[at, 2], strict=True))
    assert need["rescue_team"] == pytest.approx(people / 1e5 * 60)
    assert need["family_kit"] == pytest.approx(people / 1e5 * 95)
    assert need["boat_crew"] == 0.0


def test_an_agency_needs_teams_per_node_and_no_people_are_counted(everything):
    at = cell(everything, "MOF", "cyber_outage")
    need = dict(zip(everything.resources.name, everything.cells.requirement[at, 2], strict=True))
    assert (need["cert_team"], need["case_desk"]) == (8.0, 4.0)
    assert everything.cells.exposed[at].sum() == everything.cells.harm_rate[at].sum() == 0.0
    assert everything.nodes.code[everything.cells.place[at]] == "01"


def test_abroad_nothing_is_ours_to_serve(everything):
    foreign = everything.nodes.kind[everything.cells.node] == NodeKind.FOREIGN
    assert foreign.any()
    for array in (everything.cells.exposed, everything.cells.requirement):
        assert array[foreign].sum() == 0.0


def test_dynamics_of_a_flood(world):
    flood = world.threats.index["flood_landslide"]
    assert world.threats.stay_days[flood].tolist() == [3.0, 6.0, 8.0]
    assert world.threats.escalation_days[flood].tolist() == [6.0, 10.0, np.inf]
    storm = world.threats.index["storm"]
    assert np.isinf(world.threats.escalation_days[storm]).all()


def test_links_of_a_storm_in_quang_ninh(world):
    out = world.links.out[cell(world, "22", "storm")]
    reached = {
        (world.threats.name[world.cells.threat[world.links.target[i]]], world.links.layer[i]):
        (world.links.probability[i], world.links.lag_days[i])
        for i in out
    }  # fmt: skip
    assert reached == {
        ("flood_landslide", "self"): (0.5, 0.5),
        ("power_shortage", "self"): (0.6, 0.25),
    }


def test_links_are_ordered_and_listed_by_source(everything):
    links = everything.links
    keys = list(zip(links.source.tolist(), links.target.tolist(), links.layer, strict=True))
    assert keys == sorted(keys)
    assert len(keys) == len(set(keys))
    for source in (0, 5, len(everything.cells) - 1):
        assert links.out[source].tolist() == np.flatnonzero(links.source == source).tolist()
    assert sum(map(len, links.out)) == len(links)


def test_land_weight_is_the_share_of_the_longest_border(world):
    source, target, weight = make_layers(TABLES, world.nodes, NetworkSpec(name="n"))["land"]
    from_ha_noi = {
        world.nodes.code[t]: w
        for s, t, w in zip(source, target, weight, strict=True)
        if world.nodes.code[s] == "01"
    }
    assert from_ha_noi["25"] == 1.0
    assert from_ha_noi["19"] == pytest.approx(17.0 / 236.0)


def test_transport_weight_is_gravity_as_a_share_of_the_strongest_flow(world):
    source, target, weight = make_layers(TABLES, world.nodes, NetworkSpec(name="n"))["transport"]
    ninh_binh = source == world.nodes.index["37"]
    assert weight[ninh_binh].max() == 1.0
    people = world.nodes.population
    a, b = world.nodes.index["01"], world.nodes.index["33"]
    found = {int(t): w for t, w in zip(target[ninh_binh], weight[ninh_binh], strict=True)}
    apart = {
        a: (21.032 - 20.2629, 105.8504 - 105.9557),
        b: (20.6634 - 20.2629, 106.0683 - 105.9557),
    }

    def km(north, east):  # flat earth, good to 1 % here
        return 111.2 * np.hypot(north, east * np.cos(np.radians(20.6)))

    expected = people[a] / km(*apart[a]) ** 2 / (people[b] / max(km(*apart[b]), 50.0) ** 2)
    assert found[a] / found[b] == pytest.approx(expected, rel=0.02)


def test_river_pairs_are_counted_once_and_the_sea_is_left_out(world):
    source, target, weight = make_layers(TABLES, world.nodes, NetworkSpec(name="n"))["river"]
    pairs = set(zip(source.tolist(), target.tolist(), strict=True))
    assert len(pairs) == len(source)
    assert set(weight) == {1.0}
    ends = ("04", "08"), ("08", "04"), ("40", "42"), ("42", "40")
    for a, b in ends:  # known two-way reaches stay as they are in the table
        assert (world.nodes.index[a], world.nodes.index[b]) in pairs


def test_roads_skip_borders_in_water(world):
    a, b = world.nodes.index["79"], world.nodes.index["82"]
    water = TABLES["adjacency"].query("water_only")
    assert set(zip(water["from_code"], water["to_code"], strict=True)) == {
        ("79", "82"),
        ("82", "79"),
    }
    assert world.roads.leg_km[a, b] == 0.0
    assert world.roads.leg_km[world.nodes.index["01"], world.nodes.index["25"]] == 57.1
    assert world.roads.speed_share.tolist() == [1.0, 0.7, 0.4, 0.15]


def test_border_disease_reaches_lao_cai_from_yunnan(everything):
    out = everything.links.out[cell(everything, "CN-YN", "animal_disease")]
    chance = {
        everything.nodes.code[everything.cells.node[everything.links.target[i]]]:
        everything.links.probability[i]
        for i in out
    }  # fmt: skip
    assert set(chance) == {"08", "11", "12", "15"}
    assert chance["08"] == pytest.approx(0.3)  # 230 km, the longest
    assert chance["15"] == pytest.approx(0.3 * 162 / 230)


def test_an_outage_at_the_people_committee_reaches_its_own_province_only(everything):
    out = everything.links.out[cell(everything, "08.people_committee", "cyber_outage")]
    hit = {everything.nodes.code[everything.cells.node[everything.links.target[i]]] for i in out}
    assert hit == {"08", "08.police", "08.health", "08.agriculture_environment", "08.finance",
                   "08.military", "GO"}  # fmt: skip


# --- response --------------------------------------------------------------------------------


def test_mechanisms_have_their_effects_desks_and_funds(world):
    by_name = {mechanism.name: mechanism for mechanism in world.mechanisms}
    effects = {name: mechanism.effect for name, mechanism in by_name.items()}
    assert "local_on_spot" not in by_name
    assert effects["civil_defence_level"] is Effect.GATE
    assert effects["mutual_aid"] is Effect.TRANSFER
    assert effects["military"] is Effect.GOODS
    assert by_name["mutual_aid"].donor_share == 0.3
    assert by_name["reserve_fund"].trigger.after_fund == "local_contingency"
    assert by_name["central_contingency"].ceiling_bn_vnd == 500.0
    assert (by_name["requisition"].trigger.declared_level, by_name["intl_aid"].fund_kind) == (
        2,
        None,
    )
    assert not by_name["cat_ddo"].enabled
    desks = [world.desks[d].name for d in by_name["framework_contract"].desk[:3]]
    assert desks == ["provincial_chair.01", "provincial_chair.04", "provincial_chair.08"]
    assert {world.desks[d].name for d in by_name["military"].desk} == {"MOD"}


def test_authority_from_memory_is_not_checked(world):
    checked = {mechanism.name: mechanism.checked for mechanism in world.mechanisms}
    assert not checked["requisition"]
    assert not checked["civil_defence_level"]
    assert checked["national_reserve"]


def test_levels_are_signed_by_commune_province_and_prime_minister(world):
    tuyen_quang = world.nodes.index["08"]
    names = [world.desks[d].name for d in world.level_desks[tuyen_quang]]
    assert names == ["commune_chair.08", "provincial_chair.08", "PM"]
    chair = world.desks[world.level_desks[tuyen_quang, 1]]
    assert world.nodes.code[chair.host] == "08.people_committee"
    assert world.desks[chair.up].name == "PM"
    assert np.isinf(world.desks[world.level_desks[0, 2]].delegation_bn_vnd)


def test_prices_and_ceilings_of_supplies(world):
    def supply(mechanism, resource):
        found = world.mechanisms[world.mechanism_index[mechanism]].supplies
        return next(s for s in found if s.resource == world.resources.index[resource])

    requisition = supply("requisition", "boat_crew")
    assert requisition.unit_cost_bn_vnd == pytest.approx(1.5 * 0.002 * 30)
    boats = world.resources.stock[:, world.resources.index["boat_crew"]]
    assert requisition.place_ceiling.tolist() == (boats * 0.5).tolist()
    reserve = supply("national_reserve", "rice_t")
    hubs = {world.nodes.code[p]: units for p, units in reserve.hub_stock.items()}
    assert hubs == {"01": 20000.0, "48": 20000.0, "79": 20000.0, "92": 20000.0}
    assert (reserve.ceiling, reserve.scope) == (2000.0, "decision")
    assert supply("framework_contract", "rice_t").unit_cost_bn_vnd == pytest.approx(0.012)
    assert supply("military", "rescue_team").hub_stock == {}


def test_accounts_open_with_a_twentieth_of_the_contingency(world):
    for place in range(world.nodes.n_provinces):
        account = world.funds[world.account_of[place]].balance_bn_vnd
        contingency = world.funds[world.fund_index["local_contingency", place]].balance_bn_vnd
        assert account == pytest.approx(contingency * 0.05, abs=0.051)
    assert ("ministry_budget", None) in world.fund_index


# --- the study's factors ---------------------------------------------------------------------


def test_stock_factors_and_own_stocks():
    resources = ResourcesSpec(
        name="r", stock_factor=0.5, stock_factors={"rice_t": 2.0},
        stocks_units={"Tuyên Quang": {"boat_crew": 7.0}},
    )  # fmt: skip
    plain, changed = build().resources, build(resources=resources).resources
    rice, teams, boats = (plain.index[r] for r in ("rice_t", "rescue_team", "boat_crew"))
    assert changed.stock[:, rice].tolist() == plain.stock[:, rice].tolist()
    assert changed.stock[:, teams].tolist() == np.floor(plain.stock[:, teams] * 0.5).tolist()
    assert changed.stock[2, boats] == 7.0


def test_factors_of_threats_network_mechanisms_and_measures():
    plain = build()
    changed = build(
        threat=ThreatSpec(
            name="t", harm_weight_factor=2.0, stay_factor=3.0, requirement_factor=0.5,
            transmission_factor=10.0, distribution="fixed",
        ),
        network=NetworkSpec(name="n", river_weight=0.0, road_slowdown=False, detour_factor=2.0),
        mechanism=MechanismSpec(
            name="m", lead_factor=2.0, approval_factor=3.0, desk_servers={"MOD": 9},
            changes={
                "military": {"ceiling_factor": 0.5, "unit_cost_factor": 4.0},
                "requisition": {"enabled": False, "min_declared_level": 3},
                "mutual_aid": {"donor_share": 0.8, "handover_lead_days": 1.0},
            },
        ),
        measure=MeasureSpec(
            name="x", hit_share={"flood_landslide": 0.6}, onset_share={"storm": 0.7},
            reporting_lag_factor=0.5, approval_factor=0.5, ready_day=4.0,
        ),
        fund=FundSpec(
            name="f", balance_factor=0.5, balance_factors={"central_contingency": 2.0},
            balances_bn_vnd={"HCMC": {"account": 3.0}}, closes_on=date(2024, 9, 15),
            earmarks={"fatherland_front": ("fatherland_front",)},
        ),
    )  # fmt: skip
    assert np.allclose(changed.cells.harm_rate, 2.0 * plain.cells.harm_rate)
    assert np.allclose(changed.cells.requirement, 0.5 * plain.cells.requirement)
    assert np.allclose(changed.threats.stay_days, 3.0 * plain.threats.stay_days)
    assert "river" not in changed.links.layer
    assert changed.links.probability.max() == 1.0
    assert set(changed.links.distribution) == {"fixed"}
    assert changed.roads.speed_share.tolist() == [1.0] * 4
    assert changed.roads.detour_factor == 2.0
    military, before = (w.mechanisms[w.mechanism_index["military"]] for w in (changed, plain))
    assert military.handover_days == 2.0 * before.handover_days
    assert military.supplies[0].ceiling == before.supplies[0].ceiling * 0.5
    assert military.supplies[0].unit_cost_bn_vnd == before.supplies[0].unit_cost_bn_vnd * 4.0
    mod = changed.desks[military.desk[0]]
    assert (mod.servers, mod.approval_days) == (9, pytest.approx(0.1 * 3.0))
    requisition = changed.mechanisms[changed.mechanism_index["requisition"]]
    assert (requisition.enabled, requisition.trigger.declared_level) == (False, 3)
    aid = changed.mechanisms[changed.mechanism_index["mutual_aid"]]
    assert (aid.donor_share, aid.handover_days) == (0.8, 2.0)
    flood = changed.threats.index["flood_landslide"]
    assert set(changed.cells.protection[changed.cells.threat == flood]) == {0.6}
    assert changed.hazard.onset_share[changed.threats.index["storm"]] == 0.7
    made = changed.measure
    assert (made.ready_day, made.lag_factor, made.approval_factor) == (4.0, 0.5, 0.5)
    central = changed.funds[changed.fund_index["central_contingency", None]]
    assert (central.balance_bn_vnd, central.closes_day) == (8000.0, 10.0)
    hcmc = changed.nodes.index["79"]
    assert changed.funds[changed.fund_index["account", hcmc]].balance_bn_vnd == 3.0
    front = changed.funds[changed.fund_index["fatherland_front", None]]
    assert front.earmark == {"fatherland_front"}


def test_warnings_come_from_the_table_unless_the_scenario_says_otherwise():
    storm = build().threats.index["storm"]
    assert build().hazard.warning_days[storm] == 2.0
    assert build(scenario(warning_days={"storm": 4.0})).hazard.warning_days[storm] == 4.0


# --- preparation -----------------------------------------------------------------------------


def test_without_money_for_it_nothing_can_be_prepared():
    assert build().terms.budget_bn_vnd == 0.0
    assert build().prepared is None


def test_terms_of_preparation_are_the_planners_with_resources_by_number():
    donors = MoneySourceSpec(amount_bn_vnd=3.0, resources=("rice_t",))
    world = build(preparation=preparation(
        sources={"state": MoneySourceSpec(amount_bn_vnd=5.0), "donors": donors},
        depot_cost_bn_vnd=0.5, depot_capacity_tonnes=40.0, tonnes_per_unit={"rice_t": 1.0},
        post_share=0.25, place_share_at_most=0.4, resource_share_at_least={"boat_crew": 0.1},
        resource_share_at_most={"rice_t": 0.6},
    ))  # fmt: skip
    rice, boats, terms = *(world.resources.index[r] for r in ("rice_t", "boat_crew")), world.terms
    told = [(source.name, source.amount_bn_vnd, source.resources) for source in terms.sources]
    assert told == [("state", 5.0, None), ("donors", 3.0, {rice})]
    assert (terms.budget_bn_vnd, terms.depot_cost_bn_vnd) == (8.0, 0.5)
    assert (terms.depot_capacity_tonnes, terms.tonnes_per_unit) == (40.0, {rice: 1.0})
    assert (terms.post_share, terms.place_share_at_most) == (0.25, 0.4)
    assert (terms.resource_share_at_least, terms.resource_share_at_most) == (
        {boats: 0.1},
        {rice: 0.6},
    )


def test_a_mechanism_to_be_made_ready_is_not_enabled_until_then():
    fee = MechanismChange(readiness_cost_bn_vnd=7.0)
    off = MechanismChange(readiness_cost_bn_vnd=7.0, enabled=False)
    for change, expected in ((fee, (False, 7.0)), (off, (False, 0.0)), (None, (True, 0.0))):
        changes = {} if change is None else {"framework_contract": change}
        world = build(mechanism=MechanismSpec(name="m", changes=changes))
        made = world.mechanisms[world.mechanism_index["framework_contract"]]
        assert (made.enabled, made.readiness_cost_bn_vnd) == expected


def test_the_shipped_fee_is_two_per_cent_of_the_ceilings():
    path = config_root() / "mechanism" / "agreements_needed.yaml"
    (contract,) = yaml.safe_load(path.read_text(encoding="utf-8"))["changes"].values()
    world = build()
    supplies = world.mechanisms[world.mechanism_index["framework_contract"]].supplies
    assert {supply.scope for supply in supplies} == {"place"}
    value = sum(34 * supply.ceiling * supply.unit_cost_bn_vnd for supply in supplies)
    assert contract["readiness_cost_bn_vnd"] == pytest.approx(0.02 * value, abs=0.05)


# --- refusals --------------------------------------------------------------------------------


def inject(**changes):
    parts = {"place": "22", "threat": "storm", "severity": 1, "day": 1.0}
    return InjectSpec(**(parts | changes))


def preparation(**changes):
    return PreparationSpec(
        **({"name": "p"} | ({} if "sources" in changes else {"budget_bn_vnd": 1.0}) | changes)
    )


REFUSED = [
    ({"scenario": scenario(threats=("stom",), injects=(inject(threat="stom"),))},
     "unknown threat 'stom'; did you mean storm?"),
    ({"scenario": scenario(injects=(inject(place="Tuyen Qang"),))},
     "unknown place 'Tuyen Qang'; did you mean Tuyên Quang (08)?"),
    ({"scenario": scenario(injects=(inject(place="Atlantis"),))},
     "unknown place 'Atlantis'; places.csv lists names and codes"),
    ({"scenario": scenario(injects=(inject(day=30.0),))},
     "day 30 is not before the horizon (30 days)"),
    ({"scenario": scenario(injects=(inject(threat="dengue"),))},
     "unknown threat of this scenario 'dengue'; known: flood_landslide"),
    ({"scenario": scenario(injects=(inject(place="MOF"),))},
     "'storm' cannot hit agency MOF; only what slows desks can"),
    ({"scenario": scenario(injects=())}, "nothing can happen"),
    ({"scenario": scenario(injects=(inject(place="KH-7"),))},
     "storm cannot leave Kampot: no layer leads from there"),
    ({"scenario": scenario(random_events=("storms",))},
     "unknown threat of this scenario 'storms'; did you mean storm?"),
    ({"scenario": scenario(warning_days={"strom": 1.0})}, "'strom'; did you mean storm?"),
    ({"resources": ResourcesSpec(name="r", stock_factors={"rice": 2.0})},
     "unknown resource 'rice'; did you mean rice_t?"),
    ({"resources": ResourcesSpec(name="r", stocks_units={"Da Nag": {"boats": 2.0}})},
     "unknown place 'Da Nag'; did you mean Đà Nẵng (48)?"),
    ({"mechanism": MechanismSpec(name="m", changes={"militery": {}})},
     "unknown mechanism 'militery'; did you mean military?"),
    ({"mechanism": MechanismSpec(name="m", desk_servers={"MOOD": 2})}, "did you mean MOD?"),
    ({"fund": FundSpec(name="f", balance_factors={"reserv_fund": 2.0})},
     "unknown fund 'reserv_fund'; did you mean reserve_fund?"),
    ({"fund": FundSpec(name="f", balances_bn_vnd={"CENTRL": {"account": 1.0}})},
     "unknown place 'CENTRL'"),
    ({"fund": FundSpec(name="f", earmarks={"account": ("requisitoin",)})},
     "unknown mechanism 'requisitoin'; did you mean requisition?"),
    ({"fund": FundSpec(name="f", earmarks={"account": ("requisition",)})},
     "'account' leaves out framework_contract, which charges it; add it or disable"),
    ({"fund": FundSpec(name="f", closes_on=date(2024, 1, 1))}, "is before the scenario starts"),
    ({"measure": MeasureSpec(name="x", hit_share={"cyber": 0.5})}, "did you mean cyber_outage?"),
    ({"preparation": preparation(tonnes_per_unit={"boat_crew": 1.0})},
     "unknown supply 'boat_crew'; known: disinfectant_t"),
    ({"preparation": preparation(resource_share_at_least={"boat_crw": 0.5})},
     "unknown resource 'boat_crw'; did you mean boat_crew?"),
    ({"preparation": preparation(sources={"d": MoneySourceSpec(
        amount_bn_vnd=1.0, resources=("ryce_t",))})},
     "unknown resource 'ryce_t'; did you mean rice_t?"),
    ({"mechanism": MechanismSpec(name="m", changes={
        "framework_contract": MechanismChange(readiness_cost_bn_vnd=1.0)}),
      "fund": FundSpec(name="f", earmarks={"account": ("requisition",)})},
     "'account' leaves out framework_contract, which charges it; add it or disable"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "sentence"), REFUSED)
def test_a_wrong_study_gets_its_sentence(changes, sentence):
    of = changes.pop("scenario", scenario()) if "scenario" in changes else scenario()
    with pytest.raises(InvalidInput, match="problem") as caught:
        build(of, **changes)
    assert sentence in str(caught.value)


def test_all_problems_of_a_study_are_told_at_once():
    with pytest.raises(InvalidInput) as caught:
        build(
            scenario(injects=(inject(place="Tuyen Qang", day=99.0),)),
            resources=ResourcesSpec(name="r", stock_factors={"rice": 2.0}),
            measure=MeasureSpec(name="x", onset_share={"floods": 0.1}),
        )
    assert len(caught.value.problems) == 4


# --- rules of the world: each must be able to fail ---------------------------------------------


def broken(world: World, part: str, **changes) -> World:
    return replace(world, **{part: replace(getattr(world, part), **changes)})


def without_roads(world, code):
    left = np.arange(world.nodes.n_provinces) != world.nodes.index[code]
    km = csr_array(world.roads.leg_km.toarray() * np.outer(left, left))
    return broken(world, "roads", leg_km=km)


def one_way(world):
    km = world.roads.leg_km.toarray()
    km[0, world.nodes.index["25"]] = 1.0
    return broken(world, "roads", leg_km=csr_array(km))


def mechanism_with(world, name, **changes):
    made = tuple(replace(m, **changes) if m.name == name else m for m in world.mechanisms)
    return replace(world, mechanisms=made)


def desk_with(world, name, **changes):
    return replace(
        world, desks=tuple(replace(d, **changes) if d.name == name else d for d in world.desks)
    )


def index_of_desk(world, name):
    return next(i for i, desk in enumerate(world.desks) if desk.name == name)


BROKEN = [
    (checks.roads_in_one_piece, lambda w: without_roads(w, "96"), "no road joins Cà Mau (96)"),
    (checks.roads_both_ways, one_way, "01 → 25 and 25 → 01 differ"),
    (checks.speeds_fall, lambda w: broken(w, "roads", speed_share=np.array([1, 0.4, 0.7, 0.1])),
     "must fall from 1 and stay above 0"),
    (checks.links_are_chances, lambda w: broken(w, "links", lag_days=w.links.lag_days * 0),
     "no effect is instant"),
    (checks.repeats_take_time,
     lambda w: broken(w, "links", repeats=np.ones(len(w.links), bool)), "must also stop"),
    (checks.stays_end, lambda w: broken(w, "threats", stay_days=w.threats.stay_days * 0),
     "storm needs natural_stay_days above 0"),
    (checks.effects_are_shares,
     lambda w: broken(w, "threats", relief_effect=w.threats.relief_effect + 1.0),
     "storm: relief_effect 1.3 is not in 0 to 1"),
    (checks.exposure_rises, lambda w: broken(w, "cells", exposed=w.cells.exposed[:, ::-1]),
     "fewer people exposed at a higher severity"),
    (checks.incidents_require_help,
     lambda w: broken(w, "cells", requirement=w.cells.requirement * 0), "requires nothing"),
    (checks.ramps_rise, lambda w: mechanism_with(w, "military", ramp=((0, 0.5), (1, 1.5))),
     "military: shares must rise and end at or below 1"),
    (checks.desks_end, lambda w: desk_with(w, "PM", delegation_bn_vnd=5.0),
     "nobody above PM signs more than 5 bn VND"),
    (checks.desks_end, lambda w: desk_with(w, "PM", up=index_of_desk(w, "MOF")),
     "runs in a circle"),
    (checks.funds_exist, lambda w: mechanism_with(w, "police", fund_kind="purse"),
     "police charges fund 'purse', which the centre does not have"),
    (checks.funds_exist, lambda w: mechanism_with(w, "police", fund_kind=None),
     "police costs money and names no fund"),
    (checks.accounts_everywhere,
     lambda w: replace(w, funds=tuple(f for f in w.funds if f.name != "account.08")),
     "08 has no row 'account'"),
    (checks.goods_have_supplies, lambda w: mechanism_with(w, "police", supplies=()),
     "police creates nothing"),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "spoil", "sentence"), BROKEN)
def test_each_rule_holds_for_the_shipped_world_and_notices_a_fault(world, rule, spoil, sentence):
    assert list(rule(world)) == []
    assert any(sentence in problem.what for problem in rule(spoil(world)))


def test_rules_of_random_events_notice_faults(everything):
    assert list(checks.events_can_happen(everything)) == []
    first = everything.hazard.events[0]
    for change in (
        {"severity_probability": np.array([0.5, 0.2, 0.1])},
        {"size_mean": 0.5},
        {"month_rate": np.zeros(12)},
    ):
        hazard = replace(everything.hazard, events=(replace(first, **change),))
        assert list(checks.events_can_happen(replace(everything, hazard=hazard)))


def test_every_rule_is_run():
    rules = {
        name for name, f in vars(checks).items() if callable(f) and f.__module__ == checks.__name__
    }
    private = {name for name in rules if name.startswith("_")} | {"world_problems"}
    assert rules - private == {rule.__name__ for rule in checks.RULES}


@given(st.data())
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_a_mutated_number_builds_or_is_told(tmp_path, data):
    """A cell replaced, or a row left out, in any table: a world or a list of problems."""
    name = data.draw(st.sampled_from(sorted(COLUMNS)))
    with (DATA / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        header, *rows = list(csv.reader(file))
    row = data.draw(st.integers(0, len(rows) - 1))
    if data.draw(st.booleans()):
        del rows[row]
    else:
        column = data.draw(st.integers(0, len(header) - 3))
        rows[row][column] = data.draw(
            st.sampled_from(["0", "1", "0.5", "1000000", "", "true", "01", "MOD", "account", "hub"])
        )
    for old in tmp_path.iterdir():
        old.unlink()
    with (tmp_path / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    of = scenario(threats=ALL_THREATS, random_events=ALL_THREATS)
    try:
        world = build_world(study(), of, load_tables(tmp_path))
    except InvalidInput as error:
        assert error.problems
    else:
        assert np.isfinite(world.cells.requirement).all()
        assert np.isfinite(world.links.probability).all()


# --- graph -----------------------------------------------------------------------------------


def test_the_graph_has_every_node_road_and_layer(everything):
    graph = to_networkx(everything)
    assert len(graph) == len(everything.nodes.code)
    roads = nx.MultiDiGraph((a, b) for a, b, key in graph.edges(keys=True) if key == "road")
    assert roads.number_of_edges() == everything.roads.leg_km.nnz == 114
    assert nx.is_strongly_connected(roads)
    layers = {key for *_, key in graph.edges(keys=True)}
    assert layers == {"road", "self", "land", "river", "transport", "border", "digital"}
    assert graph.nodes["CN-YN"]["kind"] == "foreign"


# --- metamorphic -----------------------------------------------------------------------------


def test_the_order_in_which_threats_are_written_does_not_matter():
    a, b = build(), build(scenario(threats=WIND_AND_WATER[::-1]))
    assert a.threats.name == b.threats.name
    assert np.array_equal(a.cells.requirement, b.cells.requirement)
    assert np.array_equal(a.links.probability, b.links.probability)
