"""How a person wants to be told beside the inbox: mail, a webhook, a calendar by a feed that can be revoked."""

import re
import secrets
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from leadline.app.context import OWN, Context
from leadline.app.ports import Stored, maybe
from leadline.app.sign_in import hashed
from leadline.core.access import Action, Bounds, Resource
from leadline.core.attention import Feed, Rhythm, Wish
from leadline.core.engagement.calendar import Dated
from leadline.core.errors import Invalid, NotFound

ADDRESS = re.compile(r"[A-Za-z0-9._%+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z]{2,63}", re.ASCII)
URL_MAX = 500
SHOWN_MAX = 1_000
REMEMBERED = timedelta(days=30)


def wish(ctx: Context) -> Wish:
    """What the caller wishes so far."""
    ctx.require(Action.SESSION_LIST, _own(ctx))
    with ctx.store.read() as view:
        row = maybe(view, Wish, ctx.principal.id)
    return row.value if row else Wish(ctx.principal.id)


def chosen(ctx: Context, mail: str, rhythm: Rhythm, webhook: str) -> Wish:
    """Choose how to be told.

    Raises: Invalid, naming the field, for what is no address of mail, or no https address.
    """
    if mail and not ADDRESS.fullmatch(mail):
        raise Invalid("mail", "is no address of mail, such as name@example.org")
    if rhythm is not Rhythm.NEVER and not mail:
        raise Invalid("mail", "give the address that mail is to go to, or choose no mail")
    if webhook:
        check_url(webhook)
    return _put(ctx, replace(wish(ctx), mail=mail, rhythm=rhythm, webhook=webhook))


def check_url(url: str) -> None:
    """Return if a webhook may have this address, as far as its text tells.

    Raises: Invalid.
    """
    problem = "is no plain https address, such as https://example.org/leadline"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise Invalid("webhook", problem) from None
    plain = url.isascii() and url.isprintable() and " " not in url and len(url) <= URL_MAX
    if parts.scheme != "https" or not parts.hostname or "@" in parts.netloc or not plain:
        raise Invalid("webhook", problem)
    if parts.fragment or port == 0:
        raise Invalid("webhook", problem)


def rotated(ctx: Context) -> Wish:
    """A new key for webhooks; the one before counts until the next rotation."""
    now = wish(ctx)
    return _put(ctx, replace(now, generation=now.generation + 1))


def _put(ctx: Context, made: Wish) -> Wish:
    with ctx.store.write() as tx:
        row = maybe(tx, Wish, made.person)
        bounds = Bounds(owner=made.person)
        tx.put(made.person, made, marking=OWN, bounds=bounds, expect=row.version if row else None)
    return made


def feeds(ctx: Context) -> tuple[Stored[Feed], ...]:
    """The caller's calendar feeds, without their addresses, which nobody can be shown again."""
    ctx.require(Action.SESSION_LIST, _own(ctx))
    with ctx.store.read() as view:
        return tuple(row for row in view.find(Feed) if row.value.person == ctx.principal.id)


def new_feed(ctx: Context) -> str:
    """The token of a new calendar feed, shown once. It opens the caller's neutral dates and nothing else."""
    ctx.require(Action.SESSION_LIST, _own(ctx))
    token = secrets.token_urlsafe(32)
    made = Feed(ctx.principal.id, ctx.now)
    with ctx.store.write() as tx:
        tx.put(hashed(token), made, marking=OWN, bounds=Bounds(owner=ctx.principal.id))
    return token


def revoke_feed(ctx: Context, feed: str) -> None:
    """End one feed at once.

    Raises: NotFound, also for somebody else's.
    """
    if feed not in {row.id for row in feeds(ctx)}:
        raise NotFound("there is no such feed, or it is not yours")
    with ctx.store.write() as tx:
        tx.remove(Feed, feed)


def feed_of(ctx: Context, token: str) -> Stored[Feed]:
    """The feed behind a token; *ctx* is nobody's, with the installation's own eyes.

    Raises: NotFound.
    """
    with ctx.store.read() as view:
        row = maybe(view, Feed, hashed(token))
    if row is None:
        raise NotFound("there is no such feed")
    return row


def called_off(
    ctx: Context, row: Stored[Feed], found: Sequence[Dated]
) -> tuple[tuple[str, datetime, int], ...]:
    """Id, time and count of moves of what the feed showed before and what is no more; it is called off.

    The feed remembers what it shows now. What is long past is forgotten.
    """
    now = {one.id for one in found}
    since = ctx.now - REMEMBERED
    gone = tuple(one for one in row.value.shown if one[0] not in now and one[1] >= since)
    shown = (*((one.id, one.at, one.moved) for one in found), *gone)[:SHOWN_MAX]
    if shown != row.value.shown:
        with ctx.store.write() as tx:
            again = replace(row.value, shown=shown)
            tx.put(row.id, again, marking=OWN, bounds=row.bounds, expect=row.version)
    return gone


def _own(ctx: Context) -> Resource:
    return Resource("session", ctx.principal.id, org=ctx.principal.org, owner=ctx.principal.id)
