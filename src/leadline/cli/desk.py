"""The desk as commands open it: at an installation of this machine, or at the server that is named."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar, cast

import typer
from typing_extensions import override

from leadline import settings
from leadline.app.context import Context
from leadline.app.engagement import Dealings
from leadline.cli.session import kept
from leadline.core.access import Action, Principal
from leadline.core.approval import Detail, Granted
from leadline.core.engagement.library import Library
from leadline.core.errors import Invalid
from leadline.core.intake import Purpose
from leadline.wiring import desk
from leadline.wiring.clock import clock
from leadline.wiring.desk import AtDesk, Desk, Handed, Offered
from leadline.wiring.regimes import library

if TYPE_CHECKING:
    from leadline.client.remote import Remote
    from leadline.wiring.submission import Folder

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True)
class RemoteDesk(Desk):
    """One person at the desk of a server."""

    remote: "Remote"
    library: Library

    @cached_property
    @override
    def now(self) -> datetime:
        """The time of this machine, for what is shown of the server's answers."""
        return clock()

    @cached_property
    @override
    def person(self) -> Principal:
        """Who the session stands for."""
        return self.remote.me()

    @override
    def do(
        self, case: Callable[Concatenate[Context, P], T], /, *args: P.args, **kwargs: P.kwargs
    ) -> T:
        return self.remote.call(case, *args, **kwargs)

    @override
    def known(self, make: Callable[[AtDesk], T]) -> T:
        return cast("T", None)  # the server has it, and the client sends none

    @override
    def dealings(self, engagement_id: str) -> Dealings:
        from leadline.client.remote import at_server

        return at_server(engagement_id)

    @override
    def open(self, model: str, digest: str, regime: str) -> str:
        return self.remote.begun(model, digest, regime)

    @override
    def signed(
        self, action: Action, on: Dealings, facts: Mapping[str, Detail], key: Path
    ) -> Granted:
        from leadline.wiring.sign_in import signer_of

        return self.remote.signed(action, on.id, facts, signer_of(key))

    @override
    def deposit(self, file: Path, engagement_id: str, purpose: Purpose, *, sealed: bool) -> Handed:
        from leadline.client import handing

        one = handing.File(file, engagement_id, purpose, sealed)
        made = handing.deposit(self.remote, one, lambda told: typer.echo(told, err=True))
        return Handed(made["id"], made["digest"], made["bytes"], made["content"])

    @override
    def offer(self, on: Dealings, folder: "Folder") -> Offered:
        from leadline.client import handing
        from leadline.wiring.submission import BYTES_MAX, FILE

        pieces = folder.pack().pieces
        if sum(one.size for one in pieces) > BYTES_MAX:
            told = f"a pack of more than {BYTES_MAX} bytes is offered at the installation itself"
            raise Invalid("--server", told)
        names = [one.file for one in pieces]
        made = handing.offer(self.remote, on.id, folder.path / FILE, names)
        return Offered(made["manifest"], made["digest"], tuple(made["files"]), made["terms"])


@contextmanager
def at_desk(home: Path | None, path: Path) -> Iterator[Desk]:
    """The desk for whoever holds the session kept in *path*; of the server, where one is named.

    Raises: as `leadline.wiring.desk.at_desk`; Invalid, for a server without TLS.
    """
    found = settings.server() if home is None else None
    if found is None:
        with desk.at_desk(settings.home(home), kept(path)) as here:
            yield here
        return
    from leadline.client import remote
    from leadline.client.terminal import Place

    place = Place(found.url.rstrip("/"), found.authority, found.certificate)
    with remote.opened(place, kept(path)) as there:
        yield RemoteDesk(there, library(None))


def here(me: Desk) -> AtDesk:
    """The desk of this machine, for what needs its folder.

    Raises: Invalid, at a server.
    """
    if not isinstance(me, AtDesk):
        raise Invalid("--server", "this is done at the installation itself; name its folder")
    return me


@contextmanager
def at_server(path: Path) -> Iterator["Remote"]:
    """The server that is named, for whoever holds the session kept in *path*."""
    with at_desk(None, path) as me:
        if not isinstance(me, RemoteDesk):
            raise Invalid("--server", "name one")
        yield me.remote
