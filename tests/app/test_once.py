"""A request that is sent twice counts once, whatever happens between."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from identity.people import House, house
from leadline.app import once
from leadline.app.context import Context
from leadline.app.once import Carried, Once
from leadline.app.ports import Store
from leadline.core.errors import Invalid, NotFound, Refused, Stale
from leadline.core.record.act import Kind

DIGEST = "ab" * 32


@pytest.fixture
def at(tmp_path: Path, database_url: str) -> Iterator[House]:
    """On each database, with somebody."""
    with house(tmp_path, database_url) as found:
        found.enrol("ann", "auditor")
        yield found


def begun(ctx: Context, digest: str = DIGEST) -> Once:
    """A request that was not carried out before."""
    made = once.begin(ctx, "key", digest, "/there")
    assert isinstance(made, Once)
    return made


def write(at: House, through: Once, act: str) -> None:
    """One act through the request's store."""
    ctx = at.ctx("ann")
    with through.acting(at.door.parts.access.tenancy(ctx.principal)).read() as view:
        before = view.log_size()
    with through.write() as tx:
        tx.record(ctx.act(Kind.ALERT_RAISED, act, ""))
    with through.read() as view:
        assert view.log_size() == before + 1


def test_the_same_answer_comes_again(at: House) -> None:
    """For seven days; then the key is new."""
    ctx = at.ctx("ann")
    first = begun(ctx)
    write(at, first, "one")
    write(at, first, "two")
    first.finish(200, "application/json", "{}")
    found = once.begin(ctx, "key", DIGEST, "/there")
    assert isinstance(found, Carried)
    assert (found.status, found.answer, found.where) == (200, "{}", "/there")
    with pytest.raises(Invalid):
        once.begin(ctx, "key", "cd" * 32, "/there")
    at.enrol("ben", "auditor")
    assert isinstance(once.begin(at.ctx("ben"), "key", DIGEST, "/"), Once)
    assert once.forget(at.door.parts.store, at.clock.now) == 0
    at.clock.forward(days=8)
    later = begun(at.ctx("ann"))
    write(at, later, "three")
    later.finish(200)
    assert once.forget(at.door.parts.store, at.clock.now + once.KEPT) == 1


def test_an_answer_that_was_lost_is_told(at: House) -> None:
    """While it is under way, and when it will never come."""
    write(at, begun(at.ctx("ann")), "one")
    with pytest.raises(Refused, match="being carried out"):
        once.begin(at.ctx("ann"), "key", DIGEST, "/there")
    at.clock.forward(minutes=5)
    with pytest.raises(Refused, match="answer was lost; look at /there"):
        once.begin(at.ctx("ann"), "key", DIGEST, "/there")


def test_of_two_at_once_one_writes(at: House) -> None:
    """The other changes nothing at all."""
    ctx = at.ctx("ann")
    first, second = begun(ctx), begun(ctx)
    write(at, first, "one")
    before = len(at.kinds())
    with pytest.raises(Refused, match="being carried out"), second.write() as tx:
        tx.record(ctx.act(Kind.ALERT_RAISED, "two", ""))
    assert len(at.kinds()) == before
    second.free()
    second.finish(200)


def test_what_was_refused_may_be_sent_again(at: House) -> None:
    """A write that is rolled back takes no key; one that stands is let go of."""
    ctx = at.ctx("ann")
    first = begun(ctx)
    with pytest.raises(NotFound), first.write() as tx:
        tx.get(Carried, "there is none")
    assert first.version is None
    write(at, first, "denied")
    first.free()
    assert isinstance(once.begin(ctx, "key", DIGEST, "/there"), Once)


def test_long_answers_are_not_kept(at: House) -> None:
    """That it was carried out is."""
    ctx = at.ctx("ann")
    first = begun(ctx)
    write(at, first, "one")
    first.finish(200, "application/json", "x" * (once.ANSWER_MAX + 1))
    found = once.begin(ctx, "key", DIGEST, "/there")
    assert isinstance(found, Carried)
    assert found.answer is None


def test_what_changed_meanwhile_is_seen_in_the_transaction(at: House) -> None:
    """Looked at with the lock taken, once; where it stands against the request nothing is written."""
    made, looked = begun(at.ctx("ann")), list[int]()
    row = Carried("cd" * 32, at.clock.now, "/elsewhere")

    def still(store: Store) -> None:
        with store.acting(at.door.parts.access.tenancy(at.ctx("ann").principal)).read() as view:
            looked.append(len(view.find(Carried)))
        if len(looked) == 1:
            with store.write() as tx:
                tx.put("once-other", row, marking=once.OWN)
            raise Stale("it changed")

    made.still = still
    with at.door.parts.store.read() as view:
        before = view.log_size()
    with pytest.raises(Stale), made.write() as tx:
        tx.record(at.ctx("ann").act(Kind.ALERT_RAISED, "late", ""))
    with at.door.parts.store.read() as view:
        assert view.log_size() == before
        assert not view.find(Carried)
    write(at, made, "in time")
    write(at, made, "and once more")
    assert looked == [1, 1]
