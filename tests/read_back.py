"""Small readers of published documents that share no line with what writes them.

Each answers affected, fixed, not_affected, safe (fixed or not affected, where a format has one word for both) or
unknown. Where a document says several things of one release, the most cautious counts; CVE's own rule is the
first entry that holds it.
"""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import unquote

from packaging.version import InvalidVersion, Version

CAUTION = ("affected", "unknown", "safe", "fixed", "not_affected")
# Identifiers of the CVE record format; see formats/cve.py
COLLECTIONS = {"https://pypi.python.org": "pkg:pypi/", "https://registry.npmjs.org": "pkg:npm/"}
ECOSYSTEMS = {"PyPI": "pkg:pypi/", "npm": "pkg:npm/"}


class Unordered(Exception):
    """Two texts that this reader cannot order."""


def compare(package: str, a: str, b: str) -> int:
    """The order of two releases of a package."""
    if package.startswith("pkg:pypi/"):
        try:
            left, right = Version(a), Version(b)
        except InvalidVersion:
            raise Unordered from None
        return (left > right) - (left < right)
    if package.startswith("pkg:npm/"):
        if not all(re.fullmatch(r"\d+\.\d+\.\d+", one) for one in (a, b)):
            raise Unordered
        one, two = ([int(part) for part in held.split(".")] for held in (a, b))
        return (one > two) - (one < two)
    raise Unordered


def inside(package: str, version: str, tests: list[tuple[str, str]]) -> bool:
    """Whether all of ``>=``, ``>``, ``<``, ``<=``, ``=`` hold; what cannot be ordered is not inside."""
    signs: dict[str, Callable[[int], bool]] = {
        ">=": lambda n: n >= 0, ">": lambda n: n > 0, "<": lambda n: n < 0, "<=": lambda n: n <= 0,
        "=": lambda n: n == 0,
    }  # fmt: skip
    return all(signs[sign](compare(package, version, bound)) for sign, bound in tests)


def most_cautious(found: list[str]) -> str:
    """The first of the words in order of caution; unknown without any."""
    return next((word for word in CAUTION if word in found), "unknown")


def csaf(data: bytes, package: str, version: str) -> str:
    """By the product tree and product_status."""
    document = json.loads(data)
    products: dict[str, tuple[str, str]] = {}

    def walk(branch: dict[str, Any]) -> None:
        for inner in branch.get("branches", ()):
            walk(inner)
        if "product" in branch:
            purl = branch["product"]["product_identification_helper"]["purl"]
            kind = "" if branch["category"] == "product_version_range" else "="
            products[branch["product"]["product_id"]] = (
                re.sub("@[^/]*$", "", purl),
                kind + branch["name"],
            )

    walk(document.get("product_tree", {}))
    words = {"known_affected": "affected", "fixed": "fixed", "known_not_affected": "not_affected",
             "under_investigation": "unknown"}  # fmt: skip
    found = []
    for flaw in document.get("vulnerabilities", ()):
        for status, ids in flaw.get("product_status", {}).items():
            for ident in ids:
                named, span = products[ident]
                if named == package and not span.startswith(("vers:", "=")):
                    found.append("unknown")  # bounds in words
                elif named == package and _in_vers(package, version, span):
                    found.append(words[status])
    return most_cautious(found)


def _in_vers(package: str, version: str, span: str) -> bool:
    if span == "vers:all/*":
        return True
    body = span if span.startswith("=") else unquote(span.partition("/")[2])
    body = body if body[0] in "<>=" else f"={body}"
    tests = [(m[1], m[2]) for m in re.finditer(r"(>=|<=|>|<|=)([^|]+)", body)]
    held = _holds(package, version, tests)
    return body == f"={version}" if held is None else held


def openvex(data: bytes, package: str, version: str) -> str:
    """By exact Package-URL."""
    found = []
    for statement in json.loads(data)["statements"] if data else ():
        names = {product["@id"] for product in statement["products"]}
        if package in names or f"{package}@{version}" in names:
            found.append(
                {"under_investigation": "unknown"}.get(statement["status"], statement["status"])
            )
    return most_cautious(found)


def cve(data: bytes, package: str, version: str) -> str:
    """By the algorithm in the schema, for each product entry."""
    found = []
    for product in json.loads(data)["containers"]["cna"].get("affected", ()):
        named = COLLECTIONS.get(product.get("collectionURL", ""), "?") + product.get(
            "packageName", ""
        )
        if named == package.replace("%40", "@"):
            found.append(_cve_status(product, package, version))
    return most_cautious(found)


def _cve_status(product: dict[str, Any], package: str, version: str) -> str:
    words = {"affected": "affected", "unaffected": "safe", "unknown": "unknown"}
    for entry in product.get("versions", ()):
        tests = [] if entry["version"] == "0" else [(">=", entry["version"])]
        if "lessThanOrEqual" in entry:
            tests.append(("<=", entry["lessThanOrEqual"]))
        elif entry["lessThan"] != "*":
            tests.append(("<", entry["lessThan"]))
        held = _holds(package, version, tests)
        if held is not False:
            return words[entry["status"]] if held else "unknown"
    if not _orderable(package, version):
        return "unknown"
    return words[product.get("defaultStatus", "unknown")]


def osv(data: bytes, package: str, version: str) -> str:
    """By the evaluation in the OSV schema: ranges or list; a package that is not there is unknown."""
    document = json.loads(data)
    found = []
    for entry in () if "withdrawn" in document else document["affected"]:
        held = entry["package"]
        if ECOSYSTEMS.get(held["ecosystem"], "?") + held["name"] != package.replace("%40", "@"):
            continue
        hits = [version in entry.get("versions", ())]
        hits += [_osv_range(package, version, events) for events in _events(entry)]
        if True in hits:
            found.append("affected")
        else:
            found.append("safe" if _orderable(package, version) else "unknown")
    return most_cautious(found)


def _events(entry: dict[str, Any]) -> Iterator[list[dict[str, str]]]:
    for held in entry.get("ranges", ()):
        yield held["events"]


def _osv_range(package: str, version: str, events: list[dict[str, str]]) -> bool:
    tests = []
    for event in events:
        ((kind, bound),) = event.items()
        if kind != "introduced":
            tests.append(("<=" if kind == "last_affected" else "<", bound))
        elif bound != "0":
            tests.append((">=", bound))
    return _holds(package, version, tests) is True


def _holds(package: str, version: str, tests: list[tuple[str, str]]) -> bool | None:
    """As `inside`; None for what cannot be ordered."""
    try:
        found: bool | None = inside(package, version, tests)
    except Unordered:
        found = None
    return found


def _orderable(package: str, version: str) -> bool:
    return _holds(package, version, [("=", version)]) is True
