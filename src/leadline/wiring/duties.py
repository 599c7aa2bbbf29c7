"""Duties and reminders of one installation: the texts that count, and an outbox of reminders.

A reminder is one JSON file for a person and a day. It says that something is due and when, and never
what: whoever is told signs in. What sends it takes the file away, into ``sent/`` beside it, before it
sends; a sweep reads both folders to know what was told.
"""

import json
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from urllib.parse import quote

import leadline
from leadline.app import dates, people
from leadline.app.obligations import Law
from leadline.core.engagement.calendar import Dated
from leadline.core.engagement.library import Library
from leadline.core.engagement.regime import Regime
from leadline.core.errors import LeadlineError, Stale, Tampered
from leadline.formats.regime_toml import load_regime
from leadline.settings import Home
from leadline.wiring.home import Parts
from leadline.wiring.regimes import EXAMPLES, library

OWN = Path(leadline.__file__).parent / "data" / "obligations"
SENT = "sent"
Link = Callable[[str, Path], None]
SIGNED_IN = 3  # a reminder says nothing, so that every list may be read to make it


@dataclass(frozen=True, slots=True)
class Reminder:
    """What one person is told. *ref* stands for the thing, its date and whether it is past."""

    person: str
    engagement: str
    due: datetime
    overdue: bool
    ref: str

    @property
    def text(self) -> str:
        """The whole of what is told."""
        of = f"engagement {self.engagement}" if self.engagement else "your organisation"
        day = self.due.astimezone(UTC).date().isoformat()
        return f"Something of {of} {'was' if self.overdue else 'is'} due on {day}: sign in."


def law(home: Home, texts: Library | None = None) -> Law:
    """The library, and the clocks of one's own choice.

    A file in ``obligations/`` of the installation takes the place of a shipped one of that name.

    Raises: Invalid, naming file and key.
    """
    folders = (OWN, home.folder / "obligations")
    files = {file.name: file for folder in folders for file in sorted(folder.glob("*.toml"))}
    own = (file for name, file in files.items() if not name.endswith(EXAMPLES))
    return Law(texts or library(home.folder / "regimes"), tuple(map(_own, own)))


def _own(file: Path) -> Regime:
    return load_regime(file.read_bytes(), file.name)


@dataclass(frozen=True, slots=True)
class Swept:
    """What is to be told, and whose dates could not be read, with the reason."""

    found: tuple[Reminder, ...]
    unread: tuple[str, ...]


def reminders(parts: Parts, home: Home, within: timedelta, now: datetime) -> Swept:
    """What is due within *within* of *now*, or overdue, for everybody who may know of it.

    One person whose dates cannot be read keeps no other from being told.
    """
    texts = law(home)
    with parts.store.read() as view:
        persons = [one for one in view.principals() if not one.suspended]
        present = [people.present(view, one, now) for one in persons]
    found, unread = list[Reminder](), list[str]()
    for person in present:
        if person.access_until is not None and person.access_until <= now:
            continue
        ctx = replace(parts.context(person), clock=lambda: now, assurance=SIGNED_IN)
        try:
            shown = dates.mine(ctx, texts)
        except LeadlineError as error:
            unread.append(f"{person.id}: {error}")
            continue
        due = (one for one in shown if one.due and one.at <= now + within)
        found += (_reminder(person.id, one, now) for one in due)
    return Swept(tuple(found), tuple(unread))


def _reminder(person: str, one: Dated, now: datetime) -> Reminder:
    overdue = one.at < now and one.stands_out
    key = json.dumps([one.id, one.at.isoformat(), overdue])
    ref = sha256(key.encode()).hexdigest()[:32]
    return Reminder(person, one.engagement, one.at, overdue, ref)


def write(
    outbox: Path, found: Iterable[Reminder], now: datetime, link: Link = os.link
) -> tuple[Path, ...]:
    """Write what was not told yet: a new file for each person who has none of this day.

    A file appears whole or not at all, and is never written again. What comes up after a person's
    file of the day is told on the next day. Ended anywhere, it has told nothing twice, and the next
    sweep tells the rest. *link* puts a whole file under its name, where there is none.

    Raises: Tampered, if a file of the outbox is no reminder; Stale, if one is taken away meanwhile.
    """
    outbox.mkdir(parents=True, exist_ok=True, mode=0o700)
    day = now.astimezone(UTC).date().isoformat()
    by = dict[str, list[Reminder]]()
    for one in found:
        by.setdefault(one.person, []).append(one)
    made = list[Path]()
    for person, some in sorted(by.items()):
        name = quote(person, safe="")
        told = set(_told(outbox, name))
        fresh = sorted({one.ref: one for one in some if one.ref not in told}.values(), key=_when)
        place = outbox / f"{name}.{day}.json"
        if (
            fresh
            and not (outbox / SENT / place.name).exists()
            and _put(place, person, day, fresh, link)
        ):
            made.append(place)
    return tuple(made)


def _when(one: Reminder) -> tuple[datetime, str]:
    return one.due, one.ref


def _told(outbox: Path, name: str) -> Iterator[str]:
    """The refs of everything that this person was told, taken away already or not."""
    for place in (outbox, outbox / SENT):
        for file in place.glob(f"{name}.????-??-??.json"):
            try:
                held = json.loads(file.read_text(encoding="utf-8"))
                yield from (str(one["ref"]) for one in held["reminders"])
            except FileNotFoundError:
                raise Stale(f"{file} was taken away at this moment; sweep again") from None
            except (ValueError, KeyError, TypeError):
                raise Tampered(str(file), "is no file of reminders; take it away") from None


def _put(place: Path, person: str, day: str, fresh: Iterable[Reminder], link: Link) -> bool:
    """Write a file that is not there, in one step; False where another sweep was first."""
    told = [{"ref": one.ref, "text": one.text} for one in fresh]
    text = json.dumps({"to": person, "day": day, "reminders": told}, indent=1) + "\n"
    with tempfile.NamedTemporaryFile("w", dir=place.parent, prefix=".new-") as new:
        new.write(text)
        new.flush()
        os.fsync(new.fileno())
        try:
            link(new.name, place)
        except FileExistsError:
            return False
    return True
