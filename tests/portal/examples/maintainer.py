"""A maintainer's page by a link, links of a case, and the form for a contract."""

from portal.examples import EVERYBODY, Example
from portal.world import World

SENDERS = frozenset({"coordinator"})
LINKS = "/cases/{case}/links"
EXAMPLES = {
    "GET /report/{token}": Example("/report/{link_token}", EVERYBODY),
    "POST /report/{token}/answers": Example(
        "/report/{link_token}/answers", EVERYBODY, {"choice": "confirmed"}
    ),
    "GET /report/{token}/patches/{fix}": Example(
        "/report/{link_token}/patches/none",
        EVERYBODY,
        answers=frozenset({404}),  # nobody drafted a patch in this world
    ),
    "GET /cases/{case}/links": Example(LINKS, SENDERS),
    "POST /cases/{case}/links": Example(LINKS, SENDERS, {"party": "{link_party}"}),
    "POST /cases/{case}/links/{link}/end": Example(f"{LINKS}/{{link}}/end", SENDERS),
    "GET /contracts/draft": Example("/contracts/draft", EVERYBODY),
    "POST /contracts/draft": Example(
        "/contracts/draft",
        EVERYBODY,
        {
            "project": "a-project",
            "contact": "security@project.example",
            "per_week": "1",
            "max_open": "3",
            "reproducer": "required",
            "patch": "welcome",
            "test": "welcome",
            "human_confirmer": "welcome",
            "embargo": "private",
            "minimum_severity": "unknown",
        },
    ),
}


def build(world: World) -> None:
    """A party of the embargoed case without an account, with a link."""
    from leadline.app import cases, maintainer_link
    from leadline.app.cases import NewParty
    from leadline.core.clearing.case_words import Role

    new = NewParty(Role.DOWNSTREAM, "A distribution", "security@distribution.example")
    case = world.ids["case"]
    party = cases.add_party(world.ctx("coordinator"), case, new)
    token = maintainer_link.make(world.ctx("coordinator"), case, party)
    ((link, _),) = maintainer_link.listed(world.ctx("coordinator"), case)
    world.ids.update({"link_party": party, "link_token": token, "link": link.id})
