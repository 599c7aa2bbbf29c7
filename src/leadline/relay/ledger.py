"""What a journal's entries add up to: credentials, what each has used, who answered.

Nothing of it is stored beside the journal: a relay that starts again reads its entries and knows the
same. An exchange that began and has no end (the relay was killed) counts at the worst case. No clock
and no disk here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta

from leadline.core.errors import Invalid, Tampered
from leadline.core.record.act import Value, instant
from leadline.formats.dialect_toml import Usage
from leadline.formats.relay_journal import COUNTS, Entry

MILLION = 1_000_000
PROOF_LIFE = timedelta(minutes=5)  # an older proof is not taken, so its number may be forgotten
TEXTS = ("models", "answers", "paths")


@dataclass(frozen=True, slots=True)
class Caps:
    """What may be used; 0 stands for no cap. Money is in millionths of the unit that prices are in.

    *worst_tokens* is what an exchange counts for whose usage cannot be read. Prices are for a million
    tokens, in millionths.
    """

    requests_a_minute: int = 60
    streams: int = 16
    tokens: int = 0
    micros: int = 0
    bytes: int = 0
    case_tokens: int = 0
    case_micros: int = 0
    worst_tokens: int = 200_000
    price_in: int = 0
    price_out: int = 0

    def __post_init__(self) -> None:
        for one in fields(self):
            value = getattr(self, one.name)
            if type(value) is not int or not 0 <= value <= 1 << 50:
                raise Invalid(one.name, "a whole number from 0 on; 0 is no cap")
        if not self.worst_tokens:
            raise Invalid("worst_tokens", "say what counts where usage cannot be read")
        if (self.micros or self.case_micros) and not (self.price_in or self.price_out):
            raise Invalid("price", "a cap on money needs the prices of a million tokens")

    def cost(self, usage: Usage) -> int:
        """Millionths for *usage*, rounded up."""
        part = (usage.input or 0) * self.price_in + (usage.output or 0) * self.price_out
        return -(-part // MILLION)

    @property
    def worst(self) -> "Cost":
        """What an exchange of unknown usage counts for: all of it at the dearer price."""
        part = self.worst_tokens * max(self.price_in, self.price_out)
        return Cost(self.worst_tokens, -(-part // MILLION), "worst case")


@dataclass(frozen=True, slots=True)
class Cost:
    """What one exchange took, and where that is from."""

    tokens: int
    micros: int
    source: str


@dataclass(frozen=True, slots=True)
class Credential:
    """What a holder may do and until when. *digest* is SHA-256 of the secret in hex, nothing else of it.

    *prefix* is the random first part of every path. *bound* is empty, or ``certificate:`` or ``dpop:``
    and a thumbprint. *models* are the names that requests may use, *answers* those that may answer
    (empty: whoever answers first).
    """

    id: str
    digest: str
    engagement: str
    prefix: str
    expires: datetime
    models: tuple[str, ...] = ()
    answers: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    bound: str = ""
    caps: Caps = field(default_factory=Caps)

    def record(self) -> dict[str, Value]:
        """As the journal holds it."""
        return {
            "id": self.id,
            "digest": self.digest,
            "engagement": self.engagement,
            "prefix": self.prefix,
            "until": instant(self.expires),
            "models": self.models,
            "answers": self.answers,
            "paths": self.paths,
            "bound": self.bound,
            "caps": {one.name: getattr(self.caps, one.name) for one in fields(self.caps)},
        }


@dataclass(slots=True)
class Used:
    """What a credential has used."""

    requests: int = 0
    tokens: int = 0
    micros: int = 0
    bytes: int = 0

    def add(self, cost: Cost, bytes_: int) -> None:
        """Count one exchange."""
        self.requests += 1
        self.tokens += cost.tokens
        self.micros += cost.micros
        self.bytes += bytes_


def credential_of(told: Mapping[str, Value]) -> Credential:
    """The credential in a journal's entry.

    Raises: Tampered, if it is none.
    """
    try:
        caps = told["caps"]
        assert isinstance(caps, Mapping)  # noqa: S101 -- translated below
        numbers = {name: value for name, value in caps.items() if type(value) is int}
        lists = {name: _texts(told[name]) for name in TEXTS}
        names = ("id", "digest", "engagement", "prefix", "bound")
        words = {name: str(told[name]) for name in names}
        until = datetime.fromisoformat(str(told["until"]))
        return Credential(expires=until, caps=Caps(**numbers), **words, **lists)  # type: ignore[arg-type] # two kinds of keyword
    except (KeyError, TypeError, ValueError, AssertionError, Invalid) as error:
        raise Tampered("journal", "an issued credential that cannot be read") from error


def _texts(value: Value) -> tuple[str, ...]:
    if not isinstance(value, tuple):
        raise TypeError(value)
    return tuple(str(one) for one in value)


class Ledger:
    """The sum of the entries taken so far."""

    def __init__(self) -> None:
        self.credentials = dict[str, Credential]()
        self.by_digest = dict[str, Credential]()
        self.revoked = dict[str, str]()
        self.used = dict[str, Used]()
        self.case = dict[str, Used]()
        self.changed = dict[str, str]()
        self.proofs = dict[str, datetime]()
        self.open = dict[str, str]()  # exchange -> credential
        self.counts = dict.fromkeys(COUNTS, 0)
        self.keeps_bodies = False
        self.last: datetime | None = None
        self._answered = dict[tuple[str, str], str]()

    def take(self, entry: Entry) -> None:
        """Count one entry.

        Raises: Tampered, if an entry speaks of a credential that was never issued.
        """
        told = entry.detail
        self.last = max(self.last or entry.at, entry.at)
        if entry.kind == "credential.issued":
            self._issued(credential_of(told))
        elif entry.kind == "credential.revoked":
            self.revoked.setdefault(str(told.get("id")), str(told.get("why")))
        elif entry.kind == "exchange.begun":
            self._known(told)
            self.open[str(told["id"])] = str(told["credential"])
            if told.get("proof"):
                self.spend(str(told["proof"]), entry.at)
        elif entry.kind == "exchange.ended":
            self._ended(told)
        elif entry.kind == "subject.changed":
            self.counts["changed"] += 1
            self.changed[str(told.get("credential"))] = str(told.get("now"))
        elif entry.kind == "request.refused":
            self.counts["refused"] += 1
        elif entry.kind == "requests.refused":
            self.counts["refused"] += _number(told, "count")
        elif entry.kind == "relay.started":
            self.keeps_bodies = self.keeps_bodies or bool(told.get("bodies"))

    def spend(self, proof: str, at: datetime) -> None:
        """From here on the proof is used; those too old to be taken are forgotten."""
        self.proofs[proof] = at
        while at - self.proofs[first := next(iter(self.proofs))] > PROOF_LIFE:
            del self.proofs[first]

    def expected(self, credential: Credential, asked: str) -> tuple[str, ...]:
        """The names that may answer; empty before the first answer."""
        if credential.answers:
            return credential.answers
        first = self._answered.get((credential.id, asked))
        return (first,) if first else ()

    def over(self, credential: Credential) -> str:
        """The cap that is used up, or empty. An exchange that runs already is not ended by it."""
        caps, own = credential.caps, self.used[credential.id]
        case = self.case[credential.engagement]
        for name, most, so_far in (
            ("tokens", caps.tokens, own.tokens),
            ("money", caps.micros, own.micros),
            ("bytes", caps.bytes, own.bytes),
            ("the case's tokens", caps.case_tokens, case.tokens),
            ("the case's money", caps.case_micros, case.micros),
        ):
            if most and so_far >= most:
                return name
        return ""

    def overshoot(self, credential: Credential) -> str:
        """By how much the caps can be exceeded, in words."""
        caps = credential.caps
        many = f"{caps.streams} at a time" if caps.streams else "as many as are sent at a time"
        return (
            f"caps are looked at before an exchange begins, and none ends one that runs: {many} may "
            f"exceed them by what each takes, or by {caps.worst_tokens} tokens each where usage "
            "cannot be read"
        )

    def _issued(self, credential: Credential) -> None:
        self.credentials[credential.id] = credential
        self.by_digest[credential.digest] = credential
        self.used.setdefault(credential.id, Used())
        self.case.setdefault(credential.engagement, Used())

    def _known(self, told: Mapping[str, Value]) -> Credential:
        found = self.credentials.get(str(told.get("credential")))
        if found is None:
            raise Tampered("journal", f"an exchange of {told.get('credential')}, never issued")
        return found

    def _ended(self, told: Mapping[str, Value]) -> None:
        credential = self._known(told)
        self.open.pop(str(told.get("id")), None)
        cost = Cost(_number(told, "tokens"), _number(told, "micros"), "")
        sizes = {name: _number(told, name) for name in ("request_bytes", "response_bytes")}
        for used in (self.used[credential.id], self.case[credential.engagement]):
            used.add(cost, sum(sizes.values()))
        self.counts["exchanges"] += 1
        self.counts["tokens"] += cost.tokens
        for name, size in sizes.items():
            self.counts[name] += size
        models = told.get("models")
        if isinstance(models, tuple) and models:
            self._answered.setdefault((credential.id, str(told.get("asked"))), str(models[0]))


def _number(told: Mapping[str, Value], name: str) -> int:
    value = told.get(name)
    if type(value) is not int or value < 0:
        raise Tampered("journal", f"{name} is no count")
    return value
