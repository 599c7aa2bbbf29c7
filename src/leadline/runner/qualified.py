"""What an official run rests on: signed records of the full gate, kept by an installation.

A record counts only with the installation's own signatures over it, for the item as it is, in the
environment of this run. Whatever else is wrong with one leaves its item out, with the reason.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from leadline.app.laboratory import Standing
from leadline.app.signature import check
from leadline.core.assessment import PlannedItem
from leadline.core.errors import Invalid, Tampered
from leadline.core.qualification import shortfall
from leadline.formats import cosignature, note
from leadline.formats import qualification as form
from leadline.formats.note import VerifierKey

RECORDS = "records"


@dataclass(frozen=True, slots=True)
class Records:
    """The records of an installation.

    *folders* hold ``ITEM.json`` and ``ITEM.note`` each. *keys* are the installation's verifier keys,
    the first of which names it. *environment* is that of the run (`leadline.suites.gate.environment`).
    """

    folders: Sequence[Path]
    keys: Sequence[VerifierKey]
    environment: Mapping[str, str]

    def standing(self, item: PlannedItem) -> Standing:
        """Whether a record carries *item* here: its digest, or else why none does."""
        why = "it has no record of qualification in this installation"
        for folder in self.folders:
            path = folder / f"{item.id}.json"
            if not path.is_file():
                continue
            data = path.read_bytes()
            why = self._shortfall(item, data, path.with_suffix(".note"))
            if not why:
                return Standing(record=sha256(data).hexdigest())
        return Standing(reason=why)

    def _shortfall(self, item: PlannedItem, data: bytes, signed: Path) -> str:
        try:
            self._require_signed(item.id, data, signed)
            record = form.decode(data)
        except (Invalid, Tampered) as error:
            return f"its record is no evidence: {error}"
        if record.item != item.id:
            return f"its record is of another item ({record.item})"
        around = form.environment_digest(self.environment)
        return shortfall(record, item.digest, self.environment, around)

    def _require_signed(self, item: str, data: bytes, path: Path) -> None:
        """Raises: Tampered or Invalid, unless every key of the installation signed this record."""
        if not path.is_file():
            raise Tampered(item, "it is not signed")
        signed = note.parse(path.read_bytes())
        if signed.text != form.statement(data, self.keys[0].name):
            raise Tampered(item, "its note is of another record, or of another installation")
        own = [key for one in self.keys if (key := cosignature.text_key(one)) is not None]
        cosignature.require(item, signed, own, check)
