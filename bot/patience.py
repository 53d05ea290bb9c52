"""Open questions are not forgotten: the owner is reminded, not for ever, and the customer hears the truth."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection

from bot import modes
from bot.gate import Pass, gate
from bot.people import People
from config.settings import Mode
from config.shop import Shop
from store import customers, handoffs, outbox
from store.doors import Store
from store.outbox import NewMessage, Purpose

CHECK_S = 60.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Patience:
    """Tells customers who have waited for a person for long that they are not forgotten."""

    store: Store
    people: People
    shop: Shop
    configured_mode: Mode
    after_s: float  # 0: nobody is told

    async def tell(self, now: datetime | None = None) -> None:
        """One note a customer, only while somebody of the shop is there to make it true."""
        at = now or datetime.now(UTC)
        if self.after_s <= 0 or self.shop.is_quiet_time(at) or not self.shop.is_open(at):
            return
        if await self.store.read(self._waiting):
            await self.store.write(self._tell_all)

    def _waiting(self, connection: Connection) -> list[handoffs.Handoff]:
        return handoffs.to_note(connection, self.people.room.account, after_ms=int(self.after_s * 1000))

    def _tell_all(self, connection: Connection) -> None:
        room = self.people.room
        mode = modes.current(connection, room.account, configured=self.configured_mode)
        told: set[int] = set()
        for handoff in self._waiting(connection):
            handoffs.noted(connection, handoff.id)
            customer = customers.get(connection, handoff.customer_id)
            if customer is None or customer.id in told or gate(mode, customer) is not Pass.SEND:
                continue
            told.add(customer.id)
            outbox.add(
                connection,
                NewMessage(
                    account=room.account,
                    transport=room.transport,
                    chat=handoff.chat,
                    body=self.people.wording.say("masih_menunggu"),
                    purpose=Purpose.ANSWER,
                    customer_id=customer.id,
                ),
            )
