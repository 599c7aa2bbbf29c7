"""The few things the outside must provide. Each has a conformance suite in `tests/conformance`."""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import BinaryIO, Generic, Literal, Protocol, TypeVar

from leadline.core.access import (
    EPOCH,
    UNBOUND,
    Action,
    Bounds,
    Circumstances,
    Decision,
    Principal,
    Resource,
    Tenancy,
)
from leadline.core.approval import Approval, Request
from leadline.core.clause import EVERYTHING, Clause
from leadline.core.clearing.pairs import Pair
from leadline.core.clearing.queue import Entry, Lanes
from leadline.core.clearing.report import Stage
from leadline.core.errors import NotFound
from leadline.core.marking import Marking, Tlp
from leadline.core.measure.budget import Amount, Answer, Ledger
from leadline.core.record.act import Act, Kind
from leadline.core.sealed.pack import Scheme
from leadline.core.sealed.session import Driver, Quote, RunSession
from leadline.core.vaulting import Bound, Destroyed, Owner, Protection, Wrapped
from leadline.formats.tlog_proof import ActProof

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Stored(Generic[T]):
    """A state value with what the store keeps beside it. *version* counts from 1."""

    id: str
    value: T
    version: int
    engagement: str
    org: str
    marking: Marking
    bounds: Bounds = UNBOUND

    def thing(self, kind: str) -> Resource:
        """What access rules are asked about it, as a resource of *kind*."""
        of = self.bounds
        return Resource(
            kind,
            self.id,
            self.engagement,
            self.org,
            self.marking,
            of.case,
            of.level,
            of.embargo_until,
            of.owner,
        )


@dataclass(frozen=True, slots=True)
class Line:
    """What a list shows of a stored value, and by which words it is found beside its title.

    *state* is said of it until *due*, *later* from then on, if that is not empty. *group* is what lists
    are narrowed by beside the state.
    """

    title: str
    words: str = ""
    state: str = ""
    later: str = ""
    group: str = ""
    opened: datetime | None = None
    changed: datetime | None = None
    due: datetime | None = None

    def said(self, now: datetime) -> str:
        """Its state at *now*."""
        return self.later if self.turned(now) else self.state

    def turned(self, now: datetime) -> bool:
        """Whether time alone has changed its state since."""
        return bool(self.later) and self.due is not None and self.due <= now


class Order(StrEnum):
    """How a list is sorted; ties go by id, in the same direction."""

    CHANGED = "changed"  # what changed last stands first
    OPENED = "opened"  # the newest first; no row ever moves in it
    OLDEST = "oldest"  # the same from its other end
    DUE = "due"  # the soonest first, and only what has a date that still counts
    TITLE = "title"  # from A to Z


class Ask(StrEnum):
    """What groups of findings are asked about: what a person decides, or what evidence joins."""

    ASKED = "asked"
    JOINED = "joined"


Place = tuple[int | str, str]  # what a row is sorted by, and its id


@dataclass(frozen=True, slots=True)
class Wanted:
    """One part of a list. *words* are to be found, each as a whole or, from three letters, as a beginning.

    *states* and *groups* narrow it where they are not empty; *after* is the place of the row before.
    """

    visible: Clause
    now: datetime
    words: tuple[str, ...] = ()
    states: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    order: Order = Order.CHANGED
    after: Place | None = None
    limit: int = 25


@dataclass(frozen=True, slots=True)
class Listed:
    """One row of a list."""

    id: str
    line: Line
    engagement: str
    org: str
    case: str
    place: Place


@dataclass(frozen=True, slots=True)
class Shared:
    """One version of one object that programs fetch: public, or of a *case* as long as that is a draft.

    *about* is the advisory it came with, *body* its JSON, *version* when it was made. *added* is when the
    store got it, given by the store: later for each that is added, so that whoever has read up to one of
    them misses none.
    """

    label: Tlp
    case: str
    about: str
    id: str
    type: str
    version: datetime
    body: str
    added: datetime = EPOCH


class Which(StrEnum):
    """Versions of an object by their place among all of them."""

    FIRST = "first"
    LAST = "last"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Sought:
    """A part of what is public, or of the drafts of one *case*, in the order in which it was added.

    *ids* and *types* narrow where they are not empty; *versions* are the moments or places of those wanted.
    """

    case: str = ""
    ids: frozenset[str] = frozenset()
    types: frozenset[str] = frozenset()
    versions: frozenset[Which | datetime] = frozenset({Which.LAST})
    after: datetime = EPOCH
    limit: int = 100


# The acts that `Lines.shared` is asked about.
SHARING = frozenset({Kind.ADVISORY_DRAFTED, Kind.ADVISORY_PUBLISHED, Kind.ADVISORY_WITHDRAWN})


class Lines(Protocol):
    """What lists show of stored values: told to the store when it is opened, so that no list is stale.

    *version* changes whenever the same value would be shown otherwise; then all is written anew. The
    lines of the first *kinds* are written first, so that those of later ones may be read from them.
    """

    @property
    def version(self) -> str: ...  # noqa: D102 -- above

    @property
    def kinds(self) -> Sequence[type]: ...  # noqa: D102 -- above

    def line(self, view: "Reading", row: "Stored[object]") -> Line:
        """What is shown of a value of one of *kinds*, from it and from what is recorded."""
        ...

    def changed_by(self, act: Act) -> Sequence[tuple[type, str]]:
        """The values, by kind and id, of which something else is shown once *act* is recorded."""
        ...

    def shared(self, view: "Reading", act: Act) -> Sequence[Shared] | None:
        """The versions of objects that *act* adds to what programs fetch; None, if it is no act of that.

        Those of an advisory that were a draft's go, whatever comes.
        """
        ...


@dataclass(frozen=True, slots=True)
class Opened:
    """An act with what proves it: its place in the log and the blinder of its commitment."""

    act: Act
    index: int
    blinder: bytes


@dataclass(frozen=True, slots=True)
class SignedHead:
    """The largest tree head that was ever handed to a signature, and when."""

    size: int
    root: bytes
    at: datetime


ShardState = Literal["queued", "running", "done", "failed", "cancelled", "frozen"]


@dataclass(frozen=True, slots=True)
class Shard:
    """One independently restartable part of a job; see `Executor`."""

    id: str
    job: str
    kind: str
    input: Mapping[str, str]
    state: ShardState
    token: int
    worker: str
    attempts: int
    done: int
    total: int
    note: str
    result: str  # digest of the result, set when done
    error: str
    code: str = ""  # version of the code that claimed it last


@dataclass(frozen=True, slots=True)
class Late:
    """What a worker brought after its shard had gone to another: kept, never counted."""

    shard: str
    token: int
    result: str
    at: datetime


class Reading(Protocol):
    """One consistent view of the state."""

    def get(self, kind: type[T], id_: str) -> Stored[T]:
        """The state value; raises NotFound."""
        ...

    def find(
        self, kind: type[T], *, engagement: str | None = None, visible: Clause = EVERYTHING
    ) -> Sequence[Stored[T]]:
        """All values of one kind, in order of id, optionally of one engagement.

        A list that a person sees takes *visible* from `Access.visible`; without it, everything.
        """
        ...

    def among(self, kind: type[T], ids: AbstractSet[str]) -> Sequence[Stored[T]]:
        """Those of these values of one kind that are there, in order of id, asked for at once."""
        ...

    def page(self, kind: type, wanted: Wanted) -> Sequence[Listed]:
        """A part of the list of one kind, sorted, with nothing that *wanted* says is not to be seen.

        Raises: Invalid, for a kind that no list shows.
        """
        ...

    def pages(self, wanted: Mapping[type, Wanted]) -> Mapping[type, Sequence[Listed]]:
        """Parts of several lists that look for the same words, each as `page`, which are looked up once."""
        ...

    def principal(self, id_: str) -> Principal:
        """Raises NotFound."""
        ...

    def principals(self) -> Sequence[Principal]:
        """Everybody, in order of id."""
        ...

    def act(self, id_: str) -> Opened:
        """One act; raises NotFound."""
        ...

    def acts(
        self,
        *,
        engagement: str | None = None,
        kind: Kind | AbstractSet[Kind] | None = None,
        about: str | AbstractSet[str] | None = None,
        naming: AbstractSet[str] | None = None,
        since: int = 0,
        most: int | None = None,
    ) -> Sequence[Opened]:
        """Acts in log order, filtered: from leaf *since* on, and at most *most* of them.

        *kind* is their kind, or some of which it is one; *about* is what they are about, or some of which it is one; *naming* some of which they name one
        (`leadline.core.clearing.act_names`). Without either, or an engagement, all of a kind are read.
        """
        ...

    def queued(self, findings: AbstractSet[str]) -> Sequence[Entry]:
        """What the queue of reports has of these, as it was when this block began."""
        ...

    def lanes(self, which: AbstractSet[str], since: datetime) -> Lanes:
        """The queues of these lanes, as they were when this block began; what left them after *since*."""
        ...

    def pairs(self, ask: Ask, visible: Clause, after: Pair, limit: int) -> Sequence[Pair]:
        """Pairs of findings, both *visible*, that stand after *after*, in order; at most *limit* of them.

        Asked are those that evidence leaves to a person, or finds in doubt, for anybody who may read both
        (`leadline.core.clearing.pairs`). Of what is joined, the first pair at each finding that evidence joins
        with none before it, among those visible.
        """
        ...

    def claimed(
        self, person: str, stages: AbstractSet[Stage], after: str, limit: int
    ) -> Sequence[str]:
        """Findings at these stages after *after*, in order, that *person* handed in after somebody else had."""
        ...

    def shared(self, sought: Sought) -> Sequence[Shared]:
        """A part of what programs fetch."""
        ...

    def shared_with(self, about: str, ids: AbstractSet[str]) -> Sequence[Shared]:
        """The last versions of public objects that came with an advisory or have one of these ids."""
        ...

    def log_size(self) -> int:
        """The number of leaves committed."""
        ...

    def log_files(self, since: int = 0) -> Mapping[str, bytes]:
        """The log as C2SP tlog-tiles files (`tile/...`), without a checkpoint.

        Only those that the log of *since* leaves did not have; all of them by default.
        """
        ...

    def log_root(self) -> bytes:
        """The root hash of the committed tree."""
        ...

    def inclusion(self, index: int, size: int) -> tuple[bytes, ...]:
        """The hashes that lead from leaf *index* to the root of the first *size* leaves.

        Raises: Invalid, unless 0 <= index < size <= `log_size()`.
        """
        ...

    def consistency(self, old: int, new: int) -> tuple[bytes, ...]:
        """The hashes that show the first *old* leaves to be a prefix of the first *new*.

        Empty for equal sizes and for *old* 0. Raises: Invalid, unless 0 <= old <= new <= `log_size()`.
        """
        ...

    def signed(self) -> SignedHead | None:
        """The largest head that was ever handed to a signature; None before the first."""
        ...


def maybe(view: Reading, kind: type[T], id_: str) -> Stored[T] | None:
    """The state value, or None where its absence is an answer and each caller says what follows."""
    found: Stored[T] | None
    try:
        found = view.get(kind, id_)
    except NotFound:
        found = None
    return found


class Writing(Reading, Protocol):
    """One transaction: everything in it becomes durable together, or nothing does."""

    def put(
        self,
        id_: str,
        value: object,
        *,
        marking: Marking,
        engagement: str = "",
        org: str = "",
        bounds: Bounds = UNBOUND,
        expect: int | None = None,
    ) -> int:
        """Insert (*expect* None) or replace version *expect*; answers the new version.

        Raises: Stale, if the row is not at *expect* (or exists, when *expect* is None).
        """
        ...

    def remove(self, kind: type, id_: str) -> None:
        """Delete a state value; what must not be lost has no business here. Raises NotFound."""
        ...

    def put_principal(self, principal: Principal) -> None:
        """Insert or replace."""
        ...

    def record(self, act: Act) -> int:
        """Append the act and its log leaf (a 33-byte blinded commitment); answers the log index.

        Raises: Refused, if an act with this id exists.
        """
        ...

    def set_signed(self, size: int, root: bytes, at: datetime) -> None:
        """Keep the head that is about to be signed, before it is; the same one again is allowed.

        Raises: Refused, if a larger head, or another root of this size, was signed before, or if
        *root* is not that of the first *size* leaves of this log.
        """
        ...


class Store(Protocol):
    """Durable state. `read` is deferred, `write` takes the write lock at once."""

    def acting(self, tenancy: Tenancy) -> "Store":
        """The same store for one person: a second wall where the database has one."""
        ...

    def read(self) -> AbstractContextManager[Reading]:
        """A consistent snapshot."""
        ...

    def write(self) -> AbstractContextManager[Writing]:
        """A transaction, committed when the block ends without an error."""
        ...


class Executor(Protocol):
    """The shard table: at-least-once work with leases and fencing tokens."""

    def submit(self, job: str, kind: str, input_: Mapping[str, str], *, total: int) -> Shard:
        """Add a shard, or answer the one with this kind and input (idempotent)."""
        ...

    def claim(
        self, worker: str, *, now: datetime, lease_seconds: float, job: str = "", code: str = ""
    ) -> Shard | None:
        """Take the oldest queued shard, or one whose worker's lease has run out; token + 1.

        *job* narrows the claim to that job; *code* is the version of the claimer's code.
        """
        ...

    def heartbeat(self, shard: Shard, *, now: datetime, done: int, note: str) -> bool:
        """Report progress; False means a newer token holds the shard or a stop was asked: stop."""
        ...

    def finish(self, shard: Shard, *, now: datetime, result: str) -> None:
        """Raises Stale, if a newer token holds the shard: the late result must be discarded."""
        ...

    def fail(self, shard: Shard, *, now: datetime, error: str, attempts_max: int) -> None:
        """Queue again, or mark failed once *attempts_max* is reached. Raises Stale as `finish`."""
        ...

    def release(self, worker: str) -> int:
        """Queue again what a worker known to be dead holds; answers how many."""
        ...

    def cancel(self, job: str) -> int:
        """Ask every unfinished shard of a job to stop; queued and frozen ones end at once."""
        ...

    def freeze(self, job: str) -> int:
        """Fence every unfinished shard of a job off and hand none out; answers how many.

        Whoever holds one is refused from now on. Only `thaw`, by a person, queues them again.
        """
        ...

    def thaw(self, job: str) -> int:
        """Queue the frozen shards of a job again; answers how many."""
        ...

    def shards(self, job: str) -> Sequence[Shard]:
        """All shards of a job, in the order of submission."""
        ...

    def keep_late(self, shard: Shard, *, now: datetime, result: str) -> None:
        """Keep what was refused by `finish`, as a duplicate."""
        ...

    def late(self, job: str) -> Sequence[Late]:
        """What came late for a job, in the order of shard and token."""
        ...


class Workers(Protocol):
    """Whatever starts processes that claim a job's shards: on this host, or on several.

    It holds no truth: which shard is whose, and what is done, stands in the shard table alone.
    """

    def start(self, job: str) -> None:
        """Start what claims the job's shards; each ends by itself when none is left."""
        ...

    def alive(self) -> int:
        """How many still run. What a dead one held is queued again and another is started.

        Raises: Unavailable, if they keep dying.
        """
        ...

    def stop(self) -> None:
        """End them at once; what they held is queued again."""
        ...


class Purse(Protocol):
    """The budget of whole runs: reserve before an attempt, settle after it."""

    def cap(self, job: str, cap: Amount) -> None:
        """Limit what the job's attempts may use together; the first cap of a job stands."""
        ...

    def reserve(self, shard: Shard, sample: str, amount: Amount) -> Answer:
        """Set *amount* aside for one attempt, if it fits; a job without a cap grants everything.

        *sample* is new for each attempt. A shard that another holds by now is refused, and what a worker that
        lost its shard had reserved counts as spent from then on.
        """
        ...

    def settle(self, shard: Shard, sample: str, used: Amount) -> None:
        """Turn the attempt's reserve into what it used."""
        ...

    def ledger(self, job: str) -> Ledger:
        """Cap, spending and reserves of a job; an empty cap where it has none."""
        ...


@dataclass(frozen=True, slots=True)
class Material:
    """What reaches a runner once keys may: the pack, and shares sealed to its channel, by place.

    *shown* are the commitments of the items to show, *seed* the plan's random seed, both in hex.
    """

    pack: str
    ciphertext: bytes
    scheme: Scheme
    shares: Mapping[int, str]
    shown: tuple[str, ...]
    seed: str


@dataclass(frozen=True, slots=True)
class Ran:
    """That a run ended: how many items were shown, and at how many our own side failed."""

    items: int
    ours: int


@dataclass(frozen=True, slots=True)
class Bounded:
    """All that leaves a sealed run: a report of fixed form and size, and encrypted evidence."""

    text: bytes
    evidence: bytes


class SealedRunner(Protocol):
    """Runs one sealed session, in this order of calls; any other order raises Refused."""

    driver: Driver

    def prepare(self, session: RunSession) -> RunSession:
        """Take what the run is about."""
        ...

    def quote(self, nonce: str) -> Quote:
        """What the runner says of itself and of its channel in answer to *nonce*."""
        ...

    def release_keys(self, quote: Quote, proof: ActProof, material: Material) -> None:
        """Open the pack.

        Raises: Refused or Tampered, unless *proof* shows the UNSEALING_AUTHORISED act of this very
        session and quote, and the shares are of this pack and came through this channel.
        """
        ...

    def run(self) -> Ran:
        """Show the items to the subject."""
        ...

    def report(self) -> Bounded:
        """The bounded report; the session ends with it."""
        ...

    def close(self) -> None:
        """End the session at any stage; what it knew is forgotten."""
        ...


class Access(Protocol):
    """The rules. Default deny; an error in a rule is a denial."""

    def decide(
        self, principal: Principal, action: Action, resource: Resource, given: Circumstances
    ) -> Decision:
        """Never raises for a denial; the decision carries rule ids and a reason."""
        ...

    def visible(
        self, principal: Principal, action: Action, kind: str, given: Circumstances
    ) -> Clause:
        """The things of *kind* that `decide` would allow, as a filter for a list.

        Raises: Denied, if the rules cannot be evaluated.
        """
        ...

    def tenancy(self, principal: Principal) -> Tenancy:
        """Whose rows the store may touch for this person; never fewer than the rules allow."""
        ...


class Signer(Protocol):
    """Signs notes under the log's name."""

    def vkeys(self) -> str:
        """The C2SP verifier keys, one a line."""
        ...

    def sign(self, text: str) -> str:
        """The signed note: *text*, an empty line, one signature line per key."""
        ...


@dataclass(frozen=True, slots=True)
class Deposit:
    """What a vault answers for content it took in: SHA-256 in hex, and length in bytes."""

    digest: str
    size: int


@dataclass(frozen=True, slots=True)
class Recipient:
    """Whom a data key is sealed to: a compartment's id and epoch."""

    compartment: str
    epoch: int


@dataclass(frozen=True, slots=True)
class Holding:
    """One sealed copy in a vault, as it can be told without opening it."""

    digest: str
    size: int
    engagement: str
    owner: Owner
    protection: Protection
    recipient: Recipient
    shards: int
    terms: str
    marking: Marking


@dataclass(frozen=True, slots=True)
class Release:
    """What opens one sealed artefact once: a request, its signatures, and a proof.

    The proof is of the act that authorised the request, and that it stands in the log.
    """

    request: Request
    approvals: tuple[Approval, ...]
    proof: ActProof


class KeyStore(Protocol):
    """Keys of compartments: one pair per (engagement, owner) and epoch. No private half leaves it.

    *seals_only* says that this process holds public halves alone: it can neither make a compartment
    nor open anything.
    """

    seals_only: bool

    def ensure(self, engagement: str, owner: Owner) -> Recipient:
        """What to seal to: the compartment, made if there is none yet, and its newest epoch.

        Raises: Refused, if its keys were destroyed.
        """
        ...

    def wrap(self, key: bytes, bound: Bound) -> Wrapped:
        """Seal a data key to the compartment's newest epoch; needs public halves only.

        Raises: NotFound, if there is no such compartment; Refused, if its keys were destroyed.
        """
        ...

    def open_working(self, wrapped: Wrapped) -> bytes:
        """The data key of working content.

        Raises: Refused, for anything sealed; Tampered, if it does not open under what it is bound to.
        """
        ...

    def unwrap(self, wrapped: Sequence[Wrapped], release: Release) -> Sequence[bytes]:
        """The data keys of one sealed artefact, all its shards at once; *release* serves once.

        Verifies by itself: two approvals by two persons other than the requester and the requester's
        own assertion, unexpired, over this very artefact; the proof, and that what it proves is the
        authorisation of this request.

        Raises: Refused or Tampered, saying which of these fails.
        """
        ...

    def rotate(self, engagement: str, owner: Owner) -> int:
        """Begin a new epoch and answer its number. Raises: Refused, if the clock went back."""
        ...

    def rewrap(self, wrapped: Wrapped) -> Wrapped:
        """The same data key under the newest epoch; it does not leave the key service."""
        ...

    def end(self, engagement: str, owner: Owner) -> None:
        """Nothing of this compartment opens from now on; what is sealed and open stops reading."""
        ...

    def ended(self, engagement: str, owner: Owner) -> bool:
        """Whether `end` was called for this compartment, by any process."""
        ...

    def destroy(self, engagement: str, owner: Owner, *, authority: str) -> Sequence[Destroyed]:
        """Destroy the keys of every epoch. *authority* is the act or request that orders it.

        Twice is once: what is destroyed already is reported again.
        """
        ...

    def attest(self, engagement: str, owner: Owner) -> str:
        """What the driver says of the key: where it is, what it protects from, whether it exists."""
        ...


class Vault(Protocol):
    """Encrypted content by digest, written once.

    A second write of the same bytes for the same engagement, owner and protection is the same object
    under the strictest marking.
    """

    def put(
        self, content: bytes, *, marking: Marking, engagement: str = "", owner: Owner = "agency"
    ) -> str:
        """Store working content and answer its SHA-256 in hex.

        Raises: Refused, where a compartment is missing that the caller may not make, or where its
        keys were destroyed.
        """
        ...

    def get(self, digest: str) -> bytes:
        """Working content. Raises NotFound; Refused, if all there is is sealed; Tampered."""
        ...

    def marking(self, digest: str) -> Marking:
        """The strictest marking the content was stored under; raises NotFound."""
        ...

    def receive(
        self,
        chunks: Iterable[bytes],
        *,
        marking: Marking,
        engagement: str,
        owner: Owner,
        sealed: bool,
        terms: str = "",
        bytes_max: int,
    ) -> Deposit:
        """Encrypt content of any size as it comes; no plaintext reaches the disk.

        Raises: Invalid, if more than *bytes_max* come; then nothing is kept. Otherwise as `put`.
        """
        ...

    def open(self, digest: str, release: Release | None = None) -> AbstractContextManager[BinaryIO]:
        """A file of verified plaintext, gone when the block ends.

        Working content needs no *release*, sealed content always one. Nothing is handed out before
        the whole of it was verified.

        Raises: NotFound, Tampered; for sealed content what `KeyStore.unwrap` raises.
        """
        ...

    def holdings(self, engagement: str | None = None) -> Sequence[Holding]:
        """Every sealed copy, in order of digest, optionally of one engagement."""
        ...

    def rewrap(self, engagement: str, owner: Owner) -> int:
        """Move every data key to the newest epoch; answers how many. Ciphertext is untouched."""
        ...

    def erase(self, engagement: str, owner: Owner) -> Sequence[Holding]:
        """Delete the ciphertext of one compartment; answers what was deleted."""
        ...


@dataclass(frozen=True, slots=True)
class Reply:
    """What a witness answered over HTTP."""

    status: int
    kind: str  # its Content-Type
    body: bytes


class Outlet(Protocol):
    """Where the log meets the outside: its memory beside the keys, its folder, its witnesses.

    What is kept here is never restored together with the state, so that a state set back is noticed.
    """

    def alone(self) -> AbstractContextManager[None]:
        """One signing at a time, over all processes."""
        ...

    def policy(self) -> bytes:
        """The quorum file (C2SP tlog-policy); empty where there is none."""
        ...

    def last(self) -> bytes:
        """The checkpoint signed last, with its cosignatures; empty before the first."""
        ...

    def keep(self, signed: bytes) -> None:
        """Make *signed* the last, durably, before this returns."""
        ...

    def incidents(self) -> Sequence[str]:
        """Refusals to sign that no act tells of yet, each as one canonical JSON object."""
        ...

    def enter(self, incident: str) -> None:
        """Add one, durably; the same as the one before is not added again."""
        ...

    def settle(self) -> None:
        """Acts tell of all of them now."""
        ...

    def shown(self) -> bytes:
        """The checkpoint that stands published; empty where none does."""
        ...

    def show(self, files: Mapping[str, bytes], signed: bytes) -> None:
        """Publish tiles and entries, then the checkpoint; a full tile is never written again.

        Raises: Tampered, if a full tile is published with other content.
        """
        ...

    def post(self, url: str, body: bytes) -> Reply:
        """Ask a witness; raises Unavailable, with the reason, if it gives no answer in time."""
        ...


class CrossTester(Protocol):
    """Runs the proof of one finding against the fix of another: a clean rebuild, fresh sandboxes."""

    def silenced(self, finding: str, fix: str) -> bool | None:
        """Whether the oracle of *finding* stays silent in every run on the build with *fix*.

        None where a run broke down or the build failed. Raises: Unavailable, without a sandbox.
        """
        ...

    def tests_pass(self, fix: str) -> bool | None:
        """Whether the project's own tests pass with *fix*; None where there are none, or none ran."""
        ...
