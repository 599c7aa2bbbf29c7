"""What a maintainer is told of a bundle: read whole or not at all, compared, and never more than is known."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from typing_extensions import override

from leadline.app import checking
from leadline.app.checking import Lab, check, earlier, in_scope, read_bundle, words
from leadline.app.replay import Bench
from leadline.core.clearing.finding import ReplayVerdict
from leadline.core.clearing.replaying import (
    Build,
    BuildWith,
    Bundle,
    Check,
    Oracle,
    OracleKind,
    Shown,
)
from leadline.core.errors import Invalid, NotFound, Unavailable
from leadline.formats.replay_toml import FILE
from make import NOW
from replay_values import BROKEN, FIRED, SILENT, FakeBench, a_bundle

DESCRIPTION = """format = "leadline-replay/1"
title = "a flaw"
purl = "pkg:pypi/bsdiff4@1.1.1"
cwe = "CWE-787"
[build]
with = "make"
[run]
command = ["./prog", "{proof}"]
proof = "proof.bin"
[oracle]
kind = "sanitizer"
"""
TERMS = """project = "bsdiff4"
contact = "security@example.org"
[scope]
include = ["src/"]
[evidence]
patch = "required"
test = "required"
human_confirmer = "required"
[[exclusion]]
clause = "T1"
says = "files are trusted here"
weaknesses = ["CWE-22"]
"""
OSV: dict[str, Any] = {
    "id": "GHSA-aaaa-bbbb-cccc",
    "modified": "2026-01-01T00:00:00Z",
    "aliases": ["CVE-2026-0001"],
    "affected": [{"package": {"ecosystem": "PyPI", "name": "bsdiff4"}, "versions": ["1.1.1"]}],
    "database_specific": {"cwe_ids": ["CWE-787"]},
}


class FakeLab:
    """Gives the bench, the problem or the error that was put in for each name."""

    def __init__(self, **held: Bench | str | Exception) -> None:
        self._held = held

    def bench(self, bundle: Bundle, which: str) -> tuple[Bench | None, str, str]:
        """What was put in."""
        found = self._held[which]
        if isinstance(found, Exception):
            raise found
        return (None, "c" * 40, found) if isinstance(found, str) else (found, "c" * 40, "")


def folder(place: Path, **files: bytes) -> Path:
    """A bundle on disk, and more files."""
    place.mkdir()
    (place / FILE).write_text(DESCRIPTION)
    (place / "proof.bin").write_bytes(b"proof")
    for name, data in files.items():
        (place / name).write_bytes(data)
    return place


def asked(
    bundle: Bundle, lab: Lab, release: str = "", known: Any = None, terms: Any = None
) -> Check:
    """A check, with nobody to tell about progress."""
    return check(bundle, lab, release, known, terms, lambda _: None, now=NOW)[0]


def test_a_folder_is_read_whole(tmp_path: Path) -> None:
    """Folders below it too, but for what a check left."""
    place = folder(tmp_path / "report", seed=b"s")
    (place / "more").mkdir()
    (place / "more" / "file").write_bytes(b"m")
    (place / checking.EVIDENCE).mkdir()
    (place / checking.EVIDENCE / "replay.json").write_bytes(b"not read")
    bundle = read_bundle(place)
    assert set(bundle.files) == {"proof.bin", "seed", "more/file"}


def test_what_is_no_bundle(tmp_path: Path) -> None:
    """No description, links of either kind, too many files, too much of them."""
    with pytest.raises(NotFound):
        read_bundle(tmp_path)
    linked = folder(tmp_path / "a")
    (linked / "x").symlink_to("/etc/passwd")
    within = folder(tmp_path / "b")
    (within / "x").symlink_to("/etc")
    many = folder(tmp_path / "c", **{f"f{number}": b"" for number in range(64)})
    large = folder(tmp_path / "d")
    with (large / "x").open("wb") as out:
        out.truncate(checking.FOLDER_BYTES_MAX + 1)
    for place in (linked, within, many, large):
        with pytest.raises(Invalid):
            read_bundle(place)


def test_four_answers_from_two_builds() -> None:
    """Each with its own bench."""
    done = asked(a_bundle(), FakeLab(head=FakeBench([SILENT]), v1=FakeBench([FIRED])), "v1")
    assert (done.on_head.value, done.on_release.value) == (False, True)
    assert (done.in_scope.value, done.known.value) == (None, None)
    told = checking.document(done, "here")
    assert told["reproduces"] == {"head": False, "release": True}
    assert told["verdict"] == {"head": "not-reproduced", "release": "confirmed"}
    assert json.loads(checking.evidence_record(done, a_bundle()))["runs"]["release"]["runs"]


@pytest.mark.parametrize(
    ("held", "words_"),
    [
        ("main.c:3: error", "does not build: main.c:3: error"),
        (Unavailable("bubblewrap is not installed"), "bubblewrap is not installed"),
        (NotFound("no such tag"), "no such tag"),
        (Invalid("repository", "too large"), "too large"),
        (FakeBench([BROKEN]), "the program does not start here"),
    ],
)
def test_what_cannot_be_tried_is_unknown(held: Any, words_: str) -> None:
    """Never a no, and never the finder's fault."""
    done = asked(a_bundle(), FakeLab(head=held))
    assert done.on_head.value is None
    assert words_ in done.on_head.why
    assert done.head.verdict is ReplayVerdict.ENVIRONMENT_FAULT
    assert checking.document(done, "")["verdict"] == {"head": "environment-fault", "release": None}


def test_boxes_that_go_away_meanwhile() -> None:
    """Are said, too."""

    class Gone(FakeBench):
        @override
        def runs(self, data: bytes, times: int) -> list[Shown]:
            raise Unavailable("no box to run the proof in")

    done = asked(a_bundle(), FakeLab(head=Gone([FIRED])))
    assert "no box" in done.on_head.why


def test_what_a_bundle_brings_of_its_own_is_noted() -> None:
    """Words for the build, and a script; no control character reaches a terminal."""
    build = Build(BuildWith.MAKE, options=("-f", "x\x1b[31m"))
    oracle = Oracle(OracleKind.SCRIPT, script="judge.py")
    files = {"proof.bin": b"proof", "judge.py": b""}
    done = asked(
        a_bundle(build=build, oracle=oracle, files=files), FakeLab(head=FakeBench([FIRED]))
    )
    lines = list(words(done))
    assert "read them first: -f; x" in lines[-2]
    assert "judge.py says whether it fired" in lines[-1]
    assert "\x1b" not in "".join(lines)
    assert lines[1].startswith("On the release:    unknown")


def test_scope_is_what_the_project_says() -> None:
    """Inside, outside, by a clause; unknown without a file, with a faulty one, or without paths."""
    inside = a_bundle(cwe="CWE-787")
    terms = TERMS.encode()
    assert in_scope(inside, terms, NOW).value is True
    outside = in_scope(a_bundle(paths=("docs/a.c",)), terms, NOW)
    assert (outside.value, "in scope" in outside.why) == (False, True)
    clause = in_scope(a_bundle(cwe="CWE-22"), terms, NOW)
    assert (clause.value, "T1" in clause.why) == (False, True)
    assert in_scope(inside, None, NOW).value is None
    assert in_scope(inside, b"per_week = 0", NOW).value is None
    assert in_scope(a_bundle(paths=()), terms, NOW).value is None


def test_what_is_known_is_read_from_documents_of_any_kind(tmp_path: Path) -> None:
    """Advisories, bundles, evidence; what cannot be read is listed, what is withdrawn is not."""
    known = tmp_path / "known"
    known.mkdir()
    (known / "osv.json").write_text(json.dumps(OSV))
    (known / "gone.json").write_text(
        json.dumps(OSV | {"id": "X-1", "withdrawn": "2026-02-01T00:00:00Z"})
    )
    (known / "broken.json").write_text("{")
    folder(known / "report")
    place = folder(tmp_path / "mine")
    done = asked(read_bundle(place), FakeLab(head=FakeBench([FIRED])))
    (known / "evidence.json").write_bytes(checking.evidence_record(done, read_bundle(place)))
    found, faults = earlier(known)
    by_id = {one.id: one for one in found}
    assert set(by_id) == {"GHSA-aaaa-bbbb-cccc", f"report/{FILE}", "evidence.json"}
    assert "CVE-2026-0001" in by_id["GHSA-aaaa-bbbb-cccc"].names
    assert by_id["evidence.json"].crash == ("heap-buffer-overflow", "parse", "main")
    assert [one.split(":")[0] for one in faults] == ["broken.json"]
    assert (
        asked(read_bundle(place), FakeLab(head=FakeBench([FIRED])), known=found).known.value is True
    )


def test_a_bundle_is_not_compared_with_itself(tmp_path: Path) -> None:
    """Nor with evidence of its own."""
    place = folder(tmp_path / "report")
    assert earlier(tmp_path, [place]) == ((), ())
    assert len(earlier(tmp_path)[0]) == 1


def test_too_much_to_compare_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No folder, too many documents, a document too long."""
    with pytest.raises(NotFound):
        earlier(tmp_path / "absent")
    (tmp_path / "a.json").write_text(json.dumps(OSV))
    monkeypatch.setattr(checking, "_DOCUMENT_BYTES_MAX", 3)
    assert earlier(tmp_path)[1] == ("a.json: longer than 3 bytes",)
    shutil.copy(tmp_path / "a.json", tmp_path / "b.json")
    monkeypatch.setattr(checking, "KNOWN_MAX", 1)
    with pytest.raises(Invalid):
        earlier(tmp_path)


def test_a_purl_that_is_none_is_no_package() -> None:
    """It keeps nothing from being tried."""
    done = asked(a_bundle(purl="no purl"), FakeLab(head=FakeBench([FIRED])))
    record = json.loads(checking.evidence_record(done, a_bundle(purl="no purl")))
    assert record["bundle"]["package"] == ""


def test_a_build_that_is_said_to_repair_it() -> None:
    """Effective, ineffective, or not to be had: then nothing is said of either."""
    held: dict[str, Bench | str | Exception] = {
        "v2": FakeBench([SILENT]),
        "v3": FakeBench([FIRED]),
        "v4": "main.c:1: error",
    }

    def verdict(fixed: str) -> ReplayVerdict:
        lab = FakeLab(head=FakeBench([FIRED]), **held)
        return checking.tried(a_bundle(), lab, "head", lambda _: None, fixed)[0].verdict

    assert verdict("v2") is ReplayVerdict.FIX_EFFECTIVE
    assert verdict("v3") is ReplayVerdict.FIX_INEFFECTIVE
    assert verdict("v4") is ReplayVerdict.ENVIRONMENT_FAULT
