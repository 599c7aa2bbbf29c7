"""What programs fetch, as every store has it: the same parts of the same walks as the one in memory."""

import random
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta

import pytest

import fakes
import make
from clearing_values import AT
from leadline.app.lines import Shown
from leadline.app.ports import Sought, Store, Which
from leadline.core.marking import Tlp
from leadline.store.sql import SqlStore, open_store
from leadline.wiring.home import KINDS
from leadline.wiring.regimes import library
from taxii_world import CASE, OTHER_CASE, draft, numbered, publish, revised

WHICH: tuple[frozenset[Which], ...] = tuple(frozenset({one}) for one in Which)


@pytest.fixture
def kept(database_url: str) -> Iterator[SqlStore]:
    """A store on each database, with the lists of an installation."""
    lines = Shown(library)
    with closing(
        open_store(database_url, blinder=make.blinders(), kinds=KINDS, lines=lines)
    ) as one:
        yield one


def filled(*stores: Store) -> None:
    """Advisories that are drafted, published, revised, changed, in any order and at no moment in order."""
    chance = random.Random(77)  # noqa: S311 -- repeats from run to run
    standing = {number: numbered(number, flaws=3) for number in range(6)}
    public = set[int]()
    for _ in range(30):
        number, at = chance.randrange(6), AT + timedelta(seconds=chance.randrange(3))
        if number not in public and chance.random() < 0.6:
            case, tlp = (CASE, OTHER_CASE)[number % 2], (Tlp.RED, Tlp.AMBER_STRICT)[number % 2]
            for store in stores:
                draft(store, standing[number], case, at=at, tlp=tlp)
            continue
        if number in public:
            flaws = tuple(numbered(number, flaws=3).flaws[: chance.randrange(1, 4)])
            standing[number] = revised(standing[number], flaws=flaws)
        public.add(number)
        for store in stores:
            publish(store, standing[number], at=at)


def test_every_part_is_that_of_the_store_in_memory(kept: SqlStore) -> None:
    """Of each collection, whichever versions, ids and types are asked for, from any moment on."""
    memory = fakes.MemoryStore(make.blinders(), KINDS, Shown(library))
    filled(memory, kept)
    chance, compared = random.Random(78), 0  # noqa: S311 -- repeats from run to run
    with memory.read() as one, kept.read() as other:
        for case in ("", CASE, OTHER_CASE, "case-none"):
            every = one.shared(Sought(case, versions=frozenset({Which.ALL}), limit=1_000))
            assert every == other.shared(Sought(case, versions=frozenset({Which.ALL}), limit=1_000))
            assert len({row.added for row in every}) == len(every)
            compared += len(every)
            for _ in range(25):
                some = [chance.choice(every) for _ in range(2)] if every else []
                sought = Sought(
                    case,
                    frozenset(row.id for row in some) if chance.random() < 0.4 else frozenset(),
                    frozenset(row.type for row in some) if chance.random() < 0.4 else frozenset(),
                    chance.choice((*WHICH, frozenset(row.version for row in some) or WHICH[0])),
                    some[0].added if some and chance.random() < 0.6 else AT,
                    chance.randrange(1, 9),
                )
                assert one.shared(sought) == other.shared(sought), sought
        public = one.shared(Sought())
        for number in range(6):
            ids = frozenset(row.id for row in public[:3])
            name = numbered(number).id
            assert one.shared_with(name, ids) == other.shared_with(name, ids)
    assert compared > 30
