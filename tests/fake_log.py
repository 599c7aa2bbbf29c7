"""A log with everything around it in memory: outlet, witnesses, people. Quick, and easy to corrupt."""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import cast

import make
from fakes import MemorySigner, MemoryStore, MemoryVault
from leadline.app.context import Context
from leadline.app.ports import Access, Outlet, Reply, Signer, Store
from leadline.app.witness import Cosigner, Seen, Slot, Witness, known_logs
from leadline.core.access import Action, Circumstances, Decision, Principal, Resource
from leadline.core.alert import Alert
from leadline.core.errors import Tampered, Unavailable
from leadline.core.record.tlog import EMPTY_ROOT
from leadline.formats import checkpoint, note, tlog_policy
from leadline.formats.tlog_witness import PATH

ORIGIN = "log.example/demonstration"


class MemoryMemory:
    """`leadline.app.witness.Memory` in a dictionary; `lost` refuses as a lost file does."""

    def __init__(self) -> None:
        self.heads: dict[str, Seen] = {}
        self.lost = False
        self._lock = threading.Lock()

    @contextmanager
    def held(self, origin: str) -> Iterator[Slot]:
        """As the port."""
        with self._lock:
            if self.lost:
                raise Unavailable("the memory of this witness is lost")
            yield Slot(self.heads.get(origin), lambda head: self.heads.__setitem__(origin, head))


def cosigner(name: str) -> Cosigner:
    """The keys of a witness, the same from run to run."""
    return Cosigner(name, sha256(name.encode()).digest(), sha256(b"2" + name.encode()).digest())


def witness(name: str, vkeys: str) -> Witness:
    """A witness of the log with the keys *vkeys*."""
    return Witness(cosigner(name), known_logs(tlog_policy.alone(vkeys)), MemoryMemory())


def policy(vkeys: str, names: Sequence[str], quorum: str = "", *, kind: int = 0) -> bytes:
    """A quorum file: the log, witnesses w0, w1, ... at `http://w0.example`, any *quorum* of them.

    *kind* 0 takes their Ed25519 keys, 1 their ML-DSA-44 keys.
    """
    lines = [f"log {line}" for line in vkeys.splitlines()]
    own = [f"w{number}" for number in range(len(names))]
    for short, name in zip(own, names, strict=True):
        key = cosigner(name).vkeys().splitlines()[kind]
        lines.append(f"witness {short} {key} http://{short}.example")
    if own:
        lines.append(f"group enough {quorum or 'any'} {' '.join(own)}")
    lines.append("quorum enough" if own else "quorum none")
    return "".join(f"{line}\n" for line in lines).encode()


@dataclass
class MemoryOutlet:
    """`leadline.app.ports.Outlet`; *witnesses* by the URL that `policy` gives them.

    A URL in *down* does not answer.
    """

    text: bytes = b""
    witnesses: dict[str, Witness] = field(default_factory=dict)
    down: set[str] = field(default_factory=set)
    kept: bytes = b""
    told: list[str] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    posted: list[str] = field(default_factory=list)
    clock: Callable[[], datetime] = lambda: make.NOW

    def __post_init__(self) -> None:
        self._lock = threading.Lock()

    def alone(self) -> AbstractContextManager[None]:
        """As the port."""

        @contextmanager
        def held() -> Iterator[None]:
            with self._lock:
                yield

        return held()

    def policy(self) -> bytes:
        """As the port."""
        return self.text

    def last(self) -> bytes:
        """As the port."""
        return self.kept

    def keep(self, signed: bytes) -> None:
        """As the port."""
        self.kept = signed

    def incidents(self) -> Sequence[str]:
        """As the port."""
        return tuple(self.told)

    def enter(self, incident: str) -> None:
        """As the port."""
        self.told.append(incident)

    def settle(self) -> None:
        """As the port."""
        self.told.clear()

    def shown(self) -> bytes:
        """As the port."""
        return self.files.get("checkpoint", b"")

    def show(self, files: Mapping[str, bytes], signed: bytes) -> None:
        """As the port."""
        for path, content in files.items():
            if self.files.setdefault(path, content) != content:
                raise Tampered(path, "published with other content")
        self.files["checkpoint"] = signed

    def post(self, url: str, body: bytes) -> Reply:
        """As the port."""
        base = url.removesuffix(PATH)
        self.posted.append(base)
        if base in self.down or base not in self.witnesses:
            raise Unavailable("no answer: connection refused")
        answer = self.witnesses[base].add_checkpoint(body, self.clock())
        return Reply(answer.status, answer.kind, answer.body)


class Allowed:
    """The decisions of an `Access` that allows everything but *denied*; it lists nothing."""

    def __init__(self, *denied: Action) -> None:
        self.denied = denied

    def decide(
        self, principal: Principal, action: Action, resource: Resource, given: Circumstances
    ) -> Decision:
        """As the port."""
        allowed = action not in self.denied
        return Decision(allowed, () if allowed else ("test",), "as the test says")


def context(
    outlet: Outlet | None = None,
    *,
    store: Store | None = None,
    signer: Signer | None = None,
    denied: Sequence[Action] = (),
) -> Context:
    """An installation's worker with everything in memory."""
    return Context(
        make.principal("worker"),
        lambda: make.NOW,
        make.ids(),
        store or MemoryStore(make.blinders(), {Alert: "alert"}),
        cast("Access", Allowed(*denied)),
        MemoryVault(),
        signer or MemorySigner(ORIGIN),
        outlet=outlet,
    )


def witnessed(
    count: int = 3, quorum: str = "2", signer: Signer | None = None
) -> tuple[Context, MemoryOutlet]:
    """A context whose log has *count* witnesses, *quorum* of which are enough."""
    signer = signer or MemorySigner(ORIGIN)
    names = [f"body{number}.example/witness" for number in range(count)]
    outlet = MemoryOutlet(policy(signer.vkeys(), names, quorum))
    for number, name in enumerate(names):
        outlet.witnesses[f"http://w{number}.example"] = witness(name, signer.vkeys())
    return context(outlet, signer=signer), outlet


def grow(ctx: Context, count: int, start: int = 0) -> None:
    """Record *count* acts, ids ``act-<start>`` on."""
    with ctx.store.write() as tx:
        for number in range(start, start + count):
            tx.record(make.act(9000 + number))


def empty_head(ctx: Context) -> bytes:
    """The signed head of the empty log, as an outlet keeps it once something was signed."""
    name = note.parse_vkeys(ctx.signer.vkeys())[0].name
    return ctx.signer.sign(checkpoint.Checkpoint(name, 0, EMPTY_ROOT).text).encode()
