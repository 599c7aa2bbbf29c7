"""`leadline log publish|prove|verify|policy|register|witness` on an installation, and offline."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

import make
from leadline.cli import log
from leadline.formats.note import parse_vkeys
from leadline.settings import Home
from leadline.wiring import home as wiring

RUN = CliRunner()


def grow(home: Home, start: int, end: int) -> None:
    """Record acts `act-<start>` to `act-<end>`, without the last."""
    with wiring.opened(home) as parts, parts.store.write() as tx:
        for number in range(start, end):
            tx.record(make.act(9000 + number))


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """An installation with 270 acts."""
    home = Home(tmp_path / "home")
    wiring.make(home)
    grow(home, 0, 270)
    return home


def run(*arguments: str | Path, code: int = 0) -> str:
    """Standard output of `leadline log` with *arguments*, which ends with *code*."""
    result = RUN.invoke(log.app, [str(one) for one in arguments])
    assert result.exit_code == code, result.output
    return result.stdout if code == 0 else result.stderr


def proved(home: Home, folder: Path) -> list[str]:
    """A published act, its proof and policy in files: the command line that verifies it."""
    run("publish", "--home", home.folder)
    run("prove", "act-9005", "--out", folder / "act.tlog-proof", "--home", home.folder)
    (folder / "policy").write_text(run("policy", "--home", home.folder), encoding="utf-8")
    files = {"--opening": folder / "act.json", "--policy": folder / "policy"}
    return [
        "verify",
        str(folder / "act.tlog-proof"),
        *(str(x) for pair in files.items() for x in pair),
    ]


def test_an_act_is_proved_to_somebody_without_the_installation(home: Home, tmp_path: Path) -> None:
    """Publish, prove, hand over three files; the installation is gone when they are verified."""
    arguments = proved(home, tmp_path)
    keys = run("policy", "--keys", "--home", home.folder)
    assert len(parse_vkeys(keys)) == 2
    shutil.rmtree(home.folder)
    told = run(*arguments)
    assert "inquiry.lodged (act-9005)" in told
    assert "entry 5 of the log leadline.example/demonstration, 270 entries" in told
    assert "not witnessed: this operator alone vouches for the order" in told
    document = json.loads(run(*arguments, "--json"))
    assert document["ok"] is True
    assert (document["index"], document["size"], document["witnesses"]) == (5, 270, [])


def test_every_changed_byte_of_a_proof_is_refused(home: Home, tmp_path: Path) -> None:
    """Proof or opening, whichever byte; the place is named and the exit code says tampered."""
    arguments = proved(home, tmp_path)
    for name in ("act.tlog-proof", "act.json"):
        path = tmp_path / name
        content = path.read_bytes()
        for at in range(0, len(content), 37):
            path.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
            result = RUN.invoke(log.app, arguments)
            assert result.exit_code in {2, 8}, (name, at)
        path.write_bytes(content)
    run(*arguments)
    assert json.loads(RUN.invoke(log.app, [*arguments[:-1], "x", "--json"]).stdout or "{}") == {}
    (tmp_path / "act.tlog-proof").write_bytes(b"nothing")
    document = json.loads(RUN.invoke(log.app, [*arguments, "--json"]).stdout)
    assert (document["ok"], document["place"]) == (False, "proof")


@pytest.mark.parametrize("left_out", ["--opening", "--policy"])
def test_a_proof_needs_its_opening_and_a_policy(home: Home, tmp_path: Path, left_out: str) -> None:
    """The option that is missing is named."""
    arguments = proved(home, tmp_path)
    at = arguments.index(left_out)
    assert left_out in run(*arguments[:at], *arguments[at + 2 :], code=2)


def test_the_offline_verifier_imports_no_server(home: Home, tmp_path: Path) -> None:
    """Neither a database, nor a rule engine, nor a web framework, nor an HTTP client."""
    arguments = proved(home, tmp_path)
    heavy = (
        "sqlalchemy",
        "cedarpy",
        "fastapi",
        "uvicorn",
        "httpx",
        "tink",
        "webauthn",
        "inspect_ai",
    )
    code = (
        "import sys\n"
        "from leadline.cli.log import app\n"
        f"app({arguments!r}, standalone_mode=False)\n"
        f"heavy = [name for name in {heavy!r} if name in sys.modules]\n"
        "sys.exit(f'imported: {heavy}' if heavy else 0)\n"
    )
    source = str(Path(log.__file__).parents[2])
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": source},
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_the_published_folder_verifies_as_it_stands(home: Home, tmp_path: Path) -> None:
    """Static files that anybody can serve, and anybody can check."""
    document = json.loads(run("publish", "--home", home.folder, "--json"))
    assert document["size"] == 270
    grow(home, 270, 600)
    run("publish", "--home", home.folder)
    with wiring.opened(home) as parts:
        (tmp_path / "log.vkey").write_text(parts.signer.vkeys(), encoding="utf-8")
    told = run("verify", document["folder"], "--key", tmp_path / "log.vkey")
    assert "600 entries" in told


def test_a_database_from_an_older_backup_is_not_signed(home: Home, tmp_path: Path) -> None:
    """Restored, and acts added: refused each time, until the newest state is back."""
    shutil.copyfile(home.folder / "leadline.db", tmp_path / "old.db")
    grow(home, 270, 280)
    run("publish", "--home", home.folder)
    shutil.copyfile(home.folder / "leadline.db", tmp_path / "new.db")
    for extra in (0, 30):
        shutil.copyfile(tmp_path / "old.db", home.folder / "leadline.db")
        for left in home.folder.glob("leadline.db-*"):
            left.unlink()
        grow(home, 1000, 1000 + extra)
        assert "tampered" in run("publish", "--home", home.folder, code=8)
    shutil.copyfile(tmp_path / "new.db", home.folder / "leadline.db")
    for left in home.folder.glob("leadline.db-*"):
        left.unlink()
    run("publish", "--home", home.folder)
    run("publish", "--home", home.folder)
    document = json.loads(run("register", "--home", home.folder, "--json"))
    (month, *_) = [m for m in document["months"] if "log.signing_refused" in m["acts"]]
    assert month["acts"]["log.signing_refused"] == 2
    assert month["acts"]["alert.raised"] == 2


def test_the_register_is_written_as_static_files(home: Home, tmp_path: Path) -> None:
    """A document and a page; the counts add up, and nothing of an act stands in them."""
    assert "never signed" in run("register", "--home", home.folder, code=5)
    run("publish", "--home", home.folder)
    told = run("register", "--home", home.folder, "--out", tmp_path / "register")
    assert "270 acts named by kind + 0 withheld + 0 cover = 270 leaves" in told
    page = (tmp_path / "register" / "register.html").read_text("utf-8")
    document = json.loads((tmp_path / "register" / "register.json").read_bytes())
    assert (document["opened"], document["size"]) == (270, 270)
    assert "Public register" in page
    assert "inquiry.lodged" in page
    for private in ("act-9005", "person-0001", make.ENGAGEMENT):
        assert private not in page + json.dumps(document)
    (tmp_path / "file").write_bytes(b"")
    assert "--out" in run("register", "--home", home.folder, "--out", tmp_path / "file", code=2)


@pytest.fixture
def witness(home: Home, tmp_path: Path) -> Iterator[str]:
    """A witness in a process of its own, named in the installation's quorum file; its address."""
    vkeys = run("witness", "new", "--state", tmp_path / "witness", "--name", "other.example/w")
    known = run("policy", "--home", home.folder)
    (tmp_path / "logs").write_text(known, encoding="utf-8")
    command = [sys.executable, "-m", "leadline", "log", "witness", "serve", "--listen"]
    command += [
        "127.0.0.1:0",
        "--state",
        str(tmp_path / "witness"),
        "--policy",
        str(tmp_path / "logs"),
    ]
    source = str(Path(log.__file__).parents[2])
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": source},  # noqa: TID251 -- the suite is an edge of its own
    ) as process:
        assert process.stdout is not None
        found = re.search(r"witness other\.example/w at (http://\S+)", process.stdout.readline())
        assert found is not None
        lines = [line for line in known.splitlines() if line.startswith("log ")]
        lines += [f"witness w {vkeys.splitlines()[1]} {found[1]}", "quorum w"]
        (home.keys / "log.policy").write_text("".join(f"{one}\n" for one in lines), "utf-8")
        try:
            yield found[1]
        finally:
            process.send_signal(signal.SIGTERM)


def test_a_witness_that_one_can_run(home: Home, witness: str, tmp_path: Path) -> None:
    """Served, asked, listed; its cosignature stands in the proof, and the words name it."""
    assert "quorum w, not met" in run("witness", "list", "--home", home.folder)
    assert "cosigned by other.example/w" in run("publish", "--home", home.folder)
    document = json.loads(run("witness", "list", "--home", home.folder, "--json"))
    (row,) = document["witnesses"]
    assert (row["url"], row["cosigned"], document["met"]) == (witness, True, True)
    assert "w  other.example/w" in run("witness", "list", "--home", home.folder)
    arguments = proved(home, tmp_path)
    assert "cosigned by other.example/w" in run(*arguments)
    document = json.loads(
        run(
            "prove", "act-9006", "--out", tmp_path / "b.tlog-proof", "--home", home.folder, "--json"
        )
    )
    assert document["opening"] == str(tmp_path / "b.json")


def test_a_witness_that_is_away_is_told_and_nothing_stops(home: Home, tmp_path: Path) -> None:
    """The log is published without it."""
    run("publish", "--home", home.folder)
    vkeys = run("witness", "new", "--state", tmp_path / "witness", "--name", "other.example/w")
    known = run("policy", "--home", home.folder).replace("quorum none\n", "")
    line = f"witness w {vkeys.splitlines()[0]} http://127.0.0.1:9\nquorum w\n"
    (home.keys / "log.policy").write_text(known + line, encoding="utf-8")
    grow(home, 270, 271)
    assert "no cosignature by w: no answer" in run("publish", "--home", home.folder)
    assert "already" in run(
        "witness", "new", "--state", tmp_path / "witness", "--name", "x", code=5
    )


def test_what_is_not_there_is_said(home: Home, tmp_path: Path) -> None:
    """No installation, no such act, no checkpoint yet, no place to write to, no witness."""
    assert "no installation" in run("publish", "--home", tmp_path / "x", code=4)
    to = ["--home", str(home.folder), "--out"]
    assert "leadline log publish" in run("prove", "act-9001", *to, tmp_path / "p", code=5)
    run("publish", "--home", home.folder)
    assert "no act" in run("prove", "act-1", *to, tmp_path / "p", code=4)
    assert "--out" in run("prove", "act-9001", *to, tmp_path / "no" / "p", code=2)
    serve = ["witness", "serve", "--policy", str(tmp_path / "p"), "--state", str(tmp_path / "none")]
    assert "no witness in" in run(*serve, code=4)
    assert "--key" in run("verify", home.log, code=2)
