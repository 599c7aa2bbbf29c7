"""What every store promises; see `leadline.app.ports.Store`."""

import itertools
import threading
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import fakes
import make
from conformance.sightings import Remark, Sighting
from leadline.app.ports import Reading, SignedHead, Store
from leadline.core.access import UNBOUND, Bounds, Tenancy
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
from leadline.core.errors import Invalid, NotFound, Refused, Stale, Unavailable
from leadline.core.marking import Marking, Tlp
from leadline.core.record import tlog
from leadline.core.record.act import Act, Kind, Value, to_record
from leadline.core.record.commitment import commit, entry
from leadline.formats import canonical, tiles

MARKING = make.marking(Tlp.RED, "alpha", "beta")
ONE_STORE = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
PLAIN = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)
UNIQUE = itertools.count()


def test_what_was_put_comes_back_equal_with_all_beside_it(store: Store) -> None:
    """Value, version, engagement, organisation, label and compartments survive."""
    value = Sighting("x", 3, make.NOW, Tlp.RED, frozenset({"a", "b"}), (("p", 1), ("q", 2)), 0.5)
    with store.write() as tx:
        assert tx.put("s-1", value, marking=MARKING, engagement="e", org="o") == 1
    with store.read() as view:
        stored = view.get(Sighting, "s-1")
    assert (stored.value, stored.version, stored.id) == (value, 1, "s-1")
    assert (stored.engagement, stored.org, stored.marking) == ("e", "o", MARKING)


@ONE_STORE
@given(
    value=st.builds(
        Sighting,
        name=st.text(max_size=20).filter(lambda text: text.isprintable()),
        count=st.integers(-(2**60), 2**60),
        seen=st.datetimes(timezones=st.just(UTC)),
        label=st.sampled_from(Tlp),
        tags=st.frozensets(PLAIN),
        places=st.lists(st.tuples(PLAIN, st.integers(0, 9))).map(tuple),
        share=st.none() | st.floats(allow_nan=False, allow_infinity=False),
    ),
    compartments=st.frozensets(PLAIN),
)
def test_any_record_survives_storage(
    store: Store, value: Sighting, compartments: frozenset[str]
) -> None:
    """However odd its text, a record comes back equal."""
    id_ = f"any-{next(UNIQUE)}"
    marking = Marking(Tlp.GREEN, compartments)
    with store.write() as tx:
        tx.put(id_, value, marking=marking)
    with store.read() as view:
        stored = view.get(Sighting, id_)
    assert (stored.value, stored.marking) == (value, marking)


def test_a_time_keeps_its_instant(store: Store) -> None:
    """A time with another offset comes back as the same instant."""
    seen = datetime(2027, 1, 2, 3, 4, 5, 678901, tzinfo=timezone(timedelta(hours=-5)))
    with store.write() as tx:
        tx.put("s-1", Sighting("x", seen=seen), marking=MARKING)
    with store.read() as view:
        assert view.get(Sighting, "s-1").value.seen == seen


def test_absent_things_are_not_found(store: Store) -> None:
    """An unknown id and an unknown principal raise NotFound; a list is empty."""
    with store.read() as view:
        with pytest.raises(NotFound):
            view.get(Sighting, "nothing")
        with pytest.raises(NotFound):
            view.principal("nobody")
        assert list(view.find(Sighting)) == []


def test_kinds_do_not_mix(store: Store) -> None:
    """Two kinds may use one id; each is found under its own kind only."""
    with store.write() as tx:
        tx.put("1", Sighting("x"), marking=MARKING)
        tx.put("1", Remark("y"), marking=make.marking())
    with store.read() as view:
        assert view.get(Sighting, "1").value == Sighting("x")
        assert view.get(Remark, "1").value == Remark("y")
        assert view.get(Remark, "1").marking == make.marking()


def test_some_of_a_kind_are_asked_for_at_once(store: Store) -> None:
    """Those that are there come in order of id, each with all beside it; none is asked for without an id."""
    with store.write() as tx:
        for id_ in ("b", "a", "c"):
            tx.put(id_, Remark(id_), marking=MARKING, org="o", bounds=Bounds(owner="ann"))
        tx.put("d", Sighting("d"), marking=MARKING)
    with store.read() as view:
        found = view.among(Remark, frozenset({"c", "a", "d", "nothing"}))
        assert list(found) == [view.get(Remark, "a"), view.get(Remark, "c")]
        assert list(view.among(Remark, frozenset())) == []
        assert list(view.among(Remark, frozenset({"nothing"}))) == []


def test_lists_are_in_order_of_id_and_filtered_by_engagement(store: Store) -> None:
    """Ids sort by their bytes, whatever the database's language."""
    ids = ["b", "a", "B", "a-1", "\u00e9", "Z", "10", "9"]
    with store.write() as tx:
        for number, id_ in enumerate(ids):
            tx.put(id_, Remark(id_), marking=MARKING, engagement=f"e{number % 2}")
    with store.read() as view:
        assert [one.id for one in view.find(Remark)] == sorted(ids)
        assert {one.id for one in view.find(Remark, engagement="e0")} == set(ids[::2])
        assert all(one.marking == MARKING for one in view.find(Remark))


def test_a_replacement_names_the_version_it_read(store: Store) -> None:
    """Insert over an existing row, an old version and an absent row are all Stale."""
    with store.write() as tx:
        tx.put("r", Remark("1"), marking=MARKING)
    with store.write() as tx:
        assert tx.put("r", Remark("2"), marking=make.marking(Tlp.CLEAR, "beta"), expect=1) == 2
        with pytest.raises(Stale):
            tx.put("r", Remark("3"), marking=MARKING)
        with pytest.raises(Stale):
            tx.put("r", Remark("3"), marking=MARKING, expect=1)
        with pytest.raises(Stale):
            tx.put("absent", Remark("3"), marking=MARKING, expect=1)
    with store.read() as view:
        stored = view.get(Remark, "r")
    assert (stored.value, stored.version) == (Remark("2"), 2)
    assert stored.marking == make.marking(Tlp.CLEAR, "beta")


def test_of_two_writers_who_read_the_same_version_one_is_stale(store: Store) -> None:
    """Optimistic versions: the second replacement of version 1 is refused."""
    with store.write() as tx:
        tx.put("r", Remark("1"), marking=MARKING)
    outcomes: list[str] = []

    def replace_it(text: str) -> None:
        try:
            with store.write() as tx:
                tx.put("r", Remark(text), marking=MARKING, expect=1)
        except Stale:
            outcomes.append("stale")
        else:
            outcomes.append(text)

    threads = [threading.Thread(target=replace_it, args=(name,)) for name in ("a", "b", "c")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with store.read() as view:
        winner = view.get(Remark, "r").value.text
    assert sorted(outcomes) == sorted([winner, "stale", "stale"])


def test_what_was_removed_is_gone(store: Store) -> None:
    """With its compartments; a second removal finds nothing, and the id is free again."""
    with store.write() as tx:
        tx.put("r", Remark("1"), marking=MARKING)
        tx.remove(Remark, "r")
        with pytest.raises(NotFound):
            tx.remove(Remark, "r")
    with store.write() as tx:
        assert tx.put("r", Remark("2"), marking=make.marking()) == 1
    with store.read() as view:
        assert view.get(Remark, "r").marking == make.marking()


def test_a_block_that_raises_leaves_nothing(store: Store) -> None:
    """State, principal, act and leaf of a failed block are all absent."""
    with store.write() as tx:
        tx.record(make.act(1))
    root = root_of(store)

    def fail() -> None:
        with store.write() as tx:
            tx.put("r", Remark("1"), marking=MARKING)
            tx.put_principal(make.principal("evaluator"))
            tx.record(make.act(2))
            assert tx.log_size() == 2
            raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError, match="in the middle"):
        fail()
    with store.read() as view:
        assert [one.act.id for one in view.acts()] == ["act-0001"]
        assert (view.log_size(), view.log_root()) == (1, root)
        assert list(view.find(Remark)) == []
        with pytest.raises(NotFound):
            view.principal("person-0001")
    with store.write() as tx:
        assert tx.record(make.act(2)) == 1


def test_a_transaction_reads_its_own_writes(store: Store) -> None:
    """State, act, size and root are visible inside the block that made them."""
    with store.write() as tx:
        tx.put("r", Remark("1"), marking=MARKING)
        assert tx.get(Remark, "r").value == Remark("1")
        assert tx.record(make.act(1)) == 0
        assert [one.index for one in tx.acts()] == [0]
        assert tx.log_size() == 1
        assert tx.log_root() == fakes.naive_root(entries_of(tx))
        assert tx.record(make.act(2)) == 1
        assert dict(tx.log_files()) == dict(tiles.tree_files(entries_of(tx)))


def test_a_write_inside_a_write_is_a_mistake_and_no_deadlock(store: Store) -> None:
    """It is told at once, as the caller's fault; the outer block goes on."""
    with store.write() as tx:
        tx.record(make.act(1))
        with pytest.raises(RuntimeError), store.write():
            pytest.fail("two writes in one thread")
        tx.record(make.act(2))
    with store.read() as view:
        assert [one.index for one in view.acts()] == [0, 1]


def test_blocks_of_many_threads_all_stand_or_fall_alone(store: Store) -> None:
    """Of eight threads every third block raises: it leaves nothing, the others everything."""
    kept: list[str] = []

    def write_some(name: int) -> None:
        for number in range(12):
            id_ = f"{name}-{number}"
            undone = number % 3 == 1
            outcome = pytest.raises(ZeroDivisionError) if undone else nullcontext()
            with outcome, store.write() as tx:
                tx.put(id_, Remark(id_), marking=MARKING)
                tx.record(replace(make.act(1), id=id_))
                if number % 3 == 0:
                    assert tx.log_size() > 0  # which writes the leaves that wait
                if undone:
                    raise ZeroDivisionError
                kept.append(id_)

    threads = [threading.Thread(target=write_some, args=(name,)) for name in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with store.read() as view:
        assert [one.act.id for one in view.acts()] == kept
        assert [one.id for one in view.find(Remark)] == sorted(kept)
        assert (len(kept), view.log_root()) == (64, fakes.naive_root(entries_of(view)))


def test_a_reader_keeps_its_snapshot(store: Store) -> None:
    """What is committed after a reader's first look is not seen by it."""
    with store.write() as tx:
        tx.put("r", Remark("1"), marking=MARKING)
    with store.read() as view:
        assert view.log_size() == 0
        with store.write() as tx:
            tx.put("r", Remark("2"), marking=MARKING, expect=1)
            tx.record(make.act(1))
        assert view.get(Remark, "r").value == Remark("1")
        assert (view.log_size(), list(view.acts())) == (0, [])
    with store.read() as view:
        assert view.get(Remark, "r").value == Remark("2")


def test_principals_are_replaced_whole(store: Store) -> None:
    """A second put of one id replaces every field, an end of access included."""
    first = make.principal("evaluator", compartments=("alpha",))
    second = replace(first, suspended=True, engagements=frozenset(), access_until=None)
    for one in (first, second):
        with store.write() as tx:
            tx.put_principal(one)
        with store.read() as view:
            assert view.principal(one.id) == one


def test_acts_are_filtered_in_log_order(store: Store) -> None:
    """By engagement, kind and object, alone and together."""
    plan = [
        make.act(1, Kind.INQUIRY_LODGED, engagement="e1", about="e1"),
        make.act(2, Kind.FINDING_RECORDED, engagement="e1", about="f1"),
        make.act(3, Kind.FINDING_RECORDED, engagement="e2", about="f2"),
        make.act(4, Kind.FINDING_REPLAYED, engagement="e1", about="f1"),
    ]
    with store.write() as tx:
        assert [tx.record(act) for act in plan] == [0, 1, 2, 3]
    with store.read() as view:
        assert [one.act for one in view.acts()] == plan
        assert [one.index for one in view.acts(engagement="e1")] == [0, 1, 3]
        assert [one.index for one in view.acts(kind=Kind.FINDING_RECORDED)] == [1, 2]
        assert [one.index for one in view.acts(since=1, most=2)] == [1, 2]
        assert [one.index for one in view.acts(engagement="e1", since=1)] == [1, 3]
        assert [one.index for one in view.acts(about="f1", engagement="e1")] == [1, 3]
        assert list(view.acts(kind=Kind.FINDING_REPLAYED, engagement="e2")) == []


def test_an_act_comes_back_equal(store: Store) -> None:
    """Details of every allowed type survive, and the time to the microsecond."""
    at = datetime(2027, 1, 1, 12, 0, 0, 1, tzinfo=UTC)
    detail: dict[str, Value] = {
        "digest": "ab" * 32,
        "runs": 3,
        "dry": True,
        "none": None,
        "list": ("a", ("b",)),
    }
    act = Act("act-1", Kind.EVIDENCE_SEALED, at, "p", "a", "e", {**detail, "map": {"\u00e9": 1}})
    with store.write() as tx:
        tx.record(act)
    with store.read() as view:
        assert view.acts()[0].act == act


@pytest.mark.parametrize(("before", "after"), [(0, 3), (3, 3), (3, 5), (250, 257), (256, 300)])
def test_the_files_of_a_log_since_an_earlier_size(store: Store, before: int, after: int) -> None:
    """Together with what the smaller log had, they are the whole log; none is given twice."""
    with store.write() as tx:
        for number in range(before):
            tx.record(make.act(number))
    with store.read() as view:
        had = dict(view.log_files())
    with store.write() as tx:
        for number in range(before, after):
            tx.record(make.act(number))
    with store.read() as view:
        since, whole = view.log_files(before), view.log_files()
    assert not had.keys() & since.keys()
    assert whole.keys() <= had.keys() | since.keys()
    assert all(whole[path] == content for path, content in since.items())


def test_one_act_is_found_by_its_id(store: Store) -> None:
    """In its transaction and afterwards; another id is not there."""
    with store.write() as tx:
        tx.record(make.act(1))
        tx.record(make.act(2))
        assert tx.act("act-0002").index == 1
    with store.read() as view:
        assert view.act("act-0001").act == make.act(1)
        with pytest.raises(NotFound, match="act-0003"):
            view.act("act-0003")


def test_an_act_is_recorded_once(store: Store) -> None:
    """The same id again is refused, in the same and in a later transaction."""
    with store.write() as tx:
        tx.record(make.act(1))
        with pytest.raises(Refused):
            tx.record(make.act(1, Kind.ANCHOR_SET))
    with store.write() as tx, pytest.raises(Refused):
        tx.record(make.act(1))
    with store.read() as view:
        assert view.log_size() == 1


def test_an_act_that_has_no_canonical_form_is_refused(store: Store) -> None:
    """Text that is not in normal form C would have two digests; nothing is recorded."""
    with store.write() as tx, pytest.raises(Invalid):
        tx.record(make.act(1, note="e\u0301"))
    with store.read() as view:
        assert view.log_size() == 0


def test_only_known_records_are_taken(store: Store) -> None:
    """A value of a kind that was not registered, and an id with a NUL, are Invalid."""
    with store.write() as tx:
        with pytest.raises(Invalid):
            tx.put("x", object(), marking=MARKING)
        with pytest.raises(Invalid):
            tx.put("x\0", Remark("x"), marking=MARKING)


@pytest.mark.parametrize("sizes", [(1,), (1, 1, 1), (255, 1), (256,), (257, 3), (300, 300)])
def test_the_log_is_the_tree_of_the_acts(store: Store, sizes: tuple[int, ...]) -> None:
    """After each transaction, root and files are those of RFC 6962 and C2SP over all acts."""
    number = 0
    for size in sizes:
        with store.write() as tx:
            for _ in range(size):
                tx.record(make.act(number))
                number += 1
        with store.read() as view:
            entries = entries_of(view)
            assert (len(entries), view.log_size()) == (number, number)
            assert view.log_root() == fakes.naive_root(entries)
            assert dict(view.log_files()) == dict(tiles.tree_files(entries))


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 255, 256, 257, 515])
def test_proofs_lead_to_the_root(store: Store, size: int) -> None:
    """Inclusion of leaves and consistency of prefixes verify, and equal the RFC's own recursion."""
    with store.write() as tx:
        for number in range(size):
            tx.record(make.act(number))
        tx.record(make.act(size))  # so that a proof is about a prefix of the log, too
    with store.read() as view:
        entries = entries_of(view)
        root = fakes.naive_root(entries[:size])
        for index in {0, size // 2, size - 1}:
            proof = view.inclusion(index, size)
            tlog.verify_inclusion(index, size, tlog.leaf_hash(entries[index]), proof, root)
            assert proof == fakes.naive_path(index, entries[:size])
        for old in {1, size // 2, size - 1, size} - {0}:
            proof = view.consistency(old, size)
            tlog.verify_consistency(old, size, proof, fakes.naive_root(entries[:old]), root)
            assert proof == fakes.naive_subproof(old, entries[:size], known=True)
        assert view.consistency(0, size) == ()


def test_proofs_of_what_is_not_there_are_invalid(store: Store) -> None:
    """A leaf beyond the size, a size beyond the log, a negative number, sizes that go down."""
    with store.write() as tx:
        tx.record(make.act(1))
        assert tx.inclusion(0, 1) == ()
    with store.read() as view:
        for index, size in ((1, 1), (-1, 1), (0, 0), (0, 2)):
            with pytest.raises(Invalid):
                view.inclusion(index, size)
        for old, new in ((1, 0), (-1, 1), (1, 2)):
            with pytest.raises(Invalid):
                view.consistency(old, new)


def test_the_signed_head_only_grows(store: Store) -> None:
    """A smaller size, another root, and a size the log has not are refused; nothing else changes."""
    roots = []
    for number in range(3):
        with store.write() as tx:
            tx.record(make.act(number))
        roots.append(root_of(store))
    with store.read() as view:
        assert view.signed() is None
    with store.write() as tx:
        tx.set_signed(2, roots[1], make.NOW)
        tx.set_signed(2, roots[1], make.UNTIL)
        assert tx.signed() == SignedHead(2, roots[1], make.NOW)
        with pytest.raises(Refused):
            tx.set_signed(1, roots[0], make.NOW)
        with pytest.raises(Refused):
            tx.set_signed(3, roots[1], make.NOW)
        with pytest.raises(Invalid):
            tx.set_signed(4, roots[2], make.NOW)
    with store.write() as tx:
        tx.set_signed(3, roots[2], make.UNTIL)
    with store.read() as view:
        assert view.signed() == SignedHead(3, roots[2], make.UNTIL)


def test_a_signed_head_of_a_failed_block_is_forgotten(store: Store) -> None:
    """It is kept with the transaction or not at all."""
    with store.write() as tx:
        tx.record(make.act(1))
    root = root_of(store)

    def fail() -> None:
        with store.write() as tx:
            tx.set_signed(1, root, make.NOW)
            raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError, match="in the middle"):
        fail()
    with store.read() as view:
        assert view.signed() is None


def test_an_empty_log_has_no_files(store: Store) -> None:
    """No tile of width 0 is ever served; the root is SHA-256 of nothing."""
    with store.read() as view:
        assert dict(view.log_files()) == {}
        assert (view.log_size(), view.log_root()) == (0, fakes.naive_root([]))


def test_each_act_has_its_own_blinder(store: Store) -> None:
    """Two acts never share a blinder, and it has 32 bytes."""
    with store.write() as tx:
        for number in range(5):
            tx.record(make.act(number))
    with store.read() as view:
        blinders = [one.blinder for one in view.acts()]
    assert len(set(blinders)) == 5
    assert {len(one) for one in blinders} == {32}


def test_a_failure_before_the_commit_changes_nothing(store: Store) -> None:
    """The writer is told, and can try the same again."""
    faulty = fakes.Faulty(store)
    faulty.fail_next(persisted=False)
    with pytest.raises(Unavailable):
        write_one(faulty)
    write_one(faulty)
    with faulty.read() as view:
        assert [one.index for one in view.acts()] == [0]


def test_a_failure_after_the_commit_is_seen_on_the_next_try(store: Store) -> None:
    """What was committed unheard refuses a second time, so that nothing stands twice."""
    faulty = fakes.Faulty(store)
    faulty.fail_next(persisted=True)
    with pytest.raises(Unavailable):
        write_one(faulty)
    with pytest.raises((Stale, Refused)):
        write_one(faulty)
    with faulty.read() as view:
        assert [one.index for one in view.acts()] == [0]
        assert view.log_root() == fakes.naive_root(entries_of(view))


def write_one(store: Store) -> None:
    """One state row and one act in one transaction."""
    with store.write() as tx:
        tx.put("r", Remark("1"), marking=MARKING)
        tx.record(make.act(1))


def entries_of(view: Reading) -> list[bytes]:
    """The leaves that the opened acts must have."""
    opened = ((one.blinder, canonical.encode(to_record(one.act))) for one in view.acts())
    return [entry(commit(blinder, record)) for blinder, record in opened]


def root_of(store: Store) -> bytes:
    """The root now."""
    with store.read() as view:
        return view.log_root()


def test_what_narrows_who_may_see_a_value_comes_back(store: Store) -> None:
    """Case, level, embargo and owner stand beside a value, and are replaced with it."""
    bounds = Bounds("case-1", 2, make.UNTIL, "person-0001")
    with store.write() as tx:
        tx.put("r", Remark("1"), marking=MARKING, bounds=bounds)
    with store.write() as tx:
        assert tx.get(Remark, "r").bounds == bounds
        assert tx.get(Remark, "r").thing("finding").embargo_until == make.UNTIL
        tx.put("r", Remark("2"), marking=MARKING, expect=1)
    with store.read() as view:
        assert view.get(Remark, "r").bounds == UNBOUND


@pytest.mark.parametrize(
    ("clause", "seen"),
    [
        (EVERYTHING, "abc"),
        (NOTHING, ""),
        (one_of(Fact.OWNER, ["p"]), "a"),
        (one_of(Fact.CASE, ["c1", "c2"]), "b"),
        (Above(Measure.LEVEL, 1), "c"),
        (negation(Above(Measure.EMBARGO_UNTIL, 0)), "ac"),
        (Within(frozenset({"x"})), "ab"),
        (Within(frozenset()), "b"),
        (touches(["y"]), "c"),
        (some((one_of(Fact.OWNER, ["p"]), touches(["y"]))), "ac"),
        (every((Within(frozenset("x")), one_of(Fact.OWNER, ["p"]))), "a"),
    ],
)
def test_a_list_holds_what_its_clause_admits(store: Store, clause: Clause, seen: str) -> None:
    """Each kind of clause, on each store."""
    with store.write() as tx:
        tx.put("a", Remark("a"), marking=make.marking(Tlp.RED, "x"), bounds=Bounds(owner="p"))
        tx.put("b", Remark("b"), marking=make.marking(Tlp.RED), bounds=Bounds("c1", 1, make.UNTIL))
        tx.put("c", Remark("c"), marking=make.marking(Tlp.RED, "x", "y"), bounds=Bounds(level=2))
    with store.read() as view:
        assert "".join(row.id for row in view.find(Remark, visible=clause)) == seen


def test_everybody_is_listed_by_id(store: Store) -> None:
    """People in order, each as last written."""
    with store.write() as tx:
        for id_ in ("b", "a"):
            tx.put_principal(make.principal("evaluator", id_=id_))
        tx.put_principal(make.principal("coordinator", id_="b"))
    with store.read() as view:
        assert [(one.id, set(one.roles)) for one in view.principals()] == [
            ("a", {"evaluator"}),
            ("b", {"coordinator"}),
        ]


def test_acting_for_somebody_is_the_same_store(store: Store) -> None:
    """What one writes the other reads; walls are PostgreSQL's, and for its lesser roles."""
    own = store.acting(Tenancy("p", "org", frozenset({"e1"})))
    with own.write() as tx:
        tx.put("r", Remark("1"), marking=make.marking(), engagement="e1")
    with store.read() as view:
        assert view.get(Remark, "r").value == Remark("1")
