"""The inbox, which is where everything is told; and how to be told that there is something in it."""

from fastapi import APIRouter, Response

from leadline.app import outbox, subscriptions
from leadline.core.attention import Of, Rhythm
from leadline.formats import ics
from leadline.http.pages.frame import SAID, WAYS, Anyone, Me, Posted, Way, again
from leadline.wiring import notify

ROUTES = APIRouter()
WAYS.append(Way("Inbox", "/inbox", frozenset({
    "account-administrator", "administrator", "auditor", "concurring-official", "coordinator",
    "custodian", "determining-official",
    "developer", "developer-security-contact", "evaluation-lead", "evaluator", "finder", "maintainer",
    "operator", "programme-officer", "trusted-partner",
})))  # fmt: skip
SAID["inbox-read"] = "Marked as read."
SAID["inbox-chosen"] = "From now on you are told in this way."
SAID["inbox-again"] = "What was set aside is tried again."
SAID["inbox-rotated"] = "There is a new key. The one before counts until you make another."
SAID["feed-revoked"] = "That calendar address opens nothing any more."
RHYTHMS = (
    (
        Rhythm.NEVER,
        "No mail",
        "You look into the inbox yourself; of a recovery of your account you are still told",
    ),
    (Rhythm.DAILY, "Once a day", "One mail at 07:00 UTC if there is something new"),
    (Rhythm.EACH, "At once", "A mail when something comes, whatever the hour"),
)
# Where a thing stands; what has no page of its own is told of in the inbox alone.
PLACES = {
    Of.ENGAGEMENT: "/engagements/{}",
    Of.CASE: "/cases/{}",
    Of.PERSON: "/account",
    Of.REQUEST: "/approvals/{}",
    Of.CONCERN: "/concerns",
    Of.NOTICE: "/operator/notices/{}",
}


def place(entry: outbox.Entry) -> str:
    """The page of what an item is about; empty, where it may not be known any more."""
    event = entry.item.event
    if entry.known and event.of is Of.PERSON and event.thing != entry.item.person:
        return f"/organisation/people/{event.thing}"
    return PLACES.get(event.of, "").format(event.thing) if entry.known else ""


@ROUTES.get("/inbox")
def inbox(me: Me) -> Response:
    """What happened that is one's business, the newest first."""
    found = [(one, place(one)) for one in outbox.inbox(me.ctx)]
    return me.page("inbox/inbox.html.j2", found=found, parked=outbox.parked(me.ctx))


@ROUTES.post("/inbox/read")
def read(me: Posted) -> Response:
    """Mark items as read."""
    outbox.read(me.ctx, me.form.many("item"))
    return me.go("/inbox", said="inbox-read")


@ROUTES.post("/inbox/parked")
def try_again(me: Posted) -> Response:
    """Try again what was set aside."""
    outbox.retry(me.ctx)
    return me.go("/inbox", said="inbox-again")


@ROUTES.get("/inbox/settings")
def settings(me: Me) -> Response:
    """Mail, webhook and calendar."""
    return _settings(me)


def _settings(me: Me, token: str = "") -> Response:
    wish = subscriptions.wish(me.ctx)
    hooks = notify.keys(me.portal.home, wish) if wish.webhook else ()
    return me.page(
        "inbox/settings.html.j2",
        wish=wish,
        rhythms=RHYTHMS,
        keys=[one.hex() for one in hooks],
        late=outbox.late(me.ctx),
        feeds=subscriptions.feeds(me.ctx),
        token=token,
        mail=notify.server(me.portal.home) is not None,
    )


@ROUTES.post("/inbox/settings")
@again(settings)
def choose(me: Posted) -> Response:
    """Choose how to be told."""
    form = me.form
    mail, hook = form.text("mail", "", longest=320), form.text("webhook", "", longest=500)
    subscriptions.chosen(me.ctx, mail, form.one("rhythm", Rhythm), hook)
    return me.go("/inbox/settings", said="inbox-chosen")


@ROUTES.post("/inbox/settings/key")
def rotate(me: Posted) -> Response:
    """A new key for webhooks."""
    subscriptions.rotated(me.ctx)
    return me.go("/inbox/settings", said="inbox-rotated")


@ROUTES.post("/inbox/settings/feeds")
def new_feed(me: Posted) -> Response:
    """A new calendar address, shown on this page only."""
    return _settings(me, subscriptions.new_feed(me.ctx))


@ROUTES.post("/inbox/settings/feeds/{feed}/end")
def end_feed(feed: str, me: Posted) -> Response:
    """End a calendar address."""
    subscriptions.revoke_feed(me.ctx, feed)
    return me.go("/inbox/settings", said="feed-revoked")


@ROUTES.get("/inbox/{item}")
def one(item: str, me: Me) -> Response:
    """Where a mail leads: one item, after a sign-in."""
    found = outbox.opened(me.ctx, item)
    return me.page("inbox/item.html.j2", found=found, place=place(found))


@ROUTES.get("/calendars/{token}")
def calendar(token: str, visit: Anyone) -> Response:
    """A calendar's dates for whoever has its address: when, never what."""
    portal = visit.portal
    content = notify.calendar(
        portal.door.parts, portal.home, portal.library, token.removesuffix(".ics")
    )
    return Response(content, media_type=ics.MEDIA_TYPE)
