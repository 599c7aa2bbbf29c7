"""An advisory about devices as its publisher wrote it: products in words, and what to do.

The words are kept as they stand, because every judgement quotes them.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Spoken:
    """One product of an advisory: who makes it, its name, and what is said of its versions.

    *said* is the version or range as the tree gives it, *title* the full product name, *codes* the
    order numbers given for it. *affected*, *fixed* and *unaffected* are the flaws' CVE ids (or places)
    under which it stands with that status.
    """

    id: str
    maker: str
    name: str
    said: str
    title: str
    codes: tuple[str, ...] = ()
    affected: tuple[str, ...] = ()
    fixed: tuple[str, ...] = ()
    unaffected: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Remedy:
    """What the publisher advises: *category* as in CSAF (vendor_fix, mitigation, workaround, ...)."""

    category: str
    text: str
    products: frozenset[str]
    url: str = ""


@dataclass(frozen=True, slots=True)
class Bulletin:
    """One advisory about devices.

    *risk* is its own summary of what an attacker could do, *practices* what it advises to everybody,
    *cves* the flaws it speaks of.
    """

    id: str
    title: str
    products: tuple[Spoken, ...]
    remedies: tuple[Remedy, ...] = ()
    risk: str = ""
    publisher: str = ""
    contact: str = ""
    url: str = ""
    cves: tuple[str, ...] = ()
    practices: tuple[str, ...] = ()
