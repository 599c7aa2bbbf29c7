"""The page for people, the same as text, and STIX."""

import json
from dataclasses import replace

from clearing_values import AT, advisory, statement
from leadline.core.clearing.advisory import Advisory, Credit, Reference, Revision, Score
from leadline.core.clearing.product import Interval, Releases, package
from leadline.core.marking import Tlp
from leadline.formats import advisory_page, stix

HOSTILE = "<script>alert('x')</script>"


def full() -> Advisory:
    """Hostile words in every field, every kind of range, an address that is none of the web."""
    flaw = replace(
        advisory().flaws[0],
        title=HOSTILE,
        description=HOSTILE,
        remedy="",
        workaround=HOSTILE,
        scores=(Score(HOSTILE, HOSTILE),),
        statements=(
            statement(
                affected=Releases(
                    (Interval("1", "2"), Interval("3", "4", low_included=False, high_included=True),
                     Interval()),
                    ("9",),
                ),
                untested=Releases((Interval("", "1"),)),
                complete=False,
            ),
            statement(package=package("deb", "debian", "x"), branch="12"),
        ),
    )  # fmt: skip
    return advisory(
        title=HOSTILE,
        flaws=(flaw,),
        found_by=HOSTILE,
        references=(
            Reference("javascript:alert(1)", HOSTILE),
            Reference("https://x.example/?a='b'", "P"),
        ),
        credits=(Credit(HOSTILE),),
        notes=(HOSTILE,),
    )


def test_words_of_others_are_never_markup() -> None:
    """No script, no address but of the web."""
    page = advisory_page.html(full()).decode()
    assert "<script" not in page
    assert "href='javascript" not in page
    assert "href='https://x.example/?a=&#x27;b&#x27;'" in page
    assert page.startswith("<!doctype html>")
    assert "lang='en'" in page


def test_ranges_and_what_is_not_known_are_written_out() -> None:
    """Times with their zone; a release that nobody tried is not tried."""
    text = advisory_page.text(full()).decode()
    for words in (
        "from 1 before 2; after 3 up to 4; every release; 9",
        "Not tried: before 1",
        "All others: not known",
        "All others: not affected",
        "debian/x (release 12)",
        "2026-11-01 12:00 UTC",
        "No fixed release is named by the publisher.",
        "Until then: ",
        "Also known as CVE-2021-45958",
    ):
        assert words in text
    assert HOSTILE in text


def test_a_withdrawn_page_says_so_and_names_no_release() -> None:
    """And why."""
    last = Revision("2", AT, "Withdrawn: no flaw.")
    gone = advisory(withdrawn=True, revisions=(*advisory().revisions, last))
    for data in (advisory_page.text(gone), advisory_page.html(gone)):
        assert b"Withdrawn: Overflow in ujson" in data
        assert b"Withdrawn: no flaw." in data
        assert b"Affected" not in data
    bare = replace(gone, flaws=(replace(gone.flaws[0], ids=()),), withdrawn=False)
    assert b"Also known" not in advisory_page.html(bare)


def test_a_bundle_has_ids_that_do_not_change() -> None:
    """One object a flaw under the marking of TLP 2.0; a withdrawn one is revoked."""
    held = full()
    one, two = json.loads(stix.render(held)), json.loads(stix.render(replace(held, title="x")))
    assert [held["id"] for held in one["objects"]] == [held["id"] for held in two["objects"]]
    flaw = one["objects"][-1]
    assert flaw["name"] == "CVE-2021-45958"
    assert flaw["object_marking_refs"] == [stix.marking(Tlp.CLEAR)]
    assert flaw["external_references"][0]["source_name"] == "cve"
    assert one["objects"][0]["extensions"]
    gone = json.loads(stix.render(replace(held, withdrawn=True)))
    assert gone["objects"][-1]["revoked"] is True
    bare = advisory(flaws=(replace(advisory().flaws[0], ids=()),))
    nameless = json.loads(stix.render(bare))["objects"][-1]
    assert (nameless["name"], "external_references" in nameless) == ("Overflow in ujson", False)
    assert stix.losses(held)[0].format == "stix"
