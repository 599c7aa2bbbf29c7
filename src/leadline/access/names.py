"""What a person is named for, and the time, outside the engine: they are many, or new with each request.

Rules may ask of these names but whether a thing's own fact is among them, and of the time but whether an
embargo or a person's access is over. So a decision needs of the names only those that the thing has, and
what is left of a list for one person holds for the names and times of another request, set in for tokens.
"""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import assert_never

from leadline.core.clause import (
    Above,
    All,
    Always,
    Clause,
    Measure,
    Not,
    OneOf,
    Some,
    Touches,
    Within,
)
from leadline.core.errors import Invalid

# No name holds a NUL: nothing that does can be stored.
TOKENS = {"engagements": "\0engagements", "cases": "\0cases"}
_NOW = {".": {"left": {"Var": "context"}, "attr": "now"}}
_TIMES = (
    ("<", {".": {"left": {"Var": "resource"}, "attr": "embargo_until"}}),
    (">=", {".": {"left": {"Var": "principal"}, "attr": "access_until"}}),
)


@dataclass(frozen=True, slots=True)
class Named:
    """The engagements and cases that a person is named for."""

    engagements: AbstractSet[str]
    cases: AbstractSet[str]

    @property
    def tokens(self) -> "Named":
        """One token for the names of each kind, none for none."""
        held = (("engagements", self.engagements), ("cases", self.cases))
        return Named(*(frozenset([TOKENS[name]] if names else []) for name, names in held))


def check(file: str, rule: str, node: object) -> None:
    """Return if this part of a rule asks nothing else of names and time.

    Raises: Invalid, naming the rule.
    """
    if isinstance(node, Sequence) and not isinstance(node, str):
        for one in node:
            check(file, rule, one)
    if not isinstance(node, Mapping):
        return
    if node == _NOW or _names(node):
        raise Invalid(
            file, f"rule {rule}: names and time are compared as access/names.py says alone"
        )
    for operator, inner in node.items():
        if not _known(operator, inner):
            check(file, rule, inner)


def _known(operator: str, inner: object) -> bool:
    """Whether this is one of the comparisons that are set in."""
    if not isinstance(inner, Mapping):
        return False
    left, right = inner.get("left"), inner.get("right")
    if operator == "contains" and _names(left):
        return _is_of(right, "resource")
    return left == _NOW and (operator, right) in _TIMES


def _names(node: object) -> bool:
    """Whether this reads, or asks for, the names of the person."""
    if not isinstance(node, Mapping):
        return False
    return any(
        isinstance(inner, Mapping) and _is_of({".": inner}, "principal", *TOKENS)
        for operator, inner in node.items()
        if operator in {".", "has"}
    )


def _is_of(node: object, entity: str, *attributes: str) -> bool:
    inner = node.get(".") if isinstance(node, Mapping) else None
    if not isinstance(inner, Mapping) or inner.get("left") != {"Var": entity}:
        return False
    return not attributes or inner.get("attr") in attributes


def filled(  # noqa: PLR0911 -- one for each case
    clause: Clause, then: int, named: Named, now: int
) -> Clause:
    """What was left at the time *then* with tokens, with these names and for the time *now*."""
    match clause:
        case OneOf(fact, texts):
            if TOKENS["engagements"] in texts:
                return OneOf(fact, frozenset(named.engagements))
            if TOKENS["cases"] in texts:
                return OneOf(fact, frozenset(named.cases))
            return clause
        case Above(Measure.EMBARGO_UNTIL, bound):
            return Above(Measure.EMBARGO_UNTIL, now if bound == then else bound)
        case Always() | Above() | Within() | Touches():
            return clause
        case Not(inner):
            return Not(filled(inner, then, named, now))
        case All(clauses):
            return All(tuple(filled(one, then, named, now) for one in clauses))
        case Some(clauses):
            return Some(tuple(filled(one, then, named, now) for one in clauses))
        case _ as never:
            assert_never(never)
