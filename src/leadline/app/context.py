"""What a use case is given: who acts, when, and the ports."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from leadline.app.ports import Access, Signer, Store, Vault
from leadline.core.access import Action, Principal, Resource
from leadline.core.errors import Denied
from leadline.core.record.act import Act, Kind, Value


@dataclass(frozen=True, slots=True)
class Context:
    """One actor at one moment. *new_id* gives unguessable ids with a readable prefix."""

    principal: Principal
    clock: Callable[[], datetime]
    new_id: Callable[[str], str]
    store: Store
    access: Access
    vault: Vault
    signer: Signer
    now: datetime = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "now", self.clock())

    def require(self, action: Action, resource: Resource) -> None:
        """Return if the rules allow it.

        Raises: Denied, with the ids of the rules that decided and the reason.
        """
        decision = self.access.decide(self.principal, action, resource, now=self.now)
        if not decision.allowed:
            raise Denied(decision.reason, decision.rules)

    def act(self, kind: Kind, about: str, engagement: str, **detail: Value) -> Act:
        """A new act by this principal, now."""
        return Act(self.new_id("act"), kind, self.now, self.principal.id, about, engagement, detail)
