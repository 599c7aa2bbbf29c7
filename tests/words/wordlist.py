"""The words that nothing of Leadline says about a model, and the few contexts where one may stand.

A release is nobody's to allow: no surface may have a word that would mean so. The list and its
exceptions are data, `never.toml` beside this file.
"""

import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

FILE = Path(__file__).with_name("never.toml")


@dataclass(frozen=True, slots=True)
class Never:
    """A word with what stands in its place; *on* are the surfaces that it counts on, all without any.

    What counts *always* is covered by no exception.
    """

    words: str
    use: str
    planted: tuple[str, ...]
    on: tuple[str, ...] = ()
    always: bool = False


@dataclass(frozen=True, slots=True)
class Allowed:
    """A context in which a word may stand, at the places *where*, all without any."""

    context: str
    reason: str
    where: tuple[str, ...] = ()

    def at(self, place: str) -> bool:
        """Whether it counts at *place*."""
        return not self.where or any(fnmatchcase(place, glob) for glob in self.where)


@dataclass(frozen=True, slots=True)
class WordList:
    """All words and contexts."""

    never: tuple[Never, ...]
    allowed: tuple[Allowed, ...]


@cache
def word_list() -> WordList:
    """The list as its file gives it; an unknown or missing key is an error."""
    root = tomllib.loads(FILE.read_text("utf-8"))
    never = [{**one, "planted": tuple(one["planted"])} for one in root.pop("never")]
    found = WordList(
        tuple(Never(**{**one, "on": tuple(one.get("on", ()))}) for one in never),
        tuple(
            Allowed(**{**one, "where": tuple(one.get("where", ()))}) for one in root.pop("allowed")
        ),
    )
    assert not root
    return found


@cache
def _pattern(surface: str, *, always: bool = False) -> re.Pattern[str]:
    words = [
        one.words
        for one in word_list().never
        if one.always is always and (not one.on or surface in one.on)
    ]
    return re.compile(rf"\b(?:{'|'.join(words)})\b", re.IGNORECASE)


@cache
def _context(allowed: Allowed) -> re.Pattern[str]:
    return re.compile(allowed.context, re.IGNORECASE)


used: Counter[Allowed] = Counter()  # which exceptions were met with in this process


def said(text: str, place: str) -> Iterator[str]:
    """Each never-word of *text* outside its allowed contexts, with the words around it.

    *place* begins with the surface's name, such as ``help leadline pack``.
    """
    surface = place.split(" ", maxsplit=1)[0]
    flat = " ".join(text.split())
    for found in _pattern(surface, always=True).finditer(flat):
        yield _told(found, flat, place)
    if not _pattern(surface).search(flat):
        return
    spans = [
        (found.start(), found.end(), one)
        for one in word_list().allowed
        if one.at(place)
        for found in _context(one).finditer(flat)
    ]
    for found in _pattern(surface).finditer(flat):
        around = [one for start, end, one in spans if start <= found.start() and found.end() <= end]
        used.update(around)
        if not around:
            yield _told(found, flat, place)


def _told(found: re.Match[str], flat: str, place: str) -> str:
    return f"{place}: {found[0]!r} in …{flat[max(0, found.start() - 60) : found.end() + 40]}…"
