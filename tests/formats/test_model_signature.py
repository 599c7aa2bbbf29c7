"""What a model signature says about files: whole files by SHA-256, each named once."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.core.errors import Invalid
from leadline.formats.model_signature import PREDICATE, parse

DIGEST = "ab" * 32


def bundle(predicate: Any = None, kind: str = PREDICATE, **way: str) -> bytes:
    """A bundle around one statement."""
    serialization = {"method": "files", "hash_type": "sha256", **way}
    resources = [{"name": "a.json", "digest": DIGEST, "algorithm": "sha256"}]
    told = {"serialization": serialization, "resources": resources}
    statement = {"predicateType": kind, "predicate": told | (predicate or {})}
    payload = base64.b64encode(json.dumps(statement).encode()).decode()
    return json.dumps({"dsseEnvelope": {"payload": payload}}).encode()


def test_signed_files_are_read() -> None:
    """Their digests by path."""
    assert parse(bundle()) == {"a.json": DIGEST}


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        (b"", "no JSON"),
        (b"{}", "no JSON"),
        (b'{"dsseEnvelope":{"payload":"!"}}', "base64"),
        (bundle(kind="https://model_signing/Digests/v0.1"), "no model signature 1.0"),
        (bundle(method="shards"), "whole files"),
        (bundle(hash_type="blake2"), "whole files"),
        (bundle({"resources": []}), "no file in it"),
        (bundle({"resources": [{"name": "", "digest": DIGEST}]}), "without name or digest"),
        (bundle({"resources": [{"name": "a", "digest": "ab"}]}), "without name or digest"),
        (bundle({"resources": [{"name": "a", "digest": DIGEST}] * 2}), "named twice"),
    ],
)
def test_what_says_less_is_refused(raw: bytes, problem: str) -> None:
    """Older forms, other digests, and files that are not told apart."""
    with pytest.raises(Invalid, match=problem):
        parse(raw)


@given(st.binary(max_size=200))
def test_any_payload_is_read_or_refused(payload: bytes) -> None:
    """Only our own errors come out."""
    raw = json.dumps({"dsseEnvelope": {"payload": base64.b64encode(payload).decode()}}).encode()
    with pytest.raises(Invalid):
        parse(raw)
