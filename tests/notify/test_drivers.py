"""Mail over a real SMTP server, webhooks over real TLS on this machine, and what they refuse."""

import http.server
import socket
import ssl
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from typing_extensions import override

import make
from identity.authority import SERVER, Authority
from leadline.core.errors import Refused, Unavailable
from leadline.notify import mail, webhook
from leadline.notify.mail import Server
from leadline.notify.webhook import Egress, Hook, public, signature
from leadline.wiring.home import clock

SENDER = "leadline@installation.example"


def certified(folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """An authority's trust for a client, and a server's side of TLS for localhost."""
    authority, key = Authority(now=clock()), ec.generate_private_key(ec.SECP256R1())
    (folder / "root.pem").write_bytes(authority.pem)
    der = authority.issued(key, uses=(SERVER,))
    pem = x509.load_der_x509_certificate(der).public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    (folder / "server.pem").write_bytes(pem + private)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(folder / "server.pem")
    return ssl.create_default_context(cafile=str(folder / "root.pem")), server


@dataclass
class Kept:
    """What an SMTP server took."""

    mails: list[Envelope] = field(default_factory=list)

    @property
    def texts(self) -> list[bytes]:
        """Each whole mail, as it came."""
        found = [one.original_content for one in self.mails]
        return [one for one in found if one is not None]

    async def handle_DATA(self, _server: object, _session: object, envelope: Envelope) -> str:  # noqa: N802
        """As aiosmtpd has it."""
        self.mails.append(envelope)
        return "250 OK"


@contextmanager
def smtp(tls: ssl.SSLContext | None = None) -> Iterator[tuple[Kept, int]]:
    """A server on this machine; with *tls* it wants STARTTLS and a name with a password."""
    kept = Kept()

    def known(_s: object, _e: object, _v: object, _m: object, data: object) -> AuthResult:
        told = (getattr(data, "login", b""), getattr(data, "password", b""))
        return AuthResult(success=told == (b"leadline", b"secret word"))

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    if tls is None:
        at = Controller(kept, hostname="127.0.0.1", port=port)
    else:
        at = Controller(
            kept,
            hostname="127.0.0.1",
            port=port,
            tls_context=tls,
            require_starttls=True,
            authenticator=known,
            auth_required=True,
        )
    at.start()
    try:
        yield kept, port
    finally:
        at.stop()


def one_mail(server: Server) -> bytes:
    """The mail that is sent for anything."""
    made = mail.message(server, "ann@hospital.example", "https://l.example", "item-ab", make.NOW)
    return made.as_bytes()


def test_mail_says_nothing_but_where_to_look(tmp_path: Path) -> None:
    """Over STARTTLS with a password; the same text for everything."""
    authority, server_side = certified(tmp_path)
    with smtp(server_side) as (kept, port):
        server = Server("localhost", port, SENDER, user="leadline", password="secret word")
        mail.send(server, mail.message(server, "ann@hospital.example", "https://l.example",
                                       "item-ab", make.NOW), authority)  # fmt: skip
    text = kept.texts[0]
    assert kept.mails[0].rcpt_tos == ["ann@hospital.example"]
    assert b"Subject: Leadline: an item needs attention" in text
    assert b"https://l.example/inbox/item-ab" in text
    assert b"Auto-Submitted: auto-generated" in text
    assert "secret word" not in repr(server)


def test_mail_that_is_not_taken_may_be_tried_again(tmp_path: Path) -> None:
    """A wrong password, an unknown certificate, nobody there: one kind of error, without the words."""
    authority, server_side = certified(tmp_path)
    with smtp(server_side) as (kept, port):
        for server, trusted in (
            (Server("localhost", port, SENDER, user="leadline", password="wrong"), authority),
            (Server("localhost", port, SENDER), None),
            (Server("localhost", port, SENDER, starttls=False), None),
        ):
            made = mail.message(server, "ann@hospital.example", "https://l.example", "i", make.NOW)
            with pytest.raises(Unavailable) as told:
                mail.send(server, made, trusted)
            assert "hospital" not in str(told.value)
    assert not kept.mails
    gone = Server("localhost", port, SENDER, starttls=False)
    with pytest.raises(Unavailable):
        mail.send(gone, mail.message(gone, "a@b.example", "https://l.example", "i", make.NOW))


def test_mail_without_encryption_stays_on_this_machine() -> None:
    """Another host wants STARTTLS; this one need not."""
    with smtp() as (kept, port):
        server = Server("127.0.0.1", port, SENDER, starttls=False)
        mail.send(server, mail.message(server, "a@b.example", "https://l.example", "i", make.NOW))
        assert len(kept.mails) == 1
    assert not mail._here("mail.example")


@dataclass
class Receiver:
    """What a receiver of webhooks saw, and what it answers."""

    status: int = 200
    seen: list[tuple[dict[str, str], bytes]] = field(default_factory=list)


@contextmanager
def receiver(folder: Path) -> Iterator[tuple[Receiver, str, ssl.SSLContext]]:
    """A receiver on this machine over TLS."""
    authority, server_side = certified(folder)
    told = Receiver()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            told.seen.append((dict(self.headers), body))
            self.send_response(told.status)
            if told.status == 302:
                self.send_header("Location", "https://localhost/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        @override
        def log_message(self, *_: object) -> None:
            """Quiet."""

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        server.socket = server_side.wrap_socket(server.socket, server_side=True)
        running = threading.Thread(target=server.serve_forever, daemon=True)
        running.start()
        try:
            yield told, f"https://localhost:{server.server_port}/hook?a=1", authority
        finally:
            server.shutdown()


def four(host: str, port: int) -> Sequence[str]:
    """The address of this machine that the receiver listens at."""
    return [one for one in webhook.resolve(host, port) if "." in one]


def test_a_webhook_is_signed_by_both_keys_and_says_nothing(tmp_path: Path) -> None:
    """A receiver recomputes either signature over time, id and body."""
    with receiver(tmp_path) as (told, url, authority):
        hook = Hook(url, "item-ab", make.NOW, (b"new" * 11, b"old" * 11))
        egress = Egress(frozenset({"localhost"}), authority, four)
        webhook.post(hook, egress)
        headers, body = told.seen[0]
        assert body == b'{"type": "item.attention", "id": "item-ab"}'
        made = headers["Leadline-Signature"].split(",")
        due = [signature(key, headers["Leadline-Timestamp"], "item-ab", body) for key in hook.keys]
        assert made == [f"v1={one}" for one in due]
        for status in (302, 404, 500):
            told.status = status
            with pytest.raises(Unavailable, match=str(status)):
                webhook.post(hook, egress)
        assert len(told.seen) == 4  # no redirect was followed
        with pytest.raises(Unavailable):
            webhook.post(hook, Egress(frozenset({"localhost"}), None, four))


# Hosts as a person may spell them, and what a system's resolver makes of each.
INSIDE = {
    "127.0.0.1": "127.0.0.1",
    "2130706433": "127.0.0.1",
    "0x7f.1": "127.0.0.1",
    "0177.0.0.1": "127.0.0.1",
    "localhost": "::1",
    "[::ffff:127.0.0.1]": "::ffff:127.0.0.1",
    "ten.example": "10.0.0.1",
    "home.example": "192.168.1.1",
    "metadata.example": "169.254.169.254",
    "link.example": "fe80::1%eth0",
    "local.example": "fd00::1",
    "zero.example": "0.0.0.0",  # noqa: S104 -- refused
    "[::]": "::",
    "shared.example": "100.64.0.1",
    "many.example": "224.0.0.1",
    "carried.example": "64:ff9b::7f00:1",
    "tunnel.example": "2002:7f00:1::",
    "later.example": "240.0.0.1",
}


@pytest.mark.parametrize(("host", "found"), INSIDE.items())
def test_no_webhook_goes_inside(host: str, found: str) -> None:
    """In whatever spelling: loopback, private, link-local, shared, carried within another address."""
    hook = Hook(f"https://{host}/x", "i", make.NOW, (b"k",))
    with pytest.raises(Refused, match="outside only"):
        webhook.post(hook, Egress(resolve=lambda _h, _p: [found]))


def test_a_name_that_changes_its_mind_gets_nobody_inside() -> None:
    """It is asked once, one inside address among public ones refuses all, and the first is connected to."""
    asked = []

    def rebinding(host: str, _port: int) -> list[str]:
        asked.append(host)
        return ["93.184.216.34"] if len(asked) == 1 else ["127.0.0.1"]

    found = webhook.address("https://hook.example/x", Egress(resolve=rebinding))
    assert found == ("hook.example", 443, "93.184.216.34")
    assert asked == ["hook.example"]
    mixed = Egress(resolve=lambda _h, _p: ["93.184.216.34", "10.0.0.1"])
    with pytest.raises(Refused):
        webhook.address("https://hook.example/x", mixed)
    with pytest.raises(Unavailable):
        webhook.address("https://hook.example/x", Egress(resolve=lambda _h, _p: []))


@pytest.mark.parametrize(
    "url", ["http://a.example/", "https://u:p@a.example/", "ftp://a.example", "https:///x"]
)
def test_only_plain_https_addresses(url: str) -> None:
    """Nothing else is even resolved."""
    with pytest.raises(Refused):
        webhook.address(url, Egress(resolve=lambda _h, _p: pytest.fail("was resolved")))


def test_addresses_of_the_internet_are_public() -> None:
    """So that the refusals above are not refusals of everything."""
    assert public("93.184.216.34")
    assert public("2606:2800:220:1:248:1893:25c8:1946")
    assert public("::ffff:93.184.216.34")
