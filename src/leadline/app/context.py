"""What a use case is given: who acts, when, and the ports."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from leadline.app.ports import Access, Outlet, Signer, Store, Vault
from leadline.core.access import Action, Circumstances, Decision, Principal, Resource
from leadline.core.alert import Alert, warrants
from leadline.core.approval import Granted
from leadline.core.clause import admits
from leadline.core.errors import Denied
from leadline.core.marking import Marking, Tlp
from leadline.core.record.act import Act, Kind, Value

OWN = Marking(Tlp.AMBER_STRICT)


@dataclass(frozen=True, slots=True)
class Context:
    """One actor at one moment. *new_id* gives unguessable ids with a readable prefix.

    *assurance* and *suspended* are as in `leadline.core.access.Circumstances`: whoever opens the
    context established them, from the sign-in and from the store.
    """

    principal: Principal
    clock: Callable[[], datetime]
    new_id: Callable[[str], str]
    store: Store
    access: Access
    vault: Vault
    signer: Signer
    assurance: int = 1
    suspended: frozenset[str] = frozenset()
    outlet: Outlet | None = None  # where the log is shown; without one it is signed only
    behalf: str = ""  # whom the principal acts for by *delegation*, which every act then says
    delegation: str = ""
    site: str = ""  # where people reach this installation in a browser, as messages name it
    now: datetime = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "now", self.clock())

    def require(
        self,
        action: Action,
        resource: Resource,
        granted: Granted | None = None,
        *,
        proved: bool = False,
    ) -> None:
        """Return if the rules allow it. A denial is an act, and an alert where it warrants one.

        Called outside any open transaction, because a denial writes. *granted* counts only for the
        very action and resource it was asked for.

        Raises: Denied, with the ids of the rules that decided and the reason.
        """
        decision = self.decision(action, resource, granted, proved=proved)
        if not decision.allowed:
            self._denied(action, resource, decision.rules)
            raise Denied(decision.reason, decision.rules)

    def decision(
        self,
        action: Action,
        resource: Resource,
        granted: Granted | None = None,
        *,
        proved: bool = False,
    ) -> Decision:
        """What the rules say, without a trace: for what must answer as if it did not exist."""
        fits = granted is not None and (
            granted.request.action,
            granted.request.kind,
            granted.request.resource,
            granted.request.requester,
        ) == (action, resource.kind, resource.id, self.principal.id)
        given = Circumstances(
            self.now,
            approvers=granted.approvers if granted and fits else frozenset(),
            asserted=bool(granted and fits and granted.asserted),
            proved=proved,
            assurance=self.assurance,
            suspended=self.suspended,
        )
        return self.access.decide(self.principal, action, resource, given)

    def allowed(self, action: Action, things: Sequence[Resource]) -> Sequence[Resource]:
        """Those of *things* for which the rules allow it, as a list of them would show; without a trace.

        The rules are asked once for each kind, and nothing that needs an approval is among the answers.
        """
        given = Circumstances(self.now, assurance=self.assurance, suspended=self.suspended)
        clauses = {
            kind: self.access.visible(self.principal, action, kind, given)
            for kind in dict.fromkeys(one.kind for one in things)
        }
        return [one for one in things if admits(clauses[one.kind], one)]

    def _denied(self, action: Action, resource: Resource, rules: tuple[str, ...]) -> None:
        about = f"{resource.kind}/{resource.id}"
        with self.store.write() as tx:
            tx.record(
                self.act(
                    Kind.ACCESS_DENIED,
                    about,
                    resource.engagement,
                    action=action.value,
                    rules=rules,
                )
            )
        if warrants(action, resource.kind, rules):
            told = f"refused: {action.value} ({', '.join(rules) or 'no rule allows it'})"
            self.alarm("denial", about, told, engagement=resource.engagement)

    def alarm(self, kind: str, about: str, what: str, *, engagement: str = "") -> Alert:
        """Raise an alert: a row that administrators and auditors list, and an act."""
        alert = Alert(self.new_id("alert"), self.now, kind, about, self.principal.id, what)
        with self.store.write() as tx:
            tx.put(alert.id, alert, marking=OWN, engagement=engagement)
            tx.record(self.act(Kind.ALERT_RAISED, about, engagement, alert=alert.id, cause=kind))
        return alert

    def act(self, kind: Kind, about: str, engagement: str, **detail: Value) -> Act:
        """A new act by this principal, now; of a delegate, it says for whom."""
        if self.behalf:
            detail = {**detail, "on_behalf_of": self.behalf, "delegation": self.delegation}
        return Act(self.new_id("act"), kind, self.now, self.principal.id, about, engagement, detail)
