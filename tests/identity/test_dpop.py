"""DPoP proofs: of this very request, this minute, once, by the key they name."""

import json
from base64 import urlsafe_b64encode
from datetime import timedelta

import pytest

import make
from identity.prover import Prover
from leadline.core.errors import Refused
from leadline.identity import dpop
from leadline.identity.dpop import Sent

SENT = Sent("GET", "https://localhost:8443/api/v1/engagements", "fwn_secret")


@pytest.mark.parametrize("kind", ["EC", "OKP"])
def test_a_proof_of_this_request_names_its_key(kind: str) -> None:
    """Either kind of key; the query does not matter, as RFC 9449 has it."""
    prover = Prover(kind)
    found = dpop.verify(prover.proof(SENT, make.NOW), SENT, make.NOW)
    assert found.jkt == prover.jkt
    asked = Sent(SENT.method, SENT.url + "?a=b#c", SENT.credential)
    assert dpop.verify(prover.proof(SENT, make.NOW), asked, make.NOW).jkt == prover.jkt


@pytest.mark.parametrize(
    ("sent", "after"),
    [
        (Sent("POST", SENT.url, SENT.credential), 0),
        (Sent("GET", "https://localhost:8443/api/v1/acts", SENT.credential), 0),
        (Sent("GET", "https://other.example/api/v1/engagements", SENT.credential), 0),
        (Sent("GET", SENT.url, "fwn_other"), 0),
        (SENT, 61),
        (SENT, -61),
    ],
)
def test_a_proof_of_another_request_or_minute_is_refused(sent: Sent, after: int) -> None:
    """Method, place, credential and time are all of it."""
    proof = Prover().proof(SENT, make.NOW)
    with pytest.raises(Refused):
        dpop.verify(proof, sent, make.NOW + timedelta(seconds=after))


@pytest.mark.parametrize(
    ("header", "claims"),
    [
        ({"typ": "JWT"}, {}),
        ({}, {"jti": ""}),
        ({}, {"jti": 7}),
        ({}, {"jti": "x" * 200}),
        ({}, {"iat": None}),
        ({}, {"iat": True}),
        ({}, {"iat": "now"}),
        ({}, {"ath": None}),
        ({}, {"htu": 3}),
    ],
)
def test_a_proof_of_another_form_is_refused(
    header: dict[str, object], claims: dict[str, object]
) -> None:
    """Type, number, time and hash must be what they should be."""
    proof = Prover().proof(SENT, make.NOW, header=header, claims=claims)
    with pytest.raises(Refused):
        dpop.verify(proof, SENT, make.NOW)


def test_a_proof_that_nobody_signed_is_refused() -> None:
    """Algorithm none, a symmetric key in the header, a private one, noise, and a bit changed."""
    prover = Prover()
    good = prover.proof(SENT, make.NOW)
    head, body, signature = good.split(".")

    def part(value: object) -> str:
        return urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    none = part({"typ": "dpop+jwt", "alg": "none", "jwk": prover.public})
    shared = part({"typ": "dpop+jwt", "alg": "HS256", "jwk": {"kty": "oct", "k": "AAAA"}})
    private = part({"typ": "dpop+jwt", "alg": "ES256", "jwk": prover.private})
    keyless = part({"typ": "dpop+jwt", "alg": "ES256"})
    changed = ("A" if signature[0] != "A" else "B") + signature[1:]
    for text in (
        f"{none}.{body}.",
        f"{shared}.{body}.{signature}",
        f"{private}.{body}.{signature}",
        f"{keyless}.{body}.{signature}",
        f"{head}.{body}.{changed}",
        "noise",
        "é.é.é",
        "x" * 5000,
    ):
        with pytest.raises(Refused):
            dpop.verify(text, SENT, make.NOW)
