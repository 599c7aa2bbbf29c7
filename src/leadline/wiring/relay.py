"""The relay with its drivers: signer, DPoP proofs, certificates, and the dialects that come with it."""

import asyncio
import secrets
import signal
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path

import leadline
from leadline.core.errors import Invalid, NotFound
from leadline.formats.dialect_toml import Carrier, Dialect, load_dialect
from leadline.relay import bodies, control
from leadline.relay.journal import HEAD, JOURNAL, KEYS, Verified, open_journal, verify
from leadline.relay.ledger import Caps
from leadline.relay.server import Listening, Server, upstream_at
from leadline.relay.state import Prove, State
from leadline.vault.keys import name_in, open_signer

DATA = Path(leadline.__file__).parent / "data" / "relay"
EXAMPLES = ".examples.toml"
OTHER = Dialect(
    "other",
    "An API that is not read",
    "",
    (Carrier("authorization", "Bearer"), Carrier("x-api-key"), Carrier("x-goog-api-key")),
)


def clock() -> datetime:
    """The time, where no installation is: a relay needs neither its store nor its access rules."""
    return datetime.now(UTC)  # noqa: TID251 -- as `wiring.home.clock`


class Steady:
    """The machine's time, which here never goes back: setting a clock back puts off no end.

    It begins at *last*, the time of the journal's last entry, where that is later than *wall* says.
    A step forward is followed.
    """

    def __init__(
        self,
        last: datetime | None,
        wall: Callable[[], datetime] = clock,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._wall, self._seconds = wall, seconds
        now = wall()
        self._start = max(now, last or now) - timedelta(seconds=seconds())

    def __call__(self) -> datetime:
        """The time."""
        passed = timedelta(seconds=self._seconds())
        now = max(self._wall(), self._start + passed)
        self._start = now - passed
        return now


@dataclass(frozen=True, slots=True)
class Serving:
    """How one relay is run."""

    folder: Path
    upstream: str
    key: str
    dialects: tuple[str, ...] = ()
    listen: str = "127.0.0.1:8444"
    public_url: str = ""
    certificate: Path | None = None
    certificate_key: Path | None = None
    clients: Path | None = None
    upstream_authorities: Path | None = None
    bodies: Path | None = None
    bodies_key: Path | None = None


def dialects(names: Sequence[str]) -> tuple[Dialect, ...]:
    """Those of the names; one that is not read, where none is named.

    Raises: Invalid, listing the names there are.
    """
    files = {one.stem: one for one in DATA.glob("*.toml") if not one.name.endswith(EXAMPLES)}
    unknown = [one for one in names if one not in files]
    if unknown:
        raise Invalid("--dialect", f"{unknown[0]!r} is none of {', '.join(sorted(files))}")
    found = tuple(load_dialect(files[one].read_bytes(), files[one].name) for one in names)
    return found or (OTHER,)


def prover() -> Prove | None:
    """What checks DPoP proofs; None where the packages for it are not installed."""
    if find_spec("joserfc") is None:
        return None
    from leadline.identity import dpop

    def prove(text: str, method: str, url: str, secret: str, now: datetime) -> tuple[str, str]:
        found = dpop.verify(text, dpop.Sent(method, url, secret), now)
        return found.jkt, found.number

    return prove


def serve(how: Serving, say: Callable[[str], None]) -> None:
    """Serve until the process is told to end.

    Raises: Refused, Invalid, Tampered, NotFound: whatever is wrong before it listens.
    """
    spoken, at = dialects(how.dialects), _listening(how)
    authorities = how.upstream_authorities
    tls = ssl.create_default_context(cafile=str(authorities)) if authorities else None
    upstream = upstream_at(how.upstream, how.key, tls)
    keep = _keep(how)
    journal = open_journal(how.folder, open_signer, _origin(how.folder), clock())
    try:
        now = Steady(journal.ledger.last)
        state = State(journal, spoken, now, prover(), how.public_url)
        server = Server(state, upstream, how.folder, keep=keep)
        asyncio.run(_until_told(server, at, how, say, keep.recipient if keep else ""))
    finally:
        journal.close()


async def _until_told(
    server: Server, at: Listening, how: Serving, say: Callable[[str], None], recipient: str
) -> None:
    told, loop = asyncio.Event(), asyncio.get_running_loop()
    for one in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(one, told.set)
    async with server.serving(at, recipient) as port:
        say(page(server, f"{'https' if at.tls else 'http'}://{at.host}:{port}", how))
        await told.wait()


def page(server: Server, place: str, how: Serving) -> str:
    """What a relay says of itself when it starts."""
    spoken = ", ".join(one.title for one in server.state.dialects)
    read = any(one.reads for one in server.state.dialects)
    kept = f"sealed into {how.bodies}" if how.bodies else "not kept"
    reading = (
        "Reads in passing: the model's name and the usage, for identity and caps."
        if read
        else "Reads nothing of the API: caps are on requests and bytes only."
    )
    return f"""\
leadline relay at {place}
Passes on     {how.upstream} ({spoken}), byte for byte.
Adds          credentials for one engagement that end by themselves, caps, a look at who answers,
              and a journal of commitments in {how.folder}.
{reading}
Keeps         sizes, times, SHA-256 of bodies, model names, usage; bodies: {kept}.
Never         changes a body, keeps a credential of either side, sends anything elsewhere.
Journal       {server.state.journal.size} entries, verifier keys in {how.folder / KEYS}
End it all    leadline relay revoke --all --state {how.folder}, or end this process.
"""


def tell(folder: Path, told: Mapping[str, object]) -> object:
    """Do a command in the running relay, or in its folder while none runs.

    Raises: NotFound, if there is no such folder; as the command.
    """
    try:
        return control.tell(folder, told)
    except NotFound:
        if not (folder / JOURNAL).exists():
            raise
    journal = open_journal(folder, open_signer, _origin(folder), clock())
    try:
        now = Steady(journal.ledger.last)
        # at rest nothing is relayed, so that what its API would be read by does not matter
        return control.command(State(journal, (OTHER,), now, prover()), dict(told))
    finally:
        journal.close()


def issued(folder: Path, wanted: Mapping[str, object]) -> dict[str, str]:
    """Have a credential issued; raises as `tell`."""
    made = tell(folder, wanted)
    assert isinstance(made, dict)  # noqa: S101 -- our own relay's answer
    return made


@dataclass(frozen=True, slots=True)
class Listed:
    """Every credential, and how often somebody was refused or another model answered."""

    credentials: list[dict[str, object]]
    refused: int
    changed: int


def listed(folder: Path) -> Listed:
    """What the relay knows; raises as `tell`."""
    found = tell(folder, {"do": "list"})
    assert isinstance(found, dict)  # noqa: S101 -- our own relay's answer
    return Listed(**found)


def verified(journal: Path, head: Path | None, keys: Path | None) -> Verified:
    """Check a journal, with what lies beside it unless other files are named.

    Raises: NotFound; Tampered.
    """
    file = journal / JOURNAL if journal.is_dir() else journal
    head_file, key_file = head or file.parent / HEAD, keys or file.parent / KEYS
    if not head_file.exists():
        return verify(file)
    return verify(file, head=head_file.read_bytes(), vkeys=key_file.read_text())


def _origin(folder: Path) -> str:
    return name_in(folder / "relay.key") or f"leadline.example/relay-{secrets.token_hex(16)}"


def _keep(how: Serving) -> bodies.SealedBodies | None:
    if (how.bodies is None) != (how.bodies_key is None):
        raise Invalid("--keep-bodies", "a folder and a public key to seal to come together")
    if how.bodies is None or how.bodies_key is None:
        return None
    return bodies.SealedBodies(how.bodies, bodies.public_key(how.bodies_key))


def _listening(how: Serving) -> Listening:
    host, colon, port = how.listen.rpartition(":")
    if not colon or not port.isdecimal() or int(port) > 65535:  # noqa: PLR2004 -- ports end there
        raise Invalid("--listen", "HOST:PORT, such as 127.0.0.1:8444")
    if (how.certificate is None) != (how.certificate_key is None):
        raise Invalid("--certificate", "a certificate and its key come together")
    if how.certificate is None or how.certificate_key is None:
        return Listening(host.strip("[]"), int(port))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    try:
        context.load_cert_chain(how.certificate, how.certificate_key)
        if how.clients is not None:
            context.verify_mode = ssl.CERT_OPTIONAL
            context.load_verify_locations(how.clients)
    except (OSError, ssl.SSLError) as error:
        raise Invalid("--certificate", f"cannot be read: {error}") from error
    return Listening(host.strip("[]"), int(port), context)


def caps(numbers: Mapping[str, int]) -> dict[str, int]:
    """Caps as a command names them, checked.

    Raises: Invalid.
    """
    Caps(**numbers)
    return dict(numbers)
