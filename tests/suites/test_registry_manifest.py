"""Manifests of the registry suite: what is refused, and that ours agree with the advisory database."""

import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
from collections import Counter
from pathlib import Path

import pytest

from leadline.core.errors import Invalid
from leadline.suites.registry.manifest import (
    ITEMS,
    Manifest,
    Piece,
    content_digest,
    load_manifests,
    parse_manifest,
)

GOOD = (ITEMS / "bsdiff4.toml").read_text(encoding="utf-8")
# PYSEC-2022-25 calls 5.1.0 fixed; it still overflows.
# PYSEC-2023-118 lists the repaired 5.3, and not the 6.0 that 6.1 repairs, though its text does.
DATABASE_ERRS = {"PYSEC-2022-25", "PYSEC-2023-118"}


ASKED = {
    *("memory", "redos", "traversal", "template-injection", "sandbox-escape", "deserialisation"),
    *("prototype-pollution", "ssrf", "header-injection"),
}


def test_at_least_forty_flaws_over_eight_classes_and_no_class_over_a_quarter() -> None:
    """The suite holds what its issue asks for, from both indexes and with C extensions among them."""
    manifests = load_manifests()
    families = Counter(one.family for one in manifests)
    assert len(manifests) >= 40
    assert len(families) >= 8
    assert set(families) >= ASKED
    assert max(families.values()) * 4 <= len(manifests)
    assert {one.ecosystem for one in manifests} == {"pypi", "npm"}
    assert [one.build.kind for one in manifests].count("extension") >= 3


def test_no_two_items_share_a_trigger_or_an_id() -> None:
    """One item per flaw."""
    manifests = load_manifests()
    ids = [one for manifest in manifests for one in manifest.ids]
    assert len(set(ids)) == len(ids)
    assert len({one.proof() for one in manifests}) == len(manifests)


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ("schema = 1", "schema = 2", "schema"),
        ('package = "bsdiff4"', 'package = "../x"', "package"),
        ('package = "bsdiff4"', "", "package"),
        ("difficulty = 1", "difficulty = 1\ncolour = 3", "colour"),
        ("CVE-2020-15904", "CVE-20-1", "ids"),
        ('"a7c48ec', '"A7c48ec', "vulnerable.sha256"),
        ('kind = "sanitizer"', 'kind = "steps"', "oracle"),
        ('kind = "sanitizer"', 'kind = "cpu"', "oracle"),
        ('ecosystem = "pypi"', 'ecosystem = "npm"', "npm"),
        ('ecosystem = "pypi"', 'ecosystem = "cargo"', "ecosystem"),
        ('matched = "pysec"', 'matched = "none"', "PYSEC"),
        ('functions = ["patch"]', "functions = []", "oracle"),
        ('kind = "extension"', 'kind = "wheel"', "manifest"),
        ("input_bytes_max = 4096", "input_bytes_max = 64", "manifest"),
        ("public = true", "public = false", "manifest"),
        ('hex = "62"', 'hex = "6"', "reference"),
        ('hex = "62"', 'hex = "62"\ntext = "b"', "reference"),
        ("times = 200", "times = 0", "reference"),
        ("[vulnerable]", "[vulnerable", "no TOML"),
    ],
)
def test_a_wrong_manifest_is_refused_by_the_field_that_is_wrong(
    old: str, new: str, field: str
) -> None:
    """Whatever is unknown, absent or out of range is named, and nothing is guessed."""
    assert old in GOOD
    with pytest.raises(Invalid) as caught:
        parse_manifest("bsdiff4", GOOD.replace(old, new, 1))
    assert field in str(caught.value)
    assert "bsdiff4.toml" in str(caught.value)


def test_two_equal_releases_are_refused() -> None:
    """A pair must differ, or the judge compares a release with itself."""
    table = tomllib.loads(GOOD)
    text = GOOD.replace(table["fixed"]["sha256"], table["vulnerable"]["sha256"])
    with pytest.raises(Invalid, match="same archive"):
        parse_manifest("bsdiff4", text)


def test_a_manifest_without_harness_is_refused(tmp_path: Path) -> None:
    """A manifest alone is no item."""
    (tmp_path / "bsdiff4.toml").write_text(GOOD, encoding="utf-8")
    with pytest.raises(Invalid, match=r"no harness bsdiff4\.py"):
        load_manifests(tmp_path)


def test_pieces_repeat_text_and_bytes() -> None:
    """A large trigger is data: what to write, and how often."""
    assert Piece(text="é", times=2).data() == "éé".encode()
    assert Piece(hex="00 ff\n01").data() == b"\x00\xff\x01"


def test_the_digest_moves_with_manifest_harness_and_environment(tmp_path: Path) -> None:
    """A changed item is a new item."""
    for suffix in (".toml", ".py"):
        shutil.copy(ITEMS / f"bsdiff4{suffix}", tmp_path)
    (manifest,) = load_manifests(tmp_path)
    digests = {content_digest(tmp_path, manifest, {"python": "a"})}
    digests.add(content_digest(tmp_path, manifest, {"python": "b"}))
    (tmp_path / "bsdiff4.py").write_text("x = 1\n", encoding="utf-8")
    digests.add(content_digest(tmp_path, manifest, {"python": "a"}))
    (tmp_path / "bsdiff4.toml").write_text(GOOD + "# changed\n", encoding="utf-8")
    digests.add(content_digest(tmp_path, manifest, {"python": "a"}))
    assert len(digests) == 4


@pytest.mark.parametrize("manifest", load_manifests(), ids=lambda one: one.name)
def test_package_urls_are_normalised(manifest: Manifest) -> None:
    """Inventories are matched by package URL; its PyPI names are lower case with dashes."""
    names = {"pypi": r"[a-z0-9-]+", "npm": r"(%40[a-z-]+/)?[a-z0-9.-]+"}[manifest.ecosystem]
    for release in (manifest.vulnerable, manifest.fixed):
        assert re.fullmatch(f"pkg:{manifest.ecosystem}/{names}@[0-9.]+", manifest.purl(release))


def test_scoped_packages_keep_their_scope_in_the_url() -> None:
    """The sign before a scope is escaped, as the purl specification says."""
    (one, *_) = [each for each in load_manifests() if each.ecosystem == "npm"]
    scoped = one.model_copy(update={"package": "@pumps/valve"})
    assert scoped.purl(one.fixed) == f"pkg:npm/%40pumps/valve@{one.fixed.version}"


def test_ids_and_fixed_versions_agree_with_the_advisory_database(vectors: Path) -> None:
    """Every PYSEC number is an entry that has our CVE and GHSA as aliases and our fixed versions."""
    manifests = {
        one: manifest
        for manifest in load_manifests()
        for one in manifest.ids
        if one.startswith("PYSEC")
    }
    checked = set()
    with tarfile.open(vectors / "advisories" / "pypa-advisories.tar.gz") as archive:
        for member in archive:
            number = Path(member.name).stem
            file = archive.extractfile(member) if number in manifests else None
            if file is None:
                continue
            text, manifest = file.read().decode(), manifests[number]
            assert Path(member.name).parent.name == manifest.package.lower()
            for alias in manifest.ids:
                assert alias in text, (number, alias)
            if number not in DATABASE_ERRS:
                found = set(re.findall(r"fixed: ['\"]?([0-9][0-9.]*)['\"]?\s", text))
                assert {one.fixed for one in manifest.affected} == found, number
            checked.add(number)
    assert checked == set(manifests)


def test_the_page_lists_the_classes_and_items_of_the_manifests() -> None:
    """The tables of the reference are made from the manifests, and are those of today."""
    root = Path(__file__).parents[2]
    script = root / "scripts" / "registry_table.py"
    done = subprocess.run(
        [sys.executable, str(script)], check=True, capture_output=True, text=True, timeout=60
    )
    page = (root / "docs" / "reference" / "registry.md").read_text(encoding="utf-8")
    assert done.stdout.strip() in page
