"""Boxes started ahead, by configuration; each is given out once and never comes back."""

import asyncio
from collections import deque
from dataclasses import dataclass, field

from leadline.sandbox.box import Box
from leadline.sandbox.config import BoxConfig


@dataclass(slots=True)
class _Shelf:
    config: BoxConfig
    users: int = 0
    ready: deque[Box] = field(default_factory=deque)
    filling: asyncio.Task[None] | None = None


class Pool:
    """Keeps `config.warm` boxes ready for each configuration some task has opened.

    Shelves are counted by task: when the last task of a configuration closes, its boxes are
    stopped, and no other task's. Boxes belong to the event loop that started them, so shelves do.
    """

    def __init__(self) -> None:
        self._shelves: dict[tuple[int, str], _Shelf] = {}

    def open(self, config: BoxConfig) -> None:
        """A task begins that will take boxes of *config*."""
        shelf = self._shelves.setdefault(_key(config), _Shelf(config))
        shelf.users += 1
        self._refill(shelf)

    async def take(self, config: BoxConfig) -> Box:
        """A running box of *config*, started now if none is ready."""
        shelf = self._shelves.get(_key(config))
        if shelf is None:
            return await Box.start(config)
        box: Box | None = None
        while shelf.ready and box is None:
            box = shelf.ready.popleft()
            if not box.running:
                await box.stop()
                box = None
        self._refill(shelf)
        return box or await Box.start(config)

    async def close(self, config: BoxConfig) -> None:
        """A task that had opened *config* has ended."""
        key = _key(config)
        shelf = self._shelves.get(key)
        if shelf is None:
            return
        shelf.users -= 1
        if shelf.users > 0:
            return
        del self._shelves[key]
        if shelf.filling and not shelf.filling.done():
            await asyncio.wait({shelf.filling})
        while shelf.ready:
            await shelf.ready.popleft().stop()

    def shelf(self, config: BoxConfig) -> deque[Box]:
        """The boxes of *config* that wait to be taken; empty if no task has opened it."""
        found = self._shelves.get(_key(config))
        return found.ready if found else deque()

    def ready(self, config: BoxConfig) -> int:
        """How many boxes of *config* wait to be taken."""
        return len(self.shelf(config))

    def _refill(self, shelf: _Shelf) -> None:
        if shelf.filling and shelf.filling.done():
            # A start that failed is raised to the next sample instead of being tried for ever.
            shelf.filling.result()
            shelf.filling = None
        if shelf.filling is None and len(shelf.ready) < shelf.config.warm:
            shelf.filling = asyncio.create_task(_fill(shelf))


async def _fill(shelf: _Shelf) -> None:
    while shelf.users > 0 and len(shelf.ready) < shelf.config.warm:
        shelf.ready.append(await Box.start(shelf.config))


def _key(config: BoxConfig) -> tuple[int, str]:
    return id(asyncio.get_running_loop()), config.digest
