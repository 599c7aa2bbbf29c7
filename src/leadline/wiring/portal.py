"""An installation as the portal holds it: the door, its folder, the law, and a desk for each person."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

from leadline.core.engagement.library import Library
from leadline.formats.taxii import Seal
from leadline.identity.passkey import Site
from leadline.settings import Home
from leadline.wiring import taxii
from leadline.wiring.desk import AtDesk
from leadline.wiring.regimes import library
from leadline.wiring.sign_in import Acting, Door, at_door


@dataclass(frozen=True)
class Portal:
    """What every request is served from."""

    door: Door
    home: Home

    @cached_property
    def library(self) -> Library:
        """The regimes that come with Leadline and those of the installation, as of the start."""
        return library(self.home.folder / "regimes")

    @cached_property
    def seal(self) -> Seal:
        """What places in collections are sealed with; the same in every process of the installation."""
        return taxii.seal(self.home)

    def desk(self, acting: Acting) -> AtDesk:
        """The desk of whoever the request is by: what commands and pages share."""
        return AtDesk(acting.ctx, self.door.parts, self.home, self.library)


@contextmanager
def at_portal(home: Home, origin: str = "") -> Iterator[Portal]:
    """The portal of an installation that exists; raises as `wiring.sign_in.at_door`.

    *origin* is where this machine's own browser finds it, unless ``sign-in.toml`` names another.
    """
    with at_door(home, Site("localhost", origin) if origin else None) as door:
        yield Portal(door, home)
