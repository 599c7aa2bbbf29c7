"""From acts to inboxes, and from inboxes outward. The log is the outbox.

An act is durable together with what it changes, and acts have one order; so no second row is needed to
remember that somebody is to be told. `gather` turns the acts after the last one it saw into items, in one
transaction with where it got to. `outward` then hands out what is due and settles each delivery.

Whom to tell is asked of the rules, when an item is made and again when it goes out. Nothing of what an item
is about leaves but the item's own id.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256

from leadline.app import approval, delegation
from leadline.app.context import OWN, Context
from leadline.app.ports import Reading, Stored, maybe
from leadline.core.access import Action, Bounds, Circumstances, Principal, Resource
from leadline.core.attention import (
    EVENTFUL,
    OVERSEEN,
    Channel,
    Event,
    Item,
    Of,
    Reached,
    Sending,
    Wish,
    event,
)
from leadline.core.clause import Clause, Fact, one_of
from leadline.core.clearing.case_file import CaseFile
from leadline.core.clearing.delivery import Delivery
from leadline.core.clearing.finding import Finding
from leadline.core.engagement.concern import Concern
from leadline.core.engagement.engagement import Engagement
from leadline.core.errors import LeadlineError, NotFound, Stale
from leadline.core.grant import Grant, with_grants
from leadline.core.organisation import administers

ACTS_MAX = 2_000
ITEMS_SHOWN = 200
CURSOR = "outbox"
SIGNED_IN = (
    3  # what is told says nothing, so that the strictest sign-in may be assumed to decide on it
)
STORED: dict[Of, tuple[type, Action]] = {
    Of.ENGAGEMENT: (Engagement, Action.ENGAGEMENT_READ),
    Of.CASE: (CaseFile, Action.CASE_READ),
    Of.FINDING: (Finding, Action.FINDING_READ),
    Of.NOTICE: (Delivery, Action.NOTICE_READ),
    Of.CONCERN: (Concern, Action.CONCERN_READ),
}
PeopleOf = Callable[[Principal], Context]


def gather(ctx: Context, context: PeopleOf) -> int:
    """Make items of the acts that came since; answers how many acts were passed, eventful or not.

    *ctx* reads with the installation's own eyes; *context* opens a person's. Two that run at once make
    each item once: the second finds the cursor moved.
    """
    with ctx.store.read() as view:
        row = maybe(view, Reached, CURSOR)
        since = row.value.leaf if row else 0
        found = view.acts(kind=EVENTFUL, since=since, most=ACTS_MAX)
        until = found[-1].index + 1 if len(found) == ACTS_MAX else view.log_size()
        if until == since:
            return 0
        made = [
            (each, one.index)
            for one in found
            if (each := event(one.act)) is not None
        ]  # fmt: skip
        crowd = _crowd(ctx, view, context) if made else _Crowd((), {}, context)
        things = _things(view, {each for each, _ in made})
        told = [
            (each, leaf, tuple(_recipients(view, each, things.get(each), crowd)))
            for each, leaf in made
        ]
        wishes = {one.value.person: one.value for one in view.find(Wish)}
    reached, looked = Reached(until), until - since
    try:
        with ctx.store.write() as tx:
            tx.put(CURSOR, reached, marking=OWN, expect=row.version if row else None)
            for each, leaf, people in told:
                for person in people:
                    item = Item(_id(each.act, person), person, each, leaf)
                    tx.put(item.id, item, marking=OWN, bounds=Bounds(owner=person))
                    wish = wishes.get(person, Wish(person))
                    for one in _sendings(item, wish, ctx.now):
                        tx.put(one.id, one, marking=OWN, bounds=Bounds(owner=person))
    except Stale:  # another loop made these items
        looked = 0
    return looked


def _sendings(item: Item, wish: Wish, now: datetime) -> Iterator[Sending]:
    thing = f"{item.event.of}/{item.event.thing}"
    kind = item.event.kind
    for channel in wish.channels(kind):
        yield Sending(item.id, item.person, thing, channel, now, wish.due(channel, now, kind))


def _id(act: str, person: str) -> str:
    """Nobody reads an act or a person from it."""
    return f"item-{sha256(f'{act}/{person}'.encode()).hexdigest()[:32]}"


@dataclass(frozen=True, slots=True)
class _Crowd:
    """Everybody who is here, by what can make an event their business; the rules are asked after that.

    *named* holds them by scope and name: person, org, engagement, case. *opened* is their own context,
    for what must be asked as they would ask it.
    """

    everybody: Sequence[Context]
    named: Mapping[tuple[str, str], Sequence[Context]]
    opened: PeopleOf

    def near(self, each: Event, thing: Resource | None) -> Iterable[Context]:
        """Those whose business an event may be; never fewer than `concerns` says."""
        if each.of is Of.REQUEST:
            return [self.opened(one.principal) for one in self.everybody]
        if each.of is Of.PERSON:
            over = self.everybody if each.kind in OVERSEEN else ()
            own = self.named.get(("person", each.thing), ())
            return [*own, *(one for one in over if one.principal.id != each.thing)]
        if thing is None:
            return ()
        facts = {
            Of.ENGAGEMENT: (("engagement", thing.id), ("org", thing.org)),
            Of.CASE: (("case", thing.case),),
            Of.FINDING: (("person", thing.owner),),
            Of.NOTICE: (("org", thing.org),),
            Of.CONCERN: (("person", thing.owner),),
        }[each.of]
        found = (one for fact in facts for one in self.named.get(fact, ()))
        return {one.principal.id: one for one in found}.values()


def _crowd(ctx: Context, view: Reading, context: PeopleOf) -> _Crowd:
    """Everybody as rules see them now, read at once: a notice can be for many thousands."""
    grants = defaultdict[str, list[Grant]](list)
    for row in view.find(Grant):
        grants[row.value.principal].append(row.value)
    everybody, named = list[Context](), defaultdict[tuple[str, str], list[Context]](list)
    for one in view.principals():
        if one.suspended:
            continue
        person = with_grants(one, grants.get(one.id, ()), ctx.now)
        here = replace(ctx, principal=person)
        everybody.append(here)
        facts = [("person", person.id), ("org", person.org)]
        facts += [("engagement", name) for name in person.engagements]
        for fact in (*facts, *(("case", name) for name in person.cases)):
            named[fact].append(here)
    return _Crowd(everybody, named, context)


def _recipients(view: Reading, each: Event, thing: Resource | None, crowd: _Crowd) -> Iterator[str]:
    for ctx in crowd.near(each, thing):
        own = each.of is Of.PERSON and each.thing == ctx.principal.id
        if (own or ctx.principal.id != each.actor) and concerns(ctx, view, each, thing):
            yield ctx.principal.id


def concerns(ctx: Context, view: Reading, each: Event, thing: Resource | None) -> bool:
    """Whether an event about *thing* is this person's business, and the rules let the person know of it now.

    Who may read everything, such as an auditor, is not told of everything: it is the business of those
    who are named for the thing, or whose it is.
    """
    person, of = ctx.principal, each.of
    if person.access_until is not None and person.access_until <= ctx.now:
        return False
    if of is Of.PERSON:
        return each.thing == person.id or _oversees(ctx, view, each)
    if of is Of.REQUEST:
        return _may_sign(ctx, each.thing)
    if thing is None:
        return False
    business = {
        Of.ENGAGEMENT: thing.id in person.engagements or (thing.org == person.org != ""),
        Of.CASE: thing.case in person.cases,
        Of.FINDING: thing.owner == person.id,
        Of.NOTICE: thing.org == person.org != "",
        Of.CONCERN: thing.owner == person.id,
    }
    given = Circumstances(ctx.now, assurance=SIGNED_IN, suspended=ctx.suspended)
    return business[of] and ctx.access.decide(person, STORED[of][1], thing, given).allowed


def _oversees(ctx: Context, view: Reading, each: Event) -> bool:
    """Whether it is about somebody of the organisation whose accounts this person looks after."""
    if each.kind not in OVERSEEN or not administers(ctx.principal, ctx.now):
        return False
    about = delegation.known(view, each.thing)
    return about is not None and about.org == ctx.principal.org


def _things(view: Reading, events: AbstractSet[Event]) -> Mapping[Event, Resource]:
    """What rules are asked about, of those events that are about something stored; all of a kind at once."""
    found = dict[Event, Resource]()
    for of, (kind, _) in STORED.items():
        mine = [each for each in events if each.of is of]
        stored: Sequence[Stored[object]] = view.among(kind, {each.thing for each in mine})
        rows = {row.id: row.thing(of.value) for row in stored}
        if of is Of.CASE:
            rows = {id_: replace(thing, case=thing.case or id_) for id_, thing in rows.items()}
        found |= {each: rows[each.thing] for each in mine if each.thing in rows}
    return found


def _may_sign(ctx: Context, request: str) -> bool:
    try:
        waiting = approval.waiting(ctx)
    except LeadlineError:  # whoever may not list requests signs none
        waiting = []
    return any(one.request.id == request for one in waiting)


@dataclass(frozen=True, slots=True)
class Due:
    """What goes out together: one mail may stand for several items. *wish* says where to."""

    channel: Channel
    wish: Wish
    sendings: tuple[Sending, ...]


def due(ctx: Context, context: PeopleOf) -> tuple[Due, ...]:
    """What is to go out now, in the order of things that happened.

    What waits behind an earlier delivery about the same thing is not due before that one. What a person
    may not know of any more, or no longer wishes to be told, is dropped.
    """
    groups = dict[tuple[str, Channel, str], list[Sending]]()
    with ctx.store.read() as view:
        waiting = [row.value for row in view.find(Sending) if not row.value.parked]
        wishes = {one.value.person: one.value for one in view.find(Wish)}
        items = {row.id: row.value for row in view.among(Item, {one.item for one in waiting})}
        people = {one: _person(view, context, one) for one in {each.person for each in waiting}}
        things = _things(view, {one.event for one in items.values()})

        def wanted(one: Sending) -> bool:
            item, who, wish = items.get(one.item), people[one.person], wishes.get(one.person)
            if item is None or who is None or wish is None:
                return False
            told, thing = wish.channels(item.event.kind), things.get(item.event)
            return one.channel in told and concerns(who, view, item.event, thing)

        kept = [one for one in waiting if wanted(one)]
        behind = set[tuple[str, Channel, str]]()
        for one in sorted(kept, key=lambda one: items[one.item].leaf):
            line = (one.person, one.channel, one.thing)
            if one.due > ctx.now or line in behind:
                behind.add(line)
                continue
            together = one.channel is Channel.MAIL
            groups.setdefault((one.person, one.channel, "" if together else one.item), []).append(
                one
            )
    _drop(ctx, set(waiting) - set(kept))
    return tuple(
        Due(channel, wishes[person], tuple(some)) for (person, channel, _), some in groups.items()
    )


def _person(view: Reading, context: PeopleOf, id_: str) -> Context | None:
    person: Principal | None
    try:
        person = view.principal(id_)
    except NotFound:  # who is no longer here is told nothing
        person = None
    return None if person is None or person.suspended else context(person)


def _drop(ctx: Context, dropped: Iterable[Sending]) -> None:
    for one in dropped:
        with ctx.store.write() as tx:
            if maybe(tx, Sending, one.id) is not None:
                tx.remove(Sending, one.id)


def settled(ctx: Context, one: Due, problem: str = "") -> None:
    """After a try: it was delivered, or *problem* says why not, and it is tried again later."""
    with ctx.store.write() as tx:
        for sending in one.sendings:
            row = maybe(tx, Sending, sending.id)
            if row is None:
                continue
            if problem:
                failed = row.value.failed(ctx.now, problem)
                tx.put(row.id, failed, marking=OWN, bounds=row.bounds, expect=row.version)
                continue
            tx.remove(Sending, sending.id)
            item = tx.get(Item, sending.item)
            told = (*item.value.told, (sending.channel.value, ctx.now))
            done = replace(item.value, told=told)
            tx.put(item.id, done, marking=OWN, bounds=item.bounds, expect=item.version)


@dataclass(frozen=True, slots=True)
class Entry:
    """One item as its person sees it. *known* is whether the thing may still be known; else no more is said."""

    item: Item
    known: bool


def inbox(ctx: Context) -> tuple[Entry, ...]:
    """The caller's own items, the newest first, each asked of the rules anew."""
    ctx.require(Action.SESSION_LIST, _own(ctx))
    with ctx.store.read() as view:
        rows = [row.value for row in view.find(Item, visible=_of_owner(ctx))]
        rows = sorted(rows, key=lambda one: one.leaf, reverse=True)[:ITEMS_SHOWN]
        things = _things(view, {one.event for one in rows})

        def known(each: Event) -> bool:
            """Whether the thing may still be known; a request tells no more than that there was one."""
            return each.of is Of.REQUEST or concerns(ctx, view, each, things.get(each))

        return tuple(Entry(one, known(one.event)) for one in rows)


def opened(ctx: Context, item_id: str) -> Entry:
    """One of the caller's items.

    Raises: NotFound, also for somebody else's.
    """
    found = next((one for one in inbox(ctx) if one.item.id == item_id), None)
    if found is None:
        raise NotFound("there is no such item, or it is not yours")
    return found


def read(ctx: Context, item_ids: Sequence[str]) -> None:
    """Mark some of the caller's own items as read; others are passed over."""
    ctx.require(Action.SESSION_LIST, _own(ctx))
    with ctx.store.write() as tx:
        for id_ in item_ids:
            row = maybe(tx, Item, id_)
            if row is not None and row.value.person == ctx.principal.id and row.value.read is None:
                seen = replace(row.value, read=ctx.now)
                tx.put(id_, seen, marking=OWN, bounds=row.bounds, expect=row.version)


def late(ctx: Context) -> tuple[Sending, ...]:
    """The caller's deliveries that did not get through so far: tried again, or tried no more."""
    ctx.require(Action.SESSION_LIST, _own(ctx))
    with ctx.store.read() as view:
        found = [row.value for row in view.find(Sending, visible=_of_owner(ctx))]
    return tuple(sorted((one for one in found if one.attempts), key=lambda one: one.since))


def parked(ctx: Context) -> tuple[Sending, ...]:
    """The caller's deliveries that are tried no more."""
    ctx.require(Action.SESSION_LIST, _own(ctx))
    with ctx.store.read() as view:
        found = [row.value for row in view.find(Sending, visible=_of_owner(ctx))]
    return tuple(one for one in found if one.parked)


def retry(ctx: Context) -> int:
    """Try the caller's parked deliveries again from now on; answers how many."""
    found = parked(ctx)
    with ctx.store.write() as tx:
        for one in found:
            row = tx.get(Sending, one.id)
            fresh = replace(row.value, since=ctx.now, due=ctx.now, attempts=0, parked=False)
            tx.put(row.id, fresh, marking=OWN, bounds=row.bounds, expect=row.version)
    return len(found)


def _of_owner(ctx: Context) -> Clause:
    return one_of(Fact.OWNER, [ctx.principal.id])


def _own(ctx: Context) -> Resource:
    return Resource("session", ctx.principal.id, org=ctx.principal.org, owner=ctx.principal.id)
