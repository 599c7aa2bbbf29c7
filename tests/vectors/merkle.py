"""Loader of the published Merkle proof cases (transparency-dev/merkle testdata, Apache-2.0)."""

import json
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from leadline.core.record.tlog import verify_consistency, verify_inclusion


@dataclass(frozen=True)
class Case:
    """One proof and whether a verifier must refuse it."""

    place: str
    refuse: bool
    fields: dict[str, object]

    def verify(self) -> None:
        """Put the case to our verifier, which raises one of its own errors to refuse."""
        if "leafIdx" in self.fields:
            verify_inclusion(
                self._number("leafIdx"),
                self._number("treeSize"),
                self._bytes("leafHash"),
                self._proof(),
                self._bytes("root"),
            )
        else:
            verify_consistency(
                self._number("size1"),
                self._number("size2"),
                self._proof(),
                self._bytes("root1"),
                self._bytes("root2"),
            )

    def _number(self, name: str) -> int:
        value = self.fields[name]
        assert isinstance(value, int)
        return value

    def _bytes(self, name: str) -> bytes:
        return b64decode(str(self.fields[name] or ""), validate=True)

    def _proof(self) -> list[bytes]:
        value = self.fields["proof"] or []
        assert isinstance(value, list)
        return [b64decode(one, validate=True) for one in value]


def cases(folder: Path, *kinds: str) -> Iterator[Case]:
    """Every case of the *kinds* (folders of the set), in a fixed order."""
    for kind in kinds:
        for path in sorted((folder / "merkle" / kind).rglob("*.json")):
            fields = json.loads(path.read_text(encoding="utf-8"))
            yield Case(str(path.relative_to(folder)), fields["wantErr"], fields)
