"""Signing in, sessions, and what comes before them: invitations, challenges and failed attempts.

Upheld here: a session is a row that every request reads again, so that ending it, suspending its
person or the end of the person's access bites at once in every process; its secret is stored hashed
and changes whenever what it shows of the person grows; a challenge is answered once; an attempt that
fails is an act, and one on a name that nobody has is an alert; waiting grows and never locks for good.

Until somebody is signed in, the context is that of `NOBODY`.
"""

import hmac
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from hashlib import sha256
from ipaddress import ip_address, ip_network
from typing import NoReturn, TypeVar

from leadline.app import approval, assertion, delegation, people
from leadline.app.assertion import Signed
from leadline.app.context import Context
from leadline.app.ports import Reading, Stored, Writing, maybe
from leadline.core import account
from leadline.core.access import Action, Principal, Resource
from leadline.core.account import (
    Challenge,
    Credential,
    Failures,
    Identity,
    Invitation,
    Password,
    RegisteredKey,
    Session,
)
from leadline.core.approval import Granted, Request
from leadline.core.errors import Denied, NotFound, Refused, Stale, Tampered
from leadline.core.marking import Marking, Tlp
from leadline.core.organisation import (
    ADMINISTRATOR,
    KEEPER,
    Organisation,
    administers,
    administrators,
)
from leadline.core.record.act import Kind, instant

T = TypeVar("T")

NOBODY = Principal("nobody", "nobody signed in", "", frozenset({"public"}))
OWN = Marking(Tlp.AMBER_STRICT)
SECRET_BYTES = 32
ACCOUNT_FREE, NETWORK_FREE = 5, 50
ALARMING_FAILURES = 10
SEEN_STEP = timedelta(seconds=30)
SIGN_IN = "sign-in"
CONTEXT = b"leadline/sign-in/v1"


class NotSignedIn(Denied):
    """There is no session, or it no longer counts."""

    code = "not-signed-in"


class TooSoon(Refused):
    """Too many attempts failed; the next one counts in *seconds*."""

    code = "too-soon"

    def __init__(self, seconds: int) -> None:
        self.seconds = seconds
        super().__init__(f"too many attempts failed; try again in {seconds} seconds")


@dataclass(frozen=True, slots=True)
class Matched:
    """What checking a password says; *again*: its hash is of another cost than is used now."""

    ok: bool
    again: bool


@dataclass(frozen=True, slots=True)
class Caller:
    """Where an attempt comes from: an address as text, and the name the client gives itself."""

    address: str = ""
    client: str = ""

    @property
    def network(self) -> str:
        """The prefix that failures are counted by: /24, or /56 of IPv6."""
        try:
            address = ip_address(self.address)
        except ValueError:
            return f"name {self.address[:40]}"
        bits = 24 if address.version == 4 else 56  # noqa: PLR2004 -- versions of IP
        return str(ip_network(f"{address}/{bits}", strict=False))


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session as it begins: *token* and *csrf* are shown once and stored hashed."""

    session: Session
    token: str
    csrf: str


def csrf_of(token: str) -> str:
    """What forms and unsafe requests of a session carry beside the cookie, which scripts cannot read.

    It follows from the session's token, so that every page can be given it; the token does not follow
    from it (SHA-256 of 256 random bits).
    """
    return hashed(f"leadline/page/{token}")


def hashed(secret: str) -> str:
    """How secrets of 256 bits are stored; nobody guesses one, so a plain hash is enough."""
    return sha256(secret.encode()).hexdigest()


def by_password(
    ctx: Context,
    name: str,
    check: Callable[[str | None], Matched],
    renew: Callable[[], str],
    caller: Caller,
    present: Session | None = None,
) -> SignedIn:
    """Sign in, or add the password to a session that is *present*.

    *check* compares with the stored hash, None where there is none, and takes as long; *renew*
    gives a new hash.

    Raises: TooSoon; NotSignedIn, in the same words for an unknown name and a wrong password.
    """
    _limit(ctx, name, caller)
    with ctx.store.read() as view:
        row = maybe(view, Password, name)
    answer = check(row.value.phc if row else None)
    if row is None or not answer.ok:
        _failed(ctx, name, caller, "password")
    if answer.again:
        with ctx.store.write() as tx:
            value = replace(row.value, phc=renew(), changed=ctx.now)
            tx.put(row.id, value, marking=OWN, expect=row.version)
    return _begin(ctx, name, "password", caller, present)


def challenge(
    ctx: Context,
    purpose: str,
    detail: Mapping[str, str] | None = None,
    life: timedelta = account.CHALLENGE_LIFE,
) -> Challenge:
    """A new challenge, kept until it is answered or runs out."""
    made = Challenge(
        ctx.new_id("challenge"),
        purpose,
        secrets.token_hex(SECRET_BYTES),
        ctx.now,
        ctx.now + life,
        dict(detail or {}),
    )
    with ctx.store.write() as tx:
        for row in tx.find(Challenge):
            if row.value.ends + life < ctx.now:
                tx.remove(Challenge, row.id)
        tx.put(made.id, made, marking=OWN)
    return made


def answered(ctx: Context, challenge_id: str, purpose: str) -> Challenge:
    """The challenge, which nothing answers a second time.

    Raises: Refused, if there is none, it was answered, was for another purpose or has run out.
    """
    try:
        with ctx.store.write() as tx:
            found = tx.get(Challenge, challenge_id).value
            tx.remove(Challenge, challenge_id)
    except NotFound:
        raise Refused("there is no such challenge, or it was answered already") from None
    problem = found.over(purpose, ctx.now)
    if problem:
        raise Refused(problem)
    return found


def to_sign(made: Challenge) -> bytes:
    """The bytes a key signs to answer; they can never be those of an approval."""
    fixed = f"{made.purpose}\0{made.id}\0{made.value}".encode()
    return sha256(CONTEXT + b"\0" + fixed).digest()


def by_key(
    ctx: Context,
    challenge_id: str,
    signed: Signed,
    caller: Caller,
    present: Session | None = None,
) -> SignedIn:
    """Sign in, or step up the session that is *present*, with a registered key or passkey.

    *signed.key* is the key's id, or what a passkey's device calls it.

    Raises: TooSoon; Refused, as `answered`; NotSignedIn.
    """
    with ctx.store.read() as view:
        row = _key(view, signed.key)
    _limit(ctx, row.value.principal if row else signed.key, caller)
    made = answered(ctx, challenge_id, SIGN_IN)
    if row is None or not row.value.held(ctx.now) or row.value.method != signed.method:
        _failed(ctx, row.value.principal if row else signed.key, caller, signed.method)
    try:
        count = assertion.verify(row.value, to_sign(made), signed.evidence)
        approval.fresh(row.value, count)
    except Tampered:
        told = "a signature at sign-in does not verify"
        ctx.alarm("sign-in", f"principal/{row.value.principal}", told)
        _failed(ctx, row.value.principal, caller, signed.method)
    with ctx.store.write() as tx:
        approval.counted(tx, row, count)
    return _begin(ctx, row.value.principal, signed.method, caller, present)


def by_certificate(
    ctx: Context, thumbprint: str, caller: Caller, present: Session | None = None
) -> SignedIn:
    """Sign in with a client certificate whose chain was found good; it must be registered.

    *thumbprint* is the SHA-256 of the DER certificate in hex.

    Raises: TooSoon; NotSignedIn.
    """
    with ctx.store.read() as view:
        row = _key(view, thumbprint)
    _limit(ctx, row.value.principal if row else thumbprint, caller)
    if row is None or not row.value.held(ctx.now) or row.value.method != "certificate":
        _failed(ctx, f"certificate {thumbprint[:16]}", caller, "certificate")
    return _begin(ctx, row.value.principal, "certificate", caller, present)


def by_identity(
    ctx: Context, issuer: str, subject: str, caller: Caller, present: Session | None = None
) -> SignedIn:
    """Sign in with an account elsewhere, whose ID token was found good.

    Raises: TooSoon; NotSignedIn, if the account is linked to nobody.
    """
    about = _identity(issuer, subject)
    with ctx.store.read() as view:
        row = maybe(view, Identity, about)
    _limit(ctx, row.value.principal if row else about, caller)
    if row is None:
        _failed(ctx, about, caller, "oidc")
    return _begin(ctx, row.value.principal, "oidc", caller, present)


def link(ctx: Context, issuer: str, subject: str) -> None:
    """Link an account elsewhere to the caller's; needs two factors.

    Raises: Refused, if it is linked already or the sign-in was by one factor.
    """
    ctx.require(Action.SESSION_LIST, own(ctx))
    _two_factors(ctx)
    id_ = _identity(issuer, subject)
    try:
        with ctx.store.write() as tx:
            tx.put(id_, Identity(issuer, subject, ctx.principal.id), marking=OWN)
            tx.record(ctx.act(Kind.KEY_REGISTERED, ctx.principal.id, "", method="oidc", key=id_))
    except Stale:
        raise Refused("this account elsewhere is linked already") from None


def set_password(ctx: Context, phc: str) -> None:
    """Set one's own password; where there is one already, the session needs two factors."""
    ctx.require(Action.SESSION_LIST, own(ctx))
    with ctx.store.read() as view:
        row = maybe(view, Password, ctx.principal.id)
    if row:
        _two_factors(ctx)
    with ctx.store.write() as tx:
        value = Password(ctx.principal.id, phc, ctx.now)
        tx.put(ctx.principal.id, value, marking=OWN, expect=row.version if row else None)
        tx.record(ctx.act(Kind.KEY_REGISTERED, ctx.principal.id, "", method="password"))


def invite(ctx: Context, principal_id: str) -> str:
    """A code with which an enrolled person registers the first password and keys; shown once.

    Raises: Denied; NotFound; Refused, if the person has keys already, who needs a recovery instead, or
    the organisation has account administrators of its own, of whom the caller is none.
    """
    ctx, person = delegation.reached(ctx, Action.PRINCIPAL_ENROL, principal_id)
    with ctx.store.read() as view:
        known = maybe(view, Password, principal_id) or approval.keys_of(view, principal_id)
        foreign = KEEPER in ctx.principal.roles and maybe(view, Organisation, person.org)
    if known:
        raise Refused("this person has keys already; ask for a recovery")
    if foreign:
        raise Refused(f"{person.org} has account administrators of its own; they do this")
    return invited(ctx, principal_id)


def invited(ctx: Context, principal_id: str) -> str:
    """A new code for somebody who has nothing to sign in with; whoever calls has asked."""
    code, made = _invitation(ctx, principal_id, recovery=False)
    with ctx.store.write() as tx:
        _end_codes(tx, ctx, principal_id)
        tx.put(made.id, made, marking=OWN)
        tx.record(ctx.act(Kind.PERSON_INVITED, f"principal/{principal_id}", ""))
    return code


def ask_recovery(ctx: Context, principal_id: str) -> Request:
    """Ask for another's signature under the recovery of a person who lost every key.

    Raises: Denied; NotFound, if there is no such person.
    """
    ctx, person = delegation.reached(ctx, Action.PRINCIPAL_RECOVER, principal_id)
    about = people.entry(person)
    return approval.ask(ctx, Action.PRINCIPAL_RECOVER, about, {"recovery": principal_id})


def recover(ctx: Context, principal_id: str, given: Granted) -> str:
    """A code for a person who lost every key, shown once; it counts a day later.

    Two persons stand behind it: the caller, and another who signed this very act. Everybody who
    reads alerts hears of it, and so do the account administrators of the organisation, and the person,
    who can call it off with any key that is left.

    Raises: Denied; NotFound; Refused, if nobody else signed whose signature counts, or the signatures
    were used already.
    """
    ctx, person = delegation.reached(ctx, Action.PRINCIPAL_RECOVER, principal_id, granted=given)
    if given.request.detail.get("recovery") != principal_id:
        raise Refused("those signatures are of another act")
    with ctx.store.read() as view:
        _second_person(ctx, view, person, given)
    code, made = _invitation(ctx, principal_id, recovery=True)
    with ctx.store.write() as tx:
        tx.principal(principal_id)
        approval.use(tx, given)
        tx.put(made.id, made, marking=OWN)
        tx.record(
            ctx.act(
                Kind.RECOVERY_BEGUN,
                f"principal/{principal_id}",
                "",
                request=given.request.id,
                due=instant(made.due),
            )
        )
    told = f"a recovery was begun; it counts from {instant(made.due)} on unless it is called off"
    ctx.alarm("recovery", f"principal/{principal_id}", told)
    return code


def _second_person(ctx: Context, view: Reading, person: Principal, given: Granted) -> None:
    """Return if another signed whose signature counts for this person.

    The one a delegate acts for is no second person. Where an organisation looks after its accounts, one
    of the two is an account administrator of it, unless it is an account administrator who comes back.

    Raises: Refused.
    """
    others = given.approvers - {ctx.principal.id, person.id, ctx.behalf}
    if maybe(view, Organisation, person.org) is not None:
        signers = [view.principal(one) for one in others]
        own = {one.id for one in administrators(signers, person.org, ctx.now)}
        keepers = {one.id for one in signers if administers(one, ctx.now, KEEPER)}
        outside = KEEPER in ctx.principal.roles and ADMINISTRATOR not in person.roles
        others = frozenset(own if outside else own | keepers)
    if not others:
        raise Refused(
            "a second person must sign a recovery; ask one who looks after these accounts"
        )


def call_off(ctx: Context, principal_id: str | None = None) -> int:
    """End every invitation and recovery of one account; answers how many there were.

    By default of one's own. Whoever may end a person's credentials may call off its codes.

    Raises: Denied; NotFound.
    """
    about = principal_id or ctx.principal.id
    if about == ctx.principal.id:
        ctx.require(Action.SESSION_LIST, own(ctx))
    else:
        ctx, _ = delegation.reached(ctx, Action.CREDENTIAL_REVOKE, about, "credential")
    with ctx.store.write() as tx:
        ended = _end_codes(tx, ctx, about)
        tx.record(ctx.act(Kind.RECOVERY_CALLED_OFF, f"principal/{about}", "", ended=ended))
    return ended


def _end_codes(tx: Writing, ctx: Context, principal_id: str) -> int:
    found = [row for row in tx.find(Invitation) if row.value.principal == principal_id]
    still = [row for row in found if row.value.ended is None]
    for row in still:
        tx.put(row.id, replace(row.value, ended=ctx.now), marking=OWN, expect=row.version)
    return len(still)


def accept(ctx: Context, code: str, caller: Caller) -> SignedIn:
    """Begin a session with an invitation, to register keys in; the invitation is used by it.

    Raises: TooSoon; NotSignedIn; Refused, if it does not count yet or any more.
    """
    id_ = f"invitation-{hashed(code)[:32]}"
    with ctx.store.read() as view:
        row = maybe(view, Invitation, id_)
    _limit(ctx, row.value.principal if row else "invitation", caller)
    if row is None or not hmac.compare_digest(row.value.secret, hashed(code)):
        _failed(ctx, "invitation", caller, "invitation")
    problem = row.value.over(ctx.now)
    if problem:
        raise Refused(f"this invitation does not count: {problem}")
    with ctx.store.write() as tx:
        used = replace(row.value, ended=ctx.now)
        tx.put(row.id, used, marking=OWN, expect=row.version)
        _end_codes(tx, ctx, row.value.principal)
        if row.value.recovery:
            cut_off(tx, ctx, row.value.principal)
            told = f"principal/{row.value.principal}"
            tx.record(ctx.act(Kind.RECOVERY_USED, told, "", network=caller.network))
    return _begin(ctx, row.value.principal, "invitation", caller, None)


@dataclass(frozen=True, slots=True)
class Known:
    """Whom a session stands for: its person with what is granted, and what is suspended beside persons."""

    session: Session
    person: Principal
    suspended: frozenset[str]


def session_of(ctx: Context, token: str) -> Known:
    """Whom the session of a token stands for, read again at every request.

    Raises: NotSignedIn, if there is none or it no longer counts.
    """
    with ctx.store.read() as view:
        row, person, problem = _looked(ctx, view, token)
        suspended = people.suspensions(view) if person else frozenset()
    if row is None or person is None:
        raise NotSignedIn(problem, ("signed-in",))
    if ctx.now < row.value.seen + SEEN_STEP:
        return Known(row.value, person, suspended)
    seen = replace(row.value, seen=ctx.now)
    try:
        with ctx.store.write() as tx:
            tx.put(row.id, seen, marking=OWN, expect=row.version)
    except Stale:
        # Another request of this session was quicker, or ended it: look again.
        return session_of(ctx, token)
    return Known(seen, person, suspended)


def looked_up(ctx: Context, token: str) -> Session | None:
    """The session of a token if it counts."""
    with ctx.store.read() as view:
        row, _, problem = _looked(ctx, view, token)
    return row.value if row and not problem else None


def _looked(
    ctx: Context, view: Reading, token: str
) -> tuple[Stored[Session] | None, Principal | None, str]:
    """The session of a token if it counts, with its person; else what to tell its bearer."""
    id_, _, secret = token.partition(".")
    row = maybe(view, Session, id_)
    if row is None or not hmac.compare_digest(row.value.secret, hashed(secret)):
        return None, None, "sign in first"
    known = delegation.known(view, row.value.principal)
    person = people.present(view, known, ctx.now) if known else None
    # What was granted since counts: in a compartment, a session is left alone for minutes only.
    confined = row.value.confined or bool(person and person.compartments)
    problem = replace(row.value, confined=confined).over(ctx.now)
    if problem:
        return None, person, f"sign in again: {problem}"
    return row, person, "" if person else "there is no such person any more"


def sessions(ctx: Context, principal_id: str | None = None) -> list[Session]:
    """Sessions that still count: one's own, or another person's where the rules allow it."""
    owner = principal_id or ctx.principal.id
    if owner == ctx.principal.id:
        ctx.require(Action.SESSION_LIST, own(ctx))
    else:
        delegation.reached(ctx, Action.SESSION_LIST, owner, "session")
    with ctx.store.read() as view:
        found = [row.value for row in view.find(Session)]
    return [one for one in found if one.principal == owner and not one.over(ctx.now)]


def revoke(ctx: Context, session_id: str) -> None:
    """End a session at once: one's own, or another person's where the rules allow it.

    Raises: NotFound, in the same words where there is none and where it is not the caller's.
    """
    with ctx.store.read() as view:
        row = maybe(view, Session, session_id)
    owner = row.value.principal if row else ""
    try:
        if owner == ctx.principal.id:
            ctx.require(Action.SESSION_REVOKE, own(ctx))
        else:
            ctx, _ = delegation.reached(ctx, Action.SESSION_REVOKE, owner or "no one", "session")
    except (Denied, NotFound):
        raise NotFound(f"no session {session_id}") from None
    with ctx.store.write() as tx:
        present = tx.get(Session, session_id)
        ended = replace(present.value, ended=present.value.ended or ctx.now)
        tx.put(session_id, ended, marking=OWN, expect=present.version)
        tx.record(ctx.act(Kind.SESSION_REVOKED, f"principal/{owner}", "", session=session_id))


def sign_out(ctx: Context, session: Session) -> None:
    """End the caller's own session; nothing stands in the way of it."""
    with ctx.store.write() as tx:
        present = tx.get(Session, session.id)
        ended = replace(present.value, ended=ctx.now)
        tx.put(session.id, ended, marking=OWN, expect=present.version)
        told = f"principal/{session.principal}"
        tx.record(ctx.act(Kind.SESSION_REVOKED, told, "", session=session.id, by="sign-out"))


def own(ctx: Context) -> Resource:
    """One's own sessions and keys as a thing that access rules know."""
    me = ctx.principal
    return Resource("session", me.id, org=me.org, owner=me.id)


def _two_factors(ctx: Context) -> None:
    if ctx.assurance < 2:  # noqa: PLR2004 -- one factor and another
        raise Refused("sign in with two factors for this")


def _identity(issuer: str, subject: str) -> str:
    return f"identity-{sha256(issuer.encode() + bytes(1) + subject.encode()).hexdigest()}"


def _key(view: Reading, name: str) -> Stored[RegisteredKey] | None:
    """The key of that name; one that still stands before one that was ended."""
    rows = [row for row in view.find(RegisteredKey) if name in {row.id, row.value.handle}]
    return min(rows, key=lambda row: row.value.ended is not None, default=None) if name else None


def _invitation(ctx: Context, principal_id: str, *, recovery: bool) -> tuple[str, Invitation]:
    code = secrets.token_urlsafe(SECRET_BYTES)
    due = ctx.now + (account.RECOVERY_DELAY if recovery else timedelta())
    id_ = f"invitation-{hashed(code)[:32]}"
    return code, Invitation(id_, principal_id, hashed(code), ctx.now, due, recovery)


def cut_off(tx: Writing, ctx: Context, principal_id: str) -> None:
    """End whatever opens an account: a recovered person begins anew, and one who left is gone.

    Keys, the password, accounts elsewhere, sessions, credentials of programs, and codes.
    """
    for row in approval.keys_of(tx, principal_id):
        if row.value.held(ctx.now):
            ended = replace(row.value, ended=ctx.now)
            tx.put(row.id, ended, marking=row.marking, expect=row.version)
    for session in tx.find(Session):
        if session.value.principal == principal_id and session.value.ended is None:
            over = replace(session.value, ended=ctx.now)
            tx.put(session.id, over, marking=OWN, expect=session.version)
    for held in tx.find(Credential):
        if held.value.holder == principal_id and held.value.ended is None:
            gone = replace(held.value, ended=ctx.now)
            tx.put(held.id, gone, marking=OWN, bounds=held.bounds, expect=held.version)
    for linked in tx.find(Identity):
        if linked.value.principal == principal_id:
            tx.remove(Identity, linked.id)
    _end_codes(tx, ctx, principal_id)
    if maybe(tx, Password, principal_id):
        tx.remove(Password, principal_id)


def _places(name: str, caller: Caller) -> tuple[tuple[str, int], tuple[str, int]]:
    """The two places at which failures count; names go in hashed, whatever was typed there."""
    about = f"account-{sha256(name.encode('utf-8', 'replace')).hexdigest()}"
    return (about, ACCOUNT_FREE), (f"network-{caller.network}", NETWORK_FREE)


def _limit(ctx: Context, name: str, caller: Caller) -> None:
    """Count an attempt on the account before it is looked at; success forgets it.

    So attempts made at once do not slip through together.

    Raises: TooSoon, if the account or the network must wait.
    """
    with ctx.store.write() as tx:
        rows = [(maybe(tx, Failures, id_), id_, free) for id_, free in _places(name, caller)]
        waits = [account.delay(row.value if row else None, free, ctx.now) for row, _, free in rows]
        longest = max(waits)
        if longest:
            raise TooSoon(max(1, -int(-longest.total_seconds() // 1)))
        row, id_, _ = rows[0]
        more = account.counted(row.value if row else None, id_, ctx.now)
        tx.put(id_, more, marking=OWN, expect=row.version if row else None)


def _failed(ctx: Context, name: str, caller: Caller, method: str) -> NoReturn:
    """Record a failed attempt, and count it for the network.

    Raises: NotSignedIn, always in the same words.
    """
    (account_id, _), (network_id, _) = _places(name, caller)
    with ctx.store.write() as tx:
        row = maybe(tx, Failures, network_id)
        more = account.counted(row.value if row else None, network_id, ctx.now)
        tx.put(network_id, more, marking=OWN, expect=row.version if row else None)
        try:
            tx.principal(name)
            about = f"principal/{name}"
        except NotFound:
            about = "principal/unknown"
        tx.record(ctx.act(Kind.SIGN_IN_REFUSED, about, "", method=method, network=caller.network))
        attempts = maybe(tx, Failures, account_id)
    if about == "principal/unknown":
        ctx.alarm("sign-in", about, f"an attempt by {method} under a name that nobody has")
    elif attempts and attempts.value.count == ALARMING_FAILURES:
        ctx.alarm("sign-in", about, f"{ALARMING_FAILURES} attempts by {method} failed")
    raise NotSignedIn("that name and proof do not go together", ("signed-in",))


def _begin(
    ctx: Context, principal_id: str, method: str, caller: Caller, present: Session | None
) -> SignedIn:
    """A new session with a new secret; the one that was present ends by it.

    Raises: NotSignedIn, if the person's access has ended or is suspended, or the session present is
    another person's.
    """
    with ctx.store.read() as view:
        person = people.present(view, view.principal(principal_id), ctx.now)
    over = person.access_until is not None and ctx.now >= person.access_until
    if person.suspended or over or (present and present.principal != person.id):
        told = "a suspended or ended account gave the right proof"
        ctx.alarm("sign-in", f"principal/{person.id}", told)
        _failed(ctx, person.id, caller, method)
    id_ = ctx.new_id("session")
    secret = secrets.token_urlsafe(SECRET_BYTES)
    token = f"{id_}.{secret}"
    csrf = csrf_of(token)
    session = Session(
        id_,
        person.id,
        hashed(secret),
        hashed(csrf),
        frozenset({method}) | (present.methods if present else frozenset()),
        confined=bool(person.compartments),
        started=present.started if present else ctx.now,
        seen=ctx.now,
        client=caller.client[:120],
    )
    with ctx.store.write() as tx:
        if present:
            row = tx.get(Session, present.id)
            if row.value.over(ctx.now):
                raise NotSignedIn("sign in again: the session ended meanwhile", ("signed-in",))
            ended = replace(row.value, ended=ctx.now)
            tx.put(row.id, ended, marking=OWN, expect=row.version)
        tx.put(session.id, session, marking=OWN)
        for place, _ in _places(person.id, caller)[:1]:
            if maybe(tx, Failures, place):
                tx.remove(Failures, place)
        by_person = replace(ctx, principal=person)
        tx.record(
            by_person.act(
                Kind.SIGNED_IN,
                f"principal/{person.id}",
                "",
                session=session.id,
                methods=tuple(sorted(session.methods)),
                assurance=account.assurance(session.methods),
                network=caller.network,
            )
        )
    return SignedIn(session, token, csrf)
