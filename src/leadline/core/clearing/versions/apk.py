"""Alpine package versions: ``number{.number}{letter{number}}{_suffix{number}}{~hash}{-rnumber}``.

Of two versions that are equal up to the end of one, the longer is greater, unless it goes on with a
suffix before the release (``_alpha _beta _pre _rc``); of two that go on differently, the part named
earlier in the form above is greater. A number after the first that begins with 0 is compared as text,
so ``8.2.0015`` comes before ``8.2.002``. The number after the letter (``6.6.2p1``) is apk-tools 2 only;
nothing that apk-tools 3 admits is ordered otherwise by it. Version 2 orders ``1.00`` before ``1.0``;
here version 3 holds, with ``1.0`` first.
Sources: apk-package(5); `src/version.c` of apk-tools 3.0 and 2.14.
"""

import re

from leadline.core.clearing.versions.encoding import Unparseable, number, text

_BEFORE = ("alpha", "beta", "pre", "rc")
_AFTER = ("cvs", "svn", "git", "hg", "p")
_FORM = re.compile(
    r"([0-9]+)((?:\.[0-9]+)*)([a-z][0-9]*)?"
    rf"((?:_(?:{'|'.join((*_BEFORE, *_AFTER))})[0-9]*)*)(~[0-9a-f]+)?(-r[0-9]+)?"
)
_SUFFIX = re.compile(r"_([a-z]+)([0-9]*)")
# Greater, the earlier in the form; a suffix before the release sorts before the end.
_PRE, _END, _REVISION, _HASH, _SUFFIX_NUMBER, _POST, _LETTER, _NUMBER = (
    bytes([rank]) for rank in range(8)
)
_PADDED, _PLAIN = b"\x00", b"\x01"


def key(version: str) -> bytes:
    """The sort key of an Alpine version.

    Raises: `Unparseable`, for what apk-package(5) does not admit.
    """
    match = _FORM.fullmatch(version)
    if match is None:
        raise Unparseable(
            "apk", version, "expected NUMBER[.NUMBER][LETTER][_SUFFIX][~HASH][-rNUMBER]"
        )
    first, numbers, letter, suffixes, commit, revision = match.groups(default="")
    parts = [number(int(first)), *(_NUMBER + _number(part) for part in numbers.split(".")[1:])]
    if letter:
        parts.append(_LETTER + letter[0].encode())
        if letter[1:]:
            parts.append(_NUMBER + number(int(letter[1:])))
    parts += [_suffix(word, count) for word, count in _SUFFIX.findall(suffixes)]
    if commit:
        parts.append(_HASH + text(commit[1:]))
    if revision:
        parts.append(_REVISION + number(int(revision[2:])))
    return b"".join(parts) + _END


def _number(digits: str) -> bytes:
    return _PADDED + text(digits) if digits[0] == "0" else _PLAIN + number(int(digits))


def _suffix(word: str, count: str) -> bytes:
    before = word in _BEFORE
    rank = bytes([_BEFORE.index(word) if before else _AFTER.index(word)])
    counted = _SUFFIX_NUMBER + number(int(count)) if count else b""
    return (_PRE if before else _POST) + rank + counted
