"""Every number and every date of a data file, changed one at a time.

A mutant is the whole file with one literal changed: a count by one up and down, a date by one day, a
fraction to the next one that the machine can hold, a number inside words by one. Not changed, with the
reason:

* `last_checked`: the day on which the sources were read, which states no law;
* `[[sources]]`: citations, addresses and how they were read, which an example would only repeat;
* numbers of clauses, orders, bills and articles inside words: names, which the citation repeats;
* ids, and the words of short lists: names;
* `confidence`: how sure a reading is, which states no law.

The questions (`questions.toml`) state no law either: they help a developer to answer.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

SPOKEN = frozenset({"words", "title", "starts_at"})
NAMES = frozenset({"id", "part", "fact", "to", "body", "cites", "role", "text", "any_of", "parts"})
LINE = re.compile(r"(?P<key>[a-z_]+) = (?P<value>.+)")
DATE = r"\d{4}-\d{2}-\d{2}"
LITERAL = re.compile(rf"{DATE}|\d[\d_]*(?:\.\d+)?(?:e\d+)?")
CLAUSE = r"(?:[Ss]ections?|sec\.|Art\.|EO|Executive Order|SB|measure) [\d.]+(?:\([a-z]\))*"
IN_WORDS = re.compile(rf"(?P<name>{CLAUSE})|(?P<number>(?<![\w.])\d+(?!\w))")


@dataclass(frozen=True)
class Mutant:
    """A file with one literal changed, and where."""

    line: int
    was: str
    now: str
    text: str

    @property
    def where(self) -> str:
        """Its place and change, for people."""
        return f"line {self.line}: {self.was} -> {self.now}"


def mutants(text: str) -> Iterator[Mutant]:
    """All mutants of a TOML file, in the order of its lines."""
    lines, section = text.splitlines(), ""
    for number, line in enumerate(lines):
        if line.startswith("["):
            section = line.strip("[]")
        found = LINE.fullmatch(line)
        if section == "sources" or found is None or found["key"] == "last_checked":
            continue
        for start, was, now in _changes(found["key"], found["value"], found.start("value")):
            changed = line[:start] + now + line[start + len(was) :]
            whole = "\n".join([*lines[:number], changed, *lines[number + 1 :], ""])
            yield Mutant(number + 1, was, now, whole)


def spoken(words: str) -> Iterator[re.Match[str]]:
    """The numbers inside words that are no name of a clause."""
    for found in IN_WORDS.finditer(words):
        if found["number"]:
            yield found


def _changes(key: str, value: str, at: int) -> Iterator[tuple[int, str, str]]:
    """Place, literal and what it is changed to, for each literal of one value."""
    if value.startswith('"'):
        if key in SPOKEN:
            for found in spoken(value):
                for now in (int(found[0]) - 1, int(found[0]) + 1):
                    yield at + found.start(), found[0], str(now)
    elif key not in NAMES and not value.startswith("["):
        for literal in LITERAL.finditer(value):
            for changed in _literals(literal[0]):
                yield at + literal.start(), literal[0], changed


def _literals(was: str) -> tuple[str, str]:
    if re.fullmatch(DATE, was):
        day = date.fromisoformat(was)
        return tuple(str(day + timedelta(days=step)) for step in (-1, 1))  # type: ignore[return-value] # two
    if "e" in was or "." in was:
        number = float(was)
        return repr(math.nextafter(number, 0)), repr(math.nextafter(number, math.inf))
    return str(int(was.replace("_", "")) - 1), str(int(was.replace("_", "")) + 1)
