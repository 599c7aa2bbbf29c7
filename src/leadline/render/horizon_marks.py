"""How a horizon is told and drawn wherever it stands: a point with its interval, an arrow, or nothing."""

from math import isfinite, isnan

from leadline.core.measure.horizon import Horizon, Horizons
from leadline.render.vega import BASELINE, Spec, duration

HALF = 0.5
MODELS_MAX = 30  # drawn in one picture; the table holds all of them


def disc(size: int, colour: str) -> Spec:
    """A filled disc: the 50 % horizon, or an observed share."""
    return {"filled": True, "size": size, "color": colour, "opacity": 1}


def diamond(size: int) -> Spec:
    """A hollow diamond: the 80 % horizon, or a horizon beside observed shares."""
    look: Spec = {"shape": "diamond", "size": size, "fill": "white", "stroke": BASELINE}
    return {**look, "strokeWidth": 2, "opacity": 1}


def arrow(towards: str) -> Spec:
    """The tip of a bound, “at least”, towards ``right`` or ``up``."""
    return {
        "shape": f"triangle-{towards}",
        "filled": True,
        "size": 90,
        "color": BASELINE,
        "opacity": 1,
    }


def placed(one: Horizon, ends: tuple[float, float]) -> Spec:
    """The horizon between the axis's *ends*: a point with its interval, an arrow, or nothing."""
    low, high = max(one.low, ends[0]), min(one.high, ends[1])
    if one.saturated and one.low <= ends[1]:
        return {"kind": "arrow", "low": low, "high": ends[1], "minutes": low}
    if one.saturated or nothing_of(one) or high < ends[0] or low > ends[1]:
        return {"kind": "none", "low": ends[0], "high": ends[0], "minutes": ends[0]}
    inside = ends[0] <= one.point <= ends[1]
    kind = "point" if inside else "interval"
    return {"kind": kind, "low": low, "high": high, "minutes": one.point if inside else low}


def nothing_of(one: Horizon) -> bool:
    """Whether there is nothing to draw: nothing solved, no fit, or longer tasks solved more often."""
    return one.point == 0 or isnan(one.point) or one.slope > 0


def told_of(one: Horizon) -> str:
    """A horizon in words."""
    if one.slope > 0:
        return "no horizon: success rises"
    if one.saturated:
        return f"at least {duration(one.low)}" if isfinite(one.low) else "solved all, no bound"
    if isnan(one.point):
        return "the fit did not settle"
    if one.point == 0:
        return "solved nothing"
    ends = f"{_end(one.low)} to {_end(one.high)}"
    return f"{duration(one.point)} ({ends})"


def _end(value: float) -> str:
    return duration(value) if isfinite(value) else "beyond"


def by_length(horizons: Horizons) -> list[Horizon]:
    """Every model's 50 % horizon, shortest first, those without one before all."""
    told = [horizons.of(name, HALF) for name in horizons.models]
    return sorted(told, key=lambda one: (place_of(one), one.model))


def place_of(one: Horizon) -> float:
    """The minutes a horizon is ordered by: its bound where there is only that, -1 where nothing is."""
    return -1.0 if nothing_of(one) else one.low if one.saturated else one.point
