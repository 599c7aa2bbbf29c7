"""The access rules in plain Python: a second reading, under the same conformance suite as the first."""

from collections.abc import Mapping
from datetime import datetime

from leadline.core.access import (
    Action,
    Circumstances,
    Decision,
    Principal,
    Resource,
    Tenancy,
    microseconds,
)
from leadline.core.clause import (
    EVERYTHING,
    NOTHING,
    Above,
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
from leadline.core.marking import Marking, Tlp
from leadline.formats.roles_toml import Reach, Role, deed


class PlainAccess:
    """`leadline.app.ports.Access` in plain Python: a second reading of the same rules.

    Written from trust.md 5.3 and the role files, not from the Cedar text, so that the two can
    contradict each other.
    """

    TAKING_AWAY = frozenset(
        {
            Action.ENGAGEMENT_WITHDRAW,
            Action.ENGAGEMENT_END,
            Action.ACCESS_END,
            Action.PARTNER_END,
            Action.FINDING_WITHDRAW,
        }
    )
    DEVELOPERS = frozenset(
        {
            Action.INQUIRY_LODGE,
            Action.ANCHOR_SET,
            Action.ACCESS_OPEN,
            Action.ENGAGEMENT_WITHDRAW,
            Action.REGIME_ADD,
            Action.WEIGHTS_REGISTER,
            Action.SUBMISSION_OFFER,
            Action.INFORMATION_ANSWER,
            Action.RESPONSE_MAKE,
        }
    )
    ABOUT_OTHERS = frozenset(
        {
            Action.INQUIRY_ANSWER,
            Action.DETERMINATION_RECORD,
            Action.DETERMINATION_CONCUR,
            Action.INFORMATION_ASK,
            Action.RECONSIDERATION_ANSWER,
        }
    )
    FOR_OTHERS = frozenset(
        {
            Action.PRINCIPAL_ENROL,
            Action.PRINCIPAL_RESTORE,
            Action.PRINCIPAL_RECOVER,
            Action.PRINCIPAL_APPOINT,
            Action.GRANT_GIVE,
            Action.DELEGATION_GIVE,
        }
    )
    SIGNED_BY_THREE = frozenset(
        {Action.ARTEFACT_UNSEAL, Action.ARTEFACT_PUBLISH, Action.PACK_UNSEAL}
    )
    SIGNED_BY_ONESELF = SIGNED_BY_THREE | {
        Action.DETERMINATION_RECORD,
        Action.DETERMINATION_CONCUR,
        Action.REFERRAL_MAKE,
        Action.ADVISORY_PUBLISH,
    }
    STRONG = (
        SIGNED_BY_THREE
        | FOR_OTHERS
        | {
            Action.ORGANISATION_FOUND,
            Action.ARTEFACT_READ,
            Action.KEY_ROTATE,
            Action.HOLD_LIFT,
            Action.PACK_SEAL,
            Action.PACK_READ,
            Action.PACK_RUN,
            Action.PACK_REVEAL,
            Action.PACK_ROTATE,
            Action.SCORE_RELEASE,
            Action.ITEM_READ,
            Action.VERDICT_RECEIVE,
            Action.CREDENTIAL_ISSUE,
            Action.ALERT_READ,
            Action.BACKUP_MAKE,
            Action.ENTRY_WRITE,
            Action.EXPORT_MAKE,
            Action.REFERRAL_MAKE,
            Action.CASE_RELAY,
            Action.OPERATOR_VET,
            Action.ADVISORY_PUBLISH,
        }
    )
    OFFICE = frozenset({"principal", "grant", "credential", "session", "alert", "installation"})

    def __init__(self, roles: Mapping[str, Role]) -> None:
        self._roles = roles

    def decide(
        self, principal: Principal, action: Action, resource: Resource, given: Circumstances
    ) -> Decision:
        """As the port; the rule named is the first that decides."""
        reason = (
            self._person(principal, given.now)
            or self._suspended(principal, action, resource, given.suspended)
            or self._choice(principal, action, resource)
            or self._side(principal, resource)
            or self._marking(principal, action, resource, given.now)
            or self._ceremony(principal, action, resource, given)
            or self._grant(principal, action, resource)
        )
        return Decision(not reason, (reason,) if reason else ("granted",), reason or "granted")

    def visible(
        self, principal: Principal, action: Action, kind: str, given: Circumstances
    ) -> Clause:
        """As the port, for actions that end nothing and that no developer has alone."""
        bare = Resource(kind, "", marking=Marking(Tlp.CLEAR))
        refused = (
            self._person(principal, given.now)
            or self._suspended(principal, action, bare, given.suspended)
            or self._choice(principal, action, bare)
            or self._side(principal, bare)
            or self._ceremony(principal, action, bare, given)
        )
        if refused:
            return NOTHING
        split = [one.partition(":") for one in given.suspended]
        stopped = some(
            (
                one_of(Fact.ENGAGEMENT, [name for what, _, name in split if what == "engagement"]),
                touches(name for what, _, name in split if what == "compartment"),
            )
        )
        named, own, mine = self._relations(principal)
        return every(
            (
                negation(stopped),
                self._audience(principal, some((named, own, mine)), some((named, mine))),
                negation(Above(Measure.LEVEL, principal.clearance)),
                some((named, negation(Above(Measure.EMBARGO_UNTIL, microseconds(given.now))))),
                Within(principal.compartments),
                self._reached(principal, deed(action, kind), (named, own, mine)),
            )
        )

    def _relations(self, principal: Principal) -> tuple[Clause, Clause, Clause]:
        named = some(
            (one_of(Fact.ENGAGEMENT, principal.engagements), one_of(Fact.CASE, principal.cases))
        )
        own = one_of(Fact.ORG, {principal.org} - {""})
        return named, own, one_of(Fact.OWNER, {principal.id} - {""})

    def _audience(self, principal: Principal, near: Clause, closest: Clause) -> Clause:
        sides = self._sides(principal)
        labels = {
            Tlp.RED: closest,
            Tlp.AMBER_STRICT: EVERYTHING if sides & {"installation", "administration"} else near,
            Tlp.GREEN: EVERYTHING if sides - {"public"} else NOTHING,
            Tlp.CLEAR: EVERYTHING,
        }
        labels[Tlp.AMBER] = labels[Tlp.AMBER_STRICT]
        return some(every((one_of(Fact.TLP, [label.value]), who)) for label, who in labels.items())

    def _reached(
        self, principal: Principal, wanted: str, relations: tuple[Clause, Clause, Clause]
    ) -> Clause:
        _, own, mine = relations
        named = some(
            (
                one_of(Fact.ENGAGEMENT, principal.engagements - {""}),
                one_of(Fact.CASE, principal.cases - {""}),
            )
        )
        within = {Reach.OWN: own, Reach.NAMED: named, Reach.ANY: EVERYTHING, Reach.SELF: mine}
        roles = [self._roles[name] for name in principal.roles]
        return some(
            within[reach] for role in roles for reach in Reach if wanted in role.deeds(reach)
        )

    def tenancy(self, principal: Principal) -> Tenancy:
        """Everything: this fake has no second wall."""
        return Tenancy(principal.id, principal.org, labels=frozenset(one.value for one in Tlp))

    def _person(self, principal: Principal, now: datetime) -> str:
        roles = [self._roles[name] for name in principal.roles if name in self._roles]
        if principal.suspended:
            return "suspended"
        if len(roles) < len(principal.roles):
            return "unknown role"
        if any(name in role.excludes for role in roles for name in principal.roles):
            return "roles exclude each other"
        if principal.access_until is None:
            return "no end of access" if any(role.time_boxed for role in roles) else ""
        return "" if now < principal.access_until else "access has ended"

    def _suspended(
        self, principal: Principal, action: Action, resource: Resource, suspended: frozenset[str]
    ) -> str:
        touched = {f"org:{principal.org}", f"engagement:{resource.engagement}"}
        touched |= {f"compartment:{name}" for name in resource.marking.compartments}
        hit = bool(touched & suspended) and action not in self.TAKING_AWAY
        return "suspended around it" if hit else ""

    def _choice(self, principal: Principal, action: Action, resource: Resource) -> str:
        own = self._own(principal, resource)
        if action in self.DEVELOPERS and not (own and "developer" in self._sides(principal)):
            return "only the developer"
        if action in self.FOR_OTHERS and self._self(principal, resource):
            return "for oneself"
        if action == Action.ENTRY_WRITE and resource.org not in {"", principal.org}:
            return "another organisation's own log"
        return "about the own organisation" if action in self.ABOUT_OTHERS and own else ""

    def _side(self, principal: Principal, resource: Resource) -> str:
        sides = self._sides(principal)
        if resource.kind == "item" and "developer" in sides:
            return "items are never for developers"
        if resource.kind not in self.OFFICE and "administration" in sides:
            return "no content for administrators"
        return ""

    def _marking(
        self, principal: Principal, action: Action, resource: Resource, now: datetime
    ) -> str:
        if action in self.TAKING_AWAY:
            return ""
        named = resource.engagement in principal.engagements or resource.case in principal.cases
        own, mine = self._own(principal, resource), self._self(principal, resource)
        sides = self._sides(principal)
        inside = bool(sides & {"installation", "administration"})
        audience = {
            Tlp.RED: named or mine,
            Tlp.AMBER_STRICT: named or own or mine or inside,
            Tlp.AMBER: named or own or mine or inside,
            Tlp.GREEN: bool(sides - {"public"}),
            Tlp.CLEAR: True,
        }
        if not audience[resource.marking.tlp]:
            return "not in the audience"
        if resource.level > principal.clearance:
            return "of a higher level"
        if resource.embargo_until is not None and now < resource.embargo_until and not named:
            return "under embargo"
        held = resource.marking.compartments <= principal.compartments
        return "" if held else "not in the compartment"

    def _ceremony(
        self, principal: Principal, action: Action, resource: Resource, given: Circumstances
    ) -> str:
        others = len(given.approvers - {principal.id})
        own = self._own(principal, resource) and "developer" in self._sides(principal)
        if others < 2 and (
            action in self.SIGNED_BY_THREE or (action == Action.ARTEFACT_SHRED and not own)
        ):
            return "two others must sign"
        if action in self.SIGNED_BY_ONESELF and not given.asserted:
            return "not signed by the requester"
        if action == Action.PACK_REVEAL and not given.proved:
            return "not proved"
        person = any(self._roles[name].time_boxed for name in principal.roles)
        return "one factor" if action in self.STRONG and given.assurance < 2 and person else ""

    def _grant(self, principal: Principal, action: Action, resource: Resource) -> str:
        wanted = deed(action, resource.kind)
        named = bool(resource.engagement) and resource.engagement in principal.engagements
        named = named or (bool(resource.case) and resource.case in principal.cases)
        within = {
            Reach.OWN: self._own(principal, resource),
            Reach.NAMED: named,
            Reach.ANY: True,
            Reach.SELF: self._self(principal, resource),
        }
        for role in (self._roles[name] for name in principal.roles):
            if any(within[reach] and wanted in role.deeds(reach) for reach in Reach):
                return ""
        return "no grant"

    def _own(self, principal: Principal, resource: Resource) -> bool:
        return bool(principal.org) and principal.org == resource.org

    def _self(self, principal: Principal, resource: Resource) -> bool:
        return bool(resource.owner) and principal.id == resource.owner

    def _sides(self, principal: Principal) -> set[str]:
        return {self._roles[name].side.value for name in principal.roles if name in self._roles}
