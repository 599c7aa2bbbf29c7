"""Composer versions, ordered as Composer's `Comparator` does: with PHP's `version_compare`.

Numbers and words are parts of their own however they are joined. At any place a development mark sorts
before alpha, that before beta, RC, the end, a number, and a patch; build metadata does not count. A part
more is greater: ``1.0.0`` comes after ``1.0``. A branch (``dev-main``) sorts before every number, by its
name. Composer's resolver takes words in capitals as in small letters; `version_compare` holds all words
that it does not know equal, ``ALPHA`` and ``BETA`` too: `settle` finds where the two readings differ, and
`compare` refuses to order such a pair.

The resolver also fills a version up to four numbers, so that ``1.0`` and ``1.0.0`` are equal, and gives
a branch no place among the numbers: `range_key` does so, and ranges are judged by it.
Sources: composer/semver 3, `Comparator` and `VersionParser::normalize`; PHP manual, `version_compare`.
"""

import re

from leadline.core.clearing.versions.encoding import Unparseable, number, text

_FORM = re.compile(r"[vV]?([0-9][0-9A-Za-z]*(?:[._-][0-9A-Za-z]+)*)(?:\+[!-~]+)?")
_BRANCH = re.compile(r"dev-([!-~]+)")
_PARTS = re.compile(r"[0-9]+|[A-Za-z]+")
_LEADING = re.compile(r"[0-9]{1,5}(?:\.[0-9]+){0,3}(?![0-9.]|\.[0-9])")
_STABLE = re.compile(r"[._-]?stable$")
_UNKNOWN, _DEV, _ALPHA, _BETA, _RC, _END, _NUMBER, _PATCH = (bytes([rank]) for rank in range(8))
_WORDS = {
    "dev": _DEV,
    "alpha": _ALPHA,
    "a": _ALPHA,
    "beta": _BETA,
    "b": _BETA,
    "rc": _RC,
    "patch": _PATCH,
    "pl": _PATCH,
    "p": _PATCH,
}
_PHP_WORDS = _WORDS | {"RC": _RC}


def key(version: str) -> bytes:
    """The sort key of a Composer version.

    Raises: `Unparseable`, for a word that is no stability of Composer's, or another form altogether.
    """
    branch = _BRANCH.fullmatch(version)
    if branch is not None:
        return _DEV + text(branch[1])
    return _encoded(_form(version))


def range_key(version: str) -> bytes:
    """The sort key of a version as Composer's resolver sees it, filled up to four numbers.

    Raises: `Unparseable`, as `key` does, and for a branch.
    """
    form = _form(version)
    leading = _LEADING.match(form)
    if leading is None:
        return _encoded(form)
    missing = 3 - leading[0].count(".")
    return _encoded(leading[0] + ".0" * missing + form[leading.end() :])


def settle(a: str, b: str) -> None:
    """Nothing, if PHP orders *a* and *b* as their keys do.

    Raises: `Unparseable`, if it does not, or one of them has no key.
    """
    held, php = (key(a), key(b)), (_php_key(a), _php_key(b))
    if (held[0] > held[1], held[0] < held[1]) != (php[0] > php[1], php[0] < php[1]):
        raise Unparseable("composer", a, f"Composer and PHP disagree on its place beside {b!r}")


def _form(version: str) -> str:
    """The version in small letters without ``v``, build metadata and ``-stable``."""
    match = _FORM.fullmatch(version)
    form = _STABLE.sub("", match[1].lower()) if match else ""
    unknown = [word for word in _PARTS.findall(form) if not (word.isdigit() or word in _WORDS)]
    if match is None or unknown:
        raise Unparseable("composer", version, "expected NUMBER[.NUMBER][-STABILITY][NUMBER]")
    return form


def _php_key(version: str) -> bytes:
    match = _FORM.fullmatch(version)
    return key(version) if match is None else _encoded(match[1])


def _encoded(form: str) -> bytes:
    parts = _PARTS.findall(form)
    encoded = (
        _NUMBER + number(int(part)) if part.isdigit() else _PHP_WORDS.get(part, _UNKNOWN)
        for part in parts
    )
    return b"".join(encoded) + _END
