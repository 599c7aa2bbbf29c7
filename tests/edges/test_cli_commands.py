"""The command line from outside: exit codes, one document on standard output, and a quick start."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = ("inspect_ai", "numpy", "scipy", "sqlalchemy", "alembic", "typst")
COMMANDS = (
    (),
    ("assess",),
    ("doctor",),
    ("engagement",),
    ("engagement", "show"),
    ("engagement", "withdraw"),
    ("findings", "group"),
    ("log", "verify"),
    ("match",),
    ("suite", "list"),
)
ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "LANG": "C.UTF-8"}


def leadline(*arguments: str, home: Path, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, in a folder of its own."""
    return subprocess.run(
        [sys.executable, "-m", "leadline", *arguments],
        env=ENVIRONMENT | {"HOME": str(home)} | more,
        cwd=home,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_help_needs_nothing_heavy(command: tuple[str, ...]) -> None:
    """Help for every command is printed without importing what only its work needs."""
    program = (
        "import sys\n"
        "from leadline.cli.main import app\n"
        "try:\n"
        "    app(sys.argv[1:])\n"
        "except SystemExit as ended:\n"
        f"    heavy = [name for name in {HEAVY!r} if name in sys.modules]\n"
        "    print(heavy, file=sys.stderr)\n"
        "    sys.exit(ended.code or bool(heavy))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *command, "--help"],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert "Usage:" in done.stdout


def test_the_version_is_printed(tmp_path: Path) -> None:
    """One word on standard output."""
    done = leadline("--version", home=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "0.1.0\n", "")


def test_doctor_prints_one_document(tmp_path: Path) -> None:
    """Every check names its cause, every one that does not hold its cure; suites are not needed."""
    done = leadline("doctor", "--json", home=tmp_path)
    told = json.loads(done.stdout)
    checks = {check["name"]: check for check in told["checks"]}
    assert all(check["cause"] for check in checks.values())
    assert all(check["cure"] for check in checks.values() if not check["ok"])
    assert not checks["suite registry"]["ok"]
    assert not checks["suite registry"]["needed"]
    needed = all(check["ok"] for check in checks.values() if check["needed"])
    assert done.returncode == (0 if needed else 7)


def test_doctor_names_a_missing_compiler(tmp_path: Path) -> None:
    """On a machine without clang, the cause is named and the exit says that nothing can run."""
    done = leadline("doctor", "--json", home=tmp_path, PATH=str(tmp_path))
    checks = {check["name"]: check for check in json.loads(done.stdout)["checks"]}
    assert not checks["compiler"]["ok"]
    assert "clang" in checks["compiler"]["cure"]
    assert done.returncode == 7


def test_suites_are_listed_with_what_is_missing(tmp_path: Path) -> None:
    """One document: what runs here with its items, and what does not with its reason."""
    done = leadline("suite", "list", "--json", home=tmp_path)
    suites = {suite["name"]: suite for suite in json.loads(done.stdout)["suites"]}
    assert suites["planted"]["items"] > 0
    assert suites["planted"]["unavailable"] == ""
    assert suites["registry"]["items"] == 0
    assert "make setup" in suites["registry"]["unavailable"]
    people = leadline("suite", "list", home=tmp_path)
    assert (people.returncode, "planted 2 (cyber)" in people.stdout) == (0, True)


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("engagement", "show", "absent"), 4, "not-found"),
        (("engagement", "withdraw", "absent", "--yes"), 4, "not-found"),
        (("assess", "--out", "absent", "--resume"), 4, "not-found"),
        (("log", "verify", "absent"), 2, "--key"),
        (("log", "verify", "absent", "--key", "absent"), 2, "--key"),
        (("match", "absent"), 2, "--advisories"),
        (("match", "absent", "--advisories", "."), 4, "absent"),
        (("findings", "group", "absent"), 4, "absent"),
        (("nonsense",), 2, "nonsense"),
        (("assess", "--nonsense"), 2, "--nonsense"),
        (("assess", "--epochs", "many"), 2, "--epochs"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else str(value),
)
def test_errors_have_their_exit_codes(
    tmp_path: Path, arguments: tuple[str, ...], code: int, told: str
) -> None:
    """Each kind of error ends with its code and one line that names the field; no traceback."""
    done = leadline(*arguments, home=tmp_path)
    assert code == done.returncode, done.stderr
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("value", ["many", "-1", "9999"])
def test_a_bad_setting_is_named(tmp_path: Path, value: str) -> None:
    """A number in the environment that is none ends with the variable's name."""
    done = leadline("suite", "list", home=tmp_path, LEADLINE_WORKERS=value)
    assert done.returncode == 2
    assert "LEADLINE_WORKERS" in done.stderr
