"""Signing in with an account elsewhere: OpenID Connect, code flow with PKCE, as a client of one issuer.

Upheld here: state, nonce and verifier are of one visit and used once; the issuer is the configured
one to the letter, in discovery and in the token; the audience is this client; the algorithm is one of
a fixed list; a person is linked by issuer and subject. No other claim is read.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import parse_qs, urlsplit

import httpx
from authlib.common.errors import AuthlibBaseError  # type: ignore[import-untyped]
from authlib.oauth2.rfc6749.parameters import (  # type: ignore[import-untyped]
    parse_authorization_code_response,
    prepare_grant_uri,
)
from authlib.oauth2.rfc7636 import create_s256_code_challenge  # type: ignore[import-untyped]
from authlib.oidc.core import CodeIDToken  # type: ignore[import-untyped]
from joserfc import jwk, jwt
from joserfc.errors import JoseError

from leadline.core.errors import Invalid, Refused, Unavailable

ALGORITHMS = ("RS256", "ES256", "EdDSA", "Ed25519", "PS256")
BYTES_MAX, SECONDS_MAX, LEEWAY_SECONDS = 256 * 1024, 10.0, 60
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(frozen=True, slots=True)
class Issuer:
    """The one provider of this installation, and who this installation is to it."""

    issuer: str
    client_id: str
    client_secret: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Visit:
    """One way to the provider and back. All but *url* stays here, and serves once."""

    url: str
    state: str
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)
    redirect: str = ""


def begin(provider: Issuer, redirect: str) -> Visit:
    """Where to send the person's browser.

    Raises: Unavailable, if the provider does not answer; Refused, if it says it is another one.
    """
    place = _discovered(provider)["authorization_endpoint"]
    state, nonce, verifier = (secrets.token_urlsafe(size) for size in (32, 32, 48))
    url = prepare_grant_uri(
        place,
        provider.client_id,
        "code",
        redirect_uri=redirect,
        scope="openid",
        state=state,
        nonce=nonce,
        code_challenge=create_s256_code_challenge(verifier),
        code_challenge_method="S256",
    )
    return Visit(url, state, nonce, verifier, redirect)


def finish(provider: Issuer, visit: Visit, returned: str, now: datetime) -> str:
    """The subject of the ID token that the *returned* URL's code is good for.

    Raises: Refused, if state, code or token does not hold; Unavailable, if the provider does not
    answer.
    """
    try:
        answer = parse_authorization_code_response(returned, state=visit.state)
    except AuthlibBaseError as error:
        raise Refused("the provider gave no code for this visit") from error
    told = parse_qs(urlsplit(returned).query).get("iss", [provider.issuer])
    if told != [provider.issuer]:
        raise Refused("the answer is of another provider")
    places = _discovered(provider)
    token = _exchanged(provider, visit, places["token_endpoint"], answer["code"])
    text = token.get("id_token")
    if not isinstance(text, str) or len(text) > BYTES_MAX:
        raise Refused("the provider gave no ID token")
    return subject(provider, text, visit.nonce, _fetched(places["jwks_uri"]), now)


def subject(
    provider: Issuer, id_token: str, nonce: str, keys: Mapping[str, object], now: datetime
) -> str:
    """The subject of an ID token, if it is for this client, by this issuer, and of this visit.

    Raises: Refused.
    """
    try:
        known = jwk.KeySet.import_key_set(keys)  # type: ignore[arg-type]
        token = jwt.decode(id_token, known, algorithms=list(ALGORITHMS))
        claims = CodeIDToken(
            token.claims,
            token.header,
            options={
                "iss": {"essential": True, "value": provider.issuer},
                "aud": {"essential": True, "value": provider.client_id},
            },
            params={"nonce": nonce, "client_id": provider.client_id},
        )
        claims.validate(now=int(now.timestamp()), leeway=LEEWAY_SECONDS)
    except (JoseError, AuthlibBaseError, ValueError, KeyError, TypeError) as error:
        raise Refused("the provider's ID token does not hold") from error
    found = token.claims.get("sub")
    if not isinstance(found, str) or not found:
        raise Refused("the provider's ID token names nobody")
    return found


def _exchanged(provider: Issuer, visit: Visit, place: str, code: str) -> Mapping[str, object]:
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": visit.redirect,
        "client_id": provider.client_id,
        "code_verifier": visit.verifier,
    }
    known = (
        httpx.BasicAuth(provider.client_id, provider.client_secret)
        if provider.client_secret
        else None
    )
    try:
        with httpx.Client(timeout=SECONDS_MAX, trust_env=False, auth=known) as client:
            answer = client.post(place, data=form)
    except httpx.HTTPError as error:
        raise Unavailable("the provider does not answer; try again") from error
    if answer.is_client_error:
        raise Refused("the provider did not take the code")
    return _object(answer)


def _discovered(provider: Issuer) -> Mapping[str, str]:
    found = _fetched(f"{provider.issuer.rstrip('/')}/.well-known/openid-configuration")
    if found.get("issuer") != provider.issuer:
        raise Refused("the provider says that it is another issuer than the one configured")
    names = ("authorization_endpoint", "token_endpoint", "jwks_uri")
    places = {name: found.get(name) for name in names}
    told = {name: place for name, place in places.items() if isinstance(place, str)}
    if len(told) != len(names):
        raise Refused("the provider's configuration is not whole")
    for place in told.values():
        _secure(place)
    return told


def _fetched(url: str) -> Mapping[str, object]:
    _secure(url)
    try:
        with httpx.Client(timeout=SECONDS_MAX, trust_env=False) as client:
            answer = client.get(url)
    except httpx.HTTPError as error:
        raise Unavailable("the provider does not answer; try again") from error
    return _object(answer)


def _object(answer: httpx.Response) -> Mapping[str, object]:
    if len(answer.content) > BYTES_MAX:
        raise Refused("the provider's answer is too long")
    try:
        answer.raise_for_status()
        found = answer.json()
    except (httpx.HTTPError, ValueError) as error:
        raise Unavailable("the provider does not answer as it should; try again") from error
    if not isinstance(found, dict):
        raise Refused("the provider's answer is no JSON object")
    return found


def _secure(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme != "https" and (parts.scheme, parts.hostname in LOOPBACK) != ("http", True):
        raise Invalid(
            "issuer", "a provider is reached over https only, but for this machine itself"
        )
