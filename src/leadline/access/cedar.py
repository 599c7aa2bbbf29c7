"""The access rules: Cedar text under a schema, with roles as data; default deny.

Upheld here, each against a trap that was measured in the engine:
- allowed means decision Allow *and* no error, because a rule that errs is skipped, a forbid too;
- both entities are present before the engine is asked, because the schema does not notice an absent one;
- every rule has an `@id` and a `@reason`, or start-up stops, because the engine numbers rules by place;
- no text of the engine's errors leaves this module, because they repeat whole entities.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable

import cedarpy

from leadline.access import names, residual
from leadline.access.names import Named
from leadline.core.access import (
    EPOCH,
    OUTER,
    Action,
    Circumstances,
    Decision,
    Principal,
    Resource,
    Tenancy,
    microseconds,
)
from leadline.core.clause import Clause
from leadline.core.errors import Denied, Invalid
from leadline.core.marking import Tlp
from leadline.formats import matrix_toml, roles_toml
from leadline.formats.roles_toml import KIND_ORDER, RESOURCE_KINDS, Reach, Role, deed, sound

LISTS = (
    Action.ENGAGEMENT_READ,
    Action.ASSESSMENT_READ,
    Action.RECORD_READ,
    Action.ARTEFACT_READ,
    Action.PACK_READ,
    Action.ITEM_READ,
    Action.PRINCIPAL_READ,
    Action.SESSION_LIST,
    Action.ALERT_READ,
    Action.INCIDENT_READ,
    Action.RESULT_READ,
    Action.ENTRY_READ,
    Action.CONCERN_READ,
    Action.FINDING_READ,
    Action.PROJECT_READ,
    Action.CASE_READ,
    Action.LEASE_READ,
    Action.OPERATOR_READ,
    Action.INVENTORY_READ,
    Action.NOTICE_READ,
)
MATRIX = ".examples.toml"
LEFT_MAX = 2_048  # what the engine left of lists, kept for as many questions
NO_RULE = "no rule lets this person do this"
SUSPENDED = "a suspension names an org, a compartment or an engagement"
NOT_DECIDED = "the access rules could not be evaluated, so the answer is no"


@dataclass(frozen=True, slots=True)
class Rules:
    """Parsed rules: engine handles, the reason of each rule by its id, the digest of the files."""

    policies: cedarpy.PolicySet
    schema: cedarpy.Schema
    reasons: Mapping[str, str]
    digest: str


@dataclass(frozen=True, slots=True)
class Standing:
    """What a set of roles amounts to; the rules read nothing else of them."""

    sides: tuple[str, ...]
    time_boxed: bool
    sound: bool
    deeds: Mapping[Reach, frozenset[str]]


Entity = Mapping[str, object]
# Rules read attributes only; a list's request names its user in the engine's own syntax, so that no
# name of a person is ever spelled there.
USER_UID = {"type": "User", "id": "nobody"}
# Under which labels somebody on a side sees things of others; see markings.cedar.
_COMMUNITY = (Tlp.GREEN.value, Tlp.CLEAR.value)
AUDIENCES = {
    "installation": tuple(label.value for label in Tlp),
    "administration": tuple(label.value for label in Tlp),
    "developer": _COMMUNITY,
    "community": _COMMUNITY,
    "public": (Tlp.CLEAR.value,),
}


class CedarAccess:
    """`leadline.app.ports.Access`. Rules and roles are parsed once; threads may share it."""

    def __init__(self, rules: Rules, roles: Mapping[str, Role]) -> None:
        self.rules, self.roles = rules, roles
        self._standing = dict[frozenset[str], Standing]()
        self._left = dict[tuple[str, Action, str], tuple[Clause, int]]()

    def decide(
        self, principal: Principal, action: Action, resource: Resource, given: Circumstances
    ) -> Decision:
        """Never raises for a denial; the decision carries rule ids and a reason."""
        try:
            if resource.kind not in RESOURCE_KINDS:
                return Decision(allowed=False, rules=(), reason=NO_RULE)
            wanted, held = deed(action, resource.kind), self.standing(principal)
            named = Named(
                _texts_in(principal.engagements) & {resource.engagement},
                _texts_in(principal.cases) & {resource.case},
            )
            user, thing = _user(principal, held, wanted, named), _thing(resource)
            context = {**_moment(principal, given), "deed": wanted}
            asked = {"type": "Action", "id": action.value}
        except (TypeError, AttributeError):
            # A value of another type than the vocabulary declares, such as a time without offset.
            return Decision(allowed=False, rules=(), reason=NOT_DECIDED)
        request = {
            "principal": user["uid"],
            "action": asked,
            "resource": thing["uid"],
            "context": context,
        }
        return evaluate(self.rules, request, (user, thing))

    def standing(self, principal: Principal) -> Standing:
        """What this person's roles amount to."""
        if principal.roles not in self._standing:
            self._standing[principal.roles] = standing(self.roles, principal.roles)
        return self._standing[principal.roles]

    def visible(
        self, principal: Principal, action: Action, kind: str, given: Circumstances
    ) -> Clause:
        """What *principal* may do *action* on among all things of *kind*, for a list.

        The clause admits a thing exactly when `decide` allows it. The engine is asked once for each
        person as the rules see it; the names that it is named for and the time are set in afterwards,
        because of these `names.check` lets rules ask but one thing.

        Raises: Denied, if the rules cannot be evaluated.
        """
        try:
            wanted, held = deed(action, kind), self.standing(principal)
            own = Named(_texts_in(principal.engagements), _texts_in(principal.cases))
            user = {**_user(principal, held, wanted, own.tokens), "uid": USER_UID}
            moment = _moment(principal, given)
        except (TypeError, AttributeError):
            raise Denied(NOT_DECIDED, ()) from None
        now = microseconds(given.now)
        ended = principal.access_until is not None and given.now >= principal.access_until
        told = json.dumps([user, {**moment, "now": ended, "deed": wanted}])
        found = self._left.get((told, action, kind))
        if found is None:
            context = {**moment, "deed": wanted}
            found = _left_over(self.rules, user, action, kind, context), now
            if len(self._left) >= LEFT_MAX:
                self._left.clear()
            self._left[told, action, kind] = found
        return names.filled(*found, own, now)

    def tenancy(self, principal: Principal) -> Tenancy:
        """The rows that the second wall lets this person reach: never fewer than the rules allow."""
        held = self.standing(principal)
        labels = {
            label
            for side, seen in AUDIENCES.items()
            if side in held.sides and held.deeds[Reach.ANY]
            for label in seen
        }
        return Tenancy(
            principal.id,
            principal.org,
            principal.engagements,
            # What a reader of a case's outer part is shown is made from the rows of the case.
            principal.cases | {case.removesuffix(OUTER) for case in principal.cases},
            principal.clearance,
            frozenset(labels),
        )


def _left_over(
    rules: Rules, user: Entity, action: Action, kind: str, context: Mapping[str, object]
) -> Clause:
    """What the rules leave open when everything but the thing is known, as a clause.

    An erring forbid would be dropped from what is left, so any error refuses the whole list.
    """
    request = {
        "principal": 'User::"nobody"',
        "action": f'Action::"{action.value}"',
        "resource": None,
        "context": dict(context),
    }
    try:
        parsed = cedarpy.Entities.from_json_str(json.dumps([user]), rules.schema)
        answer = cedarpy.is_authorized_partial(request, rules.policies, parsed, rules.schema)
    except (TypeError, ValueError):
        raise Denied(NOT_DECIDED, ()) from None
    if answer.diagnostics.errors or set(answer.residuals) != set(rules.reasons):
        raise Denied(NOT_DECIDED, ())
    return residual.clause(answer.residuals, kind.title())


def evaluate(rules: Rules, request: Mapping[str, object], entities: Sequence[Entity]) -> Decision:
    """Ask the engine; anything but a clean Allow about two present entities is a denial."""
    refused = Decision(allowed=False, rules=(), reason=NOT_DECIDED)
    present = [entity["uid"] for entity in entities]
    if request["principal"] not in present or request["resource"] not in present:
        return refused
    try:
        parsed = cedarpy.Entities.from_json_str(json.dumps(entities), rules.schema)
        answer = cedarpy.is_authorized(dict(request), rules.policies, parsed, rules.schema)
    except (TypeError, ValueError):
        # The engine's own words would repeat the facts; that they do not fit is all there is to say.
        return refused
    if answer.diagnostics.errors or answer.decision is cedarpy.Decision.NoDecision:
        return refused
    decided = tuple(sorted(answer.diagnostics.reasons))
    reason = "; ".join(rules.reasons[one] for one in decided) or NO_RULE
    return Decision(answer.decision is cedarpy.Decision.Allow, decided, reason)


def standing(roles: Mapping[str, Role], held: frozenset[str]) -> Standing:
    """What holding exactly these roles amounts to; roles that are not known give nothing."""
    known = [roles[name] for name in sorted(held) if name in roles]
    return Standing(
        sides=tuple(sorted({role.side.value for role in known})),
        time_boxed=any(role.time_boxed for role in known),
        sound=sound(roles, held),
        deeds={
            reach: frozenset(one for role in known for one in role.deeds(reach)) for reach in Reach
        },
    )


def load(rules: Traversable, roles: Traversable) -> CedarAccess:
    """The rules (`*.cedar` and one `*.cedarschema`) and the roles (`*.toml`) of two folders.

    Raises: Invalid, naming the file, for text that does not parse, a rule without `@id` or
    `@reason`, an id that stands twice, a rule the schema contradicts, a grant that no action
    applies to, a role that its matrix of expected answers does not describe, or a rule that no list
    can be filtered by.
    """
    access = _parsed(rules, roles)
    for role in access.roles.values():
        _check_grants(access, role)
        _check_lists(access, role)
    _check_matrices(access.roles, dict(_texts(roles, MATRIX)))
    return access


@cache
def shipped() -> CedarAccess:
    """The rules and roles that come with Leadline.

    They never change in an installation, so what `load` checks beside parsing them is checked by
    the tests of a release instead of at every start.
    """
    return _parsed(*shipped_folders())


def shipped_folders() -> tuple[Traversable, Traversable]:
    """Where the rules and the roles are that come with Leadline."""
    data = files("leadline") / "data"
    return data / "access", data / "roles"


def _parsed(rules: Traversable, roles: Traversable) -> CedarAccess:
    named = {
        name.removesuffix(".toml"): roles_toml.parse(name.removesuffix(".toml"), text)
        for name, text in _texts(roles, ".toml")
        if not name.endswith(MATRIX)
    }
    roles_toml.check(named)
    return CedarAccess(load_rules(rules), named)


def load_rules(folder: Traversable) -> Rules:
    """Parse the rules of one folder; raises as `load`."""
    texts = [*_texts(folder, ".cedarschema"), *_texts(folder, ".cedar")]
    digest = sha256(b"".join(sha256(text).digest() for _, text in texts)).hexdigest()
    (schema_name, schema_text), *rule_texts = texts or [("leadline.cedarschema", b"")]
    try:
        schema = cedarpy.Schema.from_str(schema_text.decode("utf-8"))
    except ValueError as error:
        raise Invalid(schema_name, f"no Cedar schema: {error}") from None
    policies, reasons = dict[str, object](), dict[str, str]()
    for name, text in rule_texts:
        for id_, reason, policy in _rules(name, text.decode("utf-8"), schema):
            names.check(name, id_, policy)
            if id_ in policies:
                raise Invalid(name, f"the rule id {id_!r} stands twice")
            policies[id_], reasons[id_] = policy, reason
    document = {"templates": {}, "staticPolicies": policies, "templateLinks": []}
    return Rules(cedarpy.PolicySet.from_json_str(json.dumps(document)), schema, reasons, digest)


def _rules(
    name: str, text: str, schema: cedarpy.Schema
) -> Iterator[tuple[str, str, Mapping[str, object]]]:
    """Id, reason and Cedar JSON of every rule in one file."""
    try:
        parsed = json.loads(cedarpy.policies_to_json_str(text))
    except ValueError as error:
        raise Invalid(name, f"no Cedar rules: {error}") from None
    for policy in parsed["staticPolicies"].values():
        annotations = policy.get("annotations", {})
        if not annotations.get("id") or not annotations.get("reason"):
            raise Invalid(name, 'every rule needs @id("...") and @reason("...")')
        yield annotations["id"], annotations["reason"], policy
    if parsed["templates"]:
        raise Invalid(name, "templates are not served; write a rule")
    checked = cedarpy.validate_policies(text, schema)
    if not checked.validation_passed:
        raise Invalid(name, f"contradicts the schema: {checked.errors[0].error}")


def _check_matrices(named: Mapping[str, Role], texts: Mapping[str, bytes]) -> None:
    """Each role has a matrix that agrees with it."""
    for id_, role in named.items():
        file = f"{id_}{MATRIX}"
        if file not in texts:
            raise Invalid(file, "missing: say what is expected of this role")
        matrix_toml.check(role, matrix_toml.parse(file, texts[file]))


def _check_grants(access: CedarAccess, role: Role) -> None:
    """Every deed that a role grants is one that the schema knows."""
    nobody = Principal("nobody", "nobody", "", frozenset({role.id}))
    for grant in role.grants:
        for action in sorted(grant.actions):
            for kind in sorted(grant.kinds):
                thing = Resource(kind, "nothing")
                if access.decide(nobody, action, thing, Circumstances(EPOCH)).reason == NOT_DECIDED:
                    raise Invalid(f"{role.id}.toml", f"{action.value} does not apply to {kind}")


def _check_lists(access: CedarAccess, role: Role) -> None:
    """Every list can be filtered for a holder of the role; see `residual`."""
    holder = Principal(
        "nobody", "nobody", "o", frozenset({role.id}), frozenset({"e"}), frozenset({"c"})
    )
    suspended = frozenset({"org:x", "compartment:x", "engagement:x"})
    given = Circumstances(EPOCH, suspended=suspended)
    granted = {one for reach in Reach for one in role.deeds(reach)}
    for action in LISTS:
        for kind in KIND_ORDER:
            if deed(action, kind) in granted:
                access.visible(holder, action, kind, given)


def _texts(folder: Traversable, suffix: str) -> list[tuple[str, bytes]]:
    found = [one for one in folder.iterdir() if one.name.endswith(suffix)]
    return [(one.name, one.read_bytes()) for one in sorted(found, key=lambda one: one.name)]


def _user(principal: Principal, held: Standing, wanted: str, named: Named) -> Entity:
    """The person with as much of its deeds and names as the request is about: the rest cannot matter."""
    attributes: dict[str, object] = {
        "id": principal.id,
        "org": principal.org,
        "engagements": sorted(named.engagements),
        "cases": sorted(named.cases),
        "clearance": principal.clearance,
        "compartments": sorted(_texts_in(principal.compartments)),
        "suspended": principal.suspended,
        "time_boxed": held.time_boxed,
        "sides": held.sides,
        "roles_sound": held.sound,
        "own_deeds": [wanted] if wanted in held.deeds[Reach.OWN] else [],
        "named_deeds": [wanted] if wanted in held.deeds[Reach.NAMED] else [],
        "any_deeds": [wanted] if wanted in held.deeds[Reach.ANY] else [],
        "self_deeds": [wanted] if wanted in held.deeds[Reach.SELF] else [],
    }
    if principal.access_until is not None:
        attributes["access_until"] = microseconds(principal.access_until)
    return {"uid": {"type": "User", "id": principal.id}, "attrs": attributes, "parents": []}


def _thing(resource: Resource) -> Entity:
    until = resource.embargo_until
    attributes: dict[str, object] = {
        "engagement": resource.engagement,
        "org": resource.org,
        "case": resource.case,
        "owner": resource.owner,
        "level": resource.level,
        "embargo_until": 0 if until is None else microseconds(until),
        "tlp": resource.marking.tlp.value,
        "compartments": sorted(_texts_in(resource.marking.compartments)),
    }
    uid = {"type": resource.kind.title(), "id": resource.id}
    return {"uid": uid, "attrs": attributes, "parents": []}


def _moment(principal: Principal, given: Circumstances) -> dict[str, object]:
    """The context without its deed. Raises TypeError for what has another type than declared."""
    suspended: dict[str, list[str]] = {"org": [], "compartment": [], "engagement": []}
    for one in sorted(_texts_in(given.suspended)):
        what, _, name = one.partition(":")
        if what not in suspended or not name:
            raise TypeError(SUSPENDED)
        suspended[what].append(name)
    return {
        "now": microseconds(given.now),
        "other_approvers": len(_texts_in(given.approvers) - {principal.id, ""}),
        "asserted": given.asserted,
        "proved": given.proved,
        "assurance": given.assurance,
        "suspended_orgs": suspended["org"],
        "suspended_compartments": suspended["compartment"],
        "suspended_engagements": suspended["engagement"],
    }


def _texts_in(names: object) -> AbstractSet[str]:
    """*names*, which must be a set of texts; raises TypeError otherwise."""
    if not isinstance(names, AbstractSet) or not all(isinstance(one, str) for one in names):
        raise TypeError(NOT_DECIDED)
    return names
