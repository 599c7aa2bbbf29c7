"""RubyGems versions: segments of digits or letters.

A version counts as going on with zeros without end, and a word sorts before every number, 0 included:
``1.a`` comes before ``1``, and ``1.a.0.b`` before ``1.a``. So a run of zeros cannot be encoded alone:
its weight depends on what ends it. A hyphen is written for ``.pre.``; zeros before the first word and
at the end do not count; case counts.
Source: `Gem::Version` of RubyGems 3, its pattern, `canonical_segments` and ``<=>``.
"""

import re

from leadline.core.clearing.versions.encoding import Unparseable, number, text

_FORM = re.compile(r"[0-9]+(?:\.[0-9a-zA-Z]+)*(?:-[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?")
_SEGMENTS = re.compile(r"[0-9]+|[a-zA-Z]+")
_WORD, _END, _NUMBER = b"\x01", b"\x02", b"\x03"
_ZEROS_MAX = 0xFFFF


def key(version: str) -> bytes:
    """The sort key of a RubyGems version.

    Raises: `Unparseable`, where `Gem::Version.correct?` says no.
    """
    if _FORM.fullmatch(version) is None:
        raise Unparseable("gem", version, "expected NUMBER[.SEGMENT]...[-PRERELEASE]")
    encoded: list[bytes] = []
    zeros, words = 0, False
    for segment in _SEGMENTS.findall(version.replace("-", ".pre.")):
        if not segment.isdigit():
            kept = zeros if words else 0
            encoded.append(_WORD + kept.to_bytes(2, "big") + text(segment))
            zeros, words = 0, True
        elif int(segment) == 0:
            zeros += 1
        else:
            encoded.append(_NUMBER + (_ZEROS_MAX - zeros).to_bytes(2, "big") + number(int(segment)))
            zeros = 0
    return b"".join(encoded) + _END
