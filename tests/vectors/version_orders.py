"""Versions drawn at random, scheme by scheme, and how each scheme's own comparison orders them.

The references are direct transcriptions of the algorithms that the schemes publish, token by token and
without keys, or a well-kept library; they share no code with what they check.
"""

import random
import re
from collections.abc import Callable, Sequence
from itertools import zip_longest

import semver as semver_library
from packaging.version import Version

from leadline.core.clearing.versions import Unparseable, compare

DISPUTED = {"maven", "composer"}
_NUMBERS = ["0", "1", "2", "9", "10", "11", "100", "20240101"]
_PADDED = [*_NUMBERS, "00", "01", "010"]
_WORDS = ["a", "b", "alpha", "beta", "rc", "pre", "x", "A", "RC", "z0"]


def order_or_none(scheme: str, a: str, b: str) -> int | None:
    """The order of two versions that each have one; None where the scheme's tools disagree."""
    try:
        return compare(scheme, a, b)
    except Unparseable:
        compare(scheme, a, a)
        compare(scheme, b, b)
        return None


def versions(scheme: str, draw: random.Random) -> str:
    """One version that the scheme admits; short parts, so that equal beginnings are common."""
    return _DRAWN[scheme](draw)


def _joined(draw: random.Random, parts: Sequence[str], most: int, separator: str = ".") -> str:
    return separator.join(draw.choice(parts) for _ in range(draw.randint(1, most)))


def _maybe(draw: random.Random, sign: str, text: str) -> str:
    return sign + text if draw.random() < 0.4 else ""


def _semver(draw: random.Random) -> str:
    release = ".".join(draw.choice(_NUMBERS) for _ in range(3))
    pre = _maybe(draw, "-", _joined(draw, [*_NUMBERS, *_WORDS, "-", "a-1"], 3))
    return release + pre + _maybe(draw, "+", _joined(draw, _PADDED, 2))


def _nuget(draw: random.Random) -> str:
    pre = _joined(draw, [*_PADDED, *_WORDS, "-1", "-", "99999999999"], 3)
    return _joined(draw, _PADDED, 4) + _maybe(draw, "-", pre) + _maybe(draw, "+", "x")


def _pypi(draw: random.Random) -> str:
    stage = draw.choice(["", "a0", "b3", "rc12", ".alpha1"])
    post, dev = draw.choice(["", ".post0", "-3"]), draw.choice(["", ".dev0", ".dev7"])
    local = _maybe(draw, "+", _joined(draw, ["abc", "1", "10", "a1"], 3))
    return draw.choice(["", "1!", "v"]) + _joined(draw, _PADDED, 4) + stage + post + dev + local


def _gem(draw: random.Random) -> str:
    tail = _maybe(draw, ".", _joined(draw, ["a", "b", "rc", "a1", "A", *_PADDED], 4))
    return _joined(draw, _PADDED, 3) + tail + _maybe(draw, "-", _joined(draw, ["x", "1", "0"], 2))


def _deb(draw: random.Random) -> str:
    upstream = draw.choice(_PADDED) + _joined(draw, [*_PADDED, "a", "Z", "~", "+", ".", ""], 5, "")
    revision = _maybe(draw, "-", _joined(draw, ["1", "0", "~deb12u1", "ubuntu", "+b1"], 2, ""))
    return draw.choice(["", "0:", "2:"]) + upstream + revision


def _rpm(draw: random.Random) -> str:
    signs = [*_PADDED, "a", "Z", "el", "~", "^", "+", ".", "_", ""]
    release = _maybe(draw, "-", _joined(draw, signs, 4, ""))
    version = draw.choice([*_PADDED, "a", "~", "^1"]) + _joined(draw, signs, 5, "")
    return draw.choice(["", "0:", "2:", ":"]) + version + release


def _apk(draw: random.Random) -> str:
    letter = draw.choice(["", "", "a", "b", "p1", "p2"])
    suffixes = "".join(
        "_" + draw.choice(["alpha", "beta", "pre", "rc", "cvs", "svn", "git", "hg", "p"])
        + draw.choice(["", *_PADDED])
        for _ in range(draw.choice([0, 0, 1, 2]))
    )  # fmt: skip
    commit = _maybe(draw, "~", draw.choice(["ab", "ab1", "0f"]))
    return _joined(draw, _PADDED, 4) + letter + suffixes + commit + _maybe(draw, "-r", "1")


def _maven(draw: random.Random) -> str:
    words = [*_PADDED, "alpha", "a1", "RC1", "cr", "sp", "ga", "Final", "snapshot", "foo", ""]
    tail = (draw.choice(".-") + draw.choice(words) for _ in range(draw.randint(0, 4)))
    return draw.choice(_PADDED) + "".join(tail)


def _composer(draw: random.Random) -> str:
    stage = draw.choice(["", "-dev", "a", "-alpha1", ".beta.2", "RC1", "_rc", "pl1", "-BETA", "-p"])
    return draw.choice(["", "v"]) + _joined(draw, _PADDED, 4) + stage + _maybe(draw, "+", "meta")


_DRAWN: dict[str, Callable[[random.Random], str]] = {
    "pypi": _pypi,
    "npm": _semver,
    "semver": _semver,
    "golang": lambda draw: draw.choice(["", "v"]) + _semver(draw),
    "cargo": _semver,
    "nuget": _nuget,
    "gem": _gem,
    "deb": _deb,
    "rpm": _rpm,
    "maven": _maven,
    "composer": _composer,
    "apk": _apk,
}


def _sign(left: object, right: object) -> int:
    return bool(left > right) - bool(left < right)  # type: ignore[operator]


def _by_library(a: str, b: str) -> int:
    return semver_library.Version.parse(a.lstrip("v")).compare(b.lstrip("v"))


def _by_packaging(a: str, b: str) -> int:
    return _sign(Version(a), Version(b))


def _by_nuget(a: str, b: str) -> int:
    """`VersionComparer.Compare`: four numbers, then labels; a label counts as a number if it fits."""
    left, right = (version.partition("+")[0].partition("-") for version in (a, b))
    for one, other in zip_longest(left[0].split("."), right[0].split("."), fillvalue="0"):
        if int(one) != int(other):
            return _sign(int(one), int(other))
    if not left[2] or not right[2]:
        return bool(right[2]) - bool(left[2])
    for first, second in zip_longest(left[2].split("."), right[2].split(".")):
        if first is None or second is None:
            return -1 if first is None else 1
        order = _nuget_label(first, second)
        if order:
            return order
    return 0


def _nuget_label(one: str, other: str) -> int:
    numbers = [int(text) if _fits(text) else None for text in (one, other)]
    if numbers[0] is not None and numbers[1] is not None:
        return _sign(numbers[0], numbers[1])
    if numbers != [None, None]:
        return -1 if numbers[0] is not None else 1
    return _sign(one.upper(), other.upper())


def _fits(text: str) -> bool:
    return re.fullmatch("-?[0-9]+", text) is not None and -(2**31) <= int(text) < 2**31


def _by_rubygems(a: str, b: str) -> int:
    """`Gem::Version#<=>`, with the zeros that do not count taken off as `canonical_segments` does."""
    for left, right in zip_longest(_segments(a), _segments(b), fillvalue=0):
        if left != right:
            if isinstance(left, str) != isinstance(right, str):
                return -1 if isinstance(left, str) else 1
            return _sign(left, right)
    return 0


def _segments(version: str) -> list[int | str]:
    found = re.findall(r"[0-9]+|[a-zA-Z]+", version.replace("-", ".pre."))
    held = [int(part) if part.isdigit() else part for part in found]
    start = next((at for at, part in enumerate(held) if isinstance(part, str)), len(held))
    return [part for half in (held[:start], held[start:]) for part in _without_zeros(half)]


def _without_zeros(held: list[int | str]) -> list[int | str]:
    while held and held[-1] == 0:
        held = held[:-1]
    return held


def _by_dpkg(a: str, b: str) -> int:
    """`dpkg_version_compare`: epoch, then `verrevcmp` of upstream and of revision."""
    for left, right in zip(_debian(a), _debian(b), strict=True):
        order = _verrevcmp(left, right)
        if order:
            return order
    return 0


def _debian(version: str) -> tuple[str, str, str]:
    epoch, _, rest = version.rpartition(":")
    upstream, hyphen, revision = rest.rpartition("-")
    return epoch or "0", upstream if hyphen else rest, revision if hyphen else "0"


def _verrevcmp(a: str, b: str) -> int:
    while a or b:
        while (a and not a[0].isdigit()) or (b and not b[0].isdigit()):
            order = _sign(_dpkg_weight(a), _dpkg_weight(b))
            if order:
                return order
            a, b = a[1:], b[1:]
        left, right = _leading(r"[0-9]*", a), _leading(r"[0-9]*", b)
        order = _sign(int(left or 0), int(right or 0))
        if order:
            return order
        a, b = a[len(left) :], b[len(right) :]
    return 0


def _dpkg_weight(text: str) -> int:
    if not text or text[0].isdigit():
        return 0
    if text[0] == "~":
        return -1
    return ord(text[0]) if text[0].isalpha() else ord(text[0]) + 256


def _leading(pattern: str, text: str) -> str:
    match = re.match(pattern, text)
    return match[0] if match else ""


def _by_rpm(a: str, b: str) -> int:
    """`rpmverCmp`: epoch, version, release, where an absent release is less than any."""
    left, right = _evr(a), _evr(b)
    for one, other in zip(left, right, strict=True):
        if one is None or other is None:
            order = (one is not None) - (other is not None)
        else:
            order = _rpmvercmp(one, other)
        if order:
            return order
    return 0


def _evr(version: str) -> tuple[str, str, str | None]:
    epoch, colon, rest = version.partition(":")
    held, hyphen, release = (rest if colon else version).partition("-")
    return (epoch or "0") if colon else "0", held, release if hyphen else None


def _rpmvercmp(a: str, b: str) -> int:
    while True:
        a, b = (re.sub(r"^[^0-9A-Za-z~^]+", "", text) for text in (a, b))
        signs = {a[:1], b[:1]} & {"~", "^"}
        if signs and a[:1] == b[:1]:
            a, b = a[1:], b[1:]
        elif signs:
            return _sign(_rpm_weight(a), _rpm_weight(b))
        elif not a or not b:
            return bool(a) - bool(b)
        else:
            numeric = a[0].isdigit()
            pattern = r"[0-9]+" if numeric else r"[A-Za-z]+"
            left, right = _leading(pattern, a), _leading(pattern, b)
            if not right:
                return 1 if numeric else -1
            order = _sign(int(left), int(right)) if numeric else _sign(left, right)
            if order:
                return order
            a, b = a[len(left) :], b[len(right) :]


def _rpm_weight(text: str) -> int:
    """A tilde is less than the end, a caret more than the end and less than all else."""
    return {"~": 0, "": 1, "^": 2}.get(text[:1], 3)


def _by_php(a: str, b: str) -> int:
    """PHP's `version_compare` on what Composer leaves of a version: no ``v``, no build metadata."""
    left, right = _canonical(a), _canonical(b)
    for one, other in zip(left, right, strict=False):
        order = (
            _sign(int(one), int(other))
            if one.isdigit() and other.isdigit()
            else _special(one, other)
        )
        if order:
            return order
    longer = left[len(right) :] or right[len(left) :]
    if not longer:
        return 0
    order = 1 if longer[0].isdigit() else _special(longer[0], "1")
    return order if len(left) > len(right) else -order


def _canonical(version: str) -> list[str]:
    return re.findall(r"[0-9]+|[a-zA-Z]+", version.partition("+")[0].lstrip("v"))


def _special(one: str, other: str) -> int:
    forms = [("dev", 0), ("alpha", 1), ("a", 1), ("beta", 2), ("b", 2), ("RC", 3), ("rc", 3)]
    forms += [("#", 4), ("pl", 5), ("p", 5)]

    def found(part: str) -> int:
        text = "#" if part.isdigit() else part
        return next((rank for name, rank in forms if text.startswith(name)), -1)

    return _sign(found(one), found(other))


_APK_TOKENS = re.compile(r"(\.?[0-9]+)|([a-z])|_([a-z]+)|(~[0-9a-f]+)|(-r[0-9]+)")
_APK_SUFFIXES = ["alpha", "beta", "pre", "rc", "", "cvs", "svn", "git", "hg", "p"]
_APK_END = 7


def _by_apk(a: str, b: str) -> int:
    """`apk_version_compare` of apk-tools 3, with the number after the letter of apk-tools 2."""
    for (left, one), (right, other) in zip_longest(
        _apk_tokens(a), _apk_tokens(b), fillvalue=(_APK_END, "")
    ):
        if left == right:
            order = _apk_order(left, one, other)
            if order:
                return order
            continue
        for token, text, order in ((left, one, -1), (right, other, 1)):
            if token == 3 and _APK_SUFFIXES.index(text) < 4:
                return order
        return _sign(right, left)
    return 0


def _apk_tokens(version: str) -> list[tuple[int, str]]:
    """Tokens by their kind: 0 first number, 1 number, 2 letter, 3 suffix, 4 its number, 5, 6."""
    tokens: list[tuple[int, str]] = []
    for digits, letter, suffix, commit, revision in _APK_TOKENS.findall(version):
        if digits:
            after_suffix = bool(tokens) and tokens[-1][0] == 3
            kind = 0 if not tokens else 4 if after_suffix else 1
            after_letter = bool(tokens) and tokens[-1][0] == 2
            held = digits.lstrip(".")
            tokens.append((kind, held.lstrip("0") if after_letter else held))
        elif letter:
            tokens.append((2, letter))
        elif suffix:
            tokens.append((3, suffix))
        else:
            tokens.append((5, commit[1:]) if commit else (6, revision[2:]))
    return tokens


def _apk_order(kind: int, one: str, other: str) -> int:
    if kind == 3:
        return _sign(_APK_SUFFIXES.index(one), _APK_SUFFIXES.index(other))
    if kind in {0, 4, 6} or (kind == 1 and "0" not in {one[:1], other[:1]}):
        return _sign(int(one), int(other))
    return _sign(one, other)


REFERENCES: dict[str, Callable[[str, str], int]] = {
    "pypi": _by_packaging,
    "npm": _by_library,
    "semver": _by_library,
    "golang": _by_library,
    "cargo": _by_library,
    "nuget": _by_nuget,
    "gem": _by_rubygems,
    "deb": _by_dpkg,
    "rpm": _by_rpm,
    "composer": _by_php,
    "apk": _by_apk,
}
