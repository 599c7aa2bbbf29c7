"""What else a component is called: its distribution's source package, and where it is installed.

A distribution builds several binary packages from one source, and its advisories name the source. Only
what the inventory itself states is used; a source that is not stated is not guessed.
Sources: Package-URL type definitions of apk, deb and rpm; the qualifiers ``upstream`` and ``distro`` as
inventory tools write them; release names from debian.org and ubuntu.com.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from leadline.core.clearing.product import Name, Naming, Package, Release, package, release_of
from leadline.core.clearing.purl import (
    CHARACTERS_MAX,
    SIMPLE,
    VERSION_RULES,
    Purl,
    make,
    parse,
)
from leadline.core.errors import Invalid

DISTRIBUTED = frozenset({"apk", "deb", "rpm"})
_NUMBERS = re.compile(r"(?<![0-9])([0-9]+)(?:\.([0-9]+))?")
_SOURCE_RPM = re.compile(r"(.+)-([^-]+-[^-]+?)(?:\.(?:no)?src\.rpm)?")
_CODENAMES = {
    "stretch": "9", "buster": "10", "bullseye": "11", "bookworm": "12", "trixie": "13",
    "bionic": "18.04", "focal": "20.04", "jammy": "22.04", "noble": "24.04",
}  # fmt: skip
_WITH_MINOR = frozenset({"alpine", "ubuntu", "wolfi", "chainguard"})


@dataclass(frozen=True, slots=True)
class Identity:
    """All that a Package-URL says: the release, where it is installed, and what else it is called."""

    release: Release
    branch: str = ""
    names: tuple[Name, ...] = ()


@lru_cache(maxsize=65_536)
def identify(text: str) -> Identity:
    """Read a Package-URL.

    Raises: Invalid, naming what the specification asks for.
    """
    simple = SIMPLE.fullmatch(text) if len(text) <= CHARACTERS_MAX else None
    if simple is not None and simple[1] not in VERSION_RULES:
        return Identity(Release(_plain_package(*simple.group(1, 2, 3)), simple[4] or ""))
    parsed = parse(text)
    return Identity(release_of(parsed), branch_of(parsed), names_of(parsed))


@lru_cache(maxsize=65_536)
def _plain_package(kind: str, namespace: str, name: str) -> Package:
    return release_of(make(kind, namespace, name)).package


def cpe_name(text: str) -> Name | None:
    """The candidate that a CPE 2.2 or 2.3 name is; None if it names no product.

    Source: NISTIR 7695, 6.1 and 6.2.
    """
    if text.startswith("cpe:2.3:"):
        parts = re.split(r"(?<!\\):", text[len("cpe:2.3:") :])
    elif text.startswith("cpe:/"):
        parts = text[len("cpe:/") :].split(":")
    else:
        return None
    vendor, product, version = ([*parts, "", "", ""])[1:4]
    if product.strip("*-") == "":
        return None
    held = Package("cpe", vendor.lower(), product.replace("\\", "").lower())
    stated = "" if version in {"*", "-"} else version.replace("\\", "")
    return Name(held, stated, Naming.POSSIBLE, f"its CPE names {held.namespace} {held.name}")


def branch(distribution: str, words: str) -> str:
    """The release of a distribution, such as ``12`` or ``22.04``; empty if *words* name none.

    Distributions that keep one line of packages for a whole major release have its number alone.
    """
    lowered = words.lower()
    found = next((number for code, number in _CODENAMES.items() if code in lowered), lowered)
    numbers = _NUMBERS.search(found)
    if numbers is None:
        return ""
    minor = numbers[2] if distribution in _WITH_MINOR else None
    return f"{numbers[1]}.{minor}" if minor else numbers[1]


def branch_of(parsed: Purl) -> str:
    """The release of the distribution that a Package-URL names."""
    if not parsed.qualifiers or parsed.type not in DISTRIBUTED:
        return ""
    return branch(parsed.namespace, parsed.qualifier("distro"))


def names_of(parsed: Purl) -> tuple[Name, ...]:
    """The source package that a binary one says it was built from, if it has another name."""
    if not parsed.qualifiers or parsed.type not in DISTRIBUTED:
        return ()
    stated = parsed.qualifier("upstream")
    if not stated:
        return ()
    source, version = _source(parsed.type, stated)
    own = release_of(parsed)
    try:
        held = package(parsed.type, parsed.namespace, source)
    except Invalid:
        held = own.package  # a source that is no name is none
    ground = f"{parsed.namespace or 'the distribution'} builds {parsed.name} from {source}"
    if held == own.package:
        return ()
    return (Name(held, version or own.version, Naming.MAPPED, ground),)


def _source(kind: str, stated: str) -> tuple[str, str]:
    """Name and, where it is given, version of a source package."""
    if kind == "rpm":
        found = _SOURCE_RPM.fullmatch(stated)
        return (found[1], found[2]) if found else (stated, "")
    name, _, version = stated.partition("@")
    return name, version
