"""Two installations and a directory between them."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

import make
import sealed_world as sw
from fakes import MemorySigner
from leadline.app import high_side, sealed
from leadline.app.high_side import Asking
from leadline.core.record.act import Kind
from leadline.core.sealed.pack import Pack
from leadline.core.sealed.verdict import RunRequest, Verdict
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
