"""What a planner may write: the study and its parts.

Pydantic decides: models are frozen, unknown keys are refused, numbers are strict and finite. Each
field says its unit in its name and its meaning in its description. `load.py` is the only gate from
composed configuration to a `Study`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from ipaddress import ip_address
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    PlainValidator,
    Tag,
    model_validator,
)
from pydantic_core import PydanticCustomError, PydanticKnownError

from nts_sim.words import say

Share = Annotated[float, Field(ge=0.0, le=1.0)]
Positive = Annotated[float, Field(gt=0.0, le=1e9)]
NonNegative = Annotated[float, Field(ge=0.0, le=1e9)]
Factor = Annotated[float, Field(ge=0.0, le=1000.0)]
Severity = Annotated[int, Field(ge=1, le=3)]
Slug = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,59}$")]
Slugs = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,59}(\+[a-z][a-z0-9_]{0,59})*$")]
Text = Annotated[str, Field(max_length=2000)]

_SCHEDULER = re.compile(r"(tcp|tls)://([A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\]):\d{1,5}")


def _only_dates(value: object) -> object:
    """Refuse bare numbers, which pydantic would read as seconds since 1970."""
    if isinstance(value, date | str):
        return value
    raise ValueError(say("said.spec.date_type", given=repr(value)))


Day = Annotated[date, Field(strict=False), BeforeValidator(_only_dates)]


class Spec(BaseModel):
    """Base of every part of a study."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, validate_default=True
    )


class InjectSpec(Spec):
    """A scripted onset."""

    place: str = Field(description="code or name of a province, border locality or agency")
    threat: str = Field(description="threat that starts there")
    severity: Severity = Field(description="1 commune, 2 province, 3 national level")
    day: NonNegative = Field(description="days after the start of the scenario")
    probability: Share = Field(1.0, description="chance that it happens at all")


class ScenarioTexts(Spec):
    """Texts of a scenario in another language; those left out are shown as they were written."""

    title: Text | None = None
    question: Text | None = None
    sources: Annotated[tuple[Text, ...], Field(strict=False)] = ()
    assumptions: Annotated[tuple[Text, ...], Field(strict=False)] = ()


class MeasureTexts(Spec):
    """Texts of a prevention measure in another language."""

    title: Text | None = None


class InformationTexts(Spec):
    """Texts of what decision makers see in another language."""

    source: Text | None = None


def _told_in_full(texts: ScenarioTexts | None, own: Mapping[str, Sequence[str]]) -> None:
    """Refuse a translation that leaves out some of the sources or assumptions."""
    for name, written in own.items():
        told = getattr(texts, name, ())
        if told and len(told) != len(written):
            raise ValueError(
                say("error.texts", name=name, written=len(written), translated=len(told))
            )


class ScenarioSpec(Spec):
    """A named future, or a weighted set of them."""

    name: Slug
    title: Text
    question: Text = Field(description="what the planner asks")
    start_date: Day = Field(description="day 0")
    horizon_days: Annotated[int, Field(ge=1, le=1100)]
    epoch_every_days: Annotated[int, Field(ge=1, le=60)] = Field(
        1, description="days between decisions"
    )
    threats: Annotated[tuple[str, ...], Field(min_length=1, strict=False)] = Field(
        description="threats that can occur, spread to or from"
    )
    injects: Annotated[tuple[InjectSpec, ...], Field(strict=False)] = ()
    random_events: Annotated[tuple[str, ...], Field(strict=False)] = Field(
        (), description="threats whose events are drawn from the hazard calendar"
    )
    warning_days: dict[str, NonNegative] = Field(
        default_factory=dict, description="days ahead that an onset is forewarned, by threat"
    )
    sources: Annotated[tuple[Text, ...], Field(min_length=1, strict=False)]
    assumptions: Annotated[tuple[Text, ...], Field(strict=False)] = ()
    vi: ScenarioTexts | None = Field(None, description="the same texts in Vietnamese")

    @model_validator(mode="after")
    def _translated_in_full(self) -> ScenarioSpec:
        _told_in_full(self.vi, {"sources": self.sources, "assumptions": self.assumptions})
        return self


class ScenarioSetSpec(Spec):
    """Named scenarios with weights that sum to 1; one plan is made for the set."""

    name: Slug
    title: Text
    question: Text
    weights: Annotated[dict[str, Share], Field(min_length=1)] = Field(
        description="weight of each member scenario"
    )
    sources: Annotated[tuple[Text, ...], Field(min_length=1, strict=False)]
    assumptions: Annotated[tuple[Text, ...], Field(strict=False)] = ()
    vi: ScenarioTexts | None = Field(None, description="the same texts in Vietnamese")

    @model_validator(mode="after")
    def _translated_in_full(self) -> ScenarioSetSpec:
        _told_in_full(self.vi, {"sources": self.sources, "assumptions": self.assumptions})
        return self

    @model_validator(mode="after")
    def _weights_sum_to_one(self) -> ScenarioSetSpec:
        total = sum(self.weights.values())
        if abs(total - 1.0) > 1e-9:
            raise ValueError(say("said.spec.weights", total=f"{total:g}"))
        return self


def _one_or_set(scenario: object) -> str:
    """Tell a scenario set, which has weights, from one scenario."""
    has_weights = isinstance(scenario, ScenarioSetSpec) or (
        isinstance(scenario, dict) and "weights" in scenario
    )
    return "set" if has_weights else "one"


OneOrSet = Annotated[
    Annotated[ScenarioSpec, Tag("one")] | Annotated[ScenarioSetSpec, Tag("set")],
    Discriminator(_one_or_set),
]


class NetworkSpec(Spec):
    """Places, agencies and roads."""

    name: Slug
    road_speed_km_per_day: Positive | None = Field(None, description="None: the table's value")
    detour_factor: Annotated[float, Field(ge=1.0, le=10.0)] | None = None
    road_slowdown: bool = Field(True, description="storms and floods slow convoys")
    river_weight: Share = 1.0
    land_weight: Share = 1.0
    digital_weight: Share = 1.0
    border_weight: Share = 1.0
    transport_weight: Share = Field(1.0, description="multiplies mobility between provinces")


class ThreatSpec(Spec):
    """How threats behave, relative to the tables."""

    name: Slug
    harm_weight_factor: Factor = Field(1.0, description="multiplies harm per person-day (swept)")
    transmission_factor: Factor = 1.0
    stay_factor: Annotated[float, Field(gt=0.0, le=100.0)] = 1.0
    requirement_factor: Factor = 1.0
    distribution: Literal["exponential", "fixed"] = Field(
        "exponential", description="law of stays, escalations and spread lags"
    )


class ResourcesSpec(Spec):
    """What is held where on day 0, relative to the tables."""

    name: Slug
    stock_factor: Factor = 1.0
    stock_factors: dict[str, Factor] = Field(
        default_factory=dict, description="further factor by resource"
    )
    stocks_units: dict[str, dict[str, NonNegative]] = Field(
        default_factory=dict, description="province → resource → units; replaces the table"
    )
    idle_return_days: NonNegative = 3.0


class MoneySourceSpec(Spec):
    """Money for use before day 0 that one payer gives."""

    amount_bn_vnd: NonNegative
    resources: Annotated[tuple[str, ...], Field(strict=False)] = Field(
        (), description="resources it may pay for; none named: anything, depots and fees too"
    )


class PreparationSpec(Spec):
    """What may be done before day 0: buy, post units elsewhere, open depots, make ready."""

    name: Slug
    budget_bn_vnd: NonNegative | None = Field(
        None, description="money for use before day 0; None: the sum of the sources"
    )
    sources: Annotated[dict[Slug, MoneySourceSpec], Field(max_length=8)] = Field(
        default_factory=dict, description="earmarked money by payer; none: all money is free"
    )
    depot_cost_bn_vnd: NonNegative = Field(0.0, description="for opening one depot")
    depot_capacity_tonnes: NonNegative = Field(
        0.0, description="supplies a depot holds, beyond what its place stores without"
    )
    tonnes_per_unit: dict[str, NonNegative] = Field(
        default_factory=dict, description="weight of supplies; those left out need no room"
    )
    post_share: Share = Field(
        0.5, description="most of a place's own stock that may be posted elsewhere"
    )
    place_share_at_most: Share = Field(
        1.0, description="guidance: largest share of the budget for one place"
    )
    resource_share_at_least: dict[str, Share] = Field(
        default_factory=dict, description="guidance: least share of the money spent, by resource"
    )
    resource_share_at_most: dict[str, Share] = Field(
        default_factory=dict, description="guidance: largest share of the money spent, by resource"
    )

    @property
    def money_bn_vnd(self) -> float:
        """All money there is for use before day 0."""
        total = sum(source.amount_bn_vnd for source in self.sources.values())
        return total if self.budget_bn_vnd is None else self.budget_bn_vnd

    @model_validator(mode="after")
    def _sums_agree(self) -> PreparationSpec:
        total = sum(source.amount_bn_vnd for source in self.sources.values())
        if self.budget_bn_vnd is None and not self.sources:
            raise ValueError(say("said.spec.no_budget"))
        budget = total if self.budget_bn_vnd is None else self.budget_bn_vnd
        if self.sources and abs(budget - total) > 1e-6:
            told = say("said.spec.budget_not_sum", budget=f"{budget:g}", total=f"{total:g}")
            raise ValueError(told)
        return self

    @model_validator(mode="after")
    def _guidance_can_be_followed(self) -> PreparationSpec:
        least, most = self.resource_share_at_least, self.resource_share_at_most
        if sum(least.values()) > 1.0 + 1e-9:
            total = f"{sum(least.values()):g}"
            raise ValueError(say("said.spec.shares_above_1", total=total))
        for name in least.keys() & most.keys():
            if least[name] > most[name]:
                least_told, most_told = f"{least[name]:g}", f"{most[name]:g}"
                raise ValueError(
                    say("said.spec.shares_cross", name=name, least=least_told, most=most_told)
                )
        return self


class MechanismChange(Spec):
    """What differs from the table for one mechanism."""

    enabled: bool | None = None
    handover_lead_days: NonNegative | None = None
    ceiling_factor: Factor = 1.0
    unit_cost_factor: Factor = 1.0
    donor_share: Share | None = None
    min_declared_level: Annotated[int, Field(ge=0, le=3)] | None = None
    max_uses: Annotated[int, Field(ge=0, le=100_000)] | None = None
    readiness_cost_bn_vnd: NonNegative = Field(
        0.0, description="fee for making it ready before day 0; 0: it is always ready"
    )


class MechanismSpec(Spec):
    """Ways to mobilise help, their desks and leads, relative to the tables."""

    name: Slug
    lead_factor: Factor = Field(1.0, description="multiplies every handover lead")
    lead_distribution: Literal["lognormal", "exponential", "fixed"] = "lognormal"
    approval_factor: Factor = Field(1.0, description="multiplies every approval time")
    approval_distribution: Literal["lognormal", "exponential", "fixed"] = "lognormal"
    desk_servers: dict[str, Annotated[int, Field(ge=1, le=1000)]] = Field(
        default_factory=dict, description="orders signed at a time, by desk"
    )
    changes: dict[str, MechanismChange] = Field(
        default_factory=dict, description="what differs, by mechanism"
    )


class MeasureSpec(Spec):
    """A prevention measure, or none: what it multiplies, from its ready day on.

    Several taken together are one measure too (`nts_sim.spec.portfolio`); its name is theirs,
    joined by "+".
    """

    name: Slugs
    title: Text = ""
    vi: MeasureTexts | None = Field(None, description="the same texts in Vietnamese")
    cost_bn_vnd: NonNegative = 0.0
    ready_day: NonNegative = Field(0.0, description="day from which it works; nothing before")
    onset_share: dict[str, Share] = Field(
        default_factory=dict, description="share of onsets left, by threat"
    )
    hit_share: dict[str, Share] = Field(
        default_factory=dict, description="share of spread hits that still succeed, by threat"
    )
    reporting_lag_factor: Share = 1.0
    approval_factor: Share = 1.0


class FundSpec(Spec):
    """Money, relative to the tables."""

    name: Slug
    balance_factor: Factor = 1.0
    balance_factors: dict[str, Factor] = Field(
        default_factory=dict, description="further factor by kind of fund"
    )
    balances_bn_vnd: dict[str, dict[str, NonNegative]] = Field(
        default_factory=dict, description="owner (province or CENTRAL) → fund → balance"
    )
    earmarks: dict[str, Annotated[tuple[str, ...], Field(strict=False)]] = Field(
        default_factory=dict, description="kind of fund → the mechanisms that may charge it"
    )
    closes_on: Day | None = Field(None, description="funds lapse after this day")


class InformationSpec(Spec):
    """What decision makers see, and how late."""

    name: Slug
    lag_days: Annotated[float, Field(ge=0.0, le=60.0)]
    detection_days: Annotated[float, Field(ge=0.0, le=60.0)] = Field(
        0.0, description="mean time before an incident is noticed"
    )
    reported_share: Annotated[
        tuple[Annotated[tuple[NonNegative, Share], Field(strict=False)], ...],
        Field(min_length=1, strict=False),
    ] = Field(description="points (age in days, share of exposed people reported)")
    source: Text
    vi: InformationTexts | None = Field(None, description="the same texts in Vietnamese")

    @model_validator(mode="after")
    def _ages_rise(self) -> InformationSpec:
        ages = [age for age, _ in self.reported_share]
        if any(b <= a for a, b in pairwise(ages)):
            raise ValueError(say("said.spec.ages"))
        if any(share <= 0.0 for _, share in self.reported_share):
            raise ValueError(say("said.spec.reported_shares"))
        return self


class PolicySpec(Spec):
    """Settings of one policy; which of them matter is said by the policy."""

    coverage_below: Share | None = Field(
        None, description="threshold: act where coverage is below this share"
    )
    lookahead_days: Annotated[int, Field(ge=1, le=30)] | None = Field(
        None, description="days of need that an order is meant to cover"
    )
    correct_reports: bool | None = Field(
        None, description="divide reported people by the share known to be reported"
    )
    preposition: bool | None = Field(None, description="act on forewarned onsets")
    reoptimise: bool | None = Field(
        None, description="solve again at each epoch (false: keep the first plan)"
    )
    futures: Literal["mean", "mean_path", "classes", "samples"] | None = Field(
        None,
        description="what is planned for: the mean of drawn futures, a mean-field path, classes of "
        "futures alike in harm, or samples of them",
    )
    n_futures: Annotated[int, Field(ge=1, le=512)] | None = Field(
        None, description="futures drawn at each decision"
    )
    n_samples: Annotated[int, Field(ge=1, le=64)] | None = Field(
        None, description="classes or samples made of them"
    )
    risk_weight: Share | None = Field(
        None, description="weight of the worst futures against the mean (lambda of mean_cvar)"
    )
    risk_level: Annotated[float, Field(ge=0.0, lt=1.0)] | None = Field(
        None, description="the worst futures are those beyond this share (alpha of mean_cvar)"
    )
    equity_floor: Share | None = Field(
        None, description="share of each place's need below which a shortfall is priced"
    )
    equity_price: Factor | None = Field(
        None, description="price of a person-day below the floor, in mean worths of a person-day"
    )
    serve_targets: bool | None = Field(
        None, description="tell each place how to split what it has over its incidents"
    )


class EngineSpec(Spec):
    """Which engine runs the world; results are the same to the last bit."""

    name: Literal["auto", "simpy", "compiled"] = Field(
        description="auto: compiled, except for a handful of replications"
    )


class SolverSpec(Spec):
    """Which solver plans, and how long it may take at each decision."""

    name: Literal["highs"]
    time_limit_s: Positive = Field(60.0, description="for one solve; no plan in time is an error")


class PlanSpec(Spec):
    """How much is simulated for a plan (`nts-sim plan`), and to judge it."""

    name: Slug
    draws: Annotated[int, Field(ge=2, le=1000)] = Field(
        12, description="planning draws simulated in each round"
    )
    samples: Annotated[int, Field(ge=1, le=500)] = Field(
        8, description="futures that stand for them in the plan"
    )
    batches: Annotated[int, Field(ge=3, le=50)] = Field(
        4, description="fresh batches of draws by which the plan is judged"
    )
    batch_draws: Annotated[int, Field(ge=1, le=500)] = Field(5, description="draws in each batch")
    detail_samples: Annotated[int, Field(ge=1, le=100)] = Field(
        4, description="classes of futures by which money, days and mechanisms are valued"
    )
    evaluation_draws: Annotated[int, Field(ge=2, le=10_000)] = Field(
        24, description="draws never planned on: what is promised against what is simulated"
    )


class ExecutionSpec(Spec):
    """Where the cells of a sweep are run; results are the same."""

    name: Literal["local", "dask"] = Field(
        description="processes of this machine, or a Dask cluster"
    )
    scheduler: Annotated[str, Field(max_length=200)] | None = Field(
        None, description="address of the cluster's scheduler, as in tcp://127.0.0.1:8786"
    )

    @model_validator(mode="after")
    def _scheduler_can_be_trusted(self) -> ExecutionSpec:
        if self.name == "local":
            if self.scheduler is not None:
                raise ValueError(say("said.spec.local_scheduler"))
            return self
        if self.scheduler is None:
            raise ValueError(say("said.spec.no_scheduler"))
        kind, host = _scheduler_parts(self.scheduler)
        if kind == "tcp" and not _is_this_machine(host):
            raise ValueError(say("said.spec.far_scheduler", scheduler=self.scheduler))
        return self


def _scheduler_parts(address: str) -> tuple[str, str]:
    """Split ``tcp://HOST:PORT`` into its kind and its host."""
    found = _SCHEDULER.fullmatch(address)
    if not found:
        raise ValueError(say("said.spec.scheduler", address=repr(address)))
    return found[1], found[2].strip("[]")


def _is_this_machine(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


FEWEST, MOST = 2, 100_000
"""Replications that may be asked for."""


def _count_or_auto(value: object) -> object:
    """Take a number of replications, or "auto": as many as the precision needs."""
    if value == "auto":
        return value
    if type(value) is not int:
        raise PydanticCustomError("count_or_auto", "count_or_auto")
    if value < FEWEST:
        raise PydanticKnownError("greater_than_equal", {"ge": FEWEST})
    if value > MOST:
        raise PydanticKnownError("less_than_equal", {"le": MOST})
    return value


Replications = Annotated[int | Literal["auto"], PlainValidator(_count_or_auto)]


class PrecisionSpec(Spec):
    """When replications are enough, where a study asks for `replications=auto`."""

    name: Slug
    metric: Slug = Field("total_burden_bn_vnd", description="outcome that is to be known so well")
    half_width_pct: Positive = Field(
        2.0,
        description="half of the 95 % interval of the difference to the baseline (of one policy "
        "alone: of its mean), in % of the baseline's mean",
    )
    half_width: Positive | None = Field(
        None, description="the same in the unit of the outcome; replaces half_width_pct"
    )
    least: Annotated[int, Field(ge=4, le=MOST)] = Field(
        20, description="replications before the first look"
    )
    most: Annotated[int, Field(ge=4, le=MOST)] = Field(
        500, description="replications after which it stops, whatever is reached"
    )

    @model_validator(mode="after")
    def _least_before_most(self) -> PrecisionSpec:
        if self.least > self.most:
            raise ValueError(say("said.spec.least_above_most", least=self.least, most=self.most))
        return self


class SelectionSpec(Spec):
    """How `nts-sim select` chooses among policies."""

    name: Slug
    method: Literal["kn", "ocba"] = Field(
        "kn",
        description="kn: leaves worse policies out as it goes, with a guarantee; "
        "ocba: makes the best of a fixed budget",
    )
    confidence: Annotated[float, Field(ge=0.5, le=0.9999)] = Field(
        0.95, description="of kn: share of such selections that choose rightly, at least"
    )
    indifference_pct: Positive = Field(
        1.0, description="smaller differences do not matter, in % of the baseline's burden"
    )
    indifference_bn_vnd: Positive | None = Field(
        None, description="the same in billion VND; replaces indifference_pct"
    )
    first: Annotated[int, Field(ge=5, le=10_000)] = Field(
        20, description="replications of every policy before the first look"
    )
    batch: Annotated[int, Field(ge=1, le=10_000)] = Field(
        8, description="replications between looks: of each policy left (kn), in all (ocba)"
    )
    budget: Annotated[int, Field(ge=10, le=10_000_000)] = Field(
        4000, description="replications of all policies together, at most"
    )


class TargetSpec(Spec):
    """One thing to be reached: an outcome changed by so much against a reference."""

    metric: Slug = Field(description="outcome; see nts_sim.outcomes.metrics")
    key: Annotated[str, Field(min_length=1, max_length=60)] = Field(
        "all", description="threat, fund, resource … the outcome is of; all: together"
    )
    change_pct: Annotated[float, Field(ge=-100.0, le=1000.0)] = Field(
        description="change against the reference, in %; -5: 5 % less"
    )
    against: Slug | None = Field(
        None, description="policy that is the reference; None: the baseline of the study"
    )
    baseline_value: NonNegative | None = Field(
        None, description="a number that is the reference, in the unit of the outcome"
    )
    by: Day | None = Field(None, description="to be reached by; None: when the scenario ends")

    @model_validator(mode="after")
    def _one_reference(self) -> TargetSpec:
        if self.against is not None and self.baseline_value is not None:
            raise ValueError("has both against and baseline_value; a target has one reference")
        return self


class TargetsSpec(Spec):
    """What is to be reached, by short names."""

    name: Slug
    goals: dict[Slug, TargetSpec] = Field(default_factory=dict)


class Study(Spec):
    """Everything one command needs to know."""

    experiment: Slug = Field("study", description="folder of results")
    scenario: OneOrSet
    network: NetworkSpec
    threat: ThreatSpec
    resources: ResourcesSpec
    preparation: PreparationSpec
    mechanism: MechanismSpec
    measure: MeasureSpec
    measures: dict[str, MeasureSpec] = Field(
        default_factory=dict, description="measures taken together; `measure` is what they make"
    )
    fund: FundSpec
    information: InformationSpec
    policies: Annotated[dict[str, PolicySpec], Field(min_length=1)]
    engine: EngineSpec
    solver: SolverSpec
    plan: PlanSpec = PlanSpec(name="standard")
    execution: ExecutionSpec = ExecutionSpec(name="local")
    precision: PrecisionSpec = PrecisionSpec(name="standard")
    selection: SelectionSpec = SelectionSpec(name="standard")
    target: TargetsSpec = TargetsSpec(name="none")
    baseline: str = "current_practice"
    replications: Replications = Field(
        100, description="of each policy; auto: as many as `precision` needs"
    )
    seed: Annotated[int, Field(ge=0, le=2**31 - 1)] = 147
    workers: Annotated[int, Field(ge=1, le=256)] | None = Field(
        None, description="processes; None: one per core"
    )
    results_dir: Annotated[str, Field(min_length=1)] = "results"
    tables_dir: Annotated[str, Field(min_length=1)] | None = Field(
        None, description="folder with the planner's own tables"
    )
