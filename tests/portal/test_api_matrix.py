"""Every use case over HTTP as every kind of person: the route says exactly what the use case says.

Who may is the use case's own answer, asked without HTTP; a route that gave more or less would differ.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from identity.people import application
from inline import TestClient
from leadline.app.sign_in import csrf_of
from leadline.client.shape import Shape, shapes
from leadline.client.uses import PREFIX, SAFE
from leadline.core.errors import LeadlineError
from leadline.http.api import given, problem
from leadline.http.api.caller import COOKIE, CSRF
from leadline.http.api.uses import INSTEAD
from portal.world import EVERYONE, Model, World, model

ORIGIN = "https://localhost:8443"
STRANGERS = ("rival", "other-operator")
SOME = ("rival", "developer", "coordinator", "auditor")
ABSENT = "none-such"


@dataclass(frozen=True)
class Asked:
    """The world behind one application."""

    world: World
    client: TestClient

    def place(self, one: Shape) -> dict[str, str]:
        """The names of a path, as far as the world has such things."""
        names = [*one.place.values(), *(("engagement", "owner") if one.stands else ())]
        found = {name: self.world.ids.get(name, ABSENT) for name in names}
        found |= {name: "1" for parameter, name in one.place.items() if parameter in one.numbers}
        return {**found, **({"owner": "agency"} if "owner" in found else {})}

    def status(self, one: Shape, person: str, body: object = None) -> int:
        """What the route answers to that person."""
        token = self.world.tokens.get(person, "")
        self.client.cookies.set(COOKIE, token)
        answer = self.client.request(
            one.use.method,
            PREFIX + one.use.path.format(**self.place(one)),
            headers={CSRF: csrf_of(token), "idempotency-key": f"{person}-key", "if-match": "*"},
            json=body,
        )
        assert answer.status_code != 500, (one.use.name, person, answer.text)
        return answer.status_code

    def directly(self, one: Shape, person: str) -> int:
        """What the use case says to that person, as a status."""
        desk = self.world.at.portal.desk(self.world.at.door.acting(self.world.tokens[person]))
        path = self.place(one)
        try:
            args = {
                name: int(path[place]) if name in one.numbers else path[place]
                for name, place in one.place.items()
            }
            args |= {name: given.known(desk, name, hint) for name, hint in one.known.items()}  # type: ignore[misc]
            args |= {name: given.about(desk, hint, path) for name, hint in one.stands.items()}  # type: ignore[misc]
            one.use.case(desk.ctx, **args)
        except LeadlineError as error:
            return problem.status(error)
        return 204 if one.answer.hint is type(None) else 200


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """The world, built once."""
    return model(tmp_path_factory)


@pytest.fixture
def asked(made: Model, tmp_path: Path) -> Iterator[Asked]:
    """A copy of the world, and its application."""
    with made.copied(tmp_path / "copy") as found:
        yield Asked(
            found,
            TestClient(application(found.at.portal), base_url=ORIGIN, headers={"origin": ORIGIN}),
        )


def bare(one: Shape) -> bool:
    """Whether its path is all that it needs."""
    return not any(field.required for field in one.fields) and one.use.case not in INSTEAD


def test_a_route_says_what_its_use_case_says(asked: Asked) -> None:
    """Every one that reads, for people of every kind."""
    wrong = []
    assert set(SOME) <= set(EVERYONE)
    for one in (one for one in shapes() if one.use.method == SAFE and bare(one)):
        for person in SOME:
            over, here = asked.status(one, person), asked.directly(one, person)
            if over != here:
                wrong.append((one.use.name, person, over, here))
    assert not wrong


def test_no_stranger_changes_anything(asked: Asked) -> None:
    """Every one that changes something there is; what lacks fields says so before anything is looked at."""
    wrong = []
    for one in (one for one in shapes() if one.use.method != SAFE and (one.place or one.stands)):
        for person in STRANGERS:
            status = asked.status(one, person, {})
            if status < 400:
                wrong.append((one.use.name, person, status))
    assert not wrong


def test_nobody_gets_anything_that_is_not_open(asked: Asked) -> None:
    """Without a session: 401, before anything else is read."""
    asked.client.cookies.clear()
    for one in (one for one in shapes() if not one.use.open):
        path = PREFIX + one.use.path.format(**asked.place(one))
        answer = asked.client.request(one.use.method, path, content=b"no json")
        assert answer.status_code == 401, one.use.name
