"""The house of people for the tests of pages."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from identity.people import House, house
from portal.web import Web, browsing


@pytest.fixture
def at(tmp_path: Path) -> Iterator[House]:
    """A new installation."""
    with house(tmp_path) as found:
        yield found


@pytest.fixture
def web(at: House) -> Iterator[Web]:
    """A real browser at the installation."""
    with browsing(at) as found:
        yield found
