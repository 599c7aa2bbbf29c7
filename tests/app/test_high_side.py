"""Two installations and a directory between them."""

import os
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

import pytest

import make
import sealed_world as sw
from fakes import MemorySigner
from leadline.app import high_side, sealed
from leadline.app.high_side import Asking
from leadline.core.errors import Invalid, NotFound, Refused, Unavailable
from leadline.core.record.act import Kind
from leadline.core.sealed.pack import Pack
from leadline.core.sealed.verdict import RunRequest, Verdict
from leadline.formats import verdict as texts
from leadline.store.sql import open_store
from leadline.wiring.home import KINDS
from sealed_world import Measure, World


@dataclass
class Sides:
    """A low and a high side over two stores, and the directory."""

    low: World
    high: World
    directory: Path

    def ask(self, pack: Pack, model: str = sw.MODEL, days: int = 7) -> RunRequest:
        """The low side's request about the high side's pack."""
        asking = Asking(pack.name, model, "family-a", sw.TERMS, days)
        return high_side.ask(self.low.ctx("lead"), make.ENGAGEMENT, asking, self.directory)

    def answer(self, pack: Pack, request: RunRequest, solved: int = 18) -> Verdict:
        """The high side takes the request, runs its pack, and sends the verdict."""
        ctx = self.high.ctx("keeper")
        high_side.take(ctx, self.directory, self.low.signer.vkeys())
        session, _ = self.high.ran(pack, Measure(solved), model=request.model)
        sealed.release_score(self.high.ctx("lead"), session.id, sw.limits())
        return high_side.send(self.high.ctx("keeper"), request.id, session.id, self.directory)

    def receive(self) -> list[high_side.Taken]:
        """The low side imports."""
        keys = self.high.signer.vkeys()
        return high_side.receive(self.low.ctx("lead"), make.ENGAGEMENT, self.directory, keys)

    @property
    def verdicts(self) -> Path:
        """Where verdicts come back."""
        return self.directory / high_side.VERDICTS


@pytest.fixture
def sides(sqlite_url: str, postgres_url: str, tmp_path: Path) -> Iterator[Sides]:
    """The low side on SQLite, the high side on PostgreSQL, each with keys of its own."""
    with (
        closing(open_store(sqlite_url, kinds=KINDS)) as low,
        closing(open_store(postgres_url, kinds=KINDS)) as high,
    ):
        directory = tmp_path / "between"
        yield Sides(
            World(low, signer=MemorySigner("low.example/log")),
            World(high, signer=MemorySigner("high.example/log")),
            directory,
        )


@pytest.mark.postgres
def test_a_request_goes_up_and_only_a_signed_verdict_comes_back(
    sides: Sides, sqlite_url: str
) -> None:
    """The low side learns a band; of the high side's items no byte reaches it or the directory."""
    pack = sides.high.pack(25, hidden=True)
    request = sides.ask(pack)
    verdict = sides.answer(pack, request)
    [taken] = sides.receive()
    assert taken.refused == ""
    with sides.low.store.read() as view:
        [row] = view.find(Verdict)
    assert verdict == row.value
    assert (row.value.low, row.value.high) == (80, 90)
    assert [f"{request.id}.verdict"] == [path.name for path in sides.verdicts.iterdir()]
    assert len(sides.low.acts(Kind.VERDICT_RECEIVED)) == 1
    assert len(sides.high.acts(Kind.VERDICT_SENT)) == 1
    everything = [path for path in sides.directory.rglob("*") if path.is_file()]
    everything += Path(sqlite_url.removeprefix("sqlite:///")).parent.glob("leadline.db*")
    seeking = [sw.CANARY, *(item.commitment.hex().encode() for item in sw.items(25))]
    assert everything
    for path in everything:
        content = path.read_bytes()
        assert not any(sought in content for sought in seeking), path.name


@dataclass
class Bait:
    """A verdict that was good a moment ago, to be spoilt by a test."""

    sides: Sides
    request: RunRequest
    verdict: Verdict
    path: Path

    def signed(self, verdict: Verdict, *, signer: MemorySigner | None = None) -> bytes:
        """A verdict as the high side, or somebody else, would sign it."""
        by = signer or self.sides.high.signer
        return by.sign(texts.encode_verdict(verdict)).encode()


@pytest.fixture
def bait(sqlite_url: str, tmp_path: Path) -> Iterator[Bait]:
    """Both sides on SQLite, one request, and a verdict that answers it, not imported yet."""
    with (
        closing(open_store(sqlite_url, kinds=KINDS)) as low,
        closing(open_store(f"{sqlite_url}.high", kinds=KINDS)) as high,
    ):
        sides = Sides(
            World(low, signer=MemorySigner("low.example/log")),
            World(high, signer=MemorySigner("high.example/log")),
            tmp_path / "between",
        )
        pack = sides.high.pack(25)
        request = sides.ask(pack)
        verdict = sides.answer(pack, request)
        yield Bait(sides, request, verdict, sides.verdicts / f"{request.id}.verdict")


def refused(bait: Bait) -> list[high_side.Taken]:
    """Import; nothing is taken, each refusal is an act and an alert, and no row is kept."""
    found = bait.sides.receive()
    acts = bait.sides.low.acts(Kind.VERDICT_REFUSED)
    assert [one.refused != "" for one in found] == [True] * len(found)
    assert len(acts) == len(found) == len(bait.sides.low.alerts())
    assert bait.sides.low.acts(Kind.VERDICT_RECEIVED) == []
    with bait.sides.low.store.read() as view:
        assert not view.find(Verdict)
    return found


def test_a_verdict_is_taken_once_and_known_afterwards(bait: Bait) -> None:
    """A second import of the same directory changes nothing."""
    first = bait.sides.receive()
    again = bait.sides.receive()
    assert [one.refused for one in first + again] == ["", ""]
    assert len(bait.sides.low.acts(Kind.VERDICT_RECEIVED)) == 1
    assert bait.sides.low.alerts() == []


def test_a_second_verdict_on_one_request_is_refused(bait: Bait) -> None:
    """Signed and well-formed, but the request was answered."""
    bait.sides.receive()
    bait.path.write_bytes(bait.signed(replace(bait.verdict, low=90, high=100)))
    [one] = bait.sides.receive()
    assert "answered already" in one.refused
    assert len(bait.sides.low.acts(Kind.VERDICT_REFUSED)) == 1


def test_a_verdict_replayed_as_the_answer_to_another_request_is_refused(bait: Bait) -> None:
    """The file is named after another request, or says so inside."""
    other = bait.sides.ask(bait.sides.high.pack(25))
    target = bait.sides.verdicts / f"{other.id}.verdict"
    target.write_bytes(bait.path.read_bytes())
    bait.path.unlink()
    [one] = refused(bait)
    assert "named after the request" in one.refused
    target.write_bytes(bait.signed(replace(bait.verdict, asked=other.id)))
    [one] = bait.sides.receive()
    assert "another request" in one.refused


def test_a_verdict_nobody_asked_for_is_refused(bait: Bait) -> None:
    """A request of some other installation."""
    asked = "request-" + "0" * 32
    bait.path.unlink()
    (bait.sides.verdicts / f"{asked}.verdict").write_bytes(
        bait.signed(replace(bait.verdict, asked=asked))
    )
    [one] = refused(bait)
    assert "nobody here asked" in one.refused


def test_a_verdict_after_the_request_has_ended_is_refused(bait: Bait) -> None:
    """Seven days and no more."""
    bait.sides.low.later(days=7)
    [one] = refused(bait)
    assert "ended on" in one.refused


def test_any_changed_byte_of_a_verdict_is_refused(bait: Bait) -> None:
    """Flipped at forty places, cut, or lengthened."""
    whole = bait.path.read_bytes()
    places = range(0, len(whole), max(1, len(whole) // 40))
    for place in places:
        changed = bytearray(whole)
        changed[place] ^= 1
        bait.path.write_bytes(changed)
        [one] = bait.sides.receive()
        assert one.refused, place
    for changed_ in (whole[:-1], whole + b"\n", b"", whole + whole):
        bait.path.write_bytes(changed_)
        [one] = bait.sides.receive()
        assert one.refused
    assert bait.sides.low.acts(Kind.VERDICT_RECEIVED) == []
    bait.path.write_bytes(whole)
    assert [one.refused for one in bait.sides.receive()] == [""]


def test_a_verdict_by_another_key_is_refused(bait: Bait) -> None:
    """Somebody else's signature under the same form and even the same name."""
    for name in ("high.example/log", "other.example/log"):
        bait.path.write_bytes(bait.signed(bait.verdict, signer=MemorySigner(name + "x")))
        [one] = bait.sides.receive()
        assert "signature" in one.refused
    assert bait.sides.low.acts(Kind.VERDICT_RECEIVED) == []


def test_a_signed_text_of_another_form_is_refused(bait: Bait) -> None:
    """The high side itself cannot say more than was agreed: a note, a field, a checkpoint."""
    sign = bait.sides.high.signer.sign
    told = texts.encode_verdict(bait.verdict)
    for text in (
        "the answer is yes\n",
        told.replace('"mode":"custody"', '"mode":"custody","note":"hello"'),
        told.replace('"items":25', '"items":"25"'),
        told.replace("verdict/v1", "verdict/v2"),
    ):
        bait.path.write_bytes(sign(text).encode())
        [one] = bait.sides.receive()
        assert one.refused
    assert bait.sides.low.acts(Kind.VERDICT_RECEIVED) == []


def test_nothing_but_plain_files_with_a_verdict_is_taken(bait: Bait, tmp_path: Path) -> None:
    """Links, second names, pipes, folders, large files, other names: refused and never waited on."""
    good = bait.path.read_bytes()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes(good)
    bait.path.unlink()
    folder, name = bait.sides.verdicts, bait.path.name

    def twice() -> None:
        (folder / name).write_bytes(good)
        os.link(folder / name, tmp_path / "second")

    makings: dict[str, Callable[[], object]] = {
        "link": lambda: (folder / name).symlink_to(elsewhere),
        "second name": twice,
        "pipe": lambda: os.mkfifo(folder / name),
        "folder": (folder / name).mkdir,
        "large": lambda: (folder / name).write_bytes(good + b"\n" * texts.FILE_BYTES_MAX),
        "other name": lambda: (folder / "notes.txt").write_bytes(b"hello"),
        "odd name": lambda: (folder / "a\nb\x1b[31m.verdict").write_bytes(good),
    }
    for made in makings.values():
        made()
        [one] = bait.sides.receive()
        assert one.refused
        assert one.name.isprintable()
        for path in list(folder.iterdir()):
            path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
        (tmp_path / "second").unlink(missing_ok=True)
    acts = bait.sides.low.acts(Kind.VERDICT_REFUSED)
    assert len(acts) == len(makings) == len(bait.sides.low.alerts())
    assert "\x1b" not in str(acts)


def test_a_flooded_directory_is_not_looked_at(bait: Bait) -> None:
    """More entries than could be verdicts: unavailable, with the cure."""
    for number in range(high_side.ENTRIES_MAX):
        (bait.sides.verdicts / f"x{number}").touch()
    with pytest.raises(Unavailable, match="empty it"):
        bait.sides.receive()
    assert bait.sides.low.acts(Kind.VERDICT_REFUSED) == []


def test_an_absent_directory_holds_nothing(bait: Bait, tmp_path: Path) -> None:
    """Before the first verdict."""
    bait.sides.directory = tmp_path / "nowhere"
    assert bait.sides.receive() == []
    (tmp_path / "nowhere").write_bytes(b"")
    with pytest.raises(Unavailable):
        bait.sides.receive()


def test_the_high_side_takes_signed_requests_in_time_only(bait: Bait) -> None:
    """Another signer's, a changed, a renamed or a late one is an alert and no request."""
    outbox = bait.sides.directory / high_side.OUTBOX
    keeper = bait.sides.high.ctx("keeper")
    assert high_side.requests(keeper) == []  # the one that was asked is answered
    fresh = bait.sides.ask(bait.sides.high.pack(25))
    path = outbox / f"{fresh.id}.request"
    good = path.read_bytes()
    other = "request-" + "0" * 32
    spoilt = {
        path.name: good.replace(b"family-a", b"family-b"),
        f"{other}.request": good,
        "x.request": MemorySigner("else.example/x").sign(texts.encode_request(fresh)).encode(),
    }
    path.unlink()
    for name, content in spoilt.items():
        (outbox / name).write_bytes(content)
    taken = high_side.take(keeper, bait.sides.directory, bait.sides.low.signer.vkeys())
    assert sorted(one.name for one in taken if one.refused) == sorted(spoilt)
    assert len(bait.sides.high.alerts()) == 3
    for name in spoilt:
        (outbox / name).unlink()
    path.write_bytes(good)
    high_side.take(keeper, bait.sides.directory, bait.sides.low.signer.vkeys())
    assert [one.id for one in high_side.requests(keeper)] == [fresh.id]
    bait.sides.high.later(days=7)
    late = high_side.take(
        bait.sides.high.ctx("keeper"), bait.sides.directory, bait.sides.low.signer.vkeys()
    )
    assert all("ended on" in one.refused for one in late)


def test_a_verdict_answers_the_request_it_was_run_for(bait: Bait) -> None:
    """Another set, another model, an absent or answered request, a score not released: refused."""
    sides = bait.sides
    pack = sides.high.pack(25)
    session, _ = sides.high.ran(pack, Measure(18))
    keeper = sides.high.ctx("keeper")
    with pytest.raises(Refused, match="a verdict comes after"):
        high_side.send(keeper, bait.request.id, session.id, sides.directory)
    sealed.release_score(sides.high.ctx("lead"), session.id, sw.limits())
    with pytest.raises(Refused, match="another set"):
        high_side.send(keeper, bait.request.id, session.id, sides.directory)
    with pytest.raises(NotFound, match="no request"):
        high_side.send(keeper, "request-none", session.id, sides.directory)
    with pytest.raises(NotFound, match="no session"):
        high_side.send(keeper, bait.request.id, "session-none", sides.directory)
    request = sides.ask(pack)
    high_side.take(keeper, sides.directory, sides.low.signer.vkeys())
    high_side.send(keeper, request.id, session.id, sides.directory)
    with pytest.raises(Refused, match="answered already"):
        high_side.send(keeper, request.id, session.id, sides.directory)


def test_a_request_says_nothing_but_what_was_agreed(bait: Bait) -> None:
    """A sentence in place of a digest never reaches the outbox."""
    before = sorted((bait.sides.directory / high_side.OUTBOX).iterdir())
    asking = Asking("my pack", sha256(b"m").hexdigest(), "family-a", sw.TERMS, 7)
    with pytest.raises(Invalid, match="pack"):
        high_side.ask(bait.sides.low.ctx("lead"), make.ENGAGEMENT, asking, bait.sides.directory)
    assert before == sorted((bait.sides.directory / high_side.OUTBOX).iterdir())
