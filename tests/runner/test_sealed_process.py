"""The process in which a sealed pack runs: what passes between its two sides."""

import io
from collections.abc import Iterator
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import pytest

import sealed_world as sw
from leadline.app import sealed
from leadline.core.assessment import Budget
from leadline.core.errors import Invalid, LeadlineError, Refused, Tampered, Unavailable
from leadline.formats import canonical
from leadline.formats.pack import PackedFile, PackedItem
from leadline.formats.sealed_report import read_report
from leadline.formats.values import plain
from leadline.runner import sealed_process, sealed_suite
from leadline.runner.custody import Channel
from leadline.runner.sealed import Inside
from leadline.runner.sealed_process import ChildEngine, measurement, of_subject, send, serve, take
from leadline.store.sql import open_store
from leadline.wiring.home import KINDS
from sealed_world import Measure, World


@pytest.fixture
def child() -> Iterator[ChildEngine]:
    """A process of its own, which was given nothing yet."""
    engine = ChildEngine("baseline", Budget(runs=1))
    yield engine
    engine.close()


def test_the_process_says_which_code_it_is(child: ChildEngine) -> None:
    """Its measurement is that of the sources here; its channel is a fresh key."""
    public, measured = child.hello()
    assert measured == measurement()
    assert len(public) == 1184 + 32


def test_errors_inside_come_out_as_what_they_are(child: ChildEngine) -> None:
    """Refused before there is a pack; unavailable once it has ended."""
    with pytest.raises(Refused, match="needs an opened pack"):
        child.run()
    with pytest.raises(Refused, match="nothing ran"):
        child.report()
    child.close()
    with pytest.raises(Unavailable, match="has ended"):
        child.hello()
    child.close()


def exchange(
    inside: Inside, *requests: tuple[dict[str, object], bytes]
) -> list[tuple[object, bytes]]:
    """What an inner side answers to *requests*, over the very messages."""
    source, out = io.BytesIO(), io.BytesIO()
    for request, blob in requests:
        send(source, canonical.encode(plain(request)))
        send(source, blob)
    source.seek(0)
    serve(inside, source, out)
    out.seek(0)
    return [(canonical.decode(take(out)), take(out)) for _ in requests]


def test_a_whole_run_passes_through_the_messages(sqlite_url: str) -> None:
    """Session, shares and ciphertext in; counts, report and evidence out."""
    with closing(open_store(sqlite_url, kinds=KINDS)) as store:
        world = World(store)
        pack = world.pack(6)
        session = sealed.commit(world.ctx("lead"), pack.id, world.plan(), sw.limits())
        inside = Inside(Measure(4), sw.CODE)
        public, _ = inside.hello()
        channel = Channel(session.id, session.nonce, public)
        passed = world.through(pack, channel)
        material = sw.material(world, pack, session, passed)
        told: dict[str, object] = {
            "pack": material.pack,
            "shares": {str(place): share for place, share in passed.items()},
            "shown": material.shown,
            "seed": material.seed,
        }
        opening = {"do": "open", "session": session, "material": told, "scheme": material.scheme}
        answers = exchange(
            inside, (opening, material.ciphertext), ({"do": "run"}, b""), ({"do": "report"}, b"")
        )
    assert answers[0] == ({}, b"")
    assert answers[1] == ({"items": 6, "ours": 0}, b"")
    answer, evidence = answers[2]
    assert isinstance(answer, dict)
    report = read_report(str(answer["text"]).encode())
    assert (report.solved, report.evidence) == (4, sha256(evidence).hexdigest())


def test_what_goes_wrong_inside_is_told_without_content() -> None:
    """By its code and words; an inner side that was closed refuses."""
    inside = Inside(Measure(1), sw.CODE)
    inside.close()
    [(answer, blob)] = exchange(inside, ({"do": "hello"}, b""))
    assert answer == {
        "error": "refused",
        "words": "this channel was used; prepare another session",
    }
    assert blob == b""


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("refused", Refused),
        ("unavailable", Unavailable),
        ("tampered", Tampered),
        ("invalid", Invalid),
    ],
)
def test_each_kind_of_error_keeps_its_kind(code: str, kind: type[LeadlineError]) -> None:
    """On the outer side."""
    made = sealed_process.ERRORS[code]("words")
    assert isinstance(made, kind)
    assert "words" in str(made)


@pytest.mark.parametrize(
    "data", [b"", b"\0\0\0", (1 << 60).to_bytes(8, "big"), (5).to_bytes(8, "big") + b"abc"]
)
def test_a_message_that_is_none_is_the_end_of_the_run(data: bytes) -> None:
    """Nothing, half a length, a length beyond all bounds, a body cut off."""
    with pytest.raises(Unavailable, match="ended"):
        take(io.BytesIO(data))


def test_an_item_without_its_record_is_refused(tmp_path: Path) -> None:
    """A folder whose checks are absent or spoilt was never prepared."""
    with pytest.raises(Invalid, match="no record of its checks"):
        sealed_suite.qualification(tmp_path)
    (tmp_path / "checks.json").write_text("{}")
    with pytest.raises(Invalid, match="no record of its checks"):
        sealed_suite.qualification(tmp_path)


def test_an_items_files_come_back_as_they_were(tmp_path: Path) -> None:
    """Programs stay programs, links are left out, and every user can read."""
    item = sw.items(1)[0]
    sealed_suite.write(item, tmp_path / "item")
    (tmp_path / "item" / "link").symlink_to("item.json")
    assert sealed_suite.read(tmp_path / "item") == dict(item.files)
    assert (tmp_path / "item" / "fixed" / "program").stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "item" / "subject").stat().st_mode & 0o777 == 0o755


def test_a_host_that_leaks_shows_nothing(tmp_path: Path) -> None:
    """Where the egress proof fails, no item is written and none is run."""
    items = [PackedItem("i", bytes(32), {"a": PackedFile(b"x")})]
    with pytest.raises(Unavailable, match="nothing was shown"):
        sealed_suite.measured(
            items, tmp_path, "baseline", Budget(runs=1), lambda: (False, "0" * 64)
        )
    assert list(tmp_path.iterdir()) == []
    assert callable(of_subject("baseline", Budget(runs=1)))
