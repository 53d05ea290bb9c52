"""Makes a deletion reach the disk: what was deleted must not be readable in the database's files.

``store.forgetting.forget`` deletes rows. SQLite overwrites them (``secure_delete``), but not the copies that
its trees leave in a page when they move rows to another one (seen in one of ten deletions), and the pages
from before stay in the write-ahead log. So the file is written anew and the log emptied. PostgreSQL keeps
deleted rows until they are vacuumed.
"""

from __future__ import annotations

import time

from sqlalchemy import Connection, func, select
from sqlalchemy import exc as sa_exc

from config.settings import Settings
from store import schema
from store.errors import StoreBusy, translate

# Tables that hold what a customer said or was told. The change log holds his number only, for good.
_PERSONAL = (
    *(schema.customers, schema.aliases, schema.inbox, schema.outbox, schema.turns),
    *(schema.handoffs, schema.notices, schema.usage, schema.media, schema.chat_timers),
    *(schema.orders, schema.proposals, schema.undecryptable, schema.past_chats),
    schema.past_questions,
)
# These hang on rows of the others.
_ATTACHED = (schema.attachments, schema.forwards)
_PAUSE_S = 0.05


def rows_left(connection: Connection, customer_id: int) -> dict[str, int]:
    """How many rows of each table still belong to the customer; empty when he is gone."""
    found = {}
    for table in _PERSONAL:
        column = table.c.id if table is schema.customers else table.c.customer_id
        count = connection.execute(select(func.count()).where(column == customer_id)).scalar_one()
        if count:
            found[table.name] = int(count)
    return found


def erase_deleted(settings: Settings, *, timeout_s: float = 15.0) -> None:
    """Overwrite what was deleted before. Blocks; a running bot goes on, its writes wait meanwhile.

    SQLite needs free space of about the database's size. Raises ``StoreBusy`` when readers kept its log in
    use all the time: then call it again.
    """
    try:
        if settings.store.database_url is None:
            _empty_wal(settings, time.monotonic() + timeout_s)
        else:
            _vacuum(settings.store.database_url)
    except sa_exc.SQLAlchemyError as exc:
        raise translate(exc) from exc


def _empty_wal(settings: Settings, deadline: float) -> None:
    from store.sqlite_file import sqlite_engine

    engine = sqlite_engine(settings.sqlite_path)
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql("VACUUM")
            # SQLite would wait its whole busy time-out for each attempt; we count our own.
            connection.exec_driver_sql("PRAGMA busy_timeout=100")
            # Its first column says whether somebody was still reading from the log.
            while connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()[0]:
                if time.monotonic() >= deadline:
                    raise StoreBusy("the database's log is still being read by another process; try again")
                time.sleep(_PAUSE_S)
    finally:
        engine.dispose()


def _vacuum(database_url: str) -> None:
    from store.postgres import connected, postgres_engine

    engine = postgres_engine(database_url).execution_options(isolation_level="AUTOCOMMIT")
    try:
        with connected(engine) as connection:
            # Rows of the last two were emptied of him, not deleted.
            for table in (*_PERSONAL, *_ATTACHED, schema.invoices, schema.payment_events):
                connection.exec_driver_sql(f'VACUUM "{table.name}"')
    finally:
        engine.dispose()
