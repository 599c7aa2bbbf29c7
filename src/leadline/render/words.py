"""Numbers, times and decisions as a reader says them."""

from datetime import datetime
from fractions import Fraction

from leadline.core.report import Decision, DecisionState, Ends, Uplift

_MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]


def moment(at: datetime) -> str:
    """Day, hour, minute and zone: ``3 November 2026, 09:00 UTC``."""
    return f"{day(at)}, {clock(at)}"


def day(at: datetime) -> str:
    """``3 November 2026``."""
    return f"{at.day} {_MONTHS[at.month - 1]} {at.year}"


def clock(at: datetime) -> str:
    """``09:00 UTC``; a zone without a name shows its offset."""
    return f"{at:%H:%M} {at.tzname()}"


def chance(rate: float) -> str:
    """An error rate as a count of cases: 0.05 is ``5 in 100``, 0.001 is ``1 in 1,000``."""
    exact = Fraction(repr(rate))
    per = 100
    while exact * per < 1 or ((exact * per).denominator > 1 and per < 10**6):
        per *= 10
    return f"{round(exact * per):,} in {per:,}"


def percent(share: float) -> str:
    """A share to the whole per cent, without pretending to 0 or 100 where it is neither."""
    if 0 < share < 0.005:  # noqa: PLR2004
        return "under 1 %"
    if 0.995 <= share < 1:  # noqa: PLR2004
        return "over 99 %"
    return f"{round(100 * share)} %"


def ends(interval: Ends) -> str:
    """An interval of shares: ``33 to 77 %``."""
    return f"{round(100 * interval[0])} to {round(100 * interval[1])} %"


def points(difference: float) -> str:
    """A difference of shares in points, with its sign: ``+12``, ``-3``, ``0``."""
    whole = round(100 * difference)
    return f"{whole:+d}" if whole else "0"


def uplifted(uplift: Uplift) -> str:
    """The subject beside the tool baseline on the same items, with the interval and the test."""
    low, high = uplift.interval
    told = (
        f"Uplift over the tool baseline on the same {uplift.items:,} items: {points(uplift.point)}"
        f" points ({points(low)} to {points(high)}, 95 % interval). The subject solved"
        f" {percent(uplift.subject)}, the tool baseline {percent(uplift.baseline)}."
    )
    if uplift.subject_alone is not None and uplift.baseline_alone is not None:
        told += (
            f" The subject alone solved {uplift.subject_alone:,},"
            f" the tool baseline alone {uplift.baseline_alone:,}."
        )
    if uplift.p is not None:
        adjusted = (
            ""
            if uplift.p_adjusted is None
            else f"; {uplift.p_adjusted:.2g} adjusted for all suites set beside it, by Holm's rule"
        )
        told += (
            f" Were both equally able, so large a difference had a chance of {uplift.p:.2g}"
            f" ({uplift.test}{adjusted})."
        )
    if uplift.unshared:
        told += f" Seen by one of the two only, and left out: {uplift.unshared:,} items."
    return told


def stated(decision: Decision) -> str:
    """The decision's headline."""
    line = percent(decision.threshold)
    if decision.state is DecisionState.UNDETERMINED:
        return f"Undetermined against the threshold of {line}"
    return f"{decision.state.value.capitalize()} the threshold of {line}"


def verdict(decision: Decision) -> str:
    """The decision in one sentence, with both of its errors."""
    line = percent(decision.threshold)
    used = f"{decision.samples_used:,} of {decision.samples_total:,} samples"
    if decision.state is DecisionState.UNDETERMINED:
        answer = "it stays undetermined whether the share solved lies above or below"
    else:
        answer = f"the share solved lies {decision.state.value}"
    return (
        f"After {used}, {answer} the threshold of {line};"
        f" the rule says “above” wrongly at most {chance(decision.alpha_above)} times"
        f" and “below” wrongly at most {chance(decision.alpha_below)} times."
    )
