"""Several prevention measures taken together: one measure that does what they do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from math import prod

from nts_sim.errors import InvalidInput, Problem
from nts_sim.spec.models import MeasureSpec, MeasureTexts
from nts_sim.words import say

NONE = MeasureSpec(
    name="none", title="No prevention measure",
    vi=MeasureTexts(title="Không có biện pháp phòng ngừa"),
)  # fmt: skip


def combined(measures: Sequence[MeasureSpec]) -> MeasureSpec:
    """Combine measures into one portfolio; without any, it is no measure.

    Costs add up. Shares and factors multiply, threat by threat: each measure leaves its share of
    what the others leave, so they are assumed to work independently of each other.

    Raises
    ------
    InvalidInput
        Where two measures bear the same name, or are ready on different days: a world has one day
        from which its measure works.
    """
    if not measures:
        return NONE
    problems = [*_named_twice(measures), *_ready_apart(measures)]
    if problems:
        raise InvalidInput(problems)
    return MeasureSpec(
        name="+".join(measure.name for measure in measures),
        title=" + ".join(measure.title or measure.name for measure in measures),
        vi=_together_in_vietnamese(measures),
        cost_bn_vnd=sum(measure.cost_bn_vnd for measure in measures),
        ready_day=measures[0].ready_day,
        onset_share=_products([measure.onset_share for measure in measures]),
        hit_share=_products([measure.hit_share for measure in measures]),
        reporting_lag_factor=prod(measure.reporting_lag_factor for measure in measures),
        approval_factor=prod(measure.approval_factor for measure in measures),
    )


def _together_in_vietnamese(measures: Sequence[MeasureSpec]) -> MeasureTexts | None:
    if all(measure.vi is None for measure in measures):
        return None
    titles = (
        (measure.vi.title if measure.vi else None) or measure.title or measure.name
        for measure in measures
    )
    return MeasureTexts(title=" + ".join(titles))


def _products(shares: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Multiply shares by threat; a measure that does not name a threat leaves all of it."""
    threats = dict.fromkeys(threat for share in shares for threat in share)
    return {threat: prod(share.get(threat, 1.0) for share in shares) for threat in threats}


def _named_twice(measures: Sequence[MeasureSpec]) -> list[Problem]:
    counts = Counter(measure.name for measure in measures)
    return [
        Problem("measure", say("said.spec.measures_named_alike", name=repr(name)))
        for name, count in counts.items()
        if count > 1
    ]


def _ready_apart(measures: Sequence[MeasureSpec]) -> list[Problem]:
    first = measures[0]
    return [
        Problem(
            "measure",
            say(
                "said.spec.measures_apart",
                one=first.name,
                day=f"{first.ready_day:g}",
                other=other.name,
                other_day=f"{other.ready_day:g}",
            ),
        )
        for other in measures[1:]
        if other.ready_day != first.ready_day
    ][:1]
