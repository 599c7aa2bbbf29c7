"""Marks, dissents and further attempts on pages: who may, what stands there, hostile words as text."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import make
from identity.people import House, house
from leadline.store.shards import open_executor
from portal.assessed_world import Assessed, assess, open_engagement
from portal.visits import Visitor, visitor

RUN = f"/engagements/{make.ENGAGEMENT}/assessment"
HOSTILE = "<img src=x onerror=alert(1)> the answer was in its box"


@pytest.fixture
def at(tmp_path: Path) -> Iterator[House]:
    """An installation in the folder of its own run."""
    with house(tmp_path / "out" / ".state") as found:
        yield found


@pytest.fixture
def run(at: House) -> Assessed:
    """A whole assessment."""
    return assess(at, open_engagement(at))


def attempt(client: Visitor) -> str:
    """An attempt that was solved."""
    page = client.get(RUN + "/results?all=yes").text
    rows = re.findall(r"/samples/([^/]+)/1\?subject=([^\"]+)\".*?<td>solved</td>", page)
    return f"{RUN}/samples/{rows[0][0]}/1"


def test_an_attempt_is_marked_disputed_and_taken_back(at: House, run: Assessed) -> None:
    """Both figures stand side by side, each word with its person; what is missing is named at its field."""
    client = visitor(at, "evaluator")
    path = attempt(client)
    given = {"subject": run.plan.subject.name}
    assert client.post(path + "/marks", data=given).status_code == 422
    done = client.post(path + "/marks", data=given | {"reason": HOSTILE})
    assert done.status_code == 303, done.text
    page = client.get(done.headers["location"]).text
    assert "The attempt is marked." in page
    assert "&lt;img src=x" in page
    assert HOSTILE not in page
    results = client.get(RUN + "/results").text
    assert "With and without what was marked as invalid" in results
    assert "Without marked ones" in results
    assert HOSTILE not in results
    (mark,) = re.findall(r"/marks/([^/]+)/dissents", page)
    official = visitor(at, "official")
    shown = official.get(path).text
    assert "Dissent from this mark" in shown
    assert "Take the mark back" not in shown
    below = f"{path}/marks/{mark}"
    assert official.post(below + "/dissents", data=given | {"dissent": ""}).status_code == 422
    said = given | {"dissent": "It was not in its box."}
    assert official.post(below + "/dissents", data=said).status_code == 303
    assert official.post(below + "/withdrawals", data=given | {"back": "x"}).status_code == 403
    assert official.post(path + "/marks", data=given | {"reason": "x"}).status_code == 403
    assert "It was not in its box." in client.get(path).text
    assert client.post(below + "/withdrawals", data=given | {"back": "Right."}).status_code == 303
    page = client.get(path).text
    assert "Was marked, and taken back" in page
    assert "It was not in its box." in page
    assert "taken back: Right." in client.get(RUN + "/results").text


def test_others_neither_mark_nor_learn_of_marks(at: House, run: Assessed) -> None:
    """Not there for a stranger, refused to its developer; a mark of nothing is absent."""
    client = visitor(at, "evaluator")
    path, given = attempt(client), {"subject": run.plan.subject.name, "reason": "x"}
    at.enrol("stranger", "evaluator", engagements=frozenset())
    assert visitor(at, "stranger").post(path + "/marks", data=given).status_code == 404
    assert visitor(at, "developer").post(path + "/marks", data=given).status_code == 403
    gone = client.post(path + "/marks/act-0/dissents", data=given | {"dissent": "x"})
    assert gone.status_code == 404
    assert client.post(f"{RUN}/samples/no/1/marks", data=given).status_code == 404


def test_a_lost_attempt_is_made_once_more(at: House) -> None:
    """A reason is due; a finished run, or one that was not lost, is refused."""
    run = assess(at, open_engagement(at), ran=1)
    client = visitor(at, "evaluator")
    path, given = attempt(client), {"subject": run.plan.subject.name}
    assert "Make this attempt once more" not in client.get(path).text
    assert client.post(path + "/retries", data=given).status_code == 422
    refused = client.post(path + "/retries", data=given | {"why": "the box was lost"})
    assert refused.status_code == 409
    executor = open_executor(at.home.database)
    assert not any("further" in one.input["name"] for one in executor.shards(run.plan.id))
