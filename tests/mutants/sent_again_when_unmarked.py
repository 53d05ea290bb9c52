"""Removes: after a send only the mark is repeated while the database cannot take it, never the send."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row

from bot.delivery import Delivery
from store import outbox
from store.outbox import Purpose
from tests.mutants import Replace


def mutate(replace: Replace) -> None:
    def make(_original: Any) -> Any:
        async def _mark_sent(self: Delivery, row: Row[Any], provider_id: str) -> None:
            is_notice = row.purpose in (Purpose.NOTICE, Purpose.REMINDER)
            await self.store.write(
                lambda c: outbox.mark_sent(
                    c, self.queue, row.id, owner=self.owner, provider_id=provider_id, is_notice=is_notice
                )
            )

        return _mark_sent

    replace("bot.delivery.Delivery._mark_sent", make)
