"""What a relay knows and decides: who may ask for what, and what is entered of it.

Every way to fail a credential is one answer outside and one entry inside. The journal's entries are the
whole state: what is issued, revoked or used is what they say.
"""

import hmac
import os
import secrets
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from leadline.core.errors import Invalid, NotFound, Refused, Unavailable
from leadline.core.record.act import Value, instant
from leadline.formats.dialect_toml import Carrier, Dialect, Endpoint
from leadline.formats.http1 import Request
from leadline.relay.journal import Journal
from leadline.relay.ledger import Cost, Credential

SECRET_PREFIX = "llr_"  # noqa: S105 -- what secret scanners look for
LIFETIME_MAX = timedelta(hours=24)
REFUSALS_A_MINUTE = 20
MINUTE = timedelta(minutes=1)
ROUTING = (  # fields by which some servers take a request for another than its first line says
    b"x-http-method",
    b"x-http-method-override",
    b"x-method-override",
    b"x-original-url",
    b"x-rewrite-url",
)
STATUS = "/.leadline/relay"
_NOTHING = Credential("", "0" * 64, "", "", datetime(1970, 1, 1, tzinfo=UTC))
SAFE = frozenset(
    b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~:/@!$&'()*+,;="
)


class RefusedHere(Exception):
    """The relay answers itself: *status* and *code* outside, *why* only in the journal."""

    def __init__(self, status: int, code: str, told: str, why: str = "") -> None:
        super().__init__(told)
        self.status, self.code, self.told, self.why = status, code, told, why or code


def no_credential(why: str) -> RefusedHere:
    """The one answer to whoever shows no good credential, whatever was wrong with it."""
    return RefusedHere(401, "credential", "no credential that counts here", why)


@dataclass(frozen=True, slots=True)
class Peer:
    """Who is at the other end: an address, and the thumbprint of a client certificate."""

    address: str
    certificate: str = ""


Prove = Callable[[str, str, str, str, datetime], tuple[str, str]]
"""Proof, method, URL, credential, now -> key thumbprint and number; raises Refused."""


@dataclass(frozen=True, slots=True)
class Admitted:
    """A request that may go on. *path* and *query* are without the relay's own; *carrier* as it came."""

    credential: Credential
    path: str
    query: bytes
    carrier: Carrier
    dialect: Dialect
    endpoint: Endpoint | None
    proof: str = ""


@dataclass
class State:
    """One relay. *dialects* are what its upstream speaks; *prove* checks DPoP proofs, where it can."""

    journal: Journal
    dialects: Sequence[Dialect]
    clock: Callable[[], datetime]
    prove: Prove | None = None
    public_url: str = ""
    _recent: dict[str, deque[datetime]] = field(default_factory=dict)
    _entered: deque[datetime] = field(default_factory=deque)
    _untold: int = 0
    _unentered: dict[str, str] = field(default_factory=dict)
    streams: dict[str, int] = field(default_factory=dict)
    held: int = 0  # bytes of requests that wait until their model's name was read

    # what the developer does

    def issue(self, credential: Credential, *, lifetime: timedelta) -> tuple[Credential, str]:
        """Enter a credential like *credential*; answers it and its secret, which is shown this once.

        Raises: Invalid, if it would live longer than a day, or is bound in a way not known.
        """
        if not timedelta(0) < lifetime <= LIFETIME_MAX:
            raise Invalid("--minutes", "from 1 to 1440; issue a new one tomorrow")
        if not credential.engagement:
            raise Invalid("--engagement", "say which dealings it is for")
        kind, _, print_ = credential.bound.partition(":")
        if credential.bound and (kind not in ("certificate", "dpop") or not print_):
            raise Invalid("--bound", "certificate:THUMBPRINT or dpop:THUMBPRINT")
        if kind == "dpop" and self.prove is None:
            raise Invalid("--bound", "DPoP proofs cannot be checked here; install the server extra")
        if self._reading and not credential.models:
            raise Invalid("--model", "name the model that may be asked; the dialect shows it")
        secret = SECRET_PREFIX + secrets.token_urlsafe(32)
        known = [
            one.prefix
            for one in self.journal.ledger.credentials.values()
            if one.engagement == credential.engagement
        ]
        made = Credential(
            id=f"relay-{secrets.token_hex(8)}",
            digest=digest(secret),
            engagement=credential.engagement,
            prefix=known[0] if known else secrets.token_hex(16),
            expires=self.clock() + lifetime,
            models=credential.models,
            answers=credential.answers,
            paths=credential.paths,
            bound=credential.bound,
            caps=credential.caps,
        )
        self.journal.append(self.clock(), "credential.issued", **made.record())
        self.journal.settle()
        return made, secret

    def revoke(self, ids: Sequence[str], why: str) -> tuple[str, ...]:
        """End credentials for good, all of them if none is named; answers those that ended now.

        Raises: NotFound, before anything is revoked, for an id that was never issued; Unavailable, if
        it cannot be entered: it bites all the same, and is entered as soon as there is room.
        """
        ledger = self.journal.ledger
        for one in ids:
            if one not in ledger.credentials:
                raise NotFound(f"no credential {one}")
        wanted = dict.fromkeys(ids or ledger.credentials)
        ended = [one for one in wanted if not self._revoked(one)]
        plain = why.encode("utf-8", "replace").decode()[:400]
        self._unentered.update(dict.fromkeys(ended, plain))
        try:
            self.enter_revoked()
        except Unavailable as error:
            raise Unavailable(
                "revoked: it counts no more while this process runs, and is entered once that is "
                f"possible; if the process ends before, revoke again ({error})"
            ) from error
        return tuple(ended)

    def enter_revoked(self) -> None:
        """Enter the revocations that bite already and are not entered.

        Raises: Unavailable.
        """
        for one, why in list(self._unentered.items()):
            self.journal.append(self.clock(), "credential.revoked", id=one, why=why)
            del self._unentered[one]
        self.journal.settle()

    def listed(self) -> list[dict[str, Value]]:
        """Every credential with its state and what it used, in order of issue."""
        return [self._shown(one) for one in self.journal.ledger.credentials.values()]

    def ended(self, credential: Credential) -> str:
        """Why it counts no more; empty while it does."""
        if self._revoked(credential.id):
            return "revoked"
        return "expired" if self.clock() >= credential.expires else ""

    def _revoked(self, id_: str) -> bool:
        return id_ in self.journal.ledger.revoked or id_ in self._unentered

    @property
    def _reading(self) -> bool:
        return any(one.reads for one in self.dialects)

    def _shown(self, one: Credential) -> dict[str, Value]:
        ledger, used = self.journal.ledger, self.journal.ledger.used[one.id]
        return {
            "id": one.id,
            "engagement": one.engagement,
            "state": self.ended(one) or "open",
            "until": instant(one.expires),
            "models": one.models,
            "bound": one.bound,
            "requests": used.requests,
            "tokens": used.tokens,
            "micros": used.micros,
            "bytes": used.bytes,
            "streams": self.streams.get(one.id, 0),
            "subject_changed": ledger.changed.get(one.id, ""),
        }

    # what an evaluator asks

    def admit(self, request: Request, peer: Peer, *, secure: bool) -> Admitted:
        """The request, if a credential covers it. Caps are asked next, by `within`.

        Everything is looked at before anything is said, so that the ways to fail take the same time.

        Raises: RefusedHere.
        """
        now, target = self.clock(), request.path.decode("ascii", "replace")
        carrier, secret = self._presented(request)
        found = self.journal.ledger.by_digest.get(digest(secret), _NOTHING)
        same = hmac.compare_digest(found.digest, digest(secret))
        prefix, path = _divided(target)
        placed = hmac.compare_digest(prefix.encode(), found.prefix.encode())
        print_, proof, proof_why = self._proof(request, target, secret, now, secure=secure)
        bound, _, due = found.bound.partition(":")
        shown = {"certificate": peer.certificate, "dpop": print_}.get(bound, "")
        held = hmac.compare_digest(shown.encode(), due.encode())
        faults = {
            "no credential": not secret,
            "unknown": not same or not found.id,
            "another path": not placed,
            "revoked": self._revoked(found.id),
            "expired": same and bool(found.id) and now >= found.expires,
            f"not by its holder ({bound})": not held,
            proof_why: bool(proof_why) and bound == "dpop",
            "two credentials": carrier is None,
        }
        wrong = [why for why, so in faults.items() if so]
        if wrong or carrier is None:
            self.refused(peer, ", ".join(wrong), found.id if same else "")
            raise no_credential(", ".join(wrong))
        if proof:
            self.journal.ledger.spend(proof, now)
        try:
            return self._allowed(found, request, path, carrier, proof)
        except RefusedHere as error:
            self.refused(peer, error.why, found.id)
            raise

    def within(self, credential: Credential, peer: Peer) -> None:
        """Return if no cap is used up; the request counts from here on.

        Raises: RefusedHere.
        """
        now, caps = self.clock(), credential.caps
        recent = self._recent.setdefault(credential.id, deque())
        while recent and now - recent[0] >= MINUTE:
            recent.popleft()
        cap = self.journal.ledger.over(credential)
        if caps.requests_a_minute and len(recent) >= caps.requests_a_minute:
            cap = "requests a minute"
        elif caps.streams and self.streams.get(credential.id, 0) >= caps.streams:
            cap = "streams at a time"
        if cap:
            self.refused(peer, f"cap: {cap}", credential.id)
            raise RefusedHere(429, "cap", f"the cap on {cap} is used up")
        recent.append(now)

    def refused(self, peer: Peer, why: str, credential: str = "") -> None:
        """Enter a refusal; beyond so many a minute only their number is entered."""
        now = self.clock()
        while self._entered and now - self._entered[0] >= MINUTE:
            self._entered.popleft()
        if len(self._entered) >= REFUSALS_A_MINUTE:
            self._untold += 1
            return
        self._entered.append(now)
        self.journal.append(
            now,
            "request.refused",
            why=ascii_of(why)[:200],
            credential=credential,
            address=peer.address,
        )

    def tell_untold(self, *, at_once: bool = False) -> None:
        """Enter the number of refusals that were not entered one by one, at most once a minute."""
        now = self.clock()
        over = not self._entered or now - self._entered[0] >= MINUTE
        if self._untold and (at_once or over):
            count, self._untold = self._untold, 0
            self.journal.append(now, "requests.refused", count=count)

    # what an exchange came to

    def begin(self, admitted: Admitted, method: str, asked: str) -> str:
        """Enter that an exchange goes to the upstream; answers its id."""
        id_ = f"exchange-{os.urandom(8).hex()}"
        self.journal.append(
            self.clock(),
            "exchange.begun",
            id=id_,
            credential=admitted.credential.id,
            method=method[:20],
            path=admitted.path[:400],
            asked=ascii_of(asked),
            proof=admitted.proof,
        )
        return id_

    def changed(self, credential: Credential, asked: str, models: Sequence[str]) -> str:
        """How the names that answered differ from what was expected; empty where they do not."""
        due = self.journal.ledger.expected(credential, ascii_of(asked)) or tuple(models[:1])
        strange = [one for one in models if one not in due]
        return f"{', '.join(due)} -> {', '.join(strange)}" if strange else ""

    def end(self, admitted: Admitted, id_: str, told: Mapping[str, Value], change: str) -> None:
        """Enter how an exchange ended, and that another model answered, where one did."""
        now, credential = self.clock(), admitted.credential
        self.journal.append(now, "exchange.ended", id=id_, credential=credential.id, **told)
        if change:
            self.journal.append(
                now, "subject.changed", exchange=id_, credential=credential.id, now=ascii_of(change)
            )

    def cost(self, admitted: Admitted, *, status: int, complete: bool, told: Cost | None) -> Cost:
        """What an exchange counts for: what was read of it, nothing, or the worst case."""
        counted = admitted.endpoint is not None and admitted.endpoint.counted
        if not admitted.dialect.reads or not counted or status >= 400:  # noqa: PLR2004 -- refused there
            return Cost(0, 0, "none")
        return told if told is not None and complete else admitted.credential.caps.worst

    def _presented(self, request: Request) -> tuple[Carrier | None, str]:
        """The one credential that a request shows, and where."""
        found = list[tuple[Carrier, str]]()
        for carrier in carriers(self.dialects):
            found += [(carrier, one) for one in shown_in(request, carrier)]
        if len(found) != 1:
            return None, ""
        return found[0]

    def _proof(
        self, request: Request, target: str, secret: str, now: datetime, *, secure: bool
    ) -> tuple[str, str, str]:
        """Thumbprint and digest of a DPoP proof's number, and why there is none."""
        proofs = request.fields.all(b"dpop")
        if len(proofs) != 1 or self.prove is None:
            return "", "", "no proof"
        host = request.fields.all(b"host")[0].decode("ascii", "replace")
        place = self.public_url or f"{'https' if secure else 'http'}://{host}"
        try:
            text = proofs[0].decode("ascii", "replace")
            print_, number = self.prove(text, request.method.decode(), place + target, secret, now)
        except Refused as error:
            return "", "", str(error)
        spent = sha256(number.encode()).hexdigest()
        return print_, spent, "replayed" if spent in self.journal.ledger.proofs else ""

    def _allowed(
        self, credential: Credential, request: Request, path: str, carrier: Carrier, proof: str
    ) -> Admitted:
        method = request.method.decode()
        query = request.target.partition(b"?")[2]
        strange = any(byte not in SAFE for byte in request.path) or "//" in path
        if strange or not path.startswith("/") or _dotted(path):
            raise RefusedHere(403, "path", "a plain path without encoded or dotted parts", "path")
        if any(name.lower() in ROUTING for name, _ in request.fields.pairs):
            raise RefusedHere(403, "routing", "a field that names another method or path")
        if path == STATUS:
            return Admitted(credential, path, query, carrier, self.dialects[0], None, proof)
        for dialect in self.dialects:
            endpoint = dialect.endpoint(method, path)
            if endpoint is not None and (not credential.paths or _within(path, credential.paths)):
                named = endpoint.model(path)
                if endpoint.named == "path":
                    check_model(credential, named or "")
                return Admitted(credential, path, query, carrier, dialect, endpoint, proof)
        if any(one.nearly(path) for one in self.dialects):
            raise RefusedHere(403, "path", "spell method and path as the API has them")
        if credential.paths and _within(path, credential.paths):
            return Admitted(credential, path, query, carrier, self.dialects[0], None, proof)
        if not self._reading and not credential.paths:
            return Admitted(credential, path, query, carrier, self.dialects[0], None, proof)
        raise RefusedHere(403, "path", "this credential does not cover this path")


def check_model(credential: Credential, asked: str) -> None:
    """Return if the credential covers the model.

    Raises: RefusedHere.
    """
    if asked not in credential.models:
        raise RefusedHere(403, "model", "this credential does not cover this model")


def digest(secret: str) -> str:
    """What is kept of a secret."""
    return sha256(secret.encode("utf-8", "replace")).hexdigest()


def ascii_of(text: str) -> str:
    """Somebody else's short text as a record or a header can hold it: printable ASCII."""
    plain = "".join(one if one.isprintable() else repr(one)[1:-1] for one in text)
    return plain.encode("ascii", "backslashreplace").decode()[:400]


def carriers(dialects: Sequence[Dialect]) -> tuple[Carrier, ...]:
    """Every place where a credential may stand, each once."""
    return tuple(dict.fromkeys(one for dialect in dialects for one in dialect.carriers))


def shown_in(request: Request, carrier: Carrier) -> list[str]:
    """The credentials that stand in one place of a request."""
    if carrier.query:
        parts = request.target.partition(b"?")[2].split(b"&")
        start = carrier.query.encode() + b"="
        return [
            one[len(start) :].decode("ascii", "replace") for one in parts if one.startswith(start)
        ]
    values = [one.decode("latin-1") for one in request.fields.all(carrier.header.encode())]
    if not carrier.scheme:
        return values
    words = [one.partition(" ") for one in values]
    schemes = {carrier.scheme.lower(), "dpop"}
    return [rest.strip() if word.lower() in schemes else "" for word, _, rest in words]


def _divided(target: str) -> tuple[str, str]:
    """The prefix of a path, and the path behind it."""
    prefix, slash, rest = target[1:].partition("/")
    return prefix, slash + rest


def _dotted(path: str) -> bool:
    return any(part.partition(";")[0] in (".", "..") for part in path.split("/"))


def _within(path: str, allowed: Sequence[str]) -> bool:
    """Whether a path is one of these, or below one that ends in a slash."""
    return any(path == one or (one.endswith("/") and path.startswith(one)) for one in allowed)
