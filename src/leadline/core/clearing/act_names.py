"""What an act names beside what it is about: by these names the store finds it without reading the others.

A fix names its finding and case, evidence the two findings it is about, a contract its queue. Each name is
an id or a digest; longer text, and text that no database key can hold, is none.
"""

from leadline.core.clearing.contract import lane_of
from leadline.core.record.act import Act, Kind

FIELDS = ("case", "finding", "supersedes", "a", "b", "evidence", "proof")
NAME_MAX = 200
INTAKE = "intake"  # where reports wait: nothing is looked up by it, so it is no name


def names(act: Act) -> frozenset[str]:
    """The things that *act* names."""
    told = (act.detail.get(field) for field in FIELDS)
    found = {one for one in told if isinstance(one, str) and _is_name(one)}
    if act.kind is Kind.CONTRACT_WRITTEN:
        found.add(lane_of(act.about))
    return frozenset(found)


def _is_name(text: str) -> bool:
    return 0 < len(text) <= NAME_MAX and "\0" not in text and text != INTAKE
