"""Scenarios with deaths in them, judged by what the customers' phones sent and read.

The phones and WhatsApp's server are in the test's process, so no crash of the bot can touch their truth.
"""

from __future__ import annotations

import asyncio
import random
import shutil
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sandbox.whatsapp.customer import Customer
from sandbox.whatsapp.server import WhatsAppServer
from tests.guarantees.home import Home
from tests.integration.whatsapp.shop.echo_model import codes_in, question
from tests.integration.whatsapp.shop.people import stranger
from tests.tally import Tally
from tests.whatsapp_bot import WhatsAppBot

# What waits for a bot that starts: more than it answers at once.
BACKLOG = 40
# A mutant is not waited for any longer than this: it owes answers that never come.
MUTANT_PATIENCE_S = 3.0
# After the last answer: what is too much must show itself.
AFTERMATH_S = 0.3


@dataclass(frozen=True, kw_only=True, slots=True)
class Said:
    """One question as it left a phone."""

    code: str
    text: str
    message_id: str
    who: Customer


@dataclass(kw_only=True)
class Verdict:
    """What the phones say. ``window`` is what no bot can help: see ``Town.verdict``."""

    lost: list[str]  # committed, never answered
    doubled: list[str]  # answered more often than deaths excuse
    disordered: list[str]  # answered after a later question of the same phone
    misdirected: list[str]  # answered on another phone
    window: list[str]  # confirmed to WhatsApp, in no table
    answered: int
    repeated: int  # answers that came twice and may have

    @property
    def faults(self) -> dict[str, list[str]]:
        """What speaks against the bot, by kind."""
        kinds = ("lost", "doubled", "disordered", "misdirected")
        return {kind: found for kind in kinds if (found := getattr(self, kind))}


@dataclass(kw_only=True)
class Town:
    """Some customers with phones, everything they ever asked, and what deaths of the bot excuse."""

    wa: WhatsAppServer
    bot: WhatsAppBot
    dice: random.Random
    people: list[Customer] = field(default_factory=list)
    said: list[Said] = field(default_factory=list)
    # What a phone sent once more before it was committed may arrive as late as that.
    sent_late: set[str] = field(default_factory=set)
    excused: Counter[str] = field(default_factory=Counter)
    kills: int = 0
    kills_with_work: int = 0

    async def settle_in(self, size: int) -> None:
        """So many people with phones move in."""
        self.people = [await stranger(self.wa, name=f"Orang {number}") for number in range(size)]

    async def ask(self) -> Said:
        """Somebody asks something."""
        code, text = question()
        who = self.dice.choice(self.people)
        self.said.append(Said(code=code, text=text, message_id=await who.send(text), who=who))
        return self.said[-1]

    async def send_again(self, said: Said) -> None:
        """The phone sends it once more, under the same id."""
        if said.message_id not in self.committed():
            self.sent_late.add(said.code)
        await said.who.send_again(said.message_id)

    def heard(self) -> int:
        """How many messages all phones received so far."""
        return sum(len(who.received) for who in self.people)

    async def hears_more(self, than: int) -> None:
        await self.bot.wait_until(lambda: self.heard() > than, "an answer")

    # --- the shop, looked at from outside ---------------------------------------------------------------

    @property
    def home(self) -> Home:
        return Home(state_dir=self.bot.state, model_url="")

    def committed(self) -> set[str]:
        """The message ids in the inbox."""
        return {row[0] for row in self.home.query("SELECT message_id FROM inbox")}

    async def bury(self) -> None:
        """After a death: note what was in hand, which excuses one repetition of each answer."""
        await self.wa.offline()
        self.kills += 1
        self.kills_with_work += any((self.home.claimed("inbox"), self.home.claimed("outbox")))
        self.excuse()

    def excuse(self) -> None:
        """What was claimed for sending may have been sent."""
        sending = self.home.query("SELECT answers FROM outbox WHERE state = 'claimed'")
        code_of = {said.message_id: said.code for said in self.said}
        self.excused.update(code_of[message_id] for row in sending for message_id in row[0].split())

    async def finish(self, *, mutant: bool) -> None:
        """The last life: it may finish what it has."""
        lives = self._lives()
        await self.bot.start()
        if mutant:
            await self.bot.wait_until(lambda: self._lives() > lives, "a bot that answers")
            await self._quiet(MUTANT_PATIENCE_S)
            await self.bot.kill()
            await self.wa.offline()
            return
        await self.bot.online()
        await self.bot.wait_until(lambda: not self._pending(), "confirmations")
        await self.bot.settled()
        await asyncio.sleep(AFTERMATH_S)
        assert await self.bot.stop() == 0, self.bot.tail()

    def _lives(self) -> int:
        """How often a bot came so far that it answers."""
        return self.bot.log.read_bytes().count(b"bot_started")

    async def _quiet(self, patience_s: float) -> None:
        """Until no phone has heard anything for so long."""
        heard = -1
        while heard < (heard := self.heard()):  # noqa: ASYNC110 - silence sets no event.
            await asyncio.sleep(patience_s)

    def _pending(self) -> bool:
        return any(companion.pending for companion in self.wa.network.companions.values())

    def verdict(self) -> Verdict:
        """Judge the whole story. The window is what was acknowledged before our callback could commit it."""
        committed = self.committed()
        heard: Counter[str] = Counter()
        misdirected, late = [], []
        for who in self.people:
            own = [said.code for said in self.said if said.who is who]
            codes = [code for received in who.received for code in codes_in(received.text)]
            misdirected += [code for code in codes if code not in own]
            heard.update(codes)
            late += _out_of_order(codes, [code for code in own if code not in self.sent_late])
        confirmed = [said for said in self.said if self._is_confirmed(said)]
        return Verdict(
            lost=[said.code for said in self.said if said.message_id in committed and not heard[said.code]],
            doubled=[code for code, times in heard.items() if times > 1 + self.excused[code]],
            disordered=late,
            misdirected=misdirected,
            window=[said.code for said in confirmed if said.message_id not in committed],
            answered=len(heard),
            repeated=sum(heard.values()) - len(heard),
        )

    def _is_confirmed(self, said: Said) -> bool:
        receipts = said.who.receipts.get(said.message_id)
        return receipts is not None and bool(receipts.delivered)

    def told(self, seed: int, verdict: Verdict) -> str:
        """The story in one line."""
        return (
            f"seed {seed}: {len(self.said)} asked, {verdict.answered} answered, {self.kills} kills "
            f"({self.kills_with_work} with work in hand), {verdict.repeated} answers came twice, "
            f"loss window {len(verdict.window)} messages; faults {verdict.faults or 'none'}"
        )

    def tally(self, seed: int, verdict: Verdict) -> Tally:
        """The story's row in the table of deaths."""
        return Tally(
            kills=self.kills,
            with_work=self.kills_with_work,
            lost=len(verdict.lost),
            doubled=len(verdict.doubled) + len(verdict.misdirected),
            disordered=len(verdict.disordered),
            seed=seed,
        )


def _out_of_order(codes: Sequence[str], asked: Sequence[str]) -> list[str]:
    """Answers whose first coming was after that of a later question."""
    place = {code: number for number, code in enumerate(asked)}
    firsts = [code for code in dict.fromkeys(codes) if code in place]
    late, newest = [], -1
    for code in firsts:
        if place[code] < newest:
            late.append(code)
        newest = max(newest, place[code])
    return late


async def opened(
    wa: WhatsAppServer, bot: WhatsAppBot, ingested: Path, *, seed: int, people: int = 12, mutant: str = ""
) -> Town:
    """A town with an empty book; the session with WhatsApp goes on, it cannot be turned back."""
    for path in bot.state.glob("balas.db*"):
        path.unlink()
    for path in (ingested / "var").glob("balas.db*"):
        shutil.copy(path, bot.state)
    bot.launcher = launcher(mutant)
    town = Town(wa=wa, bot=bot, dice=random.Random(seed))
    await town.settle_in(people)
    return town


def launcher(mutant: str = "", *faults: str) -> tuple[str, ...]:
    """The command line of a bot; see ``tests.launch``."""
    options = ("--mutant", f"tests.mutants.{mutant}") if mutant else ()
    return ("-m", "tests.launch", *options, *(f"--die={fault}" for fault in faults), "--")


async def killed_at_random(town: Town, *, rounds: int, per_s: float = 60.0, mutant: str = "") -> None:
    """kill -9 at a random moment under load, ``rounds`` times; before every fifth one also at a start."""
    dice = town.dice
    for number in range(rounds):
        if number % 5 == 4:
            await _die_while_starting(town)
        await town.bot.start()
        heard = town.heard()
        for _ in range(BACKLOG):
            await town.ask()
        await town.hears_more(heard)
        end = time.monotonic() + dice.uniform(0.0, 0.5)
        while (left := end - time.monotonic()) > 0:
            await town.ask()
            await asyncio.sleep(min(left, dice.expovariate(per_s)))
        await town.bot.kill()
        await town.bury()
    await town.finish(mutant=bool(mutant))


async def _die_while_starting(town: Town) -> None:
    await town.bot.start()
    await asyncio.sleep(town.dice.uniform(0.2, 1.6))
    await town.bot.kill()
    await town.wa.offline()
    # It may have sent something already, without having marked it.
    town.excuse()


# The steps of a message from Go to the customer, and how often the function is called before the death.
STEPS = (
    "after:bot.whatsapp.journal.Journal.keep:2",  # in the journal
    "after:store.inbox.record:3",  # written, not committed
    "after:store.sqlite.SqliteStore.record:1",  # committed, still in the journal
    "after:store.queue.claim:1",  # claimed, not committed
    "after:rag.model.ModelClient.chat:1",  # thought, not queued
    "before:bot.whatsapp.bridge.Bridge.send:2",  # claimed by delivery, not sent
    "after:bot.whatsapp.bridge.Bridge.send:2",  # acknowledged by WhatsApp, not marked
    "after:store.outbox.mark_sent:2",  # marked, not committed
    "after:bot.delivery.Delivery._mark_sent:2",  # marked
)
PER_STEP = 6


async def killed_at_steps(
    town: Town, steps: Sequence[str], *, per_step: int = PER_STEP, mutant: str = ""
) -> None:
    """One life after the other, each dying at the next step of a message's way."""
    for step in steps:
        town.bot.launcher = launcher(mutant, step)
        for _ in range(per_step):
            await town.ask()
        await town.bot.start()
        await town.bot.ended()
        await town.bury()
    town.bot.launcher = launcher(mutant)
    await town.finish(mutant=bool(mutant))


async def sent_again(town: Town, *, mutant: str = "") -> None:
    """Every message under its id several times, before and after a death and a restart."""
    await town.bot.start()
    await town.wa.online()
    asked = [await town.ask() for _ in range(8)]
    for said in asked:
        await said.who.send_again(said.message_id)
    await town.hears_more(0)
    await town.bot.kill()
    await town.bury()
    for said in asked:
        await said.who.send_again(said.message_id)
    await town.finish(mutant=bool(mutant))
