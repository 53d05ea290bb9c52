"""Random schedules of customers, people at the shop, a moody network and crashes, and their judge.

Everything runs in this process over ``FaultyChannel``: what happened, and in which order, is exactly known.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from sqlalchemy import Connection, select

from bot.channel import Outcome, Outgoing, Parked, Refused, Retry, Sent, Unknown
from store import queue as queues
from store.outbox import Purpose
from store.queue import inbox_queue, outbox_queue
from store.schema import QueueState, inbox, outbox, turns
from tests.integration.tiny_shop import ACCOUNT, TinyShop

CHATS = ("budi", "siti", "dewi", "agus")
# A test that waits longer has found something.
WAIT_S = 60.0


@dataclass(kw_only=True)
class Said:
    """One message of a customer."""

    message_id: str
    chat: str
    code: str
    # Whether the bot had to answer: nobody silenced the chat or the shop until everything was settled.
    owed: bool = True


@dataclass(kw_only=True)
class Town:
    """A shop, what happens to it, and a diary of what its customers saw. ``open_shop`` is one life of it."""

    open_life: Callable[[], Any]
    dice: random.Random
    shop: TinyShop = field(init=False)
    said: list[Said] = field(default_factory=list)
    steps: list[str] = field(default_factory=list)
    # Each send that began, in order: the outbox row, whether the customer has it, and what it was about.
    sends: list[tuple[int, Outgoing, bool]] = field(default_factory=list)
    # Chats in which a person has the word now; sends that began there all the same are faults.
    taken: set[str] = field(default_factory=set)
    # Messages that a person saw before he wrote: they count as answered by him.
    seen: set[str] = field(default_factory=set)
    intruded: list[str] = field(default_factory=list)
    # Repetitions that nobody can help: an outcome nobody knows, or a crash with the row in hand.
    excused: Counter[int] = field(default_factory=Counter)
    is_off: bool = False
    _moods: list[str] = field(default_factory=list)
    _number: int = 0

    async def begin(self) -> None:
        """The next life of the shop."""
        self.shop = await self.open_life()
        self.shop.channel.outcome = self._outcome

    # --- the network ------------------------------------------------------------------------------------

    def _outcome(self, message: Outgoing) -> Outcome | None:
        if message.chat in self.taken or self.seen.intersection(message.answers):
            why = "taken" if message.chat in self.taken else "seen by a person"
            self.intruded.append(f"row {message.row_id} in {message.chat}: {why}, {message.answers}")
        mood = self._moods.pop() if self._moods and message.chat in CHATS else ""
        arrives = mood in ("", "arrives unknown")
        self.sends.append((message.row_id, message, arrives))
        match mood:
            case "retry":
                return Retry("not now", after_s=0.01)
            case "lost unknown" | "arrives unknown":
                self.excused[message.row_id] += 1
                return Unknown("who knows")
            case "refused":
                return Refused("never")
            case "parked":
                return Parked("restricted")
        return Sent(f"uji-{message.row_id}")

    # --- what happens -----------------------------------------------------------------------------------

    async def step(self) -> None:
        """One thing happens."""
        acts = {
            self.customer_writes: 10,
            self.several_write: 3,
            self.comes_again: 3,
            self.person_writes: 2,
            self.person_hands_back: 2,
            self.network_sulks: 4,
            self.network_goes_and_comes: 2,
            self.time_passes: 4,
            self.shop_sleeps: 1,
            self.crash: 1,
        }
        act = self.dice.choices(list(acts), list(acts.values()))[0]
        self.steps.append(act.__name__)
        await act()

    async def customer_writes(self, chat: str = "") -> None:
        self._number += 1
        code = f"K{self._number:06}"
        chat = chat or self.dice.choice(CHATS)
        said = Said(message_id=f"in-{code}", chat=chat, code=code)
        said.owed = chat not in self.taken and not self.is_off
        self.said.append(said)
        await self.shop.record(chat, f"bisa cod ga kak {code}?", message_id=said.message_id)

    async def several_write(self) -> None:
        await asyncio.gather(*(self.customer_writes(chat) for chat in CHATS))

    async def comes_again(self) -> None:
        """The network delivers the same message once more."""
        if self.said:
            said = self.dice.choice(self.said)
            await self.shop.record(said.chat, f"bisa cod ga kak {said.code}?", message_id=said.message_id)

    async def person_writes(self) -> None:
        """Somebody at the shop writes from its phone; once that is known the bot must be silent."""
        chat = self.dice.choice(CHATS)
        self._number += 1
        message_id = f"own-{self._number}"
        # What waits for its answer here may have it or not.
        self._forgive(chat)
        # Within one millisecond nobody could say who was first.
        await asyncio.sleep(0.002)
        before = [said.message_id for said in self.said if said.chat == chat]
        await self.shop.record(
            chat, f"Sebentar ya Kak, aku cek {message_id}", message_id=message_id, own=True
        )
        done = (inbox.c.message_id == message_id, inbox.c.finished_ms.is_not(None))
        await self._until(lambda: self.shop.count(inbox, *done), 1)
        self.taken.add(chat)
        self.seen.update(before)

    async def person_hands_back(self) -> None:
        if self.taken:
            chat = self.dice.choice(sorted(self.taken))
            await self._owner(f"lanjut {chat}", "kujawab lagi", before=partial(self.taken.discard, chat))

    async def shop_sleeps(self) -> None:
        """The owner switches the bot off, customers write, and he switches it on again."""
        for chat in CHATS:
            self._forgive(chat)
        await self._owner("berhenti", "aku diam dulu")
        self.is_off = True
        await self.customer_writes()
        await self.shop.settled()
        await self._owner("mulai", "menjawab lagi")
        self.is_off = False

    async def network_sulks(self) -> None:
        moods = ("retry", "lost unknown", "arrives unknown", "refused", "parked")
        self._moods += self.dice.choices(moods, (4, 2, 2, 1, 1), k=self.dice.randint(1, 3))

    async def network_goes_and_comes(self) -> None:
        self.shop.channel.online.clear()
        for _ in range(self.dice.randint(1, 4)):
            await self.customer_writes()
        if self.dice.random() < 0.5:
            await self.person_writes()
        self.shop.channel.online.set()

    async def time_passes(self) -> None:
        await asyncio.sleep(self.dice.choice((0.0, 0.005, 0.02, 0.08)))

    async def crash(self) -> None:
        """The process dies with whatever it has in hand, and another one takes over."""
        await self.shop.die()
        in_hand = await self.shop.rows(outbox, outbox.c.state == QueueState.CLAIMED.value)
        self.excused.update(row.id for row in in_hand)

        def take_back(connection: Connection) -> None:
            for queue in (inbox_queue(ACCOUNT), outbox_queue(ACCOUNT, "uji")):
                queues.take_back_all(connection, queue)

        await self.shop.write(take_back)
        await self.begin()

    async def settle(self) -> None:
        """The end of the story: the network is kind, nothing is held up, and everything is done."""
        self._moods.clear()
        self.shop.channel.online.set()
        for _ in range(3):
            await self.shop.settled()
            await self._owner("lanjut", "tertahan")
        await self.shop.settled()

    # --- helpers ----------------------------------------------------------------------------------------

    def _forgive(self, chat: str) -> None:
        for said in self.said:
            if said.chat == chat:
                said.owed = said.owed and self._is_settled(said)

    def _is_settled(self, said: Said) -> bool:
        """Whether the customer has the answer in his hands already."""
        return any(arrived and said.message_id in message.answers for _, message, arrived in self.sends)

    async def _owner(self, text: str, reply: str, *, before: Callable[[], None] | None = None) -> None:
        seen = len(self.shop.channel.sent)
        if before is not None:
            before()
        await self.shop.record("owner", text)

        async def replies() -> int:
            found = self.shop.channel.sent[seen:]
            return sum(message.chat == "owner" and reply in message.body for message in found)

        await self._until(replies, 1)

    async def _until(self, count: Callable[[], Any], wanted: int) -> None:
        async with asyncio.timeout(WAIT_S):
            while await count() < wanted:  # noqa: ASYNC110 - the database sets no event.
                await asyncio.sleep(0.003)

    # --- the judge --------------------------------------------------------------------------------------

    async def faults(self) -> dict[str, list[str]]:
        """What speaks against the bot; empty when nothing does."""
        rows = {row.id: row for row in await self.shop.rows(outbox, outbox.c.purpose == Purpose.ANSWER.value)}
        found = {
            "unfinished": await self._unfinished(),
            "forgotten": await self._forgotten(),
            "lost": self._lost(rows),
            "doubled": self._doubled(rows),
            "disordered": self._disordered(),
            "intruded": self.intruded,
        }
        return {kind: what for kind, what in found.items() if what}

    async def _unfinished(self) -> list[str]:
        """Committed messages that nobody finished."""
        wrong = (inbox.c.chat.in_(CHATS), inbox.c.state != QueueState.DONE.value)
        return [row.message_id for row in await self.shop.rows(inbox, *wrong)]

    async def _forgotten(self) -> list[str]:
        """Messages that are in no history, whether they were answered or not."""
        asked = "\n".join(
            await self.shop.store.read(lambda c: list(c.execute(select(turns.c.asked)).scalars()))
        )
        return [said.code for said in self.said if said.code not in asked]

    def _lost(self, rows: dict[int, Any]) -> list[str]:
        """Messages that had to be answered, and whose answer reached nobody though nobody refused it."""
        answered = {
            message_id
            for row in rows.values()
            for message_id in row.answers.split()
            if row.state == QueueState.DEAD.value or self._arrived(row.id)
        }
        return [said.code for said in self.said if said.owed and said.message_id not in answered]

    def _arrived(self, row_id: int) -> int:
        return sum(arrived for row, _, arrived in self.sends if row == row_id)

    def _doubled(self, rows: dict[int, Any]) -> list[str]:
        """Two answers to one message, or one answer more often than crashes and doubts excuse."""
        answers = Counter(message_id for row in rows.values() for message_id in row.answers.split())
        often = [row for row in rows if self._arrived(row) > 1 + self.excused[row]]
        return [message_id for message_id, times in answers.items() if times > 1] + [
            f"row {row}" for row in often
        ]

    def _disordered(self) -> list[str]:
        """Answers that arrived before an earlier one of their chat did for the first time."""
        place = {said.message_id: number for number, said in enumerate(self.said)}
        newest: dict[str, int] = {}
        seen: set[str] = set()
        late = []
        for _, message, arrived in self.sends:
            for message_id in message.answers if arrived else ():
                if message_id in seen:
                    continue
                seen.add(message_id)
                if place[message_id] < newest.get(message.chat, -1):
                    late.append(message_id)
                newest[message.chat] = max(newest.get(message.chat, -1), place[message_id])
        return late

    def told(self, seed: int) -> str:
        """The story in one line."""
        answered = sum(arrived for _, message, arrived in self.sends if message.answers)
        return (
            f"seed {seed}: {len(self.steps)} steps, {len(self.said)} messages, {answered} answers arrived, "
            f"{self.steps.count('crash')} crashes, {self.steps.count('person_writes')} times a person, "
            f"{sum(said.owed for said in self.said)} answers owed"
        )
