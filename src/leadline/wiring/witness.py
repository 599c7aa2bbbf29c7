"""A witness in a folder of its own: its key, and what it has seen of each log.

Whoever can read the folder can cosign as the witness; whoever can restore an older memory can make it
forget. Run it on another machine, under another body, than the log it watches.
"""

import secrets
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from leadline.app.witness import Cosigner, Seen, Slot, Witness, known_logs
from leadline.core.errors import Invalid, NotFound, Refused, Unavailable
from leadline.core.record.act import Value
from leadline.formats import canonical, note, tlog_policy
from leadline.wiring.log import locked, write

KEY_FORMAT, MEMORY_FORMAT = "leadline/witness-key/v1", "leadline/witness/v1"
KEY, MEMORY = "witness.key", "witness.memory"
SEED_BYTES = 32


@dataclass(frozen=True, slots=True)
class FolderMemory:
    """`leadline.app.witness.Memory` in one file, bound to the witness's keys."""

    folder: Path
    vkeys: str

    @contextmanager
    def held(self, origin: str) -> Iterator[Slot]:
        """As the port; the file is read anew each time, and its absence is never a beginning."""
        with locked(self.folder / "lock"):
            heads = self.heads()

            def replace(head: Seen) -> None:
                _remember(self.folder, self.vkeys, {**heads, origin: head})

            yield Slot(heads.get(origin), replace)

    def heads(self) -> dict[str, Seen]:
        """The last head of each log that was cosigned.

        Raises: Unavailable, if the memory is lost, unreadable or of another witness.
        """
        try:
            return _heads(canonical.decode((self.folder / MEMORY).read_bytes()), self.vkeys)
        except (OSError, Invalid) as error:
            raise Unavailable(
                "the memory of this witness is lost or unreadable; it cosigns nothing more: make a "
                "new witness with a new key, and tell those whose policies name this one"
            ) from error


def _heads(held: Value, vkeys: str) -> dict[str, Seen]:
    members = held if isinstance(held, Mapping) else {}
    logs = members.get("logs")
    if (members.get("format"), members.get("vkeys")) != (MEMORY_FORMAT, vkeys):
        raise Invalid("memory", "it is of another witness")
    if not isinstance(logs, Mapping):
        raise Invalid("memory", "it holds no logs")
    heads = dict[str, Seen]()
    for origin, one in logs.items():
        match one:
            case {"size": int(size), "root": str(root)}:
                heads[origin] = Seen(size, note.decode_base64("root", root))
            case _:
                raise Invalid("memory", "size and root of each log are due")
    return heads


def _remember(folder: Path, vkeys: str, heads: Mapping[str, Seen]) -> None:
    logs: dict[str, Value] = {
        origin: {"size": head.size, "root": b64encode(head.root).decode()}
        for origin, head in heads.items()
    }
    members: dict[str, Value] = {"format": MEMORY_FORMAT, "vkeys": vkeys, "logs": logs}
    write(folder / MEMORY, canonical.encode(members), 0o600)


def new_witness(folder: Path, name: str) -> str:
    """Make a witness in *folder* and answer its verifier keys, one a line.

    Raises: Refused, if there is one already; Invalid, if *name* cannot name a key.
    """
    note.check_name("--name", name)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with locked(folder / "lock"):
        if (folder / KEY).exists():
            raise Refused(f"{folder} holds a witness already; serve it, or name another folder")
        seeds = secrets.token_bytes(SEED_BYTES), secrets.token_bytes(SEED_BYTES)
        vkeys = Cosigner(name, *seeds).vkeys()
        # The memory comes first: a key without one is a witness that has lost it.
        _remember(folder, vkeys, {})
        members: dict[str, Value] = {"format": KEY_FORMAT, "name": name}
        members |= {"ed25519": seeds[0].hex(), "ml_dsa_44": seeds[1].hex()}
        write(folder / KEY, canonical.encode(members), 0o600)
    return vkeys


def open_witness(folder: Path, policy: Path) -> Witness:
    """The witness kept in *folder*, for the logs that the file *policy* names.

    Raises: NotFound, if no witness was made there; Unavailable, if its memory is lost; Invalid, if
    the policy or the key file is none.
    """
    if not (folder / KEY).exists():
        raise NotFound(f"no witness in {folder}; make one with `leadline log witness new`")
    cosigner = _cosigner((folder / KEY).read_bytes())
    memory = FolderMemory(folder, cosigner.vkeys())
    memory.heads()
    try:
        logs = known_logs(tlog_policy.parse(policy.read_bytes()))
    except OSError as error:
        raise Invalid("--policy", f"{policy} cannot be read: {error.strerror}") from error
    return Witness(cosigner, logs, memory)


def _cosigner(data: bytes) -> Cosigner:
    match canonical.decode(data):
        case {"format": format_, "name": str(name), "ed25519": str(one), "ml_dsa_44": str(two)} if (
            format_ == KEY_FORMAT
        ):
            try:
                return Cosigner(name, bytes.fromhex(one), bytes.fromhex(two))
            except ValueError as error:
                raise Invalid("witness key", f"{error}; restore its backup") from error
        case _:
            raise Invalid("witness key", "not what `leadline log witness new` writes")
