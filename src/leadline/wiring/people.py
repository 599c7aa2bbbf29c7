"""What `leadline access` stands on: the shipped roles, an explanation, and things by kind and id."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from leadline.access import cedar
from leadline.access.why import explain
from leadline.app import people
from leadline.app.context import Context
from leadline.app.ports import Reading
from leadline.core.access import Action, Explanation, Principal, Resource
from leadline.core.errors import Invalid, NotFound
from leadline.formats.roles_toml import KIND_ORDER, RESOURCE_KINDS, Role
from leadline.wiring.home import KINDS, Parts, clock

MINUTE = timedelta(minutes=1)
# Kinds of things whose stored record has another name.
STORED_AS = {"assessment": "plan"}


def roles() -> Mapping[str, Role]:
    """The roles that come with Leadline."""
    return cedar.shipped().roles


def rules() -> Mapping[str, str]:
    """Why each access rule says what it says, by the rule's id, which a denial names."""
    return dict(sorted(cedar.shipped().rules.reasons.items()))


def at_this_machine(parts: Parts) -> Context:
    """Whoever can read the installation's folder may ask why; what is asked is done in this name."""
    operator = Principal(
        "operator-at-this-machine",
        "The operator at this machine",
        "this-installation",
        frozenset({"administrator"}),
        access_until=clock() + MINUTE,
    )
    return parts.context(operator)


@dataclass(frozen=True, slots=True)
class Answer:
    """An explanation with what was asked."""

    principal: str
    action: str
    resource: str
    explanation: Explanation

    def to_dict(self) -> dict[str, object]:
        """JSON-safe."""
        found = self.explanation
        return {
            "principal": self.principal,
            "action": self.action,
            "resource": self.resource,
            "allowed": found.decision.allowed,
            "rules": [{"id": rule, "reason": why} for rule, why in found.reasons.items()],
            "reason": found.decision.reason,
            "roles": list(found.roles),
            "would_change_it": [list(some) for some in found.changes],
        }


def why(parts: Parts, ctx: Context, principal: str, action: str, resource: str) -> Answer:
    """See `leadline.app.people.why`; *resource* is ``kind/id``.

    Raises: Invalid, for an action or a kind that there is not; NotFound, if there is no such person
    or thing.
    """
    if action not in set(Action):
        raise Invalid("action", f"{action!r} is none of {', '.join(sorted(Action))}")

    def thing() -> Resource:
        with parts.store.read() as view:
            return _thing(view, resource)

    asked = partial(explain, cedar.shipped())
    found = people.why(ctx, asked, principal, Action(action), thing)
    if found.decision.reason == cedar.NOT_DECIDED:
        kind = resource.partition("/")[0]
        raise Invalid("action", f"{action} does not apply to things of the kind {kind}")
    return Answer(principal, action, resource, found)


def _thing(view: Reading, name: str) -> Resource:
    kind, slash, id_ = name.partition("/")
    if kind not in RESOURCE_KINDS or not slash or not id_:
        raise Invalid("resource", f"write KIND/ID with one of {', '.join(KIND_ORDER)}")
    if kind == "principal":
        return people.entry(view.principal(id_))
    stored = {name: record for record, name in KINDS.items()}.get(STORED_AS.get(kind, kind))
    if stored is not None:
        return view.get(stored, id_).thing(kind)
    if kind in {"record", "installation", "session", "credential"}:
        return Resource(kind, id_)
    raise NotFound(f"no {kind} {id_}")
