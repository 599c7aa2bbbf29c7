"""An installation in a folder with people of every kind, and a clock that tests move."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import cast

import uvicorn
from fastapi import FastAPI
from starlette.datastructures import State

import empty
import make
from leadline.app import approval, sign_in
from leadline.app.context import Context
from leadline.app.sign_in import Caller, SignedIn
from leadline.core.access import Principal
from leadline.core.alert import Alert
from leadline.core.engagement.engagement import Engagement
from leadline.core.record.act import Kind
from leadline.http.api import serving
from leadline.http.api.serving import Listen, Tls
from leadline.http.application import create
from leadline.identity.passkey import Site
from leadline.identity.password import Cost, Passwords
from leadline.identity.software_key import SoftwareKey
from leadline.settings import Home
from leadline.wiring import home as wiring
from leadline.wiring.portal import Portal
from leadline.wiring.sign_in import Acting, Door

QUICK = Cost(memory=64, passes=1, lanes=1)
SITE = Site("localhost", "https://localhost:8443")
PASSWORD = "a long and quiet sentence"
HERE = Caller("127.0.0.1", "a test")
DATABASE = "leadline.db"


@dataclass
class Clock:
    """The time, until a test moves it."""

    now: datetime = field(default_factory=lambda: make.NOW)

    def __call__(self) -> datetime:
        """The time."""
        return self.now

    def forward(self, **by: float) -> None:
        """Some time passes."""
        self.now += timedelta(**by)


@dataclass
class House:
    """A door with its parts, and short ways to what tests ask about."""

    door: Door
    clock: Clock
    home: Home
    application: FastAPI = field(default_factory=FastAPI)

    @property
    def folder(self) -> Path:
        """Where everything of it lies."""
        return self.home.folder

    @property
    def portal(self) -> Portal:
        """What pages and API are served from."""
        return Portal(self.door, self.home)

    def enrol(self, id_: str, *roles: str, **changed: object) -> Principal:
        """A person, entered or replaced."""
        person = replace(make.principal(*roles, id_=id_), **changed)  # type: ignore[arg-type]
        with self.door.parts.store.write() as tx:
            tx.put_principal(person)
        return person

    def ctx(self, id_: str, level: int = 3) -> Context:
        """The person's context now, signed in as told."""
        return self.door.opened(id_, level)

    def key(self, id_: str) -> SoftwareKey:
        """A software key of the person's, registered."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        key = SoftwareKey(Ed25519PrivateKey.generate())
        approval.register(self.ctx(id_), key.registered(id_, self.clock.now))
        return key

    def password(self, id_: str, password: str = PASSWORD) -> None:
        """A password of the person's."""
        sign_in.set_password(self.ctx(id_), self.door.passwords.new(password))

    def signed_in(self, id_: str) -> SignedIn:
        """A session begun with the password."""
        return self.door.by_password(id_, PASSWORD, HERE)

    def acting(self, begun: SignedIn) -> Acting:
        """Who a session stands for at this moment."""
        return self.door.acting(begun.token)

    def engagement(self, id_: str = make.ENGAGEMENT) -> None:
        """An engagement with a developer, as the store has it."""
        facts = Engagement(
            id=id_,
            regime="us-eo-14409",
            regime_digest="00" * 32,
            developer=make.DEVELOPER,
            model="a model nobody heard of",
            subject_digest="00" * 32,
            opened_at=self.clock.now,
        )
        with self.door.parts.store.write() as tx:
            tx.put(id_, facts, marking=make.marking(), engagement=id_, org=make.DEVELOPER)

    def kinds(self) -> list[Kind]:
        """The kinds of all acts, in order."""
        with self.door.parts.store.read() as view:
            return [opened.act.kind for opened in view.acts()]

    def alerts(self) -> list[tuple[str, str]]:
        """Kind and subject of every alert."""
        with self.door.parts.store.read() as view:
            return [(row.value.kind, row.value.about) for row in view.find(Alert)]


@contextmanager
def house(folder: Path, url: str = "") -> Iterator[House]:
    """An installation, new if there is none; its database is SQLite in the folder, unless *url* names another."""
    home, clock = Home(folder, url), Clock()
    wiring.make(home)
    if not url and not (folder / DATABASE).exists():
        (folder / DATABASE).write_bytes(empty.sqlite())
    with wiring.opened(home) as parts:
        timed = replace(parts, clock=clock)
        yield House(Door(timed, SITE, Passwords(QUICK)), clock, home)


@cache
def _routes() -> FastAPI:
    return create(cast("Portal", None))


def application(portal: Portal) -> FastAPI:
    """What `create` makes of *portal*; its routes, which all have alike, are read once in a process."""
    own = copy(_routes())
    own.state = State({"portal": portal})
    return own


@contextmanager
def served(at: House, tls: Tls | None, host: str = "127.0.0.1") -> Iterator[str]:
    """The API under uvicorn on a free port, in a thread of its own."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port = bound.getsockname()[1]
        url = f"{'https' if tls else 'http'}://127.0.0.1:{port}"
        origin = url.replace("127.0.0.1", host)
        at.door = replace(at.door, site=Site("localhost", origin))
        at.application = application(at.portal)
        config = serving.configured(at.application, Listen("127.0.0.1", port), tls)
        server = uvicorn.Server(config)
        running = threading.Thread(target=server.run, kwargs={"sockets": [bound]})
        running.start()
        try:
            until(lambda: server.started)
            yield url
        finally:
            server.should_exit = True
            running.join()


def until(ready: Callable[[], bool], seconds: float = 20) -> None:
    """Wait for it."""
    end = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.02)
