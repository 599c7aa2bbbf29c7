"""Serving the API under uvicorn: TLS where a certificate is given, plain only to this machine itself."""

import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from typing_extensions import override

from leadline.core.errors import Invalid, Refused
from leadline.http.api.shell import CertificateProtocol

SECONDS_IDLE_MAX, CONNECTIONS_MAX = 15, 256
SECONDS_TO_END = 5  # then open streams are cut
# For each connection that a process holds it waits so long before it takes another.
SECONDS_TO_GIVE_WAY, SECONDS_TO_GIVE_WAY_MAX = 0.000_1, 0.002


@dataclass(frozen=True, slots=True)
class Tls:
    """A server certificate with its key, and the authorities whose client certificates are asked for."""

    certificate: Path
    key: Path
    clients: Path | None = None


@dataclass(frozen=True, slots=True)
class Listen:
    """An address of this machine and a port."""

    host: str
    port: int


def listen(text: str, tls: Tls | None) -> Listen:
    """Read ``HOST:PORT``.

    Raises: Invalid, if it is none, or would serve others without TLS.
    """
    host, _, port = text.rpartition(":")
    host = host.strip("[]")
    if not host or not port.isdecimal() or int(port) > 65_535:  # noqa: PLR2004 -- ports end there
        raise Invalid("--listen", f"{text!r} is no HOST:PORT; write 127.0.0.1:8443")
    try:
        loopback = ip_address(host).is_loopback
    except ValueError:
        loopback = host == "localhost"
    if tls is None and not loopback:
        raise Invalid("--listen", f"{host} is reached by others: give --tls-cert and --tls-key")
    return Listen(host, int(port))


def configured(app: FastAPI, at: Listen, tls: Tls | None) -> uvicorn.Config:
    """How uvicorn runs the application; clients show a certificate if they have one."""
    config = uvicorn.Config(
        app,
        host=at.host,
        port=at.port,
        http=CertificateProtocol,
        ws="none",
        lifespan="off",
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=SECONDS_IDLE_MAX,
        timeout_graceful_shutdown=SECONDS_TO_END,
        limit_concurrency=CONNECTIONS_MAX,
        ssl_certfile=str(tls.certificate) if tls else None,
        ssl_keyfile=str(tls.key) if tls else None,
        ssl_ca_certs=str(tls.clients) if tls and tls.clients else None,
        ssl_cert_reqs=ssl.CERT_OPTIONAL if tls and tls.clients else ssl.CERT_NONE,
    )
    config.load()
    if config.ssl is not None:
        config.ssl.minimum_version = ssl.TLSVersion.TLSv1_2
    return config


class Listening(socket.socket):
    """A listening socket. Where several processes share it, who holds the fewest connections takes the next.

    All are woken by a new connection. Who wakes first would take every one that waits, and has them for as
    long as their clients keep them: one process was busy then, and another idle.
    """

    held: Callable[[], int] | None = None  # by the process that this is; None where it is alone

    @override
    def accept(self) -> tuple[socket.socket, object]:
        """The next connection, with its address, after those who hold fewer had the time to take it."""
        if self.held is not None:
            time.sleep(min(self.held() * SECONDS_TO_GIVE_WAY, SECONDS_TO_GIVE_WAY_MAX))
        return super().accept()


def bound(at: Listen) -> Listening:
    """A socket at the address, for whoever serves.

    Raises: Refused, if it cannot be had.
    """
    made = Listening(socket.AF_INET6 if ":" in at.host else socket.AF_INET)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((at.host, at.port))
    except OSError as error:
        made.close()
        raise Refused(f"cannot listen at {at.host}:{at.port}: {error.strerror}") from None
    made.set_inheritable(True)
    return made


def serve(
    app: FastAPI, at: Listen, tls: Tls | None, listening: Listening, *, alone: bool = True
) -> None:
    """Serve until interrupted; *alone* where no other process shares the socket."""
    server = uvicorn.Server(configured(app, at, tls))
    if not alone:
        listening.held = lambda: len(server.server_state.connections)
    server.run([listening])
