"""The human takes over: what people write from the shop's own phone makes the bot step back in that chat."""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass, field

import structlog
from sqlalchemy import Connection

from billing import posting
from bot.channel import SIGNS, Channel, Media, Unreadable
from bot.mending import mend
from bot.message import MAX_CHARS, Said
from bot.people import People
from config.wording import Wording
from rag.normalise import normalise, search_text
from store import alerts, customers, handoffs, inbox, outbox, turns
from store import queue as queues
from store.customers import Customer
from store.doors import Store
from store.outbox import Kind
from store.queue import Queue
from store.turns import Author, NewTurn

log = structlog.get_logger(__name__)

# Starsender's device may be the shop's own number; what it sends looks like a person's, for so long.
STARSENDER_MS = 10 * 60 * 1000
# WhatsApp Business greets and excuses by itself, within seconds of the customer's message.
AUTOMATIC_WITHIN_MS = 5_000
# Nobody types the same words to a third customer on one day.
SAME_TEXT_CHATS = 3
SAME_TEXT_MS = 24 * 60 * 60 * 1000
_MOST_TEXTS = 500
BUSINESS_ALERT = "whatsapp_business_answers"


@dataclass(kw_only=True)
class Takeover:
    """Handles what the shop's people (or its phone by itself) wrote into a customer's chat."""

    account: str
    store: Store
    channel: Channel
    queue: Queue
    owner: str
    people: People
    wording: Wording
    pause_s: float
    # Which chats got the same text lately. Forgotten at a restart: then it takes three chats again.
    _texts: OrderedDict[str, dict[str, int]] = field(default_factory=OrderedDict, init=False)

    async def heard(self, said: Said) -> None:
        """Keep the words as the shop's turn and, when a human wrote them, be silent in that chat.

        What he changes in them later changes the turn, and silences nobody.
        """
        if not said.messages:
            await self.store.write(lambda c: self._mend(c, said))
            return
        now_ms = int(time.time() * 1000)
        repeated = self._is_repeated(said, now_ms)
        await self.store.write(lambda c: self._write(c, said, now_ms=now_ms, repeated=repeated))

    def _mend(self, connection: Connection, said: Said) -> None:
        queues.finish(connection, self.queue, said.row_ids, owner=self.owner)
        for row, sign in said.signs:
            mend(connection, self.channel, self.account, row.id, sign)

    def _write(self, connection: Connection, said: Said, *, now_ms: int, repeated: bool) -> None:
        queues.finish(connection, self.queue, said.row_ids, owner=self.owner)
        last = said.last
        if all(outbox.is_ours(connection, self.account, last.chat, mid) for mid in said.message_ids):
            return  # The bot's own message, come back by way of the phone.
        if not last.addresses:
            return
        customer, _ = customers.resolve(connection, self.account, last.addresses, name=None)
        if self._is_starsenders(connection, customer, said):
            # No person is in this chat: the customer's "makasih kak" is the bot's to answer.
            self._keep(connection, customer, said, Author.AUTO)
            return
        # Where a person has the chat already, quick words are his as well.
        if customer.silent_ms == 0 and (repeated or self._is_automatic(connection, said)):
            self._keep(connection, customer, said, Author.AUTO)
            greets = "WhatsApp Business answers by itself"
            if alerts.raise_once(connection, f"{BUSINESS_ALERT}:{self.account}", greets):
                self.people.notify(
                    connection, self.wording.say("admin_wa_bisnis", isi=said.shown), kind=handoffs.ALERT
                )
            return
        self._keep(connection, customer, said, Author.HUMAN)
        for handoff in handoffs.open_of(connection, self.account, customer_id=customer.id):
            # He is being answered by a person, so nobody has to be reminded of it.
            handoffs.finish(connection, handoff, state=handoffs.State.ANSWERED, answer=said.shown)
        customers.human_wrote(connection, customer.id)
        sent_ms = now_ms if last.sent_ms is None else min(last.sent_ms, now_ms)
        left_ms = int(self.pause_s * 1000) - (now_ms - sent_ms)
        if left_ms > customer.silent_ms:
            customers.keep_silent(connection, customer.id, for_ms=left_ms, reason=customers.HUMAN)
            log.info("human_took_over", customer=customer.id, for_s=left_ms // 1000)

    def _keep(self, connection: Connection, customer: Customer, said: Said, author: Author) -> None:
        """Its rows are the customer's, and its words a turn, if there are any."""
        words = said.shown[:MAX_CHARS]
        turn_id = self._turn(connection, customer, words, author) if words else None
        inbox.claim_for(connection, said.row_ids, customer.id, turn_id=turn_id)

    def _turn(self, connection: Connection, customer: Customer, words: str, author: Author) -> int:
        """A reply to what the customer said last, if nobody has answered that; else words by themselves."""
        newest = turns.recent(connection, customer.id, limit=1)
        if newest and newest[0].asked and not newest[0].replied:
            asked = newest[0].asked
            turns.answer(
                connection,
                newest[0].id,
                replied=words,
                author=author,
                make_search_text=lambda _: search_text(f"{asked}\n{words}"),
            )
            return newest[0].id
        return turns.append(
            connection,
            NewTurn(
                customer_id=customer.id,
                asked="",
                replied=words,
                author=author,
                search_text=search_text(words),
            ),
        )

    def _is_starsenders(self, connection: Connection, customer: Customer, said: Said) -> bool:
        """Whether all of it is what Starsender just sent for us: the same words, or the same caption."""
        sent = [
            (kind, normalise(body))
            for kind, body in posting.lately(connection, self.account, customer.id, within_ms=STARSENDER_MS)
        ]
        return bool(sent) and all(
            # What may have arrived before has a sentence in front.
            any(normalise(part).endswith(words) for _, words in sent)
            if part
            else message.kind == Media.DOCUMENT and any(kind == Kind.DOCUMENT for kind, _ in sent)
            for message, part in zip(said.messages, said.parts, strict=True)
        )

    def _is_automatic(self, connection: Connection, said: Said) -> bool:
        """Within seconds of the customer's message, by the network's own clock."""
        first = said.messages[0]
        row = inbox.newest_before(connection, self.account, chat=first.chat, before=said.rows[0].id)
        if row is None or first.sent_ms is None:
            return False
        try:
            asked = self.channel.parse(row)
        except Unreadable:
            return False
        if asked.own or asked.sent_ms is None or asked.kind in SIGNS:
            return False
        return 0 <= first.sent_ms - asked.sent_ms <= AUTOMATIC_WITHIN_MS

    def _is_repeated(self, said: Said, now_ms: int) -> bool:
        """Whether these words went to two other chats within a day."""
        key = normalise(said.text)
        if not key:
            return False
        chats = self._texts.setdefault(key, {})
        self._texts.move_to_end(key)
        while len(self._texts) > _MOST_TEXTS:
            self._texts.popitem(last=False)
        chats[said.last.chat] = now_ms
        for chat in [chat for chat, at_ms in chats.items() if now_ms - at_ms > SAME_TEXT_MS]:
            del chats[chat]
        return len(chats) >= SAME_TEXT_CHATS
