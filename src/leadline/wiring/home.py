"""An installation: one folder, or one database beside it, that holds state, vault and keys.

Every command that works on an installation opens it here. What `leadline assess` leaves in OUT/.state
is an installation as well, so that everything said about one can be tried on the other.
"""

import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache, partial

from leadline.access import cedar
from leadline.app import high_side, people, sealed, sealed_sessions
from leadline.app.approval import Matter
from leadline.app.arriving import Arriving
from leadline.app.context import Context
from leadline.app.inquiry_draft import InquiryDraft
from leadline.app.lines import Shown
from leadline.app.maintainer_link import Link, Said
from leadline.app.obligations import Answered
from leadline.app.once import Carried
from leadline.app.ports import Access, KeyStore, Outlet, Signer, Store, Vault
from leadline.app.sign_in import NOBODY
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
from leadline.core.attention import Feed, Item, Reached, Sending, Wish
from leadline.core.clearing.advisory import Advisory
from leadline.core.clearing.case_file import CaseFile
from leadline.core.clearing.contract import Contract
from leadline.core.clearing.delivery import Delivery, Release
from leadline.core.clearing.directory import Project
from leadline.core.clearing.disclosure import Disclosure
from leadline.core.clearing.finding import Finding, ReplayResult
from leadline.core.clearing.fix import Fix
from leadline.core.clearing.group import Crash, Group
from leadline.core.clearing.handover import Handover
from leadline.core.clearing.message import Message
from leadline.core.clearing.notice import Notice, Questions
from leadline.core.clearing.operator import Enrolment, Parcel, Snapshot
from leadline.core.clearing.published import Issued
from leadline.core.clearing.report import Known, Report
from leadline.core.clearing.tiers import Tiers
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
from leadline.core.organisation import Delegation, Organisation, Stopped
from leadline.core.publication import Published
from leadline.core.vaulting import Artefact, Hold, Shredding
from leadline.settings import Home
from leadline.store.sql import open_store
from leadline.vault.keys import name_in, open_signer
from leadline.wiring import clock as time_source
from leadline.wiring.log import FolderOutlet
from leadline.wiring.regimes import library
from leadline.wiring.vault import open_vault

LOG_KEY = "log.key"
ORIGIN = "leadline.example/demonstration"
KINDS: Mapping[type, str] = {
    Engagement: "engagement",
    Plan: "plan",
    Identified: "subject-identity",
    ShardResult: "shard-result",
    Finding: "finding",
    Report: "report",
    Known: "known-proof",
    Contract: "contract",
    ReplayResult: "replay",
    Fix: "fix",
    Crash: "crash",
    Group: "group",
    Advisory: "advisory",
    Issued: "issued-advisory",
    Handover: "case-handover",
    CaseFile: "case-file",
    Disclosure: "disclosure",
    Message: "drafted-message",
    Link: "maintainer-link",
    Said: "maintainer-answer",
    Project: "contact-entry",
    Notice: "notice",
    Questions: "questions",
    Enrolment: "operator-enrolment",
    Snapshot: "inventory-snapshot",
    Parcel: "inventory-parcel",
    Tiers: "notice-tiers",
    Release: "notice-release",
    Delivery: "notice-delivery",
    Determination: "determination",
    Incident: "incident",
    Began: "began",
    Answered: "answered",
    InquiryDraft: "inquiry-draft",
    Concern: "concern",
    Entry: "entry",
    Partner: "partner",
    Terms: "terms",
    Result: "result",
    Alert: "alert",
    Grant: "grant",
    Suspension: "suspension",
    Organisation: "organisation",
    Delegation: "delegation",
    Stopped: "stopped-person",
    Taken: "taken",
    Arriving: "arriving-upload",
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
    Item: "inbox-item",
    Sending: "sending",
    Wish: "wish",
    Reached: "reached",
    Feed: "calendar-feed",
    Carried: "carried-request",
    **sealed.KINDS,
    **sealed_sessions.KINDS,
    **high_side.KINDS,
}

clock = time_source.clock


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
    clock: Callable[[], datetime] = clock

    def context(self, principal: Principal) -> Context:
        """What a use case is given when *principal* acts now, with what stands of its grants."""
        with self.store.read() as view:
            person = people.present(view, principal, self.clock())
            return replace(self.unasked(person), suspended=people.suspensions(view))

    def unasked(self, principal: Principal = NOBODY) -> Context:
        """A context for which nothing is read: no rule is to be asked in it."""
        return Context(
            principal,
            self.clock,
            new_id,
            self.store.acting(self.access.tenancy(principal)),
            self.access,
            self.vault,
            self.signer,
            outlet=self.outlet,
        )


def make(home: Home) -> None:
    """The folders of an installation, where they are missing."""
    for folder in (home.folder, home.vault, home.keys):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)


def lines_of(home: Home) -> Shown:
    """What lists show, by the regimes of the installation, which are read when first needed."""
    return Shown(cache(partial(library, home.folder / "regimes")))


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
    store = open_store(home.database, kinds=KINDS, lines=lines_of(home))
    try:
        yield open_parts(home, store)
    finally:
        store.close()
