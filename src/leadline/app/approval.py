"""Asking for approval of one act, giving it, and showing that it was given.

Upheld here: an approval is a signature over everything the act will be, with a nonce of this
installation; it counts once, for fifteen minutes, for that act alone; the requester's own signature
is an assertion and never an approval; whoever may not touch a thing cannot approve that it be
touched. `verify` needs no store, so that whoever acts on approvals can check them himself.
"""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from hashlib import sha256
from importlib.resources import files

from leadline.app import assertion, people
from leadline.app.assertion import Signed
from leadline.app.context import Context
from leadline.app.ports import Reading, Stored, Writing, maybe
from leadline.core.access import Action, Bounds, Circumstances, Principal, Resource
from leadline.core.account import Identity, Password, RegisteredKey
from leadline.core.approval import CONTEXT, Approval, Detail, Granted, Request
from leadline.core.errors import Denied, LeadlineError, NotFound, Refused, Tampered
from leadline.core.marking import Marking, Tlp
from leadline.core.record.act import Kind
from leadline.formats import approvers_toml
from leadline.formats.canonical import encode
from leadline.formats.values import plain

NONCE_BYTES = 32
OWN = Marking(Tlp.AMBER_STRICT)
FORESEEN = frozenset({"an approver to come", "another approver to come"})


@dataclass(frozen=True, slots=True)
class Matter:
    """The thing a request is about, with the attributes that access rules read of it."""

    request: str
    resource: Resource


@dataclass(frozen=True, slots=True)
class Pending:
    """A request with the approvals that stand for it so far."""

    request: Request
    approvers: frozenset[str] = field(default_factory=frozenset)
    asserted: bool = False


@cache
def approvers() -> Mapping[Action, frozenset[str]]:
    """The roles whose signatures count as approvals, by action."""
    name = "approvers.toml"
    text = (files("leadline") / "data" / "approvals" / name).read_bytes()
    return approvers_toml.parse(name, text)


def digest(request: Request) -> bytes:
    """SHA-256 of the canonical request: all that will be done, by whom, asked when."""
    facts = {
        "v": 1,
        "id": request.id,
        "action": request.action,
        "kind": request.kind,
        "resource": request.resource,
        "engagement": request.engagement,
        "requester": request.requester,
        "at": request.at,
        "detail": request.detail,
    }
    return sha256(encode(plain(facts))).digest()


def challenge(request: Request) -> bytes:
    """What an approver's key signs: SHA-256 of the context, a NUL, the request's digest, its nonce."""
    return sha256(CONTEXT + b"\0" + digest(request) + bytes.fromhex(request.nonce)).digest()


def verify(request: Request, approval: Approval, key: RegisteredKey) -> None:
    """Return if *approval* is *key*'s signature over *request*, given while the request was open.

    Raises: Tampered, if a signature does not verify; Refused, if it is of another request, key or
    person, or of a time at which request or key did not stand.
    """
    if (approval.request, approval.key) != (request.id, key.id):
        raise Refused("this approval is of another request or by another key")
    if (approval.principal, approval.method) != (key.principal, key.method):
        raise Refused("this approval is by another person than the key belongs to")
    if not request.at <= approval.at < request.expires:
        raise Refused("this approval was not given within the request's fifteen minutes")
    if not key.held(approval.at):
        raise Refused("the key was not registered to the person when it signed")
    assertion.verify(key, challenge(request), approval.evidence)


def register(ctx: Context, key: RegisteredKey) -> None:
    """Register a key of one's own; a person who has keys already needs two factors for a further one.

    A key that is registered to the person already stays as it is.

    Raises: Refused, if the key is another person's, or the sign-in was by one factor only.
    """
    ctx.require(Action.SESSION_LIST, _own(ctx))
    if key.principal != ctx.principal.id:
        raise Refused("a key is registered by the person who holds it")
    with ctx.store.read() as view:
        held = [row for row in keys_of(view, key.principal) if row.value.held(ctx.now)]
        same = [row.value for row in view.find(RegisteredKey) if row.value.handle == key.handle]
    # Nobody's sign-in is blurred by a key of the same name that somebody else registered.
    taken = bool(key.handle) and any(one.held(ctx.now) for one in same)
    if any((row.id, row.value.public) == (key.id, key.public) for row in held):
        return
    if taken:
        raise Refused("this key is registered already; another device or card is due")
    if held and ctx.assurance < 2:  # noqa: PLR2004 -- one factor and another
        raise Refused("sign in with two factors to register a further key")
    with ctx.store.write() as tx:
        tx.put(key.id, key, marking=OWN)
        tx.record(
            ctx.act(
                Kind.KEY_REGISTERED,
                key.principal,
                "",
                key=key.id,
                method=key.method,
                public=sha256(key.public.encode()).hexdigest(),
                note=key.note,
            )
        )


def retire(ctx: Context, key_id: str) -> None:
    """End one of one's own keys, such as one that is lost; something to sign in with must be left.

    With one factor it is refused: whoever ended all keys could otherwise register one of his own.

    Raises: NotFound; Refused.
    """
    ctx.require(Action.SESSION_REVOKE, _own(ctx))
    if ctx.assurance < 2:  # noqa: PLR2004 -- one factor and another
        raise Refused("sign in with two factors to end a key")
    me = ctx.principal.id
    with ctx.store.write() as tx:
        held = {row.id: row for row in keys_of(tx, me) if row.value.held(ctx.now)}
        if key_id not in held:
            raise NotFound(f"you have no key {key_id}")
        linked = any(row.value.principal == me for row in tx.find(Identity))
        if len(held) == 1 and not linked and maybe(tx, Password, me) is None:
            raise Refused("it is all you sign in with; register another first")
        row = held[key_id]
        value = replace(row.value, ended=ctx.now)
        tx.put(row.id, value, marking=row.marking, engagement=row.engagement, expect=row.version)
        tx.record(ctx.act(Kind.KEY_ENDED, me, "", key=key_id, method=row.value.method))


def keys_of(view: Reading, principal: str) -> list[Stored[RegisteredKey]]:
    """Every key ever registered to the person, ended ones included."""
    return [row for row in view.find(RegisteredKey) if row.value.principal == principal]


def ask(
    ctx: Context, action: Action, resource: Resource, detail: Mapping[str, Detail] | None = None
) -> Request:
    """Write down one intended act, so that others can sign it.

    Only who may do the act once it is signed and proved can ask.

    Raises: Denied, as the act itself would be.
    """
    request = Request(
        id=ctx.new_id("request"),
        action=action,
        kind=resource.kind,
        resource=resource.id,
        engagement=resource.engagement,
        requester=ctx.principal.id,
        at=ctx.now,
        nonce=secrets.token_hex(NONCE_BYTES),
        detail=dict(detail or {}),
    )
    ctx.require(action, resource, Granted(request, FORESEEN, asserted=True), proved=True)
    bound = digest(request).hex()
    with ctx.store.write() as tx:
        for value in (request, Matter(request.id, resource)):
            tx.put(
                request.id,
                value,
                marking=resource.marking,
                engagement=resource.engagement,
                org=resource.org,
                bounds=Bounds(resource.case, resource.level, resource.embargo_until),
            )
        tx.record(
            ctx.act(
                Kind.APPROVAL_ASKED,
                f"{resource.kind}/{resource.id}",
                resource.engagement,
                request=request.id,
                action=action.value,
                digest=bound,
            )
        )
    return request


def approve(ctx: Context, request_id: str, signed: Signed) -> Approval:
    """Sign one request: as an approver, or as its requester, whose signature is an assertion.

    Raises: NotFound; Denied, if this person may not approve it; Refused, if the request is used or
    no longer open or the person signed it before; Tampered, if the signature does not verify, which
    is an alert.
    """
    request, resource = _asked(ctx, request_id)
    _may_sign(ctx, request, resource)
    _open(ctx, request)
    with ctx.store.read() as view:
        row = next((r for r in keys_of(view, ctx.principal.id) if r.id == signed.key), None)
        again = any(a.principal == ctx.principal.id for a in _given(view, request))
    if row is None:
        raise NotFound(f"you have no key {signed.key}")
    if again:
        told = "a person signed a second time, where two persons are due"
        about = f"{request.kind}/{request.resource}"
        ctx.alarm("approval", about, told, engagement=request.engagement)
        raise Refused("you signed this request already; another person is due")
    approval = Approval(
        ctx.new_id("approval"),
        request.id,
        ctx.principal.id,
        ctx.now,
        signed.method,
        row.id,
        dict(signed.evidence),
    )
    about = f"{request.kind}/{request.resource}"
    try:
        verify(request, approval, row.value)
        count = assertion.verify(row.value, challenge(request), approval.evidence)
        fresh(row.value, count)
    except LeadlineError as error:
        told = f"an approval that does not hold: {error.code}"
        ctx.alarm("approval", about, told, engagement=request.engagement)
        raise
    with ctx.store.write() as tx:
        counted(tx, row, count)
        tx.put(
            approval.id,
            approval,
            marking=resource.marking,
            engagement=request.engagement,
            org=resource.org,
            bounds=Bounds(resource.case, resource.level, resource.embargo_until),
        )
        tx.record(
            ctx.act(
                Kind.APPROVAL_GIVEN,
                about,
                request.engagement,
                request=request.id,
                digest=digest(request).hex(),
                method=approval.method,
                key=approval.key,
                evidence=sha256(encode(dict(approval.evidence))).hexdigest(),
                asserted=ctx.principal.id == request.requester,
            )
        )
    return approval


def fresh(key: RegisteredKey, count: int) -> None:
    """Return unless a passkey's signature counter stood still or went back, as a copy's would.

    Raises: Tampered.
    """
    if (count or key.count) and count <= key.count:
        raise Tampered(f"key {key.id}", "its signature counter went back: it may be a copy")


def counted(tx: Writing, row: Stored[RegisteredKey], count: int) -> None:
    """Keep the counter last seen of a key; raises Stale, if another signature overtook."""
    if count != row.value.count:
        value = replace(row.value, count=count)
        tx.put(row.id, value, marking=row.marking, engagement=row.engagement, expect=row.version)


def granted(ctx: Context, request_id: str) -> Granted:
    """What the approvals of a request amount to now; every signature is verified again.

    Signatures count of persons who may still sign it, by keys that still stand.

    Raises: NotFound, if it is not the caller's request; Refused, if it was used, which is an alert,
    or has run out.
    """
    request, resource = _asked(ctx, request_id)
    if request.requester != ctx.principal.id:
        raise NotFound(f"no request {request_id}")
    if request.used:
        about = f"{request.kind}/{request.resource}"
        told = "approvals that were used already were presented again"
        ctx.alarm("approval", about, told, engagement=request.engagement)
    _open(ctx, request)
    signers = set[str]()
    with ctx.store.read() as view:
        for approval in _given(view, request):
            if not request.at <= approval.at <= ctx.now:
                raise Refused("an approval is of a later time than now; the clock was set back")
            key = view.get(RegisteredKey, approval.key).value
            person = people.present(view, view.principal(approval.principal), ctx.now)
            if key.held(ctx.now) and _stands(ctx, person, request, resource):
                verify(request, approval, key)
                signers.add(approval.principal)
    others = frozenset(signers - {request.requester})
    return Granted(request, others, asserted=request.requester in signers)


def asserted(
    ctx: Context,
    action: Action,
    resource: Resource,
    detail: Mapping[str, Detail],
    sign: Callable[[bytes], Signed],
) -> Granted:
    """Ask, and sign as the requester at once: the way of an act that needs nobody else.

    Raises: as `ask`, `approve` and `granted`.
    """
    request = ask(ctx, action, resource, detail)
    approve(ctx, request.id, sign(challenge(request)))
    return granted(ctx, request.id)


def use(tx: Writing, granted: Granted) -> None:
    """Mark a request used, in the transaction of the very act; nothing uses it again.

    Raises: Refused, if it was used, or is no longer the request that was granted.
    """
    row = tx.get(Request, granted.request.id)
    if row.value.used:
        raise Refused("the approvals of this request were used already; ask anew")
    if row.value != granted.request:
        raise Refused("the request is not the one that was signed")
    value = replace(row.value, used=True)
    tx.put(
        row.id,
        value,
        marking=row.marking,
        engagement=row.engagement,
        org=row.org,
        bounds=row.bounds,
        expect=row.version,
    )


def shown(ctx: Context, request_id: str) -> Pending:
    """One request, to whoever asked for it or may sign it.

    Raises: NotFound, for everybody else; Denied, if a rule stands against the person.
    """
    request, resource = _asked(ctx, request_id)
    _may_sign(ctx, request, resource)
    with ctx.store.read() as view:
        return _pending(view, request)


def waiting(ctx: Context) -> list[Pending]:
    """Requests that are open and that the caller asked for, or may sign."""
    ctx.require(Action.SESSION_LIST, _own(ctx))
    found = []
    with ctx.store.read() as view:
        for row in view.find(Request):
            request = row.value
            if request.used or not request.at <= ctx.now < request.expires:
                continue
            resource = view.get(Matter, request.id).value.resource
            if not _stands(ctx, ctx.principal, request, resource):
                continue
            found.append(_pending(view, request))
    return found


def _own(ctx: Context) -> Resource:
    """The caller's own sessions and keys, as a thing that access rules know."""
    return Resource("session", ctx.principal.id, org=ctx.principal.org, owner=ctx.principal.id)


def _asked(ctx: Context, request_id: str) -> tuple[Request, Resource]:
    try:
        with ctx.store.read() as view:
            request = view.get(Request, request_id).value
            return request, view.get(Matter, request_id).value.resource
    except NotFound:
        # In the very words of a request that this person has nothing to do with.
        raise NotFound(f"no request {request_id}") from None


def _open(ctx: Context, request: Request) -> None:
    if request.used:
        raise Refused("the approvals of this request were used already; ask anew")
    if request.at > ctx.now:
        raise Refused("the request is of a later time than now; the clock was set back")
    if ctx.now >= request.expires:
        raise Refused("the request ran out after fifteen minutes; ask anew")


def _given(view: Reading, request: Request) -> list[Approval]:
    rows = view.find(Approval, engagement=request.engagement)
    return [row.value for row in rows if row.value.request == request.id]


def _pending(view: Reading, request: Request) -> Pending:
    signers = frozenset(approval.principal for approval in _given(view, request))
    own = request.requester in signers
    return Pending(request, signers - {request.requester}, asserted=own)


def _may_sign(ctx: Context, request: Request, resource: Resource) -> None:
    """Raises: Denied, recorded as every denial, by the rules that stand against this person.

    NotFound, if no rule stands against the person but no role reaches there either: whoever has
    nothing to do with a request does not learn of it.
    """
    if _stands(ctx, ctx.principal, request, resource):
        return
    foreseen = replace(request, requester=ctx.principal.id)
    grant = Granted(foreseen, FORESEEN, asserted=True)
    try:
        ctx.require(request.action, resource, grant, proved=True)
    except Denied as error:
        if error.rules:
            raise
    raise NotFound(f"no request {request.id}")


def _stands(ctx: Context, person: Principal, request: Request, resource: Resource) -> bool:
    """Whether *person*'s signature of *request* counts at this moment.

    The requester must be allowed the act. For an approver, no rule may stand against the person on
    that very thing, and a role must be one of `approvers`; the act itself need not be the
    approver's to do.
    """
    given = Circumstances(
        ctx.now,
        approvers=FORESEEN,
        asserted=True,
        proved=True,
        # How another person is signed in is unknown; what counts of him is the signature.
        assurance=ctx.assurance if person.id == ctx.principal.id else 3,
        suspended=ctx.suspended,
    )
    decision = ctx.access.decide(person, request.action, resource, given)
    if person.id == request.requester:
        return decision.allowed
    against = not decision.allowed and bool(decision.rules)
    return not against and bool(person.roles & approvers().get(request.action, frozenset()))
