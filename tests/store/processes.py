"""Programs that the process tests start, kill and suspend: `python processes.py WHAT URL NAME`.

They say on standard output what they did, a line each, flushed at once.
"""

import sys
import time
from datetime import UTC, datetime
from itertools import count

from leadline.core.record.act import Act, Kind
from leadline.store.shards import open_executor
from leadline.store.sql import open_store

LEASE_SECONDS = 1.0
BEAT_SECONDS = 0.1
PAUSE_SECONDS = 0.01  # lets the other writer have the lock, and the log stay short


def now() -> datetime:
    """The time; these programs are edges of their own."""
    return datetime.now(UTC)  # noqa: TID251 -- as the docstring says


def say(*words: object) -> None:
    """One line, at once."""
    print(*words, flush=True)  # noqa: T201 -- the parent reads it


def work(url: str, name: str, beats: int) -> None:
    """Claim, beat *beats* times, finish; until nothing is left for two leases."""
    table = open_executor(url)
    say("ready")
    idle = 0.0
    while idle < 2 * LEASE_SECONDS:
        shard = table.claim(name, now=now(), lease_seconds=LEASE_SECONDS)
        if shard is None:
            time.sleep(BEAT_SECONDS)
            idle += BEAT_SECONDS
            continue
        idle = 0.0
        say("claimed", shard.id, shard.token)
        going = True
        for done in range(beats):
            time.sleep(BEAT_SECONDS)
            going = table.heartbeat(shard, now=now(), done=done, note="")
            if not going:
                say("stopped", shard.id, shard.token)
                break
        if going:
            table.finish(shard, now=now(), result=f"{shard.id} {shard.token}")
            say("finished", shard.id, shard.token)


def record(url: str, name: str) -> None:
    """Record acts for ever, each told once it is committed."""
    store = open_store(url, kinds={})
    for number in count():
        with store.write() as tx:
            index = tx.record(
                Act(f"{name}-{number}", Kind.EVIDENCE_SEALED, now(), name, "about", "engagement")
            )
        say("recorded", index, f"{name}-{number}")
        time.sleep(PAUSE_SECONDS)


def main() -> None:
    """Run what is asked for."""
    what, url, name = sys.argv[1:]
    if what == "record":
        record(url, name)
    else:
        work(url, name, beats={"work": 1, "hold": 100_000}[what])


if __name__ == "__main__":
    main()
