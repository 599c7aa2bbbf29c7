"""The binary format of one program: a header, then records of a tag, a length and a payload.

The same draw gives the C text that checks a file and the encoder that writes one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from leadline.suites.planted.draw import Draw
from leadline.suites.planted.feature import Record, text
from leadline.suites.planted.guards import rotated
from leadline.suites.planted.voice import Voice

_WORD = 1 << 32


@dataclass(frozen=True, slots=True)
class Checksum:
    """A 32-bit sum of the body, stored rotated and masked."""

    name: str
    start: int
    factor: int
    mask: int
    by: int
    multiply_first: bool

    def of(self, body: bytes) -> int:
        """The sum, as the program computes it."""
        total = self.start
        for byte in body:
            total = (
                (total * self.factor + byte)
                if self.multiply_first
                else (total ^ byte) * self.factor
            ) % _WORD
        return total

    def stored(self, body: bytes) -> int:
        """The word of the header that stands for *body*."""
        return rotated(self.of(body), 32 - self.by) ^ self.mask


@dataclass(frozen=True, slots=True)
class Layout:
    """One format. *tags* are drawn as routines are named; *sized* and *checksum* are guards."""

    voice: Voice
    magic: bytes
    version: tuple[int, int, int]  # least, most, the one written
    flags: tuple[int, int]  # mask, value
    order: tuple[str, ...]
    tag_bytes: int
    length_bytes: int
    length_first: bool
    sized: bool
    checksum: Checksum | None

    @property
    def head_bytes(self) -> int:
        """Size of the header."""
        return sum(self._width(name) for name in self.order)

    def _width(self, name: str) -> int:
        return {"magic": 4, "version": 1, "flags": 1, "size": 2, "check": 4}[name]

    def encode(self, sequence: Sequence[Record], tags: Mapping[str, int]) -> bytes:
        """The file that holds *sequence*."""
        body = b"".join(self._record(tags[record.routine], record.payload) for record in sequence)
        values = {
            "magic": self.magic,
            "version": bytes([self.version[2]]),
            "flags": bytes([self.flags[1]]),
            "size": self.voice.pack16(len(body)) if self.sized else b"",
            "check": self.voice.pack32(self.checksum.stored(body)) if self.checksum else b"",
        }
        return b"".join(values[name] for name in self.order) + body

    def _record(self, tag: int, payload: bytes) -> bytes:
        parts = [self._sized(tag, self.tag_bytes), self._sized(len(payload), self.length_bytes)]
        return b"".join(reversed(parts) if self.length_first else parts) + payload

    def _sized(self, value: int, width: int) -> bytes:
        return bytes([value]) if width == 1 else self.voice.pack16(value)

    def places(self) -> list[tuple[str, int]]:
        """The header's fields in order, each with its offset."""
        widths = [self._width(name) for name in self.order]
        return [(name, sum(widths[:place])) for place, name in enumerate(self.order)]

    def head_source(self) -> str:
        """C lines that refuse a file whose header is wrong; ``data`` and ``size`` are the file."""
        voice = self.voice
        lines = [f"if (size < {self.head_bytes})", "    return -1;"]
        for name, at in self.places():
            lines += [f"if ({self._wrong(name, at)})", "    return -1;"]
        return text(voice).fill("\n".join(lines))

    def _wrong(self, name: str, at: int) -> str:
        """The C condition under which the header's field *name* at offset *at* is wrong."""
        head = self.head_bytes
        match name:
            case "magic":
                word = int.from_bytes(self.magic, "big" if self.voice.big_endian else "little")
                return f"$get32(data + {at}) != {self.voice.number(word)}"
            case "version":
                return f"data[{at}] < {self.version[0]} || data[{at}] > {self.version[1]}"
            case "flags":
                return f"(data[{at}] & {self.flags[0]}) != {self.flags[1] & self.flags[0]}"
            case "size":
                return f"$get16(data + {at}) != size - {head}"
            case _:
                assert self.checksum is not None  # noqa: S101 - the order names only what is there
                mask, by = self.voice.number(self.checksum.mask), self.checksum.by
                masked = f"($get32(data + {at}) ^ {mask})"
                want = f"(({masked} << {by}) | ({masked} >> {32 - by}))"
                return f"{want} != {self.checksum.name}(data + {head}, size - {head})"

    def record_source(self) -> str:
        """C lines that read a record's ``tag`` and ``len`` at ``$at`` and step over them."""
        first, second = (self.tag_bytes, self.length_bytes)
        names = ["tag", "len"]
        if self.length_first:
            first, second, names = second, first, ["len", "tag"]
        at = self.voice.at
        reads = [
            f"{names[0]} = {self._read(f'data + {at}', first)};",
            f"{names[1]} = {self._read(f'data + {at} + {first}', second)};",
            f"{at} += {first + second};",
        ]
        return text(self.voice).fill("\n".join(reads))

    def _read(self, place: str, width: int) -> str:
        return f"*({place})" if width == 1 else f"$get16({place})"

    def sum_source(self) -> str:
        """The C function of the checksum; empty without one."""
        if self.checksum is None:
            return ""
        number = self.voice.number
        factor = number(self.checksum.factor)
        step = (
            f"sum = sum * {factor} + p[i];"
            if self.checksum.multiply_first
            else f"sum = (sum ^ p[i]) * {factor};"
        )
        return (
            f"static uint32_t {self.checksum.name}(const uint8_t *p, size_t n)\n"
            "{\n"
            f"    uint32_t sum = {number(self.checksum.start)};\n"
            "    for (size_t i = 0; i < n; i++)\n"
            f"        {step}\n"
            "    return sum;\n"
            "}\n"
        )


def draw_layout(voice: Voice, draw: Draw, *, sized: bool, summed: bool) -> Layout:
    """A format in *voice*; *sized* stores the body's size, *summed* a checksum of it."""
    least = draw.between(1, 90)
    most = least + draw.between(0, 6)
    mask = draw.choice((0x03, 0x05, 0x0C, 0x11, 0x28, 0x41, 0x82))
    checksum = Checksum(
        voice.function(),
        draw.below(_WORD),
        (draw.below(_WORD) | 0x01000001) % _WORD,
        draw.below(_WORD),
        draw.between(3, 29),
        draw.chance(50),
    )
    rest = ["version", "flags"] + (["size"] if sized else []) + (["check"] if summed else [])
    order = draw.shuffled(rest)
    order.insert(draw.below(2), "magic")
    return Layout(
        voice,
        bytes(draw.between(0x21, 0x7E) if draw.chance(60) else 1 + draw.below(255) for _ in "mark"),
        (least, most, draw.between(least, most)),
        (mask, (mask & draw.below(256)) | (draw.below(256) & ~mask)),
        tuple(order),
        1 + draw.below(2),
        1 + draw.below(2),
        draw.chance(30),
        sized,
        checksum if summed else None,
    )
