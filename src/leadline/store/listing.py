"""Lists that the database sorts, filters and cuts: one row beside each stored value that lists show.

The rows are written at the end of the block that changed what they show, in its transaction; so no list
is stale, and no use case has to think of it. They are a projection: `restate` makes them again.

A part of a list is read in one of two ways. What few rows can have (found words, a state, what the access
clause must have) is looked up first, and those few are sorted. Otherwise the rows are walked in the order
of the list until the part is full, every condition tried on each. Rows that may not be seen are never
counted, and never sorted with the others.

Words stand in a table of their own on both databases. On PostgreSQL that is also because row-level security
lets no index of words be used on a walled table: it finds numbers of rows, which only the walled table tells
more of. There, finding one word in many rows costs as much as reading them, so that words which the
statistics say are common are looked for by walking; what a walk of the first rows does not fill is asked of
the index after all.
"""

# ruff: noqa: S608 -- names of our own columns stand in these questions, values are bound

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from leadline.app.ports import Line, Lines, Listed, Order, Place, Stored, Wanted
from leadline.core.clause import Clause
from leadline.core.searching import BEGINNING_MIN, plain
from leadline.store.instants import instant, microseconds
from leadline.store.tables import FOUND, LISTED, LISTING
from leadline.store.visible import COLUMNS, Columns, Given, condition, reach

FEW = 1_000  # rows that are sorted rather than walked
BEGUN = 10_000  # rows walked for common words, before the index is asked how many have them all
NAME_MAX, WORDS_MAX = 80, 4_000
ROW = LISTING.c
_WALKED = Columns("listing", unindexed=True)
_SORTED = {
    Order.CHANGED: ("changed_at", True),
    Order.OPENED: ("opened_at", True),
    Order.OLDEST: ("opened_at", False),
    Order.DUE: ("due_at", False),
    Order.TITLE: ("name", False),
}
_WRITTEN = [name for name in ROW.keys() if name not in {"seq", "kind", "id"}]  # noqa: SIM118 -- columns
_HERE = (ROW.kind == sa.bindparam("of_kind")) & (ROW.id == sa.bindparam("of_id"))
_PRESENT = sa.select(ROW.seq, ROW.words).where(_HERE)
_UPDATE = LISTING.update().where(_HERE).values({n: sa.bindparam(n) for n in _WRITTEN})
_DELETE = LISTING.delete().where(_HERE)
_FORGET = {
    "sqlite": sa.text(
        "INSERT INTO listing_words(listing_words, rowid, words) VALUES ('delete', :seq, :words)"
    ),
    "postgresql": sa.text("DELETE FROM listing_words WHERE seq = :seq"),
}
_LEARN = {
    "sqlite": sa.text("INSERT INTO listing_words(rowid, words) VALUES (:seq, :words)"),
    "postgresql": sa.text(
        "INSERT INTO listing_words(seq, words) "
        "VALUES (:seq, array_to_tsvector(array_remove(string_to_array(:words, ' '), '')))"
    ),
}
# In how many rows each word stands, as the database last looked: nothing before it ever did.
_COMMON = (
    "SELECT asked.word, sum(seen.part) * max(whole.reltuples) AS rows "
    "FROM unnest(CAST(:words AS text[])) AS asked(word), pg_class whole, "
    "(SELECT unnest(most_common_elems::text::text[]) AS word, unnest(most_common_elem_freqs) AS part "
    "FROM pg_stats WHERE schemaname = current_schema() AND tablename = 'listing_words' "
    "AND attname = 'words') seen "
    "WHERE whole.oid = 'listing_words'::regclass AND (seen.word = asked.word "
    f"OR (length(asked.word) >= {BEGINNING_MIN} AND starts_with(seen.word, asked.word))) "
    "GROUP BY asked.word"
)
_GATHERED = {"sqlite": "json_group_array(seq)", "postgresql": "CAST(array_agg(seq) AS text)"}
_LIST = f"SELECT {', '.join(f'listing.{name}' for name in ROW.keys())}"  # noqa: SIM118 -- columns


def row_of(kind: str, stored: Stored[object], line: Line) -> dict[str, object]:
    """The row that shows a value."""
    bounds = stored.bounds
    until = microseconds(bounds.embargo_until) if bounds.embargo_until else 0
    words = " ".join((*plain(line.title), *plain(stored.id), *plain(line.words)))
    return {
        "kind": kind,
        "id": stored.id,
        "engagement": stored.engagement,
        "org": stored.org,
        "case_id": bounds.case,
        "owner": bounds.owner,
        "tlp": stored.marking.tlp.value,
        "level": bounds.level,
        "embargo_until": until,
        "title": line.title,
        "name": " ".join(plain(line.title))[:NAME_MAX],
        "words": words[:WORDS_MAX].replace("\0", ""),
        "state": line.state,
        "later": line.later,
        "facet": line.group,
        "opened_at": microseconds(line.opened) if line.opened else 0,
        "changed_at": microseconds(line.changed) if line.changed else 0,
        "due_at": microseconds(line.due) if line.due else 0,
    }


def write(connection: sa.Connection, row: Mapping[str, object]) -> None:
    """Insert the row, or put it in the place of the one for the same value."""
    place = {"of_kind": row["kind"], "of_id": row["id"]}
    present = connection.execute(_PRESENT, place).one_or_none()
    if present is None:
        made = connection.execute(LISTING.insert(), dict(row)).inserted_primary_key
        assert made is not None  # noqa: S101 -- one row was inserted
        _learn(connection, made.seq, str(row["words"]))
        return
    connection.execute(_UPDATE, {**place, **{name: row[name] for name in _WRITTEN}})
    if present.words != row["words"]:
        _forget(connection, present.seq, present.words)
        _learn(connection, present.seq, str(row["words"]))


def erase(connection: sa.Connection, kind: str, id_: str) -> None:
    """Take the row away, if there is one."""
    place = {"of_kind": kind, "of_id": id_}
    present = connection.execute(_PRESENT, place).one_or_none()
    if present is not None:
        _forget(connection, present.seq, present.words)
        connection.execute(_DELETE, place)


def _learn(connection: sa.Connection, seq: int, words: str) -> None:
    connection.execute(_LEARN[connection.dialect.name], {"seq": seq, "words": words})


def _forget(connection: sa.Connection, seq: int, words: str) -> None:
    connection.execute(_FORGET[connection.dialect.name], {"seq": seq, "words": words})


def stands(connection: sa.Connection, lines: Lines) -> bool:
    """Whether the rows are those of this version of *lines*."""
    version: str | None = connection.scalar(sa.select(LISTED.c.version))
    return version == lines.version


def restate(
    connection: sa.Connection, lines: Lines, rows: Callable[[type], Iterator[Mapping[str, object]]]
) -> None:
    """Write every row anew, unless somebody else did in the meantime."""
    if stands(connection, lines):
        return
    if connection.dialect.name == "sqlite":  # elsewhere the words go with their rows
        made, dropped = FOUND["sqlite"]
        for statement in (*dropped, *made):
            connection.exec_driver_sql(statement)
    connection.execute(LISTING.delete())
    for kind in lines.kinds:
        for row in rows(kind):
            write(connection, row)
    connection.execute(LISTED.delete())
    connection.execute(LISTED.insert().values(id=0, version=lines.version))


def page(
    connection: sa.Connection, kind: str, wanted: Wanted, *, common: bool = False
) -> Sequence[Listed]:
    """A part of the list of *kind*; see `leadline.app.ports.Reading.page`. *common* words are in many rows."""
    given = Given(connection.dialect.name)
    rare = () if common else _rare(connection, wanted.words)
    few = _few(connection, _ways(kind, wanted, given, rare), given)
    if few or not wanted.words:
        return _page(connection, kind, wanted, given, few)
    begun, ends = _begun(connection, kind, wanted)
    if ends or len(begun) == wanted.limit:
        return begun
    given = Given(given.dialect)
    having = f"{_matching(given, wanted.words, kind)} LIMIT {given.one(FEW)}"
    return _page(connection, kind, wanted, given, _few(connection, [having], given))


def pages(
    connection: sa.Connection, wanted: Mapping[str, Wanted]
) -> Mapping[str, Sequence[Listed]]:
    """Parts of several lists that look for the same words; where few rows have them, these alone are read."""
    dialect, sought = connection.dialect.name, next(iter(wanted.values())).words
    if not sought or any(one.words != sought for one in wanted.values()):
        return {kind: page(connection, kind, one) for kind, one in wanted.items()}
    given, rare = Given(dialect), _rare(connection, sought)
    # Counted before the wall: of more than these, others' rows could take the place of one's own.
    ways = [f"{_matching(given, rare)} LIMIT {given.one(FEW)}"] if rare else []
    if few := _few(connection, ways, given):
        among = f"SELECT seq, kind FROM listing WHERE seq IN ({few})"
        each = f"SELECT kind, {_GATHERED[dialect]} AS seqs FROM ({among}) few GROUP BY kind"
        return _read(connection, wanted, {row.kind: row for row in _run(connection, each, given)})
    return {kind: page(connection, kind, one, common=True) for kind, one in wanted.items()}


def _read(
    connection: sa.Connection, wanted: Mapping[str, Wanted], having: Mapping[str, sa.Row[Any]]
) -> Mapping[str, Sequence[Listed]]:
    """Those among a few rows of each kind that are wanted."""
    found = dict[str, Sequence[Listed]]()
    for kind, one in wanted.items():
        given, row = Given(connection.dialect.name), having.get(kind)
        found[kind] = _page(connection, kind, one, given, given.rows(row.seqs)) if row else []
    return found


def _rare(connection: sa.Connection, words: Sequence[str]) -> Sequence[str]:
    """Those words that the index of words finds at little cost.

    FTS5 gathers every row that has a word beginning so before it gives the first one; a whole word it reads as
    it is asked. So where many rows have the whole words, it is not asked for beginnings.
    """
    if not words:
        return words
    if connection.dialect.name == "sqlite":
        given = Given(connection.dialect.name)
        whole = f"{_matching(given, words, whole=True)} LIMIT {given.one(FEW)}"
        return () if not _few(connection, [whole], given) else words
    rows = connection.execute(sa.text(_COMMON), {"words": list(words)})
    common = {row.word for row in rows if row.rows >= FEW}
    return [word for word in words if word not in common]


def _begun(connection: sa.Connection, kind: str, wanted: Wanted) -> tuple[Sequence[Listed], bool]:
    """What is wanted among the first rows of a list, and whether the list is known to end within them.

    Both databases stop where the part is full. SQLite finds the place of the last of them in the index alone,
    and would sort what comes from within a limit once more; behind PostgreSQL's wall to find that place costs as much as to read them.
    """
    given = Given(connection.dialect.name)
    if given.dialect == "sqlite":
        last = _last(connection, kind, wanted)
        return _page(connection, kind, wanted, given, within=last), last is None
    found = _page(connection, kind, wanted, given, within=BEGUN)
    return found, len(found) < wanted.limit and _last(connection, kind, wanted) is None


def _last(connection: sa.Connection, kind: str, wanted: Wanted) -> Place | None:
    """The place of the last of the rows that a walk looks at; None, where the list ends before."""
    given, (column, _) = Given(connection.dialect.name), _SORTED[wanted.order]
    asked = (
        f"SELECT listing.{column}, listing.id FROM listing WHERE {' AND '.join(_walked(kind, wanted, given))} "
        f"ORDER BY {_in_order(wanted)} LIMIT 1 OFFSET {given.one(BEGUN - 1)}"
    )
    row = _run(connection, asked, given).first()
    return None if row is None else (getattr(row, column), row.id)


def _walked(kind: str, wanted: Wanted, given: Given) -> list[str]:
    """What the index of a list finds of the rows that may be wanted."""
    walked = [f"listing.kind = {given.one(kind)}"]
    if wanted.order is Order.DUE:
        walked.append("listing.due_at != 0")
    if wanted.after is not None:
        walked.append(_beyond(wanted, wanted.after, given))
    return walked


def _beyond(wanted: Wanted, place: Place, given: Given, *, until: bool = False) -> str:
    """Whether a row comes after *place*; or, *until* it, before or at it."""
    column, falling = _SORTED[wanted.order]
    sign = "<" if falling != until else ">"
    at = f"({given.one(place[0])}, {given.one(place[1])})"
    return f"(listing.{column}, listing.id) {sign}{'=' * until} {at}"


def _in_order(wanted: Wanted) -> str:
    column, falling = _SORTED[wanted.order]
    return ", ".join(f"listing.{one} {'DESC' if falling else 'ASC'}" for one in (column, "id"))


def reached(connection: sa.Connection, kind: str, visible: Clause, given: Given) -> str:
    """What gives the rows that alone can be *visible*, where they are few; else nothing."""
    return _few(connection, _within(kind, visible, given), given)


def _page(
    connection: sa.Connection,
    kind: str,
    wanted: Wanted,
    given: Given,
    few: str = "",
    within: Place | int | None = None,
) -> Sequence[Listed]:
    """What is wanted among *few* rows, or *within* the first so many or as far as a place, or in all of the list."""
    now, column = microseconds(wanted.now), _SORTED[wanted.order][0]
    where = [*_narrowed(wanted, now, given), condition(wanted.visible, given, _WALKED)]
    walked = _walked(kind, wanted, given)
    if few:
        # By its number alone: no index of the list is to be thought cheaper.
        walked[0] = f"listing.seq IN ({few}) AND (listing.kind || '') = {given.one(kind)}"
    if isinstance(within, tuple):
        walked.append(_beyond(wanted, within, given, until=True))
    if wanted.order is Order.DUE:
        where.append(f"NOT ({_turned(now, given)})")
    rows, ordered = "listing", _in_order(wanted)
    if isinstance(within, int):
        begun = f"WHERE {' AND '.join(walked)} ORDER BY {ordered} LIMIT {given.one(within)}"
        rows, walked = f"(SELECT * FROM listing {begun}) listing", []
    asked = f"{_LIST} FROM {rows} WHERE {' AND '.join([*walked, *where])} ORDER BY {ordered}"
    limited = f"{asked} LIMIT {given.one(wanted.limit)}"
    return [
        _listed(row, (getattr(row, column), row.id)) for row in _run(connection, limited, given)
    ]


def _run(
    connection: sa.Connection, asked: str, given: Given
) -> sa.CursorResult[tuple[object, ...]]:
    return connection.execute(sa.text(asked), given.values)


def _narrowed(wanted: Wanted, now: int, given: Given) -> list[str]:
    where = [_has(word, given) for word in wanted.words]
    if wanted.states:
        said = f"CASE WHEN {_turned(now, given)} THEN listing.later ELSE listing.state END"
        where.append(given.among(said, wanted.states))
    if wanted.groups:
        where.append(given.among("listing.facet", wanted.groups))
    return where


def _turned(now: int, given: Given) -> str:
    return f"(listing.later != '' AND listing.due_at != 0 AND listing.due_at <= {given.one(now)})"


def _has(word: str, given: Given) -> str:
    """The same words that the index finds, for a row that is looked at anyway."""
    if len(word) >= BEGINNING_MIN:
        return f"' ' || listing.words LIKE {given.one(f'% {word}%')}"
    return f"' ' || listing.words || ' ' LIKE {given.one(f'% {word} %')}"


def _few(connection: sa.Connection, ways: Iterable[str], given: Given) -> str:
    """What gives those rows that alone can be among what is wanted, where they are few; else nothing.

    They are given by their numbers: what found them is not asked again.
    """
    gathered = _GATHERED[given.dialect]
    for seqs in ways:
        asked = f"SELECT count(*) AS counted, {gathered} AS seqs FROM ({seqs}) few"
        row: Any = _run(connection, asked, given).one()
        if row.counted < FEW:
            return given.rows(row.seqs)
    return ""


def _within(kind: str, visible: Clause, given: Given) -> Iterator[str]:
    of_kind, most = f"SELECT seq FROM listing WHERE kind = {given.one(kind)}", given.one(FEW)
    facts = reach(visible)
    if facts is not None:
        parts = [
            f"{of_kind} AND {COLUMNS[fact]} != '' AND {given.among(COLUMNS[fact], texts)}"
            for fact, texts in sorted(facts.items())
        ]
        among = " UNION ALL ".join(parts) or f"{of_kind} AND 1 = 0"
        yield f"SELECT seq FROM ({among}) reached LIMIT {most}"


def _ways(kind: str, wanted: Wanted, given: Given, rare: Sequence[str]) -> Iterator[str]:
    of_kind, most = f"SELECT seq FROM listing WHERE kind = {given.one(kind)}", given.one(FEW)
    yield from _within(kind, wanted.visible, given)
    if rare:
        yield f"{_matching(given, rare)} LIMIT {most}"
    if wanted.states:
        # In the order of their index: PostgreSQL would gather all of a state before it gives the first.
        newest = f"ORDER BY changed_at DESC, id DESC LIMIT {most}"
        now = f"{of_kind} AND {given.among('state', wanted.states)} {newest}"
        then = f"{of_kind} AND later != '' AND {given.among('later', wanted.states)} LIMIT {most}"
        each = f"SELECT seq FROM ({now}) now UNION ALL SELECT seq FROM ({then}) later"
        yield f"SELECT seq FROM ({each}) said LIMIT {most}"
    if wanted.groups:
        yield f"{of_kind} AND facet != '' AND {given.among('facet', wanted.groups)} LIMIT {most}"


def _matching(given: Given, words: Sequence[str], kind: str = "", *, whole: bool = False) -> str:
    """The rows, of *kind* if one is given, that have these words, in the index of words; as *whole* words or beginnings."""
    if given.dialect == "sqlite":
        number, has = "rowid", f"listing_words MATCH {given.one(_fts5(words, whole=whole))}"
    else:
        number, has = "seq", f"words @@ CAST({given.one(_tsquery(words))} AS tsquery)"
    found = f"SELECT {number} AS seq FROM listing_words WHERE {has}"
    if not kind:
        return found
    return (
        f"SELECT listing.seq FROM ({found}) said JOIN listing ON listing.seq = said.seq "
        f"WHERE (listing.kind || '') = {given.one(kind)}"
    )


def _fts5(words: Sequence[str], *, whole: bool) -> str:
    """A question in FTS5's language; the words hold letters and digits alone."""
    return " AND ".join(
        f'"{one}"' + "*" * (len(one) >= BEGINNING_MIN and not whole) for one in words
    )


def _tsquery(words: Sequence[str]) -> str:
    return " & ".join(f"'{one}'" + ":*" * (len(one) >= BEGINNING_MIN) for one in words)


def _listed(row: sa.Row[tuple[object, ...]], place: Place) -> Listed:
    line = Line(
        row.title,
        row.words,
        row.state,
        row.later,
        row.facet,
        *(instant(at) if at else None for at in (row.opened_at, row.changed_at, row.due_at)),
    )
    return Listed(row.id, line, row.engagement, row.org, row.case_id, place)
