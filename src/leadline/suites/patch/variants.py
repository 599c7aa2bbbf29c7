"""Held-out variants: inputs that set off the same flaw, made from the reference. Pure.

A repair that only recognises the proof stays loud on these. They are made by editing the reference
in several ways, so that variants differ in content, in length and in what stands around the flaw;
which of them still fire on the vulnerable build, and on that alone, is tried out.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest

VARIANTS_MIN = 20  # an item with fewer is not qualified
VARIANTS_WANTED = 24
TRIES_MAX = 900
_NEAR = (1, 2, 3, 5, 8, 16)
PIECE_BYTES = 6  # what recognises the proof by a piece needs about so much of it
SHARED_BYTES_MAX = 16  # variants that all share a longer piece are told by it
_FIELDS_MAX = 5  # how far behind a length its payload may begin
_STRIDE = 6
_FILLING = (b" ", b"''", b"./", b"/", b"\t", b"\\", b'""', b"0", b"()", b"a")
_STANDING = (b"?", b"*", b"\t", b"+", b";", b"|", b"0", b"1", b"z")


class _Stream:
    """Numbers from a seed, the same everywhere."""

    def __init__(self, seed: bytes) -> None:
        self._seed, self._count = seed, 0

    def below(self, bound: int) -> int:
        """A number from 0 to *bound* - 1."""
        self._count += 1
        data = hashlib.sha256(self._seed + self._count.to_bytes(8, "big")).digest()
        return int.from_bytes(data[:8], "big") % bound


@dataclass(frozen=True, slots=True)
class Mutant:
    """An edit of the proof. *inner* ones change its own bytes, others what stands around them."""

    data: bytes
    inner: bool


def mutants(proof: bytes, samples: Sequence[bytes], seed: bytes, most: int) -> Iterator[Mutant]:
    """Edits of *proof*, each once, kind by kind in turn; none over *most* bytes, at most `TRIES_MAX`.

    *samples* are ordinary inputs in the same format: their records are put before and behind those
    of the proof.
    """
    start = _common([proof, *samples])
    inner = [
        _replaced(proof, start, _Stream(seed + b"r")),
        _inserted(proof, start),
        _resigned(proof, start),
        _nudged(proof, start),
        _longer(proof, start, _Stream(seed + b"l")),
        _several(proof, start, _Stream(seed + b"s")),
    ]
    outer = [
        _spliced(proof, samples, start),
        _appended(proof, samples, start, _Stream(seed + b"a")),
    ]
    seen, given = {proof, *samples}, 0
    for row in zip_longest(*inner, *outer):
        for place, data in enumerate(row):
            if data is None or data in seen or len(data) > most:
                continue
            seen.add(data)
            given += 1
            yield Mutant(data, inner=place < len(inner))
            if given == TRIES_MAX:
                return


def _common(files: Sequence[bytes]) -> int:
    """The length of the longest beginning that all *files* share: a header, as a rule."""
    shortest = min(len(one) for one in files)
    return next(
        (at for at in range(shortest) if len({one[at] for one in files}) > 1),
        shortest if len(files) > 1 else 0,
    )


def _replaced(proof: bytes, start: int, draw: _Stream) -> Iterator[bytes]:
    """One byte behind the common beginning is another."""
    places = list(range(start, len(proof)))
    for _ in range(3):
        for at in sorted(places, key=lambda _: draw.below(1 << 30)):
            yield proof[:at] + bytes([draw.below(256)]) + proof[at + 1 :]


def _nudged(proof: bytes, start: int) -> Iterator[bytes]:
    """One byte is a little more or less: a length, a count, an offset."""
    for by in (step for near in _NEAR for step in (near, -near)):
        for at in range(start, len(proof)):
            yield proof[:at] + bytes([(proof[at] + by) % 256]) + proof[at + 1 :]


def _spliced(proof: bytes, samples: Sequence[bytes], start: int) -> Iterator[bytes]:
    """An ordinary input's records stand before the proof's, wherever the header may end."""
    for cut in range(start, max(start - 4, -1), -1):
        for sample in samples:
            yield proof[:cut] + sample[cut:] + proof[cut:]


def _appended(proof: bytes, samples: Sequence[bytes], start: int, draw: _Stream) -> Iterator[bytes]:
    """Something stands behind the proof: its own records again, an ordinary input's, noise."""
    for cut in range(start, max(start - 4, -1), -1):
        yield proof + proof[cut:]
        for sample in samples:
            yield proof + sample[cut:]
    for length in (1, 2, 3, 5, 8, 13, 21, 34):
        yield proof + bytes(draw.below(256) for _ in range(length))


def _lengths(proof: bytes, start: int) -> list[int]:
    """Places of a byte that counts what stands behind it to the end, as a record's length does."""
    ends = range(1, 1 + _FIELDS_MAX)
    return [at for at in range(start, len(proof)) if len(proof) - at - proof[at] in ends]


def _grown(proof: bytes, at: int, put: bytes, start: int) -> Iterator[bytes]:
    """*proof* with *put* at *at*, each length before it raised to cover that."""
    for place in [one for one in _lengths(proof, start) if one < at]:
        raised = proof[place] + len(put)
        if raised <= 255:  # noqa: PLR2004 -- a byte
            data = proof[:place] + bytes([raised]) + proof[place + 1 :]
            yield data[:at] + put + data[at:]


def _inserted(proof: bytes, start: int) -> Iterator[bytes]:
    """A sign that many formats skip or take as its absence stands somewhere more."""
    for put in _FILLING:
        for at in range(len(proof), start, -1):
            yield from _grown(proof, at, put, start)


def _resigned(proof: bytes, start: int) -> Iterator[bytes]:
    """A letter in the other case, or a sign that may stand for it."""
    for at in range(len(proof) - 1, start - 1, -1):
        one = proof[at : at + 1]
        for other in (one.swapcase(), *_STANDING):
            yield proof[:at] + other + proof[at + 1 :]


def _longer(proof: bytes, start: int, draw: _Stream) -> Iterator[bytes]:
    """Some more bytes at the end, covered by a length, and then any byte raised by as many."""
    for count in (1, 2, 3, 4, 6):
        more = bytes(draw.below(256) for _ in range(count))
        yield from _grown(proof, len(proof), more, start)
    for count in (1, 2, 3):
        for at in range(start, len(proof)):
            if proof[at] + count <= 255:  # noqa: PLR2004 -- a byte
                grown = proof[:at] + bytes([proof[at] + count]) + proof[at + 1 :]
                yield grown + bytes(draw.below(256) for _ in range(count))


def _several(proof: bytes, start: int, draw: _Stream) -> Iterator[bytes]:
    """Some bytes behind the common beginning are others."""
    if start >= len(proof):
        return
    for _ in range(200):
        data = bytearray(proof)
        for _ in range(2 + draw.below(4)):
            data[start + draw.below(len(proof) - start)] = draw.below(256)
        yield bytes(data)


def varied(found: Sequence[Mutant], proof: bytes, wanted: int) -> list[bytes]:
    """*wanted* of *found*, as far apart as they come.

    First those after which the fewest pieces of the proof stand in all; then two that change the
    proof's own bytes for one that changes what stands around them, and of each length in turn.
    """
    chosen = _breaking([one.data for one in found], proof)[:wanted]
    inner = _by_length([one.data for one in found if one.inner and one.data not in chosen])
    outer = _by_length([one.data for one in found if not one.inner and one.data not in chosen])
    while len(chosen) < wanted and (inner or outer):
        chosen += [of.pop(0) for of in (inner, inner, outer) if of]
    return chosen[:wanted]


def _breaking(found: Sequence[bytes], proof: bytes) -> list[bytes]:
    """Those of *found* that leave ever fewer pieces of *proof* in all of them, the best first."""
    chosen: list[bytes] = []
    left = {proof[at : at + PIECE_BYTES] for at in range(len(proof) - PIECE_BYTES + 1)}
    while left and found:
        best = min(found, key=lambda one: sum(piece in one for piece in left))
        rest = {piece for piece in left if piece in best}
        if rest == left:
            break
        chosen, left = [*chosen, best], rest
    return chosen


def _by_length(found: Sequence[bytes]) -> list[bytes]:
    """One of each length and then another; within a length, first those found far apart."""
    by_length: dict[int, list[bytes]] = {}
    for one in found:
        by_length.setdefault(len(one), []).append(one)
    rows = zip_longest(*(_apart(of) for of in by_length.values()))
    return [one for row in rows for one in row if one is not None]


def _apart(listed: list[bytes]) -> list[bytes]:
    """From both ends and the middle in turn: neighbours were made by neighbouring edits."""
    step = max(len(listed) // _STRIDE, 1)
    return [one for first in range(step) for one in listed[first::step]]


def shared(variants: Sequence[bytes], proof: bytes, width: int) -> list[bytes]:
    """The pieces of *proof* of *width* bytes that stand in every one of *variants*.

    Whoever only recognises such a piece silences them all: there should be as few as the flaw
    itself allows.
    """
    pieces = (proof[at : at + width] for at in range(len(proof) - width + 1))
    return [piece for piece in pieces if all(piece in one for one in variants)]
