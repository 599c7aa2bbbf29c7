"""One shard: Tink's streaming AEAD, AES256_GCM_HKDF_1MB, under a key of its own.

Tink gives out each segment of one MiB once it verified, so that good plaintext comes before a later
segment is found bad. Whoever reads here keeps what comes to himself until the last segment verified.
"""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, wait
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import BinaryIO

from tink import (  # type: ignore[import-untyped]
    TinkError,
    proto_keyset_format,
    secret_key_access,
    streaming_aead,
)
from tink.proto import (  # type: ignore[import-untyped]
    aes_gcm_hkdf_streaming_pb2,
    common_pb2,
    tink_pb2,
)

from leadline.core.errors import NotFound, Tampered, Unavailable
from leadline.vault import disk

KEY_BYTES = 32
SEGMENT_BYTES = 1 << 20
CHUNK_BYTES = 1 << 20  # measured: larger ones leave the processor's cache
SYNC_BYTES = 32 << 20
TYPE = "type.googleapis.com/google.crypto.tink.AesGcmHkdfStreamingKey"


@cache
def _registered() -> None:
    streaming_aead.register()


def _primitive(key: bytes) -> streaming_aead.StreamingAead:
    """Tink's primitive for a key of 32 bytes, with the parameters of AES256_GCM_HKDF_1MB."""
    _registered()
    inner = aes_gcm_hkdf_streaming_pb2.AesGcmHkdfStreamingKey(version=0, key_value=key)
    inner.params.ciphertext_segment_size = SEGMENT_BYTES
    inner.params.derived_key_size = KEY_BYTES
    inner.params.hkdf_hash_type = common_pb2.SHA256
    keyset = tink_pb2.Keyset(primary_key_id=1)
    entry = keyset.key.add()
    entry.key_id, entry.status = 1, tink_pb2.ENABLED
    entry.output_prefix_type = tink_pb2.RAW
    entry.key_data.type_url = TYPE
    entry.key_data.value = inner.SerializeToString()
    entry.key_data.key_material_type = tink_pb2.KeyData.SYMMETRIC
    handle = proto_keyset_format.parse(keyset.SerializeToString(), secret_key_access.TOKEN)
    return handle.primitive(streaming_aead.StreamingAead)


class ShardWriter:
    """Encrypts what it is given into a new file; `close` brings it to the disk.

    Every 32 MiB are brought there meanwhile, by *aside*, so that the end does not wait for all of them.
    """

    def __init__(self, place: Path, key: bytes, associated: bytes, aside: Executor) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        file = os.fdopen(os.open(place, flags, 0o600), "wb", buffering=0)
        self._kept = os.dup(file.fileno())  # Tink closes the file; this one is synced afterwards
        self._stream: BinaryIO = _primitive(key).new_encrypting_stream(file, associated)
        self.size = 0
        self._aside, self._synced = aside, 0
        self._syncing: Future[None] | None = None

    def write(self, content: bytes | memoryview) -> None:
        """Append plaintext. Raises: Unavailable, if the disk refuses."""
        with _disk():
            self._stream.write(content)
        self.size += len(content)
        if self.size - self._synced >= SYNC_BYTES and (
            self._syncing is None or self._syncing.done()
        ):
            self._synced = self.size
            self._syncing = self._aside.submit(os.fdatasync, self._kept)

    def close(self) -> None:
        """Write the last segment, and sync. Raises: Unavailable, if the disk refuses."""
        try:
            with _disk():
                self._stream.close()
            os.fsync(self._kept)
        finally:
            if self._syncing is not None:
                wait((self._syncing,))  # the descriptor must outlive it
            os.close(self._kept)


@contextmanager
def _disk() -> Iterator[None]:
    """Tink tells of a disk's refusal in an error of its own."""
    try:
        yield
    except TinkError as error:
        reason = str(error).partition("\n")[0]
        raise Unavailable(f"the vault cannot be written: {reason}") from None


def decrypted(place: Path, key: bytes, associated: bytes) -> Iterator[bytes]:
    """The plaintext of a shard, chunk by chunk; nothing of a segment before it verified.

    Raises: NotFound, if there is no file; Tampered, if a segment does not verify or the end is missing.
    """
    descriptor = disk.opened(place)
    if descriptor is None:
        raise NotFound(f"the ciphertext {place.name} is missing; restore it from a backup")
    with os.fdopen(descriptor, "rb", buffering=0) as file:
        try:
            stream = _primitive(key).new_decrypting_stream(file, associated)
            take: Callable[[], bytes] = lambda: stream.read(SEGMENT_BYTES)  # noqa: E731
            yield from iter(take, b"")
        except TinkError:
            told = "a segment does not verify, or its end is missing"
            raise Tampered(f"ciphertext {place.parent.parent.name}", told) from None
