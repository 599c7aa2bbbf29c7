"""A registered key's signature over a challenge: each method, and everything that is refused."""

import base64
import json
from dataclasses import replace
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

import make
from identity.authority import Authority
from identity.software_passkey import UP, UV, SoftwarePasskey, b64
from leadline.app import assertion
from leadline.core.account import RegisteredKey
from leadline.core.errors import Invalid, Refused, Tampered
from leadline.identity import passkey
from leadline.identity.passkey import Site

SITE = Site("localhost", "https://localhost:8443")
CHALLENGE = sha256(b"a challenge").digest()


def registered(device: SoftwarePasskey, challenge: bytes = CHALLENGE) -> RegisteredKey:
    """The device's passkey, registered through the real library."""
    options = passkey.registration_options(SITE, "ann", "Ann", challenge, ())
    answer = device.create(dict(options))
    return passkey.registered(SITE, "key-1", "ann", answer, challenge, make.NOW)


def answered(device: SoftwarePasskey, challenge: bytes = CHALLENGE) -> dict[str, str]:
    """The device's evidence for a challenge."""
    options = passkey.assertion_options(SITE, challenge, (b64(device.handle),))
    return dict(passkey.signed(device.get(dict(options))).evidence)


def test_a_passkey_registers_and_signs() -> None:
    """The counter it shows comes back; the key is discoverable and its user verified."""
    device = SoftwarePasskey()
    options = passkey.registration_options(SITE, "ann", "Ann", CHALLENGE, (b64(b"an older one"),))
    wanted = options["authenticatorSelection"]
    assert isinstance(wanted, dict)
    assert (wanted["residentKey"], wanted["userVerification"]) == ("required", "required")
    key = registered(device)
    assert assertion.verify(key, CHALLENGE, answered(device)) == 1
    assert assertion.verify(key, CHALLENGE, answered(device)) == 2


@pytest.mark.parametrize(
    "wrong",
    [
        {"origin": "https://localhost:8444"},
        {"origin": "https://localhost:8443.example"},
        {"rp_id": "example"},
        {"flags": UP},
        {"flags": UV},
    ],
)
def test_a_passkey_of_another_site_or_without_its_user_is_refused(wrong: dict[str, object]) -> None:
    """Origin, relying party, presence and verification are exact, at both ceremonies."""
    device = SoftwarePasskey()
    key = registered(device)
    for name, value in wrong.items():
        setattr(device, name, value)
    with pytest.raises(Tampered):
        assertion.verify(key, CHALLENGE, answered(device))
    with pytest.raises(Refused):
        registered(device)


def test_a_passkeys_answer_to_another_challenge_is_refused() -> None:
    """At sign-in and at registration."""
    device, other = SoftwarePasskey(), sha256(b"another").digest()
    key = registered(device)
    with pytest.raises(Tampered):
        assertion.verify(key, CHALLENGE, answered(device, other))
    options = passkey.registration_options(SITE, "ann", "Ann", other, ())
    answer = device.create(dict(options))
    with pytest.raises(Refused):
        passkey.registered(SITE, "key-1", "ann", answer, CHALLENGE, make.NOW)


def test_another_devices_signature_is_refused() -> None:
    """The very same answer, by another key."""
    device, other = SoftwarePasskey(), SoftwarePasskey()
    other.handle = device.handle
    with pytest.raises(Tampered):
        assertion.verify(registered(device), CHALLENGE, answered(other))


@pytest.mark.parametrize(
    "answer",
    ["", "[]", "{}", '{"id": 1, "response": {}}', "x" * 70_000, '{"id": "a", "response": 3}'],
)
def test_what_is_no_passkeys_answer_is_invalid(answer: str) -> None:
    """Wrong JSON, wrong members, too long."""
    with pytest.raises(Invalid):
        passkey.signed(answer)
    with pytest.raises(Refused):
        passkey.registered(SITE, "key-1", "ann", answer, CHALLENGE, make.NOW)


def test_an_id_that_is_no_text_is_invalid() -> None:
    """The rest of the answer being whole."""
    device = SoftwarePasskey()
    answer = json.loads(device.get({"challenge": b64(CHALLENGE)}))
    with pytest.raises(Invalid, match="no text"):
        passkey.signed(json.dumps({**answer, "id": 7}))


@pytest.mark.parametrize("kind", ["ec", "rsa", "ed25519"])
def test_a_card_signs_with_what_cards_have(kind: str) -> None:
    """ECDSA, RSA PKCS #1 v1.5, Ed25519, each over this challenge and no other."""
    keys: dict[str, object] = {
        "ec": ec.generate_private_key(ec.SECP256R1()),
        "rsa": rsa.generate_private_key(65_537, 2048),
        "ed25519": ed25519.Ed25519PrivateKey.generate(),
    }
    private = keys[kind]
    key = _card(Authority().issued(private))
    signature = _signature(private, CHALLENGE)
    assert assertion.verify(key, CHALLENGE, {"signature": signature}) == 0
    with pytest.raises(Tampered):
        assertion.verify(key, sha256(b"other").digest(), {"signature": signature})
    with pytest.raises(Tampered, match="not the one registered"):
        assertion.verify(replace(key, handle="00"), CHALLENGE, {"signature": signature})


def test_a_short_rsa_key_is_not_taken() -> None:
    """1,024 bits are too few."""
    private = rsa.generate_private_key(65_537, 1024)  # noqa: S505 -- that is the point
    key = _card(Authority().issued(private))
    with pytest.raises(Tampered, match="algorithm or length"):
        assertion.verify(key, CHALLENGE, {"signature": _signature(private, CHALLENGE)})


@pytest.mark.parametrize(
    ("key", "evidence", "told"),
    [
        ({"method": "spell"}, {"signature": ""}, "no method"),
        ({}, {}, "no signature"),
        ({}, {"signature": "?"}, "no base64"),
        ({}, {"signature": "A" * 20_000}, "larger than any"),
        ({"public": "AA=="}, {"signature": "AA=="}, "no Ed25519 key"),
        ({"public": "?"}, {"signature": "AA=="}, "no base64"),
        (
            {"method": "certificate", "public": "AA==", "handle": sha256(b"\0").hexdigest()},
            {"signature": "AA=="},
            "no certificate",
        ),
    ],
)
def test_evidence_that_cannot_be_is_tampered_with(
    key: dict[str, str], evidence: dict[str, str], told: str
) -> None:
    """Unknown methods, missing parts, wrong encodings, other keys: named, and never an exception."""
    public = ed25519.Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    held = RegisteredKey("key-1", "ann", "key", base64.b64encode(public).decode(), make.NOW)
    with pytest.raises(Tampered, match=told):
        assertion.verify(replace(held, **key), CHALLENGE, evidence)  # type: ignore[arg-type]


def _card(der: bytes) -> RegisteredKey:
    handle, public = sha256(der).hexdigest(), base64.b64encode(der).decode()
    return RegisteredKey("key-1", "ann", "certificate", public, make.NOW, handle=handle)


def _signature(private: object, challenge: bytes) -> str:
    match private:
        case ec.EllipticCurvePrivateKey():
            made = private.sign(challenge, ec.ECDSA(hashes.SHA256()))
        case rsa.RSAPrivateKey():
            made = private.sign(challenge, padding.PKCS1v15(), hashes.SHA256())
        case _:
            assert isinstance(private, ed25519.Ed25519PrivateKey)
            made = private.sign(challenge)
    return base64.b64encode(made).decode()
