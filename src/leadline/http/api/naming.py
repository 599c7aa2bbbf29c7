"""What types are called in the contract: by the noun of their module and their own word.

A word such as `Evidence` stands for several types here. Each is named after where it is from, whatever
others there are beside it: its name changes only when the type itself is moved or renamed.
"""

import re
from collections.abc import Collection, Mapping

from pydantic.json_schema import CoreModeRef, DefsRef, GenerateJsonSchema
from typing_extensions import override

# Where two modules have the same noun, where a route made by hand has the name already, and where the
# noun says nothing to those outside.
NAMES: Mapping[str, str] = {
    "leadline.app.ports.Opened": "OpenedAct",
    "leadline.app.ports.Order": "ListOrder",
    "leadline.app.ports.Stored": "Stored",
    "leadline.client.shape.Fact": "ActValue",
    "leadline.core.clearing.receipt.Receipt": "NoticeReceipt",
    "leadline.core.record.register.Register": "LogRegister",
}
_TYPE = re.compile(r"[A-Za-z_][\w.]*(?=:\d)")


class Named(GenerateJsonSchema):
    """Schemas whose parts have these names; two types may share one where their schemas are the same."""

    @override
    def get_defs_ref(self, core_mode_ref: CoreModeRef) -> DefsRef:
        made = super().get_defs_ref(core_mode_ref)
        self._prioritized_defsref_choices[made] = [DefsRef(name(core_mode_ref[0])), made]
        return made


def name(ref: str) -> str:
    """`leadline.app.assessed.Evidence:140` is `AssessedEvidence`; what a generic type is of follows it."""
    return "".join(NAMES.get(path) or _named(path) for path in _TYPE.findall(ref))


def _named(path: str) -> str:
    module, _, own = path.rpartition(".")
    noun = "".join(word.capitalize() for word in module.rpartition(".")[2].split("_"))
    return own if own.startswith(noun.removesuffix("s")) else noun + own


def require_plain(ours: Collection[str], by_hand: Collection[str]) -> None:
    """Return if every name is plain, and none of *ours* is that of a type of a route made by hand.

    Raises: TypeError, for types that would have one name, or that of a module.
    """
    found = sorted(
        one for one in (*ours, *by_hand) if "__" in one or (one in by_hand and one in ours)
    )
    if found:
        raise TypeError(f"one name for two types of the contract; see NAMES: {found}")
