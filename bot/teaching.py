"""Teaching: how the question behind a person's answer is asked for all customers, within the day's money."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from rag.answering import NOTHING_SPENT
from rag.faq_wording import FaqWriter
from store import usage
from store.doors import Store
from store.usage import Budget, Reservation

# Nobody's id: what teaching costs is the shop's, and no customer's share of the day.
TEACHING = -2


@dataclass(frozen=True, kw_only=True, slots=True)
class Teacher:
    """Asks the model for the wording of an entry's question."""

    account: str
    store: Store
    zone: ZoneInfo
    budget: Budget
    writer: FaqWriter

    async def wording(self, asked: str, answer: str, *, name: str | None) -> str | None:
        """The question as any customer could ask it; None when the customer's own words are to stay."""
        wanted = Reservation(
            account=self.account,
            day=datetime.now(self.zone).date().isoformat(),
            customer_id=TEACHING,
            amount_idr=self.writer.most_cost_idr(),
        )
        if not await self.store.write(lambda c: usage.reserve(c, wanted, self.budget)):
            return None
        spent = NOTHING_SPENT
        try:
            proposed = await self.writer.propose(asked, answer, name=name)
            spent = proposed.spent
        finally:
            await self.store.write(lambda c: usage.settle(c, wanted, spent))
        return proposed.question
