"""Numbered, append-only migrations of the schema, run by Alembic at start.

A landed file in ``versions/`` is never edited: a change is a new number. Alembic is imported only
when there is something to do, so a start on an up-to-date database does not pay for it.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from store.errors import StoreMisconfigured

FOLDER = Path(__file__).parent
# PostgreSQL processes that start together migrate one after the other; the number is ours alone.
ADVISORY_LOCK = 0x62616C6173


def known_revisions() -> list[str]:
    """The numbers of the migrations that this version of Balas carries, oldest first."""
    return sorted(path.stem.split("_")[0] for path in (FOLDER / "versions").glob("[0-9]*.py"))


def upgrade(connection: Connection) -> None:
    """Bring the database to the newest schema, all or nothing.

    Raises ``StoreMisconfigured`` when the database was written by a newer Balas: going on would
    lose what the newer one stores.
    """
    current = _current(connection)
    revisions = known_revisions()
    if current is not None and current not in revisions:
        raise StoreMisconfigured(
            f"the database has schema {current}, newer than this Balas knows ({revisions[-1]}); "
            "install the newer version again or restore the backup made before it"
        )
    connection.rollback()
    if current != revisions[-1]:
        _run_alembic(connection)


def _current(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _run_alembic(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.attributes["connection"] = connection
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    else:
        # Who waited for the lock must see what the other one migrated: a stricter level keeps the snapshot
        # from before the wait.
        connection.execution_options(isolation_level="READ COMMITTED")
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ADVISORY_LOCK})
    try:
        command.upgrade(config, "head")
    except BaseException:
        _end(connection, "ROLLBACK")
        raise
    _end(connection, "COMMIT")


def _end(connection: Connection, statement: str) -> None:
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(statement)
    elif statement == "COMMIT":
        connection.commit()
    else:
        connection.rollback()
