"""A finder's manifest of a run under a scan lease: JSON, read whole or refused with every fault."""

from leadline.core.clearing.lease import BLOCKS_MAX, RunManifest
from leadline.core.errors import Invalid
from leadline.formats.document import load

FORMAT = "run-manifest"
TEXT_MAX = 4096
COUNT_MAX = 10**9
_TEXTS, _NUMBERS = ("commit", "tool", "log"), ("effort_hours", "findings")


def load_run_manifest(data: bytes, name: str) -> RunManifest:
    """Read ``{"commit", "paths", "tool", "effort_hours", "findings", "log"}``; *log* is a digest.

    Whether it proves anything is not asked here: a manifest of no effort is read and kept.

    Raises: Invalid, listing every fault with its JSON pointer.
    """
    document = load(data, name)
    known = {*_TEXTS, *_NUMBERS, "paths"}
    faults = [f"/{key}: is not known" for key in sorted(set(document) - known)]
    texts: dict[str, str] = {}
    numbers: dict[str, int] = {}
    for key in _TEXTS:
        value = document.get(key)
        if isinstance(value, str) and len(value) <= TEXT_MAX:
            texts[key] = value
        else:
            faults.append(f"/{key}: expected a text of at most {TEXT_MAX} characters")
    for key in _NUMBERS:
        value = document.get(key)
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= COUNT_MAX:
            numbers[key] = value
        else:
            faults.append(f"/{key}: expected a whole number from 0")
    paths = document.get("paths")
    held = [one for one in paths if isinstance(one, str)] if isinstance(paths, list) else []
    if not isinstance(paths, list) or len(held) != len(paths) or len(held) > BLOCKS_MAX:
        faults.append(f"/paths: expected at most {BLOCKS_MAX} texts")
    if faults:
        raise Invalid(name, "; ".join(faults))
    commit, tool, log = (texts[key] for key in _TEXTS)
    hours, findings = (numbers[key] for key in _NUMBERS)
    return RunManifest(commit, tuple(held), tool, hours, findings, log)
