"""Makers of findings, advisories and inventories for tests of the clearing side."""

from datetime import UTC, datetime
from typing import Any

from hypothesis import settings

from leadline.core.clearing.advisory import Advisory, Flaw, Revision, Statement
from leadline.core.clearing.finding import Finding
from leadline.core.clearing.notice import Sector
from leadline.core.clearing.product import (
    Component,
    Interval,
    Inventory,
    Operator,
    Releases,
    package,
)
from leadline.core.marking import Tlp

unhurried = settings(deadline=None)  # a busy machine is no failure
AT = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
UJSON = package("pypi", "", "ujson")
OPERATOR = Operator("o", "Sample Operator (fictional)", "health", "Ask your IT.", sample=True)
SECTOR = Sector("health", "Health care", "Mind the ward.", "Ask the maker.")


def finding(**fields: Any) -> Finding:
    """A confirmed overflow in bsdiff4 1.1.9, found by a tool."""
    held: dict[str, Any] = {
        "origin": "tool",
        "found_by": "libFuzzer 14 (tool baseline)",
        "suite": "registry",
        "item": "item-1",
        "run": "run-1",
        "family": "memory",
        "title": "heap-buffer-overflow",
        "purl": "pkg:pypi/bsdiff4@1.1.9",
        "target_digest": "aa",
        "proof_sha256": "b" * 64,
        "observation": "heap-buffer-overflow in patch",
        "at": AT,
        "cwe": "CWE-787",
        "ids": ("CVE-2020-15904",),
    }
    return Finding(**(held | fields))


def statement(**fields: Any) -> Statement:
    """Ujson from 2 up to 5.2.0 is affected, and that is all of it."""
    held: dict[str, Any] = {
        "package": UJSON,
        "affected": Releases((Interval("2.0", "5.2.0"),)),
        "fixed": Releases(listed=("5.2.0",)),
        "complete": True,
    }
    return Statement(**(held | fields))


def advisory(*statements: Statement, **fields: Any) -> Advisory:
    """One flaw with *statements*."""
    flaw = Flaw(
        ids=("CVE-2021-45958",),
        title="Overflow in ujson",
        description="A crafted object overruns a buffer.",
        statements=statements or (statement(),),
        cwe="CWE-787",
        remedy="Replace ujson by 5.2.0 or a later release.",
    )
    held: dict[str, Any] = {
        "id": "ADV-1",
        "title": "Overflow in ujson",
        "flaws": (flaw,),
        "revisions": (Revision("1", AT, "First draft."),),
        "tlp": Tlp.CLEAR,
    }
    return Advisory(**(held | fields))


def ujson(version: str, ref: str = "1", **fields: Any) -> Component:
    """A release of ujson in an inventory."""
    return Component(ref, "ujson", version, UJSON, **fields)


def inventory(*components: Component) -> Inventory:
    """These components, without faults."""
    return Inventory(components)
