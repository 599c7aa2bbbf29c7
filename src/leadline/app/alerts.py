"""Alerts as administrators and auditors read them; an alert is never deleted."""

from leadline.app.context import Context
from leadline.core.access import Action, Resource
from leadline.core.alert import Alert


def listed(ctx: Context) -> list[Alert]:
    """Every alert, the latest first.

    Raises: Denied.
    """
    ctx.require(Action.ALERT_READ, Resource("alert", "all"))
    with ctx.store.read() as view:
        found = [row.value for row in view.find(Alert)]
    return sorted(found, key=lambda alert: (alert.at, alert.id), reverse=True)
