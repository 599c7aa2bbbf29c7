"""Claims about reading task lists in JSON."""

import json

import pytest

from leadline.core.errors import Invalid
from leadline.formats.ctf_json import (
    CHALLENGE_BYTES_MAX,
    Challenge,
    cybergym,
    intercode,
    nyu,
    nyu_challenge,
)


def test_an_entry_that_lacks_a_field_costs_no_other() -> None:
    """Each entry is told by its id, or by its place where it has none."""
    listed = [
        {"task_id": 0, "query": "q", "gold": "g"},
        {"task_id": "1", "query": " ", "gold": 3},
        {"query": "q", "gold": "g"},
        "no object",
    ]
    found = list(intercode(json.dumps(listed).encode(), "l"))
    assert [(one.id, one.problem) for one in found] == [
        ("0", ""),
        ("1", "query, gold missing"),
        ("entry 2", "task_id missing"),
        ("entry 3", "task_id, query, gold missing"),
    ]


def test_cybergym_needs_an_id_alone() -> None:
    """What a level shows may be told by the data's own layout."""
    found = list(cybergym(b'[{"task_id": "arvo:1"}, {}]', "l"))
    assert [(one.id, one.problem) for one in found] == [
        ("arvo:1", ""),
        ("entry 1", "task_id missing"),
    ]


def test_nyu_names_its_challenges_by_key() -> None:
    """An entry without a path is told by its name."""
    found = list(nyu(b'{"a": {"path": "p"}, "b": {}, "c": 1}', "l"))
    assert [(one.id, one.problem) for one in found] == [
        ("a", ""),
        ("b", "path is missing"),
        ("c", "path is missing"),
    ]


@pytest.mark.parametrize(
    ("read", "data"), [(intercode, b"{}"), (cybergym, b"1"), (nyu, b"[]"), (nyu, b"{")]
)
def test_a_list_of_another_form_is_refused(read: object, data: bytes) -> None:
    """What is no list of the kind is refused as a whole."""
    assert callable(read)
    with pytest.raises(Invalid):
        list(read(data, "l"))


def test_a_challenge_has_its_places_filled_in() -> None:
    """``{box}`` and ``{port}`` stand for the server, which then is needed."""
    text = {
        "name": "n",
        "category": "web",
        "description": "See {box}:{port}.",
        "flag": "f{x}",
        "files": ["a", 1],
        "box": "h",
        "internal_port": 80,
    }
    found = nyu_challenge(json.dumps(text).encode(), "c")
    assert found == Challenge("n", "web", "See h:80.", "f{x}", ("a",), compose=True)
    less = nyu_challenge(b'{"description": "d", "flag": "f"}', "c")
    assert less == Challenge("c", "misc", "d", "f", (), compose=False)


def test_what_is_filled_in_is_not_filled_in_again() -> None:
    """A server's name that speaks of the port is left as it is."""
    text = {"description": "{box}", "flag": "f", "box": "{port}", "internal_port": 1}
    assert nyu_challenge(json.dumps(text).encode(), "c").prompt == "{port}"


@pytest.mark.parametrize(
    ("text", "field"),
    [
        (b'{"description": "d"}', "c: flag"),
        (b'{"description": "d", "flag": " "}', "c: flag"),
        (b'{"flag": "f"}', "c: description"),
        (b'{"flag": "f", "description": "{box}"}', "c: box"),
        (b'{"flag": "f", "description": "{port}"}', "c: internal_port"),
        (b'{"flag": "f", "description": "{box}", "box": ["h"]}', "c: box"),
        (b'{"flag": "f", "description": "{box}", "box": "%s"}' % (b"h" * 257), "c: box"),
        (b'{"flag": "f", "description": "%s"}' % (b" " * CHALLENGE_BYTES_MAX), "c"),
    ],
)
def test_what_a_challenge_lacks_is_named(text: bytes, field: str) -> None:
    """A missing flag, description or place names the field."""
    with pytest.raises(Invalid) as caught:
        nyu_challenge(text, "c")
    assert caught.value.field == field
