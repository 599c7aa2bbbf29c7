"""The public side of compartments: who has one, its epochs, and sealing to the newest of them.

A compartment is a folder named by a digest of (engagement, owner):

    compartment.json   id, engagement, owner, KEM; written once
    epoch-<n>.json     public half, and private half wrapped for whoever holds the wrapping key
    ended              from now on nothing sealed opens
    destroyed.json     when, by which driver, on whose authority the keys were destroyed

Nothing in it opens anything. A worker has this and no more.
"""

import re
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import NoReturn

from leadline.app.ports import Recipient, Release
from leadline.core.errors import Invalid, NotFound, Refused, Tampered
from leadline.core.record.act import Value, instant
from leadline.core.vaulting import OWNERS, Bound, Destroyed, Owner, Wrapped
from leadline.formats import canonical
from leadline.vault import disk, envelope

COMPARTMENT, EPOCH, DESTROYED = (
    "leadline/compartment/v1",
    "leadline/compartment-epoch/v1",
    "leadline/compartment-destroyed/v1",
)
ENDED = "ended"
RECORD_BYTES_MAX = 1 << 16
_EPOCH_FILE = re.compile(r"epoch-([1-9][0-9]{0,5})\.json", re.ASCII)
_ID = re.compile(r"key-[0-9a-f]{32}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Compartment:
    """One compartment as its folder tells it."""

    id: str
    engagement: str
    owner: Owner
    kem: str
    folder: Path

    @property
    def ended(self) -> bool:
        """Whether access to what is sealed in it has ended."""
        return (self.folder / ENDED).exists()


@dataclass(frozen=True, slots=True)
class Epoch:
    """One key pair. *private* is wrapped."""

    number: int
    at: datetime
    public: bytes
    private: bytes


class Ring:
    """Every compartment of a vault, by its folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def place(self, engagement: str, owner: Owner) -> Path:
        """Where a compartment is, or will be."""
        if owner not in OWNERS:
            raise Invalid("owner", f"{owner!r} owns nothing here; use one of {', '.join(OWNERS)}")
        name = canonical.encode({"engagement": engagement, "owner": owner})
        return self.folder / sha256(name).hexdigest()[:32]

    def find(self, engagement: str, owner: Owner) -> Compartment | None:
        """The compartment, or None where none was made."""
        return self._compartment(self.place(engagement, owner))

    def live(self, engagement: str, owner: Owner) -> Compartment:
        """The compartment, if its keys exist.

        Raises: NotFound, if none was made; Refused, if its keys were destroyed.
        """
        found = self.find(engagement, owner)
        if found is None:
            told = f"{owner} of {engagement}" if engagement else owner
            raise NotFound(f"no compartment for {told}; whoever holds the keys makes it first")
        if (gone := self.destroyed(found)) is not None:
            raise Refused(
                f"the keys of compartment {found.id} were destroyed at {instant(gone.at)}; nothing "
                "is sealed to it or opened from it any more"
            )
        return found

    def recipient(self, engagement: str, owner: Owner) -> Recipient:
        """What a data key is sealed to now. Raises: as `live`."""
        found = self.live(engagement, owner)
        return Recipient(found.id, self.epochs(found)[-1].number)

    def epochs(self, compartment: Compartment) -> Sequence[Epoch]:
        """Its key pairs, oldest first.

        Raises: Tampered, if one is missing or cannot be read.
        """
        numbers = sorted(
            int(match[1])
            for path in compartment.folder.iterdir()
            if (match := _EPOCH_FILE.fullmatch(path.name))
        )
        if numbers != list(range(1, len(numbers) + 1)) or not numbers:
            raise Tampered(f"compartment {compartment.id}", "an epoch is missing")
        return [self.epoch(compartment, number) for number in numbers]

    def destroyed(self, compartment: Compartment) -> Destroyed | None:
        """What was reported when its keys were destroyed; None while they exist."""
        record = _record(compartment.folder / "destroyed.json", DESTROYED)
        if record is None:
            return None
        at = datetime.fromisoformat(record["at"])
        return Destroyed(compartment.id, at, record["driver"], record["statement"])

    def seal(self, key: bytes, bound: Bound) -> Wrapped:
        """*key* sealed to the epoch that *bound* names.

        Raises: as `live`; Tampered, if *bound* names another compartment or a missing epoch.
        """
        compartment = self.live(bound.engagement, bound.owner)
        if compartment.id != bound.compartment:
            told = f"bound to {bound.compartment}, while this is {compartment.id}"
            raise Tampered(f"compartment {compartment.id}", told)
        epoch = self.epoch(compartment, bound.epoch)
        return envelope.seal(compartment.kem, epoch.public, key, bound)

    def _compartment(self, place: Path) -> Compartment | None:
        record = _record(place / "compartment.json", COMPARTMENT)
        if record is None:
            return None
        owner = next((one for one in OWNERS if one == record["owner"]), None)
        right = owner and self.place(record["engagement"], owner).name == place.name
        if owner is None or not right or not _ID.fullmatch(record["id"]):
            raise Tampered(f"compartment folder {place.name}", "it is another compartment's")
        return Compartment(record["id"], record["engagement"], owner, record["kem"], place)

    def epoch(self, compartment: Compartment, number: int) -> Epoch:
        """One key pair. Raises: Tampered, if it is missing or another compartment's."""
        record = _record(compartment.folder / f"epoch-{number}.json", EPOCH)
        if record is None or (record["compartment"], record["epoch"]) != (
            compartment.id,
            str(number),
        ):
            raise Tampered(f"compartment {compartment.id}", f"epoch {number} is missing or moved")
        return Epoch(
            number,
            datetime.fromisoformat(record["at"]),
            b64decode(record["public"]),
            b64decode(record["private"]),
        )


MEMBERS: Mapping[str, frozenset[str]] = {
    COMPARTMENT: frozenset({"format", "id", "engagement", "owner", "kem"}),
    EPOCH: frozenset({"format", "compartment", "epoch", "at", "public", "private"}),
    DESTROYED: frozenset({"format", "compartment", "at", "driver", "statement", "authority"}),
}


def encode_epoch(compartment: str, epoch: Epoch) -> bytes:
    """The file of one epoch."""
    return canonical.encode(
        {
            "format": EPOCH,
            "compartment": compartment,
            "epoch": str(epoch.number),
            "at": instant(epoch.at),
            "public": b64encode(epoch.public).decode(),
            "private": b64encode(epoch.private).decode(),
        }
    )


def _record(place: Path, kind: str) -> Mapping[str, str] | None:
    """The texts of one file; None where there is none.

    Raises: Tampered, naming folder and file, if it is not what was written.
    """
    data = disk.read(place, RECORD_BYTES_MAX)
    if data is None:
        return None
    try:
        members: Value = canonical.decode(data)
    except Invalid:
        members = None
    texts = (
        {name: value for name, value in members.items() if isinstance(value, str)}
        if isinstance(members, Mapping)
        else {}
    )
    if set(texts) != MEMBERS[kind] or texts["format"] != kind:
        raise Tampered(f"{place.parent.name}/{place.name}", f"it is no {kind}")
    return texts


class PublicHalves:
    """`leadline.app.ports.KeyStore` for a process that only seals: it holds no private half."""

    seals_only = True

    def __init__(self, folder: Path) -> None:
        self._ring = Ring(folder)

    def ensure(self, engagement: str, owner: Owner) -> Recipient:
        """The compartment that somebody else made. Raises: NotFound, Refused."""
        return self._ring.recipient(engagement, owner)

    def wrap(self, key: bytes, bound: Bound) -> Wrapped:
        """Seal a data key; needs nothing else."""
        return self._ring.seal(key, bound)

    def open_working(self, wrapped: Wrapped) -> NoReturn:
        """Refused."""
        self._refuse("open", wrapped.bound.digest)

    def unwrap(self, wrapped: Sequence[Wrapped], release: Release) -> NoReturn:
        """Refused."""
        self._refuse(f"open {len(wrapped)} shards for", release.request.id)

    def rotate(self, engagement: str, owner: Owner) -> NoReturn:
        """Refused."""
        self._refuse("rotate", f"{engagement}/{owner}")

    def rewrap(self, wrapped: Wrapped) -> NoReturn:
        """Refused."""
        self._refuse("re-wrap", wrapped.bound.digest)

    def end(self, engagement: str, owner: Owner) -> NoReturn:
        """Refused."""
        self._refuse("end", f"{engagement}/{owner}")

    def destroy(self, engagement: str, owner: Owner, *, authority: str) -> NoReturn:
        """Refused."""
        self._refuse(f"destroy by {authority}", f"{engagement}/{owner}")

    def attest(self, engagement: str, owner: Owner) -> str:
        """That it holds public halves only."""
        return f"{self._ring.live(engagement, owner).id}: public half only; opens nothing"

    def ended(self, engagement: str, owner: Owner) -> bool:
        """Whether access to what is sealed there has ended."""
        found = self._ring.find(engagement, owner)
        return found is not None and found.ended

    def _refuse(self, what: str, which: str) -> NoReturn:
        raise Refused(f"this process cannot {what} {which}: it holds public halves of keys only")
