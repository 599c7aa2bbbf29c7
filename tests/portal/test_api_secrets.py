"""No route of the API's table tells whoever has no part in it of a report or a case under embargo."""

import re
from collections.abc import Iterator

import pytest

from identity.people import application, house
from inline import TestClient
from leadline.app import drafts, reports
from leadline.client.uses import PREFIX, USES
from leadline.core.clearing.contract import lane_of
from leadline.http.api.caller import COOKIE
from portal.world import World, build
from reporting import reported

ORIGIN = "https://localhost:8443"
OUTSIDE = ("other-operator", "rival", "nobody")
ASKED = ("case", "finding", "draft", "public_case", "engagement")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The world, with one more report at intake and a message that waits."""
    folder = tmp_path_factory.mktemp("secrets")
    with house(folder / "home") as at:
        made = build(at)
        draft = reported(title="canary-title", purl="pkg:pypi/canary-package@1.0")
        reports.submit(at.ctx("finder"), draft.finding, draft.proof, draft.raw)
        made.ids["reported"] = draft.finding.id
        asked = drafts.Asked((made.ids["party"],))
        written = drafts.write(made.ctx("coordinator"), made.ids["case"], asked)
        made.ids["draft"] = written.messages[0].id
        yield made


def secrets(world: World) -> tuple[str, ...]:
    """What none of them may read anywhere: ids, words, and what stands for a package in acts."""
    ids = world.ids
    return (
        *(ids[name] for name in ("reported", "finding", "case", "party", "draft")),
        "canary",
        "A case under embargo",
        "ujson@5.1.1",
        lane_of("pkg:pypi/canary-package"),
    )


@pytest.mark.parametrize("person", OUTSIDE)
def test_nobody_outside_reads_of_it(world: World, person: str) -> None:
    """Every reading route with these ids: what the caller sent itself is no answer."""
    app = application(world.at.portal)
    client = TestClient(app, base_url=ORIGIN, headers={"origin": ORIGIN}, follow_redirects=False)
    if person != "nobody":
        client.cookies.set(COOKIE, world.tokens[person])
    wrong = list[tuple[str, str]]()
    for use in (one for one in USES if one.method == "GET"):
        names = re.findall(r"\{(\w+)\}", use.path)
        asked = {use.path} if not names else set()
        for name in ASKED if names else ():
            asked.add(re.sub(r"\{\w+\}", world.ids[name], use.path))
        for path in asked:
            answer = client.get(PREFIX + path)
            told = f"{answer.headers} {answer.text}"
            wrong += [(path, one) for one in secrets(world) if one in told and one not in path]
    assert not wrong
