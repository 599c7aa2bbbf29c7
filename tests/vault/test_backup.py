"""Backups: whole and verified, useless when stolen, told apart when old, put back with the keys."""

import json
import shutil
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

import make
from identity.people import house
from leadline.app import log, vaulting
from leadline.app.ports import Store
from leadline.app.vaulting import Material
from leadline.cli.main import app
from leadline.core.clearing.group import Group
from leadline.core.errors import Denied, LeadlineError, NotFound, Refused, Tampered, Unavailable
from leadline.core.record.act import Kind
from leadline.settings import Home
from leadline.store import copies
from leadline.store.sql import open_store
from leadline.wiring import administration
from leadline.wiring import backup as wiring
from leadline.wiring.home import KINDS, Parts, clock, open_parts, opened
from leadline.wiring.home import make as make_home
from postgres import Databases

CANARY = b"CANARY-7f3a9c-in-the-vault"
DEVELOPER = Material(make.ENGAGEMENT, make.DEVELOPER, "developer")


@dataclass(frozen=True, slots=True)
class Place:
    """An installation with content of both owners, and its parts."""

    home: Home
    parts: Parts
    developers: str
    agencys: str


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """With one artefact of the developer and one of the agency."""
    home = Home(tmp_path / "home")
    make_home(home)
    with closing(open_store(home.database, kinds=KINDS)) as store:
        parts = open_parts(home, store)
        digests = [
            parts.vault.put(
                CANARY + owner.encode(),
                marking=make.marking(),
                engagement=make.ENGAGEMENT,
                owner=owner,
            )
            for owner in ("developer", "agency")
        ]
        yield Place(home, parts, *digests)


def acts(store: Store, number: int, first: int = 1) -> None:
    """So many acts."""
    with store.write() as tx:
        for n in range(first, first + number):
            tx.record(make.act(n))


def test_a_backup_verifies_and_is_an_act(place: Place, tmp_path: Path) -> None:
    """Every file of it, every act of its state, and its log against what was signed."""
    acts(place.parts.store, 300)
    made = wiring.make_backup(place.home, tmp_path / "backup")
    looked = wiring.check_backup(place.home, tmp_path / "backup", None)
    assert (looked.checked.verified.size, looked.acts) == (made.size, 300)
    assert looked.checked.behind == 0
    with place.parts.store.read() as view:
        (act,) = (one.act for one in view.acts(kind=Kind.BACKUP_MADE))
    assert (act.about, act.detail["manifest"], act.detail["keys"]) == (
        made.id,
        made.manifest,
        False,
    )


def test_no_key_and_no_plaintext_is_in_it(place: Place, tmp_path: Path) -> None:
    """Neither the log's nor a compartment's, byte for byte; nor what the vault was given."""
    wiring.make_backup(place.home, tmp_path / "backup")
    keys = [path.read_bytes() for path in (place.home.keys / "compartments").iterdir()]
    seeds = json.loads((place.home.keys / "log.key").read_bytes())
    keys += [seeds[name].encode() for name in ("ed25519", "ml_dsa_44")]
    keys += [bytes.fromhex(key.decode()) for key in keys[-2:]]
    assert len(keys) == 6
    for path in (tmp_path / "backup").rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert CANARY not in content, path
            assert not [key for key in keys if key in content], path


def test_restored_with_its_keys_it_opens_as_before(place: Place, tmp_path: Path) -> None:
    """State, acts and content; without the keys nothing opens."""
    acts(place.parts.store, 3)
    wiring.make_backup(place.home, tmp_path / "backup")
    new = Home(tmp_path / "new")
    vkeys = tmp_path / "log.vkey"
    vkeys.write_text(place.parts.signer.vkeys())
    wiring.restore(tmp_path / "backup", new, vkeys)
    with opened(new) as parts, pytest.raises(NotFound):
        parts.vault.get(place.agencys)
    shutil.rmtree(new.keys)
    shutil.copytree(place.home.keys, new.keys)
    with opened(new) as parts:
        assert parts.vault.get(place.agencys) == CANARY + b"agency"
        assert parts.vault.get(place.developers) == CANARY + b"developer"
        with parts.store.read() as view:
            assert len(view.acts()) == 3
    with pytest.raises(Refused):
        wiring.restore(tmp_path / "backup", new, None)


def test_a_backup_stolen_after_shredding_opens_nothing_of_it(place: Place, tmp_path: Path) -> None:
    """Put back whole, with all keys there are now: the developer's stays shut, the agency's opens."""
    assert place.parts.keys is not None
    wiring.make_backup(place.home, tmp_path / "before")
    developer = replace(make.developer(), id="developer", access_until=clock() + wiring.LIFE)
    with place.parts.store.write() as tx:
        tx.put_principal(developer)
    ctx = place.parts.context(developer)
    receipt = vaulting.shred(ctx, place.parts.keys, DEVELOPER)
    assert [len(receipt.destroyed), len(receipt.backups), receipt.kept] == [1, 1, 1]
    wiring.make_backup(place.home, tmp_path / "after")
    for name in ("before", "after"):
        stolen = Home(tmp_path / f"stolen-{name}")
        wiring.restore(tmp_path / name, stolen, _vkeys(place, tmp_path))
        shutil.rmtree(stolen.keys)
        shutil.copytree(place.home.keys, stolen.keys)
        with opened(stolen) as parts:
            assert parts.vault.get(place.agencys) == CANARY + b"agency"
            with pytest.raises((NotFound, Refused)):
                parts.vault.get(place.developers)
    held = place.parts.vault.holdings(make.ENGAGEMENT)
    assert {one.owner for one in held} == {"agency"}
    for path in tmp_path.rglob("*"):
        assert not path.is_file() or CANARY not in path.read_bytes(), path


def _vkeys(place: Place, tmp_path: Path) -> Path:
    file = tmp_path / "log.vkey"
    file.write_text(place.parts.signer.vkeys())
    return file


def test_what_was_deleted_from_the_state_is_not_in_a_backup(place: Place, tmp_path: Path) -> None:
    """Free pages of the database, and what only its write-ahead log holds, stay behind."""
    name = "deleted-row-4d1e"
    with place.parts.store.write() as tx:
        tx.put(name, Group(name, 1, (), "why"), marking=make.marking())
    with place.parts.store.write() as tx:
        tx.remove(Group, name)
    wal = place.home.folder / "leadline.db-wal"
    assert name.encode() in wal.read_bytes()
    wiring.make_backup(place.home, tmp_path / "backup")
    for path in (tmp_path / "backup").rglob("*"):
        assert not path.is_file() or name.encode() not in path.read_bytes(), path


@pytest.mark.parametrize(
    "target", ["state/leadline.db", "checkpoint", "manifest.json", "tile/0/000.p/3", "header.json"]
)
@pytest.mark.parametrize("damage", ["flip", "remove", "extend"])
def test_a_changed_backup_is_found(place: Place, tmp_path: Path, target: str, damage: str) -> None:
    """Wherever it was changed, and nothing is put back."""
    acts(place.parts.store, 3)
    folder = tmp_path / "backup"
    wiring.make_backup(place.home, folder)
    path = folder / target
    if target == "header.json":
        path = next(folder.rglob(target))
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    if damage == "remove":
        path.unlink()
    else:
        path.write_bytes(bytes(content) if damage == "flip" else path.read_bytes() + b"\n")
    with pytest.raises(Tampered):
        wiring.check_backup(place.home, folder, None)
    with pytest.raises(LeadlineError):
        wiring.restore(folder, Home(tmp_path / "new"), _vkeys(place, tmp_path))
    assert not (tmp_path / "new" / "leadline.db").exists()


def test_a_link_or_a_stranger_in_a_backup_is_found(place: Place, tmp_path: Path) -> None:
    """No file is in it that the manifest does not name."""
    folder = tmp_path / "backup"
    wiring.make_backup(place.home, folder)
    (folder / "vault" / "more").write_bytes(b"x")
    with pytest.raises(Tampered):
        wiring.check_backup(place.home, folder, None)
    (folder / "vault" / "more").unlink()
    (folder / "vault" / "more").symlink_to("/etc/passwd")
    with pytest.raises(Tampered):
        wiring.check_backup(place.home, folder, None)


def test_an_older_backup_says_by_how_much_it_sets_the_log_back(
    place: Place, tmp_path: Path
) -> None:
    """Compared with the published log; without that, it says so."""
    acts(place.parts.store, 300)
    wiring.make_backup(place.home, tmp_path / "old")
    acts(place.parts.store, 300, 301)
    wiring.make_backup(place.home, tmp_path / "new")
    old = wiring.check_backup(place.home, tmp_path / "old", None)
    assert old.checked.behind == 301
    assert "refuses to sign" in old.checked.words
    assert wiring.check_backup(place.home, tmp_path / "new", None).checked.behind == 0
    shutil.rmtree(place.home.log)
    alone = wiring.check_backup(place.home, tmp_path / "old", None)
    assert "no published log" in alone.checked.words


def test_a_backup_of_another_history_is_tampered(place: Place, tmp_path: Path) -> None:
    """The same keys, another log: neither longer nor shorter than what was signed passes."""
    other = Home(tmp_path / "other")
    make_home(other)
    shutil.copy(place.home.keys / "log.key", other.keys / "log.key")
    with closing(open_store(other.database, kinds=KINDS)) as store:
        acts(store, 5, 900)
    for number in (3, 7):
        acts(place.parts.store, number, number * 100)
        wiring.make_backup(place.home, tmp_path / f"ours-{number}")
        if number == 3:
            wiring.make_backup(other, tmp_path / "theirs")
        with pytest.raises(Tampered):
            wiring.check_backup(place.home, tmp_path / "theirs", None)


def test_a_state_that_is_not_the_signed_one_is_tampered(place: Place, tmp_path: Path) -> None:
    """Sealed anew by whoever has the keys, but with other acts in the database."""
    from leadline.app import seal

    acts(place.parts.store, 5)
    folder = tmp_path / "backup"
    wiring.make_backup(place.home, folder)
    other = Home(tmp_path / "other")
    make_home(other)
    with closing(open_store(other.database, kinds=KINDS)) as store:
        acts(store, 5, 50)
    (folder / "state" / "leadline.db").unlink()
    copies.copy(other.database, folder / "state")
    seal.seal(folder, place.parts.signer, "leadline.example/demonstration")
    with pytest.raises(Tampered, match="not the one that was signed"):
        wiring.check_backup(place.home, folder, None)
    with sqlite3.connect(folder / "state" / "leadline.db") as database:
        database.execute("DROP TABLE tile")
    seal.seal(folder, place.parts.signer, "leadline.example/demonstration")
    with pytest.raises(LeadlineError):
        wiring.check_backup(place.home, folder, None)
    (folder / "state" / "leadline.db").write_bytes(b"no database" * 500)
    seal.seal(folder, place.parts.signer, "leadline.example/demonstration")
    with pytest.raises(Tampered, match="no whole database"):
        wiring.check_backup(place.home, folder, None)


def test_nothing_is_overwritten(place: Place, tmp_path: Path) -> None:
    """Neither a folder with something in it, nor an installation."""
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").write_bytes(b"")
    with pytest.raises(Refused):
        wiring.make_backup(place.home, tmp_path / "full")
    wiring.make_backup(place.home, tmp_path / "backup")
    with pytest.raises(Refused):
        wiring.restore(tmp_path / "backup", place.home, None)


def test_a_state_that_cannot_be_copied_is_unavailable(tmp_path: Path) -> None:
    """A database that is not there is not made."""
    with pytest.raises(Unavailable):
        copies.copy(f"sqlite:///{tmp_path / 'none.db'}", tmp_path)
    assert not (tmp_path / "none.db").exists()
    with pytest.raises(Refused, match="PostgreSQL"):
        copies.restore(tmp_path, f"sqlite:///{tmp_path / 'none.db'}")
    with pytest.raises(Refused, match="SQLite"):
        copies.restore(tmp_path, "postgresql://nobody@127.0.0.1:1/none")


def test_the_commands_say_it_in_json_and_in_words(place: Place, tmp_path: Path) -> None:
    """Exit codes: 0, 2 without a choice, 4 for what is no backup, 8 for a changed one."""
    run, folder, home = CliRunner(), str(tmp_path / "backup"), str(place.home.folder)
    made = run.invoke(app, ["backup", folder, "--home", home, "--json"])
    assert json.loads(made.stdout)["ok"] is True
    told = run.invoke(app, ["restore", folder, "--check", "--home", home, "--json"])
    assert (told.exit_code, json.loads(told.stdout)["behind"]) == (0, 0)
    words = run.invoke(app, ["restore", folder, "--check", "--home", home])
    assert "holds all that was signed" in words.stdout
    assert run.invoke(app, ["restore", folder, "--home", home]).exit_code == 2
    assert run.invoke(app, ["restore", str(tmp_path), "--check", "--home", home]).exit_code == 4
    key = str(_vkeys(place, tmp_path))
    new = run.invoke(app, ["restore", folder, "--to", str(tmp_path / "new"), "--key", key])
    assert "put the folder `keys`" in new.stdout
    lost = ["restore", folder, "--check", "--home", str(tmp_path / "lost")]
    assert run.invoke(app, lost).exit_code == 4
    assert run.invoke(app, [*lost, "--key", str(tmp_path / "none")]).exit_code == 2
    assert run.invoke(app, [*lost, "--key", key]).exit_code == 0
    (tmp_path / "backup" / "checkpoint").write_bytes(b"")
    assert run.invoke(app, ["restore", folder, "--check", "--home", home]).exit_code == 8
    assert run.invoke(app, ["backup", str(tmp_path / "more"), "--home", home]).exit_code == 0


@pytest.mark.postgres
def test_a_postgresql_state_is_dumped_checked_and_put_back(
    databases: Databases, tmp_path: Path
) -> None:
    """The acts open again in another database; the dump and the log verify."""
    with databases.fresh() as first, databases.fresh() as second:
        home, new = Home(tmp_path / "home", first), Home(tmp_path / "new", second)
        make_home(home)
        with closing(open_store(home.database, kinds=KINDS)) as store:
            acts(store, 5)
        wiring.make_backup(home, tmp_path / "backup")
        looked = wiring.check_backup(home, tmp_path / "backup", None)
        assert (looked.checked.verified.size, looked.acts, looked.checked.behind) == (5, None, 0)
        make_home(new)
        shutil.copy(home.keys / "log.key", new.keys / "log.key")
        wiring.restore(tmp_path / "backup", new, None)
        with closing(open_store(new.database, kinds=KINDS)) as store, store.read() as view:
            assert len(view.acts()) == 5
            assert view.log_root() == looked.checked.verified.root
    dump = tmp_path / "backup" / "state" / copies.POSTGRESQL
    dump.write_bytes(dump.read_bytes()[:100])
    with pytest.raises(Tampered):
        copies.check(dump.parent)


def test_backups_begun_at_one_moment_have_a_folder_each(tmp_path: Path) -> None:
    """Two at once and a third: three names, each whole by itself; a refused one leaves no folder."""
    with house(tmp_path) as at:
        at.enrol("keeper", "administrator")
        at.enrol("other", "auditor")

        def made(_: int) -> str:
            return administration.make_backup(at.ctx("keeper"), at.portal.door.parts, at.home)

        with ThreadPoolExecutor(2) as pool:
            names = [*pool.map(made, range(2)), made(2)]
        moment = at.clock.now.strftime(administration.BY_NAME)
        assert sorted(names) == [moment, f"{moment}-2", f"{moment}-3"]
        for name in names:
            assert "whole" in administration.check(at.ctx("keeper"), at.home, name)
        with pytest.raises(Denied):
            administration.make_backup(at.ctx("other"), at.portal.door.parts, at.home)
        kept = administration.backups(at.ctx("keeper"), at.home)
        assert [one.name for one in kept] == sorted(names, reverse=True)


def test_two_commands_do_not_write_into_one_folder(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second one that comes between the look and the first write is told, and writes nothing."""
    folder = tmp_path / "backup"

    def meanwhile(*_: object) -> object:
        (folder / "state").mkdir(parents=True)
        return announce(*_)  # type: ignore[arg-type]

    announce = log.announce
    monkeypatch.setattr(log, "announce", meanwhile)
    with pytest.raises(Refused, match="another backup"):
        wiring.make_backup(place.home, folder)
    assert [one.name for one in folder.rglob("*")] == ["state"]
