"""CSAF 2.0: the products of an advisory as they stand in words, its remedies, and a faithful copy.

`formats.csaf` reads identities and ranges that a program understands; most advisories about devices have
neither. This reader keeps vendor, product name, version text, full name, order numbers, statuses and
remedies as they are, for `core.clearing.assets`. `again` writes a document that was read, with
nothing lost: a value that this reader has no use for is written as it came.
Source: OASIS CSAF 2.0, sections 3.1.2 (branches), 3.1.3 (identification helpers), 3.2.3.9 (product status),
3.2.3.12 (remediations).
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping

from leadline.core.clearing.bulletin import Bulletin, Remedy, Spoken
from leadline.core.errors import Invalid
from leadline.formats.document import load, record, records, text, texts

FORMAT = "csaf_products"
ADVISORY_BYTES_MAX = 64 << 20
BRANCH_DEPTH_MAX = 24
_AFFECTED = ("known_affected", "first_affected", "last_affected")
_FIXED = ("fixed", "first_fixed", "recommended")
_NAMES = ("product_name", "product_family")
_VERSIONS = ("product_version_range", "product_version")

Json = Mapping[str, object]


def parse(data: bytes, name: str = "CSAF") -> Bulletin:
    """Read one document.

    Raises: Invalid, if it is no JSON, not CSAF 2.0, or has no tracking id.
    """
    return read(load(data, name, ADVISORY_BYTES_MAX), name)


def read(document: Json, name: str = "CSAF") -> Bulletin:
    """Read one document that is already loaded.

    Raises: Invalid, if it is not CSAF 2.0 or has no tracking id.
    """
    head = record(document.get("document"))
    version, ident = text(head.get("csaf_version")), text(record(head.get("tracking")).get("id"))
    if version != "2.0":
        raise Invalid(name, f"csaf_version {version!r}; this reader knows 2.0")
    if not ident:
        raise Invalid(name, "no /document/tracking/id")
    flaws = records(document.get("vulnerabilities"))
    publisher = record(head.get("publisher"))
    return Bulletin(
        id=ident,
        title=text(head.get("title")) or ident,
        products=tuple(_products(record(document.get("product_tree")), _statuses(flaws))),
        remedies=_remedies(flaws),
        risk=_noted(head, "summary"),
        publisher=text(publisher.get("name")),
        contact=text(publisher.get("contact_details")),
        url=_page(head),
        cves=tuple(dict.fromkeys(filter(None, (text(flaw.get("cve")) for flaw in flaws)))),
        practices=tuple(_practices(head)),
    )


def again(document: Json) -> bytes:
    """The document as UTF-8 JSON; the same document gives the same bytes, and every value is kept."""
    return (json.dumps(document, indent=2, ensure_ascii=False, sort_keys=True) + "\n").encode()


def _page(head: Json) -> str:
    """The advisory's own page, as its references name it."""
    held = records(head.get("references"))
    own = [one for one in held if one.get("category") == "self"]
    pages = [text(one.get("url")) for one in own if not text(one.get("url")).endswith(".json")]
    return pages[0] if pages else ""


def _noted(holder: Json, category: str) -> str:
    notes = [note for note in records(holder.get("notes")) if note.get("category") == category]
    return next((text(note.get("text")) for note in notes), "")


def _statuses(flaws: list[Json]) -> Mapping[str, dict[str, list[str]]]:
    """For each product id the flaws under each status."""
    held: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for place, flaw in enumerate(flaws):
        label = text(flaw.get("cve")) or f"/vulnerabilities/{place}"
        for status, idents in record(flaw.get("product_status")).items():
            for ident in texts(idents):
                held[ident][status].append(label)
    return held


def _products(tree: Json, statuses: Mapping[str, dict[str, list[str]]]) -> Iterator[Spoken]:
    """Every product of the tree, branches first, then the flat list and the relationships."""
    pending: list[tuple[Json, tuple[tuple[str, str], ...]]] = [(tree, ())]
    while pending:
        branch, path = pending.pop()
        product = record(branch.get("product"))
        if product:
            yield _spoken(product, path, statuses)
        if len(path) < BRANCH_DEPTH_MAX:
            pending += [
                (inner, (*path, (text(inner.get("category")), text(inner.get("name")))))
                for inner in reversed(records(branch.get("branches")))
            ]
    for product in records(tree.get("full_product_names")):
        yield _spoken(product, (), statuses)
    for relation in records(tree.get("relationships")):
        yield _spoken(record(relation.get("full_product_name")), (), statuses)


def _spoken(
    product: Json, path: tuple[tuple[str, str], ...], statuses: Mapping[str, dict[str, list[str]]]
) -> Spoken:
    levels = dict(path)
    ident, title = text(product.get("product_id")), text(product.get("name"))
    helper = record(product.get("product_identification_helper"))
    found = statuses.get(ident, {})
    name = " ".join(levels[kind] for kind in reversed(_NAMES) if levels.get(kind))
    return Spoken(
        id=ident,
        maker=levels.get("vendor", "").strip(),
        name=name.strip() or title,
        said=next((levels[kind] for kind in _VERSIONS if kind in levels), "").strip(),
        title=title,
        codes=(*texts(helper.get("model_numbers")), *texts(helper.get("skus"))),
        affected=tuple(flaw for status in _AFFECTED for flaw in found.get(status, ())),
        fixed=tuple(flaw for status in _FIXED for flaw in found.get(status, ())),
        unaffected=tuple(found.get("known_not_affected", ())),
    )


def _remedies(flaws: list[Json]) -> tuple[Remedy, ...]:
    """The remedies of all flaws, each text once, with every product it is given for."""
    held: dict[tuple[str, str, str], set[str]] = defaultdict(set)
    for flaw in flaws:
        for one in records(flaw.get("remediations")):
            key = (text(one.get("category")), text(one.get("details")), text(one.get("url")))
            held[key].update(texts(one.get("product_ids")))
    return tuple(
        Remedy(category, details, frozenset(idents), url)
        for (category, details, url), idents in held.items()
    )


def _practices(head: Json) -> Iterator[str]:
    """What the publisher advises to everybody, one note each."""
    for note in records(head.get("notes")):
        if note.get("category") == "general" and text(note.get("title")) == "Recommended Practices":
            yield text(note.get("text"))
