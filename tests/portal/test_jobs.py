"""What an installation does by itself: in one process alone, again after it broke down, and told of."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from identity.people import House, house, until
from leadline.app import forgetting, inquiry_draft, log, once, sign_in
from leadline.app.inquiry_draft import InquiryDraft
from leadline.app.ports import Store
from leadline.core.account import Challenge, Invitation, Session
from leadline.core.errors import Unavailable
from leadline.core.record.act import Kind
from leadline.wiring import administration, jobs
from leadline.wiring.jobs import Job, Keeper
from leadline.wiring.record import worker

ORIGIN = "https://localhost:8443"


@pytest.fixture
def both(tmp_path: Path, database_url: str) -> Iterator[House]:
    """An installation on each database."""
    with house(tmp_path, database_url) as found:
        yield found


def left(store: Store) -> dict[str, int]:
    """How much of each kind there is."""
    kinds = (once.Carried, Session, Invitation, Challenge, InquiryDraft)
    with store.read() as view:
        return {kind.__name__: len(view.find(kind)) for kind in kinds}


def test_what_is_over_is_forgotten_and_nothing_else(both: House) -> None:
    """Each kind at its own time; what can still be used stays."""
    at, store = both, both.door.parts.store
    at.enrol("ann", "developer", org="a-developer")
    at.enrol("ada", "administrator", org="installation")
    at.password("ann")
    at.signed_in("ann")
    at.enrol("new", "auditor")
    sign_in.invite(at.ctx("ada"), "new")
    inquiry_draft.begin(at.ctx("ann"))
    begun = once.begin(at.ctx("ann"), "key", "d", "/")
    assert isinstance(begun, once.Once)
    with begun.write() as tx:
        tx.record(at.ctx("ann").act(Kind.ALERT_RAISED, "a thing", ""))
    at.door.challenge()
    full = {"Carried": 1, "Session": 1, "Invitation": 1, "Challenge": 1, "InquiryDraft": 1}
    assert left(store) == full
    assert not any(forgetting.forget(store, at.clock.now + timedelta(days=6)).values())
    assert left(store) == full
    gone = forgetting.forget(store, at.clock.now + timedelta(days=31))
    assert gone == {"requests": 1, "sessions": 1, "invitations": 0, "challenges": 1, "drafts": 0}
    gone = forgetting.forget(store, at.clock.now + timedelta(days=38))
    assert gone["invitations"] == 1
    assert forgetting.forget(store, at.clock.now + timedelta(days=365))["drafts"] == 1
    assert not any(left(store).values())


def test_the_log_is_shown_as_it_grows_once_it_was_shown(at: House) -> None:
    """Never the first time, and not again while nothing happens."""
    parts = at.door.parts
    outlet = parts.context(worker()).outlet
    assert outlet is not None
    assert jobs.show(parts) == ""
    assert not outlet.shown()
    log.announce(parts.context(worker()))
    assert jobs.show(parts) == ""
    at.enrol("ann", "auditor")
    at.ctx("ann").alarm("a test", "a thing", "grew")
    shown = outlet.shown()
    assert "entries" in jobs.show(parts)
    assert outlet.shown() != shown
    assert jobs.show(parts) == ""


def test_a_job_that_broke_down_is_tried_again_and_told_of(at: House) -> None:
    """Later than one that did not; others go on; administrators see both."""
    done, now = list[str](), [0.0]

    def breaks() -> str:
        done.append("breaks")
        if done.count("breaks") == 1:
            raise Unavailable("a database that does not answer")
        return "well again"

    def quiet() -> str:
        done.append("quiet")
        return ""

    made = (Job("break", 5, breaks), Job("be quiet", 5, quiet))
    keeper = Keeper(at.door.parts, at.home, made, lambda: now[0])
    keeper.turn()
    keeper.turn()
    assert done == ["breaks", "quiet"]
    at.enrol("ada", "administrator", org="installation")
    (told,) = administration.by_itself(at.ctx("ada"), at.home)
    assert (told.name, told.good) == ("break", False)
    assert "does not answer" in told.told
    assert ("job", "break") in at.alerts()
    now[0] = 5.0
    keeper.turn()
    assert done == ["breaks", "quiet", "quiet"]
    now[0] = 5.0 * jobs.SLOWER
    keeper.turn()
    (told,) = jobs.last(at.home)
    assert (told.told, told.good) == ("well again", True)


def test_one_of_several_does_the_jobs_and_another_takes_its_place(at: House) -> None:
    """The lock is the file's, so that it holds between processes as between these threads."""
    turns = {"first": 0, "second": 0}

    def counting(name: str) -> Job:
        def do() -> str:
            turns[name] += 1
            return ""

        return Job(name, 0, do)

    keepers = {name: Keeper(at.door.parts, at.home, (counting(name),)) for name in turns}
    ends = {name: threading.Event() for name in turns}
    threads = {
        name: threading.Thread(target=one.until, args=(ends[name], 0.001))
        for name, one in keepers.items()
    }
    threads["first"].start()
    until(lambda: turns["first"] > 0)
    threads["second"].start()
    seen = turns["first"]
    until(lambda: turns["first"] > seen + 3)
    assert turns["second"] == 0
    ends["first"].set()
    until(lambda: turns["second"] > 0)
    ends["second"].set()
    for one in threads.values():
        one.join(20)
    # Whoever never got the lock ends all the same.
    with jobs.alone(at.home, threading.Event(), 0.001) as mine:
        assert mine
        ended = threading.Event()
        ended.set()
        with jobs.alone(at.home, ended, 0.001) as other:
            assert not other


def test_serving_does_the_jobs(at: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A round of each, as `leadline serve` has it."""
    monkeypatch.setattr(jobs, "LOOK_SECONDS", 0.001)
    made = jobs.jobs(at.door.parts, at.home, ORIGIN)
    assert [one.do() for one in made] == ["", "", ""]
    looked = threading.Event()

    def do() -> str:
        looked.set()
        return ""

    monkeypatch.setattr(jobs, "jobs", lambda *_: (replace(made[0], do=do),))
    with jobs.running(at.door.parts, at.home, ORIGIN):
        assert looked.wait(20)
