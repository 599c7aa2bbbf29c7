"""What a list was asked for by the address of its page: words, state, group, order, how many, from where."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from leadline.app import notices
from leadline.app.browse import Filters, Thing
from leadline.app.ports import Order
from leadline.core.errors import Invalid
from leadline.http.pages.frame import Visit
from leadline.wiring.cases import disclosures

ROWS = (25, 50, 100)
_OWN = frozenset({"words", "state", "group", "limit", "order", "after", "said"})


@dataclass(frozen=True, slots=True)
class Query:
    """A list's address, read. *kept* is what else stands in it, which the form passes on."""

    words: str
    state: str
    group: str
    order: Order
    limit: int
    after: str
    kept: tuple[tuple[str, str], ...]

    @property
    def narrowed(self) -> bool:
        """Whether anything is left out."""
        return bool(self.words or self.state or self.group)

    @property
    def all(self) -> str:
        """The query string of the list without what narrows it."""
        return urlencode([*self.kept, ("order", self.order.value)])

    @property
    def filters(self) -> Filters:
        """For `leadline.app.browse.browse`."""
        return Filters(
            self.words,
            frozenset({self.state} - {""}),
            frozenset({self.group} - {""}),
        )


def asked(visit: Visit, order: Order = Order.CHANGED) -> Query:
    """What this page was asked for; *order* where the address names none.

    Raises: Invalid, for an order that there is not, or a number of rows that is not offered.
    """
    given = visit.query("order", order.value)
    if given not in set(Order):
        raise Invalid("order", f"is one of: {', '.join(Order)}")
    limit = visit.query("limit", str(ROWS[0]))
    if limit not in map(str, ROWS):
        raise Invalid("limit", f"is one of: {', '.join(map(str, ROWS))}")
    return Query(
        visit.query("words").strip(),
        visit.query("state"),
        visit.query("group"),
        Order(given),
        int(limit),
        visit.query("after"),
        tuple((k, v) for k, v in visit.request.query_params.multi_items() if k not in _OWN),
    )


def group_titles(visit: Visit, thing: Thing) -> Mapping[str, str]:
    """What the groups of a list are called by people, by their ids; what is no id is not in it."""
    if thing is Thing.ENGAGEMENT:
        library = visit.portal.library
        return {one: library.newest(one).title for one in library.ids()}
    if thing is Thing.CASE:
        return {id_: one.title for id_, one in disclosures(visit.portal.home).items()}
    if thing is Thing.OPERATOR:
        return {id_: one.title for id_, one in notices.sectors().items()}
    return {}
