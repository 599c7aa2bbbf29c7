"""Uploads in several requests, over a store and a memory in place of the disk."""

from collections.abc import Collection, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from hashlib import sha256

import pytest
from typing_extensions import override

import make
from intake_world import World, quarantine
from leadline.app import arriving
from leadline.app.arriving import Arriving, Elsewhere
from leadline.app.intake import Upload
from leadline.core.errors import Denied, Invalid, NotFound, Refused, Unavailable
from leadline.core.intake import Limits, Purpose
from leadline.core.record.act import Kind
from leadline.store.sql import open_store
from leadline.wiring.home import KINDS

NOTE = b"# What was measured\n\nNothing was.\n"
DIGEST = sha256(NOTE).hexdigest()
UPLOAD = Upload(make.ENGAGEMENT, make.DEVELOPER, Purpose.DOCUMENT, "note.md", len(NOTE))


@dataclass
class MemoryPart:
    """What came of one upload, in memory."""

    came: bytearray

    @property
    def size(self) -> int:
        """As the port."""
        return len(self.came)

    def append(self, key: bytes, chunks: Iterable[bytes]) -> None:
        """As the port."""
        assert len(key) == arriving.KEY_BYTES
        for chunk in chunks:
            self.came.extend(chunk)

    def read(self, key: bytes) -> Iterator[bytes]:
        """As the port."""
        assert len(key) == arriving.KEY_BYTES
        yield bytes(self.came)


@dataclass
class MemoryArrivals:
    """Uploads between their requests, in memory; *free* bytes of room."""

    parts: dict[str, MemoryPart] = field(default_factory=dict)
    free: int = 1 << 40

    @contextmanager
    def held(self, id_: str) -> Iterator[MemoryPart]:
        """As the port; nobody else is there."""
        yield self.parts.setdefault(id_, MemoryPart(bytearray()))

    def room(self) -> int:
        """As the port."""
        return self.free

    def ids(self) -> Collection[str]:
        """As the port."""
        return list(self.parts)

    def remove(self, id_: str) -> None:
        """As the port."""
        self.parts.pop(id_, None)


@pytest.fixture
def world(database_url: str) -> Iterator[World]:
    """On each database."""
    with closing(open_store(database_url, kinds=KINDS)) as store:
        yield World(store)


@pytest.fixture
def arrivals() -> MemoryArrivals:
    """Nothing came yet."""
    return MemoryArrivals()


def begun(world: World, arrivals: MemoryArrivals, by: str = "developer") -> Arriving:
    """An upload of the note."""
    return arriving.begin(world.ctx(by), UPLOAD, DIGEST, arrivals)


def test_from_its_beginning_to_its_end(world: World, arrivals: MemoryArrivals) -> None:
    """Added to where it stands, taken in once, with the act; the key is gone from the row."""
    ctx, id_ = world.ctx("developer"), begun(world, arrivals).id
    assert arriving.append(ctx, id_, 0, [NOTE[:9]], arrivals) == 9
    with pytest.raises(Elsewhere) as caught:
        arriving.append(ctx, id_, 0, [NOTE], arrivals)
    assert caught.value.offset == arriving.offset(ctx, id_, arrivals) == 9
    with pytest.raises(Refused, match="send the others first"):
        arriving.finish(ctx, id_, arrivals, quarantine)
    assert arriving.append(ctx, id_, 9, [NOTE[9:]], arrivals) == len(NOTE)
    taken = arriving.finish(ctx, id_, arrivals, quarantine)
    assert arriving.finish(ctx, id_, arrivals, quarantine) == taken
    assert (taken.digest, taken.bytes) == (DIGEST, len(NOTE))
    assert arriving.offset(ctx, id_, arrivals) == len(NOTE)
    (own,) = arriving.mine(ctx)
    assert (own.artefact, own.key) == (taken.id, "")
    assert not arrivals.parts
    with pytest.raises(Refused, match="taken in"):
        arriving.append(ctx, id_, len(NOTE), [b"x"], arrivals)
    with world.store.read() as view:
        assert len(view.acts(kind=Kind.ARTEFACT_RECEIVED)) == 1


def test_only_whoever_began_it_knows_of_it(world: World, arrivals: MemoryArrivals) -> None:
    """The rules are asked at its beginning and at each step; others are told nothing."""
    with pytest.raises(Denied):
        begun(world, arrivals, "anybody")
    id_ = begun(world, arrivals).id
    for person in ("keeper", "official", "anybody"):
        ctx = world.ctx(person)
        assert not arriving.mine(ctx)
        with pytest.raises(NotFound):
            arriving.append(ctx, id_, 0, [NOTE], arrivals)
        with pytest.raises(NotFound):
            arriving.cancel(ctx, id_, arrivals)
    assert not arrivals.parts


def test_its_length_and_the_room(world: World, arrivals: MemoryArrivals) -> None:
    """A length there is, that is taken; room for what is copied; no more at once than an organisation may."""
    ctx = world.ctx("developer")
    for length in (0, -1, None, Limits().upload_bytes + 1):
        with pytest.raises(Invalid, match="Upload-Length"):
            arriving.begin(ctx, replace(UPLOAD, bytes=length), DIGEST, arrivals)
    arrivals.free = arriving.COPIES * len(NOTE) - 1
    with pytest.raises(Unavailable, match="no room"):
        begun(world, arrivals)
    arrivals.free += 1
    first = begun(world, arrivals).id
    for _ in range(arriving.EACH - 1):
        begun(world, arrivals)
    with pytest.raises(Refused, match="give one up"):
        begun(world, arrivals)
    arriving.cancel(ctx, first, arrivals)
    assert begun(world, arrivals).owner == "developer"


def test_more_or_more_slowly_than_it_may(world: World, arrivals: MemoryArrivals) -> None:
    """What came within what was announced stays."""
    ctx, id_ = world.ctx("developer"), begun(world, arrivals).id
    slow = Limits(bytes_per_second=1 << 40, grace_seconds=0)
    with pytest.raises(Invalid, match="slower than"):
        arriving.append(ctx, id_, 0, [NOTE[:9], NOTE[9:]], arrivals, slow)
    with pytest.raises(Invalid, match="more comes"):
        arriving.append(ctx, id_, 9, [NOTE[9:12], NOTE], arrivals)
    assert arriving.offset(ctx, id_, arrivals) == 12


def test_it_is_over_where_it_is_refused(world: World, arrivals: MemoryArrivals) -> None:
    """Bytes of another digest: on record, and nothing stays."""
    ctx, id_ = world.ctx("developer"), begun(world, arrivals).id
    arriving.append(ctx, id_, 0, [NOTE[:-1] + b"!"], arrivals)
    with pytest.raises(Invalid, match="digest"):
        arriving.finish(ctx, id_, arrivals, quarantine)
    assert not arrivals.parts
    with pytest.raises(NotFound):
        arriving.shown(ctx, id_)
    with world.store.read() as view:
        assert len(view.acts(kind=Kind.ARTEFACT_REFUSED)) == 1


def test_given_up_in_the_moment_before_it_is_held(world: World) -> None:
    """Nothing that comes afterwards is acknowledged."""
    ctx = world.ctx("developer")

    class Meanwhile(MemoryArrivals):
        """Where somebody gives it up then."""

        @override
        @contextmanager
        def held(self, id_: str) -> Iterator[MemoryPart]:
            """As the port."""
            arriving.cancel(ctx, id_, self)
            with super().held(id_) as part:
                yield part

    arrivals = Meanwhile()
    id_ = begun(world, arrivals).id
    with pytest.raises(NotFound):
        arriving.append(ctx, id_, 0, [NOTE], arrivals)


def test_what_is_over_is_swept(world: World, arrivals: MemoryArrivals) -> None:
    """After a week, and what nobody has; not what is under way, nor the row of what was taken in."""
    old = begun(world, arrivals).id
    arriving.append(world.ctx("developer"), old, 0, [NOTE[:5]], arrivals)
    world.now += timedelta(days=4)
    ctx, young, done = world.ctx("developer"), begun(world, arrivals).id, begun(world, arrivals).id
    arriving.append(ctx, young, 0, [NOTE[:6]], arrivals)
    arriving.append(ctx, done, 0, [NOTE], arrivals)
    arriving.finish(ctx, done, arrivals, quarantine)
    arrivals.parts["upload-lost"] = MemoryPart(bytearray(b"x"))
    assert arriving.sweep(world.store, world.now, arrivals) == 1
    world.now += arriving.LIFE - timedelta(days=4)
    assert arriving.sweep(world.store, world.now, arrivals) == 1
    assert list(arrivals.parts) == [young]
    with pytest.raises(NotFound):
        arriving.shown(world.ctx("developer"), old)
    assert arriving.shown(world.ctx("developer"), done).artefact
    assert arriving.sweep(world.store, world.now, arrivals) == 0
