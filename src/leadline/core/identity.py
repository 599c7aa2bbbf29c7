"""Who was measured: the identity bound to every sample, and how a change in mid-run is told.

An identity is what was declared (name, version, variant, weights, scaffold, settings) together with
what the endpoint itself reported. A *fingerprint* is what fixed questions were answered with. Equal
fingerprints show consistency; they prove nothing about weights. Source: design, evaluation 5.2.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace

from leadline.core.assessment import SampleResult, ShardResult
from leadline.core.errors import Invalid

CHANGED = "subject_changed"
ANSWERS_MAY_DIFFER = 0.5  # share of the fixed questions; decoding is not repeatable everywhere
MILLINATS_MAY_DIFFER = (
    250  # mean over tokens of the first answer, where log-probabilities are offered
)


@dataclass(frozen=True, slots=True)
class Declared:
    """What is said of a subject before the run. Empty texts mean "not declared".

    *endpoint_key* is SHA-256 of the endpoint's public key (SubjectPublicKeyInfo) in hex, *weights* a
    digest of the weights or of a signed statement about them, *variant* whether safeguards are on,
    *scaffold* the digest of the agent's code, *settings* the decoding settings.
    """

    provider: str
    name: str
    version: str = ""
    variant: str = ""
    endpoint_key: str = ""
    weights: str = ""
    scaffold: str = ""
    rung: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)
    tools: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """SHA-256 in hex over all of it: the subject's digest in plan and determination."""
        return _digest(asdict(self))

    def reported_as(self, model: str) -> str:
        """The digest that samples carry: what was declared, and the name *model* that answered."""
        return _digest({**asdict(self), "reported": model})


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What the fixed questions brought: model names reported, and a digest of each answer.

    *millinats* is the mean negative log-probability of the first answer's tokens, in thousandths;
    -1 where the endpoint offers none. *probes* names the set of questions.
    """

    probes: str
    reported: tuple[str, ...]
    answers: tuple[str, ...]
    millinats: int = -1


@dataclass(frozen=True, slots=True)
class Identified:
    """Who answered before the first sample: the reference for every shard.

    *fingerprint* is None for a subject that has no endpoint to ask. *bounded* tells whether what the
    endpoint sends is bounded by us.
    """

    declared: Declared
    fingerprint: Fingerprint | None = None
    bounded: bool = True

    @property
    def reported(self) -> tuple[str, ...]:
        """The model names that the endpoint gave; none where there is no endpoint."""
        return self.fingerprint.reported if self.fingerprint else ()


@dataclass(frozen=True, slots=True)
class Shift:
    """The difference of two fingerprints; *why* is empty where it lies within the declared bound."""

    differing: float
    millinats: int
    why: str

    @property
    def changed(self) -> bool:
        """Whether another subject answers now."""
        return bool(self.why)


def shift(first: Fingerprint, later: Fingerprint) -> Shift:
    """How far *later* lies from *first*; the bounds are declared beforehand, above.

    Raises: Invalid, if the two answered different questions.
    """
    if first.probes != later.probes or len(first.answers) != len(later.answers):
        raise Invalid("fingerprint", "the two were taken with different questions; take both anew")
    pairs = list(zip(first.answers, later.answers, strict=True))
    differing = sum(one != other for one, other in pairs) / len(pairs) if pairs else 0.0
    offered = min(first.millinats, later.millinats) >= 0
    millinats = abs(first.millinats - later.millinats) if offered else -1
    why = ""
    if set(first.reported) != set(later.reported):
        why = f"the endpoint reported {_names(first.reported)}, now {_names(later.reported)}"
    elif differing > ANSWERS_MAY_DIFFER:
        why = f"{differing:.0%} of the fixed questions were answered differently"
    elif millinats > MILLINATS_MAY_DIFFER:
        why = f"log-probabilities moved by {millinats / 1000:.2f} nats a token"
    return Shift(differing, millinats, why)


def bound(result: ShardResult, identity: Identified) -> ShardResult:
    """*result* with the identity in every sample, and what another model answered set apart.

    A sample that a model of another name answered, wholly or in part, carries that identity's digest
    and outcome `CHANGED`; it says nothing about the subject and is never pooled with it. A sample in
    which nothing was reported (no answer came) keeps its state and the expected identity.
    """
    known = set(identity.reported)
    samples = tuple(_bind(one, identity.declared, known) for one in result.samples)
    return replace(result, samples=samples)


def _bind(sample: SampleResult, declared: Declared, known: set[str]) -> SampleResult:
    names = [name for name in sample.reported.split(", ") if name]
    strange = sorted(set(names) - known)
    digest = declared.reported_as(", ".join(strange or sorted(known)))
    if not strange:
        return replace(sample, subject=digest, rung=declared.rung)
    reason = f"{_names(strange)} answered, not {_names(sorted(known))}: another subject"
    return replace(
        sample,
        subject=digest,
        rung=declared.rung,
        state="infra",
        solved=False,
        outcome=CHANGED,
        reason=reason,
    )


def closed(
    shard: str, subject: str, suite: str, epoch: int, items: Sequence[str], why: str
) -> ShardResult:
    """A shard that was not run, because the subject was another one before its first sample."""
    samples = tuple(
        SampleResult(item, epoch, "missing", solved=False, outcome=CHANGED, reason=why)
        for item in items
    )
    return ShardResult(shard, subject, suite, epoch, samples)


def apart(result: ShardResult, why: str) -> ShardResult:
    """*result* with every answered sample set apart: the subject was another one afterwards.

    Which sample the change fell on is unknown, so none of the shard counts.
    """
    return replace(
        result,
        samples=tuple(
            one
            if one.state in {"infra", "missing"}
            else replace(one, state="infra", solved=False, outcome=CHANGED, reason=why)
            for one in result.samples
        ),
    )


def _names(names: Sequence[str]) -> str:
    return " and ".join(repr(name) for name in sorted(names)) or "no name"


def _digest(document: Mapping[str, object]) -> str:
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
