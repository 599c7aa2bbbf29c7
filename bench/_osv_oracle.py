"""Which advisories an OSV evaluation by univers calls affected: the oracle of `bench/match.py`.

It reads the documents by itself and walks the events as the OSV schema's pseudo-code does, comparing with
univers, which the product never imports. A version that univers cannot read is affected only where it is
listed, letter by letter.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from packaging.utils import canonicalize_name
from univers.versions import InvalidVersion, PypiVersion, SemverVersion, Version

_SCHEMES = {"PyPI": PypiVersion, "Go": SemverVersion}
Found = Version | None


@lru_cache(maxsize=200_000)
def _version(ecosystem: str, text: str) -> Found:
    try:
        return _SCHEMES[ecosystem](text)
    except InvalidVersion:
        return None


class Oracle:
    """The documents by package."""

    def __init__(self, documents: Iterable[Mapping[str, Any]]) -> None:
        self._entries: dict[str, list[tuple[int, str, Mapping[str, Any]]]] = {}
        self._answers: dict[tuple[str, str], set[int]] = {}
        for number, document in enumerate(documents):
            if "withdrawn" in document:
                continue
            for entry in document["affected"]:
                ecosystem, name = entry["package"]["ecosystem"], entry["package"]["name"]
                held = (number, ecosystem, entry)
                self._entries.setdefault(_purl(ecosystem, name), []).append(held)

    def affected(self, package: str, version: str) -> set[int]:
        """The numbers of the documents that say so of this release."""
        known = self._answers.get((package, version))
        if known is None:
            known = self._answers[package, version] = {
                number
                for number, ecosystem, entry in self._entries.get(package, ())
                if _hits(ecosystem, entry, version)
            }
        return known


def _purl(ecosystem: str, name: str) -> str:
    return f"pkg:pypi/{canonicalize_name(name)}" if ecosystem == "PyPI" else f"pkg:golang/{name}"


def _hits(ecosystem: str, entry: Mapping[str, Any], text: str) -> bool:
    listed = entry.get("versions", ())
    asked = _version(ecosystem, text)
    if text in listed:
        return True
    if asked is None:
        return False
    if any(asked == other for held in listed if (other := _version(ecosystem, held)) is not None):
        return True
    kinds = {"ECOSYSTEM", "SEMVER"}
    ranges = (held for held in entry.get("ranges", ()) if held["type"] in kinds)
    return any(_inside(ecosystem, held["events"], asked) for held in ranges)


def _inside(ecosystem: str, events: Sequence[Mapping[str, str]], asked: Version) -> bool:
    """OSV's evaluation: walk the events in order and keep what the last one passed says.

    Of a range with an event that has no order, and of a release that both ends and begins a stretch,
    the schema says nothing; nobody calls them affected then.
    """
    held = [(kind, text) for event in events for kind, text in event.items()]
    stated = [(kind, text) for kind, text in held if text != "0"]
    rest = [
        (kind, version)
        for kind, text in stated
        if (version := _version(ecosystem, text)) is not None
    ]
    if len(rest) < len(stated):
        return False
    if {kind == "introduced" for kind, version in rest if version == asked} == {True, False}:
        return False
    vulnerable = ("introduced", "0") in held
    for kind, version in sorted(rest, key=lambda one: (one[1], one[0] == "introduced")):
        if asked > version if kind == "last_affected" else asked >= version:
            vulnerable = kind == "introduced"
    return vulnerable
