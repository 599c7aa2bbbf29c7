"""CSAF 2.0 out and in."""

import json
import shutil
import subprocess
import sys
import tarfile
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearing_values import AT, UJSON, advisory, finding, statement, unhurried
from formats.test_one_advisory import full
from leadline.core.clearing.advisory import (
    DEMONSTRATION_NAMESPACE,
    Advisory,
    Flaw,
    Reference,
    Revision,
    Statement,
    draft,
)
from leadline.core.clearing.match import Status, read
from leadline.core.clearing.product import Interval, Releases, package
from leadline.core.clearing.versions.ranges import Constraint
from leadline.core.clearing.weakness import NAMES
from leadline.core.errors import Invalid, Unavailable
from leadline.core.marking import Tlp
from leadline.formats import csaf, csaf_out, vers

VALIDATOR = Path(".cache/node/node_modules/@secvisogram/csaf-validator-lib")


def drafted(**fields: Any) -> Advisory:
    """The advisory that a replayed finding gives."""
    held = draft([finding()], fixed_purl="pkg:pypi/bsdiff4@1.2.0", at=AT, tlp=Tlp.AMBER_STRICT)
    return replace(held, **fields)


def rich() -> Advisory:
    """Two flaws, ranges of every shape, a scoped package, two revisions."""
    first = advisory().flaws[0]
    scoped = package("npm", "@scope", "thing")
    spans = (Interval("1.0.0", "2.0.0"), Interval("3.0.0", "3.1.0", low_included=False))
    second = Flaw(
        ids=("GHSA-1", "PYSEC-2"),
        title="Second",
        description="Another.",
        remedy="Install the fixed release.",
        statements=(
            Statement(
                scoped, Releases(spans, ("4.0.0",)), Releases(listed=("4.0.1",)), complete=True
            ),
            Statement(package("pypi", "", "every"), Releases((Interval(),)), complete=True),
            Statement(
                package("pypi", "", "last"),
                Releases((Interval("", "9", high_included=True),)),
                not_affected=Releases(listed=("10",)),
                complete=True,
            ),
        ),
    )
    history = (Revision("1", AT, "First."), Revision("2", AT.replace(hour=13), "Second flaw."))
    return advisory(
        flaws=(first, second),
        revisions=history,
        status="final",
        found_by="model-x",
        references=(Reference("https://x.example/1", "Page"),),
    )


@pytest.mark.parametrize("held", [drafted(), rich(), advisory(tlp=Tlp.GREEN)])
def test_every_document_follows_schema_and_mandatory_tests(held: Advisory) -> None:
    """No fault by the published schema, none by any of the 33 mandatory tests."""
    data = csaf.render(held)
    assert csaf.faults(data) == ()
    assert csaf.mandatory_faults(data) == ()


@pytest.mark.parametrize("held", [drafted(), rich(), full(), replace(full(), withdrawn=True)])
def test_an_independent_validator_agrees(held: Advisory, tmp_path: Path) -> None:
    """Secvisogram's library finds nothing either, by its strict schema and mandatory tests."""
    node = shutil.which("node")
    if node is None or not VALIDATOR.is_dir():
        pytest.skip(
            "npm install --prefix .cache/node @secvisogram/csaf-validator-lib@2.0.10 --ignore-scripts"
        )
    script = Path(__file__).with_name("independent_csaf.mjs")
    ran = subprocess.run(
        [node, str(script), str(VALIDATOR.resolve())],
        input=csaf.render(held),
        capture_output=True,
        check=True,
        timeout=60,
    )
    results = json.loads(ran.stdout)
    assert [held for held in results if not held["isValid"]] == []
    assert len(results) == 45


def test_a_flaw_without_remedy_says_so() -> None:
    """The standard asks for a statement of what to do; none is invented."""
    held = advisory(flaws=(replace(advisory().flaws[0], remedy=""),))
    assert csaf.mandatory_faults(csaf.render(held)) == ()
    assert csaf.parse(csaf.render(held)) == held
    only_fixed = statement(affected=Releases(), fixed=Releases(listed=("1",)), complete=False)
    assert csaf.mandatory_faults(csaf.render(advisory(only_fixed))) == ()
    untested = statement(affected=Releases(), fixed=Releases(), untested=Releases(listed=("1",)))
    document = json.loads(csaf.render(advisory(untested)))
    assert "remediations" not in document["vulnerabilities"][0]


def test_the_checks_can_find_something() -> None:
    """A product id that nothing defines fails test 6.1.1 and no schema; a missing title the schema."""
    document = json.loads(csaf.render(drafted()))
    document["vulnerabilities"][0]["product_status"]["known_affected"] = ["CSAFPID-0009"]
    data = json.dumps(document).encode()
    assert csaf.faults(data) == ()
    assert any(fault.problem.startswith("6.1.1 ") for fault in csaf.mandatory_faults(data))
    del document["document"]["title"]
    data = json.dumps(document).encode()
    assert "title" in csaf.faults(data)[0].problem
    assert csaf.mandatory_faults(data)


def test_the_checker_leaves_the_root_logger_alone() -> None:
    """A fresh process has the handlers and level it had before."""
    code = (
        "import logging; from leadline.formats import csaf; "
        "before = (list(logging.getLogger().handlers), logging.getLogger().level); "
        "csaf.mandatory_faults(b'{}'); "
        "assert before == (logging.getLogger().handlers, logging.getLogger().level)"
    )
    run = [sys.executable, "-c", code]
    ran = subprocess.run(run, check=False, env={"PYTHONPATH": ":".join(sys.path)})
    assert ran.returncode == 0


def test_without_the_checker_the_cure_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The base install says which extra brings it."""
    monkeypatch.setitem(sys.modules, "csaf.csaf.v20._validator", None)
    with pytest.raises(Unavailable, match=r"leadline\[server\]"):
        csaf.mandatory_faults(b"{}")


def test_a_test_that_did_not_run_is_a_fault() -> None:
    """The list of mandatory tests is ours, so that a checker's silence proves nothing."""
    assert len(csaf.MANDATORY_TESTS) == 34
    assert {"schema", "6.1.1", "6.1.33"} <= csaf.MANDATORY_TESTS


@pytest.mark.parametrize("held", [drafted(tlp=Tlp.RED), rich()])
def test_a_document_reads_back(held: Advisory) -> None:
    """Everything but a label that TLP 1 lacks survives the round trip."""
    assert csaf.parse(csaf.render(held)) == held


@pytest.mark.parametrize("tlp", list(Tlp))
def test_a_label_is_never_loosened(tlp: Tlp) -> None:
    """What comes back is as strict or stricter; the exact label stands in words."""
    data = csaf.render(drafted(tlp=tlp))
    assert csaf.parse(data).tlp.strictness >= tlp.strictness
    assert tlp.value in json.loads(data)["document"]["distribution"]["text"]


bounds = st.sampled_from(["", "1.0", "2.0", "2.5"])
intervals = st.builds(Interval, bounds, bounds, st.booleans(), st.booleans())


@unhurried
@given(
    spans=st.lists(intervals, max_size=3).map(tuple), version=st.sampled_from(["0.5", "2.0", "3"])
)
def test_a_reader_of_the_document_reaches_the_same_status(
    spans: tuple[Interval, ...], version: str
) -> None:
    """Or unknown, where the format cannot say it; never a laxer one."""
    stated = statement(affected=Releases(spans, ("7",)), fixed=Releases(listed=("8",)))
    (back,) = csaf.parse(csaf.render(advisory(stated))).flaws[0].statements
    ours, theirs = read(stated, version).status, read(back, version).status
    assert theirs in {ours, Status.UNKNOWN}


def test_a_document_holds_no_proof_and_names_the_demonstration() -> None:
    """Neither the proof nor its digest; a fictional publisher on a reserved name; who found it."""
    text = csaf.render(drafted()).decode()
    assert "b" * 64 not in text
    assert DEMONSTRATION_NAMESPACE in text
    assert "fictional" in text
    assert "libFuzzer 14 (tool baseline)" in text
    assert csaf.file_name(drafted(id="A B/2026:1")) == "a_b_2026_1.json"


def test_weakness_names_are_the_catalogues() -> None:
    """A class that has no name here is left out, rather than misnamed."""
    document = json.loads(csaf.render(drafted()))
    assert document["vulnerabilities"][0]["cwe"] == {"id": "CWE-787", "name": "Out-of-bounds Write"}
    odd = drafted(flaws=(replace(drafted().flaws[0], cwe="CWE-0"),))
    assert "cwe" not in json.loads(csaf.render(odd))["vulnerabilities"][0]
    for cwe in NAMES:
        held = drafted(flaws=(replace(drafted().flaws[0], cwe=cwe),))
        assert csaf.mandatory_faults(csaf.render(held)) == (), cwe


def minimal(tree: Mapping[str, Any], status: Mapping[str, Any]) -> bytes:
    """A document with one vulnerability over *tree*; other people's, so not quite valid."""
    return json.dumps({
        "document": {"csaf_version": "2.0", "tracking": {"id": "X-1"}},
        "product_tree": tree,
        "vulnerabilities": [{"product_status": status, "cwe": {"id": "CWE-787"}}],
    }).encode()  # fmt: skip


def branch(category: str, title: str, *inner: Mapping[str, Any], **product: Any) -> dict[str, Any]:
    """One branch of a product tree."""
    held: dict[str, Any] = {"category": category, "name": title, "branches": list(inner)}
    return held | ({"product": product} if product else {})


@pytest.mark.parametrize(
    ("span", "intervals", "doubtful"),
    [
        ("vers:pypi/<2.0", (Interval("", "2.0"),), False),
        ("vers:all/*", (Interval(),), False),
        ("<= 4.60", (Interval("", "4.60", high_included=True),), False),
        (">= 1.0 < 2.0", (Interval("1.0", "2.0"),), False),
        (">1.0|<2.0", (Interval("1.0", "2.0", low_included=False),), False),
        ("Versions 4.60 and prior", (), True),
        ("<1.0|<2.0", (), True),
        (">=1|>=2", (), True),
        ("", (), True),
        ("4.60", (), True),
        ("<", (), True),
        ("vers:pypi/<1.0|>=2.0", (Interval("", "1.0"), Interval("2.0")), False),
        (
            "vers:pypi/>=1.0|!=1.1|<2.0",
            (Interval("1.0", "1.1"), Interval("1.1", "2.0", low_included=False)),
            False,
        ),
        ("vers:pypi/", (), True),
        ("vers:pypi/<odd~", (), True),
        ("vers:pypi/>=1.0|>=2.0", (), True),
        ("vers:none/*", (), False),
        ("Model A/<2.0", (), True),
        ("*", (Interval(),), False),
    ],
)
def test_ranges_of_other_publishers(
    span: str,
    intervals: tuple[Interval, ...],
    doubtful: bool,  # noqa: FBT001 -- the expected value
) -> None:
    """Specifiers and plain bounds are read; prose is a doubt, so the answer stays unknown."""
    leaf = branch("product_version_range", span, name="x", product_id="P")
    tree = {"branches": [branch("vendor", "V", branch("product_name", "Thing", leaf))]}
    (held,) = csaf.parse(minimal(tree, {"known_affected": ["P"]})).flaws[0].statements
    assert held.affected.intervals == intervals
    assert bool(held.doubts) == doubtful
    assert (held.package.type, held.package.namespace, held.package.name) == ("", "V", "Thing")


def ranged(*spans: str, purl: str = "pkg:pypi/ujson") -> Statement:
    """What is said of one package of which each range is affected."""
    leaves = [
        branch(
            "product_version_range",
            span,
            name="x",
            product_id=f"P{place}",
            product_identification_helper={"purl": purl},
        )
        for place, span in enumerate(spans)
    ]
    tree = {"branches": [branch("vendor", "V", branch("product_name", "Thing", *leaves))]}
    status = {"known_affected": [f"P{place}" for place in range(len(spans))]}
    (held,) = csaf.parse(minimal(tree, status)).flaws[0].statements
    return held


@pytest.mark.parametrize(
    ("span", "affected", "others"),
    [
        ("vers:pypi/1.2.3|>=2.0.0|<5.0.0", ("1.2.3", "2", "4.9"), "not_affected"),
        ("vers:pypi/>=1|!=1.5|<2", ("1", "1.4", "1.6"), "not_affected"),
        ("vers:pypi/!=1.5", ("1.4", "9"), "not_affected"),
        ("vers:pypi/1|2", ("1.0", "2"), "unknown"),
        ("vers:pypi/1.0|odd~", (), "unknown"),
    ],
)
def test_every_kind_of_constraint_is_judged(
    span: str, affected: tuple[str, ...], others: str
) -> None:
    """Single releases alone leave the others open, as they do outside ranges; what is unread is unknown."""
    held = ranged(span)
    assert [read(held, one).status.value for one in affected] == ["affected"] * len(affected)
    assert [read(held, one).status.value for one in ("0.9", "1.5", "7")] == [
        "affected" if span == "vers:pypi/!=1.5" and one != "1.5" else others
        for one in ("0.9", "1.5", "7")
    ]


def test_a_range_that_is_not_understood_names_its_constraint() -> None:
    """In the reason that the reader of a match sees."""
    assert "'<odd~'" in read(ranged("vers:pypi/>=1|<odd~"), "3").why
    assert "'>=' is no constraint" in read(ranged("vers:pypi/1|>="), "3").why


def test_a_range_in_another_scheme_than_the_package_keeps_it() -> None:
    """One scheme orders all releases of a package; two are a doubt, and take no release out."""
    one = ranged("vers:semver/>=1.0.0|<2.0.0")
    assert (one.order, read(one, "2.0.0-rc.1").status.value) == ("semver", "affected")
    both = ranged("vers:semver/>=1.0.0|<2.0.0", "vers:deb/<3")
    assert both.affected == Releases()
    assert [read(both, version).status.value for version in ("1.0.0", "9.0.0")] == ["unknown"] * 2
    assert "deb, semver" in read(both, "1.0.0").why


@pytest.mark.parametrize(
    "span",
    [
        "vers:pypi/1.2.3|>=2.0.0|<5.0.0",
        "vers:pypi/>=1|!=1.5|<=2|!=3|>4",
        "vers:pypi/!=1.5|!=1.6",
        "vers:all/*",
        "vers:semver/>=1.0.0|!=1.2.0",
    ],
)
def test_ranges_that_were_read_are_written_so_that_they_read_the_same(span: str) -> None:
    """The pieces of a range stand as products of their own."""
    held = ranged(span)
    flaw = replace(advisory().flaws[0], statements=(held,))
    (again,) = csaf.parse(csaf.render(advisory(flaws=(flaw,)))).flaws[0].statements
    assert (again.affected, again.order) == (held.affected, held.order)


@pytest.mark.parametrize(
    ("interval", "span"),
    [
        (Interval("2", "1"), ">= 2 < 1"),
        (Interval("1", "1.0", high_included=True), ">= 1 <= 1.0"),
        (Interval("1", "1"), ">= 1 < 1"),
        (Interval("1", "1", high_included=True), "vers:pypi/1"),
        (Interval("1", "2", low_included=False), "vers:pypi/>1|<2"),
    ],
)
def test_ends_that_contradict_each_other_are_no_specifier(interval: Interval, span: str) -> None:
    """Which would mean the releases on both sides."""
    assert csaf_out.vers("pypi", interval) == span
    held = (
        csaf.parse(csaf.render(advisory(statement(affected=Releases((interval,))))))
        .flaws[0]
        .statements[0]
        .affected
    )
    assert held in {Releases((interval,)), Releases(listed=("1",))}


def test_versions_with_signs_of_a_range_are_quoted() -> None:
    """So that they read as they are."""
    span = csaf_out.vers("generic", Interval("1|2 %", "<3*"))
    assert span == "vers:generic/>=1%7C2%20%25|<%3C3%2A"
    assert vers.parse(span).constraints == (Constraint(">=", "1|2 %"), Constraint("<", "<3*"))
    assert csaf_out.vers("deb", Interval("1:1.0~rc+b1")) == "vers:deb/>=1:1.0~rc+b1"


def test_products_without_a_plain_release_are_doubts() -> None:
    """A bad purl, a product without releases and one product inside another cannot be judged."""
    tree = {
        "full_product_names": [
            {"name": "A", "product_id": "A", "product_identification_helper": {"purl": "nope"}},
            {"name": "B", "product_id": "B"},
            {
                "name": "C",
                "product_id": "C",
                "product_identification_helper": {"purl": "pkg:pypi/ujson@5.1.0"},
            },
        ],
        "relationships": [{"full_product_name": {"name": "D", "product_id": "D"}}],
    }
    status = {"known_affected": ["A", "B", "C", "D", "missing"], "recommended": ["C"]}
    held = {s.package: s for s in csaf.parse(minimal(tree, status)).flaws[0].statements}
    assert sum(bool(s.doubts) for s in held.values()) == 3
    assert read(held[UJSON], "5.1.0").status is Status.AFFECTED
    assert read(held[UJSON], "5.0").status is Status.UNKNOWN


def test_a_plain_release_of_a_product_is_listed() -> None:
    """With a purl or by its branch; single releases alone leave the others open."""
    leaf = branch("product_version", "4.60", name="x", product_id="P")
    tree = {"branches": [branch("vendor", "V", branch("product_name", "Thing", leaf))]}
    (held,) = csaf.parse(minimal(tree, {"known_affected": ["P"]})).flaws[0].statements
    assert (held.affected.listed, held.doubts, held.complete) == (("4.60",), (), False)


def test_bottomless_trees_end() -> None:
    """Branches beyond the limit are not followed."""
    tree = branch("product_version", "1", name="deep", product_id="P")
    for _ in range(csaf.BRANCH_DEPTH_MAX + 5):
        tree = branch("product_family", "f", tree)
    data = minimal({"branches": [tree]}, {"known_affected": ["P"]})
    assert csaf.parse(data).flaws[0].statements == ()


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        ({}, "csaf_version"),
        ({"document": {"csaf_version": "2.1"}}, "2.1"),
        ({"document": {"csaf_version": "2.0"}}, "tracking/id"),
    ],
)
def test_what_is_no_csaf_2_0_is_refused(document: Mapping[str, Any], problem: str) -> None:
    """The error says which version is read."""
    with pytest.raises(Invalid, match=problem):
        csaf.parse(json.dumps(document).encode())


def test_gaps_of_a_document_are_read_towards_caution() -> None:
    """No label is the strictest, no status a draft, no date the epoch."""
    held = csaf.parse(minimal({}, {}))
    assert (held.tlp, held.status, held.title) == (Tlp.RED, "draft", "X-1")
    assert held.revisions[0].at.year == 1970
    document = json.loads(minimal({}, {}))
    document["document"]["tracking"] |= {"status": "interim", "current_release_date": "2026-01-01"}
    again = csaf.read(document)
    assert again.status == "interim"
    assert again.revisions[0].at.year == 2026


def test_published_advisories_are_read(
    vectors: Path, record_property: Callable[[str, object], None]
) -> None:
    """All 765 documents give an advisory under their own id, and no statement is dropped."""
    counts: Counter[str] = Counter()
    with tarfile.open(vectors / "csaf_ot" / "cisa-ot-2022-2023.tar.gz") as archive:
        for member in archive:
            file = archive.extractfile(member)
            if not file or not member.name.endswith(".json"):
                continue
            data = file.read()
            held = csaf.parse(data)
            document = json.loads(data)
            assert held.id == document["document"]["tracking"]["id"]
            assert held.tlp is Tlp.CLEAR
            assert len(held.flaws) == len(document.get("vulnerabilities", []))
            counts["documents"] += 1
            for flaw in held.flaws:
                counts["statements"] += len(flaw.statements)
                counts["doubtful"] += sum(bool(said.doubts) for said in flaw.statements)
    record_property("cisa", str(dict(counts)))
    assert counts["documents"] == 765
    # Most doubts are ranges of the scheme "all", which orders nothing.
    assert counts["statements"] > 3 * counts["doubtful"] > 0


def test_the_vectors_of_a_document() -> None:
    """Of every flaw, each once; what is odd has none."""
    high, low = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "AV:L/AC:L/Au:N/C:N/I:N/A:P"
    scores = [{"cvss_v3": {"vectorString": high}}, {"cvss_v2": {"vectorString": low}}]
    flaws = [
        {"scores": scores},
        {"scores": scores[:1]},
        {"scores": "x"},
        {"scores": [{"cvss_v3": {}}]},
    ]
    assert csaf.vectors({"vulnerabilities": flaws}) == (high, low)
    assert csaf.vectors({}) == ()
