"""Findings that need others: which still have their effect once some of them are fixed.

A finding that builds on others has its effect while, of every set it needs, at least one member still
has its own. Fixing one link therefore cuts whatever cannot do without it, and never makes anything more
effective. A finding that others do not know of counts as having its effect: what is not known is never
taken for fixed.
"""

from collections import defaultdict, deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from leadline.core.errors import Invalid

Needs = tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Link:
    """One finding in chains: what it needs (one of each set), and how bad it is by itself.

    *reach* is the rank of its effect together with all it needs, *alone* its rank without them; larger
    is worse.
    """

    id: str
    needs: Needs = ()
    reach: int = 0
    alone: int = 0


@dataclass(frozen=True, slots=True)
class Effect:
    """Whether a finding still has its effect, how bad it ranks now, and why."""

    id: str
    whole: bool
    rank: int
    why: str


def check_acyclic(links: Iterable[Link]) -> None:
    """Return if no finding needs itself, over whatever others.

    Raises: Invalid, naming the findings of one cycle.
    """
    needs = {one.id: sorted({other for any_of in one.needs for other in any_of}) for one in links}
    done = set[str]()
    for start in sorted(needs):
        path: list[str] = []
        on_path = set[str]()
        stack: list[tuple[str, bool]] = [(start, False)]
        while stack:
            id_, left = stack.pop()
            if left:
                on_path.discard(path.pop())
                done.add(id_)
                continue
            if id_ in on_path:
                cycle = " needs ".join([*path[path.index(id_) :], id_])
                raise Invalid("needs", f"a finding cannot need itself: {cycle}; remove one link")
            if id_ in done:
                continue
            path.append(id_)
            on_path.add(id_)
            stack.append((id_, True))
            stack.extend((other, False) for other in needs.get(id_, ()))


def effective(links: Sequence[Link], fixed: Collection[str]) -> tuple[Effect, ...]:
    """Each finding's effect once *fixed* are fixed, the worst first.

    A fixed finding has no effect; one whose chain is cut keeps what it does alone and stays open. The
    rank never rises as more is fixed.

    Raises: Invalid, for a cycle, for a set without a member, or if two links have one id.
    """
    by_id = {one.id: one for one in links}
    if len(by_id) != len(links):
        raise Invalid("id", "two findings have the same id")
    if any(() in one.needs for one in links):
        raise Invalid("needs", "one of nothing; name a finding, or leave the set out")
    check_acyclic(links)
    without = _without_effect(by_id, frozenset(fixed))
    found = [_effect(one, frozenset(fixed), without) for one in links]
    return tuple(sorted(found, key=lambda one: (-one.rank, not one.whole, one.id)))


def _without_effect(by_id: Mapping[str, Link], fixed: frozenset[str]) -> frozenset[str]:
    """The fixed findings, and all that are cut off by them."""
    users = defaultdict[str, list[str]](list)
    for one in by_id.values():
        for any_of in one.needs:
            for other in any_of:
                users[other].append(one.id)
    gone, waiting = set(fixed), deque(sorted(fixed))
    while waiting:
        for user in users[waiting.popleft()]:
            if user not in gone and _cut(by_id[user], gone):
                gone.add(user)
                waiting.append(user)
    return frozenset(gone)


def _cut(link: Link, gone: Collection[str]) -> tuple[str, ...]:
    """The first set of which nothing is left; empty if the chain holds."""
    return next((any_of for any_of in link.needs if all(one in gone for one in any_of)), ())


def _effect(link: Link, fixed: frozenset[str], without: frozenset[str]) -> Effect:
    rank = max(link.reach, link.alone)
    if link.id in fixed:
        return Effect(link.id, whole=False, rank=-1, why="fixed")
    if broken := _cut(link, without):
        by = ", ".join(one if one in fixed else f"{one} (itself cut)" for one in broken)
        why = f"its chain is cut: nothing is left of {by}; it stays open for what it does alone"
        return Effect(link.id, whole=False, rank=min(link.alone, rank), why=why)
    if not link.needs:
        return Effect(link.id, whole=True, rank=rank, why="needs no other finding")
    lost = sorted({one for any_of in link.needs for one in any_of} & without)
    why = f"its chain holds without {', '.join(lost)}" if lost else "its whole chain is open"
    return Effect(link.id, whole=True, rank=rank, why=why)
