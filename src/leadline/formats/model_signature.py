"""What a model signature (OpenSSF Model Signing 1.0) says about files, read from its Sigstore bundle.

This module reads; whether the signature verifies is asked of `model_signing` itself. Only signatures over
whole files by SHA-256 are taken: one over shards names no digest that the vault could be compared with.
Source: https://github.com/sigstore/model-transparency, DSSE envelope with an in-toto statement.
"""

from collections.abc import Mapping

from leadline.core.errors import Invalid
from leadline.formats.document import load, record, records, text
from leadline.formats.note import decode_base64

FORMAT = "model_signature"
PREDICATE = "https://model_signing/signature/v1.0"
_DIGEST_CHARACTERS = 64


def parse(data: bytes) -> Mapping[str, str]:
    """The signed files: SHA-256 in hex by path.

    Raises: Invalid, for what is no such bundle, another way of digesting, or a file named twice.
    """
    envelope = record(load(data, "signature").get("dsseEnvelope"))
    payload = decode_base64("signature payload", text(envelope.get("payload")))
    statement = load(payload, "signature payload")
    if statement.get("predicateType") != PREDICATE:
        raise Invalid("signature", f"no model signature 1.0 ({PREDICATE})")
    predicate = record(statement.get("predicate"))
    way = record(predicate.get("serialization"))
    if (way.get("method"), way.get("hash_type")) != ("files", "sha256"):
        raise Invalid("signature", "sign whole files with SHA-256, so that each can be compared")
    files = dict[str, str]()
    for resource in records(predicate.get("resources")):
        name, digest = text(resource.get("name")), text(resource.get("digest"))
        if not name or len(digest) != _DIGEST_CHARACTERS or name in files:
            raise Invalid("signature", "a file without name or digest, or one named twice")
        files[name] = digest
    if not files:
        raise Invalid("signature", "no file in it")
    return files
