"""CSAF 2.0 documents, checked and read; `csaf_out` renders them.

`faults` runs the published schema; the standard's mandatory tests are `mandatory_faults`, which needs the
extra ``server``.

Reading is tolerant, because published documents are not always valid: what cannot be understood stays
as a doubt in its statement, so that matching answers unknown.
Source: OASIS CSAF 2.0 (2022-11-18); the version range specifier "vers" of the Package-URL project.
"""

import logging
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal

from leadline.core.clearing.advisory import Advisory, Flaw, Reference, Revision, Statement
from leadline.core.clearing.product import NONE, Fault, Interval, Package, Releases, parse_purl
from leadline.core.clearing.versions.ranges import releases
from leadline.core.errors import Invalid, Unavailable
from leadline.core.marking import read_tlp
from leadline.formats import schemas, vers
from leadline.formats.csaf_out import FOUND_BY, file_name, render
from leadline.formats.document import items, load, record, records, text, texts

__all__ = ["file_name", "render"]

FORMAT = "csaf"
ADVISORY_BYTES_MAX = 64 << 20
BRANCH_DEPTH_MAX = 24  # two levels of JSON each; `document` takes 64
_STATUSES: Mapping[str, Literal["affected", "fixed", "not_affected", "untested"]] = {
    "known_affected": "affected",
    "first_affected": "affected",
    "last_affected": "affected",
    "fixed": "fixed",
    "first_fixed": "fixed",
    "known_not_affected": "not_affected",
    "under_investigation": "untested",
}
_CONSTRAINT = re.compile(r"(>=|<=|>|<|=)?\s*([^\s<>=|,;]+)")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def faults(data: bytes) -> tuple[Fault, ...]:
    """What the published schema finds wrong; empty for a document that follows it.

    Raises: Invalid, if the bytes are no JSON object.
    """
    return tuple(schemas.faults("csaf-2.0.json", load(data, "CSAF", ADVISORY_BYTES_MAX)))


def mandatory_faults(data: bytes) -> tuple[Fault, ...]:
    """What the standard's mandatory tests find wrong, every one of them run; includes the schema.

    A test that the checker left out or does not have is itself a fault: the library answers PASS for
    rule ids it does not know, so that silence proves nothing.

    Raises: Invalid, if the bytes are no JSON object; Unavailable, without the extra ``server``.
    """
    document = load(data, "CSAF", ADVISORY_BYTES_MAX)
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    try:
        from csaf.csaf.v20._validator import validate
    except ImportError as error:
        raise Unavailable(f"the CSAF mandatory tests need leadline[server]: {error}") from error
    finally:
        # The library configures the root logger when it is imported; that is not its to do.
        root.handlers[:] = handlers
        root.setLevel(level)
    report = validate(document, preset="mandatory")
    ran = {result.id for result in report.results if not result.skipped}
    found = [
        Fault(held.instance_path or "/", f"{result.id} {result.title}: {held.message}")
        for result in report.results
        for held in result.errors
    ]
    found += _purl_faults(document)
    missing = MANDATORY_TESTS - ran if not found else frozenset()
    return (*found, *(Fault("/", f"test {name} did not run") for name in sorted(missing)))


def _purl_faults(document: Mapping[str, object]) -> list[Fault]:
    """Test 6.1.13 once more: the checker lets some texts pass that are no Package-URL."""
    found: list[Fault] = []
    pending: list[tuple[str, object]] = [("", document.get("product_tree"))]
    while pending:
        place, held = pending.pop()
        if isinstance(held, Mapping):
            pending += [(f"{place}/{key}", inner) for key, inner in held.items()]
        elif isinstance(held, list):
            pending += [(f"{place}/{number}", inner) for number, inner in enumerate(held)]
        elif place.endswith("/product_identification_helper/purl"):
            try:
                parse_purl(text(held))
            except Invalid as error:
                found.append(Fault(f"/product_tree{place}", f"6.1.13 {error.problem}"))
    return found


# Section 6.1 of the standard; the checker runs the parts of 6.1.27 as one.
MANDATORY_TESTS = frozenset({"schema", *(f"6.1.{number}" for number in range(1, 34))})


def recognises(document: Mapping[str, object]) -> bool:
    """Whether *document* says that it is CSAF."""
    return "csaf_version" in record(document.get("document"))


def parse(data: bytes, name: str = "CSAF") -> Advisory:
    """Read one document.

    Raises: Invalid, if it is no JSON, not CSAF 2.0, or has no tracking id.
    """
    return read(load(data, name, ADVISORY_BYTES_MAX), name)


def read(document: Mapping[str, object], name: str = "CSAF") -> Advisory:
    """Read one document that is already loaded.

    Raises: Invalid, if it is not CSAF 2.0 or has no tracking id.
    """
    head = record(document.get("document"))
    version = text(head.get("csaf_version"))
    if version != "2.0":
        raise Invalid(name, f"csaf_version {version!r}; this reader knows 2.0")
    tracking = record(head.get("tracking"))
    ident = text(tracking.get("id"))
    if not ident:
        raise Invalid(name, "no /document/tracking/id")
    publisher = record(head.get("publisher"))
    products = dict(_named(record(document.get("product_tree"))))
    label = text(record(record(head.get("distribution")).get("tlp")).get("label"))
    return Advisory(
        id=ident,
        title=text(head.get("title")) or ident,
        flaws=tuple(_flaw(entry, products) for entry in records(document.get("vulnerabilities"))),
        revisions=_revisions(tracking),
        tlp=read_tlp(label),
        status=_status(text(tracking.get("status"))),
        publisher=text(publisher.get("name")),
        namespace=text(publisher.get("namespace")),
        found_by=_noted(head, "general", FOUND_BY),
        references=tuple(
            Reference(text(held.get("url")), text(held.get("summary")))
            for held in records(head.get("references"))
        ),
    )


def _status(value: str) -> Literal["draft", "interim", "final"]:
    if value == "final":
        return "final"
    return "interim" if value == "interim" else "draft"


def _revisions(tracking: Mapping[str, object]) -> tuple[Revision, ...]:
    held = tuple(
        Revision(text(entry.get("number")), _moment(entry.get("date")), text(entry.get("summary")))
        for entry in records(tracking.get("revision_history"))
    )
    return held or (Revision("1", _moment(tracking.get("current_release_date")), ""),)


def _moment(value: object) -> datetime:
    try:
        moment = datetime.fromisoformat(text(value))
    except ValueError:
        return _EPOCH
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _noted(holder: Mapping[str, object], category: str, title: str = "") -> str:
    for note in records(holder.get("notes")):
        if note.get("category") == category and (not title or note.get("title") == title):
            return text(note.get("text"))
    return ""


@dataclass(frozen=True, slots=True)
class _Named:
    """What a product id stands for; a doubt where it cannot be told."""

    package: Package
    releases: Releases = NONE
    scheme: str = ""
    doubt: str = ""


def _named(tree: Mapping[str, object]) -> Iterator[tuple[str, _Named]]:
    """Every product id of the tree."""
    pending: list[tuple[Mapping[str, object], tuple[tuple[str, str], ...]]] = [(tree, ())]
    while pending:
        branch, path = pending.pop()
        product = record(branch.get("product"))
        if product:
            yield text(product.get("product_id")), _identify(product, path)
        if len(path) < BRANCH_DEPTH_MAX:
            pending += [
                (inner, (*path, (text(inner.get("category")), text(inner.get("name")))))
                for inner in records(branch.get("branches"))
            ]
    for product in records(tree.get("full_product_names")):
        yield text(product.get("product_id")), _identify(product, ())
    for relation in records(tree.get("relationships")):
        product = record(relation.get("full_product_name"))
        ident = text(product.get("product_id"))
        yield (
            ident,
            replace(_identify(product, ()), doubt="it speaks of one product inside another"),
        )


def _identify(product: Mapping[str, object], path: tuple[tuple[str, str], ...]) -> _Named:
    names = dict(path)
    title = names.get("product_name") or names.get("product_family") or text(product.get("name"))
    unidentified = Package("", names.get("vendor", ""), title)
    purl = text(record(product.get("product_identification_helper")).get("purl"))
    version, span = names.get("product_version", ""), names.get("product_version_range", "")
    try:
        release = parse_purl(purl) if purl else None
    except Invalid as error:
        return _Named(unidentified, doubt=str(error))
    package = release.package if release else unidentified
    if span:
        return _ranged(package, span)
    version = (release.version if release else "") or version
    doubt = "" if version else "it names a product without saying which releases"
    return _Named(package, Releases(listed=(version,)) if version else NONE, doubt=doubt)


def _ranged(package: Package, span: str) -> _Named:
    """The releases of a range specifier, or of bounds such as ``>= 1.0 <= 2.3``; a doubt for anything else."""
    if not span.startswith("vers:"):
        interval = _bounds(span)
        prose = f"the range {span[:200]!r} is prose"
        return _Named(package, Releases((interval,))) if interval else _Named(package, doubt=prose)
    try:
        held = vers.parse(span, "the range")
    except Invalid as error:
        return _Named(package, doubt=str(error))
    found = releases(held)
    if isinstance(found, str):
        return _Named(package, doubt=f"the range {span[:200]!r} cannot be read: {found}")
    everything = found in {NONE, Releases((Interval(),))}
    return _Named(package, found, "" if everything else held.scheme)


def _bounds(span: str) -> Interval | None:
    """Bounds in words; an upper one before a lower one means nothing sure."""
    if span.strip() == "*":
        return Interval()
    if _CONSTRAINT.sub("", span).strip(" |,"):
        return None
    interval = Interval()
    for sign, version in _CONSTRAINT.findall(span):
        if sign in {">", ">="} and interval == Interval():
            interval = replace(interval, low=version, low_included=sign == ">=")
        elif sign in {"<", "<="} and not interval.high:
            interval = replace(interval, high=version, high_included=sign == "<=")
        else:
            return None
    return interval if interval != Interval() else None


def vectors(document: Mapping[str, object]) -> tuple[str, ...]:
    """The CVSS vectors of a document, each once, for whatever product; empty texts are left out."""
    found = (
        text(record(score.get(version)).get("vectorString"))
        for entry in records(document.get("vulnerabilities"))
        for score in records(entry.get("scores"))
        for version in ("cvss_v3", "cvss_v2")
    )
    return tuple(dict.fromkeys(filter(None, found)))


def _flaw(entry: Mapping[str, object], products: Mapping[str, _Named]) -> Flaw:
    cve = text(entry.get("cve"))
    ids = tuple(text(held.get("text")) for held in records(entry.get("ids")))
    title = text(entry.get("title")) or cve
    return Flaw(
        ids=((cve,) if cve else ()) + ids,
        title=title,
        description=_noted(entry, "description") or _noted(entry, "summary"),
        statements=_statements(record(entry.get("product_status")), products),
        cwe=text(record(entry.get("cwe")).get("id")),
        remedy=next(
            (
                text(held.get("details"))
                for held in records(entry.get("remediations"))
                if held.get("category") == "vendor_fix"
            ),
            "",
        ),
    )


def _statements(
    statuses: Mapping[str, object], products: Mapping[str, _Named]
) -> tuple[Statement, ...]:
    """One statement per package, in order of first mention."""
    held: dict[Package, dict[str, list[_Named]]] = defaultdict(lambda: defaultdict(list))
    for status, claim in _STATUSES.items():
        for ident in texts(list(items(statuses.get(status)))):
            named = products.get(ident)
            if named is not None:
                held[named.package][claim].append(named)
    return tuple(_statement(package, claims) for package, claims in held.items())


def _statement(package: Package, claims: Mapping[str, list[_Named]]) -> Statement:
    everything = [named for group in claims.values() for named in group]
    schemes = sorted({named.scheme for named in everything if named.scheme})
    doubts = [named.doubt for named in everything if named.doubt]
    if len(schemes) > 1:
        # Releases have one order: under another scheme's, a bound would be compared wrongly.
        doubts.append(f"its ranges have several schemes: {', '.join(schemes)}")
        claims = {claim: _unranged(group) for claim, group in claims.items()}
    affected = _releases(claims.get("affected", ()))
    scheme = schemes[0] if len(schemes) == 1 else ""
    return Statement(
        package=package,
        affected=affected,
        fixed=_releases(claims.get("fixed", ())),
        not_affected=_releases(claims.get("not_affected", ())),
        untested=_releases(claims.get("untested", ())),
        complete=bool(affected.intervals) and not claims.get("untested"),
        doubts=tuple(dict.fromkeys(doubts)),
        scheme="" if scheme == package.scheme else scheme,
    )


def _unranged(named: Iterable[_Named]) -> list[_Named]:
    return [held for held in named if not held.scheme]


def _releases(named: Iterable[_Named]) -> Releases:
    """The set of releases; what carries a doubt is in none."""
    sure = [held.releases for held in named if not held.doubt]
    return Releases(
        tuple(interval for held in sure for interval in held.intervals),
        tuple(version for held in sure for version in held.listed),
    )
