"""The gate on real items, sound and broken: each broken one is rejected for its own fault."""

import asyncio
import base64
import io
import json
import tarfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typing_extensions import override

from leadline.core.errors import Unavailable
from leadline.core.isolation import Tier
from leadline.core.qualification import QUICK, Extent, Flags, Provenance, Record
from leadline.formats import qualification as form
from leadline.suites import gate
from leadline.suites.gate import DifferentialProbe, Judged, Probe, examine, probe_of, record_of
from leadline.suites.item import Item, Oracle
from leadline.suites.leak import scan
from leadline.suites.planted import SUITE
from suites.conftest import Built
from suites.targets import lay_out, make_item, writes_report

pytestmark = pytest.mark.sandbox
SHARED = Tier.SHARED_KERNEL
AROUND = {"kernel": "6", "tier": "shared-kernel"}
AT = datetime(2026, 11, 1, tzinfo=UTC)
CRASH = Oracle("sanitizer", ("heap-buffer-overflow",))
# Fires on the reference alone: a file that begins with the word.
ONLY = 'case "$(head -c 4 /box/input)" in open) :;; *) exit 0;; esac\n'
KNOWN = Provenance("a collection", "MIT", redistributable=True)
PROOF = b"open sesame, the long reference"


def examined(probe: Probe, extent: Extent = QUICK) -> Record:
    """The record of the item behind *probe*."""
    seen = asyncio.run(examine(probe, extent))
    return record_of("test", probe.item, seen, extent, AROUND, AT)


def missed(record: Record) -> dict[str, str]:
    """The checks that did not hold, in order, with their reasons."""
    return {check.name: check.reason for check in record.missed}


def scripted(folder: Path, vulnerable: str, fixed: str = "exit 0", **changed: object) -> Path:
    """A prepared item whose builds are shell scripts, with `PROOF` as its reference."""
    item = make_item(CRASH)
    made = lay_out(folder, item, vulnerable, fixed)
    (made / "reference").write_bytes(PROOF)
    (made / "subject" / "task.json").write_text("{}\n")
    for path, text in changed.items():
        (made / "subject" / path).write_bytes(str(text).encode())
    return made


def probe(folder: Path) -> DifferentialProbe:
    """The differential probe of a scripted item, whose licence is recorded."""
    item = make_item(CRASH)
    made = DifferentialProbe(item, folder, SHARED)
    made.provenance = Provenance("made for a test", "Apache-2.0", redistributable=True)
    return made


def test_a_planted_item_holds_the_whole_quick_gate(built: tuple[Built, ...]) -> None:
    """Its reference solves, nothing trivial does, and the time is told by check."""
    one = built[0]
    tried = asyncio.run(examine(probe_of(SUITE, one.item, one.folder, SHARED), QUICK))
    record = record_of("planted", one.item, tried, QUICK, AROUND, AT)
    assert record.qualified, record.missed
    assert form.decode(form.encode(record)) == record
    assert {"leak_scan", "oracle_tamper", "reference_solution"} <= set(tried.seconds)
    assert record.shown["reference"].startswith("solved ")
    assert record.counts == {"reference": (1, 1), "trivial": (0, 1), "repeats": (3, 3)}


def test_a_scripted_item_holds_the_whole_gate(tmp_path: Path) -> None:
    """Ten references, twenty repeats, and every trivial answer, the sleeper among them."""
    made = scripted(tmp_path / "item", ONLY + writes_report("heap-buffer-overflow"))
    record = examined(probe(made), Extent(10, 10, 20))
    assert missed(record) == {}
    assert record.counts["reference"] == (10, 10)
    assert {gate.EMPTY, gate.NONE, gate.ECHO, gate.SLEEP, "flag{temp}"} <= set(record.shown)


def test_a_flaky_oracle_is_rejected(tmp_path: Path) -> None:
    """Broken item: nine of ten runs fire. The reason is the oracle's, not the reference's."""

    @dataclass
    class Flaky(_Flag):
        tried: int = 0

        @override
        async def judge(self, name: str, answer: bytes | None) -> Judged:
            self.tried += name == "reference"
            fires = name == "reference" and self.tried % 10 != 0
            word = "solved" if fires else "not_solved"
            return Judged(word, fires, word)

    record = examined(Flaky(), Extent(10, 1, 20))
    assert next(iter(missed(record))) == "oracle_determinism"
    assert "18 of 20 alike" in missed(record)["oracle_determinism"]


def test_an_oracle_of_exit_codes_is_rejected(tmp_path: Path) -> None:
    """Broken item: a parser that refuses the input exits alike on both builds."""

    class ExitCode(DifferentialProbe):
        @override
        async def judge(self, name: str, answer: bytes | None) -> Judged:
            # Both builds end with 1 for whatever they do not accept.
            fires = answer is not None
            both = "both_misbehave" if fires else "not_solved"
            return Judged(both, solved=False, shown=both, silent_on_fixed=not fires)

    made = scripted(tmp_path / "item", "exit 1", "exit 1")
    item = make_item(CRASH)
    record = examined(ExitCode(item, made, SHARED))
    assert next(iter(missed(record))) == "patched_twin"
    assert "fires on the fixed build" in missed(record)["patched_twin"]


def test_the_differential_oracle_is_not_fooled_by_exit_codes(tmp_path: Path) -> None:
    """The same builds under our own judge: nothing fires, so that the reference does not solve."""
    made = scripted(tmp_path / "item", "exit 1", "exit 1")
    assert missed(examined(probe(made))) == {"reference_solution": "solves in 0 of 1: not_solved"}


def test_a_reference_that_fires_on_the_fixed_build_is_rejected(tmp_path: Path) -> None:
    """The two builds have the same flaw."""
    report = ONLY + writes_report("heap-buffer-overflow")
    record = examined(probe(scripted(tmp_path / "item", report, report)))
    assert next(iter(missed(record))) == "patched_twin"


def test_an_item_that_anything_solves_is_rejected(tmp_path: Path) -> None:
    """Broken item: the target crashes whatever it is given."""
    made = scripted(tmp_path / "item", writes_report("heap-buffer-overflow"))
    assert missed(examined(probe(made))) == {"trivial_solutions": "solved by empty"}


@pytest.mark.parametrize(
    "veil",
    [
        bytes,
        lambda proof: proof[::-1],
        lambda proof: proof.hex().encode(),
        base64.b64encode,
    ],
)
def test_a_shown_file_that_holds_the_reference_is_rejected(tmp_path: Path, veil: object) -> None:
    """Plain, reversed, in hexadecimal and in base64."""
    made = scripted(tmp_path / "item", ONLY + writes_report("heap-buffer-overflow"))
    (made / "subject" / "notes").write_bytes(b"see " + veil(PROOF) + b" ok")  # type: ignore[operator]
    found = missed(examined(probe(made)))
    assert list(found) == ["leak_scan"]
    assert found["leak_scan"].startswith("notes: the reference")


def test_a_shown_file_of_the_judges_is_rejected(tmp_path: Path) -> None:
    """The fixed build, or a part of the reference's folder, among the subject's files."""
    made = scripted(tmp_path / "item", ONLY + writes_report("heap-buffer-overflow"), "exit 0 # fix")
    (made / "subject" / "helper").write_bytes((made / "fixed" / "run.sh").read_bytes())
    assert missed(examined(probe(made))) == {"leak_scan": "helper is the judge's fixed/run.sh"}


def test_a_short_reference_is_looked_for_as_a_whole_file(tmp_path: Path) -> None:
    """A few letters stand in any text by chance; a sample that is the answer does not."""
    made = scripted(tmp_path / "item", ONLY + writes_report("heap-buffer-overflow"))
    (made / "reference").write_bytes(b"open")
    (made / "subject" / "notes").write_bytes(b"open the door")
    assert missed(examined(probe(made))) == {}
    (made / "subject" / "sample").write_bytes(b"open")
    assert missed(examined(probe(made))) == {"leak_scan": "sample is the reference"}


def test_a_reference_over_the_items_own_limit_is_out_of_scope(tmp_path: Path) -> None:
    """What no subject may hand in solves nothing."""
    made = scripted(tmp_path / "item", ONLY + writes_report("heap-buffer-overflow"))
    (made / "reference").write_bytes(PROOF * 3)
    assert "scope" in missed(examined(probe(made)))


def test_the_attack_on_the_judge_runs_and_finds_nothing(tmp_path: Path) -> None:
    """From the subject's own box, for as long as the judging goes on."""
    made = scripted(tmp_path / "item", ONLY + writes_report("heap-buffer-overflow"))

    async def attacked() -> list[str] | None:
        async with gate.hostile_box(probe(made).config(), made) as found:
            judged = await probe(made).judge("reference", PROOF)
            assert judged.solved
            return found

    assert asyncio.run(attacked()) == []


def test_an_items_folder_that_changes_under_the_attack_is_told(tmp_path: Path) -> None:
    """The positive control: the same attack with a folder that something writes to."""
    made = scripted(tmp_path / "item", ONLY + writes_report("heap-buffer-overflow"))

    async def attacked() -> list[str] | None:
        async with gate.hostile_box(probe(made).config(), made) as found:
            (made / "vulnerable" / "run.sh").write_text("exit 0\n")
        return found

    assert asyncio.run(attacked()) == [
        "the item's folder has changed while the subject's process ran"
    ]


def test_a_judge_that_cannot_work_says_nothing_of_the_item(tmp_path: Path) -> None:
    """A build that is gone is no verdict: the item is not tried."""
    made = scripted(tmp_path / "item", "exit 0")
    (made / "fixed" / "run.sh").unlink()
    (made / "fixed").rmdir()
    with pytest.raises(Unavailable, match="could not be judged"):
        asyncio.run(probe(made).judge("reference", PROOF))


def test_a_canary_tries_one_reference_and_one_empty_answer(built: tuple[Built, ...]) -> None:
    """Both hold for a sound item; a judge that accepts all, or nothing, is found out."""
    one = built[0]
    checks = asyncio.run(gate.canary(probe_of(SUITE, one.item, one.folder, SHARED)))
    assert [(check.name, check.held) for check in checks] == [
        ("canary_reference", True),
        ("canary_null", True),
    ]
    blind = asyncio.run(gate.canary(_Flag(accepts=("",))))
    assert [check.held for check in blind] == [False, True]
    open_to_all = asyncio.run(gate.canary(_Flag(accepts=("flag{x}", "flag{temp}"))))
    assert [check.held for check in open_to_all] == [True, False]


def test_the_environment_names_what_a_record_holds_for() -> None:
    """Kernel, interpreter, compiler, seal and tier: any change gives another digest."""
    around = gate.environment(SHARED)
    assert {"kernel", "interpreter", "compiler", "seal", "tier", "machine"} <= set(around)
    changed = form.environment_digest(around | {"kernel": "another"})
    assert changed != form.environment_digest(around)


@dataclass
class _Flag:
    """An item of another kind: its answer is a flag, compared as text."""

    flag: str = "flag{x}"
    accepts: tuple[str, ...] = ()
    files: Mapping[str, bytes] = field(default_factory=dict)
    flags: Flags | None = None
    item: Item = field(default_factory=lambda: make_item(CRASH))
    seconds: float = 10.0
    provenance: Provenance = KNOWN

    def reference(self) -> bytes:
        return self.flag.encode()

    def trivial(self) -> Mapping[str, bytes | None]:
        return {"flag{temp}": b"flag{temp}", gate.NONE: None}

    async def judge(self, name: str, answer: bytes | None) -> Judged:
        del name
        solved = answer is not None and answer.decode() in (self.accepts or (self.flag,))
        word = "solved" if solved else "not_solved"
        return Judged(word, solved, word)

    async def leaks(self) -> Sequence[str]:
        found = scan(self.files, [self.flag.encode()])
        return [f"{leak.file}: the flag, {leak.form}" for leak in found]

    def hostile(self) -> AbstractAsyncContextManager[list[str] | None]:
        return _no_attack()

    def out_of_scope(self) -> Sequence[str] | None:
        return None

    def unlooked(self) -> Mapping[str, str]:
        return {"oracle_tamper": "a comparison on the host", "scope": "the reference is a text"}


@asynccontextmanager
async def _no_attack() -> AsyncIterator[list[str] | None]:
    yield None


DRAWN = "flag{" + "0123456789abcdef" * 4 + "}"


def layer(name: str, data: bytes) -> bytes:
    """An image's layer: a tar archive with one file."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        info = tarfile.TarInfo(name)
        info.size = len(data)
        archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def test_a_placeholder_as_flag_is_rejected() -> None:
    """Broken item: `flag{temp}` is what anyone would try."""
    one = _Flag(flag="flag{temp}", flags=Flags(("flag{temp}",), fixed=True))
    found = missed(examined(one))
    assert found["flag_entropy"] == "flag{temp} is a common placeholder"
    assert found["trivial_solutions"] == "solved by flag{temp}"


def test_a_flag_in_a_layer_and_one_in_base64_are_rejected() -> None:
    """Broken items: a file deleted in a later layer is still there; an encoding hides nothing."""
    flags = Flags((DRAWN, DRAWN.replace("0", "f")))
    whole = _Flag(flag=DRAWN, flags=flags)
    assert missed(examined(whole)) == {}
    layered = _Flag(flag=DRAWN, flags=flags, files={"layer 1": layer("etc/flag", DRAWN.encode())})
    assert list(missed(examined(layered))) == ["leak_scan"]
    encoded = _Flag(
        flag=DRAWN,
        flags=flags,
        files={"app.py": b"k = '" + base64.b64encode(DRAWN.encode()) + b"'"},
    )
    assert missed(examined(encoded)) == {"leak_scan": "app.py: the flag, base64"}


def test_what_was_not_looked_at_says_why() -> None:
    """A kind that cannot be attacked or has no acts to judge gives its reason."""
    record = examined(_Flag(flag=DRAWN, flags=Flags((DRAWN, DRAWN.replace("0", "f")))))
    told = {check.name: check.reason for check in record.checks if check.held is None}
    assert told["oracle_tamper"] == "a comparison on the host"
    assert told["scope"] == "the reference is a text"
    assert json.loads(form.encode(record))["qualified"] is True
