"""Who makes what, under which names: former names, brands, abbreviations, slips of the finger.

Companies buy, sell and rename each other faster than nameplates are changed. Two names mean one maker
where the table says so, or where the advisories themselves put them side by side.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from leadline.core.clearing.asset_names import COMMON, near, parts

_LEGAL = frozenset({
    "ab", "ag", "and", "bv", "co", "company", "corp", "corporation", "gmbh", "inc", "incorporated", "kg", "limited",
    "llc", "ltd", "nv", "of", "oy", "plc", "pte", "sa", "se", "sp", "spa", "srl", "the", "z", "o", "subsidiary",
    "affiliate", "an", "a", "formerly", "now", "ex", "today", "by", "brand", "holdings", "holding", "former",
})  # fmt: skip
# Words that many makers carry; alone they name none of them.
_COMMON = frozenset({
    "advanced", "alert", "automation", "automated", "black", "building", "central", "common", "control", "controls",
    "data", "delta", "digital", "distributed", "electric", "electronics", "energy", "engineering", "general", "global",
    "group", "health", "industrial", "industries", "international", "line", "logic", "machine", "medical", "micro",
    "modbus", "motion", "network", "networks", "open", "panel", "point", "power", "products", "real", "red", "series",
    "smart", "snap", "software", "solutions", "south", "step", "sub", "systems", "technologies", "technology",
    "time", "tools", "trailer", "wireless", "world", "n", "na", "house", "direct", "project", "association",
})  # fmt: skip
_CUTS = re.compile(
    r",|;|/|\(|\)|\bformerly\b|\bnow\b|\ba subsidiary of\b|\ban affiliate of\b|\s[-\u2013]\s"
)
_WORDS_MAX = 4
_PART = re.compile(r"[a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Maker:
    """One maker, every name it goes by, and where that is known from."""

    id: str
    names: tuple[str, ...]
    source: str


class Makers:
    """The names of all makers: those of a table, and those that advisories give."""

    def __init__(self, known: Iterable[Maker], vendors: Iterable[str] = ()) -> None:
        self._ids: dict[tuple[str, ...], set[str]] = defaultdict(set)
        for maker in known:
            for name in maker.names:
                self._ids[tuple(parts(name))].add(maker.id)
        table = dict(self._ids)
        for vendor in vendors:
            self._learn(vendor, table)
        self._words = self._first_words()
        self._bucket: dict[str, list[str]] = defaultdict(list)
        for word in self._words:
            self._bucket[word[0]].append(word)
        self._initials = self._by_initials()
        self._found: dict[str, frozenset[str]] = {}

    def _learn(self, vendor: str, table: Mapping[tuple[str, ...], set[str]]) -> None:
        """The names that an advisory gives side by side belong together."""
        said = [name for name in _names(vendor) if name]
        held = {ident for name in said for ident in table.get(name, ())}
        if not held and said:
            first = said[0][0]
            held = {first if len(first) > 2 and first not in _COMMON else " ".join(said[0])}  # noqa: PLR2004 -- initials
        for name in said:
            self._ids[name] |= held

    def _first_words(self) -> dict[str, frozenset[str]]:
        """Words that stand at the beginning of one maker's names only."""
        begins: dict[str, set[str]] = defaultdict(set)
        for name, ids in self._ids.items():
            begins[name[0]] |= ids
        return {
            word: frozenset(ids)
            for word, ids in begins.items()
            if len(word) > 2 and word not in _COMMON | COMMON  # noqa: PLR2004 -- two are initials
        }

    def _by_initials(self) -> dict[str, frozenset[str]]:
        """Makers by the initials of a name of two to four words, such as FFS."""
        held: dict[str, set[str]] = defaultdict(set)
        for name, ids in self._ids.items():
            if 1 < len(name) <= _WORDS_MAX:
                held["".join(word[0] for word in name)] |= ids
        return {letters: frozenset(ids) for letters, ids in held.items()}

    def ids(self, text: str) -> frozenset[str]:
        """The makers that *text* names; empty if none is known."""
        if text not in self._found:
            self._found[text] = frozenset(ident for ids, _, _ in self._hits(text) for ident in ids)
        return self._found[text]

    def without(self, text: str) -> str:
        """*text* without the names of makers, or all of it where nothing else would be left."""
        found = self.left(text)
        return found if parts(found) else text

    def left(self, text: str) -> str:
        """What *text* says beside the names of makers."""
        taken = {place for _, low, high in self._hits(text) for place in range(low, high)}
        places = [(hit.start(), hit.end()) for hit in _PART.finditer(text.lower())]
        left = list(text)
        for place in taken:
            low, high = places[place]
            left[low:high] = " " * (high - low)
        return "".join(left).strip(" -,/()&+.;:")

    def _hits(self, text: str) -> Iterator[tuple[frozenset[str], int, int]]:
        """The longest names first, from left to right."""
        held = parts(text)
        place = 0
        while place < len(held):
            for size in range(min(_WORDS_MAX, len(held) - place), 0, -1):
                ids = self._named(tuple(held[place : place + size]), alone=size == len(held))
                if ids:
                    yield ids, place, place + size
                    place += size
                    break
            else:
                place += 1

    def _named(self, words: tuple[str, ...], *, alone: bool) -> frozenset[str]:
        known = self._ids.get(words) or self._ids.get(("".join(words),))
        if known and (alone or len("".join(words)) > 2):  # noqa: PLR2004 -- "SE" alone in its field only
            return frozenset(known)
        if len(words) > 1:
            return frozenset()
        word = words[0]
        initials = self._initials.get(word, frozenset()) if alone else frozenset()
        return self._words.get(word) or initials or self._slipped(word)

    def _slipped(self, word: str) -> frozenset[str]:
        """The makers whose first word *word* may be a slip of."""
        known = self._bucket.get(word[0], ())
        return frozenset(ident for one in known if near(word, one) for ident in self._words[one])


def _names(vendor: str) -> Iterator[tuple[str, ...]]:
    """The names of a vendor as an advisory writes it: parts of a list, brackets, without legal forms."""
    for piece in _CUTS.split(vendor):
        words = [word for word in parts(piece) if word not in _LEGAL]
        if len("".join(words)) > 1:
            yield tuple(words)
