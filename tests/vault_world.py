"""A small world around a key service: a clock, three persons with keys, a log, and what they sign.

Everything is real but the store of persons: signatures, the log's tree, checkpoint and proof.
"""

import base64
import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

import make
from fake_vault import FaultyKeyStore
from fakes import MemorySigner, MemoryVault
from leadline.app import approval
from leadline.app.ports import KeyStore, Release, Vault
from leadline.core.access import Action
from leadline.core.account import RegisteredKey
from leadline.core.approval import Approval, Request
from leadline.core.errors import NotFound
from leadline.core.record import tlog
from leadline.core.record.act import Act, Kind, to_record
from leadline.formats import tlog_policy
from leadline.formats.checkpoint import Checkpoint
from leadline.formats.manifest import Opening
from leadline.formats.tlog_policy import Policy
from leadline.formats.tlog_proof import ActProof, Proof
from leadline.vault.compartments import CompartmentKeys
from leadline.vault.envelope import CLASSIC, HYBRID
from leadline.vault.keks import FileWrappingKeys, WrappingKeys
from leadline.vault.sealed import SealedVault
from leadline.vault.tokens import TokenWrappingKeys

CUSTODIAN, FIRST, SECOND = "custodian", "official", "evaluator"
SOFTHSM = Path("/usr/lib/softhsm/libsofthsm2.so")
PIN = "12345678"


@dataclass
class World:
    """The persons, the clock and the log that a key service verifies against."""

    now: datetime = make.NOW
    signer: MemorySigner = field(default_factory=MemorySigner)
    registered: dict[str, RegisteredKey] = field(default_factory=dict)
    requests: int = 0

    def __post_init__(self) -> None:
        for person in (CUSTODIAN, FIRST, SECOND):
            public = self.key(person).public_key().public_bytes_raw()
            text = base64.b64encode(public).decode()
            added = make.NOW - timedelta(days=1)
            self.registered[person] = RegisteredKey(person, person, "key", text, added)

    def clock(self) -> datetime:
        """The time of this world."""
        return self.now

    def roster(self, id_: str) -> RegisteredKey:
        """The registered key of an id; each person's key is called as the person."""
        if id_ not in self.registered:
            raise NotFound(f"no key {id_}")
        return self.registered[id_]

    def policy(self) -> Policy:
        """The log alone."""
        return tlog_policy.alone(self.signer.vkeys())

    def key(self, person: str) -> Ed25519PrivateKey:
        """A private key that repeats from run to run."""
        return Ed25519PrivateKey.from_private_bytes(sha256(person.encode()).digest())

    def request(self, digest: str, *, action: Action = Action.ARTEFACT_UNSEAL) -> Request:
        """The custodian's request to unseal what has this digest."""
        self.requests += 1
        return Request(
            f"request-{self.requests:04d}",
            action,
            "artefact",
            "artefact-0001",
            make.ENGAGEMENT,
            CUSTODIAN,
            self.now,
            f"{self.requests:064x}",
            {"digest": digest},
        )

    def sign(self, request: Request, person: str, *, at: datetime | None = None) -> Approval:
        """One person's signature over a request."""
        signature = self.key(person).sign(approval.challenge(request))
        evidence = {"signature": base64.b64encode(signature).decode()}
        name = f"approval-{request.id}-{person}"
        return Approval(name, request.id, person, at or self.now, "key", person, evidence)

    def act(self, request: Request) -> Act:
        """The act that authorises a request."""
        detail = {"request": request.id, "challenge": approval.challenge(request).hex()}
        return Act(
            f"act-{request.id}",
            Kind.UNSEALING_AUTHORISED,
            self.now,
            request.requester,
            request.resource,
            request.engagement,
            detail,
        )

    def proof(self, act: Act) -> ActProof:
        """The act as the second of three leaves of the log, proved."""
        opening = Opening(1, bytes(32), to_record(act))
        entries = [b"\1" + bytes(32), opening.entry, b"\1" + bytes([1] * 32)]
        leaves = [tlog.leaf_hash(entry) for entry in entries]
        first = tlog.node_hash(leaves[0], leaves[1])
        root = tlog.node_hash(first, leaves[2])
        name = self.signer.vkeys().partition("+")[0]
        signed = self.signer.sign(Checkpoint(name, 3, root).text)
        return ActProof(opening, Proof(1, (leaves[0], leaves[2]), signed).document)

    def release(self, digest: str) -> Release:
        """All that opens a sealed artefact: three signatures and the proof."""
        request = self.request(digest)
        signed = tuple(self.sign(request, one) for one in (CUSTODIAN, FIRST, SECOND))
        return Release(request, signed, self.proof(self.act(request)))


def without(release: Release, person: str) -> Release:
    """The same without one person's signature."""
    return replace(
        release, approvals=tuple(one for one in release.approvals if one.principal != person)
    )


def token(folder: Path) -> TokenWrappingKeys:
    """A fresh software token in a folder; the library reads its place from the environment once."""
    tokens = folder / "tokens"
    tokens.mkdir()
    config = folder / "softhsm2.conf"
    config.write_text(f"directories.tokendir = {tokens}\nobjectstore.backend = file\n")
    os.environ["SOFTHSM2_CONF"] = str(config)  # noqa: TID251 -- the library reads it nowhere else
    argv = ["softhsm2-util", "--init-token", "--free", "--label", "vault"]
    subprocess.run([*argv, "--so-pin", PIN, "--pin", PIN], check=True, capture_output=True)
    return TokenWrappingKeys(str(SOFTHSM), "vault", PIN)


def key_store(kind: str, world: World, folder: Path, keys: WrappingKeys | None) -> KeyStore:
    """A key service of each kind: memory, file, classic (X25519 alone), pkcs11."""
    if kind == "memory":
        return FaultyKeyStore(world.clock, world.roster, world.policy)
    return CompartmentKeys(
        folder / "vault" / "compartments",
        keys or FileWrappingKeys(folder / "keys" / "compartments"),
        folder / "keys" / "marks",
        clock=world.clock,
        roster=world.roster,
        policy=world.policy,
        kem=CLASSIC if kind == "classic" else HYBRID,
    )


@dataclass(frozen=True, slots=True)
class VaultUnderTest:
    """A vault, its keys and world, and a way to damage what it holds."""

    vault: Vault
    keys: KeyStore
    world: World
    folder: Path
    damage: Callable[[str], None]


def vault(kind: str, world: World, folder: Path, *, shard_bytes: int = 1 << 20) -> VaultUnderTest:
    """An empty vault: memory, or files with shards so small that more than one is common."""
    keys = key_store("memory" if kind == "memory" else "file", world, folder, None)
    if kind == "memory":
        memory = MemoryVault(keys)

        def replaced(digest: str) -> None:
            memory.content[digest] += b"changed"

        return VaultUnderTest(memory, keys, world, folder, replaced)

    def flipped(digest: str) -> None:
        for shard in (folder / "vault" / "content" / digest[:2] / digest).rglob("0.shard"):
            content = bytearray(shard.read_bytes())
            content[-1] ^= 1
            shard.write_bytes(content)

    sealed = SealedVault(folder / "vault", keys, shard_bytes=shard_bytes)
    return VaultUnderTest(sealed, keys, world, folder, flipped)
