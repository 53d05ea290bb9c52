"""Where the owner is reached, and telling him something that he can act on by quoting it.

The bot knows its channel and the owner's room there; it writes them down at its start, because the payment
process has things to tell him, too.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Unpack

from sqlalchemy import Connection

from store import handoffs, meta
from store.handoffs import About
from store.outbox import NewMessage, Purpose


@dataclass(frozen=True, kw_only=True, slots=True)
class RoomAddress:
    """Where the owner is reached. ``chat`` None means nowhere: handoffs are then only listed by a command."""

    account: str
    transport: str
    chat: str | None


def announce(connection: Connection, room: RoomAddress) -> None:
    """Write down where the owner of the account is reached."""
    meta.put(connection, _key(room.account), json.dumps({"transport": room.transport, "chat": room.chat}))


def of_account(connection: Connection, account: str) -> RoomAddress | None:
    """Where the owner of the account is reached; None before its bot ran for the first time."""
    written = meta.get(connection, _key(account))
    return None if written is None else RoomAddress(account=account, **json.loads(written))


def tell(
    connection: Connection,
    room: RoomAddress | None,
    body: str,
    *,
    kind: str,
    purpose: Purpose = Purpose.NOTICE,
    **about: Unpack[About],
) -> int | None:
    """A message to the owner that he can act on by quoting it; its outbox row. None when there is no room."""
    if room is None or room.chat is None:
        return None
    message = NewMessage(
        account=room.account,
        transport=room.transport,
        chat=room.chat,
        body=body,
        purpose=purpose,
        # So that deleting the customer deletes what the owner was told about him.
        customer_id=about.get("customer_id"),
    )
    return handoffs.add_notice(connection, message, kind=kind, **about)


def _key(account: str) -> str:
    return f"room:{account}"
