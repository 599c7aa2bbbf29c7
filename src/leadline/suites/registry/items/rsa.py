"""Decrypt an order and carry it out, unless it was carried out before.

Input: the encrypted order. Orders are told apart by their bytes; `TAKEN` was carried out. The flaw is
reached when other bytes give the same order once more.
"""  # noqa: INP001 -- copied beside the release it drives; never imported from here

import importlib

rsa = importlib.import_module("rsa")

REFUSALS: tuple[type[Exception], ...] = (rsa.pkcs1.CryptoError, OverflowError)
# Made for this harness; the public half is in everybody's hands.
KEY = rsa.PrivateKey(
    0xD7109FCBC000EC442B054C45297CC75DF38C6F4D0B5F12356DCD07FB60218629219C3BFDD460A9776222F4FDF7DA04AB4E95DF8E3E7BF801788E56BC194BBC91,
    65537,
    0x74C8EE3D32324E1A6652262C986ECDC452F0BBAFD6B0F5AE55C5B4C3E85BCC01A2B0CB8CD034232654CAEB19C0B95CD98AE805BD4DD9CEA2455B45F46C162001,
    0xF774EB5248DB40AF72158370D269A9A5AE658F33FE3B890B93F448B3A5AA3C81,
    0xDE7D6B377936D536243D35702C1EEA1F265974A7CC966F46C6AA7D550101B811,
)
TAKEN = bytes.fromhex(
    "2bc110eca5d67160edd66cee7ff73e8cb292e0d70fb6466b4ea1cc43f13f5b899bc077e56a3fada21471ffd821c9df316d0af18de9357f92f3940ab8479c987e"
)


def one_input(data: bytes) -> bool:
    """Decrypt; True if the order that was carried out comes again in another form."""
    if data == TAKEN:
        return False
    return bool(rsa.decrypt(data, KEY) == rsa.decrypt(TAKEN, KEY))
