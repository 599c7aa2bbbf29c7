"""The statements of many advisories, prepared so that a release is judged by a search among sorted keys.

Per statement the order of its scheme is cut at every release it names; on each piece its cause is one
value, so that judging is one search. What has no place in that order (an unreadable release, a scheme
whose order depends on the pair) goes to `reading`, whose answers these equal.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from leadline.core.clearing.advisory import Advisory, Statement
from leadline.core.clearing.product import Interval, Package, Releases
from leadline.core.clearing.reading import (
    CAUTION,
    STATUS,
    Cause,
    Judgement,
    cause,
    without_version,
    words,
)
from leadline.core.clearing.versions import KNOWN, Unparseable, Unsupported, range_key

# Releases of Maven disagree on some pairs, so that one key does not tell the order to all others.
_KEYED = frozenset(KNOWN) - {"maven"}
_RANK = {why: CAUTION.index(status) for why, status in STATUS.items()}
NOT_AFFECTED = len(CAUTION) - 1
_CODES = tuple(Cause)
_CODE = {why: number for number, why in enumerate(_CODES)}
Ranks = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class _Rule:
    """One statement: the keys it names in order, and a cause for each place among and between them."""

    ends: tuple[bytes, ...]
    codes: bytes

    def at(self, key: bytes) -> Cause:
        index = bisect_left(self.ends, key)
        here = index < len(self.ends) and self.ends[index] == key
        return _CODES[self.codes[2 * index + here]]


class _Places:
    """The places of one statement's order: odd numbers on the releases it names, even ones between."""

    def __init__(self, held: Statement) -> None:
        sets = (held.affected, held.fixed, held.not_affected, held.untested)
        texts = [text for releases in sets for text in _named(releases)]
        self._keys = {text: _key(held.order, text) for text in dict.fromkeys(texts)}
        self.ends = sorted({key for key in self._keys.values() if key is not None})
        self.count = 2 * len(self.ends) + 1
        self._at = {key: 2 * index + 1 for index, key in enumerate(self.ends)}

    def of(self, text: str) -> int | None:
        """The place of a named release; None if it has no order."""
        key = self._keys[text]
        return None if key is None else self._at[key]

    def span(self, interval: Interval) -> tuple[int, int] | None:
        """First place in *interval* and first after it; None where that cannot be told."""
        if interval == Interval():
            return 0, self.count
        low = self.of(interval.low) if interval.low else -1
        high = self.of(interval.high) if interval.high else self.count
        if low is None or high is None or low > high:
            return None
        begin = low + (not interval.low_included) if interval.low else 0
        return begin, high + (interval.high_included and bool(interval.high))

    def clear(self, releases: Releases) -> bool:
        """Whether every interval can be placed."""
        return all(self.span(interval) is not None for interval in releases.intervals)

    def paint(self, codes: bytearray, releases: Releases, why: Cause) -> None:
        """Write *why* wherever the set holds a place."""
        code = _CODE[why]
        for text in releases.listed:
            place = self.of(text)
            if place is not None:
                codes[place] = code
        for interval in releases.intervals:
            begin, end = self.span(interval) or (0, 0)
            if begin < end:
                codes[begin:end] = bytes([code]) * (end - begin)


def _named(releases: Releases) -> Iterator[str]:
    yield from releases.listed
    for interval in releases.intervals:
        yield from filter(None, (interval.low, interval.high))


def _key(scheme: str, version: str) -> bytes | None:
    try:
        place: bytes | None = range_key(scheme, version)
    except (Unparseable, Unsupported):
        place = None  # a value: the slow judge says why
    return place


@lru_cache(maxsize=32_768)
def _compiled(held: Statement) -> _Rule:
    """The rule of one statement; it is kept, so that a package's table is quickly made anew."""
    places = _Places(held)
    everywhere = _everywhere(held, places)
    ground = everywhere or (Cause.OUTSIDE if held.complete else Cause.SILENT)
    codes = bytearray([_CODE[ground]]) * places.count
    if everywhere is None:
        fixes = [place for text in held.fixed.listed if (place := places.of(text)) is not None]
        if fixes:
            after = places.count - min(fixes)
            codes[min(fixes) :] = bytes([_CODE[Cause.AFTER_FIX]]) * after
        places.paint(codes, held.untested, Cause.UNTRIED)
    places.paint(codes, held.not_affected, Cause.NAMED_UNTOUCHED)
    places.paint(codes, held.fixed, Cause.NAMED_FIXED)
    places.paint(codes, held.affected, Cause.INSIDE)
    return _Rule(tuple(places.ends), bytes(codes))


def _everywhere(held: Statement, places: _Places) -> Cause | None:
    """What keeps every release unknown that the statement does not name."""
    if held.doubts:
        return Cause.DOUBT
    if not places.clear(held.affected):
        return Cause.BOUND
    return None if places.clear(held.untested) else Cause.UNTRIED


class _Group:
    """Statements about one package under one order and for one release of its distribution."""

    def __init__(self, scheme: str, branch: str, held: Sequence[tuple[int, Statement]]) -> None:
        self.branch = branch
        self.held = held
        self._scheme = scheme if scheme in _KEYED else ""
        self._rules = [_compiled(one) for _, one in held] if self._scheme else []
        self._ends = sorted({key for rule in self._rules for key in rule.ends})
        self._causes: dict[int | str, tuple[Cause | None, ...]] = {}
        self._ranks: dict[int | str, Ranks] = {}

    def _place(self, version: str) -> int | str:
        """A place that all releases share whom no statement tells apart; the text where there is none."""
        key = _key(self._scheme, version) if self._scheme else None
        if key is None:
            return version
        index = bisect_left(self._ends, key)
        return 2 * index + (index < len(self._ends) and self._ends[index] == key)

    def causes(self, version: str) -> tuple[Cause | None, ...]:
        """A cause per statement; None where the release is not given."""
        place = self._place(version)
        found = self._causes.get(place)
        if found is None:
            found = self._causes[place] = self._judged(place, version)
        return found

    def _judged(self, place: int | str, version: str) -> tuple[Cause | None, ...]:
        if isinstance(place, int):
            key = range_key(self._scheme, version)
            return tuple(rule.at(key) for rule in self._rules)
        if not version.strip():
            return (None,) * len(self.held)
        return tuple(cause(one, version) for _, one in self.held)

    def ranks(self, version: str) -> Ranks:
        """Each advisory that does not say *not affected*, with the more cautious of its ranks."""
        place = self._place(version)
        found = self._ranks.get(place)
        if found is None:
            worst: dict[int, int] = {}
            for (owner, held), why in zip(self.held, self.causes(version), strict=True):
                rank = _RANK[why] if why else CAUTION.index(without_version(held).status)
                if rank < worst.get(owner, NOT_AFFECTED):
                    worst[owner] = rank
            found = self._ranks[place] = tuple(worst.items())
        return found


class Table:
    """All statements about one package."""

    def __init__(self, statements: Iterable[tuple[int, Statement]]) -> None:
        groups: dict[tuple[str, str], list[tuple[int, Statement]]] = {}
        for owner, held in statements:
            groups.setdefault((held.order, held.branch), []).append((owner, held))
        self._groups = [_Group(*kind, held) for kind, held in groups.items()]

    def ranks(self, version: str, branch: str = "") -> Ranks:
        """Each advisory with its place in `CAUTION`; those that say *not affected* are left out.

        Statements about another release of the distribution than *branch* say nothing of it.
        """
        if len(self._groups) == 1 and not self._groups[0].branch:
            return self._groups[0].ranks(version)
        worst: dict[int, int] = {}
        for group in self._speaking(branch):
            for owner, rank in group.ranks(version):
                if rank < worst.get(owner, NOT_AFFECTED):
                    worst[owner] = rank
        return tuple(worst.items())

    def judgements(self, version: str, branch: str = "") -> Iterator[tuple[int, Judgement]]:
        """Every statement's answer in words, with its advisory."""
        for group in self._speaking(branch):
            for (owner, held), why in zip(group.held, group.causes(version), strict=True):
                yield owner, words(held, version, why) if why else without_version(held)

    def _speaking(self, branch: str) -> Iterator[_Group]:
        for group in self._groups:
            if not (branch and group.branch and branch != group.branch):
                yield group


class Index:
    """Advisories by the packages they speak of; tables are prepared when they are first asked for."""

    def __init__(self, advisories: Iterable[Advisory] = ()) -> None:
        self._statements: dict[Package, dict[int, list[Statement]]] = {}
        self._tables: dict[Package, Table] = {}
        for owner, advisory in enumerate(advisories):
            self.add(owner, advisory)

    def add(self, owner: int, advisory: Advisory) -> None:
        """Take in what *advisory* says, under the number *owner*; a withdrawn one says nothing."""
        if advisory.withdrawn:
            return
        for flaw in advisory.flaws:
            for held in flaw.statements:
                self._tables.pop(held.package, None)
                self._statements.setdefault(held.package, {}).setdefault(owner, []).append(held)

    def remove(self, owner: int, packages: Iterable[Package]) -> None:
        """Forget what the advisory *owner* said about *packages*."""
        for package in packages:
            owners = self._statements.get(package, {})
            if owners.pop(owner, None) is not None:
                self._tables.pop(package, None)
                if not owners:
                    del self._statements[package]

    def table(self, package: Package) -> Table | None:
        """What is said about *package*; None if nothing is."""
        found = self._tables.get(package)
        if found is None:
            held = self._statements.get(package)
            if held is None:
                return None
            listed = [(owner, one) for owner in sorted(held) for one in held[owner]]
            found = self._tables[package] = Table(listed)
        return found

    @property
    def packages(self) -> Iterable[Package]:
        """Every package spoken of."""
        return self._statements.keys()
