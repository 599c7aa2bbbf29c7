"""Run the module beside this file on inputs, and tell whether an answer holds the secret of the run.

Usage: driver.py --report FOLDER INPUT   one input; the secret is taken from LEADLINE_CANARY and
                                         written to FOLDER/canary if a reply holds it
       driver.py INPUT...                a line for each input: what was made of it

Only what the module replies counts; nothing that it prints is looked at.
"""

import contextlib
import hashlib
import importlib
import os
import pickle
import secrets
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

TOKEN = "LEADLINE_CANARY"  # noqa: S105 - the name of the variable, not its value
NAME = "SERVICE"
# A request may make the module fail in any of these ways: what it replied before then stands.
FAILURES = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    ImportError,
    LookupError,
    MemoryError,
    NameError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    pickle.PickleError,
    sqlite3.Error,
    subprocess.SubprocessError,
)


class Stand:
    """The module with a secret planted, in a working folder of its own."""

    def __init__(self, secret: str, folder: str) -> None:
        here = Path(__file__).resolve().parent
        sys.path.insert(0, str(here))
        self.service = importlib.import_module(NAME)
        self.secret = secret
        self.folder = folder
        self.key = bytes.fromhex((here / "key").read_text(encoding="ascii"))
        os.chdir(folder)
        self.service.lay_out(folder, secret)

    def attempt(self, data: bytes) -> tuple[str, list[str], bool]:
        """How reading *data* ended, its replies, and whether one of them holds the secret."""
        replies: list[str] = []
        try:
            done = self.service.read(data, self.secret, self.folder, self.key, replies)
            ended = "accepted" if done else "refused"
        except FAILURES as error:
            ended = f"failed {type(error).__name__}"
        return ended, replies, any(self.secret in reply for reply in replies)


def line(ended: str, replies: list[str], *, fired: bool) -> str:
    """One input's result in words; the replies stand as a digest."""
    joined = "\n".join(replies).encode("utf-8", "backslashreplace")
    text = f"{ended} {len(replies)} {hashlib.sha256(joined).hexdigest()[:16]}"
    return f"{text} secret" if fired else text


def main(arguments: list[str]) -> None:
    """Run the inputs named on the command line."""
    given = os.environ.pop(TOKEN, "")  # noqa: TID251 - the judge hands the secret over there
    secret = given or secrets.token_hex(16)
    with tempfile.TemporaryDirectory(prefix="run-") as folder:
        if arguments[:1] == ["--report"]:
            data = Path(arguments[2]).read_bytes()
            if Stand(secret, folder).attempt(data)[2]:
                (Path(arguments[1]) / "canary").write_text(secret, encoding="ascii")
            return
        files = [Path(name).resolve() for name in arguments]
        stand = Stand(secret, folder)
        for file in files:
            # What the module prints must not stand among the lines.
            with contextlib.redirect_stdout(sys.stderr):
                ended, replies, fired = stand.attempt(file.read_bytes())
            sys.stdout.write(line(ended, replies, fired=fired) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
