"""Many operators against many advisories: all at once, and kept up to date change by change.

Each distinct pair of package and release is judged once; operators are bits, so that who runs an
affected release is an OR of bitmaps. `Bulk` turns raw texts into lists per operator; `Portfolio` holds
the same facts and takes changes one by one. Neither decides anything: `judge` does.
Source: clearinghouse reference, section 9.1, points 2, 5 and 6.
"""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Self

import numpy as np
import numpy.typing as npt

from leadline.core.clearing.advisory import Advisory
from leadline.core.clearing.judge import NOT_AFFECTED, Index, Ranks, Table
from leadline.core.clearing.naming import branch_of, names_of
from leadline.core.clearing.product import Component, Naming, Package, release_of
from leadline.core.clearing.purl import Purl, parse
from leadline.core.clearing.reading import CAUTION, Status
from leadline.core.errors import Invalid

AFFECTED = CAUTION.index(Status.AFFECTED)
UNKNOWN = CAUTION.index(Status.UNKNOWN)
_FIXED = CAUTION.index(Status.FIXED)
UNIDENTIFIED = -1  # stands for every advisory, where a text names no package
_PACKED_MAX = 1 << 63

Ints = npt.NDArray[np.int64]
Small = npt.NDArray[np.int32]
Bytes = npt.NDArray[np.uint8]


class _Numbers(dict[str, int]):
    """A number for each distinct text, in order of first use."""

    def __missing__(self, text: str) -> int:
        number = self[text] = len(self)
        return number

    def of(self, batches: Iterable[Sequence[str]]) -> Ints:
        """The numbers of all texts of all batches."""
        return np.fromiter(map(self.__getitem__, chain.from_iterable(batches)), np.int64)


def _distinct(left: Ints, right: Ints) -> tuple[Ints, Ints]:
    """One place of each distinct pair, and for every place the number of its pair.

    Pair and place are packed into one number, because numbers alone are sorted several times faster.
    """
    count, width = len(left), int(right.max(initial=0)) + 1
    if (int(left.max(initial=0)) + 1) * width * max(count, 1) >= _PACKED_MAX:
        _, first, numbers = np.unique(left << 32 | right, return_index=True, return_inverse=True)
        return first, numbers
    packed = (left * width + right) * count + np.arange(count)
    packed.sort()
    pairs, places = np.divmod(packed, count)
    begins = np.diff(pairs, prepend=-1) != 0
    numbers = np.empty(count, np.int64)
    numbers[places] = begins.cumsum() - 1
    return places[begins], numbers


@dataclass(frozen=True, slots=True)
class Lists:
    """What touches each operator: *component* counts within all of the batch's components.

    Rows ``start[n]`` to ``start[n + 1]`` belong to operator n. *advisory* is its number in the index, or
    `UNIDENTIFIED`; *rank* is `AFFECTED` or `UNKNOWN`. What is fixed or not affected is not listed.
    """

    start: Ints
    component: Ints
    advisory: Small
    rank: npt.NDArray[np.int8]

    def of(self, operator: int) -> Iterator[tuple[int, int, Status]]:
        """Component, advisory and status of each row of one operator."""
        rows = slice(int(self.start[operator]), int(self.start[operator + 1]))
        columns = (self.component[rows], self.advisory[rows], self.rank[rows])
        for component, advisory, rank in zip(*(one.tolist() for one in columns), strict=True):
            yield component, advisory, CAUTION[rank]


class Bulk:
    """Raw texts of many inventories against one index, batch by batch."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self._packages, self._versions = _Numbers(), _Numbers()
        self._tables: list[tuple[tuple[Table, str], ...] | None] = []
        # A row is what a place in a package's order says: the same for all releases that share it.
        self._row_of: dict[tuple[int, int], int] = {}
        self._rows: dict[Ranks, int] = {}
        self._start, self._count = array("q"), array("q")
        self._advisory, self._rank = array("i"), array("b")
        self._silent = self._row(())
        self._bits: list[tuple[int, Bytes]] = []  # operators and their bits, per batch
        self.operators = 0

    def lists(self, inventories: Sequence[tuple[Sequence[str], Sequence[str]]]) -> Lists:
        """The lists of these operators; each inventory is its packages (Package-URLs) and releases.

        Releases stand apart from the Package-URLs, which have none of their own.

        Raises: ValueError, if an inventory has not as many releases as packages.
        """
        sizes = np.array([len(packages) for packages, _ in inventories], np.int64)
        if any(len(packages) != len(versions) for packages, versions in inventories):
            raise ValueError(
                "a release stands beside each package, an empty text if it is not known"
            )
        packages = self._packages.of(held for held, _ in inventories)
        versions = self._versions.of(held for _, held in inventories)
        first, numbers = _distinct(packages, versions)
        rows = self._judged(packages[first], versions[first])[numbers]
        self._remember(rows, sizes)
        return self._expanded(rows, sizes)

    def _judged(self, packages: Ints, versions: Ints) -> Ints:
        """The row of each distinct pair."""
        new = islice(self._packages, len(self._tables), None)
        self._tables += [self._tables_of(text) for text in new]
        spoken = np.array([held != () for held in self._tables], bool)
        rows = np.full(len(packages), self._silent, np.int64)
        texts = list(self._versions)
        asked = np.flatnonzero(spoken[packages]) if len(packages) else packages
        pairs = zip(packages[asked].tolist(), versions[asked].tolist(), strict=True)
        for place, pair in zip(asked.tolist(), pairs, strict=True):
            row = self._row_of.get(pair)
            if row is None:
                row = self._row_of[pair] = self._row(self._ranks(pair[0], texts[pair[1]]))
            rows[place] = row
        return rows

    def _ranks(self, package: int, version: str) -> Ranks:
        tables = self._tables[package]
        if tables is None:
            return ((UNIDENTIFIED, UNKNOWN),)
        if len(tables) == 1:
            table, branch = tables[0]
            return table.ranks(version, branch)
        worst: dict[int, int] = {}
        for table, branch in tables:
            for owner, rank in table.ranks(version, branch):
                worst[owner] = min(rank, worst.get(owner, NOT_AFFECTED))
        return tuple(worst.items())

    def _tables_of(self, text: str) -> tuple[tuple[Table, str], ...] | None:
        """What is said about a package and the source it was built from; None if the text names none."""
        try:
            parsed: Purl | None = parse(text)
        except Invalid:
            parsed = None  # a value: it is unidentified
        if parsed is None:
            return None
        named = [release_of(parsed).package, *(name.package for name in names_of(parsed))]
        found = [self._index.table(package) for package in named]
        return tuple((table, branch_of(parsed)) for table in found if table is not None)

    def _row(self, ranks: Ranks) -> int:
        row = self._rows.get(ranks)
        if row is None:
            row = self._rows[ranks] = len(self._start)
            told = [(owner, rank) for owner, rank in ranks if rank in {AFFECTED, UNKNOWN}]
            self._start.append(len(self._advisory))
            self._count.append(len(told))
            self._advisory.extend(owner for owner, _ in told)
            self._rank.extend(rank for _, rank in told)
        return row

    def _remember(self, rows: Ints, sizes: Ints) -> None:
        """One bit per operator of this batch and row that says anything."""
        operators = np.repeat(np.arange(len(sizes)), sizes)
        seen = np.zeros((len(self._start), len(sizes)), bool)
        seen[rows, operators] = True
        self._bits.append((len(sizes), np.packbits(seen, axis=1)))
        self.operators += len(sizes)

    def _expanded(self, rows: Ints, sizes: Ints) -> Lists:
        counts = np.frombuffer(self._count, np.int64)[rows]
        told = np.flatnonzero(counts)
        held = counts[told]
        ends = held.cumsum()
        total = int(ends[-1]) if len(ends) else 0
        first = np.frombuffer(self._start, np.int64)[rows[told]] - (ends - held)
        places = np.repeat(first, held) + np.arange(total)
        before = np.concatenate([[0], counts.cumsum()])
        bounds = np.concatenate([[0], sizes.cumsum()])
        return Lists(
            start=before[bounds],
            component=np.repeat(told, held),
            advisory=np.frombuffer(self._advisory, np.int32)[places],
            rank=np.frombuffer(self._rank, np.int8)[places],
        )

    def running(self) -> dict[int, Ints]:
        """Per advisory the operators so far that run an affected release, numbered as they came."""
        hit = np.frombuffer(self._rank, np.int8) == AFFECTED
        rows = np.repeat(np.arange(len(self._start)), np.frombuffer(self._count, np.int64))[hit]
        advisories = np.frombuffer(self._advisory, np.int32)[hit]
        order = np.argsort(advisories, kind="stable")
        owners, begins = np.unique(advisories[order], return_index=True)
        concerned = np.split(rows[order], begins[1:]) if len(owners) else []
        return dict(zip(owners.tolist(), map(self._operators_of, concerned), strict=True))

    def _operators_of(self, rows: Ints) -> Ints:
        before, found = 0, [np.zeros(0, np.int64)]
        for count, bits in self._bits:
            known = rows[rows < len(bits)]
            whole = np.bitwise_or.reduce(bits[known], axis=0)
            found.append(before + np.flatnonzero(np.unpackbits(whole, count=count)))
            before += count
        return np.concatenate(found)


_Key = tuple[Package, str, str]


def _keys(components: Iterable[Component]) -> frozenset[_Key]:
    """Package, release and branch of each component, under its own name and its mapped ones."""
    found = set()
    for one in components:
        if one.package is not None:
            found.add((one.package, one.version, one.branch))
        for name in one.names:
            if name.naming is Naming.MAPPED:
                found.add((name.package, name.version, one.branch))
    return frozenset(found)


class Portfolio:
    """Operators and advisories as they are now; every change keeps what a full rebuild would give.

    A bitmap is a whole number whose bit n is the operator that came n-th. An advisory that changes is
    removed and added again. A process that keeps one for long freezes what it loaded (`gc.freeze`) and
    collects garbage between arrivals: a full collection in the midst of one adds a tenth of a second to it.
    """

    def __init__(self) -> None:
        self._index = Index()
        self._operators: dict[str, int] = {}
        self._inventories: dict[str, frozenset[_Key]] = {}
        self._holders: dict[Package, dict[tuple[str, str], int]] = {}
        self._advisories: dict[str, tuple[int, Advisory]] = {}
        self._hits: dict[int, list[int]] = {}
        self._same: dict[_Key, _Key] = {}  # each key once, whoever runs it
        self._names: dict[int, str] = {}
        self._next = 0

    def put_inventory(self, operator: str, components: Iterable[Component]) -> Self:
        """Take *components* as all that *operator* runs, in place of what was known."""
        self.drop_inventory(operator)
        keys = frozenset(self._same.setdefault(key, key) for key in _keys(components))
        bit = 1 << self._operators.setdefault(operator, len(self._operators))
        self._inventories[operator] = keys
        for package, version, branch in keys:
            held = self._holders.setdefault(package, {})
            held[version, branch] = held.get((version, branch), 0) | bit
            table = self._index.table(package)
            for owner, rank in table.ranks(version, branch) if table else ():
                self._hits[owner][rank] |= bit
        return self

    def drop_inventory(self, operator: str) -> None:
        """Forget what *operator* runs; nothing happens if nothing is known."""
        bit = 1 << self._operators.get(operator, 0)
        for package, version, branch in self._inventories.pop(operator, ()):
            held = self._holders[package]
            held[version, branch] &= ~bit
            if not held[version, branch]:
                del held[version, branch]
            if not held:
                del self._holders[package]
            table = self._index.table(package)
            for owner, rank in table.ranks(version, branch) if table else ():
                self._hits[owner][rank] &= ~bit

    def put_advisory(self, advisory: Advisory) -> Self:
        """Take *advisory* in place of what was known under its id."""
        self.withdraw(advisory.id)
        owner, self._next = self._next, self._next + 1
        self._advisories[advisory.id] = owner, advisory
        self._names[owner] = advisory.id
        self._index.add(owner, advisory)
        hits = self._hits[owner] = [0] * NOT_AFFECTED
        alone = Index()
        alone.add(owner, advisory)
        for package in alone.packages:
            table = alone.table(package)
            for (version, branch), bits in self._holders.get(package, {}).items():
                for _, rank in table.ranks(version, branch) if table else ():
                    hits[rank] |= bits
        return self

    def withdraw(self, advisory: str) -> None:
        """Forget an advisory; nothing happens if it is not known."""
        held = self._advisories.pop(advisory, None)
        if held is not None:
            self._index.remove(held[0], held[1].packages)
            del self._hits[held[0]], self._names[held[0]]

    def running(self, advisory: str, status: Status = Status.AFFECTED) -> tuple[str, ...]:
        """The operators of whose components *advisory* says *status*, in order of arrival.

        Raises: KeyError, for an advisory that is not held; ValueError, for a status that is not kept.
        """
        rank = CAUTION.index(status)
        if rank == NOT_AFFECTED:
            raise ValueError("operators are kept by affected, unknown and fixed alone")
        bits = self._hits[self._advisories[advisory][0]][rank]
        return tuple(name for name, place in self._operators.items() if bits >> place & 1)

    def concerning(self, operator: str) -> dict[str, Status]:
        """The advisories that say *affected* or *unknown* of anything that *operator* runs.

        Raises: KeyError, for an operator whose inventory is not held.
        """
        told: dict[int, int] = {}
        for package, version, branch in self._inventories[operator]:
            table = self._index.table(package)
            for owner, rank in table.ranks(version, branch) if table else ():
                if rank < told.get(owner, _FIXED):
                    told[owner] = rank
        return {self._names[owner]: CAUTION[rank] for owner, rank in told.items()}
