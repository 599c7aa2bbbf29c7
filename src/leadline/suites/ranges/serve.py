"""One host's program: ``python3 -m leadline.suites.ranges.serve FILE``, inside the host's own box.

FILE is JSON: ``{"module", "program", "settings"}``. The program runs until its box ends.
"""

import asyncio
import json
import sys
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from importlib import import_module
from pathlib import Path

from leadline.suites.ranges.journal import FILE, Journal

PACKAGE = "leadline.suites.ranges"


def program(
    module: str, name: str, settings: Mapping[str, object], journal: Journal
) -> AbstractAsyncContextManager[None]:
    """The server *name* of *module*, with its settings as JSON has them; it serves while entered."""
    shape, serve = import_module(f"{PACKAGE}.{module}").PROGRAMS[name]
    opened: AbstractAsyncContextManager[None] = serve(shape(**settings), journal)
    return opened


async def run(text: str, journal: Journal, ended: asyncio.Event) -> None:
    """Serve what *text*, the contents of FILE, says, until *ended*."""
    told = json.loads(text)
    async with program(told["module"], told["program"], told["settings"], journal):
        await ended.wait()


def main() -> None:
    """Serve for ever."""
    text = Path(sys.argv[1]).read_text(encoding="utf-8")
    asyncio.run(run(text, Journal(Path.cwd() / FILE), asyncio.Event()))


if __name__ == "__main__":
    main()
