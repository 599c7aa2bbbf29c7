"""The header of a safetensors file, judged without loading a tensor.

Upheld here: the header is one JSON object that begins at once and may be padded with spaces only; each
tensor's type, shape and place agree; together the places cover the data from 0 to its end, without a hole,
an overlap or a byte left over. So nothing can lie in such a file that no tensor owns up to.

Stricter than the format: a header is at most 16 MiB (the format says 100 MB), which together with the
limits of `document` bounds time and memory; names are printable.
Source: https://github.com/huggingface/safetensors, README, section Format; trust.md 3.4.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from leadline.core.errors import Invalid
from leadline.formats.document import INTEGER_MAX, record, value

FORMAT = "safetensors"
LENGTH_BYTES = 8
HEADER_BYTES_MAX = 16 << 20
DEPTH_MAX = 8
DIMENSIONS_MAX = 64
NAME_CHARACTERS_MAX = 1024
METADATA = "__metadata__"
BITS: Mapping[str, int] = MappingProxyType({
    "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6,
    "BOOL": 8, "U8": 8, "I8": 8, "F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8,
    "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8,
    "U16": 16, "I16": 16, "F16": 16, "BF16": 16,
    "U32": 32, "I32": 32, "F32": 32,
    "U64": 64, "I64": 64, "F64": 64, "C64": 64,
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Tensor:
    """One tensor: its bytes are data[begin:end], where the data begins after the header."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    begin: int
    end: int


@dataclass(frozen=True, slots=True)
class Header:
    """The tensors in the order of their places, and the free text beside them."""

    tensors: tuple[Tensor, ...]
    metadata: Mapping[str, str]
    data_bytes: int

    @property
    def parameters(self) -> int:
        """The number of elements of all tensors."""
        return sum(_elements(tensor.name, tensor.shape) for tensor in self.tensors)


def header_length(first: bytes, file_bytes: int) -> int:
    """The length of the header that the first eight bytes of a file of *file_bytes* announce.

    Raises: Invalid, if they are fewer, or the header would be too short, too long, or reach beyond
    the end of the file.
    """
    if len(first) < LENGTH_BYTES:
        raise Invalid(FORMAT, f"{len(first)} bytes; the length of the header alone takes 8")
    length = int.from_bytes(first[:LENGTH_BYTES], "little")
    if not len("{}") <= length <= HEADER_BYTES_MAX:
        raise Invalid("header length", f"{length}; 2 to {HEADER_BYTES_MAX} bytes are taken")
    if LENGTH_BYTES + length > file_bytes:
        raise Invalid("header length", f"{length} in a file of {file_bytes} bytes")
    return length


def parse_header(header: bytes, data_bytes: int) -> Header:
    """The header of a file that has *data_bytes* after it.

    Raises: Invalid, naming the tensor, unless every rule of this module holds.
    """
    if not header.startswith(b"{"):
        raise Invalid("header", "it begins with `{` at once")
    stripped = header.rstrip(b" ")
    if not stripped.endswith(b"}"):
        raise Invalid("header", "only spaces may follow its closing brace")
    found = dict(record(value(stripped, "header", HEADER_BYTES_MAX, depth_max=DEPTH_MAX)))
    metadata = _metadata(found.pop(METADATA, {}))
    tensors = [_tensor(name, entry) for name, entry in found.items()]
    tensors.sort(key=lambda tensor: (tensor.begin, tensor.end))
    _check_places(tensors, data_bytes)
    return Header(tuple(tensors), metadata, data_bytes)


def _metadata(entry: object) -> Mapping[str, str]:
    if not isinstance(entry, dict):
        raise Invalid(METADATA, "an object of texts is due")
    for name, text in entry.items():
        if not isinstance(text, str):
            raise Invalid(f"{METADATA}.{_shown(name)}", "a text is due")
    return entry


def _shown(name: str) -> str:
    return ascii(name[:80])


def _tensor(name: str, entry: object) -> Tensor:
    place = f"tensor {_shown(name)}"
    if not name.isprintable() or not 0 < len(name) <= NAME_CHARACTERS_MAX:
        raise Invalid(place, f"a printable name of up to {NAME_CHARACTERS_MAX} characters is due")
    if not isinstance(entry, dict) or entry.keys() != {"dtype", "shape", "data_offsets"}:
        raise Invalid(place, "exactly dtype, shape and data_offsets are due")
    dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not isinstance(dtype, str) or dtype not in BITS:
        raise Invalid(place, f"the type is not known; use one of {', '.join(BITS)}")
    if not _naturals(shape) or len(shape) > DIMENSIONS_MAX:
        raise Invalid(place, f"shape: a list of up to {DIMENSIONS_MAX} whole numbers is due")
    if not _naturals(offsets) or len(offsets) != 2:  # noqa: PLR2004 -- begin and end
        raise Invalid(place, "data_offsets: begin and end are due")
    begin, end = offsets
    bits = _elements(place, tuple(shape)) * BITS[dtype]
    if bits % 8 or end - begin != bits // 8:
        raise Invalid(place, f"{dtype} of shape {shape} takes {bits} bits, not {begin}..{end}")
    return Tensor(name, dtype, tuple(shape), begin, end)


def _naturals(found: object) -> bool:
    return isinstance(found, list) and all(type(one) is int and one >= 0 for one in found)


def _elements(place: str, shape: tuple[int, ...]) -> int:
    """The product of *shape*, refused before it can grow beyond what any file holds."""
    if 0 in shape:
        return 0
    product = 1
    for size in shape:
        product *= size
        if product > INTEGER_MAX:
            raise Invalid(place, "more elements than any file holds")
    return product


def _check_places(tensors: list[Tensor], data_bytes: int) -> None:
    reached = 0
    for tensor in tensors:
        if tensor.begin != reached:
            kind = "overlaps the one before" if tensor.begin < reached else "leaves a hole before"
            raise Invalid(f"tensor {_shown(tensor.name)}", f"{kind}: it begins at {tensor.begin}")
        reached = tensor.end
    if reached != data_bytes:
        raise Invalid("data", f"the tensors end at {reached}, the file at {data_bytes}")
