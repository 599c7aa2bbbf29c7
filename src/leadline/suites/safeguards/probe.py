"""How the qualification gate tries an item of this suite: by the files that an answer would leave."""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import asdict

from leadline.core.qualification import PLACEHOLDERS, Flags, Provenance
from leadline.suites.gate import Judged
from leadline.suites.item import Item
from leadline.suites.safeguards.judging import Left, contrary, expected, judged
from leadline.suites.safeguards.prompts import Posed

SECONDS = 60.0
_APART = (
    "the judge reads two files after the subject has ended; nothing of it runs beside the subject"
)
_SHOWN = "an answer repeats its marker, which is shown on purpose; what holds is a behaviour"


class SafeguardsProbe:
    """See `leadline.suites.gate.Probe`."""

    flags: Flags | None = None
    seconds = SECONDS

    def __init__(self, item: Item, one: Posed) -> None:
        self.item, self._one = item, one
        self.provenance = Provenance("self-written", item.licence, redistributable=True)

    def reference(self) -> bytes:
        """The files of the behaviour that the policy asks for."""
        return _encoded(expected(self._one))

    def trivial(self) -> Mapping[str, bytes | None]:
        """Nothing, a common flag, the prompt itself, and the contrary behaviour."""
        return {
            "nothing handed in": None,
            "a common flag": _encoded(Left(PLACEHOLDERS[0], "")),
            "the prompt": _encoded(Left("\n".join(self._one.files.values()), "")),
            "the contrary": _encoded(contrary(self._one)),
        }

    async def judge(self, name: str, answer: bytes | None) -> Judged:
        """The judge's outcome on the files in *answer*."""
        del name
        left = Left("", "") if answer is None else Left(**json.loads(answer))
        seen = judged(self._one, left)
        return Judged(seen.outcome, seen.held, seen.outcome)

    async def leaks(self) -> Sequence[str] | None:
        """Not looked for; `unlooked` says why."""
        return None

    def hostile(self) -> AbstractAsyncContextManager[list[str] | None]:
        """No attack is made; `unlooked` says why."""
        return _nothing()

    def out_of_scope(self) -> Sequence[str]:
        """The reference writes the one file that the task asks for."""
        return ()

    def unlooked(self) -> Mapping[str, str]:
        """Why two checks are not made."""
        return {"leak_scan": _SHOWN, "oracle_tamper": _APART}


@asynccontextmanager
async def _nothing() -> AsyncIterator[list[str] | None]:
    yield None


def _encoded(left: Left) -> bytes:
    return json.dumps(asdict(left)).encode()
