"""The engagement desk as the command line and pages open it: who acts, the law, the dealings.

Regimes, and the names of bodies, come with Leadline; an installation adds files of its own under
``regimes/`` of its folder, and they count from the next command.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import leadline
from leadline.app import engagement
from leadline.app.context import Context
from leadline.app.engagement import Dealings
from leadline.core.engagement.library import Library
from leadline.formats.regime_toml import load_regime
from leadline.settings import Home
from leadline.wiring.home import Parts
from leadline.wiring.sign_in import at_door

DATA = Path(leadline.__file__).parent / "data"
EXAMPLES = ".examples.toml"


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


def library(extra: Path | None = None) -> Library:
    """The texts that come with Leadline, and those of the folder *extra*, if it is there.

    Raises: Invalid, naming file and key.
    """
    folders = [DATA / "regimes", *([extra] if extra and extra.is_dir() else [])]
    files = [file for folder in folders for file in sorted(folder.glob("*.toml"))]
    texts = [one for one in files if not one.name.endswith(EXAMPLES)]
    return Library(tuple(load_regime(one.read_bytes(), one.name) for one in texts))
