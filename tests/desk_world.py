"""An installation with everybody who comes to the engagement desk, on a store in memory."""

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import make
from fake_vault import FaultyKeyStore
from fakes import MemorySigner, MemoryStore, MemoryVault
from leadline.access import cedar
from leadline.app import approval
from leadline.app import engagement as desk
from leadline.app.assertion import Signed
from leadline.app.context import OWN, Context
from leadline.app.engagement import Dealings
from leadline.app.ports import Access, Store
from leadline.core.access import Action, Principal, Resource
from leadline.core.account import RegisteredKey
from leadline.core.approval import Detail, Granted
from leadline.core.assessment import Subject
from leadline.core.engagement.library import Library
from leadline.core.engagement.terms import Terms
from leadline.core.record.act import Act, Kind
from leadline.formats import tlog_policy
from leadline.wiring.desk import library
from leadline.wiring.home import KINDS
from vault_world import World

SHIPPED = cedar.shipped()
MODEL = "demonstration-model"
SUBJECT = Subject("model", MODEL, "d" * 64)
# Who, of which organisation, in which role, named for the engagement or not.
PEOPLE = (
    ("developer", make.DEVELOPER, "developer", False),
    ("colleague", make.DEVELOPER, "developer", False),
    ("rival", "another-developer", "developer", False),
    ("official", make.PROGRAMME, "determining-official", True),
    ("second-official", make.PROGRAMME, "concurring-official", True),
    ("third-official", make.PROGRAMME, "concurring-official", True),
    ("evaluator", make.PROGRAMME, "evaluator", True),
    ("partner", "a-utility", "trusted-partner", True),
    ("officer", make.PROGRAMME, "programme-officer", True),
    ("coordinator", make.PROGRAMME, "coordinator", True),
    ("auditor", "an-auditor", "auditor", False),
    ("operator", "a-hospital", "operator", False),
)


@dataclass
class DeskWorld:
    """The people, the clock, and one engagement, which is a draft until told otherwise."""

    now: datetime = make.NOW
    regime: str = "us-eo-14409"
    library: Library = field(default_factory=library)
    access: Access = SHIPPED
    signer: MemorySigner = field(default_factory=MemorySigner)
    id_: Callable[[str], str] = field(default_factory=make.ids)
    vault: MemoryVault = field(init=False)
    store: Store = field(init=False)
    on: Dealings = field(init=False)

    def __post_init__(self) -> None:
        self.store = MemoryStore(make.blinders(), KINDS)

        def roster(id_: str) -> RegisteredKey:
            with self.store.read() as view:
                return view.get(RegisteredKey, id_).value

        def policy() -> tlog_policy.Policy:
            return tlog_policy.alone(self.signer.vkeys())

        self.vault = MemoryVault(FaultyKeyStore(lambda: self.now, roster, policy))
        for id_, org, role, named in PEOPLE:
            self.enrol(
                make.principal(
                    role, id_=id_, org=org, engagements=(make.ENGAGEMENT,) if named else ()
                )
            )
        text = self.library.newest(self.regime)
        self.on = Dealings(make.ENGAGEMENT, make.DEVELOPER, text, self.library)
        desk.open_draft(self.at("developer"), self.on, MODEL, SUBJECT)

    def enrol(self, person: Principal) -> None:
        """Enter a person with a key to sign with."""
        public = World().key(person.id).public_key().public_bytes_raw()
        text = base64.b64encode(public).decode()
        key = RegisteredKey(
            f"key-{person.id}", person.id, "key", text, self.now - timedelta(days=1)
        )
        with self.store.write() as tx:
            tx.put_principal(person)
            tx.put(key.id, key, marking=OWN)

    def at(self, person: str, *, assurance: int = 3) -> Context:
        """What a use case is given when that person acts now."""
        with self.store.read() as view:
            principal = view.principal(person)
        return Context(
            principal,
            lambda: self.now,
            self.id_,
            self.store,
            self.access,
            self.vault,
            self.signer,
            assurance=assurance,
        )

    def signed(
        self, person: str, action: Action, thing: Resource, detail: Mapping[str, Detail]
    ) -> Granted:
        """That person asks for an act and signs it at once."""

        def sign(challenge: bytes) -> Signed:
            signature = World().key(person).sign(challenge)
            evidence = {"signature": base64.b64encode(signature).decode()}
            return Signed(f"key-{person}", "key", evidence)

        return approval.asserted(self.at(person), action, thing, detail, sign)

    def after(self, **later: float) -> None:
        """Let time go on, in `timedelta`'s words."""
        self.now += timedelta(**later)

    def acts(self, *kinds: Kind) -> list[Act]:
        """The acts of these kinds; of all without any."""
        with self.store.read() as view:
            return [one.act for one in view.acts() if not kinds or one.act.kind in kinds]

    def terms(self, *, days: int = 60, purposes: tuple[str, ...] = ("assessment",)) -> Terms:
        """Terms that both sides can agree to."""
        return Terms("c", "s", "i", "p", "u", "n", purposes, 90, self.now + timedelta(days=days))

    def open_access(self, *, anchor_days: int = 20) -> None:
        """From a draft to open access, each step by whose it is."""
        anchor, terms = self.now + timedelta(days=anchor_days), self.terms()
        desk.set_anchor(self.at("developer"), self.on, anchor, "UTC")
        for person in ("developer", "official"):
            desk.agree_terms(self.at(person), self.on, terms)
        desk.open_access(self.at("developer"), self.on)

    def change(self, person: str, **changed: object) -> None:
        """Change a person's entry, as an administrator would."""
        with self.store.write() as tx:
            tx.put_principal(replace(tx.principal(person), **changed))  # type: ignore[arg-type] # the tests name real fields
