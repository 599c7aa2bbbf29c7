"""Terminals of an installation on disk at which people of the desk are signed in with two factors."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import typer
from typer.testing import CliRunner, Result

import make
from identity.people import HERE, House, house
from leadline.app import engagement as desk
from leadline.app.engagement import Dealings
from leadline.cli.session import keep
from leadline.core.assessment import Subject
from leadline.core.engagement.terms import Terms
from leadline.identity import software_key
from leadline.wiring.desk import library
from leadline.wiring.home import clock
from leadline.wiring.sign_in import register_file, sign_in_with_file

SEATS = (
    ("officer", make.PROGRAMME, "programme-officer", True),
    ("official", make.PROGRAMME, "determining-official", True),
    ("evaluator", make.PROGRAMME, "evaluator", True),
    ("developer", make.DEVELOPER, "developer", False),
    ("rival", "another-developer", "developer", False),
    ("operator", "a-hospital", "operator", False),
)


@dataclass
class Terminal:
    """Commands of one noun, by whoever sits there."""

    house: House
    folder: Path
    app: typer.Typer
    seated: set[str] = field(default_factory=set)

    def key(self, person: str) -> Path:
        """The file with the person's key."""
        return self.folder / f"{person}.key"

    def run(self, person: str, *arguments: str) -> Result:
        """One command by that person."""
        session = self.folder / f"{person}.session"
        if person not in self.seated:
            self._seat(person, session)
        place = ["--home", str(self.house.folder), "--session", str(session)]
        return CliRunner().invoke(self.app, [*arguments, *place])

    def ok(self, person: str, *arguments: str) -> str:
        """What a command prints that ends well."""
        done = self.run(person, *arguments)
        assert done.exit_code == 0, done.output
        return done.output

    def _seat(self, person: str, session: Path) -> None:
        self.house.password(person)
        software_key.make(self.key(person))
        first = self.house.acting(self.house.signed_in(person))
        register_file(first, self.key(person), "a test")
        begun = sign_in_with_file(self.house.door, self.key(person), HERE, first.session)
        keep(session, begun.token)
        self.seated.add(person)


def opened(house: House, *purposes: str) -> Dealings:
    """An engagement under terms that both sides signed, for these purposes beside assessment."""
    texts = library()
    on = Dealings(make.ENGAGEMENT, make.DEVELOPER, texts.newest("us-eo-14409"), texts)
    desk.open_draft(house.ctx("developer"), on, "a model", Subject("model", "a model", "d" * 64))
    until = house.clock.now + timedelta(days=60)
    terms = Terms("c", "s", "i", "p", "u", "n", ("assessment", *purposes), 90, until)
    for person in ("developer", "official"):
        desk.agree_terms(house.ctx(person), on, terms)
    return on


@contextmanager
def terminal(folder: Path, app: typer.Typer) -> Iterator[Terminal]:
    """Terminals for *app*, of a new installation in *folder*."""
    with house(folder / "home") as made:
        made.clock.now = clock()
        until = made.clock.now + timedelta(days=30)
        for person, org, role, named in SEATS:
            engagements = frozenset({make.ENGAGEMENT} if named else set())
            made.enrol(person, role, org=org, engagements=engagements, access_until=until)
        yield Terminal(made, folder, app)
