"""A run that is begun from a page: what it needs, who drives it, what is said when nothing does, taking it up again."""

import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import IO, Any

import pytest

import make
from app.laboratory import FakeLaboratory
from identity.people import House, house
from leadline.app import engagement
from leadline.app.engagement import Dealings
from leadline.app.ports import Vault
from leadline.app.request import Request
from leadline.core.assessment import Plan
from leadline.core.errors import LeadlineError, Unavailable
from leadline.core.isolation import Tier
from leadline.core.record.act import Kind
from leadline.http.api import caller
from leadline.settings import Settings, Workspace
from leadline.store.shards import open_executor
from leadline.wiring import assess, runs
from portal.assessed_world import SUBJECT, open_engagement
from portal.visits import Visitor, visitor

KEYS = count()
RUN = f"/engagements/{make.ENGAGEMENT}/assessment"
FORM = {"suites": "planted", "subject": SUBJECT.name, "tokens": "20000", "items": "4"}


@pytest.fixture
def at(tmp_path: Path) -> Iterator[House]:
    """An installation with an engagement whose access is open; its people by name."""
    with house(tmp_path / "house") as found:
        open_engagement(found)
        yield found


@dataclass
class Host:
    """What stands in for this host: no process is started, no box is made."""

    at: House
    started: list[Path] = field(default_factory=list)
    locks: list[int] = field(default_factory=list)
    fails: str = ""

    def spawn(self, place: Workspace, lock: IO[bytes]) -> None:
        """A driver that holds the run's lock until it is told to work."""
        self.started.append(place.out)
        self.locks.append(os.dup(lock.fileno()))

    def tier(self, tier: Tier) -> None:
        """A host with a shared kernel and nothing else."""
        if tier is not Tier.SHARED_KERNEL:
            raise Unavailable(f"tier {tier} cannot be had here: no such machine")

    def laboratory(
        self, place: Workspace, settings: Settings, vault: Vault, request: Request
    ) -> tuple[FakeLaboratory, Request]:
        """One that is quick."""
        assert place.within is not None
        if self.fails:
            raise Unavailable(self.fails)
        return FakeLaboratory(open_executor(place.database), vault, SUBJECT), request

    def work(self) -> Plan:
        """Drive the run that was begun last."""
        place = runs.place_of(self.at.home, make.ENGAGEMENT)
        return runs.drive(place, Quiet(), self.locks.pop())

    def crash(self) -> None:
        """Drive it, and meet what the host fails with."""
        with pytest.raises(LeadlineError):
            self.work()


class Quiet:
    """Nobody watches."""

    def phase(self, text: str) -> None:
        """Said to nobody."""

    def note(self, text: str) -> None:
        """Said to nobody."""

    def samples(self, shards: object) -> None:
        """Shown to nobody."""


@pytest.fixture
def host(at: House, monkeypatch: pytest.MonkeyPatch) -> Iterator[Host]:
    """This host, without processes and boxes."""
    made = Host(at)
    monkeypatch.setattr(runs, "spawn", made.spawn)
    monkeypatch.setattr(runs, "require_tier", made.tier)
    monkeypatch.setattr(assess, "require_tier", made.tier)
    monkeypatch.setattr(assess, "host_laboratory", made.laboratory)
    monkeypatch.setattr(runs, "open_parts", lambda _home, _store: at.door.parts)
    yield made
    for lock in made.locks:
        os.close(lock)


def test_a_run_begins_from_the_plan_that_was_tried(at: House, host: Host) -> None:
    """It is prepared, planned, driven to its end; every act is in the name of whoever began it."""
    client = visitor(at, "evaluator")
    tried = client.get(RUN + "/plan", params=FORM).text
    assert "Start this run" in tried
    assert 'name="items" value="4"' in tried
    done = client.post(RUN, data=FORM)
    assert done.status_code == 303, done.text
    page = client.get(done.headers["location"]).text
    assert "The run is being prepared" in page
    assert Kind.ASSESSMENT_PLANNED not in at.kinds()
    plan = host.work()
    assert len(plan.items) == 5  # of two suites that the quick laboratory has, four at most of each
    assert plan.engagement == make.ENGAGEMENT
    assert Kind.ASSESSMENT_FINISHED in at.kinds()
    with at.door.parts.store.read() as view:
        made = view.acts(engagement=make.ENGAGEMENT, kind=Kind.ASSESSMENT_PLANNED)
    assert [one.act.actor for one in made] == ["evaluator"]
    page = client.get(RUN).text
    assert "finished" in page
    assert "Nothing drives this run" not in page
    assert client.get(RUN + "/results").status_code == 200
    assert client.get(RUN + "/path.svg").status_code in {200, 404}


def test_what_does_not_fit_is_begun_by_whoever_says_so(at: House, host: Host) -> None:
    """The field is named, what was typed stays, and nothing was written down before."""
    slow = FORM | {"items": "", "epochs": "100", "seconds": "100000", "tokens": ""}
    client = visitor(at, "evaluator")
    page = client.post(RUN, data=slow)
    assert page.status_code == 422
    assert "it does not fit before access ends" in page.text
    assert 'value="100000"' in page.text
    assert not host.started
    assert not (at.folder / "runs").exists()
    assert client.post(RUN, data=slow | {"anyway": "yes"}).status_code == 303


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"tier": "own-machine"}, "cannot be had here"),
        ({"tier": "a box of paper"}, "is no isolation tier"),
        ({"suites": "../../etc"}, "no suite"),
        ({"suites": ""}, "choose one or more"),
        ({"items": "-1"}, "whole number"),
        ({"subject": "a\0b"}, "holds a character"),
        ({"official": "yes"}, ""),
    ],
)
def test_without_the_tier_that_is_asked_for_there_is_no_run(
    at: House, host: Host, changed: dict[str, str], told: str
) -> None:
    """Nor with anything else that cannot be: no process, no folder, no act."""
    client = visitor(at, "evaluator")
    before = at.kinds()
    answer = client.post(RUN, data=FORM | changed)
    assert answer.status_code in {409, 422, 503}
    assert told in answer.text
    assert not host.started
    assert not (at.folder / "runs").exists()
    assert at.kinds() == before


def test_nobody_else_begins_one_and_nobody_without_access(at: House, host: Host) -> None:
    """Refused to its reader and its developer, absent for a stranger, refused once access has ended."""
    at.enrol("stranger", "evaluator", engagements=frozenset())
    for person, code in (("official", 403), ("developer", 403), ("stranger", 404)):
        assert visitor(at, person).post(RUN, data=FORM).status_code == code, person
    texts = at.portal.library
    on = Dealings(make.ENGAGEMENT, make.DEVELOPER, texts.newest("us-eo-14409"), texts)
    engagement.end_access(at.ctx("developer"), on)
    answer = visitor(at, "evaluator").post(RUN, data=FORM)
    assert answer.status_code == 409
    assert "access is not open" in answer.text
    assert not host.started


def test_two_at_once_are_one_run(at: House, host: Host) -> None:
    """The second is refused while the first is prepared, and once a plan stands."""
    client = visitor(at, "evaluator")
    assert client.post(RUN, data=FORM).status_code == 303
    assert client.post(RUN, data=FORM | {"items": "3"}).status_code == 409
    assert len(host.started) == 1
    assert len(host.work().items) == 5
    assert client.post(RUN, data=FORM).status_code == 409


def test_a_run_that_nothing_drives_says_so_and_is_taken_up_again(at: House, host: Host) -> None:
    """With a reason, by who may run it, on record; a finished one is not."""
    client = visitor(at, "evaluator")
    assert client.post(RUN, data=FORM).status_code == 303
    host.fails = "no compiler <b>here</b>"
    host.crash()
    page = client.get(RUN + "/plan").text
    assert "ended before it had a plan" in page
    assert "no compiler &lt;b&gt;here" in page
    host.fails = ""
    assert client.post(RUN, data=FORM).status_code == 303
    plan = _interrupted(at, host)
    page = client.get(RUN).text
    assert "Nothing drives this run" in page
    assert "Take the run up again" in page
    assert client.post(RUN + "/resumptions", data={"why": " "}).status_code == 422
    assert visitor(at, "official").post(RUN + "/resumptions", data={"why": "x"}).status_code == 403
    assert client.post(RUN + "/resumptions", data={"why": "power came back"}).status_code == 303
    assert "Nothing drives this run" not in client.get(RUN).text
    assert client.post(RUN + "/resumptions", data={"why": "again"}).status_code == 409
    assert host.work() == plan
    assert Kind.RUN_THAWED in at.kinds()
    assert client.post(RUN + "/resumptions", data={"why": "once more"}).status_code == 409


def _interrupted(at: House, host: Host) -> Plan:
    """The run, ended by its process after the plan was committed to."""
    with pytest.MonkeyPatch.context() as patched:

        def gone(_self: FakeLaboratory) -> None:
            raise Unavailable("the machine lost its power")

        patched.setattr(FakeLaboratory, "drill", gone)
        host.crash()
    with at.door.parts.store.read() as view:
        return view.find(Plan)[0].value


def test_who_may_no_longer_run_it_ends_it(at: House, host: Host) -> None:
    """The driver acts as the person who began the run, as the rules have that person now."""
    assert visitor(at, "evaluator").post(RUN, data=FORM).status_code == 303
    at.enrol("evaluator", "evaluator", engagements=frozenset())
    host.crash()
    told = runs.driver(at.home, make.ENGAGEMENT)
    assert told is not None
    assert not told.alive
    assert told.why
    assert Kind.ASSESSMENT_PLANNED not in at.kinds()


def test_a_driver_is_a_process_of_its_own_that_holds_the_lock(at: House) -> None:
    """It is started in a session of its own; what it says is kept, and its lock ends with it."""
    place = runs.place_of(at.home, make.ENGAGEMENT)
    place.state.mkdir(parents=True)
    (place.state / "installation").write_text(str(at.home.folder))
    (place.state / "request.json").write_text("{}")
    with runs._alone(place) as lock:
        runs.spawn(place, lock)
    seen = runs.driver(at.home, make.ENGAGEMENT)
    assert seen is not None
    assert seen.alive  # before it has read a line of its own program
    for _ in range(600):
        if not runs._held(place):
            break
        time.sleep(0.1)
    assert "holds no run" in (place.state / "driver.log").read_text()


def test_the_same_over_the_api(at: House, host: Host) -> None:
    """Begun, refused twice, taken up again; whoever may not is refused as on the page."""
    client = visitor(at, "evaluator")
    path = f"/api/v1/engagements/{make.ENGAGEMENT}/assessment"
    wanted = {"suites": ["planted"], "subject": SUBJECT.name, "items": 4, "tokens": 20_000}
    for wrong in (
        {**wanted, "suites": []},
        {**wanted, "tier": "own-machine"},
        {**wanted, "more": 1},
        {**wanted, "epochs": 100, "items": 0, "seconds": 100_000, "tokens": 0},
    ):
        answer = _sent(client, path, wrong)
        assert answer.status_code in {422, 503}, answer.text
    assert not host.started
    begun = _sent(client, path, wanted)
    assert begun.status_code == 202, begun.text
    assert begun.json() == {"engagement": make.ENGAGEMENT}
    assert _sent(client, path, wanted).status_code == 409
    assert _sent(client, path + "/stops", {"reason": "x"}).status_code == 404
    plan = _interrupted(at, host)
    assert _sent(visitor(at, "official"), path + "/resumptions", {"reason": "x"}).status_code == 403
    assert _sent(client, path + "/resumptions", {"reason": "power came back"}).status_code == 202
    assert host.work() == plan
    lost = {"subject": SUBJECT.name, "item": "no", "epoch": 1, "reason": "x"}
    assert _sent(client, path + "/retries", lost).status_code == 404


def _sent(
    client: Visitor, path: str, given: Mapping[str, object]
) -> Any:  # the client's own types are its library's
    said = {caller.CSRF: client.csrf, "idempotency-key": f"run-{next(KEYS)}"}
    return client.request("POST", path, json=given, headers=said)
