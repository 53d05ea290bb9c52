"""The shop's mode as the owner last set it in the chat; the setting counts until he does."""

from __future__ import annotations

from sqlalchemy import Connection

from config.settings import Mode
from store import meta


def current(connection: Connection, account: str, *, configured: Mode) -> Mode:
    """The mode that the gate goes by now."""
    stored = meta.get(connection, _key(account))
    return configured if stored is None else Mode(stored)


def switch(connection: Connection, account: str, mode: Mode) -> None:
    """From now on, and after a restart too."""
    meta.put(connection, _key(account), mode.value)


def _key(account: str) -> str:
    return f"mode:{account}"
