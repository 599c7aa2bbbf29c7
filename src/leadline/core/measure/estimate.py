"""What every estimate carries, and its JSON-safe form.

An estimate states its method, the counts it rests on, its error rate and its estimand, so that plots
and report text never have to guess. *estimand* is ``realised`` (the fixed table of items and runs of
this assessment) or ``rate`` (the chance of solving that the runs are a sample of).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from enum import StrEnum
from typing import Literal

Json = str | int | float | bool | None | Sequence["Json"] | Mapping[str, "Json"]
Estimand = Literal["realised", "rate"]


class Code(StrEnum):
    """Warnings that travel with an estimate."""

    NO_RUNS = "NO_RUNS"  # nothing was observed: the interval is (0, 1)
    FEW_CLUSTERS = "FEW_CLUSTERS"  # fewer than six: the reference distribution is rough
    DEGENERATE = "DEGENERATE"  # every item alike: the interval is the exact one over items
    FEW_ITEMS = "FEW_ITEMS"  # fewer than ten: read the interval, not the point
    PRIOR_DRIVEN = (
        "PRIOR_DRIVEN"  # items solved by all or by none: their parameters are the prior's
    )
    SLOPE_POSITIVE = "SLOPE_POSITIVE"  # longer tasks were solved more often: no horizon is meant
    SATURATED = "SATURATED"  # too few failures above the point: only "at least" is said
    NONE_SOLVED = "NONE_SOLVED"  # 0 is no length: the shortest tasks set the bound, not the model
    UNSETTLED = "UNSETTLED"  # the fit did not settle: there is no point
    EXTRAPOLATED = "EXTRAPOLATED"  # the point lies outside the tasks' own range
    UNSHARED_ITEMS = "UNSHARED_ITEMS"  # seen by one side only: named and left out, never imputed
    UNSTABLE_CHOICE = "UNSTABLE_CHOICE"  # the two halves of the items chose different elicitations
    VOID_RESULTS = "VOID_RESULTS"  # infrastructure failed on some runs; they are counted apart
    MISFIT = (
        "MISFIT"  # the planner was sure of the other side: difficulties may not fit this subject
    )
    ENUMERATION_OVERTURNED = (
        "ENUMERATION_OVERTURNED"  # the full table disagrees with the early stop
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A statistic with what it rests on. *alpha* is the total error of the stated interval."""

    method: str
    n_items: int
    n_runs: int
    n_clusters: int
    alpha: float
    estimand: Estimand
    warnings: tuple[Code, ...] = ()

    def to_dict(self) -> dict[str, Json]:
        """Field by field, as JSON has it; an infinite value is null."""
        return {field.name: json_safe(getattr(self, field.name)) for field in fields(self)}


def json_safe(value: object) -> Json:
    """*value* in JSON's terms.

    Raises: TypeError, for a value that no estimate holds.
    """
    match value:
        case None | bool() | int():
            return value
        case str():
            return str(value)
        case float():
            return float(value) if math.isfinite(value) else None
        case tuple():
            return [json_safe(part) for part in value]
        case Mapping():
            return {str(key): json_safe(part) for key, part in value.items()}
        case _ if is_dataclass(value):
            return {field.name: json_safe(getattr(value, field.name)) for field in fields(value)}
        case _:
            raise TypeError(f"an estimate holds no {type(value).__name__}")
