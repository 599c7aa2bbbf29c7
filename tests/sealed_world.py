"""People, a store, packs and runners, as tests of sealed suites need them."""

import base64
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

import make
from fakes import MemorySigner, MemoryVault
from leadline.access import cedar
from leadline.app import approval, log, sealed
from leadline.app.assertion import Signed
from leadline.app.context import Context
from leadline.app.ports import Bounded, Material, Store
from leadline.app.sealed import Intake, Plan, Released
from leadline.core.access import Principal, Resource
from leadline.core.account import RegisteredKey
from leadline.core.alert import Alert
from leadline.core.approval import Granted
from leadline.core.marking import Marking, Tlp
from leadline.core.record.act import Kind
from leadline.core.sealed.exposure import Limits
from leadline.core.sealed.pack import Pack, Scheme
from leadline.core.sealed.session import Quote, RunSession
from leadline.formats.pack import PackedFile, PackedItem, encode
from leadline.formats.sealed_report import measured, read_report, write_report
from leadline.formats.sealed_toml import load_limits
from leadline.formats.tlog_proof import ActProof
from leadline.runner import custody
from leadline.runner.custody import Channel, HolderKey, Sealing
from leadline.runner.sealed import Inside, LocalProcess, Measured

CODE = sha256(b"the code that runs and scores").hexdigest()
MODEL = sha256(b"a model").hexdigest()
TERMS = sha256(b"the terms").hexdigest()
CANARY = b"CANARY-a2f1c9-of-the-sealed-items"
COMPARTMENT = "sealed-suites"
SEALED = Marking(Tlp.AMBER_STRICT, frozenset({COMPARTMENT}))
PERSONS: Mapping[str, str] = {
    "keeper": "custodian",
    "lead": "evaluation-lead",
    "official": "determining-official",
    "second": "concurring-official",
    "developer": "developer",
    "auditor": "auditor",
}


def limits() -> Limits:
    """The numbers that are shipped."""
    return load_limits(
        Path(sealed.__file__).parents[1].joinpath("data/sealed/limits.toml").read_bytes(), "limits"
    )


LIMITS = limits()


def items(count: int) -> list[PackedItem]:
    """Items of a few bytes each, with the canary in every file; ids and salts repeat."""
    return [
        PackedItem(
            f"item-{number:04d}",
            sha256(b"salt" + number.to_bytes(4, "big")).digest(),
            {
                "item.json": PackedFile(b"{}" + CANARY),
                "subject/main.c": PackedFile(CANARY + number.to_bytes(4, "big")),
                "fixed/program": PackedFile(CANARY, runs=True),
            },
        )
        for number in range(count)
    ]


@dataclass
class Measure:
    """What a subject is supposed to have done; keeps what it was shown."""

    solved: int
    ours: int = 0
    shown: list[str] = field(default_factory=list)

    def __call__(self, given: Sequence[PackedItem], folder: Path) -> Measured:
        """As `leadline.runner.sealed.Measure`."""
        self.shown = [item.id for item in given]
        ids = sorted(self.shown)
        done = {
            id_: "solved" if place < self.solved else "not_solved" for place, id_ in enumerate(ids)
        }
        done |= dict.fromkeys(ids[len(ids) - self.ours :], "infra")
        return Measured(done, sha256(b"egress").hexdigest(), {"one.eval": CANARY})


@dataclass
class World:
    """One installation with its people, over any store."""

    store: Store
    vault: MemoryVault = field(default_factory=MemoryVault)
    signer: MemorySigner = field(default_factory=MemorySigner)
    now: datetime = make.NOW
    holders: tuple[HolderKey, ...] = field(
        default_factory=lambda: tuple(custody.new_key() for _ in range(3))
    )
    keys: dict[str, Ed25519PrivateKey] = field(default_factory=dict)

    def __post_init__(self) -> None:
        with self.store.write() as tx:
            for id_ in PERSONS:
                tx.put_principal(self.person(id_))
        for id_ in ("keeper", "lead", "official", "second"):
            self.keys[id_] = Ed25519PrivateKey.generate()
            public = base64.b64encode(self.keys[id_].public_key().public_bytes_raw()).decode()
            key = RegisteredKey(f"key-{id_}", id_, "key", public, self.now)
            approval.register(self.ctx(id_), key)

    @staticmethod
    def person(id_: str) -> Principal:
        """One of `PERSONS`; a developer's and the auditor hold no compartment."""
        outside = id_ in {"developer", "auditor"}
        return make.principal(
            PERSONS[id_],
            id_=id_,
            org=make.DEVELOPER if id_ == "developer" else make.PROGRAMME,
            compartments=() if outside else (COMPARTMENT,),
        )

    def ctx(self, id_: str) -> Context:
        """The person, signed in with two factors and a key, now."""
        return Context(
            self.person(id_),
            lambda: self.now,
            lambda prefix: f"{prefix}-{secrets.token_hex(16)}",
            self.store,
            cedar.shipped(),
            self.vault,
            self.signer,
            assurance=3,
        )

    def later(self, **by: float) -> None:
        """Let time pass."""
        self.now += timedelta(**by)

    def sealing(self, pack: str, count: int, scheme: Scheme = Scheme()) -> Sealing:  # noqa: B008
        """The ciphertext and shares of a pack of `items`."""
        holders = [holder.public for holder in self.holders[: scheme.count]]
        return custody.seal_pack(pack, encode(items(count)), scheme, holders)

    def pack(self, count: int = 6, *, hidden: bool = False, once: bool = False) -> Pack:
        """A sealed pack of *count* items, taken in by the keeper."""
        id_ = f"pack-{secrets.token_hex(16)}"
        sealing = self.sealing(id_, count)
        intake = Intake(
            id=id_,
            ciphertext=sealing.ciphertext,
            items=tuple(item.commitment.hex() for item in items(count)),
            code=CODE,
            scheme=Scheme(),
            shares=sealing.shares,
            marking=SEALED,
            engagement=make.ENGAGEMENT,
            hidden=hidden,
            once=once,
        )
        return sealed.seal(self.ctx("keeper"), intake)

    def plan(self, **changed: str) -> Plan:
        """A run of a model in custody, by the local driver."""
        base = Plan(
            MODEL, "family-a", "custody", "local-process", TERMS, bytes(range(32)), bytes(32)
        )
        return replace(base, **changed)  # type: ignore[arg-type]

    def runner(self, measure: Measure) -> LocalProcess:
        """The local driver around an inner side in this process."""
        return LocalProcess(Inside(measure, CODE), log.policy_of(self.ctx("lead")))

    def granted(self, session: RunSession, quote: Quote) -> Granted:
        """Approvals by two officials and the keeper's own assertion."""
        ctx = self.ctx("keeper")
        request = sealed.ask_unsealing(ctx, session.id, measured(quote))
        for id_ in ("keeper", "official", "second"):
            approval.approve(
                self.ctx(id_), request.id, self.signed(id_, approval.challenge(request))
            )
        return approval.granted(ctx, request.id)

    def signed(self, id_: str, challenge: bytes) -> Signed:
        """The person's key over *challenge*."""
        signature = base64.b64encode(self.keys[id_].sign(challenge)).decode()
        return Signed(f"key-{id_}", "key", {"signature": signature})

    def passed(
        self, pack: Pack, session: RunSession, quote: Quote, places: Sequence[int] = (0, 2)
    ) -> dict[int, str]:
        """What the custodians at *places* pass on to the quote's channel."""
        return self.through(
            pack, Channel(session.id, session.nonce, bytes.fromhex(quote.channel)), places
        )

    def through(
        self, pack: Pack, channel: Channel, places: Sequence[int] = (0, 2)
    ) -> dict[int, str]:
        """What the custodians at *places* pass on to *channel*."""
        digest = sha256(self.vault.get(pack.artefact)).hexdigest()
        return {
            place: custody.pass_on(
                self.holders[place], pack.id, digest, pack.shares[place], channel
            )
            for place in places
        }

    def unsealed(self, pack: Pack, session: RunSession, runner: LocalProcess) -> ActProof:
        """Everything up to the opened pack."""
        runner.prepare(session)
        quote = runner.quote(session.nonce)
        granted = self.granted(session, quote)
        proof = sealed.authorise(self.ctx("keeper"), session.id, measured(quote), granted, limits())
        passed = self.passed(pack, session, quote)
        sealed.release(self.ctx("lead"), session.id, runner, quote, proof, passed)
        return proof

    def ran(
        self, pack: Pack, measure: Measure, limits: Limits = LIMITS, **changed: str
    ) -> tuple[RunSession, Bounded]:
        """A whole run."""
        session = sealed.commit(self.ctx("lead"), pack.id, self.plan(**changed), limits)
        runner = self.runner(measure)
        self.unsealed(pack, session, runner)
        return session, sealed.run(self.ctx("lead"), session.id, runner, "host-1", limits)

    def released(self, pack: Pack, measure: Measure) -> Released:
        """A whole run with its score let out."""
        session, _ = self.ran(pack, measure)
        return sealed.release_score(self.ctx("lead"), session.id, limits())

    def acts(self, kind: Kind) -> list[Mapping[str, object]]:
        """The details of every act of *kind*, in order."""
        with self.store.read() as view:
            return [dict(one.act.detail) for one in view.acts(kind=kind)]

    def alerts(self) -> list[Alert]:
        """Every alert."""
        with self.store.read() as view:
            return [row.value for row in view.find(Alert)]


def material(world: World, pack: Pack, session: RunSession, passed: Mapping[int, str]) -> Material:
    """What `leadline.app.sealed.release` hands a runner."""
    return Material(
        pack.id, world.vault.get(pack.artefact), pack.scheme, passed, session.shown, bytes(32).hex()
    )


def thing(pack: Pack) -> Resource:
    """The pack as access rules see it."""
    return Resource("pack", pack.name, make.ENGAGEMENT, marking=SEALED)


class Lying:
    """A runner whose report has one field changed."""

    def __init__(self, runner: LocalProcess, field_: str) -> None:
        self.driver, self._runner, self._field = runner.driver, runner, field_
        self.prepare, self.quote = runner.prepare, runner.quote
        self.release_keys, self.run, self.close = runner.release_keys, runner.run, runner.close

    def report(self) -> Bounded:
        """As the port, but for one field."""
        told = self._runner.report()
        report = replace(read_report(told.text), **{self._field: "0" * 64})  # type: ignore[arg-type]
        return Bounded(write_report(report), told.evidence)


def appeared(path: Path, seconds: float = 120.0) -> None:
    """Return once the file is there."""
    until = time.monotonic() + seconds
    while not path.exists() and time.monotonic() < until:
        time.sleep(0.05)
    assert path.exists()
