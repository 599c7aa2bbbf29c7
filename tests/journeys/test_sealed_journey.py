"""A sealed suite as people use it: planted items, custodians with key files, a runner of its own."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

import make
import sealed_world as sw
from leadline.app import approval, sealed
from leadline.app.pack_verify import verify
from leadline.core.approval import Request
from leadline.core.assessment import Budget
from leadline.core.errors import Tampered
from leadline.core.record.act import Kind
from leadline.core.sealed.session import LABELS
from leadline.formats.sealed_report import read_report
from leadline.store.sql import open_store
from leadline.wiring import sealed as wiring
from leadline.wiring.home import KINDS
from leadline.wiring.sealed import Place, Subject
from sealed_world import World

SECONDS_MAX = 120.0
pytestmark = pytest.mark.sandbox


@pytest.fixture
def world(sqlite_url: str) -> Iterator[World]:
    """An installation over SQLite."""
    with closing(open_store(sqlite_url, kinds=KINDS)) as store:
        yield World(store)


@dataclass
class Hands:
    """The people of one run, with their files."""

    world: World
    folder: Path

    def custodians(self) -> list[Path]:
        """Three new custodians."""
        made = [self.folder / f"custodian-{number}" for number in range(3)]
        for file in made:
            wiring.new_custodian(file)
        return made

    def unseal(self, session: str, exchange: Path) -> None:
        """The keeper asks, two officials and the keeper sign, the keeper authorises."""
        keeper = self.world.ctx("keeper")
        request = wiring.ask_unsealing(keeper, session, exchange)
        with self.world.store.read() as view:
            challenge = approval.challenge(view.get(Request, request).value)
        for person in ("keeper", "official", "second"):
            approval.approve(self.world.ctx(person), request, self.world.signed(person, challenge))
        wiring.unseal(keeper, session, request, exchange)

    def policy(self) -> Path:
        """The quorum file that custodians verify by."""
        file = self.folder / "policy"
        lines = "".join(f"log {line}\n" for line in self.world.signer.vkeys().splitlines())
        file.write_text(f"{lines}quorum none\n")
        return file


def test_planted_items_are_sealed_run_and_released_in_bands(world: World, tmp_path: Path) -> None:
    """From drawing the items to a reveal that verifies offline; no item in the clear stays behind."""
    hands = Hands(world, tmp_path)
    custodians = hands.custodians()
    public = [file.with_name(f"{file.name}.pub") for file in custodians]
    place = Place(make.ENGAGEMENT, frozenset({sw.COMPARTMENT}))
    pack = wiring.seal(world.ctx("keeper"), wiring.planted(public, 2), place)
    terms = tmp_path / "terms"
    terms.write_text("one showing each")
    subject = Subject("baseline", "tool-agents", Budget(runs=20_000), terms)
    session, commitment = wiring.commit(world.ctx("lead"), pack.id, subject)
    exchange, lead = tmp_path / "exchange", world.ctx("lead")
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(wiring.run, lead, session.id, subject, exchange, SECONDS_MAX)
        sw.appeared(exchange / wiring.QUOTE)
        hands.unseal(session.id, exchange)
        policy = hands.policy()
        assert [wiring.pass_on(exchange, file, policy) for file in custodians[1:]] == [[1], [2]]
        report = read_report(running.result(SECONDS_MAX).text)
    assert (report.items, report.ours, report.egress != "") == (2, 0, True)
    assert LABELS["local-process"] in report.says
    released = sealed.release_score(world.ctx("lead"), session.id, sw.limits())
    assert released.score.high - released.score.low == sw.limits().band_percent
    _, reveal = wiring.reveal(world.ctx("lead"), session.id)
    keys = world.signer.vkeys()
    found = verify(commitment.encode(), reveal.encode(), keys)
    assert (found.items, found.low) == (2, released.score.low)
    with pytest.raises(Tampered):
        verify(commitment.encode(), reveal.replace('"items":2', '"items":3').encode(), keys)
    assert len(world.acts(Kind.ITEM_EXPOSED)) == 2
    files = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert not any(b"heap-buffer-overflow" in content for content in files)
