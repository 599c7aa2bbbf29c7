"""Apply an untrusted binary patch to a known old file.

Input: one byte n (at most 8 records are read), n records of three bytes (bytes to copy from the
difference block, bytes to copy from the extra block, signed seek in the old file), one byte with the
length of the new file, one byte with the length of the difference block, then that block and the
extra block. Every number is thereby within the range that a patch file can state.
"""  # noqa: INP001 -- copied beside the release it drives; never imported from here

import importlib
import struct

core = importlib.import_module("bsdiff4.core")

OLD_FILE = bytes(range(64))
RECORDS_MAX = 8


def one_input(data: bytes) -> bool:
    """Patch `OLD_FILE`; what is wrong shows in memory, so the answer is always False."""
    count = min(data[0], RECORDS_MAX) if data else 0
    body = data[1:]
    if len(body) < 3 * count + 2:
        return False
    records = list(struct.iter_unpack("<BBb", body[: 3 * count]))
    length, split = body[3 * count], body[3 * count + 1]
    blocks = body[3 * count + 2 :]
    core.patch(OLD_FILE, length, records, blocks[:split], blocks[split:])
    return False
