"""The log's own keys: one Ed25519 and one ML-DSA-44 key in a file, created once.

The file is state of the installation and never part of a bundle. It holds both seeds in the clear,
readable by its owner only; whoever can read it can sign as the log.
"""

import os
import re
import stat
import tempfile
from collections.abc import Mapping
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from leadline.app.signature import ml_dsa_required
from leadline.core.errors import Invalid, Refused
from leadline.formats import canonical, checkpoint, cosignature, note
from leadline.formats.note import Kind, VerifierKey

FORMAT = "leadline/signer/v1"
OTHERS = stat.S_IRWXG | stat.S_IRWXO
_SEED = re.compile(r"[0-9a-f]{64}", re.ASCII)


class FileSigner:
    """Signs notes under the log's name with both keys; `open_signer` makes one.

    A checkpoint of this log is signed with Ed25519 (0x01) and as an ML-DSA-44 cosignature (0x06)
    of time 0, which makes no statement about time. Any other text is signed with Ed25519 and with
    ML-DSA-44 over the text (see `leadline.formats.cosignature`).
    """

    def __init__(self, name: str, ed25519: Ed25519PrivateKey, ml_dsa: MLDSA44PrivateKey) -> None:
        self.name = name
        self._ed25519, self._ml_dsa = ed25519, ml_dsa
        self._classic = VerifierKey(name, Kind.ED25519, ed25519.public_key().public_bytes_raw())
        quantum = ml_dsa.public_key().public_bytes_raw()
        self._head = VerifierKey(name, Kind.ML_DSA_44_COSIGNATURE, quantum)
        self._text = VerifierKey(name, Kind.ML_DSA_44_TEXT, quantum)

    def vkeys(self) -> str:
        """The two C2SP verifier keys, one a line."""
        return f"{self._classic.line}\n{self._head.line}\n"

    def sign(self, text: str) -> str:
        """The signed note: *text*, an empty line, one signature line per key.

        Raises: Invalid, if *text* cannot be a note, or is a checkpoint of another log, or one with
        extension lines, which ML-DSA-44 would leave unsigned.
        """
        note.check_text(text)
        head = _as_checkpoint(text)
        if head is not None and (head.origin != self.name or head.extensions):
            raise Invalid("checkpoint", f"this key signs plain checkpoints of {self.name} only")
        quantum = self._text if head is None else self._head
        stamp = b"" if head is None else bytes(cosignature.TIMESTAMP_BYTES)
        context = cosignature.context(quantum.kind)
        message = cosignature.message(quantum, text)
        lines = (
            (self._classic, self._ed25519.sign(text.encode())),
            (quantum, stamp + self._ml_dsa.sign(message, context)),
        )
        signed = tuple(note.Signature(self.name, key.id, blob) for key, blob in lines)
        return note.Note(text, signed).document


def _as_checkpoint(text: str) -> checkpoint.Checkpoint | None:
    """The checkpoint that *text* is, or None where it is another kind of text."""
    first = text.split("\n")
    if len(first) < 4 or not first[1].isdecimal():  # noqa: PLR2004 -- three lines and an end
        return None
    return checkpoint.parse(text)


def open_signer(file: Path, name: str) -> FileSigner:
    """The signer kept in *file*, created on the first call; *name* is the log's origin.

    Two processes that call at once get the same keys. A crash leaves either no file or a whole one.

    Raises: Refused, if the file may be read by others or belongs to another log; Invalid, if it is
    no key file or *name* cannot name a key; Unavailable, if ML-DSA-44 is missing.
    """
    note.check_name("origin", name)
    if not file.exists():
        _create(file, name)
    mode = file.stat().st_mode
    if mode & OTHERS:
        raise Refused(f"{file} may be used by others than its owner; run `chmod 600 {file}`")
    seeds = _parse(file.read_bytes())
    if seeds["name"] != name:
        raise Refused(f"{file} holds the keys of {seeds['name']}, not of {name}")
    with ml_dsa_required():
        ml_dsa = MLDSA44PrivateKey.from_seed_bytes(bytes.fromhex(seeds["ml_dsa_44"]))
    ed25519 = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(seeds["ed25519"]))
    return FileSigner(name, ed25519, ml_dsa)


def name_in(file: Path) -> str | None:
    """The name of the log whose keys *file* holds; None where there is no such file.

    Raises: Invalid, if it is no key file.
    """
    return _parse(file.read_bytes())["name"] if file.exists() else None


def _create(file: Path, name: str) -> None:
    with ml_dsa_required():
        ml_dsa = MLDSA44PrivateKey.generate()
    content = canonical.encode(
        {
            "ed25519": Ed25519PrivateKey.generate().private_bytes_raw().hex(),
            "format": FORMAT,
            "ml_dsa_44": ml_dsa.private_bytes_raw().hex(),
            "name": name,
        }
    )
    file.parent.mkdir(parents=True, exist_ok=True)
    # mkstemp gives mode 0600; the link fails where another process was first, whose keys then hold.
    descriptor, temporary = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
    try:
        with os.fdopen(descriptor, "wb") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        try:
            os.link(temporary, file)
        except FileExistsError:
            return
    finally:
        Path(temporary).unlink()
    folder = os.open(file.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _parse(data: bytes) -> dict[str, str]:
    members = canonical.decode(data)
    due = {"ed25519", "format", "ml_dsa_44", "name"}
    if not isinstance(members, Mapping) or set(members) != due:
        raise Invalid("key file", "it does not hold what `open_signer` writes; restore its backup")
    texts = {name: value for name, value in members.items() if isinstance(value, str)}
    if texts.get("format") != FORMAT or len(texts) != len(due):
        raise Invalid("key file", f"its format is not {FORMAT}")
    if not all(_SEED.fullmatch(texts[name]) for name in ("ed25519", "ml_dsa_44")):
        raise Invalid("key file", "a seed is not 32 bytes in hex; restore its backup")
    return texts
