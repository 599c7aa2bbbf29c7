"""The runner measures a model through a relay; the evidence says what the relay committed to."""

import asyncio
import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import pytest

from leadline.core.access import EPOCH
from leadline.core.assessment import Budget, SampleResult, ShardResult
from leadline.core.identity import CHANGED
from leadline.relay import journal as journals
from leadline.relay.ledger import Caps, Credential
from leadline.relay.server import Listening, Server, upstream_at
from leadline.relay.state import State
from leadline.runner import endpoint, identified, subject
from leadline.runner.shard import Report, ShardJob
from leadline.suites.planted import SUITE
from leadline.vault.keys import open_signer
from leadline.wiring.home import clock
from model_server import Script, serving
from relay.relay_world import KEY, ORIGIN, dialect
from runner.scripted import SEED

pytestmark = [
    # Inspect and the HTTP client leave streams of their own to the garbage collector
    pytest.mark.filterwarnings(
        "ignore:Exception ignored in:pytest.PytestUnraisableExceptionWarning"
    ),
    pytest.mark.filterwarnings("ignore:Unclosed <Memory:ResourceWarning"),
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
    pytest.mark.filterwarnings("ignore:The 'initial' parameter:DeprecationWarning"),  # Inspect's
]
MODEL = "openai-api/relayed/scripted"


@pytest.fixture
def relayed(tmp_path: Path) -> Iterator[tuple[Script, State]]:
    """A scripted model behind a relay, whose address and credential the environment gives."""
    script, ready, ends = Script(), threading.Event(), asyncio.Event()
    folder, found = tmp_path / "relay", dict[str, object]()
    with serving(script) as url, pytest.MonkeyPatch.context() as patch:

        async def run() -> None:
            journal = journals.open_journal(folder, open_signer, ORIGIN, clock())
            state = State(journal, (dialect("openai-chat"),), clock)
            server = Server(state, upstream_at(url.removesuffix("/v1"), KEY, None), folder)
            like = Credential(
                "", "", "e-1", "", EPOCH, models=("scripted",), caps=Caps(requests_a_minute=0)
            )
            made, secret = state.issue(like, lifetime=timedelta(hours=1))
            async with server.serving(Listening()) as port:
                patch.setenv("RELAYED_BASE_URL", f"http://127.0.0.1:{port}/{made.prefix}/v1")
                patch.setenv("RELAYED_API_KEY", secret)
                found.update(state=state, loop=asyncio.get_running_loop())
                ready.set()
                await ends.wait()
            journal.close()

        thread = threading.Thread(target=lambda: asyncio.run(run()))
        thread.start()
        assert ready.wait(30)
        state, loop = found["state"], found["loop"]
        assert isinstance(state, State)
        assert isinstance(loop, asyncio.AbstractEventLoop)
        yield script, state
        loop.call_soon_threadsafe(ends.set)
        thread.join(30)


def asked(job: ShardJob, *, times: int = 2) -> ShardResult:
    """A shard in which the model is only asked: what a whole one does is tested elsewhere."""

    async def ask() -> list[str]:
        async with endpoint.open_model(MODEL) as model:
            return [(await model.generate("Hello.")).model for _ in range(times)]

    job.logs.mkdir(parents=True, exist_ok=True)
    names = sorted(set(asyncio.run(ask())))
    samples = tuple(
        SampleResult(item, 1, "scored", solved=True, outcome="", reported=", ".join(names))
        for item in job.items
    )
    return ShardResult(job.shard, MODEL, job.suite.name, 1, samples)


def test_a_model_is_measured_through_a_relay(
    relayed: tuple[Script, State], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Journal head and credential stand in the evidence, at start and end; a change is set apart."""
    script, state = relayed
    runnable = replace(subject.resolve(MODEL, Budget(seconds=60)), patience_seconds=30)
    known = identified.identify(runnable)
    assert known.reported == ("scripted",)

    def shard(job: ShardJob, runnable: object, report: Report) -> ShardResult:
        return asked(job)

    monkeypatch.setattr(identified, "run_shard", shard)
    job = ShardJob("shard-1", 1, SUITE, ("a", "b"), SEED, 1, tmp_path / "items", tmp_path / "logs")
    found = identified.run_identified(job, runnable, known, lambda done, note: None)
    assert {one.state for one in found.samples} == {"scored"}
    [(name, digest)] = found.logs.items()
    told = (tmp_path / "logs" / name).read_bytes()
    assert digest == sha256(told).hexdigest()
    both = json.loads(told)
    [credential] = state.journal.ledger.credentials
    keys = (tmp_path / "relay" / journals.KEYS).read_text()
    sizes = [journals.signed_head(both[at]["head"].encode(), keys).size for at in ("start", "end")]
    assert sizes[1] - sizes[0] == 4  # two exchanges, each begun and ended
    assert both["start"]["credential"] == both["end"]["credential"] == credential

    def changing(job: ShardJob, runnable: object, report: Report) -> ShardResult:
        script.name = "successor"
        asked(job, times=1)
        script.name = "scripted"
        return asked(job, times=1)

    monkeypatch.setattr(identified, "run_shard", changing)
    again = identified.run_identified(
        replace(job, token=2), runnable, known, lambda done, note: None
    )
    assert {(one.state, one.outcome) for one in again.samples} == {("infra", CHANGED)}
    assert "scripted -> successor" in again.samples[0].reason
    assert state.journal.ledger.counts["changed"] == 1


def test_a_relay_that_does_not_answer_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """And where there is no relay, nothing is said of one."""
    monkeypatch.setenv("GONE_API_KEY", "x")
    monkeypatch.setenv("GONE_BASE_URL", f"http://127.0.0.1:9/{'a' * 32}/v1")
    told = endpoint.relay_state("openai-api/gone/m")
    assert told == {"credential": "", "head": endpoint.NOT_EVIDENCED, "subject_changed": ""}
    monkeypatch.setenv("PLAIN_API_KEY", "x")
    monkeypatch.setenv("PLAIN_BASE_URL", "http://127.0.0.1:9/v1")
    assert endpoint.relay_state("openai-api/plain/m") == {}
