"""OSV documents."""

import json
import tarfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from leadline.core.clearing.match import Status, read
from leadline.core.clearing.product import Interval, Releases
from leadline.core.errors import Invalid
from leadline.formats import osv

# Listed versions that their own ranges leave out, as the vectors' notes name them.
KNOWN = {
    "PYSEC-2023-61": {"3.2a1", "3.2b1", "3.2rc1", "4.2a1", "4.2b1", "4.2rc1"},
    "PYSEC-2023-177": {"23.9.0", "23.9.0.post1"},
    "PYSEC-2021-114": {"2.11.6"},
}


def document(*affected: Mapping[str, Any], **fields: Any) -> bytes:
    """An OSV document about these packages."""
    held = {"id": "OSV-1", "modified": "2026-01-01T00:00:00Z", "affected": affected}
    return json.dumps(held | fields).encode()


def entry(*events: Mapping[str, str], kind: str = "ECOSYSTEM", **fields: Any) -> dict[str, Any]:
    """An affected entry of one range."""
    package = {"ecosystem": "PyPI", "name": "ujson"}
    return {"package": package, "ranges": [{"type": kind, "events": events}], **fields}


def pypa(vectors: Path) -> Iterator[dict[str, Any]]:
    """Every PyPA advisory of the vectors, dates as text."""
    with tarfile.open(vectors / "advisories" / "pypa-advisories.tar.gz") as archive:
        for member in archive:
            file = archive.extractfile(member)
            if file:
                yield yaml.load(file.read(), Loader=yaml.CBaseLoader)


def test_listed_versions_of_published_advisories_are_affected(
    vectors: Path, record_property: Callable[[str, object], None]
) -> None:
    """By list always; by range alone too, but for legacy strings, contradictions, and the known nine."""
    counts: Counter[str] = Counter()
    for held in pypa(vectors):
        advisory = osv.read(held)
        counts["documents"] += 1
        counts["withdrawn"] += advisory.withdrawn
        (statement,) = advisory.flaws[0].statements
        if not statement.affected.intervals:
            continue
        by_range = replace(statement, affected=Releases(statement.affected.intervals))
        for version in statement.affected.listed:
            assert read(statement, version).status is Status.AFFECTED
            status = read(by_range, version).status
            counts[status] += 1
            if status not in {Status.AFFECTED, Status.UNKNOWN}:
                assert version in KNOWN[advisory.id]
    record_property("pypa", str(dict(counts)))
    assert (counts["documents"], counts["withdrawn"]) == (2661, 10)
    assert counts[Status.AFFECTED] == 140_727
    assert counts[Status.UNKNOWN] == 110
    assert counts[Status.FIXED] + counts[Status.NOT_AFFECTED] == 9


def test_go_advisories_are_read(vectors: Path) -> None:
    """All 4,291 documents, 6,125 entries, 17 withdrawn; their ranges order as SemVer."""
    counts: Counter[str] = Counter()
    with tarfile.open(vectors / "advisories" / "go-vulndb-osv.tar.gz") as archive:
        for member in archive:
            file = archive.extractfile(member)
            if file:
                advisory = osv.parse(file.read())
                counts["documents"] += 1
                counts["withdrawn"] += advisory.withdrawn
                for statement in advisory.flaws[0].statements:
                    counts["entries"] += 1
                    assert statement.order == "semver"
                    for version in statement.fixed.listed:
                        assert read(statement, version).status is not Status.UNKNOWN
    assert counts == {"documents": 4291, "entries": 6125, "withdrawn": 17}


@pytest.mark.parametrize(
    ("events", "intervals"),
    [
        ([{"introduced": "0"}], (Interval(),)),
        ([{"introduced": "0"}, {"fixed": "1.0"}], (Interval("", "1.0"),)),
        ([{"fixed": "1.0"}, {"introduced": "0"}], (Interval("", "1.0"),)),
        (
            [{"introduced": "2"}, {"last_affected": "3"}],
            (Interval("2", "3", high_included=True),),
        ),
        (
            [{"introduced": "2"}, {"introduced": "0"}, {"fixed": "1"}, {"fixed": "3"}],
            (Interval("", "1"), Interval("2", "3")),
        ),
        ([{"introduced": "1"}, {"introduced": "2"}, {"fixed": "3"}], (Interval("1", "3"),)),
        ([{"introduced": "1"}, {"limit": "*"}], (Interval("1"),)),
        ([{"introduced": "1"}, {"limit": "2"}], (Interval("1", "2"),)),
        (
            [{"introduced": "1"}, {"limit": "2"}, {"limit": "3"}, {"limit": "2.5"}],
            (Interval("1", "3"),),
        ),
        ([{"introduced": "1"}, {"fixed": "2"}, {"limit": "3"}], (Interval("1", "2"),)),
        ([{"introduced": "1"}, {"fixed": "4"}, {"limit": "3"}], (Interval("1", "3"),)),
        ([{"introduced": "0"}, {"limit": "3"}], (Interval("", "3"),)),
        ([{"introduced": "4"}, {"limit": "3"}], ()),
        ([{"introduced": "0"}, {"introduced": "0"}], (Interval(),)),
        (
            [{"introduced": "1"}, {"fixed": "2"}, {"introduced": "2.0"}, {"fixed": "3"}],
            (Interval("1", "2.0"), Interval("2.0", "3", low_included=False)),
        ),
    ],
)
def test_events_become_intervals(
    events: list[dict[str, str]], intervals: tuple[Interval, ...]
) -> None:
    """In the order of their versions, as the schema's evaluation does."""
    (statement,) = osv.parse(document(entry(*events))).flaws[0].statements
    assert statement.affected.intervals == intervals
    assert statement.complete


@pytest.mark.parametrize(
    "broken",
    [
        {"ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "odd!"}, {"fixed": "1"}]}]},
        {"ranges": [{"type": "ECOSYSTEM", "events": [{"fixed": "1"}]}]},
        {"ranges": [{"type": "ECOSYSTEM", "events": []}]},
        {"ranges": [{"type": "ECOSYSTEM"}]},
        {"ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"other": "1"}]}]},
        {"ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0", "fixed": "1"}]}]},
        {"ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": 1}]}]},
        {"ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "2"}, {"limit": "odd!"}]}]},
        {
            "ranges": [
                {
                    "type": "ECOSYSTEM",
                    "events": [{"introduced": "2"}, {"limit": "3"}, {"limit": "odd!"}],
                }
            ]
        },
        {"ranges": [{"type": "NEW", "events": [{"introduced": "2"}]}], "versions": ["2"]},
        {"ranges": ["odd"], "versions": ["2"]},
        {"ranges": {"type": "ECOSYSTEM"}, "versions": ["2"]},
        {"versions": ["2", 3.0]},
        {"versions": "2"},
        {},
    ],
)
def test_what_is_not_understood_is_a_doubt(broken: dict[str, Any]) -> None:
    """Never is a release called not affected by what was left out."""
    held = {"package": {"ecosystem": "PyPI", "name": "ujson"}} | broken
    for statement in osv.parse(document(held)).flaws[0].statements:
        assert statement.doubts
        assert read(statement, "1.0").status is Status.UNKNOWN
        listed = "2" in statement.affected.listed
        assert read(statement, "2").status is (Status.AFFECTED if listed else Status.UNKNOWN)


def test_a_release_that_ends_and_begins_is_unknown() -> None:
    """Before and after it releases are affected; of itself the range says both."""
    both = entry(
        {"introduced": "1"},
        {"fixed": "2"},
        {"introduced": "2"},
        {"fixed": "3"},
        {"introduced": "9"},
    )
    (held,) = osv.parse(document(both)).flaws[0].statements
    told = [read(held, version).status for version in ("1.5", "2.0", "2.5", "3", "9")]
    unknown, affected = Status.UNKNOWN, Status.AFFECTED
    assert told == [affected, unknown, affected, Status.FIXED, affected]
    many = [{kind: str(n)} for n in range(60) for kind in ("introduced", "fixed")]
    (held,) = osv.parse(document(entry(*many))).flaws[0].statements
    assert held.doubts


@pytest.mark.parametrize(
    ("ecosystem", "branch"),
    [("Debian:12", "12"), ("Ubuntu:22.04:LTS", "22.04"), ("Alpine:v3.18", "3.18"), ("Debian", "")],
)
def test_the_release_of_a_distribution_is_kept(ecosystem: str, branch: str) -> None:
    """Each has its own fixes."""
    held = {"package": {"ecosystem": ecosystem, "name": "curl"}, "versions": ["1"]}
    (statement,) = osv.parse(document(held)).flaws[0].statements
    assert statement.branch == branch


def test_only_a_fix_is_a_remedy() -> None:
    """A limit ends a range, and says nothing of a fixed release."""
    (limited,) = osv.parse(document(entry({"introduced": "1"}, {"limit": "2"}))).flaws[0].statements
    (fixed,) = osv.parse(document(entry({"introduced": "1"}, {"fixed": "2"}))).flaws[0].statements
    assert read(limited, "3").status is Status.NOT_AFFECTED
    assert read(fixed, "3").status is Status.FIXED


def test_commits_alone_are_a_doubt() -> None:
    """Without the repository's graph nothing can be said, unless versions are listed as well."""
    commits = entry({"introduced": "0"}, {"fixed": "abc"}, kind="GIT")
    (held,) = osv.parse(document(commits)).flaws[0].statements
    assert read(held, "1.0").status is Status.UNKNOWN
    (listed,) = osv.parse(document({**commits, "versions": ["1.0"]})).flaws[0].statements
    assert read(listed, "1.0").status is Status.AFFECTED
    assert read(listed, "2.0").status is Status.NOT_AFFECTED


@pytest.mark.parametrize(
    ("package", "purl"),
    [
        ({"ecosystem": "PyPI", "name": "PyYAML"}, "pkg:pypi/pyyaml"),
        ({"ecosystem": "Go", "name": "github.com/a/b"}, "pkg:golang/github.com/a/b"),
        ({"ecosystem": "Go", "name": "stdlib"}, "pkg:golang/stdlib"),
        ({"ecosystem": "npm", "name": "@scope/x"}, "pkg:npm/%40scope/x"),
        ({"ecosystem": "Maven", "name": "org.a:b"}, "pkg:maven/org.a/b"),
        ({"ecosystem": "Debian:12", "name": "openssl"}, "pkg:deb/debian/openssl"),
        ({"ecosystem": "PyPI", "name": "x", "purl": "pkg:npm/y"}, "pkg:npm/y"),
        ({"ecosystem": "Hex", "name": "x"}, "pkg:hex/x"),
    ],
)
def test_packages_have_one_identity(package: dict[str, str], purl: str) -> None:
    """An ecosystem's name and a purl mean the same package."""
    (held,) = osv.parse(document({"package": package, "versions": ["1"]})).packages
    assert held.purl() == purl


def test_an_ecosystem_that_no_purl_can_hold_is_kept_as_it_is() -> None:
    """It matches nothing by accident and is not lost."""
    odd = {"package": {"ecosystem": "Git Hub!", "name": "x"}, "versions": ["1"]}
    (held,) = osv.parse(document(odd)).packages
    assert (held.type, held.name) == ("git hub!", "x")


@pytest.mark.parametrize(
    "data",
    [
        b"{}",
        document(id=""),
        document(),
        document({"package": {"ecosystem": "", "name": ""}}),
        json.dumps({"id": "x", "affected": [], "document": {}}).encode(),
    ],
)
def test_what_is_no_osv_document_is_refused(data: bytes) -> None:
    """The error says what was expected."""
    with pytest.raises(Invalid, match="OSV"):
        osv.parse(data)


def test_ids_and_words_are_kept() -> None:
    """The CVE comes first; a withdrawn document says so; a missing date is the epoch."""
    held = osv.parse(
        document(
            entry({"introduced": "0"}),
            id="PYSEC-1",
            aliases=["GHSA-1", "CVE-2026-1"],
            summary="Short",
            withdrawn="2026-02-01T00:00:00Z",
            references=[{"type": "WEB", "url": "https://x.example"}],
            modified="2026-01-01T00:00:00",
        )
    )
    assert held.flaws[0].ids == ("CVE-2026-1", "GHSA-1", "PYSEC-1")
    assert held.withdrawn
    assert held.title == "Short"
    assert held.references[0].url == "https://x.example"
    assert held.revisions[0].at.tzinfo is not None
    assert (
        osv.parse(document(entry({"introduced": "0"}), modified="?")).revisions[0].at.year == 1970
    )


def test_both_kinds_of_range_are_two_statements() -> None:
    """Each is judged in its own order."""
    both = entry({"introduced": "1.0.0"}, {"fixed": "2.0.0"})
    both["ranges"].append({"type": "SEMVER", "events": [{"introduced": "3.0.0"}]})
    ecosystem, semver = osv.parse(document(both)).flaws[0].statements
    assert (ecosystem.order, semver.order) == ("pypi", "semver")
