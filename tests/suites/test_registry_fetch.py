"""Fetching by hash from an index on disk: all, some or none of it can be had."""

import os
from pathlib import Path

import pytest

from leadline.core.errors import Unavailable
from leadline.suites.registry.fetch import (
    Client,
    fetch,
    install_tools,
    present,
    read_lock,
    waves,
)
from leadline.suites.registry.manifest import Archive
from wheels import write_wheel


@pytest.fixture
def index(tmp_path: Path) -> Path:
    """A folder that serves as index."""
    folder = tmp_path / "index"
    folder.mkdir()
    return folder


@pytest.fixture
def client(tmp_path: Path, index: Path) -> Client:
    """The client, told to look at that folder only."""
    options = ("--isolated", "--no-index", "--find-links", str(index))
    return Client(tmp_path / "tools", options, {"PATH": os.defpath, "HOME": str(tmp_path)})


def test_archives_arrive_whole_and_are_not_fetched_again(
    tmp_path: Path, index: Path, client: Client
) -> None:
    """Both versions of one package come, and a second call needs no index at all."""
    wanted = [write_wheel(index, "toy", version, "x = 1") for version in ("1.0", "1.1")]
    assert fetch(wanted, tmp_path / "got", client) == {}
    assert all(present(one, tmp_path / "got") for one in wanted)
    for path in index.iterdir():
        path.unlink()
    assert fetch(wanted, tmp_path / "got", client) == {}
    assert sorted(path.name for path in (tmp_path / "got").iterdir()) == [
        one.file for one in wanted
    ]


def test_a_tampered_archive_is_refused_and_the_others_still_come(
    tmp_path: Path, index: Path, client: Client
) -> None:
    """Another hash than the pinned one: nothing of that archive is kept, and the reason says so."""
    good, bad = (write_wheel(index, name, "1.0", "x = 1") for name in ("good", "bad"))
    write_wheel(index, "bad", "1.0", "x = 'changed'")
    missing = fetch([good, bad], tmp_path / "got", client)
    assert list(missing) == [bad]
    assert "do not match" in missing[bad].lower() or "hash" in missing[bad].lower()
    assert [path.name for path in (tmp_path / "got").iterdir()] == [good.file]


def test_a_damaged_archive_on_disk_is_fetched_anew(
    tmp_path: Path, index: Path, client: Client
) -> None:
    """What lies in the cache counts only with the right hash."""
    one = write_wheel(index, "toy", "1.0", "x = 1")
    (tmp_path / "got").mkdir()
    (tmp_path / "got" / one.file).write_bytes(b"half of it")
    assert fetch([one], tmp_path / "got", client) == {}
    assert present(one, tmp_path / "got")


def test_an_archive_under_another_name_is_refused(
    tmp_path: Path, index: Path, client: Client
) -> None:
    """The pinned file name is part of the pin."""
    one = write_wheel(index, "toy", "1.0", "x = 1")
    renamed = Archive(one.package, one.version, "toy-1.0-py2.py3-none-any.whl", one.sha256)
    assert "another name" in fetch([renamed], tmp_path / "got", client)[renamed]


def test_an_empty_index_is_given_up_after_a_few_archives(tmp_path: Path, client: Client) -> None:
    """With nothing to be had, every archive has a reason, without one call each."""
    wanted = [Archive(f"toy{n}", "1.0", f"toy{n}-1.0-py3-none-any.whl", "0" * 64) for n in range(9)]
    wanted.append(Archive("toy1", "1.1", "toy1-1.1-py3-none-any.whl", "0" * 64))
    missing = fetch(wanted, tmp_path / "got", client)
    assert set(missing) == set(wanted)
    assert len(set(missing.values())) <= 3
    assert all("No matching distribution" in reason for reason in missing.values())


def test_waves_never_hold_two_versions_of_a_package() -> None:
    """The client refuses two versions at once, so they go in calls of their own."""
    archives = [Archive(name, str(n), f"{name}{n}", "0") for name in "abc" for n in range(2)]
    groups = waves([*archives, archives[0]])
    assert sorted(one for group in groups for one in group) == sorted(archives)
    assert len(groups) == 2


def test_a_lock_is_read_by_package_with_all_its_hashes() -> None:
    """Comments go, hashes stay with their package."""
    text = "# made\nOne==1 \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb\n    # via x\ntwo==2 \\\n    --hash=sha256:cc\n"
    pins = read_lock(text)
    assert set(pins) == {"one", "two"}
    assert pins["one"] == "One==1 \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb\n"


def test_the_committed_lock_pins_every_build_tool() -> None:
    """`Filler` finds each tool it names, with hashes."""
    from leadline.suites.registry.prepare import BUILD_TOOLS

    lock = Path(__file__).parents[2] / "requirements-registry.lock"
    pins = read_lock(lock.read_text(encoding="utf-8"))
    assert set(pins) == {*BUILD_TOOLS, "atheris"}
    assert all("--hash=sha256:" in pin for pin in pins.values())


def test_tools_are_installed_by_hash_or_not_at_all(
    tmp_path: Path, index: Path, client: Client
) -> None:
    """A tool of another hash leaves no folder behind, and the error tells the cure's cause."""
    tool = write_wheel(index, "tool", "1.0", "x = 1")
    lock = tmp_path / "lock"
    lock.write_text(f"tool==1.0 --hash=sha256:{'0' * 64}\n", encoding="utf-8")
    with pytest.raises(Unavailable, match="does not pin other"):
        install_tools(lock, ["tool", "other"], tmp_path / "tools", client)
    with pytest.raises(Unavailable, match="tool"):
        install_tools(lock, ["tool"], tmp_path / "tools", client)
    assert not (tmp_path / "tools").exists()
    lock.write_text(f"tool==1.0 --hash=sha256:{tool.sha256}\n", encoding="utf-8")
    install_tools(lock, ["tool"], tmp_path / "tools", client)
    assert (tmp_path / "tools" / "tool.py").is_file()


def test_a_tool_whose_marker_excludes_this_interpreter_is_unavailable(
    tmp_path: Path, index: Path, client: Client
) -> None:
    """The client then installs nothing and succeeds, which must not pass for an installation."""
    tool = write_wheel(index, "tool", "1.0", "x = 1")
    lock = tmp_path / "lock"
    pin = f"tool==1.0 ; python_version < '3.0' --hash=sha256:{tool.sha256}\n"
    lock.write_text(pin, encoding="utf-8")
    with pytest.raises(Unavailable, match="not for this interpreter"):
        install_tools(lock, ["tool"], tmp_path / "tools", client)


def test_a_client_that_hangs_is_stopped_with_a_reason(tmp_path: Path) -> None:
    """An index that never answers costs a bounded time."""
    client = Client(tmp_path, ("--isolated",), {"PATH": os.defpath}, seconds=0.01)
    assert client.run("download", "toy") == "pip did not finish within 0.01 s"
