"""The loop guard: two bots that answer each other must stop at ours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from bot.message import Said
from bot.people import People
from bot.selling.marks import Mark
from config.wording import Wording
from store import customers, handoffs
from store.doors import Store
from store.turns import Author, Turn

IDENTICAL_MESSAGES = 3
WINDOW_MS = 3 * 60 * 1000
SILENCE_MS = 60 * 60 * 1000


@dataclass(frozen=True, kw_only=True, slots=True)
class LoopGuard:
    """Trips on three identical messages in a row, or ``most_answers`` within three minutes (0: never).

    Counted from the last step of a sale.
    """

    store: Store
    people: People
    wording: Wording
    account: str
    most_answers: int

    async def trips(self, said: Said, recent: Sequence[Turn]) -> bool:
        """Whether this chat goes round in circles; then it is silent for an hour, and the owner knows."""
        if self.most_answers == 0 or not self._circles(said, recent):
            return False
        await self.store.write(lambda connection: self._silence(connection, said))
        return True

    def _circles(self, said: Said, recent: Sequence[Turn]) -> bool:
        now_ms = said.rows[-1].recorded_ms
        lately = [turn for turn in recent if now_ms - turn.created_ms < WINDOW_MS]
        # A sale asks many short things and "1" may be said three times; what goes on does not go round.
        steps = [at for at, turn in enumerate(lately) if Mark.STEP in turn.source_ids]
        if steps:
            lately = lately[steps[-1] + 1 :]
        # A person's answer repeats the question that it answers; the customer said it only once.
        asked = [turn.asked for turn in lately if turn.author is not Author.HUMAN]
        same = asked[-(IDENTICAL_MESSAGES - 1) :]
        if said.text and len(same) == IDENTICAL_MESSAGES - 1 and set(same) == {said.shown}:
            return True
        return sum(turn.author is Author.BOT for turn in lately) >= self.most_answers

    def _silence(self, connection: Connection, said: Said) -> None:
        customer = customers.find(connection, self.account, said.last.addresses[0])
        if customer is None or customer.silent_ms > 0:
            return
        customers.keep_silent(connection, customer.id, for_ms=SILENCE_MS, reason="loop")
        name, number = self.people.label(connection, customer.id, customer.name)
        body = self.wording.say("admin_loop", nama=name, nomor=number)
        self.people.notify(connection, body, kind=handoffs.ALERT, customer_id=customer.id)
