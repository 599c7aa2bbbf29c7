"""What waits stands on the first page: for operators and coordinators, and for nobody else."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from identity.people import application
from inline import TestClient
from leadline.http.api.caller import COOKIE
from portal.test_frame import ORIGIN
from portal.world import Model, World, model


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """The world, built once."""
    return model(tmp_path_factory)


@pytest.fixture
def world(made: Model, tmp_path: Path) -> Iterator[World]:
    """A world of one's own."""
    with made.copied(tmp_path / "world") as found:
        yield found


def first_page(world: World, person: str) -> str:
    """What the person sees after signing in."""
    client = TestClient(application(world.at.portal), base_url=ORIGIN)
    client.cookies.set(COOKIE, world.tokens[person])
    return client.get("/").text


def test_a_coordinator_sees_the_next_clock(world: World) -> None:
    """By the case's title, with hour and zone; a stranger to it sees neither."""
    page = first_page(world, "coordinator")
    assert f'href="/cases/{world.ids["case"]}"' in page
    assert "The next date of this case" in page
    assert world.ids["case"] not in first_page(world, "evaluator")


def test_an_operator_sees_the_notice(world: World) -> None:
    """And gets to it by one link."""
    page = first_page(world, "operator")
    assert f'href="/operator/notices/{world.ids["notice"]}"' in page
    assert world.ids["notice"] not in first_page(world, "developer")
