"""Wrapping keys in a PKCS#11 token: sensitive, not extractable, AES-GCM inside the token.

The private half of a compartment comes out of the token's hands for each opening; the key that wraps
it never does. Source: PKCS#11 2.40, CKM_AES_GCM. The token must take a nonce from the caller.
"""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pkcs11
from pkcs11 import Attribute, GCMParams, KeyType, Mechanism, ObjectClass
from pkcs11.exceptions import (
    EncryptedDataInvalid,
    EncryptedDataLenRange,
    GeneralError,
    PKCS11Error,
)
from pkcs11.types import DecryptMixin, EncryptMixin

from leadline.core.errors import NotFound, Refused, Tampered, Unavailable
from leadline.vault.keks import KEY_BYTES, NONCE_BYTES, TAG_BITS

TEMPLATE = {
    Attribute.SENSITIVE: True,
    Attribute.EXTRACTABLE: False,
    Attribute.ENCRYPT: True,
    Attribute.DECRYPT: True,
    Attribute.WRAP: False,
    Attribute.UNWRAP: False,
    Attribute.MODIFIABLE: False,
}
# A wrong tag has no code of its own; tokens answer it with one of these.
_WRONG_TAG = (EncryptedDataInvalid, EncryptedDataLenRange, GeneralError)


class TokenWrappingKeys:
    """`leadline.vault.keks.WrappingKeys` on the token called *label* behind the library *module*."""

    driver = "pkcs11"
    words = (
        "kept in a PKCS#11 token, sensitive and not extractable; whoever holds the token's PIN can "
        "use it, and a software token protects no better than a file"
    )

    def __init__(self, module: str, label: str, pin: str) -> None:
        self._module, self._label, self._pin = module, label, pin
        self._session: pkcs11.Session | None = None
        self._one = threading.Lock()  # a session serves one call at a time

    def make(self, name: str) -> None:
        """As the port."""
        with self._token() as session:
            if self._found(session, name) is not None:
                raise Refused(f"the key {name} exists already")
            session.generate_key(
                KeyType.AES,
                KEY_BYTES * 8,
                label=name,
                id=name.encode(),
                store=True,
                template=TEMPLATE,
            )

    def wrap(self, name: str, secret: bytes, context: bytes) -> bytes:
        """As the port."""
        nonce = os.urandom(NONCE_BYTES)
        with self._token() as session:
            key = self._key(session, name)
            assert isinstance(key, EncryptMixin)  # noqa: S101 -- by TEMPLATE
            made = key.encrypt(
                secret,
                mechanism=Mechanism.AES_GCM,
                mechanism_param=GCMParams(nonce, context, TAG_BITS),
            )
            assert isinstance(made, bytes)  # noqa: S101 -- bytes in, bytes out
        return nonce + made

    def unwrap(self, name: str, wrapped: bytes, context: bytes) -> bytes:
        """As the port."""
        nonce, sealed = wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:]
        with self._token() as session:
            key = self._key(session, name)
            assert isinstance(key, DecryptMixin)  # noqa: S101 -- by TEMPLATE
            try:
                opened = key.decrypt(
                    sealed,
                    mechanism=Mechanism.AES_GCM,
                    mechanism_param=GCMParams(nonce, context, TAG_BITS),
                )
            except _WRONG_TAG:
                told = "the private half does not open under its key"
                raise Tampered(f"compartment {name}", told) from None
            assert isinstance(opened, bytes)  # noqa: S101 -- bytes in, bytes out
        return opened

    def destroy(self, name: str) -> None:
        """As the port."""
        with self._token() as session:
            found = self._found(session, name)
            if found is not None:
                found.destroy()

    def exists(self, name: str) -> bool:
        """As the port."""
        with self._token() as session:
            return self._found(session, name) is not None

    def _key(self, session: pkcs11.Session, name: str) -> pkcs11.SecretKey:
        found = self._found(session, name)
        if found is None:
            raise NotFound(f"the key of compartment {name} is not here; what it wrapped stays shut")
        if found[Attribute.EXTRACTABLE] or not found[Attribute.SENSITIVE]:
            raise Refused(f"the token's key {name} could be taken out of it; it is not used")
        return found

    def _found(self, session: pkcs11.Session, name: str) -> pkcs11.SecretKey | None:
        wanted = {Attribute.CLASS: ObjectClass.SECRET_KEY, Attribute.LABEL: name}
        key = next(iter(list(session.get_objects(wanted))), None)
        assert key is None or isinstance(key, pkcs11.SecretKey)  # noqa: S101 -- the class asked for
        return key

    @contextmanager
    def _token(self) -> Iterator[pkcs11.Session]:
        """The token, signed in; opened anew after any fault of its own.

        Raises: Unavailable, if it cannot serve.
        """
        with self._one:
            try:
                if self._session is None:
                    token = pkcs11.lib(self._module).get_token(token_label=self._label)
                    self._session = token.open(rw=True, user_pin=self._pin)
                yield self._session
            except (PKCS11Error, RuntimeError) as error:
                self._session = None
                told = type(error).__name__
                raise Unavailable(f"the token {self._label} cannot serve: {told}") from error
