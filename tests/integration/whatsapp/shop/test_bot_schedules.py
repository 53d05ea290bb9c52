"""Random schedules over the real library: customers, the owner, a bad network, deaths; the phones judge."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from sandbox.whatsapp.customer import Customer
from sandbox.whatsapp.server import WhatsAppServer
from tests.integration.whatsapp.shop.crashes import Town, opened
from tests.integration.whatsapp.shop.echo_model import codes_in
from tests.integration.whatsapp.shop.people import taken
from tests.whatsapp_bot import WhatsAppBot

pytestmark = pytest.mark.asyncio(loop_scope="module")

Report = Callable[[str], None]

PEOPLE = 6
STEPS = 35
MANY_STEPS = 150


@dataclass(kw_only=True)
class Schedule:
    """What happens to a town, and in which chats a person has the word since when."""

    town: Town
    # Chats in which the owner was heard, with the number of messages on the phone by then.
    taken: dict[Customer, int] = field(default_factory=dict)
    steps: list[str] = field(default_factory=list)

    async def step(self) -> None:
        acts = {
            self.ask: 10,
            self.crowd_asks: 2,
            self.comes_again: 3,
            self.owner_writes: 2,
            self.drop: 2,
            self.freeze: 1,
            self.server_stumbles: 2,
            self.time_passes: 4,
            self.die: 2,
        }
        act = self.town.dice.choices(list(acts), list(acts.values()))[0]
        self.steps.append(act.__name__)
        await act()

    async def ask(self) -> None:
        await self.town.ask()

    async def crowd_asks(self) -> None:
        for _ in range(PEOPLE):
            await self.town.ask()

    async def comes_again(self) -> None:
        if self.town.said:
            await self.town.send_again(self.town.dice.choice(self.town.said))

    async def owner_writes(self) -> None:
        """From the moment that the bot has heard it, that chat is the owner's."""
        town, bot = self.town, self.town.bot
        if len(self.taken) == PEOPLE // 2:
            return
        who = town.dice.choice([one for one in town.people if one not in self.taken])
        # As long after the customer's words as a person needs: what comes at once is a greeting by itself.
        message_id = await town.wa.owner.send(
            who, f"Halo {who.user.name}, ini pemiliknya ya", sent_s=int(time.time()) + 6
        )
        await taken(bot, message_id)
        # What was being sent at that very moment may still arrive.
        busy = "SELECT count(*) FROM outbox WHERE chat = ? AND state = 'claimed'"
        await bot.wait_until(lambda: bot.query(busy, str(who.jid)) == [(0,)], "what was on its way")
        self.taken[who] = len(who.received)

    async def drop(self) -> None:
        await self.town.wa.drop()

    async def freeze(self) -> None:
        self.town.wa.freeze()
        await self.town.ask()
        await asyncio.sleep(self.town.dice.uniform(0.1, 0.5))
        self.town.wa.thaw()

    async def server_stumbles(self) -> None:
        self.town.wa.nack(500, times=self.town.dice.randint(1, 3))

    async def time_passes(self) -> None:
        await asyncio.sleep(self.town.dice.choice((0.0, 0.02, 0.1, 0.3)))

    async def die(self) -> None:
        bot = self.town.bot
        await bot.kill()
        await self.town.bury()
        await started(bot)

    def told(self, seed: int) -> str:
        """The story in one line."""
        verdict = self.town.verdict()
        return (
            f"seed {seed}: {len(self.steps)} steps, {self.steps.count('drop')} drops, "
            f"{self.town.kills} kills, {len(self.taken)} chats taken over, "
            f"{len(self.town.said)} asked, {verdict.answered} answered, "
            f"{verdict.repeated} answers came twice, loss window {len(verdict.window)} messages"
        )

    async def faults(self) -> dict[str, list[str]]:
        """What speaks against the bot; the whole story is over."""
        verdict = self.town.verdict()
        # The owner answers in these chats himself.
        owed = {said.code for said in self.town.said if said.who not in self.taken}
        doubts = self.town.bot.log.read_text().count("outcome unknown")
        found = {
            "lost": [code for code in verdict.lost if code in owed],
            # A cut in the middle of a send leaves a doubt, and a doubt one repetition.
            "doubled": verdict.doubled if len(verdict.doubled) > doubts else [],
            "disordered": verdict.disordered,
            "misdirected": verdict.misdirected,
            "intruded": [
                code
                for who, by_then in self.taken.items()
                for received in who.received[by_then:]
                for code in codes_in(received.text)
            ],
        }
        return {kind: what for kind, what in found.items() if what}


async def started(bot: WhatsAppBot) -> None:
    """Start a life and wait until it is one: what a killed one wrote down last says nothing."""
    before = bot.log.read_text().count('"bot_started"')
    await bot.start()
    await bot.wait_until(lambda: bot.log.read_text().count('"bot_started"') > before, "a life")
    await bot.online()


async def lived(wa: WhatsAppServer, bot: WhatsAppBot, ingested: Path, *, seed: int, steps: int) -> Schedule:
    """A whole schedule, up to the end of its last process."""
    if bot.running.returncode is None:
        assert await bot.stop() == 0
    bot.log.write_text("")
    schedule = Schedule(town=await opened(wa, bot, ingested, seed=seed, people=PEOPLE))
    await started(bot)
    for _ in range(steps):
        await schedule.step()
    wa.faults.nack = None
    await bot.online()
    await bot.settled()
    assert await bot.stop() == 0
    await schedule.town.finish(mutant=False)
    await started(bot)
    return schedule


async def test_no_schedule_loses_doubles_disorders_or_talks_over_anybody(
    wa: WhatsAppServer, bot: WhatsAppBot, ingested: Path, seed: int, report: Report
) -> None:
    schedule = await lived(wa, bot, ingested, seed=seed, steps=STEPS)
    report(schedule.told(seed))
    assert await schedule.faults() == {}, f"BALAS_SEED={seed}"


@pytest.mark.torture
@pytest.mark.parametrize("number", range(4))
async def test_no_long_schedule_does_either(
    wa: WhatsAppServer, bot: WhatsAppBot, ingested: Path, seed: int, report: Report, number: int
) -> None:
    schedule = await lived(wa, bot, ingested, seed=seed + number, steps=MANY_STEPS)
    report(schedule.told(seed + number))
    assert await schedule.faults() == {}, f"BALAS_SEED={seed + number}"
