"""`leadline organisation` at the command line, and what `leadline doctor` says of who looks after accounts."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from identity.people import HERE, House, house
from leadline.cli.main import app
from leadline.cli.session import keep
from leadline.identity import software_key
from leadline.wiring import assess
from leadline.wiring.home import clock
from leadline.wiring.sign_in import register_file, sign_in_with_file


@pytest.fixture
def at(tmp_path: Path) -> Iterator[House]:
    """Two administrators of the installation at the present time."""
    with house(tmp_path / "home") as made:
        made.clock.now = clock()
        for id_ in ("kim", "kay"):
            seat(made, id_, "administrator", "installation")
        yield made


def seat(at: House, id_: str, role: str, org: str) -> None:
    """Somebody at a terminal, signed in with two factors."""
    until = at.clock.now + timedelta(days=300)
    at.enrol(id_, role, org=org, engagements=frozenset(), access_until=until)
    strong(at, id_)


def strong(at: House, id_: str) -> None:
    """Signed in with password and key file."""
    at.password(id_)
    key = at.folder.parent / f"{id_}.key"
    software_key.make(key)
    first = at.acting(at.signed_in(id_))
    register_file(first, key, "a test")
    keep(at.folder.parent / id_, sign_in_with_file(at.door, key, HERE, first.session).token)


def run(at: House, who: str, *words: str) -> Result:
    """One command by that person."""
    at.clock.now = clock()
    place = ["--home", str(at.folder), "--session", str(at.folder.parent / who)]
    return CliRunner().invoke(app, [*words, *place])


def ok(at: House, who: str, *words: str) -> str:
    """What a command prints that ends well."""
    done = run(at, who, "organisation", *words)
    assert done.exit_code == 0, done.output
    return done.stdout.strip()


def sign(at: House, who: str, request: str) -> None:
    """At the terminal of the second person."""
    key = str(at.folder.parent / f"{who}.key")
    done = run(at, who, "approval", "approve", request, "--key", key)
    assert done.exit_code == 0, done.output


def test_founded_appointed_delegated_and_ended(at: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole way of an organisation, and what doctor says of it."""
    monkeypatch.setattr(assess, "diagnose", lambda _: ())  # it looks at the machine for long
    first = ("--first", "ann=Ann Example", "--first", "abe=Abe Example", "--role", "developer")
    request = ok(at, "kim", "found", "a-developer", *first)
    wrong = run(at, "kim", "organisation", "found", "x", "--first", "ann", "--role", "developer")
    assert wrong.exit_code == 2
    sign(at, "kay", request)
    codes = ok(at, "kim", "found", "a-developer", "--request", request).splitlines()
    assert [one.partition(";")[0] for one in codes] == [
        "Ann Example is ann",
        "Abe Example is abe",
    ]
    assert ok(at, "kim", "list") == "a-developer  2  nothing wanting"
    for id_ in ("ann", "abe"):
        strong(at, id_)
    seat(at, "dev", "developer", "a-developer")
    asked = ok(at, "ann", "appoint", "dev")
    sign(at, "abe", asked)
    ok(at, "ann", "appoint", "dev", "--request", asked)
    ok(at, "ann", "dismiss", "dev")
    until = (at.clock.now + timedelta(days=9)).isoformat()
    id_ = ok(at, "ann", "delegate", "dev", "--task", "enter", "--until", until)
    shown = json.loads(ok(at, "dev", "show", "--json"))
    assert [one["id"] for one in shown["delegations"]] == [id_]
    ok(at, "dev", "end-delegation", id_)
    far = run(
        at, "ann", "organisation", "delegate", "dev", "--task", "stop", "--until", "2100-01-01"
    )
    assert far.exit_code == 2
    ok(at, "ann", "renew", "dev", "--until", until)
    assert run(at, "ann", "organisation", "renew", "dev", "--until", "soon").exit_code == 2
    assert ok(at, "ann", "call-off", "dev") == "0"
    ok(at, "ann", "end-account", "abe", "--reason", "left")
    told = json.loads(ok(at, "kim", "list", "--json"))["organisations"]
    assert "second account administrator" in told[0]["wanting"]
    done = CliRunner().invoke(app, ["doctor", "--home", str(at.folder)])
    assert "!!  account administrators of a-developer: 1 of it" in done.output
    assert "ok  account administrators: 2 of the installation" in done.output
