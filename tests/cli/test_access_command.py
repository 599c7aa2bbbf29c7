"""`leadline access` at the command line, in an installation with people of its own."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

import make
from identity.people import HERE, House, house
from leadline.cli import access
from leadline.cli.session import keep
from leadline.core.record.act import Kind
from leadline.identity import software_key
from leadline.wiring.home import clock
from leadline.wiring.sign_in import register_file, sign_in_with_file

SOON = timedelta(days=5)


@dataclass
class Terminal:
    """A terminal at which an administrator is signed in with two factors."""

    house: House
    session: Path

    def run(self, *arguments: str, seat: bool = True) -> Result:
        """One command of `leadline access`."""
        place = ["--home", str(self.house.folder)]
        place += ["--session", str(self.session)] if seat else []
        return CliRunner().invoke(access.app, [*arguments, *place])

    def ok(self, *arguments: str, seat: bool = True) -> str:
        """What a command prints that ends well."""
        done = self.run(*arguments, seat=seat)
        assert done.exit_code == 0, done.output
        return done.output


@pytest.fixture
def at(tmp_path: Path) -> Iterator[Terminal]:
    """An installation with one administrator, signed in."""
    with house(tmp_path / "home") as made:
        made.clock.now = clock()
        until = made.clock.now + timedelta(days=30)
        made.enrol("admin", "administrator", engagements=frozenset(), access_until=until)
        made.password("admin")
        key = tmp_path / "admin.key"
        software_key.make(key)
        first = made.acting(made.signed_in("admin"))
        register_file(first, key, "a test")
        begun = sign_in_with_file(made.door, key, HERE, first.session)
        keep(tmp_path / "session", begun.token)
        yield Terminal(made, tmp_path / "session")


def day(after: timedelta) -> str:
    """A moment from now, as the command line takes it."""
    return (clock() + after).isoformat()


def test_a_persons_way_through_an_installation(at: Terminal) -> None:
    """Enrolled, granted, listed, explained, suspended, restored, and the grant ended."""
    at.house.engagement()
    thing = f"engagement/{make.ENGAGEMENT}"
    ask = ("why", "eve", "engagement:read", thing)
    at.ok(
        *("enrol", "eve", "--name", "Eve Example", "--org", make.PROGRAMME),
        *("--role", "evaluator", "--until", day(timedelta(days=60))),
    )
    told = at.ok(*ask, seat=False)
    assert told.startswith("no: no rule lets this person do this")
    assert f"would change it: a grant of the engagement {make.ENGAGEMENT}" in told
    at.ok("grant", "eve", "engagement", make.ENGAGEMENT, "--until", day(SOON))
    assert at.ok(*ask, seat=False).startswith("yes: ")
    assert "renew it or it ends" in at.ok("list")
    (row,) = json.loads(at.ok("list", "--due", "--json"))["people"]
    assert (row["id"], row["grants"][0]["due"]) == ("eve", True)
    at.ok("suspend", "eve", "--reason", "a credential was seen elsewhere")
    found = json.loads(at.ok(*ask, "--json", seat=False))
    assert found["allowed"] is False
    assert [rule["id"] for rule in found["rules"]] == ["suspended"]
    assert found["would_change_it"] == [["the end of the person's suspension"]]
    at.ok("restore", "eve", "--reason", "it was a mistake")
    at.ok("end", "eve", "engagement", make.ENGAGEMENT)
    assert at.ok(*ask, seat=False).startswith("no: ")
    assert at.house.kinds()[-5:] == [
        Kind.PRINCIPAL_ENROLLED,
        Kind.GRANT_GIVEN,
        Kind.PRINCIPAL_SUSPENDED,
        Kind.PRINCIPAL_RESTORED,
        Kind.GRANT_ENDED,
    ]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("why", "admin", "engagement:fly", "engagement/x"), 2, "is none of"),
        (("why", "admin", "engagement:read", "engagement"), 2, "KIND/ID"),
        (("why", "admin", "engagement:read", "ship/x"), 2, "KIND/ID"),
        (("why", "admin", "engagement:read", "engagement/x"), 4, "no engagement x"),
        (("why", "admin", "engagement:read", "item/x"), 4, "no item x"),
        (("why", "admin", "engagement:read", "record/x"), 2, "does not apply"),
        (("why", "nobody", "record:read", "record/x"), 4, "no principal nobody"),
    ],
)
def test_a_question_that_cannot_be_is_told(
    at: Terminal, arguments: tuple[str, ...], code: int, said: str
) -> None:
    """Unknown actions, kinds, things and people, each with its exit code."""
    done = at.run(*arguments, seat=False)
    assert (done.exit_code, said in done.output) == (code, True), done.output


def test_why_about_a_person(at: Terminal) -> None:
    """People are things too: an administrator suspends others."""
    told = at.ok("why", "admin", "principal:suspend", "principal/admin", seat=False)
    assert "whole-installation" in told


def test_a_day_that_is_none_is_told(at: Terminal) -> None:
    """And a day too far off."""
    for until, said in (("soon", "no day"), ("2099-01-01", "30 days")):
        done = at.run("grant", "admin", "case", "c", "--until", until)
        assert done.exit_code in {2, 3}
        assert said in done.output or "himself" in done.output


def test_nobody_without_a_session_changes_anything(at: Terminal) -> None:
    """Asking why needs only the installation's folder; everything else needs a session."""
    at.session.unlink()
    done = at.run("suspend", "admin", "--reason", "why")
    assert (done.exit_code, "sign-in" in done.output) == (4, True)


def test_the_roles_are_listed() -> None:
    """For people and for programs."""
    told = CliRunner().invoke(access.app, ["roles"]).output
    assert "custodian: " in told
    rows = json.loads(CliRunner().invoke(access.app, ["roles", "--json"]).output)["roles"]
    assert {"administrator", "auditor", "worker"} <= {row["id"] for row in rows}
