"""What adds power waits for its proof; what removes power waits for nothing."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from typing_extensions import override

from app.test_assess import prepared, workspace
from fake_log import MemoryOutlet, empty_head, policy, witness
from fake_vault import MemoryKeyStore
from fakes import MemorySigner
from leadline.app import assess, bundle, engagement, reporting
from leadline.app.assess import Script
from leadline.app.context import Context
from leadline.app.engagement import Desk
from leadline.core.engagement.engagement import State
from leadline.core.errors import Tampered, Unavailable
from leadline.core.record.act import Kind
from leadline.core.vaulting import Owner
from leadline.formats import checkpoint, note
from leadline.formats.checkpoint import Checkpoint
from leadline.store.sql import open_store
from leadline.wiring import home

NAMES = [f"body{n}.example/witness" for n in range(3)]
URLS = {f"http://w{n}.example" for n in range(3)}


def watched() -> tuple[MemoryOutlet, MemorySigner]:
    """An outlet with three witnesses, two of which are enough."""
    signer = MemorySigner(home.ORIGIN)
    outlet = MemoryOutlet(policy(signer.vkeys(), NAMES, "2"))
    for url, name in zip(sorted(URLS), NAMES, strict=True):
        outlet.witnesses[url] = witness(name, signer.vkeys())
    return outlet, signer


def shown(person: Callable[[], Context], outlet: MemoryOutlet) -> Callable[[], Context]:
    """The person at an installation that publishes its log."""
    return lambda: replace(person(), outlet=outlet)


@pytest.fixture
def played(tmp_path: Path) -> tuple[Script, MemoryOutlet]:
    """A whole assessment, recorded; nothing of it was published yet."""
    outlet, signer = watched()
    place = workspace(tmp_path)
    store = open_store(place.database, kinds=home.KINDS)
    script = prepared(place, store, signer=signer)
    desk = script.desk
    people = (desk.developer, desk.evaluator, desk.official, desk.coordinator)
    script = replace(script, desk=Desk(*(shown(person, outlet) for person in people)))
    assess.run(script)
    return script, outlet


def test_no_determination_and_no_notice_leaves_without_a_proof(
    played: tuple[Script, MemoryOutlet],
) -> None:
    """With none of three witnesses, or one, there is neither report nor bundle; with two there is."""
    script, outlet = played
    assert outlet.posted == []
    outlet.keep(empty_head(script.desk.evaluator()))
    for down in (URLS, URLS - {"http://w0.example"}):
        outlet.down = set(down)
        with pytest.raises(Unavailable, match="too few witnesses"):
            reporting.gather(script)
    outlet.down = {"http://w0.example"}
    ctx = script.desk.evaluator()
    with ctx.store.read() as view:
        notices = view.acts(kind=Kind.NOTICE_ISSUED)
        (determined,) = view.acts(kind=Kind.DETERMINATION_RECORDED)
    found = reporting.gather(script)
    assert set(found.proofs) == {determined.act.id, *(opened.act.id for opened in notices)}
    whole = bundle.contents(script, found)
    assert f"proofs/{determined.act.id}.tlog-proof" in whole.files
    assert whole.head.witnesses.startswith("Cosigned by body0.example/witness, ")


class Handles(MemoryKeyStore):
    """A key service that notes which handles it was told to end."""

    def __init__(self, *, fails: bool) -> None:
        self.fails, self.over = fails, list[tuple[str, Owner]]()

    @override
    def end(self, engagement: str, owner: Owner) -> None:
        """Noted; then away, where the test says so."""
        self.over.append((engagement, owner))
        if self.fails:
            raise Unavailable("the key service does not answer")


@pytest.mark.parametrize("broken", ["witnesses", "memory", "folder"])
def test_withdrawal_waits_for_nothing(played: tuple[Script, MemoryOutlet], broken: str) -> None:
    """Witnesses away, the memory beside the keys spoiled, the folder full: access ends at once."""
    script, outlet = played
    if broken == "witnesses":
        outlet.down = set(URLS)
    elif broken == "memory":
        outlet.kept = b"spoiled"
    else:
        outlet.files["tile/0/000.p/1"] = b"other"
    posted = list(outlet.posted)
    engagement.withdraw(script.desk.developer(), script.dealings)
    state, window = engagement.state_of(script.desk.developer(), script.dealings)
    assert state is State.WITHDRAWN
    assert not window.is_open(script.desk.developer().now)
    assert posted == outlet.posted


@pytest.mark.parametrize("fails", [False, True])
def test_a_withdrawal_ends_key_handles_by_itself(
    played: tuple[Script, MemoryOutlet], *, fails: bool
) -> None:
    """Nothing of the developer's opens afterwards; a key service that is away does not hold it up."""
    script, _ = played
    keys = Handles(fails=fails)
    if fails:
        with pytest.raises(Unavailable):
            engagement.withdraw(script.desk.developer(), script.dealings, keys)
    else:
        engagement.withdraw(script.desk.developer(), script.dealings, keys)
    assert keys.over == [(script.engagement, "developer")]
    state, _ = engagement.state_of(script.desk.developer(), script.dealings)
    assert state is State.WITHDRAWN


def test_a_log_set_back_gives_no_report(played: tuple[Script, MemoryOutlet]) -> None:
    """What was signed is more than what stands here: nothing is shown."""
    script, outlet = played
    reporting.gather(script)
    signed = checkpoint.parse(note.parse(outlet.kept).text)
    ahead = Checkpoint(home.ORIGIN, signed.size + 1, signed.root)
    outlet.kept = script.desk.evaluator().signer.sign(ahead.text).encode()
    with pytest.raises(Tampered, match="were signed"):
        reporting.gather(script)
