"""Package-URLs, against the published cases and in round trips."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearing_values import unhurried
from leadline.core.clearing import purl
from leadline.core.clearing.purl import Purl, make, parse
from leadline.core.errors import Invalid

# Two recommended cases ask for what a required one of the same file forbids: a capital first in a key.
CONTRADICTED = {
    "gem-test.json: Ruby gems can use qualifiers. Roundtrip an input purl to canonical.",
    "rpm-test.json: rpm often use qualifiers. Roundtrip an input purl to canonical.",
}


def cases(vectors: Path) -> Iterator[tuple[str, dict[str, object]]]:
    """Every published case with the name of its file."""
    for file in sorted((vectors / "purl").rglob("*.json")):
        for case in json.loads(file.read_bytes())["tests"]:
            yield file.name, case


def answer(kind: object, held: object) -> object:
    """What this reader makes of one case: parts, or a canonical text."""
    if kind == "build":
        assert isinstance(held, Mapping)
        kind, space, name, version, path = (
            held[part] or "" for part in ("type", "namespace", "name", "version", "subpath")
        )
        return str(make(kind, space, name, version, held["qualifiers"], path))
    parsed = parse(str(held))
    if kind == "validate":
        return str(parsed)
    return {
        "type": parsed.type,
        "namespace": parsed.namespace or None,
        "name": parsed.name,
        "version": parsed.version or None,
        "qualifiers": dict(parsed.qualifiers) or None,
        "subpath": parsed.subpath or None,
    }


def test_published_cases(vectors: Path, record_property: Callable[[str, object], None]) -> None:
    """All 521 required ones; of the recommended ones all but two that contradict required ones."""
    right: Counter[str] = Counter()
    odd = []
    for file, case in cases(vectors):
        try:
            agrees = answer(case["test_type"], case["input"]) == case.get("expected_output")
            agrees = agrees and not case["expected_failure"]
        except Invalid:
            agrees = bool(case["expected_failure"])
        right[str(case["test_group"])] += agrees
        if not agrees:
            odd.append(f"{file}: {case['description']}")
    record_property("purl", str(dict(right)))
    assert right == {"required": 521, "recommended": 63}
    assert set(odd) == CONTRADICTED


def test_whatever_is_read_is_written_and_read_again_as_the_same(vectors: Path) -> None:
    """`parse(str(parse(text))) == parse(text)` for every published text that is accepted."""
    read = 0
    for _, case in cases(vectors):
        texts = [
            held for held in (case["input"], case.get("expected_output")) if isinstance(held, str)
        ]
        for text in texts:
            try:
                held = [parse(text)]
            except Invalid:
                held = []
            read += len(held)
            assert [parse(str(one)) for one in held] == held
    assert read > 500


words = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cs", "Cc", "Zs"]), min_size=1, max_size=12
).filter(lambda text: text.strip("/ ") == text and text.strip() == text)


@unhurried
@given(
    kind=st.sampled_from(["deb", "npm", "pypi", "generic", "golang"]),
    namespace=st.lists(words.filter(lambda text: "/" not in text), max_size=2).map("/".join),
    name=words,
    version=words,
    value=words,
    subpath=st.lists(words.filter(lambda text: "/" not in text), max_size=2).map("/".join),
)
def test_any_parts_read_back(
    kind: str, namespace: str, name: str, version: str, value: str, subpath: str
) -> None:
    """Whatever signs the parts hold."""
    held = make(kind, namespace, name, version, {"key": value}, subpath)
    assert parse(str(held)) == held
    assert held.qualifier("key") == value
    assert held.qualifier("none") == ""


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("pkg:npm/x?a=1&a=2", "stands twice"),
        ("pkg:npm/x?a=1&A=2", "qualifier 'A'"),
        ("pkg:npm/x?aa=1&aA=2", "stands twice"),
        ("pkg:npm/x?a", "has no value"),
        ("pkg:npm/", "a name is needed"),
        ("pkg:npm/%20", "a name is needed"),
        ("pkg:npm/x%00", "NUL"),
        ("purl:npm/x", "begin with pkg:"),
        ("pkg:npm/" + "x" * purl.CHARACTERS_MAX, "longer than"),
    ],
)
def test_what_is_no_package_url_is_refused(text: str, problem: str) -> None:
    """With what is wrong."""
    with pytest.raises(Invalid, match=problem) as refusal:
        parse(text)
    assert len(str(refusal.value)) < 1000


def test_a_scope_may_stand_unquoted() -> None:
    """Many tools write npm's scopes as they are."""
    assert parse("pkg:npm/@angular/cli@1.0") == Purl("npm", "@angular", "cli", "1.0")
    assert parse("pkg:npm/@angular/cli") == Purl("npm", "@angular", "cli")
    assert parse(" pkg://npm/a//b?x= ").qualifiers == ()
    assert parse("pkg:git/github/A/B") == Purl("git", "github", "a/b")
    assert str(parse("pkg:git/codeberg.org/a")) == "pkg:git/codeberg.org/a"
