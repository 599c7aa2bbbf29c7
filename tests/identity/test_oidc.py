"""OpenID Connect: a real provider in a process of its own, and tokens that do not hold."""

import base64
import json
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc import jwk, jwt

from identity.people import HERE, House, house
from identity.provider import consented, providing
from leadline.app.sign_in import NotSignedIn
from leadline.core.errors import Invalid, Refused, Unavailable
from leadline.identity import oidc
from leadline.identity.oidc import Issuer
from leadline.wiring.home import clock

REDIRECT = "http://127.0.0.1:1/returned"


@pytest.fixture(scope="module")
def provider() -> Iterator[Issuer]:
    """The provider's process."""
    with providing() as found:
        yield found


@pytest.fixture
def at(tmp_path: Path, provider: Issuer) -> Iterator[House]:
    """An installation at the present time with that provider, and Ann with a password."""
    with house(tmp_path) as found:
        found.clock.now = clock()
        found.enrol("ann", "determining-official", access_until=clock().replace(year=2100))
        found.password("ann")
        found.door = replace(found.door, provider=provider)
        yield found


def linked(at: House, subject: str = "subject-1") -> None:
    """Ann links her account at the provider, in a session of two factors."""
    visit, url = at.door.begin_oidc(REDIRECT)
    me = replace(at.acting(at.signed_in("ann")), ctx=at.ctx("ann"))
    at.door.link_oidc(me, visit, consented(url, subject))


def test_a_linked_account_signs_in_and_another_does_not(at: House) -> None:
    """By issuer and subject; it is one factor."""
    linked(at)
    visit, url = at.door.begin_oidc(REDIRECT)
    begun = at.door.by_oidc(visit, consented(url), HERE)
    assert (begun.session.principal, begun.session.methods) == ("ann", frozenset({"oidc"}))
    visit, url = at.door.begin_oidc(REDIRECT)
    with pytest.raises(NotSignedIn):
        at.door.by_oidc(visit, consented(url, "subject-2"), HERE)
    with pytest.raises(Refused, match="linked already"):
        linked(at)


def test_linking_takes_two_factors(at: House) -> None:
    """One's own password alone links nothing."""
    visit, url = at.door.begin_oidc(REDIRECT)
    with pytest.raises(Refused, match="two factors"):
        at.door.link_oidc(at.acting(at.signed_in("ann")), visit, consented(url))


def test_the_visit_carries_state_nonce_and_a_hashed_verifier(provider: Issuer) -> None:
    """PKCE with S256, all different each time, no secret in the address."""
    visit, other = oidc.begin(provider, REDIRECT), oidc.begin(provider, REDIRECT)
    query = parse_qs(urlsplit(visit.url).query)
    hashed = base64.urlsafe_b64encode(sha256(visit.verifier.encode()).digest()).rstrip(b"=")
    assert query["code_challenge"] == [hashed.decode()]
    assert query["code_challenge_method"] == ["S256"]
    assert query["state"] == [visit.state]
    assert query["nonce"] == [visit.nonce]
    assert visit.verifier not in visit.url
    assert len({visit.state, other.state, visit.nonce, other.nonce}) == 4


def test_a_visit_and_a_code_serve_once(at: House) -> None:
    """The same visit again, and its code in another visit, are refused."""
    linked(at)
    visit, url = at.door.begin_oidc(REDIRECT)
    returned = consented(url)
    at.door.by_oidc(visit, returned, HERE)
    with pytest.raises(Refused, match="answered already"):
        at.door.by_oidc(visit, returned, HERE)
    second, _ = at.door.begin_oidc(REDIRECT)
    with pytest.raises(Refused, match="no code for this visit"):
        at.door.by_oidc(second, returned, HERE)


def test_a_used_code_is_refused_by_the_provider(provider: Issuer) -> None:
    """Even in its own visit."""
    visit = oidc.begin(provider, REDIRECT)
    returned = consented(visit.url)
    assert oidc.finish(provider, visit, returned, clock()) == "subject-1"
    with pytest.raises(Refused, match="did not take the code"):
        oidc.finish(provider, visit, returned, clock())


def test_an_answer_for_another_nonce_state_or_issuer_is_refused(provider: Issuer) -> None:
    """Each on its own, against the real provider's tokens."""
    visit = oidc.begin(provider, REDIRECT)
    with pytest.raises(Refused, match="does not hold"):
        oidc.finish(provider, replace(visit, nonce="other"), consented(visit.url), clock())
    visit = oidc.begin(provider, REDIRECT)
    with pytest.raises(Refused, match="no code for this visit"):
        oidc.finish(provider, replace(visit, state="other"), consented(visit.url), clock())
    visit = oidc.begin(provider, REDIRECT)
    with pytest.raises(Refused, match="another provider"):
        oidc.finish(provider, visit, consented(visit.url) + "&iss=https://evil.example", clock())
    with pytest.raises(Refused, match="another issuer"):
        oidc.begin(replace(provider, issuer=provider.issuer + "/"), REDIRECT)


def test_a_provider_that_is_down_or_without_tls_is_not_used(provider: Issuer) -> None:
    """Unavailable in one case; in the other nothing is sent at all."""
    with pytest.raises(Unavailable):
        oidc.begin(replace(provider, issuer="http://127.0.0.1:1"), REDIRECT)
    with pytest.raises(Unavailable):
        oidc.begin(replace(provider, issuer=provider.issuer + "/nothing"), REDIRECT)
    with pytest.raises(Invalid, match="https"):
        oidc.begin(replace(provider, issuer="http://provider.example"), REDIRECT)


def test_without_a_provider_nobody_signs_in_by_one(at: House) -> None:
    """It says what to configure."""
    door = replace(at.door, provider=None)
    with pytest.raises(Refused, match="no OIDC provider"):
        door.begin_oidc(REDIRECT)


HOME = Issuer("https://provider.example", "leadline")
KEY = jwk.RSAKey.generate_key(2048, {"kid": "1"})
KEYS: dict[str, object] = {"keys": [KEY.as_dict(private=False)]}


def claims(**changed: object) -> dict[str, object]:
    """An ID token's content as it should be, but for what changed; None leaves a claim out."""
    now = int(clock().timestamp())
    whole: dict[str, object] = {
        "iss": HOME.issuer,
        "sub": "subject-1",
        "aud": HOME.client_id,
        "exp": now + 300,
        "iat": now,
        "nonce": "n",
        **changed,
    }
    return {name: value for name, value in whole.items() if value is not None}


def token(changed: dict[str, object] | None = None, key: jwk.RSAKey = KEY) -> str:
    """A signed ID token."""
    return jwt.encode({"alg": "RS256", "kid": "1"}, claims(**(changed or {})), key)


def test_a_token_as_it_should_be_names_its_subject() -> None:
    """One audience, or a list of it with this client as the authorised party."""
    assert oidc.subject(HOME, token(), "n", KEYS, clock()) == "subject-1"
    told = token({"aud": [HOME.client_id], "azp": HOME.client_id})
    assert oidc.subject(HOME, told, "n", KEYS, clock()) == "subject-1"


@pytest.mark.parametrize(
    "changed",
    [
        {"iss": "https://provider.example/"},
        {"iss": None},
        {"aud": "another client"},
        {"aud": ["another client"]},
        {"aud": None},
        {"azp": "another client"},
        {"nonce": "m"},
        {"nonce": None},
        {"exp": 1},
        {"exp": None},
        {"iat": 4_102_444_800},
        {"sub": None},
        {"sub": ""},
        {"sub": 7},
    ],
)
def test_a_token_with_another_claim_is_refused(changed: dict[str, object]) -> None:
    """Issuer and audience to the letter, nonce, times and subject."""
    with pytest.raises(Refused):
        oidc.subject(HOME, token(changed), "n", KEYS, clock())


def test_a_token_that_the_provider_did_not_sign_is_refused() -> None:
    """Algorithm none, the public key as a shared secret, another key, a changed letter."""
    head = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
    body = base64.urlsafe_b64encode(json.dumps(claims()).encode()).rstrip(b"=").decode()
    shared = jwk.OctKey.import_key(KEY.as_pem(private=False).hex())
    signed = jwt.encode({"alg": "HS256", "kid": "1"}, claims(), shared)
    good = token()
    for text in (
        f"{head}.{body}.",
        signed,
        token(key=jwk.RSAKey.generate_key(2048)),
        good[:-2] + ("AA" if good[-2:] != "AA" else "BB"),
        "",
        "noise",
    ):
        with pytest.raises(Refused):
            oidc.subject(HOME, text, "n", KEYS, clock())
    with pytest.raises(Refused):
        oidc.subject(HOME, good, "n", {"keys": []}, clock())
