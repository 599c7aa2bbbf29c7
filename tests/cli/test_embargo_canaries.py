"""Canary strings in every embargoed field: no byte, name, log line or error shows one before publication."""

import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from clearing_values import finding
from clearing_world import INTAKE
from cli.test_advisory_commands import Office, office
from leadline.app import cases
from leadline.app.cases import NewParty
from leadline.core.access import Bounds
from leadline.core.clearing.disclosure import Role
from leadline.core.marking import Marking, Tlp
from leadline.core.record.act import to_record
from leadline.formats.canonical import encode

TEXT = """
id = "EXAMPLE-2026-9"
title = "canary-title"
publisher = "canary-publisher"
namespace = "https://canary-namespace.example"
found_by = "canary-found-by"
notes = ["canary-note"]
[[revision]]
at = 2026-03-01T09:00:00Z
summary = "canary-revision"
[[reference]]
url = "https://canary-url.example/1"
summary = "canary-reference"
[[credit]]
name = "canary-credit"
organisation = "canary-organisation"
[[flaw]]
ids = ["CVE-2026-77777"]
title = "canary-flaw"
description = "canary-description"
cwe = "CWE-787"
remedy = "canary-remedy"
workaround = "canary-workaround"
[[flaw.score]]
vector = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"
by = "canary-assessor"
[[flaw.package]]
purl = "pkg:pypi/canary-package"
affected = ["7.7.1+canary.version"]
fixed = ["7.7.2"]
complete = true
"""
WORDS = (b"canary", b"CVE-2026-77777", b"7.7.1", b"AV:N/AC:L")
NEVER_PUBLIC = (
    b"canary-observation",
    b"canary-contact",
    b"canary-need",
    b"canary-party",
    b"canary-case",
)


@pytest.fixture
def at(tmp_path: Path) -> Iterator[Office]:
    """An office whose case is full of canaries, with an outsider."""
    for made in office(tmp_path / "one"):
        house = made.terminal.house
        store = house.door.parts.store
        held = finding(title="canary-finding", purl="pkg:pypi/canary-package@7.7.1",
                       observation="canary-observation", found_by="canary-model", origin="ai")  # fmt: skip
        with store.write() as tx:
            tx.put(held.id, held, marking=Marking(Tlp.AMBER_STRICT), bounds=Bounds(case=INTAKE))
        case = cases.open_case(
            house.ctx("cora"), [held.id], title="canary-case", policy="leadline-default"
        )
        party = NewParty(Role.OWNER, "canary-party", "canary-contact@x.example",
                         ("pkg:pypi/canary-package",), need="canary-need")  # fmt: skip
        cases.add_party(house.ctx("cora"), case, party)
        until = house.clock.now + timedelta(days=30)
        house.enrol("eve", "operator", org="elsewhere", access_until=until)
        yield replace(made, case=case)


def shown_anywhere(at: Office, told: list[bytes]) -> bytes:
    """Every byte that left so far: outputs, the feed, the log, acts as they will be opened, file names."""
    parts = list(told)
    for folder in ("feed", "feed.states", "log"):
        found = sorted((at.home / folder).rglob("*"))
        parts += [path.read_bytes() for path in found if path.is_file()]
    parts += [str(path.relative_to(at.home)).encode() for path in sorted(at.home.rglob("*"))]
    with at.terminal.house.door.parts.store.read() as view:
        parts += [encode(to_record(one.act)) for one in view.acts()]
        parts += view.log_files().values()
    return b"\n".join(parts)


def test_nothing_embargoed_shows_before_publication(
    at: Office, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever asks, and however often; afterwards what is public shows, and the rest still does not."""
    caplog.set_level(logging.DEBUG)
    file = tmp_path / "x.toml"
    file.write_text(TEXT)
    at.ok("advisory", "draft", at.case, str(file))
    told = []
    for person, command in (
        ("eve", ("advisory", "show", at.case, "EXAMPLE-2026-9")),
        ("eve", ("advisory", "show", "case-none", "EXAMPLE-2026-9", "--json")),
        ("eve", ("advisory", "draft", at.case, str(file))),
        ("eve", ("hop", "list", at.case)),
        ("eve", ("hop", "send", at.case, str(tmp_path / "stolen"))),
        ("cora", ("advisory", "publish", at.case, "EXAMPLE-2026-9", at.key())),
        ("cora", ("feed", "build")),
    ):
        done = at.terminal.run(person, *command)
        told.append((done.stdout + done.stderr).encode())
        assert done.exit_code in ({0} if command[1] == "build" else {3, 4, 5}), done.output
    told.append(caplog.text.encode())
    assert not (tmp_path / "stolen").exists()
    seen = shown_anywhere(at, told)
    assert [word for word in WORDS if word in seen] == []
    at.over()
    at.ok("advisory", "publish", at.case, "EXAMPLE-2026-9", at.key())
    seen = shown_anywhere(at, [caplog.text.encode()])
    assert all(word in seen for word in WORDS)
    assert [word for word in NEVER_PUBLIC if word in seen] == []


def test_a_draft_from_findings_says_only_what_was_tried(at: Office) -> None:
    """The release that was tried is affected, the fixed one fixed; who found it is not in it."""
    ident = at.ok("advisory", "draft", at.case, "--fixed=pkg:pypi/canary-package@7.7.2")
    text = at.ok("advisory", "show", at.case, ident)
    assert "Affected: 7.7.1" in text
    assert "Not tried: before 7.7.2" in text
    assert "by an AI system" in text
    assert "canary-model" not in text


def test_the_outsider_is_told_the_same_with_and_without_the_case(
    at: Office, tmp_path: Path
) -> None:
    """What exists but is not theirs, and what does not exist, read alike."""
    file = tmp_path / "x.toml"
    file.write_text(TEXT)
    before = at.terminal.run("eve", "advisory", "show", at.case, "EXAMPLE-2026-9")
    at.ok("advisory", "draft", at.case, str(file))
    after = at.terminal.run("eve", "advisory", "show", at.case, "EXAMPLE-2026-9")
    assert (before.exit_code, before.output) == (after.exit_code, after.output)
