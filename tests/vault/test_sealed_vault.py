"""The vault on files: modes, links, odd names, writers at once, and ciphertext that somebody changed."""

import resource
import shutil
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

import make
import vault_world
from leadline.core.errors import Invalid, LeadlineError, NotFound, Refused, Tampered, Unavailable
from leadline.core.marking import Marking, Tlp
from leadline.vault.ring import PublicHalves
from leadline.vault.sealed import SealedVault
from vault_world import VaultUnderTest, World

LARGE = bytes(range(256)) * 12_000
PROGRAM = (
    "import sys; from pathlib import Path; import make; from leadline.core.marking import *\n"
    "from leadline.core.errors import Unavailable; from leadline.vault.ring import PublicHalves\n"
    "from leadline.vault.sealed import SealedVault\n"
    "folder = Path(sys.argv[1]); vault = SealedVault(folder, PublicHalves(folder / 'compartments'))\n"
)


@pytest.fixture
def held(tmp_path: Path) -> VaultUnderTest:
    """An empty vault on files."""
    return vault_world.vault("files", World(), tmp_path)


@pytest.fixture
def folder(held: VaultUnderTest) -> Path:
    """Where it is."""
    return held.folder / "vault"


def copy_of(folder: Path, digest: str) -> Path:
    """The folder of the only copy under a digest."""
    (place,) = (folder / "content" / digest[:2] / digest).iterdir()
    return place


def developer(held: VaultUnderTest, content: bytes = LARGE, engagement: str = "one") -> str:
    """Working content of the developer, in three shards."""
    return held.vault.put(content, marking=make.marking(), engagement=engagement, owner="developer")


def run(program: str, *argv: str) -> "subprocess.CompletedProcess[str]":
    """*program* in a process of its own, which finds the tests' modules."""
    return subprocess.run(
        [sys.executable, "-c", program, *argv],
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": str(Path(make.__file__).parent)},
    )


def test_nobody_else_may_read(held: VaultUnderTest, folder: Path) -> None:
    """Files 0600 in folders 0700, wrapping keys and marks as well."""
    developer(held)
    places = [folder, *folder.rglob("*"), *(held.folder / "keys" / "compartments").rglob("*")]
    for path in places:
        if path.name != ".lock":
            mode = stat.S_IMODE(path.stat().st_mode)
            assert mode == (0o700 if path.is_dir() else 0o600), path


def test_no_plaintext_has_a_name(held: VaultUnderTest, folder: Path) -> None:
    """Nowhere under the installation, neither at rest nor while a file is open."""
    secret = b"CANARY-" * 200_000
    digest = developer(held, secret)

    def seen() -> list[Path]:
        files = (path for path in held.folder.rglob("*") if path.is_file())
        return [path for path in files if b"CANARY-" in path.read_bytes()]

    assert seen() == []
    with held.vault.open(digest) as file:
        assert file.read() == secret
        assert seen() == []
        assert list((folder / "quarantine").iterdir()) == []


def test_nothing_half_written_is_left(held: VaultUnderTest, folder: Path) -> None:
    """One header and three shards; nothing incoming, not after a stream that broke off either."""
    digest = developer(held)
    names = sorted(path.name for path in copy_of(folder, digest).iterdir())
    assert names == ["0.shard", "1.shard", "2.shard", "header.json"]

    def breaking() -> "list[bytes]":
        raise Invalid("upload", "the sender went away")

    with pytest.raises(Invalid):
        held.vault.receive(
            (chunk for chunk in [b"x", *breaking()]),
            marking=make.marking(),
            engagement="one",
            owner="developer",
            sealed=True,
            bytes_max=10,
        )
    assert not [path for path in (folder / "content").iterdir() if path.name.startswith(".new")]


def test_what_is_there_is_not_written_again(held: VaultUnderTest, folder: Path) -> None:
    """The second put leaves the first files as they are; so does a second stream."""
    digest = developer(held)
    shard = copy_of(folder, digest) / "0.shard"
    before = shard.stat()
    developer(held)
    held.vault.receive(
        (LARGE,),
        marking=make.marking(),
        engagement="one",
        owner="developer",
        sealed=False,
        bytes_max=len(LARGE),
    )
    after = shard.stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


@pytest.mark.parametrize("digest", ["", "../../etc/passwd", "A" * 64, "a" * 63, "a" * 64 + "\n"])
def test_what_is_no_digest_is_invalid(held: VaultUnderTest, digest: str) -> None:
    """No name from outside becomes a path."""
    for look in (held.vault.get, held.vault.marking):
        with pytest.raises(Invalid):
            look(digest)


@pytest.mark.parametrize("name", ["header.json", "0.shard"])
def test_a_link_is_not_followed(
    held: VaultUnderTest, folder: Path, tmp_path: Path, name: str
) -> None:
    """Even to a file with the right bytes."""
    digest = developer(held)
    place = copy_of(folder, digest) / name
    place.rename(tmp_path / "elsewhere")
    place.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Unavailable):
        held.vault.get(digest)


@pytest.mark.parametrize(
    "change",
    [
        b"",
        b"\xff",
        b"{}",
        b"[]",
        b'{"format":"leadline/sealed-copy/v1"}',
    ],
)
def test_a_damaged_header_is_tampered(held: VaultUnderTest, folder: Path, change: bytes) -> None:
    """On reading and on the next put; no marking is ever taken for a loose one."""
    digest = developer(held)
    (copy_of(folder, digest) / "header.json").write_bytes(change)
    with pytest.raises(Tampered):
        held.vault.marking(digest)
    with pytest.raises(Tampered):
        developer(held)


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ('"size":3072000', '"size":3071999'),
        ('"size":3072000', '"size":9000000000000'),
        ('"size":3072000', '"size":-1'),
        ('"size":3072000', '"size":true'),
        ('"epoch":1', '"epoch":2'),
        ('"owner":"developer"', '"owner":"agency"'),
        ('"owner":"developer"', '"owner":"nobody"'),
        ('"engagement":"one"', '"engagement":"two"'),
        ('"protection":"working"', '"protection":"sealed"'),
        ('"protection":"working"', '"protection":"open"'),
        ('"terms":""', '"terms":"other"'),
        ('"keys":["', '"keys":["AA'),
    ],
)
def test_a_header_that_lies_opens_nothing(
    held: VaultUnderTest, folder: Path, member: str, value: str
) -> None:
    """About length, epoch, owner, engagement, protection, terms or keys."""
    digest = developer(held)
    developer(held, b"something else", "two")
    header = copy_of(folder, digest) / "header.json"
    text = header.read_text()
    assert member in text
    header.write_text(text.replace(member, value))
    with pytest.raises(LeadlineError) as told:
        held.vault.get(digest)
    assert isinstance(told.value, Tampered | Refused | NotFound)


def test_a_copy_in_anothers_place_is_tampered(held: VaultUnderTest, folder: Path) -> None:
    """Moved whole, header and all."""
    first, second = developer(held), developer(held, b"other content")
    place = copy_of(folder, second)
    shutil.rmtree(place)
    shutil.copytree(copy_of(folder, first), place)
    with pytest.raises(Tampered):
        held.vault.get(second)


@pytest.mark.parametrize(
    "damage", ["flip", "truncate", "cut segment", "extend", "swap", "repeat", "remove", "empty"]
)
def test_changed_ciphertext_is_found_before_anything_is_given_out(
    held: VaultUnderTest, folder: Path, damage: str
) -> None:
    """In the last of three shards, so that good plaintext comes before it."""
    digest = developer(held)
    place = copy_of(folder, digest)
    first, last = place / "1.shard", place / "2.shard"
    content = bytearray(last.read_bytes())
    if damage == "flip":
        content[len(content) // 2] ^= 1
    changes = {
        "truncate": bytes(content[:-1]),
        "cut segment": bytes(content[: len(content) // 2]),
        "extend": bytes(content) + b"\0",
        "repeat": bytes(content) * 2,
        "swap": first.read_bytes(),
        "empty": b"",
    }
    if damage == "remove":
        last.unlink()
    else:
        last.write_bytes(changes.get(damage, bytes(content)))
    with pytest.raises((Tampered, NotFound)):
        held.vault.get(digest)
    with pytest.raises((Tampered, NotFound)), held.vault.open(digest):
        pytest.fail("a file was handed out")


def test_a_lying_length_costs_no_memory_and_no_time(held: VaultUnderTest, folder: Path) -> None:
    """A shard of a gigabyte of nothing is refused within a second and a few MiB."""
    digest = developer(held)
    with (copy_of(folder, digest) / "1.shard").open("r+b") as file:
        file.truncate(1 << 30)
    before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
    with pytest.raises(Tampered), held.vault.open(digest):
        pytest.fail("a file was handed out")
    assert time.monotonic() - began < 2
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 << 10


def test_a_copy_without_its_header_is_tampered(held: VaultUnderTest, folder: Path) -> None:
    """It is written before the copy gets its place."""
    digest = developer(held)
    (copy_of(folder, digest) / "header.json").unlink()
    with pytest.raises(Tampered):
        held.vault.get(digest)


@pytest.mark.parametrize("name", ["a//b", "//"])
def test_a_compartment_the_text_cannot_hold_is_invalid(held: VaultUnderTest, name: str) -> None:
    """It would come back as other compartments."""
    with pytest.raises(Invalid):
        held.vault.put(b"x", marking=Marking(Tlp.RED, frozenset({name})))


def test_a_place_that_cannot_be_written_is_unavailable(tmp_path: Path) -> None:
    """A file stands where the folder should be."""
    (tmp_path / "vault").write_bytes(b"")
    with pytest.raises(Unavailable):
        vault_world.vault("files", World(), tmp_path).vault.put(b"x", marking=make.marking())


def test_a_full_disk_leaves_nothing(held: VaultUnderTest, folder: Path) -> None:
    """When the write fails in the middle, no temporary file stays and the content is absent."""
    held.keys.ensure("", "agency")
    done = run(
        PROGRAM + "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536))\n"
        "try: vault.put(bytes(3_000_000), marking=Marking(Tlp.RED))\n"
        "except Unavailable as error: print(error)\n",
        str(folder),
    )
    assert "cannot be written" in done.stdout, done.stderr
    assert [path for path in (folder / "content").rglob("*") if path.name != ".lock"] == []


def test_processes_that_only_seal_lose_no_marking(held: VaultUnderTest, folder: Path) -> None:
    """Each puts the same bytes under its own compartments; all are kept, and none can read them."""
    held.keys.ensure("", "agency")
    program = PROGRAM + (
        "for n in range(10):\n"
        "    name = frozenset({f'{sys.argv[2]}-{n}'})\n"
        "    digest = vault.put(b'evidence', marking=Marking(Tlp.GREEN, name))\n"
        "print(digest)\n"
    )
    running = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(folder), name],
            stdout=subprocess.PIPE,
            text=True,
            env={"PYTHONPATH": str(Path(make.__file__).parent)},
        )
        for name in ("a", "b")
    ]
    (digest,) = {process.communicate()[0].strip() for process in running}
    kept = held.vault.marking(digest).compartments
    assert kept == {f"{name}-{n}" for name in ("a", "b") for n in range(10)}
    assert held.vault.get(digest) == b"evidence"
    with pytest.raises(Refused, match="public halves"):
        SealedVault(folder, PublicHalves(folder / "compartments")).get(digest)


def test_nothing_is_inherited_by_children(held: VaultUnderTest) -> None:
    """Descriptors are closed again after every call."""
    developer(held)
    before = len(list(Path("/proc/self/fd").iterdir()))
    for number in range(20):
        digest = held.vault.put(str(number).encode(), marking=make.marking())
        with held.vault.open(digest):
            pass
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_an_open_file_stops_reading_when_access_ends(held: VaultUnderTest) -> None:
    """Whatever was not read yet stays unread, though the plaintext lies in quarantine already."""
    content = bytes(3 << 20)
    digest = held.vault.receive(
        (content,),
        marking=make.marking(),
        engagement=make.ENGAGEMENT,
        owner="developer",
        sealed=True,
        bytes_max=len(content),
    ).digest
    with held.vault.open(digest, held.world.release(digest)) as file:
        assert len(file.read(10)) == 10
        assert file.seek(0) == 0
        held.keys.end(make.ENGAGEMENT, "developer")
        with pytest.raises(Refused, match="has ended"):
            file.read()


def test_a_process_that_only_seals_can_do_nothing_else(held: VaultUnderTest, folder: Path) -> None:
    """Every other request is refused in words that say why."""
    keys = PublicHalves(folder / "compartments")
    with pytest.raises(NotFound):
        keys.ensure("one", "developer")
    digest = developer(held)
    assert "public half only" in keys.attest("one", "developer")
    assert not keys.ended("one", "developer")
    vault = SealedVault(folder, keys)
    release = held.world.release(digest)
    for refused in (
        lambda: vault.get(digest),
        lambda: vault.rewrap("one", "developer"),
        lambda: keys.rotate("one", "developer"),
        lambda: keys.end("one", "developer"),
        lambda: keys.destroy("one", "developer", authority="nobody"),
        lambda: keys.unwrap([], release),
    ):
        with pytest.raises(Refused, match="public halves"):
            refused()
