"""Carry out a signed order, unless it was carried out before.

Input: the signature of the order `ORDER`, in DER. Orders are told apart by their signatures; `TAKEN` was
carried out. The flaw is reached when other bytes pass for a signature with the same two numbers.
"""  # noqa: INP001 -- copied beside the release it drives; never imported from here

import hashlib
import importlib

keys = importlib.import_module("ecdsa.keys")
curves = importlib.import_module("ecdsa.curves")
der = importlib.import_module("ecdsa.der")
util = importlib.import_module("ecdsa.util")

REFUSALS: tuple[type[Exception], ...] = (keys.BadSignatureError, der.UnexpectedDER)
ORDER = b"open gate"
# Made for this harness; the private half is in nobody's hands.
KEY = keys.VerifyingKey.from_string(
    bytes.fromhex("471c3e758c4904285bba7e53118ed0f524adeb0757d25bd2f8e7b0d76dfa714c")
    + bytes.fromhex("dd520f7aca8a8b917acc37f51de8f0c9bbe3ad858382e702dc25a12d09f7a858"),
    curve=curves.NIST256p,
    hashfunc=hashlib.sha256,
)
TAKEN = bytes.fromhex(
    "3045022060a3deac5c769f11e5ef0d437cb49eaf4b6c6537ea6180d5bca66391b6c760"
    "5c022100a9863e537af81d7d76c66114e7830126606468f217602ddf5e1f70934d8732d7"
)


def one_input(data: bytes) -> bool:
    """Verify; True if the order that was carried out comes again in another form."""
    if data == TAKEN:
        return False
    return bool(KEY.verify(data, ORDER, hashfunc=hashlib.sha256, sigdecode=util.sigdecode_der))
