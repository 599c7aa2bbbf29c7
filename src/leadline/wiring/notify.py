"""Telling people: acts become items, items go out by mail and webhook, calendars are handed out.

Where mail is handed in stands in ``mail.toml`` of the installation (host, port, sender, starttls, user), the
password in ``keys/mail-password``, names of webhook receivers inside in ``webhook.toml`` (allowed). Keys of
webhooks come from one secret in ``keys/webhook.key``, so that no row holds one.
"""

import hmac
import secrets
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from leadline.app import dates, outbox, subscriptions
from leadline.app.context import Context
from leadline.app.outbox import Due
from leadline.app.sign_in import NOBODY
from leadline.core.attention import Channel, Wish
from leadline.core.engagement.library import Library
from leadline.core.errors import Invalid, NotFound, Refused, Unavailable
from leadline.formats import ics
from leadline.notify import mail, webhook
from leadline.notify.mail import Server
from leadline.notify.webhook import Egress, Hook
from leadline.settings import Home
from leadline.wiring.duties import law
from leadline.wiring.home import Parts
from leadline.wiring.log import locked, write

MAIL, PASSWORD, HOOK, HOOK_KEY = "mail.toml", "mail-password", "webhook.toml", "webhook.key"
KEY_BYTES = 32
ROUNDS_MAX = 1_000
Send = Callable[[Due], None]


def own_eyes(parts: Parts) -> Context:
    """The installation's own context, which sees who is to be told of what."""
    return replace(parts.context(NOBODY), store=parts.store)


def server(home: Home) -> Server | None:
    """Where mail is handed in; None, where no mail is set up.

    Raises: Invalid, naming file and key.
    """
    told = _table(home.folder / MAIL)
    if not told:
        return None
    file = str(home.folder / MAIL)
    texts = {name: told.get(name, "") for name in ("host", "sender", "user")}
    for name, value in texts.items():
        if not isinstance(value, str) or (name != "user" and not value):
            raise Invalid(file, f"{name}: a text is due")
    port, starttls = told.get("port", 587), told.get("starttls", True)
    if not isinstance(port, int) or isinstance(port, bool) or not isinstance(starttls, bool):
        raise Invalid(file, "port is a number, starttls is true or false")
    if not subscriptions.ADDRESS.fullmatch(str(texts["sender"])):
        raise Invalid(file, "sender: an address of mail is due")
    secret = home.keys / PASSWORD
    password = secret.read_text().strip() if secret.exists() else ""
    return Server(
        str(texts["host"]), port, str(texts["sender"]), starttls, str(texts["user"]), password
    )


def egress(home: Home) -> Egress:
    """How webhooks leave; names inside only if ``webhook.toml`` names them.

    Raises: Invalid, naming file and key.
    """
    allowed = _table(home.folder / HOOK).get("allowed", [])
    if not isinstance(allowed, list) or not all(isinstance(one, str) for one in allowed):
        raise Invalid(str(home.folder / HOOK), "allowed: a list of names is due")
    return Egress(frozenset(allowed))


def _table(path: Path) -> Mapping[str, object]:
    try:
        return tomllib.loads(path.read_text("utf-8")) if path.exists() else {}
    except ValueError as error:
        raise Invalid(str(path), f"not TOML: {error}") from None


def keys(home: Home, wish: Wish) -> tuple[bytes, ...]:
    """The keys that a person's webhooks are signed with: the newest, and the one before it."""
    place = home.keys / HOOK_KEY
    with locked(home.keys / "webhook.lock"):
        if not place.exists():
            write(place, secrets.token_bytes(KEY_BYTES), 0o600)
    secret = place.read_bytes()
    generations = [one for one in (wish.generation, wish.generation - 1) if one > 0]
    told = (f"leadline/webhook/v1/{wish.person}/{one}".encode() for one in generations)
    return tuple(hmac.digest(secret, one, "sha256") for one in told)


@dataclass(frozen=True, slots=True)
class Told:
    """What one round did: acts looked at, deliveries made, and those to try again later."""

    acts: int
    sent: int
    later: int


@dataclass(frozen=True, slots=True)
class Notifier:
    """One installation's deliveries. Two that run at once may deliver twice, never less than once."""

    parts: Parts
    home: Home
    origin: str
    hooks: Egress = field(default_factory=Egress)

    def once(self) -> Told:
        """Gather everything and deliver what is due."""
        ctx, acts, sent, failed = own_eyes(self.parts), 0, 0, 0
        for _ in range(ROUNDS_MAX):
            found = outbox.gather(ctx, self.parts.context)
            acts += found
            if found == 0:
                break
        behind = set[tuple[str, Channel, str]]()
        for one in outbox.due(own_eyes(self.parts), self.parts.context):
            lines = {(one.wish.person, one.channel, each.thing) for each in one.sendings}
            if lines & behind:
                continue  # what came before it about the same thing did not get through
            problem = self._problem(one)
            outbox.settled(own_eyes(self.parts), one, problem)
            sent, failed = sent + (not problem), failed + bool(problem)
            behind |= lines if problem else set()
        return Told(acts, sent, failed)

    def _problem(self, one: Due) -> str:
        """Why one delivery did not get through; empty, if it did."""
        try:
            self._send(one)
        except (Unavailable, Refused, Invalid) as error:
            return str(error)
        return ""

    def _send(self, one: Due) -> None:
        now, item = own_eyes(self.parts).now, one.sendings[-1].item
        if one.channel is Channel.MAIL:
            to = server(self.home)
            if to is None:
                raise Unavailable("no mail is set up at this installation")
            mail.send(to, mail.message(to, one.wish.mail, self.origin, item, now))
            return
        hook = Hook(one.wish.webhook, one.sendings[0].item, now, keys(self.home, one.wish))
        webhook.post(hook, self.hooks)


def calendar(parts: Parts, home: Home, texts: Library, token: str) -> bytes:
    """The calendar behind a feed's token: neutral dates of the person who made it, read anew.

    Raises: NotFound, for a token that there is not, or whose person may not be here any more.
    """
    own = own_eyes(parts)
    row = subscriptions.feed_of(own, token)
    with parts.store.read() as view:
        person = view.principal(row.value.person)
    ctx = replace(parts.context(person), assurance=outbox.SIGNED_IN)
    over = person.access_until is not None and person.access_until <= ctx.now
    if person.suspended or over:
        raise NotFound("there is no such feed")
    found = dates.mine(ctx, law(home, texts))
    return ics.neutral(found, subscriptions.called_off(own, row, found), ctx.now)
