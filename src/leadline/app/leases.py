"""Scan leases at the desk: taking, renewing and closing one's own; nobody learns who else is looking."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from leadline.app.context import Context
from leadline.app.ports import Reading
from leadline.core.access import Action, Resource
from leadline.core.clearing import lease as core
from leadline.core.clearing.lease import (
    Answer,
    Fault,
    Lease,
    Month,
    RunManifest,
    Standing,
    Target,
    Tree,
)
from leadline.core.errors import Invalid, NotFound, Refused
from leadline.core.marking import Marking, Tlp
from leadline.core.record.act import Kind, instant

OWN, PUBLIC = Marking(Tlp.AMBER_STRICT), Marking(Tlp.CLEAR)


@dataclass(frozen=True, slots=True)
class Taken:
    """A lease that was taken, and what the registry says of others on the same target."""

    lease: Lease
    answer: Answer


def ask(ctx: Context, target: Target, tree: Tree | None = None) -> Answer:
    """What the registry says of others on a target, without taking a lease.

    Raises: Denied; Invalid, listing every fault.
    """
    ctx.require(Action.LEASE_TAKE, _thing(ctx, "new"))
    blocks = _blocks(target, tree, core.faults(target, ctx.now, ctx.now + core.SHORTEST, 1))
    with ctx.store.read() as view:
        return _answer(ctx, view, target, blocks)


def take(
    ctx: Context,
    target: Target,
    tree: Tree | None = None,
    *,
    hours: int,
    effort_hours: int,
    family: str = "",
) -> Taken:
    """Say that one means to look at a target; it keeps nobody else from looking.

    Raises: Denied; Invalid, listing every fault; Refused, if this finder has its number open already.
    """
    ctx.require(Action.LEASE_TAKE, _thing(ctx, "new"))
    until = ctx.now + timedelta(hours=hours)
    blocks = _blocks(target, tree, core.faults(target, ctx.now, until, effort_hours))
    me = ctx.principal.id
    made = Lease(ctx.new_id("lease"), me, target, blocks, effort_hours, ctx.now, until, family)
    with ctx.store.write() as tx:
        if core.open_leases(_all(ctx, tx), me) >= core.OPEN_MAX:
            problem = f"{core.OPEN_MAX} leases are open already; close one, or let it end"
            raise Refused(problem)
        answered = _answer(ctx, tx, target, blocks)
        tx.record(ctx.act(Kind.LEASE_TAKEN, made.id, "", **core.detail(made)))
    return Taken(made, answered)


def renew(ctx: Context, lease_id: str, *, hours: int) -> Standing:
    """Let an open lease run on for some hours from now.

    Raises: NotFound; Denied; Invalid, for a time outside the limits; Refused, if it is not open.
    """
    held = _own(ctx, lease_id)
    ctx.require(Action.LEASE_TAKE, _thing(ctx, lease_id, held.lease.finder))
    until = ctx.now + timedelta(hours=hours)
    _raise(
        [one for one in core.faults(held.lease.target, ctx.now, until, 1) if one.place == "/until"]
    )
    with ctx.store.write() as tx:
        _still_open(_all(ctx, tx)[lease_id])
        tx.record(ctx.act(Kind.LEASE_RENEWED, lease_id, "", until=instant(until)))
    return show(ctx, lease_id)


def close(ctx: Context, lease_id: str, manifest: RunManifest | None) -> Standing:
    """Close a lease; only a manifest that proves the run counts as coverage. A poor one is kept too.

    Raises: NotFound; Denied; Refused, if it was closed before.
    """
    held = _own(ctx, lease_id)
    ctx.require(Action.LEASE_TAKE, _thing(ctx, lease_id, held.lease.finder))
    with ctx.store.write() as tx:
        if any(one.act.kind is Kind.LEASE_CLOSED for one in tx.acts(about=lease_id)):
            raise Refused(f"{lease_id} was closed before")
        told = core.manifest_detail(manifest) if manifest else {}
        tx.record(ctx.act(Kind.LEASE_CLOSED, lease_id, "", **told))
    return show(ctx, lease_id)


def show(ctx: Context, lease_id: str) -> Standing:
    """One lease: a finder's own in full, any for a coordinator.

    Raises: NotFound, for one that is not there or not for this person.
    """
    return _own(ctx, lease_id)


def listed(ctx: Context) -> tuple[Standing, ...]:
    """The leases that this person may read, in the order they were taken."""
    with ctx.store.read() as view:
        held = _all(ctx, view).values()
    return tuple(one for one in held if _readable(ctx, one))


def monthly(ctx: Context) -> tuple[Month, ...]:
    """What anybody may know: totals of each month, and nothing of numbers below five."""
    ctx.require(Action.ENTRY_READ, Resource("entry", "lease-months", marking=PUBLIC))
    with ctx.store.read() as view:
        return core.months(_all(ctx, view).values())


def _own(ctx: Context, lease_id: str) -> Standing:
    with ctx.store.read() as view:
        held = _all(ctx, view).get(lease_id)
    if held is None or not _readable(ctx, held):
        raise NotFound(f"no lease {lease_id[:64]}; see `leadline lease list`")
    return held


def _readable(ctx: Context, held: Standing) -> bool:
    thing = _thing(ctx, held.lease.id, held.lease.finder)
    return ctx.decision(Action.LEASE_READ, thing).allowed


def _thing(ctx: Context, id_: str, owner: str = "") -> Resource:
    return Resource("lease", id_, marking=OWN, owner=owner or ctx.principal.id)


def _all(ctx: Context, view: Reading) -> dict[str, Standing]:
    acts = [
        one
        for kind in (Kind.LEASE_TAKEN, Kind.LEASE_RENEWED, Kind.LEASE_CLOSED)
        for one in view.acts(kind=kind)
    ]
    ordered = sorted(acts, key=lambda one: one.index)
    return core.standings((one.act for one in ordered), ctx.now)


def _answer(ctx: Context, view: Reading, target: Target, blocks: Sequence[str]) -> Answer:
    held = _all(ctx, view).values()
    return core.answer(target, blocks, (o for o in held if o.lease.finder != ctx.principal.id))


def _blocks(target: Target, tree: Tree | None, found: Sequence[Fault]) -> tuple[str, ...]:
    _raise(found)
    made, more = core.blocks(target, tree)
    _raise(more)
    return made


def _raise(faults: Sequence[Fault]) -> None:
    if faults:
        told = "; ".join(f"{one.place}: {one.problem}" for one in faults)
        raise Invalid("lease", told)


def _still_open(held: Standing) -> None:
    if not held.open:
        raise Refused(f"{held.lease.id} is {held.state.value}; take a new one")
