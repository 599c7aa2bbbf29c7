"""Passkeys (WebAuthn level 3): what a browser is asked for, and what it answered.

Discoverable credentials, user verification required, no attestation asked for: who made the
authenticator is not a question that anything here depends on.
"""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import webauthn
from webauthn.helpers import bytes_to_base64url, structs
from webauthn.helpers.exceptions import WebAuthnException

from leadline.app.assertion import Signed
from leadline.core.account import Method, RegisteredKey
from leadline.core.errors import Invalid, Refused

TIMEOUT_MS = 120_000
ANSWER_BYTES_MAX = 64 * 1024


@dataclass(frozen=True, slots=True)
class Site:
    """Where passkeys of this installation count: the relying party's id and the exact origin."""

    rp_id: str
    origin: str


def registration_options(
    site: Site, principal: str, shown: str, challenge: bytes, known: tuple[str, ...]
) -> Mapping[str, object]:
    """What `navigator.credentials.create` is given. *known* are handles that exist already."""
    options = webauthn.generate_registration_options(
        rp_id=site.rp_id,
        rp_name="Leadline",
        user_name=shown,
        user_id=principal.encode(),
        challenge=challenge,
        timeout=TIMEOUT_MS,
        authenticator_selection=structs.AuthenticatorSelectionCriteria(
            resident_key=structs.ResidentKeyRequirement.REQUIRED,
            user_verification=structs.UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=[
            structs.PublicKeyCredentialDescriptor(id=webauthn.base64url_to_bytes(handle))
            for handle in known
        ],
    )
    return _parsed(webauthn.options_to_json(options))


def assertion_options(
    site: Site, challenge: bytes, known: tuple[str, ...] = ()
) -> Mapping[str, object]:
    """What `navigator.credentials.get` is given; *known* empty lets the person choose."""
    options = webauthn.generate_authentication_options(
        rp_id=site.rp_id,
        challenge=challenge,
        timeout=TIMEOUT_MS,
        allow_credentials=[
            structs.PublicKeyCredentialDescriptor(id=webauthn.base64url_to_bytes(handle))
            for handle in known
        ]
        or None,
        user_verification=structs.UserVerificationRequirement.REQUIRED,
    )
    return _parsed(webauthn.options_to_json(options))


def registered(
    site: Site, id_: str, principal: str, answer: str, challenge: bytes, at: datetime
) -> RegisteredKey:
    """The key that a browser's answer (JSON text) registers.

    Raises: Refused, if it does not verify for this very challenge, origin and relying party.
    """
    if len(answer) > ANSWER_BYTES_MAX:
        raise Refused("the passkey's answer is too long")
    try:
        found = webauthn.verify_registration_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=site.rp_id,
            expected_origin=site.origin,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError) as error:
        raise Refused("the passkey's answer does not verify") from error
    return RegisteredKey(
        id_,
        principal,
        Method.WEBAUTHN.value,
        base64.b64encode(found.credential_public_key).decode(),
        at,
        handle=bytes_to_base64url(found.credential_id),
        rp_id=site.rp_id,
        origin=site.origin,
        count=found.sign_count,
    )


def signed(answer: str) -> Signed:
    """A browser's assertion (JSON text) as evidence; *key* is the passkey's own handle.

    Raises: Invalid, if it has another form.
    """
    if len(answer) > ANSWER_BYTES_MAX:
        raise Invalid("answer", "too long for a passkey's")
    try:
        parsed = json.loads(answer)
        handle, response = parsed["id"], parsed["response"]
        evidence = {
            "client_data": _base64(response["clientDataJSON"]),
            "authenticator_data": _base64(response["authenticatorData"]),
            "signature": _base64(response["signature"]),
        }
    except (ValueError, KeyError, TypeError, AttributeError, binascii.Error) as error:
        raise Invalid("answer", "this is no passkey's assertion in JSON") from error
    if not isinstance(handle, str):
        raise Invalid("answer", "the passkey's id is no text")
    return Signed(handle, Method.WEBAUTHN.value, evidence)


def _base64(text: str) -> str:
    return base64.b64encode(webauthn.base64url_to_bytes(text)).decode()


def _parsed(text: str) -> Mapping[str, object]:
    found: Mapping[str, object] = json.loads(text)
    return found
