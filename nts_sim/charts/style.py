"""One look for all charts: fonts, sizes, and one colour a policy everywhere.

Colours are those of Okabe & Ito (2008), "Color universal design", which readers with any of the
common colour-vision deficiencies tell apart; maps use cividis. Colour is never the only sign: lines
carry labels, policies carry markers.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from functools import wraps
from typing import Any, Final, ParamSpec, TypeVar

import matplotlib as mpl
from matplotlib.colors import to_hex, to_rgb

BLACK: Final = "#000000"
ORANGE: Final = "#E69F00"
SKY: Final = "#56B4E9"
GREEN: Final = "#009E73"
YELLOW: Final = "#F0E442"
BLUE: Final = "#0072B2"
VERMILLION: Final = "#D55E00"
PURPLE: Final = "#CC79A7"
GREY: Final = "#999999"
OKABE_ITO: Final = (BLACK, ORANGE, SKY, GREEN, YELLOW, BLUE, VERMILLION, PURPLE)

INK: Final = "#1A1A1A"
SOFT_INK: Final = "#595959"
RULE: Final = "#D9D9D9"
NO_NEED: Final = "#ECECEC"
MAP_COLOURS: Final = "cividis"

FONT: Final = "DejaVu Sans"
TITLE_PT: Final = 13.0
TEXT_PT: Final = 9.0
SMALL_PT: Final = 7.5

_POLICY: Final = {
    "current_practice": (BLACK, "o"),
    "do_nothing": (GREY, "x"),
    "equal_share": (YELLOW, "s"),
    "per_capita": (SKY, "D"),
    "risk_proportional": (GREEN, "^"),
    "nearest_first": (PURPLE, "v"),
    "threshold": (ORANGE, "P"),
    "greedy": (VERMILLION, "X"),
    "informed_practice": ("#8A6A4F", "p"),
    "expected_value": (BLUE, "*"),
}
_OTHERS: Final = ("#7B3F00", "#5E3C99", "#2F6B2F", "#8C1C4B", "#3B5B7A")
"""Colours of policies that a planner wrote; picked by name, so that they stay from run to run."""

_MECHANISM: Final = {
    "local_on_spot": SKY,
    "mutual_aid": GREEN,
    "military": VERMILLION,
    "police": "#EAA879",
    "health_dispatch": PURPLE,
    "utility_crews": YELLOW,
    "national_reserve": BLUE,
    "requisition": ORANGE,
    "framework_contract": "#7FCEB9",
    "fatherland_front": "#E5BCD3",
    "intl_aid": "#7FB8D8",
    "local_contingency": "#F2CF7F",
    "other": GREY,
}

_P = ParamSpec("_P")
_R = TypeVar("_R")

_RC: Final[dict[str, Any]] = {
    "font.family": [FONT],
    "font.size": TEXT_PT,
    "axes.edgecolor": SOFT_INK,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.unicode_minus": True,
    "hatch.linewidth": 0.5,
    "text.color": INK,
    "text.usetex": False,
    "text.parse_math": False,
    "xtick.color": SOFT_INK,
    "ytick.color": SOFT_INK,
    "xtick.labelsize": SMALL_PT + 0.5,
    "ytick.labelsize": SMALL_PT + 0.5,
    "svg.fonttype": "path",
    "svg.hashsalt": "nts_sim",
    "path.simplify": True,
}


def styled(make: Callable[_P, _R]) -> Callable[_P, _R]:
    """Draw in our style and leave matplotlib's own settings as they were."""

    @wraps(make)
    def with_style(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        with mpl.rc_context(_RC):  # type: ignore[arg-type]  # its keys are a literal type
            return make(*args, **kwargs)

    return with_style


def policy_colour(policy: str) -> str:
    """Return the colour of a policy, the same in every chart and every run, as ``#RRGGBB``."""
    if policy in _POLICY:
        return _POLICY[policy][0]
    return _OTHERS[zlib.crc32(policy.encode()) % len(_OTHERS)]


def policy_marker(policy: str) -> str:
    """Return the marker of a policy, so that colour is never its only sign."""
    return _POLICY[policy][1] if policy in _POLICY else "h"


def mechanism_colour(mechanism: str) -> str:
    """Return the colour of a mechanism, as ``#RRGGBB``."""
    return _MECHANISM.get(mechanism, _OTHERS[zlib.crc32(mechanism.encode()) % len(_OTHERS)])


def readable(colour: str) -> str:
    """Darken a colour until text in it stands out from white paper (contrast at least 4.5 : 1)."""
    rgb = to_rgb(colour)
    while _contrast_with_white(rgb) < 4.5:
        rgb = (rgb[0] * 0.92, rgb[1] * 0.92, rgb[2] * 0.92)
    return str(to_hex(rgb))


def _contrast_with_white(rgb: tuple[float, float, float]) -> float:
    """Contrast ratio to white, after WCAG 2.1."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in rgb]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return 1.05 / (luminance + 0.05)
