"""Task lists in JSON: InterCode-CTF, NYU CTF Bench and CyberGym.

A list is read as a whole; an entry that lacks a field is told apart by its own name, so that it costs
no other entry. Sources: the three projects' own documentation of their fields.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from leadline.core.errors import Invalid
from leadline.formats.document import items, record, text, texts, value

LIST_BYTES_MAX = 16 << 20
CHALLENGE_BYTES_MAX = 1 << 20
PLACE_LENGTH_MAX = 256
_PLACES = {"{box}": "box", "{port}": "internal_port"}
_PLACE = re.compile("|".join(re.escape(word) for word in _PLACES))


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry: its *id*, its fields, and *problem* in words where it is no task."""

    id: str
    fields: Mapping[str, object]
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Challenge:
    """``challenge.json`` of NYU CTF Bench. *compose* says that it needs a server of its own."""

    name: str
    category: str
    prompt: str
    flag: str
    files: tuple[str, ...]
    compose: bool


def intercode(data: bytes, name: str) -> Iterator[Entry]:
    """The entries of ``ic_ctf.json``: an array of ``task_id, query, gold, source, tags``.

    Raises: Invalid, if it is no array of objects.
    """
    return _entries(_array(data, name), "task_id", ("query", "gold"))


def cybergym(data: bytes, name: str) -> Iterator[Entry]:
    """The entries of CyberGym's ``tasks.json``: an array, each with at least ``task_id``.

    Raises: Invalid, if it is no array of objects.
    """
    return _entries(_array(data, name), "task_id", ())


def nyu(data: bytes, name: str) -> Iterator[Entry]:
    """The entries of NYU's ``test_dataset.json``: an object, each value with a ``path``.

    Raises: Invalid, if it is no object.
    """
    document = value(data, name, LIST_BYTES_MAX)
    if not isinstance(document, dict):
        raise Invalid(name, "expected an object of challenges by name")
    for key, held in document.items():
        problem = "" if text(record(held).get("path")) else "path is missing"
        yield Entry(str(key), record(held), problem)


def nyu_challenge(data: bytes, name: str) -> Challenge:
    """One ``challenge.json``; ``{box}`` and ``{port}`` in its description are filled in.

    Raises: Invalid, naming the field that is missing, or a server's place that is no short text or
    number.
    """
    held = record(value(data, name, CHALLENGE_BYTES_MAX))
    flag = held.get("flag")
    if not isinstance(flag, str) or not flag.strip():
        raise Invalid(f"{name}: flag", "is missing; a challenge without a flag cannot be scored")
    if not isinstance(held.get("description"), str):
        raise Invalid(f"{name}: description", "is missing; there is nothing to ask")
    prompt = text(held["description"])
    places = {word: _place(held.get(field)) for word, field in _PLACES.items()}
    for word, field in _PLACES.items():
        if word in prompt and not places[word]:
            raise Invalid(
                f"{name}: {field}",
                f"the description speaks of {word}, and there is no such text or number of at most "
                f"{PLACE_LENGTH_MAX} characters",
            )
    return Challenge(
        text(held.get("name")) or name,
        text(held.get("category")) or "misc",
        _PLACE.sub(lambda found: places[found[0]], prompt),
        flag,
        texts(held.get("files")),
        bool(held.get("compose")) or bool(held.get("box")),
    )


def _place(given: object) -> str:
    """A server's name or port as text; empty where it is none."""
    told = str(given) if given and isinstance(given, str | int) else ""
    return told if len(told) <= PLACE_LENGTH_MAX else ""


def _array(data: bytes, name: str) -> list[object]:
    document = value(data, name, LIST_BYTES_MAX)
    if not isinstance(document, list):
        raise Invalid(name, "expected an array of tasks")
    return list(items(document))


def _entries(array: list[object], key: str, needed: tuple[str, ...]) -> Iterator[Entry]:
    for number, one in enumerate(array):
        held = record(one)
        given = held.get(key)
        named = isinstance(given, str | int) and str(given) != ""
        missing = [field for field in needed if not _said(held.get(field))]
        missing = missing if named else [key, *missing]
        id_ = str(given) if named else f"entry {number}"
        yield Entry(id_, held, f"{', '.join(missing)} missing" if missing else "")


def _said(given: object) -> bool:
    return isinstance(given, str) and bool(given.strip())
