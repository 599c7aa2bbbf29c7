"""The engagement desk as the command line and pages open it: who acts, the law, the dealings.

Regimes, and the names of bodies, come with Leadline; an installation adds files of its own under
``regimes/`` of its folder, and they count from the next command.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from leadline.app import engagement
from leadline.app.context import Context
from leadline.app.engagement import Dealings
from leadline.core.engagement.library import Library
from leadline.settings import Home
from leadline.wiring.home import Parts
from leadline.wiring.regimes import DATA, EXAMPLES, library
from leadline.wiring.sign_in import at_door

__all__ = ["DATA", "EXAMPLES", "AtDesk", "at_desk", "library"]


@dataclass(frozen=True, slots=True)
class AtDesk:
    """One person at the desk of one installation."""

    ctx: Context
    parts: Parts
    home: Home
    library: Library

    def dealings(self, engagement_id: str) -> Dealings:
        """An engagement that this person may know of.

        Raises: NotFound, if there is none, or none for this person to know.
        """
        return engagement.dealings(self.ctx, self.library, engagement_id)


@contextmanager
def at_desk(home: Home, token: str) -> Iterator[AtDesk]:
    """The desk for whoever holds a session's token; raises as `wiring.sign_in.Door.acting`."""
    with at_door(home) as door:
        yield AtDesk(door.acting(token).ctx, door.parts, home, library(home.folder / "regimes"))
