"""The house of people for the tests of sign-in."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from identity.people import House, house


@pytest.fixture
def at(tmp_path: Path) -> Iterator[House]:
    """A new installation."""
    with house(tmp_path) as found:
        yield found
