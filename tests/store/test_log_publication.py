"""Publishing from both databases, by several at once, and after the database was exchanged."""

import threading
from pathlib import Path

import pytest

from fake_log import ORIGIN, context, grow
from leadline.app import log
from leadline.app.context import Context
from leadline.app.verify import verify_bundle
from leadline.core.alert import Alert
from leadline.core.engagement.engagement import Engagement
from leadline.core.errors import Tampered
from leadline.settings import Home
from leadline.store.sql import SqlStore, open_store
from leadline.vault.keys import open_signer
from leadline.wiring.log import FolderOutlet

KINDS: dict[type, str] = {Alert: "alert", Engagement: "engagement"}


def installed(home: Home, store: SqlStore) -> Context:
    """An installation in *home* over *store*."""
    home.keys.mkdir(parents=True, exist_ok=True)
    return context(FolderOutlet(home), store=store, signer=open_signer(home.keys / "k", ORIGIN))


def test_several_publish_at_once_and_the_folder_verifies(database_url: str, tmp_path: Path) -> None:
    """Each through a store of its own, as processes do; every head continues the last."""
    home = Home(tmp_path)
    failures, sizes = list[BaseException](), list[int]()
    stores = [open_store(database_url, kinds=KINDS) for _ in range(3)]

    def run(number: int) -> None:
        ctx = installed(home, stores[number])
        try:
            for step in range(3):
                grow(ctx, 40, 1000 * number + 40 * step)
                sizes.append(log.publish(ctx).size)
        except BaseException as error:  # noqa: BLE001 -- shown by the test
            failures.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert max(sizes) == 360
    ctx = installed(home, stores[0])
    found = verify_bundle(home.log, ctx.signer.vkeys())
    assert (found.kind, found.size) == ("tiles", 360)
    proof = log.prove(ctx, "act-11010")
    assert log.check(proof, log.policy_of(ctx)).head.size == 360
    for store in stores:
        store.close()


def test_a_database_put_in_its_place_is_not_signed(database_url: str, tmp_path: Path) -> None:
    """Another one, empty or as long: the memory beside the keys tells, and it stays unchanged."""
    home = Home(tmp_path)
    old = open_store(f"sqlite:///{tmp_path / 'old.db'}", kinds=KINDS)
    first = installed(home, old)
    grow(first, 30)
    log.publish(first)
    kept = (home.keys / "log.checkpoint").read_bytes()
    store = open_store(database_url, kinds=KINDS)
    other = installed(home, store)
    for count in (0, 30, 5):
        grow(other, count, 500 + count)
        with pytest.raises(Tampered):
            log.publish(other)
    assert kept == (home.keys / "log.checkpoint").read_bytes()
    assert (home.keys / "log.incidents").read_text("utf-8").count("\n") == 3
    with store.read() as view:
        assert view.signed() is None
        assert view.log_size() == 35
    log.publish(first)
    assert not (home.keys / "log.incidents").exists()
    store.close()
    old.close()
