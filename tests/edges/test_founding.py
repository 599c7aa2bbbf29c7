"""Beginning an installation: two administrators, once, and what they see first."""

import json
import shutil
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from leadline.cli.main import app
from leadline.core.record.act import Kind
from leadline.settings import Home
from leadline.wiring.founding import found
from leadline.wiring.home import opened, origin

LOG = "leadline.example/log"
TWO = ("--administrator", "Ada", "--administrator", "Bo")
Say = Callable[..., Result]


@pytest.fixture
def say(tmp_path: Path) -> Say:
    """A command of `leadline` on one installation, with one session file."""
    runner, kept = CliRunner(), str(tmp_path / "session")

    def call(*argv: str, typed: str = "", session: bool = True) -> Result:
        place = ["--home", str(tmp_path / "home")]
        rest = ["--session", kept] if session else []
        return runner.invoke(app, [*argv, *place, *rest], input=typed)

    return call


def test_two_administrators_begin_and_each_hands_on_what_is_needed(
    say: Say, tmp_path: Path
) -> None:
    """Codes work once; a key and a password make two factors; then the alerts may be read."""
    begun = say("init", "--log", LOG, *TWO, "--json", session=False)
    assert begun.exit_code == 0, begun.stderr
    people = json.loads(begun.stdout)["administrators"]
    code, person = people[0]["code"], people[0]["principal"]
    assert say("sign-in", "--invitation", typed=code + "\n").exit_code == 0
    assert say("sign-in", "--invitation", typed=code + "\n").exit_code != 0
    key = str(tmp_path / "ada.key")
    assert say("sign-in", "register", "--key", key).exit_code == 0
    assert say("sign-in", "--key", key).exit_code == 0
    assert say("alert", "list").exit_code == 3
    assert say("sign-in", "register", "--password", typed="a long password\n").exit_code == 0
    more = say("sign-in", "--password", "--more", "--name", person, typed="a long password\n")
    assert more.exit_code == 0, more.stderr
    listed = say("alert", "list", "--json")
    assert listed.exit_code == 0, listed.stderr
    kinds = {alert["kind"] for alert in json.loads(listed.stdout)["alerts"]}
    assert kinds <= {"denial", "sign-in"}


def test_the_installation_is_its_owners_alone_and_has_its_own_log(tmp_path: Path) -> None:
    """No other user of the host reads the folder; the log has the name that was given."""
    home = Home(tmp_path / "home")
    begun = found(home, LOG, ("Ada", "Bo"))
    assert origin(home) == LOG
    for folder in (home.folder, home.keys, home.vault):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    with opened(home) as parts, parts.store.read() as view:
        enrolled = view.acts(kind=Kind.PRINCIPAL_ENROLLED)
        assert [one.act.about for one in enrolled] == [f"principal/{b.principal}" for b in begun]
        text = "".join(str(one.act) for one in view.acts())
    assert not any(one.code in text for one in begun)


def test_a_backup_of_it_is_checked_and_put_back_under_its_own_name(
    say: Say, tmp_path: Path
) -> None:
    """The log's name travels with its keys, so that a restored installation goes on as itself."""
    assert say("init", "--log", LOG, *TWO, session=False).exit_code == 0
    home, new = tmp_path / "home", Home(tmp_path / "new")
    for argv in (("backup", str(tmp_path / "b")), ("restore", str(tmp_path / "b"), "--check")):
        done = say(*argv, session=False)
        assert done.exit_code == 0, done.stderr
    shutil.copytree(home / "keys", new.keys)
    done = CliRunner().invoke(app, ["restore", str(tmp_path / "b"), "--to", str(new.folder)])
    assert done.exit_code == 0, done.stderr
    assert origin(new) == LOG
    with opened(new) as parts, parts.store.read() as view:
        assert len(view.acts(kind=Kind.PRINCIPAL_ENROLLED)) == 2


@pytest.mark.parametrize(
    ("argv", "told"),
    [
        (("--log", LOG, "--administrator", "Ada"), "two different persons"),
        (("--log", LOG, "--administrator", "Ada", "--administrator", "Ada"), "two different"),
        (("--log", "a name", *TWO), "--log"),
        (TWO, "--log"),
    ],
)
def test_what_cannot_begin_leaves_nothing(
    say: Say, tmp_path: Path, argv: tuple[str, ...], told: str
) -> None:
    """The option is named, and no folder is made."""
    done = say("init", *argv, session=False)
    assert (done.exit_code, told in done.stderr) == (2, True)
    assert not (tmp_path / "home").exists()


def test_an_installation_begins_once(say: Say) -> None:
    """A second beginning is refused, whoever it names."""
    assert say("init", "--log", LOG, *TWO, session=False).exit_code == 0
    again = say("init", "--log", LOG, *TWO, session=False)
    assert (again.exit_code, "already" in again.stderr) == (5, True)
