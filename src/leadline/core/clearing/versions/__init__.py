"""The order of package versions, scheme by scheme, as byte strings.

`key(scheme, version)` gives bytes whose plain order (memcmp) is the scheme's order; versions that the
scheme holds equal get equal keys, so numpy, SQLite and PostgreSQL can sort and join on them unchanged.
Invariant: a version that cannot be ordered raises `Unparseable`; nothing is guessed, so a caller can
never read "not affected" out of a version that nobody understood.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Literal

from leadline.core.clearing.versions import (
    apk,
    composer,
    deb,
    gem,
    maven,
    nuget,
    pypi,
    rpm,
    semver,
)
from leadline.core.clearing.versions.encoding import Unparseable, Unsupported

__all__ = [
    "KNOWN",
    "VERSION_CHARACTERS_MAX",
    "Unparseable",
    "Unsupported",
    "compare",
    "key",
    "range_key",
]

KNOWN = (
    "pypi", "npm", "semver", "golang", "cargo", "nuget",
    "gem", "deb", "rpm", "maven", "composer", "apk",
)  # fmt: skip
VERSION_CHARACTERS_MAX = 512

_KEYS: Mapping[str, Callable[[str], bytes]] = {
    "pypi": pypi.key,
    "npm": semver.npm_key,
    "semver": semver.key,
    "golang": semver.go_key,
    "cargo": semver.cargo_key,
    "nuget": nuget.key,
    "gem": gem.key,
    "deb": deb.key,
    "rpm": rpm.key,
    "maven": maven.key,
    "composer": composer.key,
    "apk": apk.key,
}
_RANGE_KEYS = {**_KEYS, "composer": composer.range_key}
# Where the scheme's own tools disagree on a pair, it is not ordered, although each has a key.
_SETTLED: Mapping[str, Callable[[str, str], None]] = {
    "maven": maven.settle,
    "composer": composer.settle,
}


@lru_cache(maxsize=65_536)
def key(scheme: str, version: str) -> bytes:
    """The sort key of *version* under *scheme*; surrounding white space does not count.

    Raises: `Unsupported`, if the scheme has no order here; `Unparseable`, if the version has none.
    """
    return _encoded(_KEYS, scheme, version)


@lru_cache(maxsize=65_536)
def range_key(scheme: str, version: str) -> bytes:
    """The key by which ranges are judged: as `key`, but by the scheme's resolver where that differs.

    Only `composer` differs: see there. Keys of the two functions are never compared with each other.
    Raises: as `key` does.
    """
    return _encoded(_RANGE_KEYS, scheme, version)


def _encoded(keys: Mapping[str, Callable[[str], bytes]], scheme: str, version: str) -> bytes:
    encode = keys.get(scheme)
    if encode is None:
        raise Unsupported(scheme, KNOWN)
    text = version.strip()
    if not text:
        raise Unparseable(scheme, version, "it is empty")
    if len(text) > VERSION_CHARACTERS_MAX:
        raise Unparseable(scheme, text[:40], f"longer than {VERSION_CHARACTERS_MAX} characters")
    return encode(text)


def compare(scheme: str, a: str, b: str) -> Literal[-1, 0, 1]:
    """-1 if *a* comes before *b*, 0 if the scheme holds them equal, 1 if it comes after.

    Raises: `Unsupported` and `Unparseable`, as `key` does, and `Unparseable` for a pair on which the
    scheme's own tools disagree (`maven`, `composer`).
    """
    left, right = key(scheme, a), key(scheme, b)
    if scheme in _SETTLED:
        _SETTLED[scheme](a.strip(), b.strip())
    if left == right:
        return 0
    return -1 if left < right else 1
