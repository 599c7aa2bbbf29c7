"""The budget of a whole run: what may be spent, what is spent, what running attempts may still spend.

A limit of one attempt is the evaluation's own; no such limit spans attempts. So an attempt reserves the
most that it may use before it starts, and settles what it used when it ends. An attempt starts only where
its reserve fits under the cap beside all that is spent and reserved. A limit of an attempt is looked at
after each call, so that an attempt may use more than its reserve by its last call: the overshoot of the
run is what those last calls used, never more than the reserve of the attempts that ran (design,
evaluation 6 and row 20 of its table 9).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from leadline.core.errors import Invalid

Answer = Literal[
    "granted",  # it fits: the attempt may start
    "wait",  # it fits once running attempts settle for less than they reserved
    "refused",  # it fits no more, whatever the running ones settle for
]


@dataclass(frozen=True, slots=True)
class Amount:
    """Tokens, and money in millionths of a US dollar.

    Raises: Invalid, if either is negative.
    """

    tokens: int = 0
    micro_usd: int = 0

    def __post_init__(self) -> None:
        if self.tokens < 0 or self.micro_usd < 0:
            raise Invalid("amount", "tokens and money are 0 or more")

    def __add__(self, other: "Amount") -> "Amount":
        return Amount(self.tokens + other.tokens, self.micro_usd + other.micro_usd)

    def beyond(self, cap: "Amount") -> "Amount":
        """How much of this lies above *cap*, part by part; a cap of 0 is none."""
        return Amount(
            max(0, self.tokens - cap.tokens) if cap.tokens else 0,
            max(0, self.micro_usd - cap.micro_usd) if cap.micro_usd else 0,
        )

    def __bool__(self) -> bool:
        return bool(self.tokens or self.micro_usd)


NOTHING = Amount()


@dataclass(frozen=True, slots=True)
class Ledger:
    """One run's budget at one moment. A part of *cap* that is 0 is not limited.

    *refused* counts the attempts that were not started for want of budget.
    """

    cap: Amount
    spent: Amount = NOTHING
    reserved: Amount = NOTHING
    refused: int = 0

    def decide(self, reserve: Amount) -> Answer:
        """Whether an attempt that may use *reserve* can start."""
        if not (self.spent + self.reserved + reserve).beyond(self.cap):
            return "granted"
        if self.reserved and not (self.spent + reserve).beyond(self.cap):
            return "wait"
        return "refused"

    @property
    def overshoot(self) -> Amount:
        """What was spent above the cap."""
        return self.spent.beyond(self.cap)

    def words(self) -> str:
        """The ledger as people read it."""
        parts = []
        if self.cap.tokens:
            parts.append(f"{self.spent.tokens:,} of {self.cap.tokens:,} tokens")
        if self.cap.micro_usd:
            parts.append(f"${self.spent.micro_usd / 1e6:,.2f} of ${self.cap.micro_usd / 1e6:,.2f}")
        if not parts:
            return "no cap on the run"
        over = self.overshoot
        parts.append(f"overshoot {over.tokens:,} tokens and ${over.micro_usd / 1e6:,.2f}")
        parts.append(f"{self.refused:,} attempts not started for want of budget")
        return ", ".join(parts)


def reserve_of(cap: Amount, limit: Amount) -> Amount:
    """What one attempt under *limit* reserves of a run under *cap*.

    Raises: Invalid, where the run is capped in a measure that an attempt is not, for then no reserve
    bounds it, or where not a single attempt fits under the cap.
    """
    for name, capped, limited in (
        ("tokens", cap.tokens, limit.tokens),
        ("cost", cap.micro_usd, limit.micro_usd),
    ):
        if capped and not limited:
            raise Invalid(
                f"run {name}", f"a cap on the run needs a limit of {name} for each attempt too"
            )
        if capped and limited > capped:
            raise Invalid(
                f"run {name}", f"one attempt may use {limited:,}, more than the run's {capped:,}"
            )
    return Amount(
        limit.tokens if cap.tokens else 0,
        limit.micro_usd if cap.micro_usd else 0,
    )


def total(amounts: Iterable[Amount]) -> Amount:
    """The sum of *amounts*."""
    return sum(amounts, NOTHING)
