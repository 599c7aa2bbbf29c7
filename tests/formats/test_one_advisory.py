"""One advisory in every format: valid, and saying the same (clearinghouse reference, A13)."""

import json
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema_rs import validator_for

import read_back
from clearing_values import advisory, statement, unhurried
from leadline.core.clearing.advisory import (
    BECAUSE,
    Advisory,
    Credit,
    Flaw,
    Reference,
    Score,
    Statement,
)
from leadline.core.clearing.match import read
from leadline.core.clearing.product import Interval, Package, Releases, package
from leadline.core.errors import Invalid
from leadline.formats import csaf, cve, openvex, osv_out, saying, schemas, scoring

V3 = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"
V4 = "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N"
PYPI = ("0.5", "1.0", "1.0.0", "2.0", "2.5", "3.0rc1", "3.0", "7")
NPM = ("0.5.0", "1.0.0", "2.0.0", "2.5.0", "3.0.0", "7.0.0")
ODD = ("latest", "")
PACKAGES = (
    (package("pypi", "", "ujson"), PYPI),
    (package("npm", "@scope", "thing"), NPM),
    (package("generic", "", "other"), PYPI),
)


def intervals(versions: Sequence[str]) -> st.SearchStrategy[Interval]:
    """Ends in order and out of order, open and closed; now and then one that cannot be ordered."""
    ends = st.sampled_from(("", "", *versions, *ODD, "0"))
    return st.builds(Interval, ends, ends, st.booleans(), st.booleans())


def releases(versions: Sequence[str]) -> st.SearchStrategy[Releases]:
    """A few of both."""
    listed = st.lists(st.sampled_from((*versions, *versions, "latest")), max_size=2, unique=True)
    spans = st.lists(intervals(versions), max_size=2, unique=True)
    return st.builds(Releases, spans.map(tuple), listed.map(tuple))


def statements(held: Package, versions: Sequence[str]) -> st.SearchStrategy[Statement]:
    """Anything that can be said of one package."""
    some = releases(versions)
    return st.builds(
        Statement,
        st.just(held),
        some,
        st.one_of(st.just(Releases()), some),
        st.one_of(st.just(Releases()), some),
        st.one_of(st.just(Releases()), some),
        st.booleans(),
        st.sampled_from(((), (), ("a range is prose",))),
        because=st.sampled_from(("", BECAUSE[1])),
    )


@st.composite
def advisories(draw: st.DrawFn) -> Advisory:
    """One flaw, a statement about each of some packages, with and without a CVE id."""
    chosen = draw(st.lists(st.sampled_from(PACKAGES), min_size=1, max_size=3, unique=True))
    stated = tuple(draw(statements(held, versions)) for held, versions in chosen)
    ids = draw(st.sampled_from((("CVE-2026-10001",), ("GHSA-aaaa-bbbb-cccc",), ())))
    flaw = replace(advisory().flaws[0], statements=stated, ids=ids)
    return advisory(flaws=(flaw,), withdrawn=draw(st.sampled_from((False, False, False, True))))


def documents(held: Advisory) -> dict[str, list[bytes]]:
    """Every rendering, by format."""
    return {
        "csaf": [csaf.render(held)],
        "openvex": [data for data in (openvex.render(held),) if data],
        "cve": list(cve.render(held).values()),
        "osv": list(osv_out.render(held).values()),
    }


def losses(held: Advisory) -> set[tuple[str, str]]:
    """Format and package of every recorded loss."""
    told = (
        *saying.losses_of_csaf(held),
        *openvex.losses(held),
        *cve.losses(held),
        *osv_out.losses(held),
    )
    return {(one.format, one.package) for one in told}


@unhurried
@given(held=advisories())
def test_every_format_says_the_same_or_unknown(held: Advisory) -> None:
    """What differs is unknown, and written down as a loss of that format and package."""
    told, lost = documents(held), losses(held)
    versions = dict(PACKAGES)
    for stated in held.flaws[0].statements:
        name = stated.package.purl()
        for version in (*versions[stated.package], "latest"):
            ours = str(read(stated, version).status)
            for format_, found in told.items():
                reader = getattr(read_back, format_)
                theirs = read_back.most_cautious([reader(data, name, version) for data in found])
                same = theirs == ours or (theirs == "safe" and ours in {"fixed", "not_affected"})
                recorded = (format_, name) in lost or (format_, "*") in lost
                assert same or (theirs == "unknown" and recorded), (
                    format_, name, version, ours, theirs,
                )  # fmt: skip


@unhurried
@given(held=advisories())
def test_every_document_follows_its_schema(held: Advisory) -> None:
    """None with a fault, whatever is said."""
    told = documents(held)
    assert [f for data in told["openvex"] for f in openvex.faults(data)] == []
    assert [f for data in told["cve"] for f in cve.faults(data)] == []
    assert [f for data in told["osv"] for f in osv_out.faults(data)] == []
    assert [f for data in told["csaf"] for f in csaf.faults(data)] == []


def full() -> Advisory:
    """Everything an advisory can carry."""
    flaw = replace(
        advisory().flaws[0],
        ids=("CVE-2021-45958", "PYSEC-2022-25"),
        workaround="Read no objects from strangers.",
        scores=(Score(V3, "NVD"), Score(V4, "the maintainer"), Score("AV:N/AC:L/Au:N/C:P/I:P/A:P", "us")),
        statements=(
            statement(not_affected=Releases(listed=("1.9",)), because=BECAUSE[1]),
            Statement(package("maven", "org.sample", "thing"), Releases((Interval(),)), complete=True),
            Statement(package("deb", "debian", "thing"), Releases(listed=("1.0-1",)),
                      complete=True, branch="12"),
            Statement(package("apk", "alpine", "thing"), Releases(listed=("1.0-r1",)),
                      complete=True, branch="3.18"),
        ),
    )  # fmt: skip
    return advisory(
        flaws=(flaw,),
        status="final",
        credits=(Credit("A. Finder"), Credit("B", "remediation developer", "A project")),
        notes=("Nothing else is known.",),
        references=(Reference("https://x.example/1", "Page"),),
    )


@pytest.mark.parametrize("held", [full(), replace(full(), withdrawn=True), advisory(flaws=())])
def test_full_documents_pass_all_mandatory_tests(held: Advisory) -> None:
    """CSAF by the independent validator's 33 tests; the others by their schemas; twice the same bytes."""
    if held.flaws:
        assert csaf.mandatory_faults(csaf.render(held)) == ()
    told = documents(held)
    assert told == documents(held)
    for data in told["cve"]:
        assert cve.faults(data) == ()
    for data in told["osv"]:
        assert osv_out.faults(data) == ()
    for data in told["openvex"]:
        assert openvex.faults(data) == ()


def test_cve_records_hold_under_the_next_version_of_the_format_too() -> None:
    """What CVE 5.2.0 changes is a field `packageURL`, and that products have no field it does not name.

    Its schema is in no package here, so the vendored one is changed in these two places.
    """
    schema = json.loads(schemas.content(cve.SCHEMA))
    product = schema["definitions"]["product"]
    product["properties"]["packageURL"] = {"type": "string"}
    product["additionalProperties"] = False
    later = validator_for(schema, validate_formats=True)
    for data in documents(full())["cve"]:
        held = json.loads(data)
        assert [error.message for error in later.iter_errors(held)] == []
        held["containers"]["cna"]["affected"][0]["of_no_version"] = "x"
        assert list(later.iter_errors(held))


def test_words_and_names_of_each_format() -> None:
    """Ecosystems with the distribution's release, collections, credits, scores with who assessed."""
    told = {name: b"\n".join(found).decode() for name, found in documents(full()).items()}
    assert '"ecosystem": "Debian:12"' in told["osv"]
    assert '"ecosystem": "Alpine:v3.18"' in told["osv"]
    assert '"name": "org.sample:thing"' in told["osv"]
    assert '"type": "REMEDIATION_DEVELOPER"' in told["osv"]
    assert "?distro=debian-12" in told["osv"]
    assert '"packageName": "org.sample:thing"' in told["cve"]
    assert '"platforms": [\n            "debian 12"' in told["cve"]
    assert "Assessed by NVD." in told["cve"]
    assert "cvssV4_0" in told["cve"]
    assert f"{V4}, by the maintainer" in told["csaf"]
    assert '"label": "vulnerable_code_not_present"' in told["csaf"]
    assert "Read no objects from strangers." in told["openvex"]
    assert "pkg:pypi/ujson@1.9" in told["openvex"]


def test_an_unsayable_order_and_no_affected_release_leave_osv_silent() -> None:
    """As does a registry that OSV has no word for; each with its reason."""
    odd = advisory(statement(scheme="maven"))
    none = advisory(statement(affected=Releases()))
    other = advisory(statement(package=package("generic", "", "x")))
    assert [dict(osv_out.render(held)) for held in (odd, none, other)] == [{}, {}, {}]
    whys = [osv_out.losses(held)[0].why for held in (odd, none, other)]
    assert ["own" in whys[0], "affected" in whys[1], "generic" in whys[2]] == [True] * 3
    semver = advisory(statement(scheme="semver", affected=Releases((Interval("2.0.0", "5.2.0"),))))
    (record,) = osv_out.render(semver).values()
    assert b'"type": "SEMVER"' in record


def test_two_statements_about_one_package_are_named() -> None:
    """Publishing refuses them, because formats would contradict themselves."""
    assert saying.doubled(advisory(statement(), statement())) == ("pkg:pypi/ujson",)
    assert saying.doubled(full()) == ()


def test_a_flaw_without_scores_or_credits_says_nothing_of_them() -> None:
    """And a score is never made up: what is no vector is refused."""
    (record,) = cve.render(advisory()).values()
    assert b"metrics" not in record
    assert b"credits" not in record
    with pytest.raises(Invalid, match="vector"):
        scoring.read("CVSS:3.1/AV:N")
    assert scoring.read("CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N").word == "NONE"
    assert dict(scoring.read("CVSS:2.0/AV:N/AC:L/Au:N/C:P/I:P/A:P").document)["version"] == "2.0"


def test_what_was_not_read_whole_calls_no_release_unaffected() -> None:
    """Releases after the repaired one are unaffected, unless a part of the statement could not be read."""
    fixed = statement(fixed=Releases(listed=("5.2.0",)))
    said = [cve.render(advisory(one)) for one in (fixed, replace(fixed, doubts=("a range",)))]
    told = [
        [(row["version"], row["status"]) for row in entries]
        for records in said
        for entries in [
            json.loads(*records.values())["containers"]["cna"]["affected"][0]["versions"]
        ]
    ]
    assert ("5.2.0", "unaffected") in told[1]
    assert {status for _, status in told[0]} >= {"unaffected"}
    assert len(told[1]) < len(told[0])


def test_a_flaw_without_statements_has_no_record() -> None:
    """CVE and OSV name products or do not exist."""
    bare = advisory(flaws=(replace(advisory().flaws[0], statements=()),))
    assert dict(cve.render(bare)) == dict(osv_out.render(bare)) == {}
    assert isinstance(bare.flaws[0], Flaw)


@pytest.mark.parametrize("version", PYPI)
def test_nothing_is_lost_where_every_release_is_settled(version: str) -> None:
    """A complete statement whose ranges begin with an affected release reads back whole."""
    held = advisory()
    ours = str(read(held.flaws[0].statements[0], version).status)
    for format_ in ("cve", "osv"):
        (data,) = documents(held)[format_]
        theirs = getattr(read_back, format_)(data, "pkg:pypi/ujson", version)
        assert theirs == (ours if ours == "affected" else "safe")


def test_a_class_without_a_name_here_is_left_out() -> None:
    """As in CSAF: rather than misnamed."""
    odd = advisory(flaws=(replace(advisory().flaws[0], cwe="CWE-0", remedy=""),))
    assert b"CWE-0" not in b"".join(data for found in documents(odd).values() for data in found)


def test_the_published_checker_of_package_urls_is_not_trusted_alone() -> None:
    """Test 6.1.13 is run once more, since the checker errs there."""
    broken = csaf.render(advisory()).replace(b"pkg:pypi/ujson@5.2.0", b"pkg:pypi@5.2.0")
    found = [held.problem for held in csaf.mandatory_faults(broken) if "6.1.13" in held.problem]
    assert found
