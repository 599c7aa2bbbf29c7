"""One's own account: what one signs in with, where one is signed in, what one was given until when."""

from collections.abc import Sequence
from dataclasses import dataclass

from leadline.app import approval, credentials, sign_in
from leadline.app.context import Context
from leadline.core.access import Action, Principal
from leadline.core.account import (
    Credential,
    Identity,
    Invitation,
    Password,
    RegisteredKey,
    Session,
)
from leadline.core.grant import Grant


@dataclass(frozen=True, slots=True)
class Account:
    """A person as it sees itself. *codes* are invitations and recoveries that somebody could still use."""

    person: Principal
    password: Password | None
    keys: Sequence[RegisteredKey]
    identities: Sequence[Identity]
    sessions: Sequence[Session]
    credentials: Sequence[Credential]
    grants: Sequence[Grant]
    codes: Sequence[Invitation]

    @property
    def factors(self) -> int:
        """How many different things there are to sign in with."""
        return len(self.keys) + len(self.identities) + (self.password is not None)


def mine(ctx: Context) -> Account:
    """The caller's own account.

    Raises: Denied.
    """
    ctx.require(Action.SESSION_LIST, sign_in.own(ctx))
    me = ctx.principal.id
    with ctx.store.read() as view:
        passwords = [row.value for row in view.find(Password) if row.value.principal == me]
        keys = [row.value for row in approval.keys_of(view, me)]
        identities = [row.value for row in view.find(Identity) if row.value.principal == me]
        given = [row.value for row in view.find(Grant) if row.value.principal == me]
        codes = [row.value for row in view.find(Invitation) if row.value.principal == me]
    return Account(
        ctx.principal,
        passwords[0] if passwords else None,
        sorted((key for key in keys if key.held(ctx.now)), key=lambda key: key.added),
        identities,
        sorted(sign_in.sessions(ctx), key=lambda one: one.seen, reverse=True),
        credentials.mine(ctx),
        sorted((one for one in given if one.stands(ctx.now)), key=lambda one: one.until),
        [
            one
            for one in codes
            if one.ended is None and (ctx.now < one.due or not one.over(ctx.now))
        ],
    )


@dataclass(frozen=True, slots=True)
class SignsInWith:
    """An account as it may leave the installation: nothing in it stands for a secret.

    *given* is what lasts until when, *codes_waiting* how many codes somebody could still use.
    """

    who: Principal
    has_password: bool
    signs_with: tuple[RegisteredKey, ...]
    linked: tuple[Identity, ...]
    given: tuple[Grant, ...]
    codes_waiting: int


def held(ctx: Context) -> SignsInWith:
    """What the caller signs in with, and what it was given until when. Raises: as `mine`."""
    own = mine(ctx)
    return SignsInWith(
        own.person,
        own.password is not None,
        tuple(own.keys),
        tuple(own.identities),
        tuple(own.grants),
        len(own.codes),
    )
