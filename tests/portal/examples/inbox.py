"""One's own inbox, how one is told, and a calendar by its address."""

from leadline.app import outbox, subscriptions
from leadline.wiring import notify
from portal.examples import EVERYBODY, SIGNED_IN, Example
from portal.world import World

EVALUATOR = frozenset({"evaluator"})


def build(world: World) -> None:
    """What happened so far is in inboxes; the evaluator follows a calendar."""
    parts = world.at.door.parts
    while outbox.gather(notify.own_eyes(parts), parts.context):
        pass
    evaluator = world.ctx("evaluator")
    world.ids["item"] = outbox.inbox(evaluator)[0].item.id
    world.ids["token"] = subscriptions.new_feed(evaluator)
    world.ids["feed"] = subscriptions.feeds(evaluator)[0].id


EXAMPLES = {
    "GET /register.atom": Example("/register.atom", EVERYBODY),
    "GET /inbox": Example("/inbox", SIGNED_IN),
    "POST /inbox/read": Example("/inbox/read", SIGNED_IN),
    "POST /inbox/parked": Example("/inbox/parked", SIGNED_IN),
    "GET /inbox/settings": Example("/inbox/settings", SIGNED_IN),
    "POST /inbox/settings": Example(
        "/inbox/settings", SIGNED_IN, {"rhythm": "each", "mail": "a@b.example", "webhook": ""}
    ),
    "POST /inbox/settings/key": Example("/inbox/settings/key", SIGNED_IN),
    "POST /inbox/settings/feeds": Example("/inbox/settings/feeds", SIGNED_IN),
    "POST /inbox/settings/feeds/{feed}/end": Example("/inbox/settings/feeds/{feed}/end", EVALUATOR),
    "GET /inbox/{item}": Example("/inbox/{item}", EVALUATOR),
    # An address is a password: whoever has it sees the times.
    "GET /calendars/{token}": Example("/calendars/{token}", EVERYBODY),
}
