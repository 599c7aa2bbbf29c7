"""The budgets of runs, beside the shard table: reserves and spending that every worker sees.

A reserve belongs to a shard under one fencing token. Once that token no longer holds the shard nobody
will settle it, and what its attempt used up to then is not known: the whole reserve counts as spent.
"""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from leadline.app.ports import Shard
from leadline.core.measure.budget import NOTHING, Amount, Answer, Ledger
from leadline.store.connections import reading, writing
from leadline.store.database import open_database
from leadline.store.tables import PURSE, RESERVE, SHARD


@dataclass(frozen=True, slots=True)
class PurseTable:
    """`leadline.app.ports.Purse` on a database. Threads and processes may share it."""

    engine: sa.Engine

    def cap(self, job: str, cap: Amount) -> None:
        """Limit what the job's attempts may use together; the first cap of a job stands."""
        row = {"job": job, "cap_tokens": cap.tokens, "cap_micro_usd": cap.micro_usd}
        row |= {"spent_tokens": 0, "spent_micro_usd": 0, "refused": 0}
        insert = sqlite.insert if self.engine.dialect.name == "sqlite" else postgresql.insert
        with writing(self.engine, exclusive=False) as connection:
            connection.execute(insert(PURSE).values(row).on_conflict_do_nothing())

    def reserve(self, shard: Shard, sample: str, amount: Amount) -> Answer:
        """Set *amount* aside for one attempt, if it fits; see the port."""
        with writing(self.engine, exclusive=False) as connection:
            # the row is locked first, so that two workers of one run decide one after the other
            own = sa.select(PURSE.c.job).where(PURSE.c.job == shard.job).with_for_update()
            if connection.scalar(own) is None:
                return "granted"
            if connection.scalar(_holding(shard)) is None:
                return "refused"
            _forfeit(connection, shard.job)
            answer = _ledger(connection, shard.job).decide(amount)
            if answer == "granted":
                connection.execute(RESERVE.insert().values(_row(shard, sample, amount)))
            elif answer == "refused":
                refused = PURSE.update().where(PURSE.c.job == shard.job)
                connection.execute(refused.values(refused=PURSE.c.refused + 1))
            return answer

    def settle(self, shard: Shard, sample: str, used: Amount) -> None:
        """Turn the attempt's reserve into what it used; nothing, where it was forfeited."""
        with writing(self.engine, exclusive=False) as connection:
            mine = (RESERVE.c.shard == shard.id) & (RESERVE.c.token == shard.token)
            gone = RESERVE.delete().where(mine, RESERVE.c.sample == sample)
            if connection.execute(gone).rowcount:
                _spend(connection, shard.job, used)

    def ledger(self, job: str) -> Ledger:
        """Cap, spending and reserves of a job; an empty cap where it has none."""
        with reading(self.engine) as connection:
            return _ledger(connection, job)

    def close(self) -> None:
        """Give the connections back; the table cannot be used afterwards."""
        self.engine.dispose()


def open_purse(url: str) -> PurseTable:
    """The budgets in the database at *url*; raises as `open_database`."""
    return PurseTable(open_database(url))


def _holding(shard: Shard) -> sa.Select[tuple[str]]:
    here = (SHARD.c.id == shard.id) & (SHARD.c.token == shard.token)
    return sa.select(SHARD.c.id).where(here, SHARD.c.state == "running")


def _row(shard: Shard, sample: str, amount: Amount) -> dict[str, str | int]:
    held: dict[str, str | int] = {"shard": shard.id, "token": shard.token, "sample": sample}
    return held | {"job": shard.job, "tokens": amount.tokens, "micro_usd": amount.micro_usd}


def _spend(connection: sa.Connection, job: str, amount: Amount) -> None:
    more = {
        "spent_tokens": PURSE.c.spent_tokens + amount.tokens,
        "spent_micro_usd": PURSE.c.spent_micro_usd + amount.micro_usd,
    }
    connection.execute(PURSE.update().where(PURSE.c.job == job).values(more))


def _forfeit(connection: sa.Connection, job: str) -> None:
    """Count as spent what those reserved whose token no longer holds the shard."""
    held = sa.exists().where(
        SHARD.c.id == RESERVE.c.shard,
        SHARD.c.token == RESERVE.c.token,
        SHARD.c.state == "running",
    )
    lost = (RESERVE.c.job == job) & ~held
    _spend(connection, job, _sum(connection, lost))
    connection.execute(RESERVE.delete().where(lost))


def _sum(connection: sa.Connection, where: sa.ColumnElement[bool]) -> Amount:
    columns = (sa.func.sum(RESERVE.c.tokens), sa.func.sum(RESERVE.c.micro_usd))
    tokens, money = connection.execute(sa.select(*columns).where(where)).one()
    return Amount(int(tokens or 0), int(money or 0))


def _ledger(connection: sa.Connection, job: str) -> Ledger:
    row = connection.execute(sa.select(PURSE).where(PURSE.c.job == job)).one_or_none()
    if row is None:
        return Ledger(NOTHING)
    return Ledger(
        Amount(row.cap_tokens, row.cap_micro_usd),
        Amount(row.spent_tokens, row.spent_micro_usd),
        _sum(connection, RESERVE.c.job == job),
        row.refused,
    )
