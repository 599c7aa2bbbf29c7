"""An installation: one folder, or one database beside it, that holds state, vault and keys.

Every command that works on an installation opens it here. What `leadline assess` leaves in OUT/.state
is an installation as well, so that everything said about one can be tried on the other.
"""

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from leadline.access import cedar
from leadline.app import high_side, people, sealed
from leadline.app.approval import Matter
from leadline.app.context import Context
from leadline.app.obligations import Answered
from leadline.app.ports import Access, KeyStore, Outlet, Signer, Store, Vault
from leadline.core.access import Principal
from leadline.core.account import (
    Challenge,
    Credential,
    Failures,
    Identity,
    Invitation,
    Password,
    RegisteredKey,
    Session,
    Spent,
)
from leadline.core.alert import Alert
from leadline.core.approval import Approval, Request
from leadline.core.assessment import Plan, ShardResult
from leadline.core.clearing.advisory import Advisory
from leadline.core.clearing.finding import Finding, ReplayResult
from leadline.core.clearing.group import Crash, Group
from leadline.core.clearing.notice import Notice, Questions
from leadline.core.engagement.concern import Concern
from leadline.core.engagement.determination import Determination
from leadline.core.engagement.engagement import Engagement
from leadline.core.engagement.incident import Began, Incident
from leadline.core.engagement.partner import Partner
from leadline.core.engagement.register import Entry
from leadline.core.engagement.result import Result
from leadline.core.engagement.terms import Terms
from leadline.core.errors import NotFound
from leadline.core.grant import Grant, Suspension
from leadline.core.identity import Identified
from leadline.core.intake import Taken
from leadline.core.publication import Published
from leadline.core.vaulting import Artefact, Hold, Shredding
from leadline.settings import Home
from leadline.store.sql import open_store
from leadline.vault.keys import name_in, open_signer
from leadline.wiring.log import FolderOutlet
from leadline.wiring.vault import open_vault

LOG_KEY = "log.key"
ORIGIN = "leadline.example/demonstration"
KINDS: Mapping[type, str] = {
    Engagement: "engagement",
    Plan: "plan",
    Identified: "subject-identity",
    ShardResult: "shard-result",
    Finding: "finding",
    ReplayResult: "replay",
    Crash: "crash",
    Group: "group",
    Advisory: "advisory",
    Notice: "notice",
    Questions: "questions",
    Determination: "determination",
    Incident: "incident",
    Began: "began",
    Answered: "answered",
    Concern: "concern",
    Entry: "entry",
    Partner: "partner",
    Terms: "terms",
    Result: "result",
    Alert: "alert",
    Grant: "grant",
    Suspension: "suspension",
    Taken: "taken",
    Published: "published",
    Request: "approval-request",
    Approval: "approval",
    Matter: "approval-matter",
    RegisteredKey: "registered-key",
    Artefact: "artefact",
    Hold: "hold",
    Shredding: "shredding",
    Password: "password",
    Identity: "identity",
    Session: "session",
    Credential: "credential",
    Challenge: "challenge",
    Invitation: "invitation",
    Failures: "failures",
    Spent: "spent",
    **sealed.KINDS,
    **high_side.KINDS,
}


def clock() -> datetime:
    """The time; the only place that asks for it."""
    return datetime.now(UTC)  # noqa: TID251 -- the one place


def new_id(prefix: str) -> str:
    """An unguessable id of 128 bits."""
    return f"{prefix}-{secrets.token_hex(16)}"


@dataclass(frozen=True, slots=True)
class Parts:
    """The drivers of one installation, open."""

    store: Store
    vault: Vault
    signer: Signer
    access: Access
    outlet: Outlet | None = None
    keys: KeyStore | None = None

    def context(self, principal: Principal) -> Context:
        """What a use case is given when *principal* acts now, with what stands of its grants."""
        with self.store.read() as view:
            person = people.present(view, principal, clock())
            suspended = people.suspensions(view)
        return Context(
            person,
            clock,
            new_id,
            self.store.acting(self.access.tenancy(person)),
            self.access,
            self.vault,
            self.signer,
            suspended=suspended,
            outlet=self.outlet,
        )


def make(home: Home) -> None:
    """The folders of an installation, where they are missing."""
    for folder in (home.folder, home.vault, home.keys):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)


def origin(home: Home) -> str:
    """The name of the installation's log, which stands in its keys; a new one is a demonstration's.

    Raises: Invalid, if the file of keys is none.
    """
    return name_in(home.keys / LOG_KEY) or ORIGIN


def open_parts(home: Home, store: Store) -> Parts:
    """The drivers of an installation around its open store."""
    signer, outlet = open_signer(home.keys / LOG_KEY, origin(home)), FolderOutlet(home)
    vault, keys = open_vault(home, store, signer, outlet, clock)
    return Parts(store, vault, signer, cedar.shipped(), outlet, keys)


@contextmanager
def opened(home: Home) -> Iterator[Parts]:
    """The parts of an installation that exists already.

    Raises: NotFound, saying how to make one, if nothing is there.
    """
    if not home.exists():
        raise NotFound(
            f"no installation at {home.folder}; run `leadline init --home DIR` or `make assess`, "
            "or name the folder with --home or LEADLINE_HOME"
        )
    store = open_store(home.database, kinds=KINDS)
    try:
        yield open_parts(home, store)
    finally:
        store.close()
