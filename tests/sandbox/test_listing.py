"""What lies under a bind: a digest that notices changes, and the sockets in it."""

import socket
from collections.abc import Callable  # noqa: TC003 - annotations stay readable at run time
from pathlib import Path

import pytest

from leadline.sandbox.listing import bound_sockets, listing


def test_the_digest_notices_names_sizes_modes_and_kinds(tmp_path: Path) -> None:
    """And nothing else: the same tree elsewhere has the same digest."""
    one, two = tmp_path / "one", tmp_path / "two"
    for folder in (one, two):
        (folder / "a" / "b").mkdir(parents=True)
        (folder / "a" / "file").write_text("12345")
        (folder / "link").symlink_to("a")
    first = listing([str(one)])
    assert first == listing([str(two)])
    seen = {first[0]}
    changes: tuple[Callable[[], object], ...] = (
        lambda: (one / "a" / "file").write_text("123456"),
        lambda: (one / "a" / "file").chmod(0o600),
        (one / "new").touch,
        (one / "a" / "b").rmdir,
    )
    for change in changes:
        change()
        seen.add(listing([str(one)])[0])
    assert len(seen) == 5
    assert listing([]) != first
    assert listing([str(one / "a" / "file")])[1] == []


def test_sockets_are_found_at_any_depth_and_through_links(tmp_path: Path) -> None:
    """By walking, and by the kernel's own list of bound names."""
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "alias").symlink_to("deep")
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(tmp_path / "alias" / "er" / "s"))
        path = str(tmp_path / "deep" / "er" / "s")
        assert listing([str(tmp_path)])[1] == [path]
        assert bound_sockets([str(tmp_path / "alias")]) == [str(Path(path).resolve())]
        assert bound_sockets([str(tmp_path / "dee")]) == []


def test_a_bind_too_large_to_look_through_is_refused(tmp_path: Path) -> None:
    """It names the folder."""
    for name in "abc":
        (tmp_path / name).touch()
    with pytest.raises(ValueError, match=str(tmp_path)):
        listing([str(tmp_path)], 2)
