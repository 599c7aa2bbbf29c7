"""The control socket: whole frames in order, descriptors closed once, the end told to everyone."""

import asyncio
import os
import socket
import struct
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from leadline.sandbox.channel import PAYLOAD_BYTES_MAX, Channel, Ended


def channel(story: Callable[[Channel, socket.socket], Awaitable[None]]) -> None:
    """Run *story* with a channel and the far end of its socket."""

    async def whole() -> None:
        near, far = socket.socketpair()
        far.settimeout(5)
        made = Channel(near)
        with far:
            try:
                await story(made, far)
            finally:
                made.close()

    asyncio.run(whole())


def exactly(sock: socket.socket, count: int) -> bytes:
    """*count* bytes from the far end."""
    data = b""
    while len(data) < count:
        data += sock.recv(count - len(data))
    return data


def descriptors() -> set[str]:
    """What this process holds."""
    return {path.name for path in Path("/proc/self/fd").iterdir()}


def test_statuses_find_their_calls_in_any_order_and_pieces() -> None:
    """Replies come split, joined and out of order."""

    async def story(made: Channel, far: socket.socket) -> None:
        one, first = made.submit(b"E", b"x", ())
        two, second = made.submit(b"E", b"y", ())
        data = struct.pack("<IiIiIi", 999, 1, two, -5, one, 7)
        for at in range(0, len(data), 3):
            far.send(data[at : at + 3])
            await asyncio.sleep(0.001)
        assert (await first, await second) == (7, -5)

    channel(story)


def test_a_full_socket_delays_frames_but_never_mixes_them() -> None:
    """Several megabytes queued while nobody reads arrive in order; a kill queues behind them."""

    async def story(made: Channel, far: socket.socket) -> None:
        payloads = [bytes([n]) * (700_000 + n) for n in range(4)]
        numbers = [made.submit(b"E", payload, ())[0] for payload in payloads]
        made.kill(numbers[0])
        await asyncio.to_thread(made.kill_all)
        for number, payload in zip(numbers, payloads, strict=True):
            head = struct.pack("<IIc3x", len(payload), number, b"E")
            assert await asyncio.to_thread(exactly, far, 12) == head
            assert await asyncio.to_thread(exactly, far, len(payload)) == payload
        rest = await asyncio.to_thread(exactly, far, 24)
        assert rest == struct.pack("<IIc3x", 0, numbers[0], b"K") + struct.pack(
            "<IIc3x", 0, 0, b"A"
        )

    channel(story)


def test_everything_can_be_ended_while_the_event_loop_is_busy() -> None:
    """The order leaves from the calling thread at once."""

    async def story(made: Channel, far: socket.socket) -> None:
        thread = threading.Thread(target=made.kill_all)
        thread.start()
        thread.join()  # the loop has not run since
        assert far.recv(100) == struct.pack("<IIc3x", 0, 0, b"A")

    channel(story)


def test_descriptors_are_handed_over_and_closed() -> None:
    """Sent, refused or never sent: none stays open here."""

    async def story(made: Channel, far: socket.socket) -> None:
        before = descriptors()
        made.submit(b"E", b"x", os.pipe())
        assert descriptors() == before
        with pytest.raises(ValueError, match="exceed"):
            made.submit(b"E", b"x" * (PAYLOAD_BYTES_MAX + 1), os.pipe())
        assert descriptors() == before
        made.submit(b"E", b"x" * (4 << 20), ())
        made.submit(b"E", b"x", os.pipe())
        made.close()
        assert len(descriptors()) == len(before) - 1
        with pytest.raises(Ended):
            made.submit(b"E", b"x", os.pipe())
        assert len(descriptors()) == len(before) - 1

    channel(story)


@pytest.mark.parametrize("queued", [0, 4 << 20])
def test_the_far_ends_death_is_told_to_every_waiting_call(queued: int) -> None:
    """Whether it is noticed by reading or by writing; later orders do nothing."""

    async def story(made: Channel, far: socket.socket) -> None:
        _, status = made.submit(b"E", b"x" * queued, ())
        far.close()
        with pytest.raises(Ended):
            await status
        assert made.ended
        with pytest.raises(Ended):
            await made.ready
        made.kill(1)
        made.kill_all()
        made.close()

    channel(story)


def test_a_reset_connection_is_an_end_too() -> None:
    """The far end goes with unread data of ours in its queue."""

    async def story(made: Channel, far: socket.socket) -> None:
        made.submit(b"E", b"x", ())
        await asyncio.sleep(0)
        far.close()
        await asyncio.sleep(0.01)
        assert made.ended

    channel(story)


def test_a_forgotten_call_is_no_trouble() -> None:
    """Its late status is dropped."""

    async def story(made: Channel, far: socket.socket) -> None:
        number, _ = made.submit(b"E", b"x", ())
        made.forget(number)
        other, status = made.submit(b"E", b"x", ())
        far.send(struct.pack("<IiIi", number, 1, other, 2))
        assert await status == 2

    channel(story)
