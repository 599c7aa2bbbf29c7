"""Uploads: what is taken in, what is refused, and what a refusal leaves on record."""

import io
import time
import zipfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from hashlib import sha256

import pytest
from typing_extensions import override

import make
from fakes import Faulty
from intake_world import World, quarantine, upload
from leadline.app import intake
from leadline.core.errors import Denied, Invalid, Tampered, Unavailable
from leadline.core.intake import DEFAULT, Content, Hostile, Limits, Purpose, Taken
from leadline.core.record.act import Kind
from leadline.core.vaulting import Artefact, Protection
from leadline.store.sql import open_store
from leadline.wiring.home import KINDS

TEXT = b"# A model\n\nIt has layers.\n"


@pytest.fixture
def world(sqlite_url: str) -> Iterator[World]:
    """An installation over SQLite."""
    with closing(open_store(sqlite_url, kinds=KINDS)) as store:
        yield World(store)


def test_an_upload_is_taken_in(world: World) -> None:
    """Its bytes lie in the vault under their digest, its act names what it is; no name, no content."""
    taken = world.deposit(upload(name="card\u202e.md", declared=len(TEXT)), TEXT[:9], TEXT[9:])
    assert taken.judged.content is Content.TEXT
    assert (taken.digest, taken.bytes) == (sha256(TEXT).hexdigest(), len(TEXT))
    assert taken.name == "card\\u202e.md"
    assert world.vault.get(taken.digest) == TEXT
    (artefact,) = world.all(Artefact)
    assert (artefact.id, artefact.digest, artefact.owner) == (taken.id, taken.digest, "agency")
    (act,) = world.acts(Kind.ARTEFACT_RECEIVED)
    assert act.about == taken.id
    assert act.detail["digest"] == taken.digest
    assert "card" not in str(act)


def test_what_a_developer_gives_stays_its_own(world: World) -> None:
    """Owner developer, and sealed where it says so: then nothing opens it without the ceremony."""
    taken = world.deposit(replace(upload(), sealed=True), TEXT, by="developer")
    (artefact,) = world.all(Artefact)
    assert (artefact.owner, artefact.protection) == ("developer", Protection.SEALED)
    with pytest.raises(Exception, match="sealed"):
        world.vault.get(taken.digest)


@pytest.mark.parametrize("persisted", [True, False])
def test_an_upload_is_entered_whole_or_not_at_all(sqlite_url: str, *, persisted: bool) -> None:
    """What the write did, it did to the artefact, its entry and its act together."""
    with closing(open_store(sqlite_url, kinds=KINDS)) as store:
        faulty = Faulty(store)
        world = World(faulty)
        faulty.fail_next(persisted=persisted)
        with pytest.raises(Unavailable):
            world.take(TEXT)
        left = world.all(Artefact), world.all(Taken), world.acts(Kind.ARTEFACT_RECEIVED)
        assert [len(one) for one in left] == [persisted] * 3


def bomb() -> bytes:
    """A hundred mebibytes of zeros in a zip archive."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a", bytes(100 << 20))
    return out.getvalue()


@pytest.mark.parametrize(
    ("purpose", "raw", "problem"),
    [
        (Purpose.EVIDENCE, bomb(), "100 times its size"),
        (Purpose.WEIGHTS, b"\x80\x04\x95\0", "a pickle"),
        (Purpose.WEIGHTS, b"\2\0\0\0\0\0\0\0{}x", "the file at 1"),
        (Purpose.CONFIGURATION, b"import os\n", "Python"),
    ],
)
def test_an_attack_is_refused_and_somebody_looks_at_it(
    world: World, purpose: Purpose, raw: bytes, problem: str
) -> None:
    """No bytes are kept; an act names digest and problem, an alert tells who sent it."""
    began = time.process_time()
    with pytest.raises(Hostile, match=problem):
        world.take(raw, purpose, by="developer")
    assert time.process_time() - began < 2
    (act,) = world.acts(Kind.ARTEFACT_REFUSED)
    assert act.detail["digest"] == sha256(raw).hexdigest()
    assert problem in str(act.detail["problem"])
    (alert,) = world.alerts("upload")
    assert alert.actor == "developer"
    assert problem in alert.what
    assert world.all(Taken) == []
    assert world.vault.holdings() == []


@pytest.mark.parametrize(
    ("purpose", "raw", "problem"),
    [
        (Purpose.WEIGHTS, TEXT, "text is not taken as weights"),
        (Purpose.DOCUMENT, b"\xff\xfe", "no format on the list"),
        (Purpose.DOCUMENT, b"", "empty"),
        (Purpose.CONFIGURATION, b'{"a": NaN}', "no number"),
    ],
)
def test_a_mistake_is_refused_and_recorded_without_alarm(
    world: World, purpose: Purpose, raw: bytes, problem: str
) -> None:
    """An act, no alert."""
    with pytest.raises(Invalid, match=problem):
        world.take(raw, purpose)
    assert len(world.acts(Kind.ARTEFACT_REFUSED)) == 1
    assert world.alerts("upload") == []


@pytest.mark.parametrize(
    ("declared", "pieces", "problem", "hostile"),
    [
        (4, 3, "more than the 4 bytes", True),
        (40, 3, "40 bytes declared, 9 came", False),
        (-1, 3, "-1 bytes declared", False),
        (1000, 3, "at most 100 are taken", False),
        (None, 51, "more than the 100 bytes", False),
    ],
)
def test_lengths_are_counted_not_believed(
    world: World, declared: int | None, pieces: int, problem: str, *, hostile: bool
) -> None:
    """Reading ends at the first byte beyond what was declared, or the cap."""
    limits = Limits(upload_bytes=100)
    sent = iter([b"ab"] * pieces + [b"end"])
    announced = replace(upload(), bytes=declared)
    with pytest.raises(Invalid, match=problem) as refusal:
        intake.deposit(world.ctx("keeper"), announced, sent, quarantine, limits)
    assert isinstance(refusal.value, Hostile) == hostile
    assert len(world.alerts("upload")) == hostile
    if "more than" in problem:
        assert list(sent)[-1:] == [b"end"]


def test_a_sender_that_dawdles_is_ended(world: World) -> None:
    """After the grace, an upload must keep a pace."""
    limits = replace(DEFAULT, grace_seconds=0.0, bytes_per_second=1 << 40)
    with pytest.raises(Invalid, match="slower than"):
        world.deposit(upload(), b"a", b"b", limits=limits)


def test_a_quarantine_that_changes_is_noticed(world: World) -> None:
    """What goes into the vault is what was judged, or nothing is recorded."""

    class Changing(io.BytesIO):
        reads = 0

        @override
        def read(self, size: int | None = -1) -> bytes:
            self.reads += 1
            return super().read(size).replace(b"layers", b"l4yers" if self.reads > 3 else b"layers")

    with pytest.raises(Tampered, match="changed"):
        intake.deposit(world.ctx("keeper"), upload(), [TEXT], Changing)
    assert world.all(Taken) == []


def test_nobody_else_deposits_or_lists(world: World) -> None:
    """Anybody is denied, with an act; a list holds what its reader may read, and no more."""
    world.take(TEXT)
    with pytest.raises(Denied):
        world.take(TEXT, by="anybody")
    assert len(world.acts(Kind.ACCESS_DENIED)) == 1
    assert [row.value.purpose for row in intake.listed(world.ctx("keeper"))] == [Purpose.DOCUMENT]
    assert intake.listed(world.ctx("anybody")) == []
    assert make.ENGAGEMENT in str(intake.listed(world.ctx("developer")))
