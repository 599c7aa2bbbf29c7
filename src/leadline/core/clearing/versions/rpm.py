"""RPM versions: ``[epoch:]version[-release]``.

Each part is a sequence of number runs, letter runs and the signs ``~`` and ``^``; everything else only
separates. At any place ``~`` sorts before the end, the end before ``^``, that before letters, and
letters before numbers: one total order, so a key without error exists. What is easily missed: a
release that is absent sorts before one that is empty (``1`` before ``1-``), and a colon makes an epoch
only after nothing but digits.
Sources: rpm-version(7); `rpmvercmp`, `rpmverParse` and `rpmverCmp` of RPM 4.20.
"""

import re

from leadline.core.clearing.versions.encoding import Unparseable, number, text

_FORM = re.compile(r"(?:(?P<epoch>[0-9]*):)?(?P<version>[^-]*)(?:-(?P<release>[^-]*))?", re.DOTALL)
_RUNS = re.compile(r"[0-9]+|[A-Za-z]+|[~^]")
_TILDE, _END, _CARET, _LETTERS, _NUMBER = b"\x01", b"\x02", b"\x03", b"\x04", b"\x05"
_ABSENT, _PRESENT = b"\x00", b"\x01"


def key(version: str) -> bytes:
    """The sort key of an RPM version.

    Raises: `Unparseable`, for a second hyphen or a sign that is not printable.
    """
    match = _FORM.fullmatch(version)
    if match is None:
        raise Unparseable(
            "rpm", version, "more than one hyphen; expected [EPOCH:]VERSION[-RELEASE]"
        )
    if not version.isprintable() or " " in version:
        raise Unparseable("rpm", version, "white space or a sign that cannot be printed")
    release = match["release"]
    last = _ABSENT if release is None else _PRESENT + _part(release)
    return number(int(match["epoch"] or 0)) + _part(match["version"]) + last


def _part(part: str) -> bytes:
    return b"".join(map(_run, _RUNS.findall(part))) + _END


def _run(run: str) -> bytes:
    if run == "~":
        return _TILDE
    if run == "^":
        return _CARET
    return _NUMBER + number(int(run)) if run[0] <= "9" else _LETTERS + text(run)
