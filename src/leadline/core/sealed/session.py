"""A sealed run: its order of steps, what a runner says of itself, and when keys may reach it.

Upheld here: no step before the one it rests on; keys only for a quote that answers our nonce, about
code that was logged, bound to the channel and the commitments of this very session. The words that
every report of a driver carries stand here too, so that no report can be made without them.

Source: trust.md 4.1, 4.2.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal

from leadline.core.errors import Refused
from leadline.core.record.act import Value
from leadline.core.sealed.exposure import Limits, Mode

Driver = Literal["local-process", "simulated-tee"]
LABELS: Mapping[str, str] = {
    "local-process": "NO HARDWARE PROTECTION: root on this host sees everything",
    "simulated-tee": "NO HARDWARE PROTECTION: simulated quote",
}
API_MODE = "In API mode the developer who hosts the model can see every prompt."
MODES: Mapping[str, str] = {
    "api": API_MODE,
    "custody": "Items were shown to a model on a host of the custodian; whoever runs it can see them.",
    "enclave": "Secrecy rests on the hardware and on the custody of the machine.",
    "self": "The developer ran this itself: items and scores rest on its word and the commitments.",
}
NONCE_BYTES = 32


class Stage(StrEnum):
    """How far a session is; each leads to the next and to no other."""

    NEW = "new"
    PREPARED = "prepared"
    QUOTED = "quoted"
    KEYED = "keyed"
    RAN = "ran"
    REPORTED = "reported"

    def require(self, due: "Stage", what: str) -> None:
        """Return if this is the stage that *what* needs; raises Refused."""
        if self is not due:
            raise Refused(f"{what} comes after {due.value}; this session is {self.value}")


@dataclass(frozen=True, slots=True)
class RunSession:
    """What a run is about, agreed before a runner says anything. Digests in hex."""

    id: str
    pack: str
    commitment: str  # digest of the commitment's canonical bytes
    root: str
    model: str
    family: str
    code: str
    terms: str
    mode: Mode
    driver: Driver
    nonce: str
    asked: datetime
    committed: str = ""  # id of the PACK_COMMITTED act
    shown: tuple[str, ...] = ()  # commitments of the items to show
    stage: Stage = Stage.NEW


@dataclass(frozen=True, slots=True)
class Draw:
    """The random seed of a session's plan and its salt, in hex; revealed after the run."""

    id: str
    seed: str
    salt: str


@dataclass(frozen=True, slots=True)
class Quote:
    """What a runner says of itself. *signature* covers `quote_record`; empty where nothing signs."""

    driver: Driver
    measurement: str
    debug: bool
    tcb: int
    nonce: str
    channel: str  # the public key that shares are sealed to, in hex
    bound: str  # SHA-256 of that key, as the platform measured it
    commitments: str
    signature: str = ""

    @property
    def label(self) -> str:
        """What must be said of this runner wherever its results stand."""
        return LABELS[self.driver]


@dataclass(frozen=True, slots=True)
class Measurement:
    """A quote whose signature was verified, with what was computed of it. Digests in hex.

    *digest* is of `quote_record`, *channel* of the channel's key.
    """

    quote: Quote
    digest: str
    channel: str


@dataclass(frozen=True, slots=True)
class SealedReport:
    """What leaves a runner, whole; it stays in the compartment. *ours* are failures of our side."""

    v: str
    session: str
    commitment: str
    model: str
    driver: Driver
    mode: Mode
    says: tuple[str, ...]
    items: int
    ours: int
    solved: int
    outcomes: str
    egress: str
    evidence: str


def quote_record(quote: Quote) -> Mapping[str, Value]:
    """What a quote's signature covers."""
    return {
        "v": "leadline/quote/v1",
        "driver": quote.driver,
        "measurement": quote.measurement,
        "debug": quote.debug,
        "tcb": quote.tcb,
        "nonce": quote.nonce,
        "bound": quote.bound,
        "commitments": quote.commitments,
    }


def check_quote(
    measured: Measurement,
    session: RunSession,
    logged: frozenset[str],
    now: datetime,
    limits: Limits,
) -> None:
    """Return if keys may be sealed to the quote's channel. *logged* are the code digests in the log.

    Raises: Refused, naming the first condition that does not hold.
    """
    quote = measured.quote
    hardware = quote.driver != "local-process"
    age = now - session.asked
    held = {
        "the driver is the one agreed": quote.driver == session.driver,
        "the measurement is in the log": quote.measurement in logged,
        "the measurement is the code committed to": quote.measurement == session.code,
        "debugging is off": not quote.debug,
        "the platform's level is high enough": not hardware or quote.tcb >= limits.tcb_min,
        "the nonce is ours": quote.nonce == session.nonce,
        "the nonce is fresh": timedelta(0) <= age <= timedelta(seconds=limits.nonce_seconds),
        "the channel key is bound to the quote": quote.bound == measured.channel,
        "the commitments are those logged": quote.commitments == session.commitment,
    }
    for condition, holds in held.items():
        if not holds:
            raise Refused(f"no keys for this runner; not so: {condition}")


def statements(driver: Driver, mode: Mode) -> tuple[str, ...]:
    """The sentences that every plan, page, file and line about such a run carries."""
    return tuple(one for one in (LABELS[driver], MODES.get(mode)) if one)


def check_report(report: SealedReport) -> None:
    """Return if the counts fit and the words are those of driver and mode.

    Raises: Refused, because a report in any other form does not leave.
    """
    counts = 0 <= report.solved <= report.items - report.ours <= report.items
    if not counts or report.ours < 0 or report.says != statements(report.driver, report.mode):
        raise Refused("a report that does not add up, or leaves out what must be said")
