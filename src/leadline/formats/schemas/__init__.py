"""Published JSON schemas, kept beside this file and never fetched; MANIFEST.toml says whence.

Formats (dates, addresses) are checked, and a reference to a schema that is not here is an error.
"""

import json
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.resources import files

from jsonschema_rs import Registry, Validator, validator_for

from leadline.core.clearing.product import Fault

FAULTS_MAX = 100


def manifest() -> list[dict[str, str]]:
    """One entry per vendored schema: file, name, version, licence, sha256, origin, uri."""
    text = files(__name__).joinpath("MANIFEST.toml").read_text(encoding="utf-8")
    entries: list[dict[str, str]] = tomllib.loads(text)["schema"]
    return entries


def content(file: str) -> bytes:
    """The bytes of one vendored schema."""
    return files(__name__).joinpath(file).read_bytes()


@cache
def _registry() -> Registry:
    return Registry([(entry["uri"], json.loads(content(entry["file"]))) for entry in manifest()])


@cache
def validator(file: str) -> Validator:
    """A compiled checker for one vendored schema."""
    schema = json.loads(content(file))
    return validator_for(schema, validate_formats=True, registry=_registry(), offline=True)


def faults(file: str, document: object) -> Iterator[Fault]:
    """What the schema *file* finds wrong in *document*, at most `FAULTS_MAX`, by JSON pointer."""
    for count, error in enumerate(validator(file).iter_errors(document)):
        if count >= FAULTS_MAX:
            yield Fault("", f"more than {FAULTS_MAX} faults; the rest is not listed")
            return
        pointer = "".join(f"/{step}" for step in error.instance_path)
        yield Fault(pointer or "/", error.message[:400])
