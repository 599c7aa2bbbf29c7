"""The dated register: every shipped example, the demonstration, and the rules as properties."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.core.engagement.register import (
    Effect,
    Entry,
    EntryKind,
    Keeper,
    Mark,
    Proof,
    Register,
    Relation,
    Rule,
    check_kinds,
    midnight,
)
from leadline.core.errors import Invalid, NotFound
from leadline.formats.canonical import decode, encode
from leadline.formats.register_toml import Example, kinds_of, load_entries, load_examples

DATA = files("leadline") / "data"
FILES = {one.name: one.read_bytes() for one in (DATA / "register").iterdir()}
TEXTS = {name: text for name, text in FILES.items() if not name.endswith(".examples.toml")}
KINDS = kinds_of(TEXTS)
DAY = date(2026, 8, 1)
DESIGNATION = "supply-chain-designation"


def entry(id_: str = "one", kind: str = DESIGNATION, **more: object) -> Entry:
    """An entry that can be, with what the test changes."""
    told = Entry(id_, kind, "Something", DAY, "an authority", "a scope", cites="a text")
    return replace(told, **more)  # type: ignore[arg-type] # the tests name real fields


def test_every_kind_has_examples_and_every_example_holds() -> None:
    """Every kind has examples and every example holds."""
    check_kinds(KINDS)
    told = {name.removesuffix(".examples.toml") for name in FILES} - set(TEXTS)
    assert told == set(KINDS)
    for name in sorted(set(FILES) - set(TEXTS)):
        kind, examples = load_examples(FILES[name], name)
        assert name == f"{kind}.examples.toml"
        for one in examples:
            holds(one)


def holds(one: Example) -> None:
    """Assert what the example expects."""
    if one.refused:
        with pytest.raises(Invalid, match=one.refused):
            Register(KINDS, one.entries).check()
        return
    register = Register(KINDS, one.entries)
    register.check()
    for expected in one.expected:
        found = register.standing(expected.entry, one.on)
        assert found.in_effect is expected.in_effect, one.says
        assert expected.because in " ".join(found.why), one.says
        assert tuple(out.scope for out in found.exempt) == expected.exempt, one.says
        assert register.marks(register.entry(expected.entry), one.on) == expected.marks, one.says


def test_the_demonstration_shows_what_programme_1_2_says() -> None:
    """The demonstration shows what programme 1 2 says."""
    text = (DATA / "demonstration" / "register.toml").read_bytes()
    register = Register(KINDS, load_entries(text, "register.toml"))
    register.check()
    designation = "designation-2026-anthropic"
    assert register.in_effect(designation, date(2026, 8, 26))
    assert not register.in_effect(designation, date(2026, 8, 27))
    found = {one.entry.id: one.marks for one in register.standing_out(date(2026, 7, 3))}
    assert found["eo14409-sec2a"] == found["eo14409-sec2b"] == (Mark.OVERDUE,)
    on_the_day = {one.entry.id: one.marks for one in register.standing_out(date(2026, 7, 2))}
    assert Mark.OVERDUE not in {mark for marks in on_the_day.values() for mark in marks}
    late = {one.entry.id: one.marks for one in register.standing_out(date(2026, 10, 1))}
    assert late["eo14409-sec2d"] == (Mark.OVERDUE, Mark.UNPROVED)
    assert late["injunction-2026-08-27"] == (Mark.UNPROVED,)
    assert [one.entry.id for one in register.standing_out(date(2026, 10, 1))][:3] == [
        "eo14409-sec2a",
        "eo14409-sec2b",
        "eo14409-sec2d",
    ]


def test_every_day_of_the_demonstration_is_the_sources() -> None:
    """Every day of the demonstration, by hand from 91 FR 34565 and the reports it cites."""
    text = (DATA / "demonstration" / "register.toml").read_bytes()
    found = {
        one.id: (str(one.since), str(one.until), str(one.due), str(one.done), one.confidence)
        for one in load_entries(text, "register.toml")
    }
    assert found == {
        "designation-2026-anthropic": ("2026-03-01", "None", "None", "None", "2+"),
        "injunction-2026-08-27": ("2026-08-27", "None", "None", "None", "2+"),
        "eo14409-sec2a": ("2026-06-02", "None", "2026-07-02", "None", "2+"),
        "eo14409-sec2b": ("2026-06-02", "None", "2026-07-02", "None", "2+"),
        "eo14409-sec2d": ("2026-06-02", "None", "2026-07-02", "2026-07-14", "2+"),
    }


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"id": "With Capitals"}, "id"),
        ({"id": ""}, "id"),
        ({"title": "  "}, "title"),
        ({"until": DAY}, "until"),
        ({"until": DAY - timedelta(days=1)}, "until"),
        ({"due": DAY - timedelta(days=1)}, "due"),
        ({"done": DAY - timedelta(days=1)}, "done"),
        ({"kind": "unheard-of"}, "kind"),
        ({"org": "example-developer"}, "kind"),
        ({"authority": ""}, "authority"),
        ({"relates": (Relation("waives", "one"),)}, "relates"),
    ],
)
def test_what_cannot_be_is_refused_by_field(changed: dict[str, object], field: str) -> None:
    """What cannot be is refused by field."""
    with pytest.raises(Invalid) as refused:
        Register(KINDS, (replace(entry(), **changed),)).check()  # type: ignore[arg-type] # real fields
    assert refused.value.field == field


def test_relations_lead_somewhere_and_to_the_right_kind_once() -> None:
    """Relations lead somewhere and to the right kind once."""
    order = entry("order", "injunction", relates=(Relation("enjoins", "one"),))
    Register(KINDS, (entry(), order)).check()
    twice = replace(order, relates=order.relates * 2)
    for wrong, told in (
        ((order,), "enter it first"),
        ((entry(), replace(order, relates=(Relation("stays", "one"),))), "leads to injunction"),
        ((entry(), twice), "stands twice"),
        ((entry(), entry()), "one stands twice"),
        ((replace(order, id="self", relates=(Relation("stays", "self"),)),), "bear on itself"),
    ):
        with pytest.raises(Invalid, match=told):
            Register(KINDS, wrong).check()


def test_a_long_round_is_found_wherever_it_is_entered() -> None:
    """A long round is found wherever it is entered."""

    def order(id_: str, to: str) -> Entry:
        return entry(id_, "injunction", relates=(Relation("stays", to),))

    ring = (order("a", "b"), order("b", "c"), order("c", "b"))
    with pytest.raises(Invalid, match="would bear on itself"):
        Register(KINDS, ring).check()


def test_a_chain_ends_somewhere() -> None:
    """A chain ends somewhere: beyond fifty relations nobody reads it, and nothing computes it."""
    first = entry("n0", "injunction")
    more = [
        entry(f"n{n}", "injunction", relates=(Relation("stays", f"n{n - 1}"),))
        for n in range(1, 52)
    ]
    Register(KINDS, (first, *more[:49])).check()
    with pytest.raises(Invalid, match="more than 50"):
        Register(KINDS, (first, *more)).check()


def test_kinds_cannot_let_the_hidden_change_the_public() -> None:
    """Kinds cannot let the hidden change the public."""
    stops = {"stops": Rule(Effect.STOPS, frozenset({"shown"}), "w")}

    def kind(id_: str, *, public: bool, keeper: Keeper = Keeper.PROGRAMME) -> EntryKind:
        relations = stops if id_ == "stopper" else {}
        return EntryKind(id_, "T", "w", public, frozenset({keeper}), frozenset(), "", relations)

    check_kinds({"shown": kind("shown", public=True), "stopper": kind("stopper", public=True)})
    with pytest.raises(Invalid, match="public as well"):
        check_kinds({"shown": kind("shown", public=True), "stopper": kind("stopper", public=False)})
    with pytest.raises(Invalid, match="no kind 'shown'"):
        check_kinds({"stopper": kind("stopper", public=False)})
    with pytest.raises(Invalid, match="changes no other"):
        kind("stopper", public=False, keeper=Keeper.DEVELOPER)
    with pytest.raises(Invalid, match="nobody else's"):
        kind("shown", public=True, keeper=Keeper.DEVELOPER)
    with pytest.raises(Invalid, match="name who writes"):
        EntryKind("k", "T", "w", public=True, kept_by=frozenset(), needs=frozenset(), evidence="")


def test_an_entry_ended_by_hand_stands_out_no_more() -> None:
    """An entry ended by hand stands out no more."""
    task = entry("task", "ordered-task", due=DAY)
    later = DAY + timedelta(days=30)
    assert Register(KINDS, ()).marks(task, later) == (Mark.OVERDUE,)
    ended = replace(task, until=later, ended="the order was revoked")
    assert Register(KINDS, ()).marks(ended, later) == ()
    assert Register(KINDS, (ended,)).standing("task", later).why[0].endswith("was revoked")


def test_what_is_not_there_is_not_found() -> None:
    """What is not there is not found."""
    with pytest.raises(NotFound, match="no entry two"):
        Register(KINDS, (entry(),)).standing("two", DAY)


def test_the_record_has_a_canonical_form() -> None:
    """The record has a canonical form."""
    at = datetime(2026, 8, 1, 9, tzinfo=UTC)
    full = entry(
        until=DAY + timedelta(days=1),
        relates=(Relation("waives", "x"),),
        evidence=(Proof("aa", "a text", at, "officer"),),
    )
    record = decode(encode(full.to_record()))
    assert isinstance(record, dict)
    assert (record["until"], record["due"], record["since"]) == ("2026-08-02", None, "2026-08-01")
    assert midnight(date(2028, 2, 29)) == datetime(2028, 2, 29, tzinfo=UTC)


days = st.dates(date(2024, 1, 1), date(2030, 12, 31))


@given(since=days, length=st.integers(1, 500), asked=days)
def test_an_entry_has_effect_from_its_first_day_until_its_end(
    since: date, length: int, asked: date
) -> None:
    """An entry has effect from its first day until its end."""
    one = entry(since=since, until=since + timedelta(days=length))
    found = Register(KINDS, (one,)).in_effect("one", asked)
    assert found is (since <= asked < since + timedelta(days=length))


@given(since=days, length=st.integers(1, 500), asked=days)
def test_an_injunction_stops_exactly_while_it_stands(since: date, length: int, asked: date) -> None:
    """Without the order, the designation has effect on every day; with it, on the days outside."""
    one = entry(since=date(2023, 1, 1))
    order = entry(
        "order",
        "injunction",
        since=since,
        until=since + timedelta(days=length),
        relates=(Relation("enjoins", "one"),),
    )
    register = Register(KINDS, (order, one))
    assert register.in_effect("one", asked) is not register.in_effect("order", asked)


@given(asked=days, due=days, data=st.data())
def test_evidence_never_adds_a_mark_and_time_never_proves(
    asked: date, due: date, data: st.DataObject
) -> None:
    """Evidence never adds a mark and time never proves."""
    done = data.draw(st.none() | st.dates(due, date(2031, 1, 1)))
    task = entry("task", "ordered-task", since=date(2024, 1, 1), due=due, done=done)
    proved = replace(task, evidence=(Proof("aa", "w", datetime(2026, 1, 1, tzinfo=UTC), "o"),))
    register = Register(KINDS, (task,))
    assert set(register.marks(proved, asked)) <= set(register.marks(task, asked))
    later = asked + timedelta(days=1)
    assert set(register.marks(task, asked)) <= set(register.marks(task, later))


@given(order=st.permutations(["a", "b", "c", "d"]))
def test_the_order_of_entries_does_not_matter(order: list[str]) -> None:
    """The order of entries does not matter."""
    entries = {
        "a": entry("a", cites=""),
        "b": entry("b", "injunction", relates=(Relation("enjoins", "a"),)),
        "c": entry("c", "injunction", relates=(Relation("stays", "b"),)),
        "d": entry("d", "waiver", until=date(2027, 1, 1), relates=(Relation("waives", "a"),)),
    }
    register = Register(KINDS, tuple(entries[one] for one in order))
    assert register == Register(KINDS, tuple(entries.values()))
    assert register.standing("a", DAY).in_effect
