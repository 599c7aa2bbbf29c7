"""Lists from the same rules: what the engine leaves of them when the thing is unknown, as a clause.

Upheld here: an operator, a value or a shape that is not known raises, and nothing is ever read as
"true" for want of understanding. Source of the form: Cedar's JSON policy format, and trust.md 5.4 for
the measured shape of a residual.
"""

from collections.abc import Mapping, Sequence
from typing import cast

from leadline.core.clause import (
    Above,
    Always,
    Clause,
    Fact,
    Measure,
    Within,
    every,
    negation,
    one_of,
    some,
    touches,
)
from leadline.core.errors import Invalid

Node = Mapping[str, object]
ANY_SCOPE = {"op": "All"}
COMPARTMENTS = "compartments"
_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
_JOINTS = {"&&": every, "||": some}


def clause(residuals: Mapping[str, Node], entity: str) -> Clause:
    """(one permit or another) and no forbid, for things of the type *entity*.

    Raises: Invalid, naming the rule, for a residual this compiler does not know.
    """
    permits, forbids = list[Clause](), list[Clause]()
    for rule, residual in sorted(residuals.items()):
        if any(residual.get(scope) != ANY_SCOPE for scope in ("principal", "action", "resource")):
            raise Invalid(rule, "its scope is not decided before the thing is known")
        try:
            holds = every(_condition(one, entity) for one in _nodes(residual["conditions"]))
        except (KeyError, TypeError, ValueError) as error:
            raise Invalid(rule, f"cannot be turned into a list's filter: {error}") from None
        effects = {"permit": permits, "forbid": forbids}
        if residual.get("effect") not in effects:
            raise Invalid(rule, "neither permits nor forbids")
        effects[str(residual["effect"])].append(holds)
    return every((some(permits), negation(some(forbids))))


def _condition(condition: Node, entity: str) -> Clause:
    body = _clause(_node(condition["body"]), entity)
    kinds = {"when": body, "unless": negation(body)}
    return kinds[str(condition["kind"])]


def _clause(node: Node, entity: str) -> Clause:
    """The condition that one expression states.

    Raises: KeyError, TypeError, ValueError for what is not known.
    """
    ((operator, operands),) = node.items()
    if operator == "Value":
        return Always(_flag(operands))
    inner = _node(operands)
    if operator == "!":
        return negation(_clause(_node(inner["arg"]), entity))
    if operator == "is":
        _unknown(inner["left"])
        return Always(inner["entity_type"] == entity)
    left, right = _node(inner["left"]), _node(inner["right"])
    if operator in _JOINTS:
        return _JOINTS[operator]((_clause(left, entity), _clause(right, entity)))
    return _leaf(operator, left, right)


def _leaf(operator: str, left: Node, right: Node) -> Clause:
    if operator in {"==", "!="}:
        same = _same(left, right)
        return same if operator == "==" else negation(same)
    if operator in _MIRRORED:
        return _compared(operator, left, right)
    return _sets(operator, left, right)


def _same(left: Node, right: Node) -> Clause:
    attribute, value = (left, right) if "." in left else (right, left)
    name = _attribute(attribute)
    if name in set(Measure):
        number = _whole(value)
        bounds = (Above(Measure(name), number - 1), negation(Above(Measure(name), number)))
        return every(bounds)
    return one_of(Fact(name), [_word(value)])


def _compared(operator: str, left: Node, right: Node) -> Clause:
    if "." not in left:
        operator, left, right = _MIRRORED[operator], right, left
    measure, number = Measure(_attribute(left)), _whole(right)
    if operator in {">", ">="}:
        return Above(measure, number - (operator == ">="))
    return negation(Above(measure, number - (operator == "<")))


def _sets(operator: str, left: Node, right: Node) -> Clause:
    """A known set on the left, an attribute of the thing on the right, or the thing's own set."""
    if operator == "contains" and _is_attribute(left):
        _compartments(left)
        return touches([_word(right)])
    words = [_word(one) for one in _nodes(left["Set"])]
    if operator == "contains":
        return one_of(Fact(_attribute(right)), words)
    _compartments(right)
    if operator == "containsAll":
        return Within(frozenset(words))
    if operator == "containsAny":
        return touches(words)
    raise ValueError(operator)


def _compartments(node: Node) -> None:
    if _attribute(node) != COMPARTMENTS:
        raise ValueError(COMPARTMENTS)


def _is_attribute(node: Node) -> bool:
    return "." in node


def _attribute(node: Node) -> str:
    """The name of an attribute of the unknown thing."""
    access = _node(node["."])
    _unknown(access["left"])
    return str(access["attr"])


def _unknown(node: object) -> None:
    if node != {"unknown": [{"Value": "resource"}]}:
        raise ValueError("something other than the thing is unknown")


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError("a condition is neither true nor false")
    return value


def _word(node: Node) -> str:
    value = node["Value"]
    if not isinstance(value, str):
        raise TypeError("a text is due")
    return value


def _whole(node: Node) -> int:
    value = node["Value"]
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError("a whole number is due")
    return value


def _node(value: object) -> Node:
    if not isinstance(value, Mapping):
        raise TypeError("an expression is due")
    return cast("Node", value)


def _nodes(value: object) -> Sequence[Node]:
    if not isinstance(value, list):
        raise TypeError("a list of expressions is due")
    return [_node(one) for one in value]
