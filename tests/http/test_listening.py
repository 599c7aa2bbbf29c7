"""Processes that share a listening socket share the connections."""

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from typing_extensions import override

from leadline.http.api import serving
from leadline.http.api.serving import Listen, Listening
from ports import free_port

ARRIVALS = 40


@contextmanager
def taking(listening: Listening, taken: list[int]) -> Iterator[None]:
    """A server of its own on the socket; *taken* grows by one for each connection it takes."""
    running, ended = threading.Event(), list[Callable[[], object]]()

    async def serve() -> None:
        loop, over = asyncio.get_running_loop(), asyncio.Event()
        ended.append(lambda: loop.call_soon_threadsafe(over.set))

        class Count(asyncio.Protocol):
            @override
            def connection_made(self, transport: asyncio.BaseTransport) -> None:
                taken.append(1)
                transport.close()

        async with await loop.create_server(Count, sock=listening):
            running.set()
            await over.wait()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert running.wait(10)
    try:
        yield
    finally:
        ended[0]()
        thread.join(10)


def arrive(port: int) -> None:
    """One connection after another, each until the server has closed it."""
    for _ in range(ARRIVALS):
        with socket.create_connection(("127.0.0.1", port), timeout=10) as one:
            assert not one.recv(1)


@pytest.mark.parametrize("busy", [0, 1])
def test_who_holds_fewer_connections_takes_the_next(busy: int) -> None:
    """Whichever of two holds hundreds, nearly all that come are the other's."""
    port = free_port()
    first = serving.bound(Listen("127.0.0.1", port))
    first.listen()
    both = (first, first.dup())
    taken: tuple[list[int], list[int]] = ([], [])
    both[busy].held, both[1 - busy].held = lambda: 500, lambda: 0
    with taking(both[0], taken[0]), taking(both[1], taken[1]):
        arrive(port)
    assert len(taken[0]) + len(taken[1]) == ARRIVALS
    assert len(taken[busy]) <= ARRIVALS // 4


def test_who_is_alone_takes_every_connection() -> None:
    """However many it holds."""
    port, taken = free_port(), list[int]()
    one = serving.bound(Listen("127.0.0.1", port))
    with taking(one, taken):
        arrive(port)
    assert len(taken) == ARRIVALS
