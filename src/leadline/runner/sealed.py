"""Sealed runs: what happens inside, and the two drivers that stand around it.

Upheld here: the pack's key exists only where `Inside` lives, from the arrival of the shares to the end
of the run; what leaves is a report of fixed form and bounded size, and evidence encrypted under the
pack's own key; no step before the one it rests on; keys only with a proof that the unsealing of this
session was logged.

Neither driver protects from whoever is root on this host, and each says so in everything it hands out.
"""

import secrets
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from typing_extensions import override

from leadline.app.openings import Unlock, Unlocked
from leadline.app.ports import Bounded, Material, Ran
from leadline.app.proof import check
from leadline.core.errors import Refused, Tampered
from leadline.core.record.act import Kind, from_record
from leadline.core.sealed.pack import Pack, chosen, outcome_commitment, root
from leadline.core.sealed.session import (
    Driver,
    Quote,
    RunSession,
    SealedReport,
    Stage,
    quote_record,
    statements,
)
from leadline.formats import canonical
from leadline.formats import pack as packs
from leadline.formats.pack import PackedFile, PackedItem
from leadline.formats.sealed_report import REPORT_BYTES_MAX, VERSION, write_report
from leadline.formats.sealed_report import measured as measured_quote
from leadline.formats.tlog_policy import Policy
from leadline.formats.tlog_proof import ActProof
from leadline.runner import custody
from leadline.runner.custody import Channel, HolderKey

EVIDENCE = "evidence"
OUTCOMES = "outcomes.json"
OURS = ("infra", "missing")  # outcomes that say nothing about the subject
SHM = Path("/dev/shm")  # noqa: S108 -- memory, where items do not reach a disk
ROOM = 4  # times the pack's size that must be free there


@dataclass(frozen=True, slots=True)
class Measured:
    """What a run showed, by item id; *egress* is the digest of the proof that no way out was open."""

    outcomes: Mapping[str, str]
    egress: str = ""
    logs: Mapping[str, bytes] | None = None


Measure = Callable[[Sequence[PackedItem], Path], Measured]


class Engine(Protocol):
    """Where the key is assembled and the items run: a process of its own, or this one in tests."""

    def hello(self) -> tuple[bytes, str]:
        """The channel's public key, and the digest of the code that runs."""
        ...

    def open(self, session: RunSession, material: Material) -> None:
        """Take the shares and open the pack."""
        ...

    def run(self) -> Ran:
        """Show the items to the subject."""
        ...

    def report(self) -> Bounded:
        """What leaves."""
        ...

    def close(self) -> None:
        """Forget everything."""
        ...


class Inside:
    """The inner side: see `Engine`. *measurement* is what the code around it amounts to."""

    def __init__(self, measure: Measure, measurement: str) -> None:
        self._measure, self._measurement = measure, measurement
        self._holder: HolderKey | None = custody.new_key()
        self._key, self._items = b"", tuple[PackedItem, ...]()
        self._session: RunSession | None = None
        self._bounded: Bounded | None = None

    def hello(self) -> tuple[bytes, str]:
        """The channel's public key, and the digest of the code that runs."""
        return self._channel_key().public, self._measurement

    def _channel_key(self) -> HolderKey:
        if self._holder is None:
            raise Refused("this channel was used; prepare another session")
        return self._holder

    def open(self, session: RunSession, material: Material) -> None:
        """Assemble the key, open the pack, and check that it is the one committed to.

        Raises: Refused, for too few shares or a channel used before; Tampered, for anything that
        is not of this pack and session.
        """
        holder = self._channel_key()
        channel = Channel(session.id, session.nonce, holder.public)
        digest = sha256(material.ciphertext).hexdigest()
        shares = custody.receive(holder, material.pack, digest, material.shares, channel)
        key = custody.assemble(shares, material.scheme)
        items = packs.decode(custody.decrypt(key, material.pack, material.ciphertext))
        wanted = set(material.shown)
        shown = [item for item in items if item.commitment.hex() in wanted]
        if not shown or root([item.commitment for item in shown]).hex() != session.root:
            raise Tampered("pack", "its items are not those committed to")
        self._key, self._session = key, session
        order = chosen(bytes.fromhex(material.seed), len(shown), len(shown))
        self._items = tuple(shown[place] for place in order)
        self._holder = None

    def run(self) -> Ran:
        """Show every item once; raises Refused without a pack."""
        if self._session is None or self._bounded is not None:
            raise Refused("a run needs an opened pack, and comes once")
        size = sum(len(one.content) for item in self._items for one in item.files.values())
        roomy = SHM.is_dir() and shutil.disk_usage(SHM).free > ROOM * size
        with tempfile.TemporaryDirectory(prefix="sealed-", dir=SHM if roomy else None) as folder:
            measured = self._measure(self._items, Path(folder))
        self._bounded = bounded(self._session, self._items, measured, self._key)
        counted = [measured.outcomes.get(item.id, "missing") for item in self._items]
        self._key, self._items = b"", ()
        return Ran(len(counted), sum(one in OURS for one in counted))

    def report(self) -> Bounded:
        """What leaves; raises Refused before the run."""
        if self._bounded is None:
            raise Refused("nothing ran yet")
        return self._bounded

    def close(self) -> None:
        """Forget key and items."""
        self._key, self._items, self._holder = b"", (), None


def bounded(
    session: RunSession, items: Sequence[PackedItem], measured: Measured, key: bytes
) -> Bounded:
    """The report of fixed form, and the evidence encrypted under the pack's key."""
    ordered = sorted(items, key=lambda item: item.commitment)
    salts = {item.id: secrets.token_bytes(packs.SALT_BYTES) for item in ordered}
    told = [
        {"item": item.commitment.hex(), "outcome": measured.outcomes.get(item.id, "missing")}
        for item in ordered
    ]
    leaves = [
        outcome_commitment(salts[item.id], canonical.encode(one))
        for item, one in zip(ordered, told, strict=True)
    ]
    listed = tuple(
        {**one, "salt": salts[item.id].hex()} for item, one in zip(ordered, told, strict=True)
    )
    files = {f"logs/{name}": PackedFile(data) for name, data in (measured.logs or {}).items()}
    listing = canonical.encode(listed, bytes_max=packs.INDEX_BYTES_MAX)
    files[OUTCOMES] = PackedFile(listing)
    content = packs.encode([PackedItem(EVIDENCE, bytes(packs.SALT_BYTES), files)])
    evidence = custody.encrypt(key, f"{session.pack}/{session.id}", content)
    outcomes = [one["outcome"] for one in told]
    report = SealedReport(
        v=VERSION,
        session=session.id,
        commitment=session.commitment,
        model=session.model,
        driver=session.driver,
        mode=session.mode,
        says=statements(session.driver, session.mode),
        items=len(outcomes),
        ours=sum(one in OURS for one in outcomes),
        solved=outcomes.count("solved"),
        outcomes=root(leaves).hex(),
        egress=measured.egress,
        evidence=sha256(evidence).hexdigest(),
    )
    return Bounded(write_report(report), evidence)


class LocalProcess:
    """`leadline.app.ports.SealedRunner`: a process of this host, every attempt in a box without network.

    NO HARDWARE PROTECTION: root on this host sees everything.
    """

    driver: Driver = "local-process"

    def __init__(self, engine: Engine, policy: Policy) -> None:
        self._engine, self._policy = engine, policy
        self._stage = Stage.NEW
        self._session: RunSession | None = None
        self._quote: Quote | None = None

    def prepare(self, session: RunSession) -> RunSession:
        """Take what the run is about. Raises: Refused, out of order or for another driver."""
        self._stage.require(Stage.NEW, "prepare")
        if session.driver != self.driver:
            raise Refused(f"this session was agreed for {session.driver}")
        self._session, self._stage = session, Stage.PREPARED
        return replace(session, stage=Stage.PREPARED)

    def quote(self, nonce: str) -> Quote:
        """What this runner says of itself in answer to *nonce*; once a session."""
        self._stage.require(Stage.PREPARED, "quote")
        public, measurement = self._engine.hello()
        self._quote = self._say(self._agreed(), nonce, public, measurement)
        self._stage = Stage.QUOTED
        return self._quote

    def _say(self, session: RunSession, nonce: str, public: bytes, measurement: str) -> Quote:
        return Quote(
            driver=self.driver,
            measurement=measurement,
            debug=False,
            tcb=0,
            nonce=nonce,
            channel=public.hex(),
            bound=sha256(public).hexdigest(),
            commitments=session.commitment,
        )

    def release_keys(self, quote: Quote, proof: ActProof, material: Material) -> None:
        """Open the pack, if *proof* shows that the unsealing of this session is logged.

        Raises: Refused, out of order, for another quote, or an act about something else; Tampered,
        if the proof or a share does not verify.
        """
        self._stage.require(Stage.QUOTED, "release_keys")
        session = self._agreed()
        if quote != self._quote:
            raise Refused("this is not the quote that this session gave")
        check(proof, self._policy)
        record = proof.opening.record
        act = from_record(record if isinstance(record, Mapping) else {})
        told = (act.kind, act.detail.get("session"), act.detail.get("quote"))
        if told != (Kind.UNSEALING_AUTHORISED, session.id, measured_quote(quote).digest):
            raise Refused("the proof is of an act that authorises something else")
        self._engine.open(session, material)
        self._stage = Stage.KEYED

    def run(self) -> Ran:
        """Show the items; the key is gone afterwards."""
        self._stage.require(Stage.KEYED, "run")
        ran = self._engine.run()
        self._stage = Stage.RAN
        return ran

    def report(self) -> Bounded:
        """The bounded report, once; the session ends with it."""
        self._stage.require(Stage.RAN, "report")
        told = self._engine.report()
        if len(told.text) > REPORT_BYTES_MAX:
            raise Refused(f"a report of more than {REPORT_BYTES_MAX} bytes does not leave")
        self._stage = Stage.REPORTED
        self._engine.close()
        return told

    def close(self) -> None:
        """End the session, whatever its stage."""
        self._engine.close()
        self._stage = Stage.REPORTED

    def _agreed(self) -> RunSession:
        if self._session is None:
            raise Refused("no session is prepared")
        return self._session


@dataclass(frozen=True, slots=True)
class Platform:
    """What a simulated platform reports; each field can be set wrong to try a refusal."""

    key: Ed25519PrivateKey
    tcb: int
    debug: bool = False
    measurement: str = ""  # instead of the true one
    bound: str = ""
    commitments: str = ""


class SimulatedTee(LocalProcess):
    """The same run behind a quote that software signed: it tries the verification and its refusals.

    NO HARDWARE PROTECTION: simulated quote.
    """

    driver: Driver = "simulated-tee"

    def __init__(self, engine: Engine, policy: Policy, platform: Platform) -> None:
        super().__init__(engine, policy)
        self._platform = platform

    @override
    def _say(self, session: RunSession, nonce: str, public: bytes, measurement: str) -> Quote:
        own, said = self._platform, super()._say(session, nonce, public, measurement)
        said = replace(
            said,
            tcb=own.tcb,
            debug=own.debug,
            measurement=own.measurement or said.measurement,
            bound=own.bound or said.bound,
            commitments=own.commitments or said.commitments,
        )
        return replace(said, signature=own.key.sign(canonical.encode(quote_record(said))).hex())


def check_signature(quote: Quote, platform: bytes) -> None:
    """Return if *platform* (a raw Ed25519 public key) signed the quote, where its driver signs.

    Raises: Tampered, if it did not.
    """
    if quote.driver == "local-process":
        return
    key = Ed25519PublicKey.from_public_bytes(platform)
    try:
        key.verify(bytes.fromhex(quote.signature), canonical.encode(quote_record(quote)))
    except (InvalidSignature, ValueError):
        raise Tampered("quote", "the platform's key did not sign it") from None


def unlocker(holders: Sequence[HolderKey]) -> Unlock:
    """What the custodians *holders* together can do, for `leadline.app.openings`."""

    def unlock(pack: Pack, session: str, ciphertext: bytes, evidence: bytes) -> Unlocked:
        key = custody.ceremony(holders, pack.id, ciphertext, pack.scheme, pack.shares)
        items = packs.decode(custody.decrypt(key, pack.id, ciphertext))
        [told] = packs.decode(custody.decrypt(key, f"{pack.id}/{session}", evidence))
        data = told.files[OUTCOMES].content
        listed = canonical.decode(data, bytes_max=packs.INDEX_BYTES_MAX)
        outcomes = list[tuple[bytes, bytes]]()
        for one in listed if isinstance(listed, tuple) else ():
            if isinstance(one, Mapping):
                record = canonical.encode({"item": one["item"], "outcome": one["outcome"]})
                outcomes.append((bytes.fromhex(str(one["salt"])), record))
        return Unlocked(items, outcomes)

    return unlock
