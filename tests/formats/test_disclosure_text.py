"""The texts to owners: complete, without the proof, with a score only as somebody made it."""

import json
from dataclasses import replace

import pytest

import make
from leadline.app.cases import shipped
from leadline.core.clearing.contract import Contract, Exclusion
from leadline.core.clearing.directory import Channel
from leadline.core.clearing.finding import Evidence, Finding, Location, ReplayResult
from leadline.core.errors import Invalid
from leadline.formats.disclosure_text import (
    ECOSYSTEMS,
    Letter,
    Told,
    body_of,
    findings_of,
    title,
    written,
)

FINDING = Finding(
    "ai",
    "a model under test",
    "suite",
    "item",
    "run",
    "family",
    "A heap overflow",
    "pkg:maven/org.example/lib@1.2",
    "d" * 64,
    "e" * 64,
    "A record of 0 bytes is read behind its end.",
    make.NOW,
    "CWE-122",
)
REPLAY = ReplayResult(FINDING.id, (True, True, True, True, None), (), "a" * 64)
LETTER = Letter(
    "case-1", "a@b.example", (Told(FINDING, REPLAY),), shipped()["leadline-default"], "B"
)


def test_a_model_is_named_only_with_consent() -> None:
    """Tools and persons are named; a model is where its developer's consent is on record."""
    assert "a model under test" not in body_of(LETTER)
    for change, told in (
        ({"consent": "a letter of 1 May"}, "an AI system (a model under test)"),
        ({"origin": "tool"}, "a tool (a model under test)"),
        ({"origin": "person"}, "a person (a model under test)"),
    ):
        found = replace(FINDING, **change)  # type: ignore[arg-type] # real fields
        assert told in body_of(replace(LETTER, told=(Told(found, REPLAY),)))


def test_everything_that_is_known_is_said_and_the_rest_said_to_be_missing() -> None:
    """Score with vector and assessor, places, evidence, ids, credits, the date agreed to."""
    found = replace(
        FINDING,
        vector="CVSS:4.0/AV:N",
        assessor="the finder's tool",
        confirmed_by="C. Person",
        locations=(
            Location("a.c", "read", 1, 2, "https://git.example/a", "c" * 40),
            Location("b.c"),
        ),
        evidence=Evidence("heap-buffer-overflow", ("./a", "input"), "", "p" * 64, "t" * 64),
        ids=("CVE-2027-1",),
        credits=("D. Finder",),
    )
    letter = replace(
        LETTER,
        told=(Told(found, REPLAY, repair="passes every test of the project"),),
        agreed=make.NOW,
        contract=Contract("lib", inferred=True, exclusions=(Exclusion("3", "no root"),)),
        follows="draft-0",
    )
    text = body_of(letter)
    for told in (
        "CVSS:4.0/AV:N, made by the finder's tool; please correct it",
        "https://git.example/a: a.c at " + "c" * 40 + ", in read",
        "- Where: b.c",
        "Confirmed by a person: C. Person",
        "4 of 5 runs",
        "Command: `./a input`",
        "What shows it: heap-buffer-overflow",
        "Suggested patch: " + "p" * 64,
        "Known as: CVE-2027-1",
        "Credit to: D. Finder",
        "Drafted repair: passes every test of the project",
        "read out of your security policy",
        "Your threat model, 3: no root",
        "Agreed: public from 2027-03-01 09:30 UTC",
        "It follows up on what you were sent as draft-0",
    ):
        assert told in text, told
    bare = replace(FINDING, purl="", cwe="", proof_sha256="", report="r" * 64)
    text = body_of(replace(LETTER, told=(Told(bare, None, "no hardware"),)))
    assert "Reproducer" not in text
    assert "not classified" in text
    assert "not by us: no hardware" in text
    assert findings_of(letter.told) == (found.id,)


def test_the_forms() -> None:
    """GitHub's body names ecosystem and range; several findings have one title and no vector."""
    body = json.loads(
        written(replace(LETTER, told=(Told(replace(FINDING, vector="V"), REPLAY),)), Channel.GITHUB)
    )
    assert body["vulnerabilities"][0]["package"] == {
        "ecosystem": "maven",
        "name": "org.example:lib",
    }
    assert body["cvss_vector_string"] == "V"
    second = replace(FINDING, title="Another", purl="pkg:npm/b")
    third = replace(FINDING, title="A third", purl="no purl", vector="V")
    both = replace(LETTER, told=tuple(Told(one, REPLAY) for one in (FINDING, second, third)))
    assert title(both) == "A heap overflow, and 2 more"
    body = json.loads(written(both, Channel.GITHUB))
    assert "cvss_vector_string" not in body
    assert body["vulnerabilities"][1] == {"package": {"ecosystem": "npm", "name": "b"}}
    assert body["vulnerabilities"][2] == {"package": {"ecosystem": "other", "name": "no purl"}}
    assert json.loads(written(LETTER, Channel.GITLAB))["confidential"] is True
    assert ECOSYSTEMS["cargo"] == "rust"
    with pytest.raises(Invalid, match="at least one"):
        written(replace(LETTER, told=()), Channel.MAIL)


def test_a_mails_subject_names_neither_product_nor_flaw() -> None:
    """It travels open, as everything above the empty line does."""
    head = written(LETTER, Channel.MAIL).decode().partition("\n\n")[0]
    for secret in ("heap", "lib", "CWE", "org.example"):
        assert secret not in head


def test_a_text_without_embargo_says_so() -> None:
    """Nobody is asked to keep a secret that there is none of, in the terms at least."""
    letter = replace(LETTER, disclosure=shipped()["linux-kernel-ai-found"])
    assert "It has no embargo" in body_of(letter)
