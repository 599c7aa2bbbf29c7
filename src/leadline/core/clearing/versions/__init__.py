"""The order of package versions, scheme by scheme, as byte strings.

`key(scheme, version)` gives bytes whose plain order (memcmp) is the scheme's order; versions that the
scheme holds equal get equal keys, so numpy, SQLite and PostgreSQL can sort and join on them unchanged.
Invariant: a version that cannot be ordered raises `Unparseable`; nothing is guessed, so a caller can
never read "not affected" out of a version that nobody understood.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Literal

from leadline.core.clearing.versions import deb, pypi, semver
from leadline.core.clearing.versions.encoding import Unparseable, Unsupported

__all__ = ["KNOWN", "VERSION_CHARACTERS_MAX", "Unparseable", "Unsupported", "compare", "key"]

KNOWN = (
    "pypi", "npm", "semver", "golang", "cargo", "nuget",
    "gem", "deb", "rpm", "maven", "composer", "apk",
)  # fmt: skip
VERSION_CHARACTERS_MAX = 512

_KEYS: Mapping[str, Callable[[str], bytes]] = {
    "pypi": pypi.key,
    "npm": semver.npm_key,
    "semver": semver.key,
    "deb": deb.key,
}


@lru_cache(maxsize=65_536)
def key(scheme: str, version: str) -> bytes:
    """The sort key of *version* under *scheme*; surrounding white space does not count.

    Raises: `Unsupported`, if the scheme has no order here; `Unparseable`, if the version has none.
    """
    encode = _KEYS.get(scheme)
    if encode is None:
        raise Unsupported(scheme, KNOWN, tuple(_KEYS))
    text = version.strip()
    if not text:
        raise Unparseable(scheme, version, "it is empty")
    if len(text) > VERSION_CHARACTERS_MAX:
        raise Unparseable(scheme, text[:40], f"longer than {VERSION_CHARACTERS_MAX} characters")
    return encode(text)


def compare(scheme: str, a: str, b: str) -> Literal[-1, 0, 1]:
    """-1 if *a* comes before *b*, 0 if the scheme holds them equal, 1 if it comes after.

    Raises: `Unsupported` and `Unparseable`, as `key` does.
    """
    left, right = key(scheme, a), key(scheme, b)
    if left == right:
        return 0
    return -1 if left < right else 1
