"""How an installation begins: two account administrators, neither of whom can do without the other.

It is the one thing done without asking the access rules, because there is nobody yet whom they could
allow it; so it is possible once, on an empty record.
"""

from collections.abc import Sequence
from dataclasses import replace

from leadline.app import sign_in
from leadline.app.context import Context
from leadline.core.access import Principal
from leadline.core.errors import Invalid, Refused
from leadline.core.record.act import Kind, instant

ADMINISTRATORS_MIN = 2
TWO_FACTORS = 2


def check(people: Sequence[Principal]) -> None:
    """Raises: Invalid, for fewer than two people, or one named twice."""
    if len({person.name for person in people}) < max(ADMINISTRATORS_MIN, len(people)):
        raise Invalid("--administrator", "name two different persons at least")


def found(ctx: Context, people: Sequence[Principal]) -> tuple[str, ...]:
    """Enrol the first administrators; answers a one-time code for each, in their order.

    Raises: Invalid, for fewer than two people, or one named twice; Refused, where anything has been
    recorded already.
    """
    check(people)
    with ctx.store.write() as tx:
        if tx.log_size():
            raise Refused(
                "this installation has begun already; its administrators enrol whoever is missing"
            )
        for person in people:
            tx.put_principal(person)
            tx.record(
                ctx.act(
                    Kind.PRINCIPAL_ENROLLED,
                    f"principal/{person.id}",
                    "",
                    roles=tuple(sorted(person.roles)),
                    access_until=instant(person.access_until) if person.access_until else None,
                )
            )
    # Each is invited by the next, as every later person will be invited by an administrator.
    return tuple(
        sign_in.invite(
            replace(ctx, principal=people[(at + 1) % len(people)], assurance=TWO_FACTORS), person.id
        )
        for at, person in enumerate(people)
    )
