"""An installation with everybody who comes to the clearinghouse, on a store in memory."""

import make
from desk_world import DeskWorld
from leadline.core.access import Principal
from leadline.core.record.act import Act, Kind

INTAKE = "intake"  # what was reported and is in no case yet; screeners are named for it
# Who, of which organisation, in which role, named for which cases.
CLEARING_PEOPLE: tuple[tuple[str, str, str, tuple[str, ...]], ...] = (
    ("finder", "a-finder", "finder", ()),
    ("other-finder", "another-finder", "finder", ()),
    ("screener", make.PROGRAMME, "coordinator", (INTAKE,)),
    ("second-screener", "a-second-programme", "coordinator", (INTAKE,)),
    ("maintainer", "a-project", "maintainer", ()),
    ("downstream", "a-distribution", "maintainer", ()),
    ("hospital", "a-hospital", "operator", ()),
    ("utility", "a-water-utility", "operator", ()),
    ("bank", "a-bank", "operator", ()),
    ("clearing-auditor", "an-auditor", "auditor", ()),
)


def clearing_world() -> DeskWorld:
    """The desk's installation and people, and those of the clearinghouse beside them."""
    world = DeskWorld()
    for id_, org, role, cases in CLEARING_PEOPLE:
        world.enrol(make.principal(role, id_=id_, org=org, engagements=(), cases=cases))
    return world


def name_for(world: DeskWorld, person: str, case: str) -> Principal:
    """Name a person for a case, as an administrator's grant would."""
    with world.store.read() as view:
        held = view.principal(person).cases
    world.change(person, cases=held | {case})
    with world.store.read() as view:
        return view.principal(person)


def acts_about(world: DeskWorld, about: str, *kinds: Kind) -> list[Act]:
    """The acts about one thing, in order; only of *kinds*, if any are named."""
    with world.store.read() as view:
        found = [one.act for one in view.acts(about=about)]
    return [act for act in found if not kinds or act.kind in kinds]
