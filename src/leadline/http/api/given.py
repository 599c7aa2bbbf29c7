"""What an installation gives a use case that is called over HTTP, as its commands give it."""

from collections.abc import Callable, Iterable, Mapping

from leadline.app import approval, notices
from leadline.app.check import Shelved
from leadline.app.engagement import Dealings
from leadline.app.inquiry import fresh
from leadline.app.moment import known_zone
from leadline.app.obligations import Law
from leadline.app.ports import KeyStore
from leadline.app.priority import Lists
from leadline.app.vaulting import Material
from leadline.client.shape import Field, Hint
from leadline.core.access import Action
from leadline.core.approval import Granted, Request
from leadline.core.engagement.library import Library
from leadline.core.engagement.regime import Regime
from leadline.core.engagement.register import EntryKind
from leadline.core.errors import Unavailable
from leadline.core.sealed.exposure import Limits
from leadline.formats.questions_toml import Question
from leadline.formats.roles_toml import Role
from leadline.wiring import (
    cases,
    check,
    duties,
    intake,
    lists,
    people,
    regimes,
    register,
    sealed,
    vault,
)
from leadline.wiring.desk import AtDesk


def _keys(desk: AtDesk) -> KeyStore:
    if desk.parts.keys is None:
        raise Unavailable("the keys of this installation are not here")
    return desk.parts.keys


KNOWN: Mapping[Hint, Callable[[AtDesk], object]] = {
    Library: lambda desk: desk.library,
    Law: lambda desk: duties.law(desk.home, desk.library),
    Lists: lambda desk: lists.kept(desk.ctx, desk.home),
    Limits: lambda _: sealed.limits(),
    KeyStore: _keys,
    KeyStore | None: lambda desk: desk.parts.keys,
    Mapping[str, Role]: lambda _: people.roles(),
    Mapping[str, EntryKind]: lambda desk: register.kinds(desk.home.folder / "register"),
    Iterable[Regime]: lambda desk: duties.law(desk.home, desk.library).texts(),
    tuple[Question, ...]: lambda _: regimes.questions(),
    Shelved: lambda desk: check.imported(desk.home),
}


def known(desk: AtDesk, parameter: str, hint: Hint) -> object:
    """What the installation knows by itself."""
    if parameter == "sectors":
        return tuple(notices.sectors())
    if parameter == "folder":  # where copies of what is published lie; no caller names a place
        return intake.published(desk.home)
    return KNOWN[hint](desk)


def about(desk: AtDesk, hint: Hint, path: Mapping[str, str]) -> object:
    """The dealings, or the material, that a path is about.

    Raises: NotFound, also for what this person may not know of; Invalid, for an owner there is not.
    """
    if hint is Dealings:
        return desk.dealings(path["engagement"])
    on = intake.dealing(desk.ctx, path["engagement"])
    if hint is Material:
        return vault.material(desk.parts.store, on.engagement, path["owner"])
    return on


def _unsigned(desk: AtDesk, one: Field) -> Granted | None:
    """What counts for no act: nobody signed anything. The rules and the use case say what is missing."""
    if one.hint is not Granted:
        return None
    who = desk.ctx.principal.id
    nothing = Request("", Action.RECORD_READ, "", "", "", who, desk.ctx.now, "")
    return Granted(nothing, frozenset(), asserted=False)


def named(desk: AtDesk, one: Field, text: str) -> object:
    """What a text names: a regime, a disclosure policy, a time zone, a request that was signed.

    Raises: NotFound, Invalid and Refused, as whatever looks it up.
    """
    if one.name == "approval":
        return approval.granted(desk.ctx, text) if text else _unsigned(desk, one)
    if one.hint is Dealings:
        return fresh(desk.ctx, desk.library, text)
    if one.hint is Regime:
        return desk.library.newest(text)
    if one.name == "engagement":
        return desk.dealings(text) if text else None
    if one.name == "zone":
        return known_zone("zone", text)
    return cases.disclosure(desk.home, text)
