"""Maven versions: numbers and qualifiers, each with the separator before it.

A change between digits and letters counts as a hyphen, case does not count, and what means nothing
(0, ``ga``, ``final``, ``release``) is dropped at the end, before a hyphen and before a qualifier.
Qualifiers sort ``alpha beta milestone rc snapshot``, the end, ``sp``, then all others by their letters;
after them comes ``-1``, and after that ``.1``.

Maven itself has no one order. By the specification's earlier text every ``.qualifier`` comes before every
``-qualifier``, and zeros are kept before a ``.qualifier``, so that ``1-1`` < ``1.0.rc`` < ``1`` < ``1-1``
is a circle; its present text holds the two separators equal, and the code has changed in between. `key`
is a total order: the qualifier decides, as in the present text, and between equal qualifiers the dot
comes first, as in the earlier one. `settle` says where the earlier text orders two versions otherwise,
and `compare` refuses to order those.
Sources: Maven POM reference, "Version Order Specification"; `ComparableVersion`; the signs that
`DefaultModelValidator` refuses in a version.
"""

import re
from dataclasses import dataclass
from itertools import zip_longest

from leadline.core.clearing.versions.encoding import Unparseable, number, text

_FORM = re.compile(r"""[!#-'+\-.0-9;=@-Z^-z~]+""")
_PLACES = re.compile(r"([.-]?)([^.-]*)")
_RUNS = re.compile(r"[0-9]+|[^0-9]+")
_MEANINGLESS = frozenset({"", "0", "ga", "final", "release"})
_BEFORE = ("alpha", "beta", "milestone", "rc", "snapshot")
_SHORT = {"a": "alpha", "b": "beta", "m": "milestone"}
_END, _RELEASE, _SP, _OTHER, _AFTER_HYPHEN, _AFTER_DOT = (bytes([rank]) for rank in range(8, 14))
_RANKS = {word: bytes([rank]) for rank, word in enumerate(_BEFORE)} | {"": _RELEASE, "sp": _SP}
_DOT, _HYPHEN = b"\x00", b"\x01"


@dataclass(frozen=True, slots=True)
class _Token:
    """A number or a qualifier in small letters, and whether a hyphen stands before it."""

    hyphen: bool
    word: str

    @property
    def qualifier(self) -> bool:
        return not self.word.isdigit()


def key(version: str) -> bytes:
    """The sort key of a Maven version.

    Raises: `Unparseable`, for a sign that Maven does not allow in a version, or none of ASCII's.
    """
    if _FORM.fullmatch(version) is None:
        raise Unparseable("maven", version, "a sign that Maven does not allow in a version")
    return b"".join(map(_encoded, _kept(_tokens(version.lower()), before_qualifiers=True))) + _END


def settle(a: str, b: str) -> None:
    """Nothing, if the specification's earlier text orders *a* and *b* as their keys do.

    Raises: `Unparseable`, if it does not, or one of them has no key.
    """
    left, right = key(a), key(b)
    held = _order_by_earlier_text(_kept(_tokens(a.lower())), _kept(_tokens(b.lower())))
    if held != (left > right) - (left < right):
        raise Unparseable("maven", a, f"releases of Maven disagree on its place beside {b!r}")


def _order_by_earlier_text(left: list[_Token], right: list[_Token]) -> int:
    for one, other in zip_longest(left, right):
        if one != other:
            order = _against_end(one) if other is None else -_against_end(other)
            if one is not None and other is not None:
                order = _beside(one, other)
            if order:
                return order
    return 0


def _beside(one: _Token, other: _Token) -> int:
    places = _place(one), _place(other)
    if places[0] != places[1] or not one.qualifier:
        left: tuple[int, int] = places[0], 0 if one.qualifier else int(one.word)
        right: tuple[int, int] = places[1], 0 if other.qualifier else int(other.word)
        return (left > right) - (left < right)
    return (_weight(one) > _weight(other)) - (_weight(one) < _weight(other))


def _place(token: _Token) -> int:
    """``.qualifier``, ``-qualifier``, ``-number``, ``.number``, in this order."""
    if token.qualifier:
        return 1 if token.hyphen else 0
    return 2 if token.hyphen else 3


def _against_end(token: _Token | None) -> int:
    """How a token stands to the nothing that fills up the shorter version."""
    if token is None or token.word in {"", "0"}:
        return int(token is not None and token.hyphen and token.word == "0")
    return 1 if not token.qualifier or _weight(token) > _RELEASE else -1


def _tokens(version: str) -> list[_Token]:
    tokens: list[_Token] = []
    for separator, place in _PLACES.findall(version)[:-1]:
        runs = _RUNS.findall(place) or ["0"]
        for index, run in enumerate(runs):
            hyphen = separator == "-" if index == 0 else True
            followed = index + 1 < len(runs)
            tokens.append(_Token(hyphen, _spelled(run, shortened=followed)))
    return tokens


def _spelled(run: str, *, shortened: bool) -> str:
    if run.isdigit():
        return run.lstrip("0") or "0"
    if run in _MEANINGLESS:
        return ""
    if run == "cr":
        return "rc"
    return _SHORT.get(run, run) if shortened else run


def _kept(tokens: list[_Token], *, before_qualifiers: bool = False) -> list[_Token]:
    """The tokens without those that mean nothing where they stand."""
    kept: list[_Token] = []
    for token in reversed(tokens):
        after = kept[-1] if kept else None
        droppable = after is None or after.hyphen or (before_qualifiers and after.qualifier)
        if not (droppable and token.word in _MEANINGLESS):
            kept.append(token)
    return kept[::-1]


def _encoded(token: _Token) -> bytes:
    if not token.qualifier:
        return (_AFTER_HYPHEN if token.hyphen else _AFTER_DOT) + number(int(token.word))
    return _weight(token) + (_HYPHEN if token.hyphen else _DOT)


def _weight(qualifier: _Token) -> bytes:
    return _RANKS.get(qualifier.word) or _OTHER + text(qualifier.word)
