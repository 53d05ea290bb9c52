"""What the bot wrote down of the number that it is linked to; other processes read it here."""

from __future__ import annotations

import json

from sqlalchemy import Connection

from store import meta


def key(account: str) -> str:
    """Under which ``bot.linked`` keeps it."""
    return f"linked:{account}"


def number(connection: Connection, account: str) -> str:
    """The shop's own number, international digits; empty before the bot was linked for the first time."""
    found = meta.get(connection, key(account))
    return "" if found is None else str(json.loads(found).get("number", ""))
