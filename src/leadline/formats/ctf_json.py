"""Task lists in JSON: InterCode-CTF, NYU CTF Bench and CyberGym.

A list is read as a whole; an entry that lacks a field is told apart by its own name, so that it costs
no other entry. Sources: the three projects' own documentation of their fields.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from leadline.core.errors import Invalid
from leadline.formats.document import items, record, text, texts, value

LIST_BYTES_MAX = 16 << 20


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

    Raises: Invalid, naming the field that is missing.
    """
    held = record(value(data, name))
    flag = held.get("flag")
    if not isinstance(flag, str) or not flag.strip():
        raise Invalid(f"{name}: flag", "is missing; a challenge without a flag cannot be scored")
    if not isinstance(held.get("description"), str):
        raise Invalid(f"{name}: description", "is missing; there is nothing to ask")
    prompt = text(held["description"])
    for word, field in (("{box}", "box"), ("{port}", "internal_port")):
        if word in prompt and not held.get(field):
            raise Invalid(
                f"{name}: {field}", f"the description speaks of {word}, and there is none"
            )
        prompt = prompt.replace(word, str(held.get(field, "")))
    return Challenge(
        text(held.get("name")) or name,
        text(held.get("category")) or "misc",
        prompt,
        flag,
        texts(held.get("files")),
        bool(held.get("compose")) or bool(held.get("box")),
    )


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
