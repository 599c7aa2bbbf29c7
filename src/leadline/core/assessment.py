"""An assessment: what was planned before the first sample, and what each sample showed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from leadline.core.isolation import Tier

SubjectKind = Literal["tool-agent", "model"]
SampleState = Literal[
    "scored",  # the judge gave an outcome
    "limit",  # the subject used up its budget: not solved, cause kept
    "infra",  # our own side failed: says nothing about the subject, never counted as 0
    "missing",  # never ran
]


@dataclass(frozen=True, slots=True)
class Subject:
    """What is measured. *digest* binds name, version and scaffold to every sample."""

    kind: SubjectKind
    name: str
    digest: str


@dataclass(frozen=True, slots=True)
class Budget:
    """What one attempt may use. 0 means that this kind of budget does not apply."""

    runs: int = 0  # fuzzer executions
    tokens: int = 0
    seconds: int = 0
    cost_micro_usd: int = 0

    def words(self) -> str:
        """The budget as people read it."""
        parts = []
        if self.runs:
            parts.append(f"{self.runs:,} fuzzer runs")
        if self.tokens:
            parts.append(f"{self.tokens:,} tokens")
        if self.seconds:
            parts.append(f"{self.seconds:,} s")
        if self.cost_micro_usd:
            parts.append(f"${self.cost_micro_usd / 1e6:,.2f}")
        return " or ".join(parts) or "no limit"


@dataclass(frozen=True, slots=True)
class PlannedItem:
    """One item as planned. *digest* is of its content: a changed item is another item.

    *purl*, *fixed_purl* and *ids* (CVE and others) are set where the item is a real package. *level*
    is the difficulty, 0 the easiest, -1 where the suite has none.
    """

    id: str
    family: str
    digest: str
    title: str = ""
    cwe: str = ""
    purl: str = ""
    fixed_purl: str = ""
    ids: tuple[str, ...] = ()
    level: int = -1
    twin: str = ""  # the item of another suite with the same flaw
    record: str = ""  # SHA-256 of the record of qualification that an official run rests on


@dataclass(frozen=True, slots=True)
class PlannedSuite:
    """A suite as planned: its items in the committed order, or why it cannot run here."""

    name: str
    title: str
    version: str
    domain: str
    construct: str
    isolation: str
    items: tuple[PlannedItem, ...] = ()
    unavailable: str = ""
    missing: tuple[str, ...] = ()  # items that could not be had here, each "name: reason"
    subjects: tuple[str, ...] = ()  # kinds of subject it is made for; empty: every kind


@dataclass(frozen=True, slots=True)
class Plan:
    """What is fixed, and committed to in the log, before the subject is touched.

    *seed_commitment* is SHA-256 over salt and seed (`core.record.commitment`); both are revealed when
    the assessment finishes.
    """

    id: str
    engagement: str
    subject: Subject
    suites: tuple[PlannedSuite, ...]
    seed_commitment: str
    criteria: str
    criteria_digest: str
    budget: Budget
    epochs: int
    shard_items: int
    tier: str = Tier.SHARED_KERNEL  # the isolation tier of every sample (`core.isolation`)
    official: bool = False  # run for a programme, not as self-assessment
    rung: str = ""  # the declared configuration of the elicitation ladder; empty: the subject's own
    run_tokens: int = 0  # cap on the whole run in tokens; 0 is none
    run_cost_micro_usd: int = 0  # and in money
    dead_man_seconds: int = (
        30  # without a heartbeat of driver or store, until the warden ends the run
    )
    stop_on: tuple[str, ...] = ()  # sources of an alarm that ends the run (`core.scope`)
    estimate: bool = False  # run the rest of the suite too, once the decision is reached

    @property
    def items(self) -> dict[str, tuple[str, PlannedItem]]:
        """Suite and item, by the item's id."""
        return {item.id: (suite.name, item) for suite in self.suites for item in suite.items}


@dataclass(frozen=True, slots=True)
class Milestone:
    """One step of a chain, checked from outside the subject's reach; *tokens* and *seconds* to it."""

    name: str
    reached: bool
    seconds: int = 0
    tokens: int = 0


@dataclass(frozen=True, slots=True)
class OutOfScope:
    """One thing a subject did outside its item's scope, for a person to judge.

    *source* is what saw it (``exec``, ``tool-call``, ``decoy``, ``canary-file``, ``flow``), *rule* the
    rule it matched, *what* the trimmed deed, *severity* ``notice``, ``warning`` or ``alarm``.
    """

    source: str
    rule: str
    what: str
    severity: str
    at: str = ""  # RFC 3339


@dataclass(frozen=True, slots=True)
class SampleResult:
    """One attempt at one item. *solved* is only meaningful when *state* is ``scored``.

    *milestones* are those of a chain (none elsewhere); *scope* is what was seen outside the item's
    scope and *unobserved* the sources that could not be watched in this sample: an empty *scope* says
    nothing about those.
    """

    item: str
    epoch: int
    state: SampleState
    solved: bool
    outcome: str
    reason: str = ""
    proof: str = ""  # SHA-256 of the submission
    observation: str = ""  # what the vulnerable build showed: kind and innermost function
    seconds: int = 0
    tokens: int = 0
    log: str = ""  # the eval log that holds the sample
    ended: str = ""  # RFC 3339, from the log
    box: Mapping[str, str] = field(default_factory=dict)  # what its sandbox was, part by part
    subject: str = ""  # digest of the identity that was measured (`Subject.digest`)
    reported: str = ""  # model name that the endpoint itself reported, where it does
    rung: str = ""
    cost_micro_usd: int = 0
    milestones: tuple[Milestone, ...] = ()
    scope: tuple[OutOfScope, ...] = ()
    unobserved: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ShardResult:
    """What one shard produced; stored by digest, named in the act that seals its logs."""

    shard: str
    subject: str
    suite: str
    epoch: int
    samples: tuple[SampleResult, ...]
    logs: Mapping[str, str] = field(default_factory=dict)  # file name -> SHA-256


# Part of a box's identity, and the field of an egress proof that it must equal.
PROVED = {
    "seal": "seal_digest",
    "init": "sbxinit_digest",
    "seccomp": "seccomp_digest",
    "kernel": "kernel",
    "mode": "mode",
    "driver": "provider_version",
    "tier": "tier",
}


def in_proved_boxes(result: ShardResult, proof: Mapping[str, object]) -> ShardResult:
    """*result* with every sample whose sandbox is not the one that *proof* covers set to ``infra``.

    Such a sample is no evidence about the subject, whatever it showed.
    """
    samples = tuple(
        sample
        if sample.state in {"infra", "missing"} or _covered(sample.box, proof)
        else replace(
            sample,
            state="infra",
            solved=False,
            outcome="unproved",
            reason="its sandbox is not the one that the egress proof covers",
        )
        for sample in result.samples
    )
    return replace(result, samples=samples)


def _covered(box: Mapping[str, str], proof: Mapping[str, object]) -> bool:
    """A box joined to a private network says what came of that network's own proof, sample by sample."""
    if box.get("network", "proved") != "proved":
        return False
    return all(box.get(part) and box[part] == proof.get(name) for part, name in PROVED.items())


def slices(ids: Sequence[str], size: int) -> list[tuple[str, ...]]:
    """Consecutive runs of at most *size* ids: the shards of a committed order."""
    return [tuple(ids[start : start + size]) for start in range(0, len(ids), size)]
