"""What the developer tells a relay: the same commands through its socket, or in its folder while it rests."""

import json
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields
from datetime import timedelta
from pathlib import Path

from leadline.core.access import EPOCH
from leadline.core.errors import Invalid, LeadlineError, NotFound, Refused, Tampered, Unavailable
from leadline.core.record.act import instant
from leadline.relay.ledger import Caps, Credential
from leadline.relay.state import State

SOCKET = "control.sock"
WAIT_SECONDS = 10.0
DAY_MINUTES = 24 * 60
_ERRORS: Mapping[str, type[LeadlineError]] = {
    one.code: one for one in (NotFound, Refused, Unavailable)
}


@contextmanager
def socket_path(folder: Path) -> Iterator[str]:
    """The socket's path, however long the folder's is: a Unix address holds 108 bytes."""
    descriptor = os.open(folder, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{descriptor}/{SOCKET}"
    finally:
        os.close(descriptor)


def command(state: State, told: object) -> object:
    """Do what one line of the control socket says.

    Raises: Invalid, for a command that is none; as the command itself.
    """
    if not isinstance(told, dict):
        raise Invalid("command", "one JSON object on one line")
    match told.get("do"):
        case "issue":
            made, secret = state.issue(_wanted(told), lifetime=_minutes(told))
            return {
                "id": made.id,
                "secret": secret,
                "prefix": made.prefix,
                "until": instant(made.expires),
                "overshoot": state.journal.ledger.overshoot(made),
            }
        case "list":
            counts = state.journal.ledger.counts
            told_of = ("refused", "changed")
            return {"credentials": state.listed(), **{name: counts[name] for name in told_of}}
        case "revoke":
            return state.revoke(_texts(told, "ids"), str(told.get("why") or "revoked"))
        case "commitments":
            return state.journal.statement(state.clock())
        case _:
            raise Invalid("do", "issue, list, revoke or commitments")


def _wanted(told: Mapping[str, object]) -> Credential:
    """The credential as asked for; id, secret, prefix and end are the relay's."""
    caps = told.get("caps")
    names = {one.name for one in fields(Caps)}
    if not isinstance(caps, dict) or not names >= set(caps):
        raise Invalid("caps", f"some of {', '.join(sorted(names))}")
    return Credential(
        id="",
        digest="",
        engagement=str(told.get("engagement") or ""),
        prefix="",
        expires=EPOCH,
        models=_texts(told, "models"),
        answers=_texts(told, "answers"),
        paths=_texts(told, "paths"),
        bound=str(told.get("bound") or ""),
        caps=Caps(**caps),
    )


def _minutes(told: Mapping[str, object]) -> timedelta:
    minutes = told.get("minutes")
    if type(minutes) is not int or not 0 < minutes <= DAY_MINUTES:
        raise Invalid("--minutes", f"from 1 to {DAY_MINUTES}; issue a new one tomorrow")
    return timedelta(minutes=minutes)


def _texts(told: Mapping[str, object], name: str) -> tuple[str, ...]:
    found = told.get(name, [])
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise Invalid(name, "a list of texts")
    return tuple(found)


def tell(folder: Path, told: Mapping[str, object]) -> object:
    """Have the running relay of *folder* do a command.

    Raises: NotFound, if none runs there; Unavailable, if it does not answer; as the command.
    """
    if not folder.is_dir():
        raise NotFound(f"no relay's folder at {folder}")
    try:
        with socket_path(folder) as path, socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
            sock.settimeout(WAIT_SECONDS)
            sock.connect(path)
            sock.sendall(json.dumps(told).encode() + b"\n")
            with sock.makefile("rb") as answers:
                line = answers.readline(1 << 26)
    except (FileNotFoundError, ConnectionRefusedError):
        raise NotFound(f"no relay runs on {folder}") from None
    except OSError as error:
        raise Unavailable(
            f"the relay on {folder} does not answer ({error}); end its process: without it nothing "
            "is relayed"
        ) from error
    try:
        answer = json.loads(line)
    except ValueError:
        raise Unavailable(f"the relay on {folder} gave no answer; look at its output") from None
    if "error" not in answer:
        return answer["done"]
    code, problem = str(answer["error"]), str(answer["told"])
    if code == Tampered.code:
        raise Tampered("relay", problem)
    if code in _ERRORS:
        raise _ERRORS[code](problem)
    field, _, rest = problem.partition(": ")
    raise Invalid(field, rest)
