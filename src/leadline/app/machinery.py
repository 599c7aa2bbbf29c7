"""The machinery of an installation, for those who look after it: who may look, and which backups held."""

from collections.abc import Mapping
from datetime import datetime

from leadline.app.context import Context
from leadline.core.access import Action, Resource
from leadline.core.record.act import Kind


def look(ctx: Context) -> None:
    """Return if this person may see how the machinery is: jobs, keys, checks. No content is among it.

    Raises: Denied.
    """
    ctx.require(Action.ALERT_READ, Resource("alert", "all"))


def backup_checked(ctx: Context, name: str, told: str, digest: str, *, good: bool) -> None:
    """Write down what checking a backup came to; *digest* is of its checkpoint.

    Raises: Denied.
    """
    ctx.require(Action.BACKUP_MAKE, Resource("installation", "home"))
    with ctx.store.write() as tx:
        tx.record(
            ctx.act(
                Kind.BACKUP_CHECKED, f"backup/{name}", "", told=told, checkpoint=digest, good=good
            )
        )
    if not good:
        ctx.alarm("backup", f"backup/{name}", f"a backup does not hold: {told}")


def backup_checks(ctx: Context) -> Mapping[str, tuple[datetime | None, str]]:
    """The last check of each backup by its name: when, and what it came to.

    Raises: Denied.
    """
    look(ctx)
    with ctx.store.read() as view:
        acts = [one.act for one in view.acts(kind=Kind.BACKUP_CHECKED)]
    return {act.about.partition("/")[2]: (act.at, str(act.detail["told"])) for act in acts}
