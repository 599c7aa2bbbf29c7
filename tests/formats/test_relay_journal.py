"""The journal's lines and the statement that leaves: exactly what was written, or refused."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from leadline.core.errors import Invalid, Tampered
from leadline.core.record import commitment, tlog
from leadline.core.record.act import Value
from leadline.formats import canonical
from leadline.formats.relay_journal import (
    COUNTS,
    STATEMENT,
    Entry,
    Statement,
    entries,
    entry_of,
    statement_of,
)

AT = datetime(2026, 11, 21, 12, tzinfo=UTC)
ENTRY = Entry(3, AT, "exchange.begun", {"id": "x", "n": 9}, b"\x01" * 32)


def test_a_line_is_read_back_and_its_leaf_is_a_blinded_commitment() -> None:
    """The number, time and kind are the entry's own, whatever the detail says."""
    read = entry_of(ENTRY.line.removesuffix(b"\n"), 3)
    assert read == replace(ENTRY, detail={"id": "x"})
    assert read.line == ENTRY.line
    shown = canonical.decode(read.line[:-1])
    assert canonical.encode(shown) + b"\n" == read.line
    record: dict[str, Value] = {
        "id": "x",
        "n": 3,
        "at": "2026-11-21T12:00:00.000000Z",
        "kind": "exchange.begun",
    }
    told = commitment.commit(b"\x01" * 32, canonical.encode(record))
    assert read.leaf == tlog.leaf_hash(commitment.entry(told))
    first = replace(ENTRY, number=0)
    assert list(entries([first.line])) == [replace(first, detail={"id": "x"})]


@pytest.mark.parametrize(
    "change",
    [
        lambda told: told.pop("blinder"),
        lambda told: told.update(blinder="00"),
        lambda told: told.update(blinder=1),
        lambda told: told.update(record=[]),
        lambda told: told["record"].update(n=4),
        lambda told: told["record"].update(n=True),
        lambda told: told["record"].update(at=1),
        lambda told: told["record"].update(at="2026-11-21T12:00:00Z"),
        lambda told: told["record"].update(at="today"),
        lambda told: told["record"].update(at="2026-11-21T12:00:00.000000"),
        lambda told: told["record"].update(kind="exchange.approved"),
    ],
)
def test_other_lines_are_tampered_with(change: object) -> None:
    """The line is named."""
    told = json.loads(ENTRY.line)
    change(told)  # type: ignore[operator] # each is a function
    with pytest.raises(Tampered, match="line 4"):
        entry_of(canonical.encode(_tupled(told)), 3)


def _tupled(value: object) -> Value:
    if isinstance(value, dict):
        return {name: _tupled(one) for name, one in value.items()}
    if isinstance(value, list):
        return tuple(_tupled(one) for one in value)
    assert value is None or isinstance(value, str | int)
    return value


TOLD = Statement("o", 2, "a" * 64, AT, ("e-1",), dict.fromkeys(COUNTS, 1), keeps_bodies=False)


def test_a_statement_is_read_back() -> None:
    """From the very text that is signed."""
    assert statement_of(TOLD.text) == TOLD


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("origin", 1),
        ("root", "a"),
        ("root", 1),
        ("size", -1),
        ("size", True),
        ("keeps_bodies", 1),
        ("at", 1),
        ("at", "now"),
        ("at", "2026-11-21T12:00:00.000000+00:00"),
        ("engagements", "e"),
        ("engagements", (1,)),
        ("engagements", ("",)),
        ("counts", {}),
        ("counts", dict.fromkeys(COUNTS, -1)),
        ("counts", dict.fromkeys(COUNTS, True)),
        ("more", 1),
    ],
)
def test_other_statements_are_refused(name: str, value: Value) -> None:
    """Each part in its form and no other part."""
    told = canonical.decode(TOLD.text.split("\n")[1].encode())
    assert isinstance(told, dict)
    changed = canonical.encode({**told, name: value}).decode()
    with pytest.raises(Invalid):
        statement_of(f"{STATEMENT}\n{changed}\n")


def test_a_statement_has_its_form() -> None:
    """Its first line and its last newline."""
    for text in (TOLD.text.replace(STATEMENT, "x"), TOLD.text[:-1], f"{STATEMENT}\n1\n"):
        with pytest.raises(Invalid):
            statement_of(text)
