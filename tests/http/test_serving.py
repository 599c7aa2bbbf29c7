"""The API as a program of its own: TLS, client certificates, and revocation in another process."""

import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from typer.testing import CliRunner

from identity.authority import SERVER, Authority
from identity.people import PASSWORD, House, house, served, until
from identity.provider import consented, providing
from leadline.app import sign_in
from leadline.cli.main import app
from leadline.client import terminal
from leadline.client.terminal import Ask, Place
from leadline.core.account import Password
from leadline.core.errors import Denied, Invalid, Refused, Unavailable
from leadline.http.api import serving
from leadline.http.api.serving import Listen, Tls
from leadline.identity import certificate
from leadline.identity.password import Passwords
from leadline.wiring.home import clock
from leadline.wiring.portal import Portal
from ports import free_port

BITES_WITHIN_SECONDS = 2.0


@dataclass(frozen=True)
class Papers:
    """Files of an authority made for this test."""

    roots: Path
    server: Tls
    card: Path
    card_der: bytes
    other: Path


def written(path: Path, private: ec.EllipticCurvePrivateKey, der: bytes) -> Path:
    """A PEM file with a certificate and its key."""
    key = private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    pem = x509.load_der_x509_certificate(der).public_bytes(serialization.Encoding.PEM)
    path.write_bytes(pem + key)
    return path


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Papers:
    """A root, a server's certificate, a card, and a card of another root."""
    folder, authority = tmp_path_factory.mktemp("papers"), Authority(now=clock())
    roots = folder / "roots.pem"
    roots.write_bytes(authority.pem)
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(3)]
    server = written(folder / "s.pem", keys[0], authority.issued(keys[0], uses=(SERVER,)))
    der = authority.issued(keys[1])
    foreign = Authority("Another root", clock()).issued(keys[2])
    return Papers(
        roots,
        Tls(server, server, roots),
        written(folder / "card.pem", keys[1], der),
        der,
        written(folder / "other.pem", keys[2], foreign),
    )


@pytest.fixture
def at(tmp_path: Path) -> Iterator[House]:
    """An installation at the present time with Ann."""
    with house(tmp_path) as found:
        found.clock.now = clock()
        found.enrol("ann", "determining-official", access_until=clock().replace(year=2100))
        found.password("ann")
        yield found


def test_a_card_signs_in_over_tls_and_another_roots_does_not(at: House, papers: Papers) -> None:
    """Registered with the connection's own certificate; unregistered or foreign ones are refused."""
    at.door = replace(at.door, trusted=certificate.authorities(papers.roots, None, frozenset()))
    with served(at, papers.server) as url:
        place = Place(url, papers.roots, papers.card)
        with pytest.raises(Denied):
            terminal.sign_in(place, Ask(), "", print)
        assert ("sign-in", "principal/unknown") in at.alerts()
        me = replace(at.acting(at.signed_in("ann")), ctx=at.ctx("ann"))
        key = at.door.add_certificate(me, papers.card_der)
        assert key.handle == sha256(papers.card_der).hexdigest()
        begun = terminal.sign_in(place, Ask(), "", print)
        assert begun.principal == "ann"
        assert at.door.acting(begun.token).ctx.assurance == 3
        with pytest.raises(Unavailable):
            terminal.sign_in(Place(url, papers.roots, papers.other), Ask(), "", print)
        with pytest.raises(Refused, match="no client certificate"):
            terminal.sign_in(Place(url, papers.roots), Ask(), "", print)
        with pytest.raises(Unavailable):
            terminal.sign_in(Place(url), Ask("ann", password=True), PASSWORD, print)


def test_old_tls_is_not_spoken(at: House, papers: Papers) -> None:
    """1.2 at the least."""
    with served(at, papers.server) as url:
        host, port = url.removeprefix("https://").split(":")
        old = ssl.create_default_context(cafile=str(papers.roots))
        old.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        with pytest.warns(DeprecationWarning, match="TLS"):
            old.maximum_version = ssl.TLSVersion.TLSv1_1
        with (
            socket.create_connection((host, int(port))) as plain,
            pytest.raises(ssl.SSLError),
            old.wrap_socket(plain, server_hostname="localhost"),
        ):
            pass


def test_a_terminal_signs_in_with_a_password_or_a_key(at: House) -> None:
    """To a server on this machine; errors are the server's own."""
    key = at.key("ann")
    path = at.folder / "key.pem"
    path.write_bytes(
        key.private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    with served(at, None) as url:
        begun = terminal.sign_in(Place(url), Ask("ann", password=True), PASSWORD, print)
        assert at.door.acting(begun.token).ctx.principal.id == "ann"
        assert terminal.sign_in(Place(url), Ask(key=path), "", print).principal == "ann"
        with pytest.raises(Denied, match="do not go together"):
            terminal.sign_in(Place(url), Ask("ann", password=True), "another password", print)
        assert httpx.get(f"{url}/api/v1/health", trust_env=False).headers.get("server") is None
    with pytest.raises(Unavailable):
        terminal.sign_in(Place(url), Ask("ann", password=True), PASSWORD, print)
    with pytest.raises(Invalid, match="https"):
        terminal.sign_in(Place("http://example.org"), Ask(), "", print)


def test_a_terminal_goes_to_a_provider_and_comes_back(at: House) -> None:
    """The browser brings the code to a port of this machine; a stray request there ends nothing."""
    with providing() as provider, served(at, None) as url:
        at.application.state.portal = Portal(replace(at.door, provider=provider), at.home)
        sign_in.link(at.ctx("ann"), provider.issuer, "subject-1")

        def browser(place: str) -> None:
            back = consented(place)
            stray = httpx.get(back.partition("/returned")[0] + "/favicon.ico", trust_env=False)
            assert stray.status_code == 404
            assert httpx.get(back, trust_env=False).status_code == 200

        opened = list[threading.Thread]()

        def shown(place: str) -> None:
            opened.append(threading.Thread(target=browser, args=(place,)))
            opened[0].start()

        assert terminal.sign_in(Place(url), Ask(oidc=True), "", shown).principal == "ann"
        opened[0].join()


def test_the_command_signs_in_to_a_server(at: House) -> None:
    """And keeps the session in its file."""
    kept = at.folder / "session"
    words = ["sign-in", "--password", "--name", "ann", "--session", str(kept)]
    with served(at, None) as url:
        done = CliRunner().invoke(app, [*words, "--server", url], input=PASSWORD + "\n")
        assert (done.exit_code, done.stdout) == (0, "signed in as ann\n"), done.output
        assert at.door.acting(kept.read_text().strip()).ctx.principal.id == "ann"


def test_revocation_and_suspension_bite_in_another_process(at: House) -> None:
    """A program of its own serves; what is ended here opens nothing there within two seconds."""
    # The program checks at the real cost, so the password is hashed at it too.
    at.door = replace(at.door, passwords=Passwords())
    with at.door.parts.store.write() as tx:
        row = tx.get(Password, "ann")
        value = replace(row.value, phc=at.door.passwords.new(PASSWORD))
        tx.put("ann", value, marking=row.marking, expect=row.version)
    port = free_port()
    argv = [sys.executable, "-m", "leadline", "serve", "--home", str(at.folder)]
    running = subprocess.Popen([*argv, "--listen", f"127.0.0.1:{port}"], stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        until(lambda: answers(url), 60)
        begun = [
            terminal.sign_in(Place(url), Ask("ann", password=True), PASSWORD, print)
            for _ in range(2)
        ]
        assert [status(url, one.token) for one in begun] == [200, 200]
        session = begun[0].token.partition(".")[0]
        sign_in.revoke(at.ctx("ann"), session)
        until(lambda: status(url, begun[0].token) == 401, BITES_WITHIN_SECONDS)
        at.enrol("ann", "determining-official", suspended=True)
        until(lambda: status(url, begun[1].token) == 403, BITES_WITHIN_SECONDS)
    finally:
        os.kill(running.pid, signal.SIGTERM)
        running.wait()


def answers(url: str) -> bool:
    """Whether the program is there."""
    host, _, port = url.removeprefix("http://").partition(":")
    with socket.socket() as tried:
        there = tried.connect_ex((host, int(port))) == 0
    return there and httpx.get(f"{url}/api/v1/health", trust_env=False).is_success


def status(url: str, token: str) -> int:
    """What a session's token opens."""
    headers = {"cookie": f"__Host-leadline={token}"}
    return httpx.get(f"{url}/api/v1/session", headers=headers, trust_env=False).status_code


@pytest.mark.parametrize(
    "text",
    ["8443", "127.0.0.1:", "127.0.0.1:99999", "0.0.0.0:8443", "example.org:8443", "[::]:8443"],
)
def test_nobody_is_served_without_tls_but_this_machine(text: str) -> None:
    """And a port is a port."""
    with pytest.raises(Invalid, match="--listen"):
        serving.listen(text, None)


def test_with_tls_any_address_is_served(papers: Papers) -> None:
    """And loopback in each of its spellings without."""
    assert serving.listen("0.0.0.0:443", papers.server) == Listen("0.0.0.0", 443)  # noqa: S104
    for host in ("127.0.0.1", "localhost", "[::1]"):
        assert serving.listen(f"{host}:1", None).port == 1
