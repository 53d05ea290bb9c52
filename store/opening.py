"""Opens the database that the settings name: the only place that chooses between SQLite and PostgreSQL."""

from __future__ import annotations

from config.settings import Settings
from store.doors import Store


async def open_store(settings: Settings) -> Store:
    """Open the database that the settings name, bring its schema up to date and return its doors.

    Raises ``StoreMisconfigured`` with what to do when the database cannot be used as it is.
    """
    if settings.store.database_url is not None:
        from store.postgres import PostgresStore

        return await PostgresStore.open(settings.store.database_url)
    from store.sqlite import SqliteStore

    return await SqliteStore.open(settings.sqlite_path, allow_old_sqlite=settings.store.allow_old_sqlite)
