"""Several processes at one socket: one that dies is begun again, and all end together."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from identity.people import house, until
from leadline.app import sign_in
from leadline.cli.main import app
from leadline.http.api import workers
from leadline.http.api.caller import COOKIE
from leadline.wiring.home import clock
from ports import free_port

STUB = """
import socket, sys, os
from leadline.http.api import workers
listening = socket.create_server(("127.0.0.1", int(sys.argv[1])))
def work():
    while True:
        connection, _ = listening.accept()
        connection.sendall(str(os.getpid()).encode())
        connection.close()
workers.run(2, work)
"""


@contextmanager
def two(port: int) -> Iterator["subprocess.Popen[bytes]"]:
    """Two workers, each of which says who it is."""
    with subprocess.Popen([sys.executable, "-c", STUB, str(port)]) as program:
        try:
            until(lambda: bool(answered(port)))
            yield program
        finally:
            program.kill()


def answered(port: int) -> str:
    """The worker that answers, if one does."""
    try:
        with socket.create_connection(("127.0.0.1", port), 5) as connection:
            said = connection.recv(32).decode()
    except OSError:
        said = ""
    return said


def children(pid: int) -> set[int]:
    """The processes that a process began."""
    return {int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}


def test_a_worker_that_dies_is_begun_again() -> None:
    """And the other answers meanwhile."""
    port = free_port()
    with two(port) as program:
        until(lambda: len(children(program.pid)) == 2)
        before = children(program.pid)
        os.kill(next(iter(before)), signal.SIGKILL)
        until(lambda: bool(answered(port)))  # the one that died may have taken the first
        until(lambda: len(children(program.pid)) == 2 and children(program.pid) != before)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_all_end_with_the_first(number: signal.Signals) -> None:
    """No worker is left behind."""
    port = free_port()
    with two(port) as program:
        until(lambda: len(children(program.pid)) == 2)
        held = children(program.pid)
        program.send_signal(number)
        assert program.wait(15) != 0
        until(lambda: not any(Path(f"/proc/{one}").exists() for one in held))


def test_no_worker_outlives_the_first() -> None:
    """Not when it is killed either, which it cannot tell them."""
    port = free_port()
    with two(port) as program:
        until(lambda: len(children(program.pid)) == 2)
        held = children(program.pid)
        program.kill()
        program.wait(15)
        until(lambda: not any(Path(f"/proc/{one}").exists() for one in held))


def test_one_worker_needs_no_other_process() -> None:
    """It is done here."""
    done = list[int]()
    workers.run(1, lambda: done.append(os.getpid()))
    assert done == [os.getpid()]
    assert 1 <= workers.usual() <= workers.WORKERS_MAX


def test_sessions_are_one_across_processes(tmp_path: Path) -> None:
    """Each process knows who signed in, and that a session ended, at the next request."""
    port = free_port()
    words = ["serve", "--home", str(tmp_path), "--listen", f"127.0.0.1:{port}", "--workers", "2"]
    with house(tmp_path) as at:
        at.clock.now = clock()
        at.enrol("coordinator", "coordinator")
        at.password("coordinator")
        begun = at.signed_in("coordinator")
        program = subprocess.Popen([sys.executable, "-m", "leadline", *words])
        try:
            url, cookie = f"http://127.0.0.1:{port}/account", f"{COOKIE}={begun.token}"
            until(lambda: bool(_status(url, "")), 60)
            until(lambda: len(children(program.pid)) == 2)
            assert {_status(url, cookie) for _ in range(12)} == {200}
            sign_in.sign_out(at.ctx("coordinator"), begun.session)
            assert {_status(url, cookie) for _ in range(12)} == {303}
        finally:
            program.terminate()
            program.wait(30)


def _status(url: str, cookie: str) -> int:
    try:
        status = httpx.get(url, headers={"cookie": cookie}, timeout=10).status_code
    except httpx.TransportError:
        status = 0
    return status


def test_an_address_in_use_is_refused(tmp_path: Path) -> None:
    """In words, before anything is served."""
    with house(tmp_path):
        pass
    with socket.create_server(("127.0.0.1", 0)) as other:
        listen = f"127.0.0.1:{other.getsockname()[1]}"
        done = CliRunner().invoke(app, ["serve", "--home", str(tmp_path), "--listen", listen])
    assert done.exit_code != 0
    assert "cannot listen" in done.output
