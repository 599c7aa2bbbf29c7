"""Settings and folders of one assessment."""

from pathlib import Path

import pytest

from leadline.core.errors import Invalid
from leadline.settings import Workspace, load


def test_an_empty_environment_has_defaults() -> None:
    """One worker a core, half a minute's lease, the cache below the working folder."""
    found = load({})
    assert found.worker_count >= 1
    assert found.lease_seconds == 30
    assert found.registry_cache == Path(".cache/registry").absolute()


def test_every_setting_is_read_from_its_variable() -> None:
    """LEADLINE_<NAME> each."""
    found = load(
        {
            "LEADLINE_WORKERS": "3",
            "LEADLINE_LEASE_SECONDS": "5",
            "LEADLINE_REGISTRY_CACHE": "/somewhere",
        }
    )
    assert (3, 5, Path("/somewhere")) == (
        found.worker_count,
        found.lease_seconds,
        found.registry_cache,
    )


@pytest.mark.parametrize("value", ["", "-1", "many", "1.5", "257", "²"])
def test_a_number_that_is_none_is_named(value: str) -> None:
    """The variable and its range stand in the error."""
    with pytest.raises(Invalid, match=r"LEADLINE_WORKERS.*from 0 to 256"):
        load({"LEADLINE_WORKERS": value})


def test_what_is_private_lies_below_one_folder() -> None:
    """Store, vault, keys, seed and items are state; logs and bundle are not."""
    place = Workspace(Path("/out"))
    private = (place.vault, place.keys, place.items, place.seed)
    assert all(path.is_relative_to(place.state) for path in private)
    assert str(place.state) in place.database
    assert not any(path.is_relative_to(place.state) for path in (place.logs, place.bundle))
