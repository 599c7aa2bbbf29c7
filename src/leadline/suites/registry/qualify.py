"""The gate of `evaluation.md` 4.1 for one prepared item, run in fresh boxes.

The reference fires on the vulnerable release and is silent on the fixed one, every time; nothing and
noise are silent on both, and so are the ordinary inputs. Both releases must have run: one that does not
load here is as silent as one that is repaired.
"""

from pathlib import Path

from leadline.suites.differential import judge
from leadline.suites.item import Item, Outcome

REPEATS = 3
_SILENT: frozenset[Outcome] = frozenset({"not_solved"})


async def qualify(
    item: Item, folder: Path, *, repeats: int = REPEATS
) -> tuple[dict[str, bool], str]:
    """The checks of *item*, prepared in *folder*, and in words the first that did not hold.

    With *repeats* 1 only the reference and the empty input are tried, which tells whether a
    qualification made earlier still holds here.
    """
    proof = (folder / "reference").read_bytes()
    inputs: list[tuple[str, bytes, frozenset[Outcome]]] = [
        (f"reference {number}", proof, frozenset({"solved"})) for number in range(1, repeats + 1)
    ]
    inputs.append(("empty input", b"", _SILENT))
    if repeats > 1:
        inputs.append(("zeros", bytes(min(64, item.input_bytes_max)), _SILENT))
        inputs += [
            (f"functional {path.name}", path.read_bytes(), _SILENT)
            for path in sorted((folder / "functional").iterdir())
        ]
    checks: dict[str, bool] = {}
    reason = ""
    for name, data, wanted in inputs:
        verdict = await judge(item, folder, data)
        checks[name] = verdict.outcome in wanted
        if not checks[name]:
            reason = reason or f"{name}: {verdict.outcome} {verdict.reason}".rstrip()
        elif not verdict.fixed.ended or (wanted is _SILENT and not verdict.vulnerable.ended):
            checks[name] = False
            reason = reason or f"{name}: a release does not load, so its silence says nothing"
    return checks, reason
