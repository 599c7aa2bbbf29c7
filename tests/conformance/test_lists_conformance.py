"""Lists on every store: a walk through the parts gives what `find` gives, sorted, whatever comes between."""

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import fakes
import make
from conformance.conftest import POSTGRESQL
from conformance.sightings import KINDS, Remark, Sighting
from leadline.app.ports import Line, Listed, Order, Reading, Shared, Store, Stored, Wanted
from leadline.core.access import Bounds, Tenancy
from leadline.core.clause import (
    EVERYTHING,
    NOTHING,
    Above,
    Clause,
    Fact,
    Measure,
    Within,
    every,
    negation,
    one_of,
    some,
    touches,
)
from leadline.core.errors import Stale
from leadline.core.marking import Marking, Tlp
from leadline.core.record.act import Act
from leadline.core.searching import asked, found, plain
from leadline.store import listing
from leadline.store.connections import engine_for
from leadline.store.sql import open_store
from store.roles import application

HOUR = timedelta(hours=1)
ORGS, PLACES, WORDS = (
    ("", "o1", "o2"),
    ("", "c1", "c2", "c3"),
    ("log", "logging", "lo", "Émile", "x1"),
)
Opener = Callable[[], Store]


@dataclass(frozen=True, slots=True)
class Shown:
    """A sighting by its name and moment; its state is the kind of the last act about it."""

    version: str = "1"
    kinds: tuple[type, ...] = (Sighting,)

    def line(self, view: Reading, row: Stored[object]) -> Line:
        """What is shown."""
        value = row.value
        assert isinstance(value, Sighting)
        acts = view.acts(about=row.id)
        state = acts[-1].act.kind.value if acts else "new"
        due = value.seen + HOUR if value.count % 2 else None
        later = "over" if value.count % 3 else ""
        words = " ".join(sorted(value.tags))
        changed = acts[-1].act.at if acts else value.seen
        return Line(value.name, words, state, later, str(value.count % 2), value.seen, changed, due)

    def changed_by(self, act: Act) -> Sequence[tuple[type, str]]:
        """Whatever it is about."""
        return [(Sighting, act.about)]

    def shared(self, view: Reading, act: Act) -> Sequence[Shared] | None:
        """Nothing is fetched here."""
        del view, act
        return None


@pytest.fixture(params=["memory", "sqlite", POSTGRESQL])
def listed(request: pytest.FixtureRequest) -> Store:
    """A store that keeps lists."""
    if request.param == "memory":
        return fakes.MemoryStore(make.blinders(), KINDS, Shown())
    name = "sqlite_url" if request.param == "sqlite" else "postgres_url"
    url = request.getfixturevalue(name)
    store = open_store(url, blinder=make.blinders(), kinds=KINDS, lines=Shown())
    request.addfinalizer(store.close)  # noqa: PT021 -- one of three has something to close
    return store


def put(store: Store, id_: str, value: object, **more: object) -> None:
    """A row in a block of its own."""
    more = {"marking": make.marking(), **more}
    with store.write() as tx:
        tx.put(id_, value, **more)  # type: ignore[arg-type]


def ids(store: Store, **wanted: object) -> list[str]:
    """The ids of one part of a list."""
    asked_for = replace(Wanted(EVERYTHING, make.NOW), **wanted)  # type: ignore[arg-type]
    with store.read() as view:
        return [one.id for one in view.page(Sighting, asked_for)]


def _twice(store: Store) -> None:
    """Two rows in one block, of which the second cannot be."""
    with store.write() as tx:
        tx.put("b", Sighting("never"), marking=make.marking())
        tx.put("b", Sighting("never"), marking=make.marking())


def test_a_row_is_listed_from_the_moment_it_is_there(listed: Store) -> None:
    """Put, replaced, recorded about, removed: the list follows in the same transaction; a block undone leaves none."""
    put(listed, "a", Sighting("first"))
    put(listed, "r", Remark("of a kind that no list shows"))
    assert ids(listed) == ["a"]
    put(listed, "a", Sighting("second"), expect=1)
    assert ids(listed, words=("second",)) == ["a"]
    assert ids(listed, words=("first",)) == []
    with listed.write() as tx:
        tx.record(make.act(1, about="a"))
    kind = make.act(1).kind.value
    assert ids(listed, states=frozenset({kind})) == ["a"]
    with pytest.raises(Stale):
        _twice(listed)
    assert ids(listed) == ["a"]
    with listed.write() as tx:
        tx.remove(Sighting, "a")
    assert ids(listed) == []
    assert ids(listed, words=("second",)) == []


def test_a_row_and_what_is_recorded_of_it_in_one_block(listed: Store) -> None:
    """In either order; what was removed in the block that made it is in no list."""
    for n, id_ in enumerate(("a", "b"), 1):
        with listed.write() as tx:
            if n == 1:
                tx.record(make.act(n, about=id_))
            tx.put(id_, Sighting(id_), marking=make.marking())
            if n == 2:
                tx.record(make.act(n, about=id_))
    with listed.write() as tx:
        tx.put("c", Sighting("c"), marking=make.marking())
        tx.remove(Sighting, "c")
    with listed.read() as view:
        rows = view.page(Sighting, Wanted(EVERYTHING, make.NOW, order=Order.TITLE))
    assert [(one.id, one.line.state) for one in rows] == [
        ("a", make.act(1).kind.value),
        ("b", make.act(2).kind.value),
    ]


def test_words_are_found_as_they_are_typed(listed: Store) -> None:
    """Without case and accents, from three letters on by their beginning; signs mean nothing; rows that may not be seen are never found."""
    put(listed, "a", Sighting("Café overflow", tags=frozenset({"pkg:pypi/log4j-core@2.0"})))
    put(listed, "b", Sighting("secret overflow"), bounds=Bounds(case="c1"))
    for words in ("cafe", "CAFÉ", "over", "log4j core", "2", "pypi/log", '"cafe" OR', "café*"):
        sought = asked(words)
        due = found(plain("Café overflow a pkg:pypi/log4j-core@2.0"), sought)
        assert ids(listed, words=sought, visible=one_of(Fact.CASE, [""])) == (["a"] if due else [])
    assert ids(listed, words=("ca",)) == []
    assert ids(listed, words=("secret",), visible=one_of(Fact.CASE, ["c2"])) == []
    assert ids(listed, words=("secret",), visible=one_of(Fact.CASE, ["c1"])) == ["b"]


def test_time_alone_changes_a_state(listed: Store) -> None:
    """Until the date one word is said, from then on the other; and the date counts no more."""
    put(listed, "a", Sighting("a", count=1))
    for now, state, dated in ((make.NOW, "new", ["a"]), (make.NOW + HOUR, "over", [])):
        assert ids(listed, now=now, states=frozenset({state})) == ["a"]
        assert ids(listed, now=now, order=Order.DUE) == dated
    assert ids(listed, now=make.NOW + HOUR, states=frozenset({"new"})) == []


def test_what_another_version_wrote_is_written_anew(database_url: str) -> None:
    """When the store is opened; and what was written without lists is listed then."""
    with closing(open_store(database_url, kinds=KINDS)) as bare:
        put(bare, "a", Sighting("first"))
    for version in ("1", "1", "2"):
        lines = Shown(version)
        with closing(open_store(database_url, kinds=KINDS, lines=lines)) as store:
            assert ids(store, words=("first",)) == ["a"]


TEXT = st.sampled_from(WORDS)
NAMES = st.builds(" ".join, st.lists(TEXT, min_size=1, max_size=3))
SIGHTINGS = st.builds(
    Sighting,
    NAMES,
    st.integers(0, 6),
    st.integers(-3, 3).map(lambda hours: make.NOW + hours * HOUR),
    tags=st.frozensets(TEXT, max_size=2),
)
MARKINGS = st.builds(
    Marking, st.sampled_from(Tlp), st.frozensets(st.sampled_from(("k1", "k2")), max_size=2)
)
BOUNDS = st.builds(Bounds, st.sampled_from(PLACES), st.integers(0, 3))
ROWS = st.lists(st.tuples(SIGHTINGS, MARKINGS, BOUNDS, st.sampled_from(ORGS)), max_size=12)
LEAVES: st.SearchStrategy[Clause] = st.one_of(
    st.sampled_from((EVERYTHING, NOTHING)),
    st.builds(one_of, st.just(Fact.CASE), st.frozensets(st.sampled_from(PLACES))),
    st.builds(one_of, st.just(Fact.ORG), st.frozensets(st.sampled_from(ORGS))),
    st.builds(one_of, st.just(Fact.TLP), st.frozensets(st.sampled_from([t.value for t in Tlp]))),
    st.builds(Above, st.just(Measure.LEVEL), st.integers(-1, 3)),
    st.builds(Within, st.frozensets(st.sampled_from(("k1", "k2")))),
    st.builds(touches, st.frozensets(st.sampled_from(("k1", "k2")))),
)
CLAUSES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds(negation, inner),
        st.builds(every, st.lists(inner, max_size=3)),
        st.builds(some, st.lists(inner, max_size=3)),
    ),
    max_leaves=5,
)
ASKED = st.builds(
    Wanted,
    CLAUSES,
    st.integers(-3, 3).map(lambda hours: make.NOW + hours * HOUR),
    st.lists(st.sampled_from(("log", "lo", "emile", "x1", "loggi")), max_size=2).map(tuple),
    st.frozensets(st.sampled_from(("new", "over")), max_size=2),
    st.frozensets(st.sampled_from(("0", "1")), max_size=1),
    st.sampled_from(Order),
    limit=st.integers(1, 4),
)
NUMBERS = count()


def _sorted(store: Store, wanted: Wanted) -> list[Listed]:
    """The list by `find` and plain Python."""
    with store.read() as view:
        return list(fakes.page_of(view, Shown(), Sighting, replace(wanted, limit=10**6)))


@pytest.mark.postgres
def test_what_the_database_knows_to_be_common_is_walked(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Statistics tell common words, and beginnings of them; what no first rows have is found all the same."""
    monkeypatch.setattr(listing, "FEW", 20)
    monkeypatch.setattr(listing, "BEGUN", 10)
    store = open_store(postgres_url, blinder=make.blinders(), kinds=KINDS, lines=Shown())
    with closing(store):
        with store.write() as tx:
            for n in range(60):
                name = f"{'logging' if n % 2 else 'socket'} n{n}"
                seen = make.NOW - n * HOUR
                tx.put(f"{n:02}", Sighting(name, seen=seen), marking=make.marking())
            both = Sighting("logging socket oldest", seen=make.NOW - 100 * HOUR)
            tx.put("both", both, marking=make.marking())
        engine = engine_for(postgres_url)
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            assert listing._rare(connection, ["log", "n7"]) == ["log", "n7"]  # nobody looked yet
            connection.exec_driver_sql("ANALYZE listing_words")
            assert listing._rare(connection, ["log", "socket", "lo", "n7"]) == ["lo", "n7"]
        engine.dispose()
        assert ids(store, words=("log",), limit=5) == ["01", "03", "05", "07", "09"]
        assert ids(store, words=("log", "socket")) == ["both"]
        assert ids(store, words=("log", "n7")) == ["07"]


@pytest.mark.postgres
def test_a_search_behind_the_wall_finds_ones_own(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many rows of others have the same words; before, as many were taken of all rows as are sorted."""
    monkeypatch.setattr(listing, "FEW", 5)
    monkeypatch.setattr(listing, "BEGUN", 5)
    every_row = open_store(postgres_url, blinder=make.blinders(), kinds=KINDS, lines=Shown())
    with closing(every_row), every_row.write() as tx:
        for n in range(20):
            own = "mine" if n >= 18 else "others"
            tx.put(f"{n:02}", Sighting("overflow"), marking=make.marking(), engagement=own)
    wanted = Wanted(EVERYTHING, make.NOW, ("overflow",))
    with application(postgres_url) as url, closing(open_store(url, kinds=KINDS, lines=Shown())) as store:  # fmt: skip
        person = store.acting(Tenancy("one", "o1", engagements=frozenset({"mine"})))
        with person.read() as view:
            assert [one.id for one in view.pages({Sighting: wanted})[Sighting]] == ["19", "18"]
            assert [one.id for one in view.page(Sighting, wanted)] == ["19", "18"]


@pytest.mark.parametrize("common", [False, True])
@pytest.mark.parametrize("few", [listing.FEW, 3, 0])
@given(before=ROWS, between=ROWS, wanted=ASKED)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
def test_a_walk_gives_the_sorted_list(
    listed: Store,
    monkeypatch: pytest.MonkeyPatch,
    few: int,
    common: bool,  # noqa: FBT001 -- a parameter of the test
    before: list[tuple[Sighting, Marking, Bounds, str]],
    between: list[tuple[Sighting, Marking, Bounds, str]],
    wanted: Wanted,
) -> None:
    """Part by part, under any clause; rows that come in between never lose or repeat one that was there."""
    monkeypatch.setattr(listing, "FEW", few)
    monkeypatch.setattr(listing, "BEGUN", few + 1)
    if common:
        monkeypatch.setattr(listing, "_rare", lambda *_: ())
    engagement = f"e{next(NUMBERS)}"
    wanted = replace(wanted, visible=every((wanted.visible, one_of(Fact.ENGAGEMENT, [engagement]))))

    def fill(rows: list[tuple[Sighting, Marking, Bounds, str]], letter: str) -> None:
        with listed.write() as tx:
            for n, (value, marking, bounds, org) in enumerate(rows):
                id_ = f"{letter}{n}-{engagement}"
                tx.put(id_, value, marking=marking, bounds=bounds, org=org, engagement=engagement)

    fill(before, "m")
    due = _sorted(listed, wanted)
    walked, more = list[Listed](), True
    while more:
        with listed.read() as view:
            part = view.page(Sighting, wanted)
            assert view.pages({Sighting: wanted}) == {Sighting: part}
        walked += part
        more = len(part) == wanted.limit
        if part:
            wanted = replace(wanted, after=part[-1].place)
        if between:
            fill(between, "a")
            between = []
    seen = [one.id for one in walked]
    assert len(seen) == len(set(seen))
    assert [one for one in seen if one.startswith("m")] == [one.id for one in due]
    assert seen == [one.id for one in sorted(walked, key=_by(wanted.order))]


def _by(order: Order) -> Callable[[Listed], tuple[object, ...]]:
    """The order as a key."""
    if order in {Order.CHANGED, Order.OPENED}:
        return lambda one: (-int(one.place[0]), [-ord(letter) for letter in one.id])
    return lambda one: one.place
