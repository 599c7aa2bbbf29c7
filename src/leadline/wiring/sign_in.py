"""The door of an installation: from a password, key, card, token or credential to a context.

Every context opened here is of the person as the store has it at that moment, with how the person
signed in and what is suspended.
"""

import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from leadline.app import approval, credentials, sign_in
from leadline.app.assertion import Signed
from leadline.app.context import Context
from leadline.app.credentials import Shown
from leadline.app.sign_in import Caller, NotSignedIn, SignedIn
from leadline.core.account import (
    VISIT_LIFE,
    Challenge,
    Credential,
    Method,
    RegisteredKey,
    Session,
    assurance,
)
from leadline.core.approval import Request as ApprovalRequest
from leadline.core.errors import Invalid, NotFound, Refused
from leadline.identity import certificate, dpop, passkey, software_key
from leadline.identity.certificate import Authorities
from leadline.identity.passkey import Site
from leadline.identity.password import Passwords
from leadline.settings import Home
from leadline.wiring.home import Parts, clock, opened

if TYPE_CHECKING:  # its clients take long to import, and few commands ask a provider
    from leadline.identity.oidc import Issuer

SETTINGS = "sign-in.toml"
REGISTER, OIDC = "register-passkey", "oidc"
LOCAL = Site("localhost", "https://localhost:8443")


@dataclass(frozen=True, slots=True)
class Acting:
    """Who a request is by, and through what."""

    ctx: Context
    session: Session | None = None
    credential: Credential | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """What of a request a bound credential is checked against. *certificate* is DER."""

    method: str
    path: str
    proof: str = ""
    certificate: bytes | None = None


@dataclass(frozen=True)
class Door:
    """An installation that people can sign in to."""

    parts: Parts
    site: Site = LOCAL
    passwords: Passwords = field(default_factory=Passwords)
    provider: "Issuer | None" = None
    trusted: Authorities | None = None

    def nobody(self) -> Context:
        """The context of a request before anybody is signed in."""
        return self.parts.context(sign_in.NOBODY)

    def acting(self, token: str) -> Acting:
        """Who a session's token stands for at this moment.

        Raises: NotSignedIn.
        """
        # No wall may hide that something is suspended: the installation itself looks.
        known = sign_in.session_of(replace(self.parts.unasked(), store=self.parts.store), token)
        ctx = replace(
            self.parts.unasked(known.person),
            suspended=known.suspended,
            assurance=assurance(known.session.methods),
            site=self.site.origin,
        )
        return Acting(ctx, known.session)

    def session(self, token: str) -> Session | None:
        """The session of a token, if it counts."""
        return sign_in.looked_up(self.parts.unasked(), token)

    def opened(self, principal_id: str, level: int) -> Context:
        """A person's context, everything read again from the store.

        Raises: NotSignedIn, if there is no such person any more.
        """
        with self.parts.store.read() as view:
            try:
                person = view.principal(principal_id)
            except NotFound:
                raise NotSignedIn("there is no such person any more", ("signed-in",)) from None
        return replace(self.parts.context(person), assurance=level, site=self.site.origin)

    def acting_with(self, secret: str, request: Request) -> Acting:
        """Who a credential stands for, shown with the key it is bound to.

        Raises: NotSignedIn; Denied, without the key; Refused, for a proof that does not hold.
        """
        nobody = self.nobody()
        shown = Shown(secret)
        if request.certificate is not None:
            shown = replace(shown, x5t=dpop.thumbprint(request.certificate))
        if request.proof:
            sent = dpop.Sent(request.method, self.site.origin + request.path, secret)
            proof = dpop.verify(request.proof, sent, nobody.now)
            credentials.spend(nobody, proof.number, dpop.KEEP)
            shown = replace(shown, jkt=proof.jkt)
        found = credentials.used(nobody, shown)
        # A key that is shown is a second factor beside the credential.
        ctx = self.opened(found.holder, 2)
        return Acting(credentials.narrowed(ctx, found), credential=found)

    def by_password(
        self, name: str, password: str, caller: Caller, present: Session | None = None
    ) -> SignedIn:
        """See `leadline.app.sign_in.by_password`."""
        return sign_in.by_password(
            self.nobody(),
            name,
            lambda phc: self.passwords.matches(password, phc),
            lambda: self.passwords.new(password),
            caller,
            present,
        )

    def set_password(self, acting: Acting, password: str) -> None:
        """Set the caller's own password."""
        sign_in.set_password(acting.ctx, self.passwords.new(password))

    def challenge(self) -> tuple[Challenge, bytes, Mapping[str, object]]:
        """A sign-in challenge: itself, the bytes to sign, and what a browser is asked."""
        made = sign_in.challenge(self.nobody(), sign_in.SIGN_IN)
        to_sign = sign_in.to_sign(made)
        return made, to_sign, passkey.assertion_options(self.site, to_sign)

    def by_passkey(
        self, challenge: str, answer: str, caller: Caller, present: Session | None = None
    ) -> SignedIn:
        """Sign in with a browser's assertion."""
        signed = passkey.signed(answer)
        return sign_in.by_key(self.nobody(), challenge, signed, caller, present)

    def ask_passkey(self, acting: Acting) -> tuple[Challenge, Mapping[str, object]]:
        """Begin to register a passkey of one's own."""
        person = acting.ctx.principal
        made = sign_in.challenge(acting.ctx, REGISTER, {"principal": person.id})
        with acting.ctx.store.read() as view:
            keys = [row.value for row in approval.keys_of(view, person.id)]
        known = tuple(key.handle for key in keys if key.method == Method.WEBAUTHN.value)
        to_sign = sign_in.to_sign(made)
        asked = passkey.registration_options(self.site, person.id, person.name, to_sign, known)
        return made, asked

    def add_passkey(self, acting: Acting, challenge: str, answer: str) -> RegisteredKey:
        """Register the passkey that a browser made."""
        ctx = acting.ctx
        made = sign_in.answered(ctx, challenge, REGISTER)
        if made.detail.get("principal") != ctx.principal.id:
            raise Refused("the challenge was another person's")
        key = passkey.registered(
            self.site, ctx.new_id("key"), ctx.principal.id, answer, sign_in.to_sign(made), ctx.now
        )
        approval.register(ctx, key)
        return key

    def add_certificate(self, acting: Acting, der: bytes) -> RegisteredKey:
        """Register one's own card, whose chain must be good."""
        handle = certificate.check(der, self._trusted(), acting.ctx.now)
        ctx = acting.ctx
        key = certificate.registered(ctx.new_id("key"), ctx.principal.id, der, handle, ctx.now)
        approval.register(ctx, key)
        return key

    def by_certificate(
        self, der: bytes, caller: Caller, present: Session | None = None
    ) -> SignedIn:
        """Sign in with the client certificate of the connection."""
        nobody = self.nobody()
        try:
            handle = certificate.check(der, self._trusted(), nobody.now)
        except Refused as error:
            nobody.alarm("sign-in", "principal/unknown", f"a certificate was refused: {error}")
            raise
        return sign_in.by_certificate(nobody, handle, caller, present)

    def begin_oidc(self, redirect: str) -> tuple[str, str]:
        """A visit to the provider: its id, which only this browser gets, and where to go."""
        from leadline.identity import oidc

        visit = oidc.begin(self._provider(), redirect)
        kept = {
            "state": visit.state,
            "nonce": visit.nonce,
            "verifier": visit.verifier,
            "redirect": visit.redirect,
        }
        return sign_in.challenge(self.nobody(), OIDC, kept, VISIT_LIFE).id, visit.url

    def by_oidc(
        self, visit: str, returned: str, caller: Caller, present: Session | None = None
    ) -> SignedIn:
        """Sign in with what the provider sent the browser back with."""
        provider = self._provider()
        return sign_in.by_identity(
            self.nobody(), provider.issuer, self._subject(visit, returned), caller, present
        )

    def link_oidc(self, acting: Acting, visit: str, returned: str) -> None:
        """Link the account at the provider to the caller's own."""
        sign_in.link(acting.ctx, self._provider().issuer, self._subject(visit, returned))

    def approval_options(
        self, acting: Acting, request: ApprovalRequest
    ) -> tuple[bytes, Mapping[str, object]]:
        """What a browser is asked, to sign one request with a passkey of the caller's."""
        with acting.ctx.store.read() as view:
            keys = [row.value for row in approval.keys_of(view, acting.ctx.principal.id)]
        to_sign = approval.challenge(request)
        known = tuple(
            key.handle
            for key in keys
            if key.method == Method.WEBAUTHN.value and key.held(acting.ctx.now)
        )
        return to_sign, passkey.assertion_options(self.site, to_sign, known)

    def _subject(self, visit: str, returned: str) -> str:
        nobody, provider = self.nobody(), self._provider()
        kept = sign_in.answered(nobody, visit, OIDC).detail
        from leadline.identity import oidc

        made = oidc.Visit("", kept["state"], kept["nonce"], kept["verifier"], kept["redirect"])
        return oidc.finish(provider, made, returned, nobody.now)

    def _provider(self) -> "Issuer":
        if self.provider is None:
            raise Refused(f"no OIDC provider is configured; name one in {SETTINGS}")
        return self.provider

    def _trusted(self) -> Authorities:
        if self.trusted is None:
            raise Refused(f"no certificate authority is configured; name one in {SETTINGS}")
        return self.trusted


def door(home: Home, parts: Parts, site: Site | None = None) -> Door:
    """The door of an installation, as its ``sign-in.toml`` says.

    Keys: ``origin`` and ``rp_id``; ``[oidc]`` with ``issuer`` and ``client_id`` (the secret, if any,
    is in ``keys/oidc-client-secret``); ``[certificates]`` with ``roots``, ``revoked``, ``policies``.

    Raises: Invalid, naming file and key.
    """
    path = home.folder / SETTINGS
    told = _settings(path)
    made = Door(parts, site or LOCAL)
    if "origin" in told or "rp_id" in told:
        texts = (told.get("rp_id"), told.get("origin"))
        made = replace(made, site=Site(*(_text(path, "origin and rp_id", one) for one in texts)))
    provider = _table(path, told, "oidc")
    if provider:
        secret = home.keys / "oidc-client-secret"
        from leadline.identity.oidc import Issuer

        issuer = Issuer(
            _text(path, "oidc.issuer", provider.get("issuer")),
            _text(path, "oidc.client_id", provider.get("client_id")),
            secret.read_text().strip() if secret.exists() else "",
        )
        made = replace(made, provider=issuer)
    cards = _table(path, told, "certificates")
    if cards:
        revoked = cards.get("revoked")
        policies = cards.get("policies", [])
        if not isinstance(policies, list):
            raise Invalid(str(path), "certificates.policies: a list of OIDs is due")
        trusted = certificate.authorities(
            home.folder / _text(path, "certificates.roots", cards.get("roots")),
            home.folder / _text(path, "certificates.revoked", revoked) if revoked else None,
            frozenset(_text(path, "certificates.policies", one) for one in policies),
        )
        made = replace(made, trusted=trusted)
    return made


@contextmanager
def at_door(home: Home, site: Site | None = None) -> Iterator[Door]:
    """The door of an installation that exists; raises as `opened`.

    *site* is where it is served, unless its settings name another.
    """
    with opened(home) as parts:
        yield door(home, parts, site)


def sign_in_with_file(
    found: Door, path: Path, caller: Caller, present: Session | None = None
) -> SignedIn:
    """Sign in at this machine with a key file."""
    key = software_key.read(path)
    made, to_sign, _ = found.challenge()
    return sign_in.by_key(found.nobody(), made.id, key.sign(to_sign), caller, present)


def register_file(acting: Acting, path: Path, note: str) -> RegisteredKey:
    """Make a key file, or take the one that is there, and register it as the caller's own."""
    ctx = acting.ctx
    key = software_key.opened(path).registered(ctx.principal.id, ctx.now, note)
    approval.register(ctx, key)
    return key


def signer_of(path: Path) -> Callable[[bytes], Mapping[str, str]]:
    """What signs with a key file, as a server is told it: key, method and signature."""
    key = software_key.read(path)

    def sign(data: bytes) -> Mapping[str, str]:
        signed = key.sign(data)
        return {"key": signed.key, "method": signed.method, **signed.evidence}

    return sign


def sign_request(acting: Acting, request_id: str, path: Path) -> str:
    """Sign one request for approval with a key file; answers the approval's id."""
    key = software_key.read(path)
    request = approval.shown(acting.ctx, request_id).request
    signed = key.sign(approval.challenge(request))
    return approval.approve(acting.ctx, request_id, signed).id


def passkey_signature(acting: Acting, answer: str) -> Signed:
    """A browser's assertion as evidence under the id that the passkey is registered by.

    Raises: NotFound, if it is not one of the caller's.
    """
    signed = passkey.signed(answer)
    with acting.ctx.store.read() as view:
        rows = approval.keys_of(view, acting.ctx.principal.id)
    found = next((row.id for row in rows if row.value.handle == signed.key), None)
    if found is None:
        raise NotFound("you have no such passkey")
    return replace(signed, key=found)


def moment() -> datetime:
    """Now, for the edges that compute an expiry."""
    return clock()


def _settings(path: Path) -> Mapping[str, object]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise Invalid(str(path), f"not TOML: {error}") from None


def _table(path: Path, told: Mapping[str, object], name: str) -> Mapping[str, object]:
    found = told.get(name, {})
    if not isinstance(found, dict):
        raise Invalid(str(path), f"[{name}] is a table")
    return found


def _text(path: Path, name: str, value: object) -> str:
    if not isinstance(value, str) or not value:
        raise Invalid(str(path), f"{name}: a text is due")
    return value
