"""`vers` range texts, such as ``vers:npm/1.2.3|>=2.0.0|<5.0.0``.

Blanks do not count; a version may be percent-quoted. The distribution names ``alpine``, ``debian`` and
``redhat`` are read as the schemes they use.
Source: VERS, package-url/vers-spec, "Parsing and validating version range specifiers".
"""

import re
from typing import Literal, get_args
from urllib.parse import unquote

from leadline.core.clearing.versions.ranges import Constraint, Vers
from leadline.core.errors import Invalid

FORMAT = "vers"
CHARACTERS_MAX = 65_536
CONSTRAINTS_MAX = 2_000
_FORM = re.compile(r"vers:([a-z][a-z0-9.+-]*)/(.+)")
_PART = re.compile(r"(!=|<=|>=|<|>|=)?([^<>=!*|]+)")
_SCHEMES = {"alpine": "apk", "debian": "deb", "redhat": "rpm"}
_Comparator = Literal["=", "!=", "<", "<=", ">", ">=", "*"]
_COMPARATORS: dict[str, _Comparator] = {sign: sign for sign in get_args(_Comparator)}


def parse(text: str, field: str = "vers") -> Vers:
    """Read one range.

    Raises: Invalid, naming *field*, if the text is no `vers` range or is longer than anybody needs.
    """
    if len(text) > CHARACTERS_MAX:
        raise Invalid(field, f"longer than {CHARACTERS_MAX} characters; split the range")
    if not text.isascii():
        raise Invalid(field, "a sign outside ASCII; quote it with %")
    match = _FORM.fullmatch("".join(text.split()))
    if match is None:
        raise Invalid(field, f"{text[:80]!r} is no range; expected vers:SCHEME/CONSTRAINT|...")
    scheme, body = _SCHEMES.get(match[1], match[1]), match[2].strip("|")
    if scheme == "none" and body == "*":
        return Vers("none", ())
    if body == "*":
        return Vers(scheme, (Constraint("*"),))
    parts = body.split("|")
    if len(parts) > CONSTRAINTS_MAX:
        raise Invalid(field, f"more than {CONSTRAINTS_MAX} constraints; split the range")
    return Vers(scheme, tuple(_constraint(part, field) for part in parts))


def _constraint(part: str, field: str) -> Constraint:
    match = _PART.fullmatch(part)
    version = unquote(match[2]) if match else ""
    if match is None or not version.strip():
        raise Invalid(field, f"{part[:80]!r} is no constraint; expected a comparator and a version")
    return Constraint(_COMPARATORS[match[1] or "="], version)
