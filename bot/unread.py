"""A message that cannot be processed is given up, and is then a person's to read: this tells him of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy import Connection, Row

from bot.channel import OWN, Channel, IncomingMessage
from bot.firstrun import ROOM_CODE
from bot.message import clean_name
from bot.people import People
from bot.posts import POST
from config.phone import normalise_phone
from config.redaction import mask_phone
from store import customers, handoffs
from store.customers import Address, Customer

log = structlog.get_logger(__name__)

# Nobody waits for an answer to a post, and who types the room's code sees that nothing came of it.
_UNTOLD = frozenset((POST, ROOM_CODE))


@dataclass(frozen=True, kw_only=True, slots=True)
class Unread:
    """Tells the owner whose message it was, in words that say what he can do about it."""

    channel: Channel
    people: People

    def tell(self, connection: Connection, row: Row[Any], reason: str) -> None:
        """The inbox worker gives the row up, in this transaction."""
        if row.kind in _UNTOLD:
            return
        say = self.people.wording.say
        if row.chat == self.people.room.chat:
            self.people.notify(connection, say("admin_pesan_rusak_ruang"), kind=handoffs.ALERT)
            return
        sentence = "admin_pesan_rusak_toko" if row.sender == OWN else "admin_pesan_rusak"
        message = self._read(row)
        addresses = _addresses(row, message)
        customer = self._customer(connection, row, addresses)
        if customer is None:
            name = None if message is None else clean_name(message.name)
            about = {**_stranger(name, addresses), "tautan": ""}
        else:
            about = {
                **self.people.named(connection, customer.id, customer.name),
                "tautan": self.people.link(connection, customer.id),
            }
        self.people.notify(
            connection,
            say(sentence, **about),
            kind=handoffs.ALERT,
            customer_id=None if customer is None else customer.id,
        )

    def _read(self, row: Row[Any]) -> IncomingMessage | None:
        try:
            return self.channel.parse(row)
        except Exception as exc:  # noqa: BLE001 - what broke the message may break this; it is given up all the same.
            log.info("unread_message", row=row.id, reason=type(exc).__name__)
            return None

    def _customer(
        self, connection: Connection, row: Row[Any], addresses: tuple[Address, ...]
    ) -> Customer | None:
        if row.customer_id is not None:
            return customers.get(connection, row.customer_id)
        # It became his while it was worked on, or an earlier one did.
        found = (customers.find(connection, self.people.room.account, address) for address in addresses)
        return next((customer for customer in found if customer is not None), None)


def _addresses(row: Row[Any], message: IncomingMessage | None) -> tuple[Address, ...]:
    """Whose chat it is; where the message does not say it, its chat does."""
    if message is not None and message.addresses:
        return message.addresses
    user, _, server = row.chat.rpartition("@")
    return (Address(server, user),)


def _stranger(name: str | None, addresses: tuple[Address, ...]) -> dict[str, str]:
    """Name and masked number of somebody whom the store does not know."""
    numbers = (normalise_phone(address.user) for address in addresses)
    masked = next((mask_phone(number) for number in numbers if number is not None), "")
    if name is None:
        return {"nama": masked or "seorang pelanggan", "nomor": ""}
    return {"nama": name, "nomor": masked}
