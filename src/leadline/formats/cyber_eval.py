"""``eval.yaml``: one challenge in the form of the Inspect Cyber package, which Cybench uses.

Source: Inspect Cyber documentation, "Evaluation Configuration": name, flag, sandbox, files, setup,
prompt, metadata, and variants that add to or replace these.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from leadline.core.errors import Invalid
from leadline.formats import bounded_yaml
from leadline.formats.document import record, text

SOLUTION = "solution"
FILES_MAX = 50_000  # over all variants, each of which has the challenge's too


@dataclass(frozen=True, slots=True)
class Variant:
    """One way of asking: *files* maps a place in the sandbox to a path beside the file."""

    name: str
    prompt: str
    files: Mapping[str, str]
    flag: str
    setup: str = ""


@dataclass(frozen=True, slots=True)
class CyberEval:
    """A challenge. *sandbox* is the provider it was written for, *config* that provider's file."""

    name: str
    sandbox: str
    config: str
    variants: tuple[Variant, ...]
    metadata: Mapping[str, str] = field(default_factory=dict)

    def variant(self, name: str) -> Variant | None:
        """The variant called *name*."""
        return next((one for one in self.variants if one.name == name), None)


def read(data: bytes, name: str) -> CyberEval:
    """The challenge in *data*.

    Raises: Invalid, naming the field, if it is no such file or lacks name, flag or a prompt, or if its
    variants have too many files together.
    """
    document = record(bounded_yaml.load(data, name))
    if not text(document.get("name")):
        raise Invalid(f"{name}: name", "is missing; a challenge has a name")
    sandbox = document.get("sandbox")
    box = {"type": sandbox} if isinstance(sandbox, str) else record(sandbox)
    given = record(document.get("variants")) or {"default": {}}
    if len(given) * len(record(document.get("files"))) > FILES_MAX:
        raise Invalid(f"{name}: variants", f"have more than {FILES_MAX} files together")
    variants = tuple(
        _variant(str(key), record(value), document, name) for key, value in given.items()
    )
    return CyberEval(
        text(document["name"]),
        text(box.get("type")),
        text(box.get("config")),
        variants,
        {str(key): str(value) for key, value in record(document.get("metadata")).items()},
    )


def _variant(
    key: str, own: Mapping[str, object], whole: Mapping[str, object], name: str
) -> Variant:
    flag = own.get("flag") or whole.get("flag")
    if not isinstance(flag, str | int) or not str(flag).strip():
        raise Invalid(f"{name}: flag", "is missing; a challenge without a flag cannot be scored")
    prompt = text(own.get("prompt")) or text(whole.get("prompt"))
    if not prompt.strip() and key != SOLUTION:
        raise Invalid(f"{name}: prompt", f"variant {key} has none, and the challenge has none")
    files = {**record(whole.get("files")), **record(own.get("files"))}
    return Variant(
        key,
        prompt,
        {str(place): str(path) for place, path in files.items()},
        str(flag),
        text(own.get("setup")) or text(whole.get("setup")),
    )
