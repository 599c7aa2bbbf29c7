"""Credentials of programs: for one person, one engagement, some actions, thirty days, and one key.

Upheld here: a credential only narrows what its holder may do, at the moment of each use; it is shown
once and stored hashed; used without the key it is bound to, it is worth nothing, and the attempt is
an act and an alert, because then it is in other hands.
"""

import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from leadline.app import delegation
from leadline.app.context import Context
from leadline.app.ports import Access, Writing
from leadline.app.sign_in import NotSignedIn, hashed
from leadline.core.access import (
    Action,
    Bounds,
    Circumstances,
    Decision,
    Principal,
    Resource,
    Tenancy,
)
from leadline.core.account import Credential, Spent, check_credential
from leadline.core.clause import Always, Clause, Fact, every, one_of
from leadline.core.errors import Denied, NotFound, Refused, Stale
from leadline.core.marking import Marking, Tlp
from leadline.core.record.act import Kind, instant

PREFIX = "fwn_"
SECRET_BYTES = 32
OWN = Marking(Tlp.AMBER_STRICT)
RULE = "credential-scope"
REASON = "this credential is for other actions or another engagement"
ALWAYS_PERSONAL = frozenset(
    {
        Action.CREDENTIAL_ISSUE,
        Action.GRANT_GIVE,
        Action.PRINCIPAL_ENROL,
        Action.PRINCIPAL_RESTORE,
        Action.PRINCIPAL_RECOVER,
        Action.PRINCIPAL_APPOINT,
        Action.ORGANISATION_FOUND,
        Action.DELEGATION_GIVE,
    }
)


@dataclass(frozen=True, slots=True)
class Issued:
    """A new credential; *secret* is shown once."""

    credential: Credential
    secret: str


@dataclass(frozen=True, slots=True)
class Shown:
    """What a caller brought: the credential, and thumbprints of keys it proved to hold.

    *jkt* is that of a DPoP proof that verified and is of this very request; *x5t* that of the
    client certificate of the connection.
    """

    secret: str
    jkt: str = ""
    x5t: str = ""


class NarrowedAccess:
    """Rules as they are for a credential: what the person may do, and the credential says too."""

    def __init__(self, rules: Access, credential: Credential) -> None:
        self._rules, self._credential = rules, credential

    def decide(
        self, principal: Principal, action: Action, resource: Resource, given: Circumstances
    ) -> Decision:
        """As the port; outside the credential's scope the answer is no, whoever the holder is."""
        if not self._covers(action) or resource.engagement != self._credential.engagement:
            return Decision(allowed=False, rules=(RULE,), reason=REASON)
        return self._rules.decide(principal, action, resource, given)

    def visible(
        self, principal: Principal, action: Action, kind: str, given: Circumstances
    ) -> Clause:
        """As the port, of the credential's engagement only."""
        if not self._covers(action):
            return Always(answer=False)
        within = one_of(Fact.ENGAGEMENT, {self._credential.engagement})
        return every((within, self._rules.visible(principal, action, kind, given)))

    def tenancy(self, principal: Principal) -> Tenancy:
        """As the port; `visible` narrows what is left."""
        return self._rules.tenancy(principal)

    def _covers(self, action: Action) -> bool:
        return action.value in self._credential.scopes and action not in ALWAYS_PERSONAL


def issue(
    ctx: Context,
    scopes: Iterable[Action],
    engagement: str,
    binding: str,
    expires: datetime,
    note: str = "",
) -> Issued:
    """Issue a credential to the caller. *binding* is as in `Credential`.

    Raises: Denied; Invalid, naming the field.
    """
    ctx.require(Action.CREDENTIAL_ISSUE, _thing(ctx.principal.id, engagement, ctx.principal.org))
    secret = PREFIX + secrets.token_urlsafe(SECRET_BYTES)
    made = Credential(
        _row(secret),
        ctx.principal.id,
        hashed(secret),
        frozenset(one.value for one in scopes),
        engagement,
        binding,
        ctx.now,
        expires,
        note[:120],
    )
    check_credential(made)
    with ctx.store.write() as tx:
        # Of no engagement to the store: whoever shows it is not yet known to be anybody.
        tx.put(made.id, made, marking=OWN, bounds=Bounds(owner=made.holder))
        tx.record(
            ctx.act(
                Kind.CREDENTIAL_ISSUED,
                made.id,
                engagement,
                holder=made.holder,
                scopes=tuple(sorted(made.scopes)),
                binding=binding,
                expires=instant(expires),
            )
        )
    return Issued(made, secret)


def mine(ctx: Context) -> list[Credential]:
    """The caller's credentials that still count."""
    own = Resource("session", ctx.principal.id, org=ctx.principal.org, owner=ctx.principal.id)
    ctx.require(Action.SESSION_LIST, own)
    with ctx.store.read() as view:
        rows = [row.value for row in view.find(Credential)]
    return [one for one in rows if one.holder == ctx.principal.id and not one.over(ctx.now)]


def revoke(ctx: Context, credential_id: str) -> None:
    """End a credential at once: one's own, or another person's where the rules allow it.

    Raises: NotFound, in the same words where there is none and where it is not the caller's.
    """
    try:
        with ctx.store.read() as view:
            row = view.get(Credential, credential_id)
            holder = delegation.known(view, row.value.holder)
        of = row.value
        thing = _thing(of.holder, of.engagement, holder.org if holder else "")
        ctx = delegation.acting(ctx, Action.CREDENTIAL_REVOKE, thing)
        delegation.spare(ctx, holder)
    except (NotFound, Denied):
        raise NotFound(f"no credential {credential_id}") from None
    with ctx.store.write() as tx:
        present = tx.get(Credential, credential_id)
        ended = replace(present.value, ended=present.value.ended or ctx.now)
        tx.put(row.id, ended, marking=OWN, bounds=row.bounds, expect=present.version)
        tx.record(ctx.act(Kind.CREDENTIAL_REVOKED, row.id, row.value.engagement))


def used(ctx: Context, shown: Shown) -> Credential:
    """The credential that was shown, with the key it is bound to; read again at every request.

    Raises: NotSignedIn, if it is unknown or over; Denied, if the key was not shown with it, which
    is an act and an alert.
    """
    try:
        with ctx.store.read() as view:
            found = view.get(Credential, _row(shown.secret)).value
    except NotFound:
        raise NotSignedIn("this credential is not known", ("signed-in",)) from None
    if not hmac.compare_digest(found.secret, hashed(shown.secret)):
        raise NotSignedIn("this credential is not known", ("signed-in",))
    problem = found.over(ctx.now)
    if problem:
        _refused(ctx, found, problem)
        raise NotSignedIn(f"this credential does not count: {problem}", ("signed-in",))
    kind, _, thumbprint = found.binding.partition(":")
    proved = {"jkt": shown.jkt, "x5t#S256": shown.x5t}[kind]
    if not hmac.compare_digest(thumbprint.encode(), proved.encode()):
        problem = "shown without the key it is bound to"
        _refused(ctx, found, problem)
        ctx.alarm("credential", found.id, problem, engagement=found.engagement)
        raise Denied("show the key this credential is bound to", ("credential-binding",))
    return found


def narrowed(ctx: Context, credential: Credential) -> Context:
    """The holder's context as the credential leaves it."""
    return replace(ctx, access=NarrowedAccess(ctx.access, credential))


def spend(ctx: Context, number: str, keep: timedelta) -> None:
    """Note that a number was used, for as long as anything could accept it again.

    Raises: Refused, if it was used before.
    """
    id_ = f"spent-{hashed(number)}"
    try:
        with ctx.store.write() as tx:
            _forget(tx, ctx.now)
            tx.put(id_, Spent(id_, ctx.now + keep), marking=OWN)
    except Stale:
        raise Refused("this proof was used already; make a new one") from None


def _forget(tx: Writing, now: datetime) -> None:
    for row in tx.find(Spent):
        if row.value.until < now:
            tx.remove(Spent, row.id)


def _refused(ctx: Context, credential: Credential, problem: str) -> None:
    with ctx.store.write() as tx:
        tx.record(
            ctx.act(
                Kind.CREDENTIAL_REFUSED,
                credential.id,
                credential.engagement,
                holder=credential.holder,
                problem=problem,
            )
        )


def _row(secret: str) -> str:
    return f"credential-{hashed(secret)[:32]}"


def _thing(holder: str, engagement: str, org: str = "") -> Resource:
    return Resource("credential", holder, engagement, org=org, owner=holder)
