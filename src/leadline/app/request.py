"""What an assessment is asked for, and the private seed that its ids and draws follow from."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from leadline.core.assessment import Budget
from leadline.core.isolation import Tier
from leadline.core.record.commitment import derived_seed, seed_commitment


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked for on the command line.

    *seed_hex* None means fresh random bits. *items* is the most items to take of each suite, the
    first of the committed order; 0 takes all. *suites* names those to run, none meaning every one
    that is installed. *tier* is the isolation tier, *official* that the run is for a programme and
    not self-assessment, *rung* the declared configuration of the elicitation ladder, *declared* what
    else is said of a model (version, variant, weights). *run_tokens* and
    *run_cost_micro_usd* are what all attempts may use together; 0 is no cap. After *dead_man_seconds*
    without a heartbeat of driver or store the warden ends the run; so does an alarm of a source in
    *stop_on* (`core.scope`). *home* is the folder of the installation whose records of qualification
    an official run rests on; empty in a self-assessment. With *estimate* what the decision did not ask
    for runs too, once it is reached. *criteria* is the pack: the name of one that is installed, or a
    file; empty for the demonstration's. *engagement* is the one that the run is on; empty for one that
    is made from the seed.
    """

    subject: str
    epochs: int
    budget: Budget
    seed_hex: str | None = None
    items: int = 0
    suites: tuple[str, ...] = ()
    tier: str = Tier.SHARED_KERNEL
    official: bool = False
    rung: str = ""
    declared: Mapping[str, str] = field(default_factory=dict)
    run_tokens: int = 0
    run_cost_micro_usd: int = 0
    dead_man_seconds: int = 30
    stop_on: tuple[str, ...] = ()
    home: str = ""
    estimate: bool = False
    criteria: str = ""
    engagement: str = ""


@dataclass(frozen=True, slots=True)
class Secret:
    """Seed and salt of one assessment; private until they are revealed."""

    seed: bytes
    salt: bytes

    @property
    def commitment(self) -> str:
        """What the log holds of them beforehand, in hex."""
        return seed_commitment(self.salt, self.seed).hex()

    def derived(self, use: str) -> bytes:
        """A seed of its own for each use, so that none tells anything of another."""
        return derived_seed(self.seed, use)


def engagement_id(secret: Secret) -> str:
    """The engagement's id, from the seed: unguessable, and the same when a run is repeated."""
    return f"eng-{secret.derived('engagement').hex()[:16]}"


def about(request: Request, secret: Secret) -> str:
    """The engagement that a run is on."""
    return request.engagement or engagement_id(secret)


def assessment_id(secret: Secret) -> str:
    """The assessment's id, likewise."""
    return f"asm-{secret.derived('assessment').hex()[:16]}"
