"""The customer's rights: a copy of what is stored about him, and its deletion down to the files' bytes.

A deletion is asked for in his chat and carried out here, once the last word to him is sent: nothing of him
may be left, the words that confirm it included.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import Connection, exists, select

from bot.people import People
from store import customers, handoffs, media, meta, turns
from store.attachments import Document
from store.doors import Store
from store.media_files import MediaFiles
from store.schema import QueueState
from store.schema import outbox as outbox_rows
from store.turns import Author

log = structlog.get_logger(__name__)

CHECK_S = 2.0
MOST_TURNS = 10_000
EXPORT_NAME = "data-saya.txt"
_WHO = {Author.BOT: "Asisten", Author.HUMAN: "Toko", Author.AUTO: "Otomatis"}


def ask_for_erasure(connection: Connection, account: str, customer_id: int) -> None:
    """Delete this customer as soon as what is on its way to him has been sent."""
    waiting = _waiting(connection, account)
    if customer_id not in waiting:
        meta.put(connection, _key(account), " ".join(map(str, [*waiting, customer_id])))


def export(connection: Connection, customer_id: int, zone: ZoneInfo) -> Document:
    """Everything that is stored about the customer, as a text that he can read."""
    customer = customers.get(connection, customer_id)
    addresses = ", ".join(found.user for found in customers.addresses_of(connection, customer_id))
    lines = [
        "DATA YANG DISIMPAN",
        f"Nama: {(customer.name if customer is not None else None) or '-'}",
        f"Nomor: {addresses or '-'}",
        "",
        "PERCAKAPAN",
    ]
    for turn in turns.recent(connection, customer_id, limit=MOST_TURNS):
        at = datetime.fromtimestamp(turn.created_ms / 1000, zone).strftime("%d/%m/%Y %H.%M")
        lines += [f"[{at}] Anda: {turn.asked}"] if turn.asked else []
        lines += [f"[{at}] {_WHO.get(turn.author, 'Toko')}: {turn.replied}"] if turn.replied else []
    files = media.names_of(connection, customer_id)
    lines += ["", "BERKAS YANG ANDA KIRIM", *(files or ["-"])]
    return Document(
        data=("\n".join(lines) + "\n").encode("utf-8", "replace"),
        filename=EXPORT_NAME,
        mimetype="text/plain",
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Erasures:
    """Carries out what customers asked for. ``erase`` blocks: it overwrites in the files what was deleted."""

    store: Store
    people: People
    files: MediaFiles
    erase: Callable[[], None]

    async def carry_out(self) -> None:
        """Delete whoever asked for it and has been told; then the bytes."""
        account = self.people.room.account
        asked, pending = await self.store.read(
            lambda c: (_waiting(c, account), meta.get(c, _unerased(account)))
        )
        for customer_id in asked:
            if await self.store.read(lambda c, who=customer_id: _is_told(c, who)):  # type: ignore[misc] # mypy infers no default
                paths = await self.store.read(lambda c, who=customer_id: media.paths_of(c, who))  # type: ignore[misc] # as above
                await self.store.write(lambda c, who=customer_id: self._forget(c, who))  # type: ignore[misc] # as above
                await asyncio.to_thread(self.files.remove, paths)
                pending = "1"
        if pending:
            # A crash between the two leaves the mark, and the next process goes on here.
            await asyncio.to_thread(self.erase)
            await self.store.write(lambda c: meta.put(c, _unerased(account), ""))

    def _forget(self, connection: Connection, customer_id: int) -> None:
        account = self.people.room.account
        left = [other for other in _waiting(connection, account) if other != customer_id]
        meta.put(connection, _key(account), " ".join(map(str, left)))
        _, number = self.people.label(connection, customer_id, None)
        if customers.forget(connection, customer_id):
            meta.put(connection, _unerased(account), "1")
            # Without his name, and of his number no more than what tells the owner that it happened.
            body = self.people.wording.say("admin_data_dihapus", nomor=number)
            self.people.notify(connection, body, kind=handoffs.ALERT)
            log.info("customer_erased", customer=customer_id)


def _is_told(connection: Connection, customer_id: int) -> bool:
    """Whether nothing is on its way to him any more."""
    under_way = exists().where(
        outbox_rows.c.customer_id == customer_id,
        outbox_rows.c.finished_ms.is_(None),
        outbox_rows.c.purpose.in_(["answer", "relay"]),
        outbox_rows.c.state.in_([QueueState.NEW.value, QueueState.CLAIMED.value]),
    )
    return not connection.execute(select(under_way)).scalar()


def _waiting(connection: Connection, account: str) -> list[int]:
    return [int(found) for found in (meta.get(connection, _key(account)) or "").split()]


def _key(account: str) -> str:
    return f"erase:{account}"


def _unerased(account: str) -> str:
    return f"unerased:{account}"
