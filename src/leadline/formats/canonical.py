"""The one deterministic JSON encoding that digests and commitments are taken over.

The subset of RFC 8785 without floats: object members sorted by their names' UTF-16 code units, no
white space, shortest escapes, integers within +-2^53, strings in Unicode NFC, UTF-8. A document that
does not re-encode to its own bytes is refused, so that one value has one digest.
"""

import json
import unicodedata
from collections.abc import Mapping

from leadline.core.errors import Invalid
from leadline.core.record.act import Value
from leadline.formats.document import repeated

DEPTH_MAX = 64
INTEGER_MAX = 1 << 53
BYTES_MAX = 1 << 20

_NESTED = (list, dict)
_Parsed = str | int | bool | None | list["_Parsed"] | dict[str, "_Parsed"]


def encode(value: Value, *, bytes_max: int = BYTES_MAX) -> bytes:
    """The canonical bytes of *value*.

    Raises: Invalid, naming the path inside the value, for a float, an integer beyond +-2^53, text
    that is not NFC or not Unicode, a member name that is no text, more than 64 levels, another
    type, or a result above *bytes_max*.
    """
    ordered = _ordered(value, "value", DEPTH_MAX)
    text = json.dumps(ordered, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    data = text.encode("utf-8")
    if len(data) > bytes_max:
        raise Invalid("value", f"{len(data)} bytes; at most {bytes_max} are taken")
    return data


def decode(data: bytes, *, bytes_max: int = BYTES_MAX) -> Value:
    """The value of canonical bytes; arrays become tuples.

    Raises: Invalid, if the bytes are not exactly what `encode` gives for their value.
    """
    if len(data) > bytes_max:
        raise Invalid("value", f"{len(data)} bytes; at most {bytes_max} are taken")
    try:
        parsed = json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_members,
            parse_float=_no_float,
            parse_constant=_no_float,
        )
    except ValueError as error:
        raise Invalid("value", f"not canonical JSON: {error}") from None
    except RecursionError:
        raise Invalid("value", f"nested too deeply; {DEPTH_MAX} levels are taken") from None
    value = _tupled(parsed, DEPTH_MAX)
    if encode(value, bytes_max=bytes_max) != data:
        raise Invalid("value", "not in canonical form: it does not re-encode to the same bytes")
    return value


def committed(data: bytes) -> Value:
    """The value of bytes that `encode` wrote and that opened a commitment since; their form is not tried again.

    That they are the very bytes was shown by the commitment, and trying their form takes longer than reading.

    Raises: Invalid, if they are no JSON after all.
    """
    try:
        return _tupled(json.loads(str(data, "utf-8")), DEPTH_MAX)
    except (ValueError, RecursionError) as error:
        raise Invalid("value", f"no JSON: {error}") from None


def _members(pairs: list[tuple[str, _Parsed]]) -> dict[str, _Parsed]:
    members = dict(pairs)
    if len(members) != len(pairs):
        twice = repeated(name for name, _ in pairs)
        raise Invalid("value", f"the member {twice!r} stands twice in one object")
    return members


def _no_float(text: str) -> object:
    raise Invalid("value", f"{text} is no integer; write a fraction as text or as two integers")


def _tupled(parsed: _Parsed, levels: int) -> Value:
    if not isinstance(parsed, _NESTED):
        return parsed
    if not levels:
        raise Invalid("value", f"nested too deeply; {DEPTH_MAX} levels are taken")
    # asked here as well: most of what is read is text, and a call takes longer than the question
    if isinstance(parsed, list):
        return tuple(
            [_tupled(item, levels - 1) if isinstance(item, _NESTED) else item for item in parsed]
        )
    return {
        name: _tupled(item, levels - 1) if isinstance(item, _NESTED) else item
        for name, item in parsed.items()
    }


def _ordered(value: object, path: str, levels: int) -> object:
    if isinstance(value, str):
        return _text(value, path)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        if abs(value) > INTEGER_MAX:
            raise Invalid(path, "an integer beyond 2^53; write it as text")
        return value
    if not levels:
        raise Invalid(path, f"nested too deeply; {DEPTH_MAX} levels are taken")
    if isinstance(value, tuple):
        return [_ordered(item, f"{path}[{at}]", levels - 1) for at, item in enumerate(value)]
    if isinstance(value, Mapping):
        return _sorted(value, path, levels)
    raise Invalid(path, f"{type(value).__name__} has no canonical form; use text or integers")


def _sorted(value: Mapping[object, object], path: str, levels: int) -> dict[str, object]:
    members = dict[str, object]()
    for name, item in value.items():
        if not isinstance(name, str):
            raise Invalid(path, f"the member name {name!r} is no text")
        members[_text(name, path)] = _ordered(item, f"{path}.{name}", levels - 1)
    return dict(sorted(members.items(), key=lambda member: member[0].encode("utf-16-be")))


def _text(text: str, path: str) -> str:
    if text.isascii():  # in which there are no surrogates and nothing to normalise
        return text
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise Invalid(path, "a lone surrogate is no Unicode text")
    if not unicodedata.is_normalized("NFC", text):
        raise Invalid(path, "text is not in Unicode normal form C; normalise it first")
    return text
