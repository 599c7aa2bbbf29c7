"""CSAF 2.0 out: an advisory as `csaf_security_advisory`.

A document never holds a proof or says more of who or what found the flaw than the advisory does. CSAF 2.0
knows TLP 1 only, so a label becomes the stricter one and the exact one stands in words. A withdrawn
advisory becomes `csaf_informational_advisory`, which names no product: version 2.0 has no other word for it.
Source: OASIS CSAF 2.0 (2022-11-18), sections 3, 4 and 5.1.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote

from leadline.core.clearing.advisory import BECAUSE, Advisory, Flaw, Statement
from leadline.core.clearing.product import Interval, Package, Releases
from leadline.core.clearing.versions.ranges import order
from leadline.core.clearing.weakness import NAMES
from leadline.formats import scoring

FOUND_BY = "How this was found"
WITHDRAWN = "Withdrawn"
_PLAIN = "#$&'()+,/:;?@[]^`{}~"  # signs of a version that have no meaning in a range
Json = dict[str, object]


def file_name(advisory: Advisory) -> str:
    """The name the standard prescribes (section 5.1): the id in lower case, odd signs as ``_``."""
    return re.sub(r"[^+\-a-z0-9]+", "_", advisory.id.lower()) + ".json"


def render(advisory: Advisory) -> bytes:
    """The document as UTF-8 JSON; the same advisory gives the same bytes.

    Raises: Invalid, for a CVSS vector that is none.
    """
    return dump(_withdrawn(advisory) if advisory.withdrawn else _document(advisory))


def dump(document: Json) -> bytes:
    """Every document of a feed is laid out like this: sorted keys, two blanks, one last newline."""
    return (json.dumps(document, indent=2, ensure_ascii=False, sort_keys=True) + "\n").encode()


def stamp(moment: datetime) -> str:
    """RFC 3339 in UTC, to the second."""
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


@dataclass(frozen=True, slots=True)
class _Product:
    """One entry of the product tree: a release, or a range of releases, of one package."""

    id: str
    statement: Statement
    status: str
    version: str = ""
    range: str = ""

    @property
    def package(self) -> Package:
        """The package whose releases these are."""
        return self.statement.package

    @property
    def name(self) -> str:
        """What readers see."""
        return f"{self.package.name} {self.version or self.range}"


def _document(advisory: Advisory) -> Json:
    products = list(_products(advisory))
    document: Json = {"document": _head(advisory)}
    if products:
        document["product_tree"] = {"branches": _branches(products)}
    if advisory.flaws:
        document["vulnerabilities"] = [
            _vulnerability(flaw, [held for number, held in products if number == position])
            for position, flaw in enumerate(advisory.flaws)
        ]
    return document


def _withdrawn(advisory: Advisory) -> Json:
    """What remains of a withdrawn advisory: its head, that it is withdrawn, and why."""
    head = _head(advisory)
    head["category"] = "csaf_informational_advisory"
    head["title"] = f"{WITHDRAWN}: {advisory.title}"
    head["references"] = [
        *_references(advisory),
        {"category": "external", "summary": "The publisher", "url": advisory.namespace},
    ]
    return {"document": head}


def _head(advisory: Advisory) -> Json:
    first, last = advisory.revisions[0], advisory.revisions[-1]
    head: Json = {
        "category": "csaf_security_advisory",
        "csaf_version": "2.0",
        "distribution": {
            "text": f"Marked {advisory.tlp.value} (TLP 2.0). CSAF 2.0 states it as the stricter label of TLP 1.",
            "tlp": {"label": advisory.tlp.word_1, "url": "https://www.first.org/tlp/"},
        },
        "lang": "en",
        "notes": _notes(advisory),
        "publisher": {
            "category": "coordinator",
            "name": advisory.publisher,
            "namespace": advisory.namespace,
        },
        "title": advisory.title,
        "tracking": {
            "current_release_date": stamp(last.at),
            "id": advisory.id,
            "initial_release_date": stamp(first.at),
            "revision_history": [
                {"date": stamp(held.at), "number": held.number, "summary": held.summary}
                for held in advisory.revisions
            ],
            "status": advisory.status,
            "version": last.number,
        },
    }
    if advisory.references:
        head["references"] = _references(advisory)
    if advisory.credits:
        head["acknowledgments"] = [
            {"names": [held.name], "summary": held.kind}
            | ({"organization": held.organisation} if held.organisation else {})
            for held in advisory.credits
        ]
    return head


def _notes(advisory: Advisory) -> list[Json]:
    notes: list[Json] = [{"category": "summary", "text": advisory.title, "title": "Summary"}]
    if advisory.withdrawn:
        why = advisory.revisions[-1].summary
        notes.append({"category": "general", "text": why, "title": WITHDRAWN})
    if advisory.found_by:
        notes.append({"category": "general", "text": advisory.found_by, "title": FOUND_BY})
    notes += [{"category": "general", "text": note} for note in advisory.notes]
    return notes


def _references(advisory: Advisory) -> list[Json]:
    return [
        {"category": "external", "summary": held.summary, "url": held.url}
        for held in advisory.references
    ]


def _products(advisory: Advisory) -> Iterator[tuple[int, _Product]]:
    """The products of each flaw, with the flaw's position; ids count through the document."""
    count = 0
    for position, flaw in enumerate(advisory.flaws):
        for statement in flaw.statements:
            for status, releases in _sets(statement):
                entries = [("", vers(statement.order, held)) for held in releases.intervals]
                entries += [(version, "") for version in releases.listed]
                for version, span in entries:
                    count += 1
                    ident = f"CSAFPID-{count:04d}"
                    yield position, _Product(ident, statement, status, version, span)


def _sets(statement: Statement) -> tuple[tuple[str, Releases], ...]:
    left_open = not statement.complete or statement.doubts
    untested = statement.untested
    if left_open and statement.affected.intervals and not untested:
        # Or a reader of the ranges would take every release outside them for not affected.
        untested = Releases((Interval(),))
    return (
        ("known_affected", statement.affected),
        ("fixed", statement.fixed),
        ("known_not_affected", statement.not_affected),
        ("under_investigation", untested),
    )


def vers(scheme: str, interval: Interval) -> str:
    """The interval as a version range specifier.

    Ends that contradict each other are written as bounds in words: in a specifier they would be a union.
    """
    low, high = interval.low, interval.high
    if not low and not high:
        return "vers:all/*"
    signs = ">=" if interval.low_included else ">", "<=" if interval.high_included else "<"
    place = order(scheme, low, high) if low and high else -1
    if low == high and signs == (">=", "<="):
        return f"vers:{scheme}/{quote(low, _PLAIN)}"
    if isinstance(place, int) and place >= 0:
        return f"{signs[0]} {low} {signs[1]} {high}"
    ends = [sign + quote(end, _PLAIN) for sign, end in zip(signs, (low, high), strict=True) if end]
    return f"vers:{scheme}/{'|'.join(ends)}"


def _branches(products: Iterable[tuple[int, _Product]]) -> list[Json]:
    """Vendor, product, release: the vendor is the registry's namespace, or the registry itself."""
    tree: dict[str, dict[Package, list[Json]]] = defaultdict(lambda: defaultdict(list))
    for _, product in products:
        vendor = product.package.namespace or f"{product.package.type} registry"
        tree[vendor][product.package].append(_leaf(product))
    return [
        {
            "category": "vendor",
            "name": vendor,
            "branches": [
                {"category": "product_name", "name": held.name, "branches": leaves}
                for held, leaves in packages.items()
            ],
        }
        for vendor, packages in tree.items()
    ]


def _leaf(product: _Product) -> Json:
    return {
        "category": "product_version" if product.version else "product_version_range",
        "name": product.version or product.range,
        "product": {
            "name": product.name,
            "product_id": product.id,
            "product_identification_helper": {"purl": product.package.purl(product.version)},
        },
    }


def _vulnerability(flaw: Flaw, products: list[_Product]) -> Json:
    statuses: dict[str, list[str]] = defaultdict(list)
    for product in products:
        statuses[product.status].append(product.id)
    notes: list[Json] = [
        {"category": "description", "text": flaw.description, "title": "Description"}
    ]
    # CSAF 2.0 has no place for the assessor, nor for vectors of CVSS 4.
    notes += [
        {"category": "details", "text": f"{held.vector}, by {held.by}", "title": "CVSS assessment"}
        for held in flaw.scores
    ]
    entry: Json = {"notes": notes, "title": flaw.title}
    if flaw.cve:
        entry["cve"] = flaw.cve
    if flaw.cwe in NAMES:
        entry["cwe"] = {"id": flaw.cwe, "name": NAMES[flaw.cwe]}
    others = [name for name in flaw.ids if name != flaw.cve]
    if others:
        entry["ids"] = [{"system_name": name.partition("-")[0], "text": name} for name in others]
    concerned = statuses["known_affected"] or statuses["fixed"]
    if concerned:
        entry["remediations"] = _remediations(flaw, concerned)
    if statuses["known_affected"] and flaw.scores:
        entry["scores"] = _scores(flaw, statuses["known_affected"])
    flags = _flags(products)
    if flags:
        entry["flags"] = flags
    stated = {status: ids for status, ids in statuses.items() if ids}
    return entry | ({"product_status": stated} if stated else {})


def _remediations(flaw: Flaw, concerned: list[str]) -> list[Json]:
    found: list[Json] = [
        {
            "category": "vendor_fix" if flaw.remedy else "none_available",
            "details": flaw.remedy or "No fixed release is named by the publisher.",
            "product_ids": concerned,
        }
    ]
    if flaw.workaround:
        found.append(
            {"category": "workaround", "details": flaw.workaround, "product_ids": concerned}
        )
    return found


def _scores(flaw: Flaw, products: list[str]) -> list[Json]:
    """At most one score of each version and product (test 6.1.7); version 4 has no place in 2.0."""
    found: dict[str, Json] = {}
    for score in flaw.scores:
        held = scoring.read(score.vector)
        if held.field in {"cvss_v2", "cvss_v3"} and held.field not in found:
            found[held.field] = {held.field: held.document, "products": products}
    return list(found.values())


def _flags(products: Iterable[_Product]) -> list[Json]:
    """Why products are not affected, by reason."""
    reasons: dict[str, list[str]] = defaultdict(list)
    for product in products:
        if product.status == "known_not_affected" and product.statement.because in BECAUSE:
            reasons[product.statement.because].append(product.id)
    return [{"label": label, "product_ids": ids} for label, ids in reasons.items()]
