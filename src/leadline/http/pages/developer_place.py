"""What every page of an engagement stands in: the engagement as it stands, its sections, the way out."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from fastapi import Response

from leadline.app import engagement as desk
from leadline.app.engagement import Dealings
from leadline.core.engagement.calendar import BECAUSE
from leadline.core.engagement.clock import Window
from leadline.core.engagement.engagement import Standing, State, over, unanswered
from leadline.http.pages.frame import SAID, Visit

# The words of each state, for people: what it says, and nothing of a release.
STATES: Mapping[State, str] = {
    State.DRAFT: "Draft. Nobody but your own organisation and this programme knows of it.",
    State.INQUIRY: "Inquiry. A question was asked; no access is open.",
    State.ACCESS_OPEN: "Access open. The government has access, until the end that is shown.",
    State.ACCESS_CLOSED: "Access closed. Government access was open and has ended.",
    State.DETERMINATION_RECORDED: "Determination recorded. It changes nothing that you may do.",
    State.WITHDRAWN: "Withdrawn. Everything of yours ended when you withdrew.",
}
SECTIONS = (
    ("Overview", ""),
    ("Inquiry", "/inquiries"),
    ("Access", "/access"),
    ("Terms", "/terms"),
    ("Questions to you", "/questions"),
    ("Messages", "/messages"),
    ("Submission", "/submission"),
    ("Weights", "/weights"),
    ("Results", "/receipts"),
    ("Determinations", "/determinations"),
    ("Partners", "/partners"),
    ("Evidence", "/exports"),
)
SAID["done"] = "Done. It stands in the record."


@dataclass(frozen=True, slots=True)
class Place:
    """An engagement on a page. *own* says that whoever looks is of the developer."""

    on: Dealings
    stands: Standing
    now: datetime
    own: bool

    @property
    def path(self) -> str:
        """Where its pages are."""
        return f"/engagements/{self.on.id}"

    @property
    def model(self) -> str:
        """What the developer calls the model."""
        return self.stands.engagement.model

    @property
    def state(self) -> State:
        """The word shown."""
        return self.stands.word(self.now)

    @property
    def means(self) -> str:
        """What the word says."""
        return STATES[self.state]

    @property
    def window(self) -> Window:
        """The window to show where one is."""
        return self.stands.shown(self.now)

    @property
    def over(self) -> str:
        """Why nothing more begins here; empty while it goes on."""
        return over(self.stands.acts)

    @property
    def unanswered(self) -> int:
        """Requests for information without an answer: a count."""
        return unanswered(self.stands)

    def because(self, one: Window) -> str:
        """What sets the end of a window."""
        return BECAUSE[one.ended_by] if one.ended_by else ""


def place(me: Visit, engagement: str) -> Place:
    """The engagement, if it is this person's to know; raises NotFound."""
    on = me.desk.dealings(engagement)
    stands = desk.standing(me.ctx, on)
    return Place(on, stands, me.ctx.now, me.ctx.principal.org == on.developer)


def shown(me: Visit, at: Place, template: str, **values: object) -> Response:
    """A page of an engagement."""
    return me.page(f"developer/{template}.html.j2", status=200, at=at, sections=SECTIONS, **values)
