"""Semantic Versioning 2.0.0, and how npm, Go and Cargo read it.

Build metadata is no part of the order. `semver` allows a leading ``v`` and one to three release
numbers, as published advisories write them (a missing number is 0); ``npm`` asks for three, allows a
leading ``v`` or ``=``, and refuses numbers above 2**53 - 1, as node-semver does. ``golang`` allows a
missing ``v``, as advisories write it, and one or two numbers only where nothing follows them; ``cargo``
asks for three without ``v``, each below 2**64, and takes SemVer's precedence: the order that the crate
gives to build metadata decides no requirement.
Sources: semver.org, version 2.0.0, clauses 2 to 11; node-semver 7 `parse`; golang.org/x/mod/semver; the
crate `semver` 1, `Version::parse` and `cmp_precedence`.
"""

import re

from leadline.core.clearing.versions.encoding import Unparseable, number, text

_LOOSE = re.compile(
    r"v?([0-9]+)(?:\.([0-9]+))?(?:\.([0-9]+))?(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?"
)
_NPM = re.compile(
    r"[v=\s]*(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)"
    r"(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?"
)
_GO = re.compile(
    r"v?(0|[1-9][0-9]*)(?:\.(0|[1-9][0-9]*)(?:\.(0|[1-9][0-9]*)"
    r"(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?)?)?"
)
_CARGO = re.compile(
    r"(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)"
    r"(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?"
)
_CARGO_NUMBER_MAX = 2**64 - 1
_NPM_NUMBER_MAX = 2**53 - 1
_NPM_CHARACTERS_MAX = 256
_END, _NUMBER, _TEXT, _RELEASE = b"\x00", b"\x01", b"\x02", b"\xff"


def key(version: str) -> bytes:
    """The sort key of a semantic version.

    Raises: `Unparseable`, for more than three release numbers, or an empty or zero-padded identifier.
    """
    match = _LOOSE.fullmatch(version)
    if match is None:
        raise Unparseable("semver", version, "expected MAJOR.MINOR.PATCH[-PRERELEASE][+BUILD]")
    release = [int(match[group] or 0) for group in (1, 2, 3)]
    return b"".join(map(number, release)) + _prerelease("semver", version, match[4])


def npm_key(version: str) -> bytes:
    """The sort key of a version as npm orders it.

    Raises: `Unparseable`, where node-semver's strict `parse` gives null.
    """
    match = _NPM.fullmatch(version)
    if match is None or len(version) > _NPM_CHARACTERS_MAX:
        raise Unparseable("npm", version, "expected MAJOR.MINOR.PATCH[-PRERELEASE][+BUILD]")
    release = [int(match[group]) for group in (1, 2, 3)]
    if max(release) > _NPM_NUMBER_MAX:
        raise Unparseable("npm", version, f"a number is above {_NPM_NUMBER_MAX}")
    return b"".join(map(number, release)) + _prerelease("npm", version, match[4])


def go_key(version: str) -> bytes:
    """The sort key of a Go module version.

    Raises: `Unparseable`, where `semver.IsValid` of golang.org/x/mod is false, with or without ``v``.
    """
    match = _GO.fullmatch(version)
    if match is None:
        raise Unparseable("golang", version, "expected vMAJOR[.MINOR[.PATCH[-PRERELEASE][+BUILD]]]")
    release = [int(match[group] or 0) for group in (1, 2, 3)]
    return b"".join(map(number, release)) + _prerelease("golang", version, match[4])


def cargo_key(version: str) -> bytes:
    """The sort key of a crate's version.

    Raises: `Unparseable`, where `Version::parse` of the crate `semver` gives an error.
    """
    match = _CARGO.fullmatch(version)
    if match is None:
        raise Unparseable("cargo", version, "expected MAJOR.MINOR.PATCH[-PRERELEASE][+BUILD]")
    release = [int(match[group]) for group in (1, 2, 3)]
    if max(release) > _CARGO_NUMBER_MAX:
        raise Unparseable("cargo", version, f"a number is above {_CARGO_NUMBER_MAX}")
    return b"".join(map(number, release)) + _prerelease("cargo", version, match[4])


def _prerelease(scheme: str, version: str, prerelease: str | None) -> bytes:
    """A release sorts after its pre-releases; fewer identifiers sort before more."""
    if prerelease is None:
        return _RELEASE
    parts = [b"\x00"]
    for identifier in prerelease.split("."):
        if not identifier:
            raise Unparseable(scheme, version, "a pre-release identifier is empty")
        if not identifier.isdigit():
            parts.append(_TEXT + text(identifier))
        elif identifier != "0" and identifier.startswith("0"):
            raise Unparseable(scheme, version, f"identifier {identifier!r} is padded with zeros")
        else:
            parts.append(_NUMBER + number(int(identifier)))
    return b"".join(parts) + _END
