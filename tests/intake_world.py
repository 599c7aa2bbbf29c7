"""People, a store, a vault and a quarantine, as tests of uploads, weights and publication need them."""

import base64
import secrets
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import BinaryIO, TypeVar, cast

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

import make
from fakes import MemorySigner, MemoryVault
from leadline.access import cedar
from leadline.app import approval, intake
from leadline.app.assertion import Signed
from leadline.app.context import Context
from leadline.app.intake import Upload
from leadline.app.ports import Access, Store, Vault
from leadline.core.access import Principal
from leadline.core.account import RegisteredKey
from leadline.core.alert import Alert
from leadline.core.approval import Request
from leadline.core.intake import DEFAULT, Limits, Purpose, Taken
from leadline.core.record.act import Act, Kind

T = TypeVar("T")
PERSONS: Mapping[str, str] = {
    "keeper": "custodian",
    "official": "determining-official",
    "second": "concurring-official",
    "coordinator": "coordinator",
    "developer": "developer",
    "anybody": "public",
}
SIGNERS = ("keeper", "official", "second", "coordinator")


@cache
def rules() -> Access:
    """The rules that are shipped, read once."""
    return cedar.shipped()


@dataclass
class World:
    """One installation with its people, over any store."""

    store: Store
    vault: Vault = field(default_factory=lambda: cast("Vault", MemoryVault()))
    signer: MemorySigner = field(default_factory=MemorySigner)
    now: datetime = make.NOW
    keys: dict[str, Ed25519PrivateKey] = field(default_factory=dict)

    def __post_init__(self) -> None:
        with self.store.write() as tx:
            for id_ in PERSONS:
                tx.put_principal(self.person(id_))
        for id_ in SIGNERS:
            self.keys[id_] = Ed25519PrivateKey.generate()
            public = base64.b64encode(self.keys[id_].public_key().public_bytes_raw()).decode()
            approval.register(
                self.ctx(id_), RegisteredKey(f"key-{id_}", id_, "key", public, self.now)
            )

    @staticmethod
    def person(id_: str) -> Principal:
        """One of `PERSONS`; anybody has no organisation and is named for nothing."""
        if id_ == "anybody":
            return make.principal("public", id_=id_, org="", engagements=(), access_until=None)
        org = make.DEVELOPER if id_ == "developer" else make.PROGRAMME
        return make.principal(PERSONS[id_], id_=id_, org=org)

    def ctx(self, id_: str) -> Context:
        """The person, signed in with two factors and a key, now; anybody is not signed in."""
        return Context(
            self.person(id_),
            lambda: self.now,
            lambda prefix: f"{prefix}-{secrets.token_hex(16)}",
            self.store,
            rules(),
            self.vault,
            self.signer,
            assurance=1 if id_ == "anybody" else 3,
        )

    def approved(self, request: Request, *approvers: str) -> None:
        """The requester's assertion and the approvals of *approvers*."""
        for id_ in (request.requester, *approvers):
            signature = base64.b64encode(self.keys[id_].sign(approval.challenge(request))).decode()
            signed = Signed(f"key-{id_}", "key", {"signature": signature})
            approval.approve(self.ctx(id_), request.id, signed)

    def take(self, raw: bytes, purpose: Purpose = Purpose.DOCUMENT, *, by: str = "keeper") -> Taken:
        """*raw* deposited as working content."""
        return self.deposit(upload(purpose), raw, by=by)

    def deposit(
        self, announced: Upload, *chunks: bytes, by: str = "keeper", limits: Limits = DEFAULT
    ) -> Taken:
        """An upload in pieces."""
        return intake.deposit(self.ctx(by), announced, chunks, quarantine, limits)

    def acts(self, kind: Kind) -> list[Act]:
        """The acts of one kind, in order."""
        with self.store.read() as view:
            return [opened.act for opened in view.acts(kind=kind)]

    def alerts(self, kind: str) -> list[Alert]:
        """The alerts of one kind."""
        return [alert for alert in self.all(Alert) if alert.kind == kind]

    def all(self, kind: type[T]) -> list[T]:
        """Every value of one kind."""
        with self.store.read() as view:
            return [row.value for row in view.find(kind)]


@contextmanager
def quarantine(folder: Path | None = None) -> Iterator[BinaryIO]:
    """A file without a name."""
    with tempfile.TemporaryFile(dir=folder) as file:
        yield cast("BinaryIO", file)


def upload(
    purpose: Purpose = Purpose.DOCUMENT, name: str = "a file", declared: int | None = None
) -> Upload:
    """One upload to the engagement of the tests."""
    return Upload(make.ENGAGEMENT, make.DEVELOPER, purpose, name, declared)
