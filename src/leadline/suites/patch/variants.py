"""Held-out variants: inputs that set off the same flaw, made from the reference. Pure.

A repair that only recognises the proof stays loud on these. They are made by editing the reference
in several ways, so that variants differ in content, in length and in what stands around the flaw;
which of them still fire on the vulnerable build, and on that alone, is tried out.
"""

import hashlib
from collections.abc import Iterator, Sequence
from itertools import zip_longest

VARIANTS_MIN = 20  # an item with fewer is not qualified
VARIANTS_WANTED = 24
TRIES_MAX = 480
_NEAR = (1, 2, 3, 5, 8, 16)


class _Stream:
    """Numbers from a seed, the same everywhere."""

    def __init__(self, seed: bytes) -> None:
        self._seed, self._count = seed, 0

    def below(self, bound: int) -> int:
        """A number from 0 to *bound* - 1."""
        self._count += 1
        data = hashlib.sha256(self._seed + self._count.to_bytes(8, "big")).digest()
        return int.from_bytes(data[:8], "big") % bound


def mutants(proof: bytes, samples: Sequence[bytes], seed: bytes, most: int) -> Iterator[bytes]:
    """Edits of *proof*, each once, kind by kind in turn; none over *most* bytes, at most `TRIES_MAX`.

    *samples* are ordinary inputs in the same format: their records are put before and behind those
    of the proof.
    """
    start = _common([proof, *samples])
    kinds = [
        _replaced(proof, start, _Stream(seed + b"r")),
        _spliced(proof, samples, start),
        _nudged(proof, start),
        _appended(proof, samples, start, _Stream(seed + b"a")),
        _longer(proof, start, _Stream(seed + b"l")),
        _several(proof, start, _Stream(seed + b"s")),
    ]
    seen, given = {proof, *samples}, 0
    for row in zip_longest(*kinds):
        for mutant in row:
            if mutant is None or mutant in seen or len(mutant) > most:
                continue
            seen.add(mutant)
            given += 1
            yield mutant
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


def _longer(proof: bytes, start: int, draw: _Stream) -> Iterator[bytes]:
    """Bytes put in, with a byte before them raised by as many: a payload that its length covers."""
    for count in (1, 2, 3, 4, 6):
        for length_at in range(start, len(proof)):
            raised = proof[length_at] + count
            if raised > 255:  # noqa: PLR2004 -- a byte
                continue
            grown = proof[:length_at] + bytes([raised]) + proof[length_at + 1 :]
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


def varied(found: Sequence[bytes], wanted: int) -> list[bytes]:
    """*wanted* of *found*, as far apart as they come: of each length in turn."""
    by_length: dict[int, list[bytes]] = {}
    for one in found:
        by_length.setdefault(len(one), []).append(one)
    rows = zip_longest(*by_length.values())
    chosen = [one for row in rows for one in row if one is not None]
    return chosen[:wanted]
