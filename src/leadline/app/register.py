"""What the public may know of the record without opening any of it: counts under a signed head."""

from dataclasses import dataclass

from leadline.app import log
from leadline.app.context import Context
from leadline.core.access import Action
from leadline.core.errors import Refused
from leadline.core.record.act import Value
from leadline.core.record.register import Register, register
from leadline.formats.values import plain


@dataclass(frozen=True, slots=True)
class Registered:
    """The register with the checkpoint that it adds up to. Nothing in it is private."""

    counts: Register
    under: log.Published

    @property
    def document(self) -> Value:
        """The register as a plain document."""
        counts = self.counts
        return {
            "format": "leadline/register/v1",
            "origin": self.under.head.origin,
            "size": counts.size,
            "opened": counts.opened,
            "withheld": counts.withheld,
            "cover": counts.cover,
            "months": tuple(
                {**dict(_members(month)), "total": month.total} for month in counts.months
            ),
            "witnesses": self.under.words,
            "checkpoint": self.under.signed.document,
        }


def _members(value: object) -> dict[str, Value]:
    members = plain(value)
    assert isinstance(members, dict)  # noqa: S101 -- a dataclass becomes one
    return members


def public_register(ctx: Context) -> Registered:
    """Counts of every act that the last signed checkpoint covers.

    Raises: Refused, before the first checkpoint; Tampered, if acts and leaves do not add up.
    """
    ctx.require(Action.RECORD_READ, log.LOG)
    last = log.latest(ctx)
    if last is None:
        raise Refused("the log was never signed; run `leadline log publish` first")
    with ctx.store.read() as view:
        acts = [opened.act for opened in view.acts() if opened.index < last.head.size]
    return Registered(register(acts, last.head.size), last)
