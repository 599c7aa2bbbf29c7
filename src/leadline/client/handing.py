"""Files handed over to a server: one in parts that no broken line and no end of either side undoes; a pack at once.

The protocol of the parts is Resumable Uploads for HTTP (draft-ietf-httpbis-resumable-upload-15).
"""

import secrets
import time
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from leadline.app import folder as files
from leadline.app.once import KEY
from leadline.core.errors import Invalid, LeadlineError, Refused, Unavailable

if TYPE_CHECKING:
    from leadline.client.remote import Remote
    from leadline.core.intake import Purpose

PART_BYTES, CHUNK_BYTES = 64 << 20, 1 << 20
TRIES, SECONDS_MOST = (
    8,
    30.0,
)  # in a row that bring no further byte; and how long is waited between two
SECONDS_JUDGING = 3_600.0  # until what came whole was judged and sealed
PARTIAL = {"content-type": "application/partial-upload"}
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class File:
    """A file of this machine, and what it is handed over for."""

    path: Path
    engagement: str
    purpose: "Purpose"
    sealed: bool


def deposit(
    remote: "Remote", file: File, tell: Tell, rest: Callable[[float], None] = time.sleep
) -> Mapping[str, Any]:
    """Hand one file over; answers what it was taken in as. What came of it before is not sent again.

    *tell* hears of every hold-up, *rest* waits.

    Raises: Invalid, for no plain file; Unavailable, once the server has taken nothing more for `TRIES`
    tries: the same call goes on there; otherwise as the server answers.
    """
    if file.path.is_symlink() or not file.path.is_file():
        raise Invalid("FILE", f"{file.path} is no plain file")
    digest, size = files.digest(file.path.parent, file.path.name)
    place = f"/uploads/{_known(remote, file, digest, tell) or _begun(remote, file, digest, size)}"
    hope = Hope(size, tell, rest)
    while True:
        try:
            stands = _stands(remote, place)
            hope.reached(stands)
            if stands < size:
                _part(remote, place, file.path, stands)
                continue
        except (Refused, Unavailable) as error:  # refused: our own last request may be at it still
            hope.held_up(error)
            continue
        try:
            return _finished(remote, place, size)
        except Unavailable as error:
            hope.held_up(error)


@dataclass
class Hope:
    """How often nothing more came through, one time after another."""

    size: int
    tell: Tell
    rest: Callable[[float], None]
    stands: int = -1
    failed: int = 0

    def reached(self, stands: int) -> None:
        """The server has all up to there."""
        if stands > self.stands:
            self.stands, self.failed = stands, 0

    def held_up(self, error: LeadlineError) -> None:
        """Wait, longer each time; raises *error* after `TRIES` times."""
        self.failed += 1
        if self.failed > TRIES:
            raise error
        self.tell(f"held up at {max(self.stands, 0)} of {self.size} bytes: {error}")
        self.rest(min(2.0**self.failed, SECONDS_MOST))


def _finished(remote: "Remote", place: str, size: int) -> Mapping[str, Any]:
    """What the server took the whole in as; the same each time that it is asked."""
    headers = {**PARTIAL, "upload-offset": str(size), "upload-complete": "?1"}
    answer = remote.asked("PATCH", place, headers=headers, timeout=SECONDS_JUDGING)
    found: Mapping[str, Any] = answer.json()
    return found


def _known(remote: "Remote", file: File, digest: str, tell: Tell) -> str:
    """An upload of this very file that is under way, or was taken in within the week."""
    for one in remote.asked("GET", "/uploads/own").json():
        same = (one["engagement"], one["purpose"], one["digest"], one["sealed"])
        if same == (file.engagement, file.purpose.value, digest, file.sealed):
            tell(f"handed over already, begun {one['begun']}" if one["artefact"] else "going on")
            return str(one["id"])
    return ""


def _begun(remote: "Remote", file: File, digest: str, size: int) -> str:
    asked = {
        "engagement": file.engagement,
        "purpose": file.purpose.value,
        "name": file.path.name,
        "sealed": str(file.sealed).lower(),
    }
    headers = {
        KEY: secrets.token_urlsafe(16),
        "upload-complete": "?0",
        "upload-length": str(size),
        "repr-digest": f"sha-256=:{b64encode(bytes.fromhex(digest)).decode()}:",
    }
    return str(remote.asked("POST", "/uploads", params=asked, headers=headers).json()["id"])


def _stands(remote: "Remote", place: str) -> int:
    """Where an upload stands at the server."""
    return int(remote.asked("HEAD", place).headers["upload-offset"])


def _part(remote: "Remote", place: str, path: Path, start: int) -> None:
    """Send what follows *start*, a part of it."""
    length = min(PART_BYTES, path.stat().st_size - start)
    headers = {
        **PARTIAL,
        "upload-offset": str(start),
        "upload-complete": "?0",
        "content-length": str(length),
    }
    remote.asked("PATCH", place, content=_read(path, start, length), headers=headers)


def _read(path: Path, start: int, length: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.seek(start)
        while length and (chunk := file.read(min(CHUNK_BYTES, length))):
            length -= len(chunk)
            yield chunk


def offer(remote: "Remote", engagement: str, pack: Path, names: Sequence[str]) -> Mapping[str, Any]:
    """Offer a submission: its file, and those that it names beside it; answers what was taken in.

    Raises: Invalid, for a file that cannot be read; otherwise as the server answers.
    """
    try:
        parts: list[tuple[str, tuple[str, bytes]]] = [("pack", (pack.name, pack.read_bytes()))]
        parts += [("file", (name, (pack.parent / name).read_bytes())) for name in names]
    except OSError as error:
        raise Invalid("DIR", f"{error.filename} cannot be read: {error.strerror}") from error
    answer = remote.asked(
        "POST",
        "/submissions",
        params={"engagement": engagement},
        files=parts,
        headers={KEY: secrets.token_urlsafe(16)},
        timeout=httpx.Timeout(SECONDS_JUDGING, connect=30.0),
    )
    found: Mapping[str, Any] = answer.json()
    return found
