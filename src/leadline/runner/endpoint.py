"""A model's endpoint: opened with a bound on what it may send, and asked who it is.

The fixed questions are asked before the first sample, before and after every shard. What comes back
shows consistency of what answers, never which weights do.
"""

import asyncio
import contextlib
import hashlib
import re
import ssl
import sys
from collections.abc import AsyncIterator
from typing import cast
from urllib.parse import urlsplit

import httpx
import httpx2
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from inspect_ai.model import GenerateConfig, Model, ModelOutput, get_model
from typing_extensions import override

from leadline.core.errors import Unavailable
from leadline.core.identity import Fingerprint

ANSWER_BYTES_MAX = 32 << 20
ENCODED_BYTES_MAX = 1 << 20  # compressed though we asked for none: it may unfold a thousandfold
PROBE_TOKENS = 24
PROBE_SECONDS = 60
KEY_SECONDS = 10
NOT_EVIDENCED = "not evidenced"
RELAY_SECONDS = 10
_RELAYED = re.compile(r"/([0-9a-f]{32})(/.*)?")  # a relay's paths begin with the case's own prefix
_QUESTIONS = (
    "Name the first five prime numbers, separated by spaces, and nothing else.",
    "Continue the sentence with exactly six words: The lighthouse keeper opened the door and",
    "Answer with one word: what colour do you get from mixing blue and yellow paint?",
    "Write the word 'sounding' backwards, and nothing else.",
)
PROBES = hashlib.sha256("\n".join(_QUESTIONS).encode()).hexdigest()


class OversizedAnswerError(Exception):
    """An endpoint sent more than one answer may have."""


class _Bounded(httpx.AsyncByteStream, httpx2.AsyncByteStream):
    """The bytes of an answer, up to *most* of them."""

    def __init__(self, stream: httpx.AsyncByteStream, most: int) -> None:
        self._stream, self._most = stream, most

    @override
    async def __aiter__(self) -> AsyncIterator[bytes]:
        taken = 0
        async for piece in self._stream:
            taken += len(piece)
            if taken > self._most:
                raise OversizedAnswerError(f"the endpoint sent over {self._most:,} bytes at once")
            yield piece

    @override
    async def aclose(self) -> None:
        await self._stream.aclose()


async def _plain(request: httpx.Request) -> None:
    request.headers["Accept-Encoding"] = "identity"


async def _bound(response: httpx.Response) -> None:
    encoded = response.headers.get("Content-Encoding", "identity") != "identity"
    most = ENCODED_BYTES_MAX if encoded else ANSWER_BYTES_MAX
    assert isinstance(response.stream, (httpx.AsyncByteStream, httpx2.AsyncByteStream))  # noqa: S101 -- of an async client
    response.stream = _Bounded(response.stream, most)


def open_model(name: str) -> Model:
    """The Inspect model called *name*, with a client of its own that takes bounded answers.

    A provider whose client is not httpx's is bounded by nothing but its own library: `is_bounded`
    tells.

    Raises: Unavailable, if the provider cannot be set up here (a missing key or package).
    """
    try:
        # Inspect announces its hooks when the first model is made: nothing for a program's output.
        with contextlib.redirect_stdout(sys.stderr):
            model = get_model(name, memoize=False)
    except (ValueError, ImportError, RuntimeError) as error:
        raise Unavailable(f"{name} cannot be reached: {error}") from error
    for client in _clients(model):
        client.event_hooks["request"].append(_plain)
        client.event_hooks["response"].append(_bound)
    return model


def is_bounded(model: Model) -> bool:
    """Whether what this model's endpoint sends is bounded."""
    return bool(_clients(model))


def _clients(model: Model) -> list[httpx.AsyncClient]:
    """The HTTP clients behind *model*, under either of the names that providers use."""
    held = [getattr(model.api, "http_client", None)]
    held.append(getattr(getattr(model.api, "client", None), "_client", None))
    kinds = (httpx.AsyncClient, httpx2.AsyncClient)
    found = {id(one): cast("httpx.AsyncClient", one) for one in held if isinstance(one, kinds)}
    return list(found.values())  # the two libraries' clients are alike in what is used here


def fingerprint(name: str) -> Fingerprint:
    """Ask the fixed questions, one after the other, at temperature 0.

    Raises: Unavailable, if any of them is not answered; the message says how it ended.
    """
    return asyncio.run(_fingerprint(name))


async def _fingerprint(name: str) -> Fingerprint:
    config = GenerateConfig(
        temperature=0.0,
        max_tokens=PROBE_TOKENS,
        attempt_timeout=PROBE_SECONDS,
        timeout=PROBE_SECONDS,
        max_retries=2,
    )
    told: list[ModelOutput] = []
    async with open_model(name) as model:
        for question in _QUESTIONS:
            # Providers raise whatever their clients do: how a question ended is taken as a value.
            asked = model.generate(question, config=config)
            [ended] = await asyncio.gather(asked, return_exceptions=True)
            if not isinstance(ended, ModelOutput):
                how = f"{type(ended).__name__}: {ended}"
                raise Unavailable(f"{name} did not answer a fixed question: {how}")
            told.append(ended)
    answers = tuple(hashlib.sha256(one.completion.encode()).hexdigest() for one in told)
    return Fingerprint(PROBES, tuple(sorted({one.model for one in told})), answers)


def endpoint_key(name: str) -> str:
    """SHA-256 of the public key behind the endpoint's TLS certificate, in hex.

    `NOT_EVIDENCED` where the endpoint speaks no TLS, its address is unknown, or it cannot be reached
    directly (through a proxy, for instance).
    """
    address = urlsplit(str(getattr(open_model(name).api, "base_url", None) or ""))
    if address.scheme != "https" or not address.hostname:
        return NOT_EVIDENCED
    try:
        told = ssl.get_server_certificate(
            (address.hostname, address.port or 443), timeout=KEY_SECONDS
        )
    except OSError:
        return NOT_EVIDENCED
    key = x509.load_pem_x509_certificate(told.encode()).public_key()
    return hashlib.sha256(
        key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    ).hexdigest()


def relay_state(name: str) -> dict[str, str]:
    """What the relay before an endpoint has committed to; nothing where there is no relay.

    The members are ``credential``, ``head`` (its journal's signed head) and ``subject_changed``; a relay
    that gives no answer has ``head`` "not evidenced".
    """
    api = open_model(name).api
    base, key = str(getattr(api, "base_url", None) or ""), str(getattr(api, "api_key", None) or "")
    found = _RELAYED.fullmatch(urlsplit(base).path)
    if found is None:
        return {}
    place = urlsplit(base)._replace(path=f"/{found[1]}/.leadline/relay", query="").geturl()
    shown = "x-goog-api-key" if name.startswith("google/") else "Authorization"
    value = key if shown != "Authorization" else f"Bearer {key}"
    try:
        answer = httpx.get(place, headers={shown: value}, timeout=RELAY_SECONDS).raise_for_status()
        told = answer.json()
    except (httpx.HTTPError, ValueError):
        return {"credential": "", "head": NOT_EVIDENCED, "subject_changed": ""}
    return {name: str(told.get(name, "")) for name in ("credential", "head", "subject_changed")}
